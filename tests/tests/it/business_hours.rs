//! Tests of business hours and of what a visitor who asks for a human can expect.

use std::time::Duration;

use helpbot_domain::key::Role;
use helpbot_services::accounts::members;
use helpbot_tests::{Client, TestApp, on_both_backends, wait_for};
use serde_json::{Value, json};

on_both_backends!(
    business_hours_are_set_shown_and_removed,
    invalid_business_hours_are_refused,
    a_visitor_learns_when_somebody_is_there,
    the_team_is_here_only_while_a_member_is_connected,
    the_typical_time_is_the_median_of_first_replies,
);

const SET: &str = "mutation ($hours: BusinessHoursInput) { m: updateBusinessHours(input: { businessHours: $hours }) {
    site { businessHours { timeZone holidays isOpen nextOpeningAt periods { day opensAt closesAt } } } userErrors { code field }
} }";
const EXPECTED: &str = "{ site { expectedReply { isTeamHere isOpen opensAt typicalMinutes } } }";

async fn set(client: &Client, hours: Value) -> Value {
    client.graphql(SET, json!({ "hours": hours })).await.ok()["m"].take()
}

async fn expected(client: &Client) -> Value {
    client.graphql(EXPECTED, json!({})).await.ok()["site"]["expectedReply"].take()
}

/// Tests begin on Sunday, 2026-03-15 at 12:00 UTC.
fn weekdays(zone: &str, holidays: &[&str]) -> Value {
    let days = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"];
    let periods: Vec<Value> =
        days.iter().map(|day| json!({ "day": day, "opensAt": "09:00", "closesAt": "17:00" })).collect();
    json!({ "timeZone": zone, "periods": periods, "holidays": holidays })
}

async fn business_hours_are_set_shown_and_removed(app: &TestApp) {
    let site = app.site().create().await;

    let shown = set(&site.owner(), weekdays("Europe/Berlin", &["2026-12-25"])).await;
    let hours = &shown["site"]["businessHours"];
    assert_eq!(hours["timeZone"], "Europe/Berlin");
    assert_eq!(hours["holidays"], json!(["2026-12-25"]));
    assert_eq!(hours["periods"][0], json!({ "day": "MONDAY", "opensAt": "09:00", "closesAt": "17:00" }));
    assert_eq!((&hours["isOpen"], &hours["nextOpeningAt"]), (&json!(false), &json!("2026-03-16T08:00:00.000Z")));
    let changed = set(
        &site.owner(),
        json!({ "timeZone": "UTC", "periods": [{ "day": "SUNDAY", "opensAt": "00:00", "closesAt": "24:00" }] }),
    )
    .await;
    assert_eq!(changed["site"]["businessHours"]["isOpen"], true);
    assert_eq!(changed["site"]["businessHours"]["periods"][0]["closesAt"], "24:00");
    let removed = set(&site.owner(), Value::Null).await;
    assert_eq!(removed["site"]["businessHours"], Value::Null);
}

async fn invalid_business_hours_are_refused(app: &TestApp) {
    let site = app.site().create().await;
    let one = |opens: &str, closes: &str| json!([{ "day": "MONDAY", "opensAt": opens, "closesAt": closes }]);

    for (hours, field) in [
        (json!({ "timeZone": "Berlin", "periods": [] }), "timeZone"),
        (json!({ "timeZone": "UTC", "periods": one("17:00", "09:00") }), "periods"),
        (json!({ "timeZone": "UTC", "periods": one("9", "17:00") }), "periods"),
        (json!({ "timeZone": "UTC", "periods": [], "holidays": ["Christmas"] }), "holidays"),
    ] {
        let refused = set(&site.owner(), hours.clone()).await;
        assert_eq!(refused["userErrors"], json!([{ "code": "BAD_USER_INPUT", "field": ["input", field] }]), "{hours}");
    }
}

async fn a_visitor_learns_when_somebody_is_there(app: &TestApp) {
    let site = app.site().create().await;
    let nothing = json!({ "isTeamHere": false, "isOpen": null, "opensAt": null, "typicalMinutes": null });
    assert_eq!(expected(&site.visitor()).await, nothing);

    set(&site.owner(), weekdays("America/New_York", &["2026-03-16"])).await;
    let closed = expected(&site.visitor()).await;
    // Monday is a holiday. 09:00 in New York is 13:00 UTC in summer.
    assert_eq!((&closed["isOpen"], &closed["opensAt"]), (&json!(false), &json!("2026-03-17T13:00:00.000Z")));
    app.pass(Duration::from_secs(50 * 3600));
    let open = expected(&site.visitor()).await;
    assert_eq!((&open["isOpen"], &open["opensAt"]), (&json!(true), &Value::Null));
}

async fn the_team_is_here_only_while_a_member_is_connected(app: &TestApp) {
    const EVENTS: &str = "subscription { conversationEvents { type } }";
    let (site, other) = (app.site().create().await, app.site().create().await);
    let added =
        members::add(app.services(), app.operator(), Some(site.id), "Ann", "ann@example.com", Role::Agent).await;
    let ann = app.client(&added.expect("a member").1);
    let is_here = async || expected(&site.visitor()).await["isTeamHere"] == true;

    // A program with a secret key is connected day and night.
    let mut program = site.owner().socket().await;
    program.subscribe(EVENTS, json!({})).await;
    let mut socket = ann.socket().await;
    socket.subscribe(EVENTS, json!({})).await;
    wait_for("the member", async || is_here().await.then_some(())).await;
    assert_eq!(expected(&other.visitor()).await["isTeamHere"], false);
    drop(socket);
    wait_for("the end of the visit", async || (!is_here().await).then_some(())).await;
}

async fn the_typical_time_is_the_median_of_first_replies(app: &TestApp) {
    const REQUEST: &str = "mutation { requestHandoff(input: {}) { conversation { id } } }";
    const SEND: &str = "mutation ($id: ID!) { m: sendMessage(input: { conversationId: $id, text: \"Hello\" }) { userErrors { code } } }";
    let site = app.site().create().await;

    for minutes in [1, 2, 3, 4, 600] {
        assert_eq!(expected(&site.visitor()).await["typicalMinutes"], Value::Null, "{minutes}");
        let requested = site.visitor().graphql(REQUEST, json!({})).await.ok();
        let id = &requested["requestHandoff"]["conversation"]["id"];
        app.pass(Duration::from_secs(minutes * 60));
        for _ in 0..2 {
            site.owner().graphql(SEND, json!({ "id": id })).await.ok();
        }
    }

    assert_eq!(expected(&site.visitor()).await["typicalMinutes"], 3);
}
