//! Tests of contacts: who may say who a visitor is, what the team sees, and that an erased contact leaves nothing.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_tests::{Client, TestApp, TestSite, identity, on_both_backends};
use serde_json::{Value, json};

use crate::visits::{REPORT, visitor};

on_both_backends!(
    a_signed_token_names_the_visitor_and_joins_the_sessions_of_a_person,
    a_token_that_proves_nothing_names_nobody,
    a_secret_is_replaced_without_a_moment_in_which_tokens_are_refused,
    a_session_always_belongs_to_one_person,
    contacts_are_searched_paged_and_hidden_from_visitors,
    of_eight_first_tokens_one_adds_the_contact,
    an_erased_contact_leaves_no_session_conversation_or_value,
    an_address_is_exported_and_erased_with_its_contact,
);

const IDENTIFY: &str = "mutation ($token: String!) {
    m: identifyVisitor(input: { token: $token }) { sessionId userErrors { code field message } }
}";
const CREATE: &str = "mutation { m: createIdentitySecret(input: {}) {
    secret identitySecret { id last4 } userErrors { code }
} }";
const CONTACT: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation { session { contact {
    id externalId name email attributes { name value } sessions { totalCount nodes { sessionId } }
} } } } }";

/// A secret of a site: its ID and its text.
pub(crate) async fn secret(site: &TestSite<'_>) -> (String, String) {
    let mut made = site.owner().graphql(CREATE, json!({})).await.ok()["m"].take();
    assert_eq!(made["userErrors"], json!([]));
    let text = made["secret"].take();
    let text = text.as_str().expect("a secret");
    assert!(made["identitySecret"]["last4"].as_str().is_some_and(|last| text.ends_with(last)), "{made}");
    (made["identitySecret"]["id"].as_str().expect("an ID").to_owned(), text.to_owned())
}

/// A token that names a person to a site.
pub(crate) fn token(app: &TestApp, site: &TestSite<'_>, secret: &str, more: &Value) -> String {
    let mut claims = json!({ "aud": site.id, "exp": app.now().as_ms() / 1000 + 60 });
    claims.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    identity::token(secret, identity::HEADER, &claims.to_string())
}

pub(crate) async fn identify(client: &Client, token: &str) -> Value {
    client.graphql(IDENTIFY, json!({ "token": token })).await.ok()["m"].take()
}

async fn contact(site: &TestSite<'_>, conversation: &Value) -> Value {
    let id = json!({ "id": conversation["id"] });
    site.owner().graphql(CONTACT, id).await.ok()["node"]["session"]["contact"].take()
}

fn code(payload: &Value) -> &str {
    payload["userErrors"][0]["code"].as_str().unwrap_or("none")
}

async fn a_signed_token_names_the_visitor_and_joins_the_sessions_of_a_person(app: &TestApp) {
    let site = app.site().create().await;
    let (id, key) = secret(&site).await;
    let (phone, first) = visitor(&site, "On the phone?").await;
    let (laptop, second) = visitor(&site, "On the laptop?").await;
    let all = json!({ "sub": 42, "name": " Ada  Lovelace ", "email": "ada@example.org",
        "attributes": { "plan": "gold", "seats": 3, "isTrial": false } });
    let by_name = format!(r#"{{"alg":"HS256","kid":"{id}"}}"#);

    let identified = identify(&phone, &token(app, &site, &key, &all)).await;
    let more = json!({ "sub": "42", "aud": [site.id, "another"], "exp": app.now().as_ms() / 1000 + 60, "email": null,
        "attributes": { "seats": null, "city": "Oslo" } });
    identify(&laptop, &identity::token(&key, &by_name, &more.to_string())).await;

    assert_eq!(identified, json!({ "sessionId": first["sessionId"], "userErrors": [] }));
    let shown = contact(&site, &first).await;
    assert_eq!(contact(&site, &second).await["id"], shown["id"]);
    assert_eq!(shown["externalId"], "42");
    assert_eq!((&shown["name"], &shown["email"]), (&json!("Ada Lovelace"), &Value::Null));
    let attributes = [("city", "Oslo"), ("isTrial", "false"), ("plan", "gold")];
    assert_eq!(shown["attributes"], json!(attributes.map(|(name, value)| json!({ "name": name, "value": value }))));
    let sessions = shown["sessions"]["nodes"].as_array().expect("a list");
    let mut sessions: Vec<_> = sessions.iter().map(|found| found["sessionId"].to_string()).collect();
    let mut expected = [first["sessionId"].to_string(), second["sessionId"].to_string()];
    sessions.sort();
    expected.sort();
    assert_eq!(sessions, expected);
}

async fn a_token_that_proves_nothing_names_nobody(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let ((id, key), (_, foreign)) = (secret(&site).await, secret(&other).await);
    let (ada, asked) = visitor(&site, "Who am I?").await;
    let ada_is = json!({ "sub": "ada" });
    let good = token(app, &site, &key, &ada_is);
    let claims = json!({ "sub": "ada", "aud": site.id, "exp": app.now().as_ms() / 1000 + 60 }).to_string();
    let with = |header: &str| identity::token(&key, header, &claims);
    let (unsigned, _) = good.rsplit_once('.').expect("three parts");

    for wrong in [
        "".to_owned(),
        "a.b.c".to_owned(),
        format!("{unsigned}."),
        unsigned.to_owned(),
        with(r#"{"alg":"none"}"#),
        with(r#"{"alg":"HS512"}"#),
        with(r#"{"alg":"RS256"}"#),
        with(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#),
        with(r#"{"alg":"HS256","kid":"idsec_01h455vb4pex5vsknk084sn02q"}"#),
        // The secret of another site, the ID of a secret as a secret, and the widget key.
        token(app, &site, &foreign, &ada_is),
        token(app, &site, &id, &ada_is),
        token(app, &other, &foreign, &ada_is),
        token(app, &other, &key, &ada_is),
        token(app, &site, &key, &json!({ "sub": "ada", "exp": app.now().as_ms() / 1000 - 61 })),
        token(app, &site, &key, &json!({ "sub": "ada", "exp": app.now().as_ms() / 1000 + 90_000 })),
        token(app, &site, &key, &json!({ "sub": "ada", "exp": null })),
        token(app, &site, &key, &json!({ "sub": "ada", "aud": null })),
        token(app, &site, &key, &json!({ "sub": "" })),
        token(app, &site, &key, &json!({ "sub": "ada", "attributes": { "a b": "x" } })),
        token(app, &site, &key, &json!({ "sub": "ada", "name": "x".repeat(300) })),
        "x".repeat(20_000),
    ] {
        let refused = identify(&ada, &wrong).await;
        assert_eq!((code(&refused), &refused["sessionId"]), ("BAD_USER_INPUT", &Value::Null), "{wrong}: {refused}");
        assert_eq!(refused["userErrors"][0]["field"], json!(["input", "token"]));
    }
    for stranger in [site.visitor(), site.owner()] {
        assert_eq!(code(&identify(&stranger, &good).await), "NOT_FOUND", "without a session token");
    }
    assert_eq!(contact(&site, &asked).await, Value::Null);
    app.pass(Duration::from_secs(119));
    assert_eq!(code(&identify(&ada, &good).await), "none", "clocks may differ by a minute");
    app.pass(Duration::from_secs(2));
    assert_eq!(code(&identify(&ada, &good).await), "BAD_USER_INPUT", "the token has expired");
}

async fn a_secret_is_replaced_without_a_moment_in_which_tokens_are_refused(app: &TestApp) {
    const DELETE: &str =
        "mutation ($id: ID!) { m: deleteIdentitySecret(input: { id: $id }) { deletedId userErrors { code } } }";
    let (site, other) = (app.site().create().await, app.site().create().await);
    let (ada, _) = visitor(&site, "Who am I?").await;
    let ((first_id, first), (second_id, second)) = (secret(&site).await, secret(&site).await);
    let by = async |key: &str| identify(&ada, &token(app, &site, key, &json!({ "sub": "ada" }))).await;
    let delete = async |client: Client, id: &str| client.graphql(DELETE, json!({ "id": id })).await.ok()["m"].take();

    let third = site.owner().graphql(CREATE, json!({})).await.ok()["m"].take();
    assert_eq!((code(&third), &third["secret"]), ("LIMIT_REACHED", &Value::Null));
    assert_eq!([code(&by(&first).await), code(&by(&second).await)], ["none", "none"]);
    assert_eq!(code(&delete(other.owner(), &first_id).await), "NOT_FOUND");
    assert_eq!(delete(site.owner(), &first_id).await, json!({ "deletedId": first_id, "userErrors": [] }));
    assert_eq!([code(&by(&first).await), code(&by(&second).await)], ["BAD_USER_INPUT", "none"]);

    let listed = "{ site { identitySecrets { id last4 } } }";
    let listed = site.owner().graphql(listed, json!({})).await.ok();
    let last4 = &second[second.len() - 4..];
    assert_eq!(listed["site"]["identitySecrets"], json!([{ "id": second_id, "last4": last4 }]));
}

async fn a_session_always_belongs_to_one_person(app: &TestApp) {
    let site = app.site().create().await;
    let (_, key) = secret(&site).await;
    let (client, asked) = visitor(&site, "Mine?").await;
    let person = |name: &str| token(app, &site, &key, &json!({ "sub": name, "name": name }));
    identify(&client, &person("ada")).await;

    let other = identify(&client, &person("ben")).await;
    let again = identify(&client, &person("ada")).await;

    assert_eq!((code(&other), &other["userErrors"][0]["field"]), ("CONFLICT", &Value::Null));
    assert_eq!(code(&again), "none");
    assert_eq!(contact(&site, &asked).await["name"], "ada");
    let count = site.owner().graphql("{ site { contacts { totalCount } } }", json!({})).await.ok();
    assert_eq!(count["site"]["contacts"]["totalCount"], 1, "a refused person is not added");
}

async fn contacts_are_searched_paged_and_hidden_from_visitors(app: &TestApp) {
    const LIST: &str = "query ($search: String, $first: Int, $after: String) {
        site { contacts(search: $search, first: $first, after: $after) { totalCount pageInfo { endCursor } nodes { id name } } }
    }";
    let (site, other) = (app.site().create().await, app.site().create().await);
    let (_, key) = secret(&site).await;
    let mut last = None;
    for name in ["Jürgen", "Ben", "Ann"] {
        let (client, _) = visitor(&site, "Hi?").await;
        let email = format!("{}@shop.example", name.to_lowercase().replace('ü', "u"));
        identify(&client, &token(app, &site, &key, &json!({ "sub": name, "name": name, "email": email }))).await;
        app.pass(Duration::from_secs(1));
        last = Some(client);
    }
    let list = async |variables: Value| site.owner().graphql(LIST, variables).await.ok()["site"]["contacts"].take();
    let names = |found: &Value| {
        let nodes = found["nodes"].as_array().expect("a list").clone();
        nodes.iter().map(|node| node["name"].as_str().unwrap_or("-").to_owned()).collect::<Vec<_>>()
    };

    for (search, expected) in [
        (Value::Null, vec!["Ann", "Ben", "Jürgen"]),
        (json!("  "), vec!["Ann", "Ben", "Jürgen"]),
        (json!("JÜRGEN"), vec!["Jürgen"]),
        (json!("@SHOP"), vec!["Ann", "Ben", "Jürgen"]),
        (json!("ben@"), vec!["Ben"]),
        (json!("%"), vec![]),
        (json!("\u{0}"), vec![]),
    ] {
        let found = list(json!({ "search": search })).await;
        assert_eq!(names(&found), expected, "{search}");
        assert_eq!(found["totalCount"], expected.len(), "{search}");
    }
    let first = list(json!({ "first": 1 })).await;
    let second = list(json!({ "first": 1, "after": first["pageInfo"]["endCursor"] })).await;
    assert_eq!((names(&first), names(&second)), (vec!["Ann".to_owned()], vec!["Ben".to_owned()]));
    let id = json!({ "id": first["nodes"][0]["id"] });
    let node = "query ($id: ID!) { node(id: $id) { ... on Contact { email } } }";
    for stranger in [last.expect("a visitor"), other.owner()] {
        assert_eq!(stranger.graphql(node, id.clone()).await.ok()["node"], Value::Null);
    }
    assert_eq!(app.operator_client().graphql(node, id).await.ok()["node"]["email"], "ann@shop.example");
}

async fn of_eight_first_tokens_one_adds_the_contact(app: &TestApp) {
    let site = app.site().create().await;
    let (_, key) = secret(&site).await;
    let mut clients = Vec::new();
    for _ in 0..8 {
        clients.push(visitor(&site, "Hi?").await.0);
    }
    let person = token(app, &site, &key, &json!({ "sub": "ada" }));

    let all = join_all(clients.iter().map(|client| identify(client, &person))).await;

    assert!(all.iter().all(|identified| code(identified) == "none"), "{all:?}");
    let found = "{ site { contacts { nodes { sessions { totalCount } } } } }";
    let found = site.owner().graphql(found, json!({})).await.ok();
    assert_eq!(found["site"]["contacts"]["nodes"], json!([{ "sessions": { "totalCount": 8 } }]));
}

async fn an_erased_contact_leaves_no_session_conversation_or_value(app: &TestApp) {
    const ERASE: &str = "mutation ($id: ID!) { m: eraseContact(input: { contactId: $id }) {
        erasedId erasedCount userErrors { code }
    } }";
    let (site, other) = (app.site().create().await, app.site().create().await);
    let (_, key) = secret(&site).await;
    let mut sessions = Vec::new();
    for question in ["One?", "Two?"] {
        let (client, asked) = visitor(&site, question).await;
        identify(&client, &token(app, &site, &key, &json!({ "sub": "ada", "name": "Ada" }))).await;
        sessions.push((client, asked));
    }
    let (stranger, kept) = visitor(&site, "Three?").await;
    identify(&stranger, &token(app, &site, &key, &json!({ "sub": "ben" }))).await;
    let id = contact(&site, &sessions[0].1).await["id"].take();
    let erase = async |client: Client| client.graphql(ERASE, json!({ "id": id })).await.ok()["m"].take();

    assert_eq!(code(&erase(other.owner()).await), "NOT_FOUND");
    let erased = erase(site.owner()).await;
    let again = erase(site.owner()).await;

    assert_eq!(erased, json!({ "erasedId": id, "erasedCount": 2, "userErrors": [] }));
    assert_eq!(code(&again), "NOT_FOUND");
    let left = "{ site { contacts { nodes { externalId } } sessions { nodes { sessionId } } conversations { nodes { id } } } }";
    let left = site.owner().graphql(left, json!({})).await.ok();
    assert_eq!(left["site"]["contacts"]["nodes"], json!([{ "externalId": "ben" }]));
    assert_eq!(left["site"]["sessions"]["nodes"], json!([{ "sessionId": kept["sessionId"] }]));
    assert_eq!(left["site"]["conversations"]["nodes"], json!([{ "id": kept["id"] }]));
    for (client, _) in &sessions {
        let ended = client.graphql(IDENTIFY, json!({ "token": "x" })).await;
        assert_eq!(ended.codes(), ["UNAUTHENTICATED"]);
    }
}

async fn an_address_is_exported_and_erased_with_its_contact(app: &TestApp) {
    let site = app.site().create().await;
    let (_, key) = secret(&site).await;
    for (name, question) in [("ada", "One?"), ("ada", "Two?"), ("ben", "Three?")] {
        let (client, _) = visitor(&site, question).await;
        let page = json!({ "visit": { "pageUrl": format!("https://shop.example/{name}") } });
        client.graphql(REPORT, page).await.ok();
        let claims = json!({ "sub": name, "email": format!("{name}@Example.org"), "attributes": { "plan": "gold" } });
        identify(&client, &token(app, &site, &key, &claims)).await;
    }

    let records = "{ site { visitorRecords(email: \"ada@example.org\") { nodes { kind body } } } }";
    let records = site.owner().graphql(records, json!({})).await.ok();
    let records = records["site"]["visitorRecords"]["nodes"].as_array().expect("a list").clone();
    let sessions: Vec<Value> = records
        .iter()
        .filter(|record| record["kind"] == "SESSION")
        .map(|record| serde_json::from_str(record["body"].as_str().expect("a text")).expect("JSON"))
        .collect();
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        assert_eq!(session["pageUrl"], "https://shop.example/ada");
        let person =
            json!({ "externalId": "ada", "name": null, "email": "ada@Example.org", "attributes": { "plan": "gold" } });
        assert_eq!(session["contact"], person);
    }

    let erase = "mutation { m: eraseVisitor(input: { email: \"ada@example.org\" }) {
        sessionCount conversationCount userErrors { code }
    } }";
    let erased = site.owner().graphql(erase, json!({})).await.ok();

    assert_eq!(erased["m"], json!({ "sessionCount": 2, "conversationCount": 2, "userErrors": [] }));
    let left = "{ site { contacts { nodes { externalId } } sessions { totalCount } } }";
    let left = site.owner().graphql(left, json!({})).await.ok();
    assert_eq!(left["site"]["contacts"]["nodes"], json!([{ "externalId": "ben" }]));
    assert_eq!(left["site"]["sessions"]["totalCount"], 1);
}
