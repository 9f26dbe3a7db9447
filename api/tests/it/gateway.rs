//! Stored operations, run in process as `/api/v1` runs them.

use std::num::NonZeroU32;

use helpbot_api::error::ErrorCode;
use helpbot_api::gateway::{Gateway, GatewaySettings, TrustedDocuments};
use helpbot_api::limits::RateSettings;
use helpbot_api::transport::TransportSettings;
use helpbot_api::{Caller, Failure, Operation};
use serde_json::{Value, json};

use crate::app::App;
use crate::schema;

async fn run(app: &App, text: &str, variables: Value) -> Result<Value, Failure> {
    let operation = Operation::parse("Stored", text).unwrap();
    app.gateway.run(&operation, variables, &app.caller(&app.secret_key), &mut None).await
}

#[tokio::test]
async fn a_stored_operation_gives_its_data() {
    let app = App::start().await;

    let data = run(&app, "query Stored($n: Int!) { result: echo(n: $n) viewerKind }", json!({"n": 4})).await;

    assert_eq!(data, Ok(json!({"result": 4, "viewerKind": "secret"})));
}

#[tokio::test]
async fn the_first_refusal_is_the_failure() {
    let app = App::start().await;

    let refused =
        run(&app, "mutation Stored { result: refuse { userErrors { field message code } } }", json!({})).await;
    let exhausted = run(&app, "query Stored { exhausted }", json!({})).await.unwrap_err();
    let failed = run(&app, "query Stored { fails }", json!({})).await.unwrap_err();

    let expected =
        Failure { field: Some("endpoint.url".into()), ..Failure::new(ErrorCode::BadUserInput, "url must be https") };
    assert_eq!(refused, Err(expected));
    assert_eq!(exhausted.code, ErrorCode::CreditsExhausted);
    assert_eq!(exhausted.retry_after.map(|wait| wait.as_secs()), Some(2));
    assert_eq!(failed, Failure::new(ErrorCode::Internal, "Internal server error"));
}

#[tokio::test]
async fn an_address_that_guesses_keys_is_stopped() {
    let rates = RateSettings { refused: NonZeroU32::new(2), ..RateSettings::default() };
    let app = App::with(GatewaySettings { rates, ..GatewaySettings::default() }, TransportSettings::default()).await;
    let guess = Caller { peer: Some([192, 0, 2, 1].into()), ..app.caller("sk_live_guess") };

    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(app.gateway.authenticate(&guess).await.unwrap_err().code);
    }

    assert_eq!(codes, [ErrorCode::Unauthenticated, ErrorCode::Unauthenticated, ErrorCode::RateLimited]);
}

#[tokio::test]
async fn a_schema_without_subscriptions_is_served_too() {
    let app = App::start().await;
    let traces = app.traces.clone();
    let gateway = Gateway::new(
        schema::without_subscriptions,
        app.gateway.services().clone(),
        move |viewer| schema::request_data(&traces, viewer),
        TrustedDocuments::default(),
        GatewaySettings::default(),
    );
    let operation = Operation::parse("Stored", "query Stored { hello }").unwrap();

    let data = gateway.run(&operation, Value::Null, &app.caller(&app.widget_key), &mut None).await;

    assert_eq!(data, Ok(json!({"hello": "world"})));
}
