//! Stored operations, executed in process as `/api/v1` executes them.

use std::num::NonZeroU32;

use helpbot_api::gateway::guard::model::SchemaRules;
use helpbot_api::gateway::settings::GatewaySettings;
use helpbot_api::gateway::trusted::TrustedDocuments;
use helpbot_api::limits::rates::RateSettings;
use helpbot_api::transport::settings::TransportSettings;
use helpbot_api::{ApiError, Caller, ErrorCode, Gateway, StoredOperation};
use serde_json::{Value, json};

use crate::app::App;
use crate::schema;

async fn run(app: &App, text: &str, variables: Value) -> Result<Value, ApiError> {
    let operation = StoredOperation::parse("Stored", text).unwrap();
    let caller = app.gateway.admit(&app.caller(&app.secret_key)).await?;
    app.gateway.run(&operation, variables, &caller).await
}

#[tokio::test]
async fn a_stored_operation_returns_its_data() {
    let app = App::start().await;

    let data = run(&app, "query Stored($n: Int!) { result: echo(n: $n) viewerKind }", json!({"n": 4})).await;

    assert_eq!(data, Ok(json!({"result": 4, "viewerKind": "secret"})));
}

#[tokio::test]
async fn the_first_error_of_a_stored_operation_is_returned() {
    let app = App::start().await;

    let rejected =
        run(&app, "mutation Stored { result: refuse { userErrors { field message code } } }", json!({})).await;
    let exhausted = run(&app, "query Stored { exhausted }", json!({})).await.unwrap_err();
    let failed = run(&app, "query Stored { fails }", json!({})).await.unwrap_err();

    let expected =
        ApiError { field: Some("endpoint.url".into()), ..ApiError::new(ErrorCode::BadUserInput, "url must be https") };
    assert_eq!(rejected, Err(expected));
    assert_eq!(exhausted.code, ErrorCode::CreditsExhausted);
    assert_eq!(exhausted.retry_after.map(|wait| wait.as_secs()), Some(2));
    assert_eq!(failed, ApiError::internal());
}

#[tokio::test]
async fn an_address_that_guesses_api_keys_is_rate_limited() {
    let rates = RateSettings { rejected: NonZeroU32::new(2), ..RateSettings::default() };
    let app = App::with(GatewaySettings { rates, ..GatewaySettings::default() }, TransportSettings::default()).await;
    let guess = Caller { peer: Some([192, 0, 2, 1].into()), ..app.caller("sk_live_guess") };

    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(app.gateway.authenticate(&guess).await.unwrap_err().code);
    }

    assert_eq!(codes, [ErrorCode::Unauthenticated, ErrorCode::Unauthenticated, ErrorCode::RateLimited]);
}

#[tokio::test]
async fn a_schema_without_subscriptions_can_be_served() {
    let app = App::start().await;
    let traces = app.traces.clone();
    let gateway = Gateway::new(
        schema::without_subscriptions(),
        SchemaRules::default(),
        app.gateway.services().clone(),
        move |viewer| schema::request_data(&traces, viewer),
        TrustedDocuments::default(),
        GatewaySettings::default(),
    );
    let operation = StoredOperation::parse("Stored", "query Stored { hello }").unwrap();

    let caller = gateway.admit(&app.caller(&app.widget_key)).await.unwrap();
    let data = gateway.run(&operation, Value::Null, &caller).await;

    assert_eq!(data, Ok(json!({"hello": "world"})));
}
