//! Tests of the mutations that change members, API keys and entries: an absent field stays, null clears it, and a change
//! applies at once.

use helpbot_domain::key::KeyKind;
use helpbot_tests::{TestApp, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_member_gets_another_name_address_and_role,
    a_key_gets_another_name_other_origins_and_another_expiry,
    an_entry_gets_other_phrasings_and_another_address,
);

const UPDATE_MEMBER: &str = "mutation ($input: UpdateMemberInput!) {
    updateMember(input: $input) { member { name email role } userErrors { code field } }
}";
const UPDATE_KEY: &str = "mutation ($input: UpdateApiKeyInput!) {
    updateApiKey(input: $input) { apiKey { name origins expiresAt } userErrors { code field } }
}";
const UPDATE_ENTRY: &str = "mutation ($input: UpdateFaqEntryInput!) {
    updateFaqEntry(input: $input) { entry { question answer phrasings url } userErrors { code field } }
}";

async fn a_member_gets_another_name_address_and_role(app: &TestApp) {
    const ADD: &str = "mutation ($name: String!, $email: String!) {
        addMember(input: { name: $name, email: $email, role: AGENT }) { member { id } secret }
    }";
    const SITE_KEYS: &str = "{ site { apiKeys { nodes { id } } } }";
    let site = app.site().create().await;
    let owner = site.owner();
    let added = owner.graphql(ADD, json!({ "name": "Ann", "email": "ann@example.com" })).await.ok();
    owner.graphql(ADD, json!({ "name": "Bob", "email": "bob@example.com" })).await.ok();
    let id = &added["addMember"]["member"]["id"];
    let ann = app.client(added["addMember"]["secret"].as_str().expect("a key"));
    assert_eq!(ann.graphql(SITE_KEYS, json!({})).await.codes(), ["FORBIDDEN"]);
    let update = async |input: Value| owner.graphql(UPDATE_MEMBER, json!({ "input": input })).await.ok();

    let renamed = update(json!({ "id": id, "name": "Anna", "role": null })).await;
    let taken = update(json!({ "id": id, "email": "bob@example.com" })).await;
    let unknown = update(json!({ "id": "member_01h455vb4pex5vsknk084sn02q", "name": "Nobody" })).await;
    let promoted = update(json!({ "id": id, "role": "ADMIN", "email": "anna@example.com" })).await;

    let named = |role: &str, email: &str| json!({ "name": "Anna", "email": email, "role": role });
    assert_eq!(renamed["updateMember"]["member"], named("AGENT", "ann@example.com"));
    let refused = json!([{ "code": "BAD_USER_INPUT", "field": ["input", "email"] }]);
    assert_eq!(taken["updateMember"]["userErrors"], refused);
    assert_eq!(unknown["updateMember"]["userErrors"][0]["code"], "NOT_FOUND");
    assert_eq!(promoted["updateMember"]["member"], named("ADMIN", "anna@example.com"));
    assert!(ann.graphql(SITE_KEYS, json!({})).await.ok()["site"]["apiKeys"]["nodes"].is_array());
}

async fn a_key_gets_another_name_other_origins_and_another_expiry(app: &TestApp) {
    let site = app.site().create().await;
    let (id, text) = site.key(KeyKind::Widget).create().await;
    let update = async |input: Value| site.owner().graphql(UPDATE_KEY, json!({ "input": input })).await.ok();
    let asked = async |origin: &str| {
        let request = app.client(&text).request(reqwest::Method::GET, "/api/v1/config").header("origin", origin);
        app.client(&text).send(request).await.status.as_u16()
    };
    assert_eq!(asked("https://other.example").await, 200);

    let bound = update(json!({ "id": id, "origins": ["https://Shop.example/"], "name": "Shop" })).await;
    let expiring = update(json!({ "id": id, "expiresAt": "2099-01-01T00:00:00Z" })).await;
    let endless = update(json!({ "id": id, "expiresAt": null })).await;
    let past = update(json!({ "id": id, "expiresAt": "2001-01-01T00:00:00Z" })).await;

    let key = |at: Value| json!({ "name": "Shop", "origins": ["https://shop.example"], "expiresAt": at });
    assert_eq!(bound["updateApiKey"]["apiKey"], key(Value::Null));
    assert_eq!(expiring["updateApiKey"]["apiKey"], key(json!("2099-01-01T00:00:00.000Z")));
    assert_eq!(endless["updateApiKey"]["apiKey"], key(Value::Null));
    assert_eq!(past["updateApiKey"]["userErrors"][0]["field"], json!(["input", "expiresAt"]));
    assert_eq!((asked("https://other.example").await, asked("https://shop.example").await), (401, 200));
    let revoke = "mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { userErrors { code } } }";
    site.owner().graphql(revoke, json!({ "id": id })).await.ok();
    assert_eq!(update(json!({ "id": id, "name": "" })).await["updateApiKey"]["userErrors"][0]["code"], "CONFLICT");
}

async fn an_entry_gets_other_phrasings_and_another_address(app: &TestApp) {
    const ADD: &str = "mutation { addFaqEntry(input: { question: \"When are you open?\", answer: \"From 8 to 11.\",
        phrasings: [\"Opening hours?\", \"Open today?\"], url: \"https://shop.example/hours\" }) { entry { id } } }";
    let site = app.site().create().await;
    let id = site.owner().graphql(ADD, json!({})).await.ok()["addFaqEntry"]["entry"]["id"].take();
    let update = async |input: Value| site.owner().graphql(UPDATE_ENTRY, json!({ "input": input })).await.ok();

    let fewer = update(json!({ "id": id, "phrasings": ["Hours on Sundays?"] })).await;
    let cleared = update(json!({ "id": id, "url": null, "answer": "From 8 to 12." })).await;
    let invalid = update(json!({ "id": id, "url": "javascript:alert(1)" })).await;

    let entry = |answer: &str, url: Value| json!({ "question": "When are you open?", "answer": answer, "phrasings": ["Hours on Sundays?"], "url": url });
    assert_eq!(fewer["updateFaqEntry"]["entry"], entry("From 8 to 11.", json!("https://shop.example/hours")));
    assert_eq!(cleared["updateFaqEntry"]["entry"], entry("From 8 to 12.", Value::Null));
    assert_eq!(invalid["updateFaqEntry"]["userErrors"][0]["field"], json!(["input", "url"]));
}
