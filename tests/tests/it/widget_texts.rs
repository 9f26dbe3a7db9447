//! Tests of the texts of the widget in further languages through the public interfaces, on both databases.

use helpbot_tests::{TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    a_visitor_gets_the_texts_of_the_language_and_old_widgets_get_those_of_the_default_language,
    absent_texts_stay_null_removes_them_and_deleting_removes_all,
    invalid_texts_change_nothing_and_languages_are_limited,
    a_cached_configuration_belongs_to_its_language_and_changes_with_its_texts,
);

const SET: &str = "mutation ($input: SetWidgetTextsInput!) { m: setWidgetTexts(input: $input) {
    texts { language greeting botName handoffText starterQuestions fallback { greeting handoffText } } userErrors { code field }
} }";
const DELETE: &str = "mutation ($language: String!) { m: deleteWidgetTexts(input: { language: $language }) {
    deletedLanguage userErrors { code field }
} }";
const LIST: &str = "query ($languages: [String!]) { site { widgetTexts(languages: $languages) { language greeting fallback { greeting } } } }";
const SHOWN: &str =
    "query ($language: String) { site { widget(language: $language) { greeting handoffText starterQuestions } } }";

async fn run(site: &TestSite<'_>, document: &str, variables: Value) -> Value {
    site.owner().graphql(document, variables).await.ok()["m"].take()
}

async fn set(site: &TestSite<'_>, input: Value) -> Value {
    let set = run(site, SET, json!({ "input": input })).await;
    assert_eq!(set["userErrors"], json!([]), "{set}");
    set["texts"].clone()
}

/// The greeting that a visitor of a language gets over GraphQL, which must be that of REST.
async fn greeting(site: &TestSite<'_>, language: &str) -> String {
    let over_graphql = site.visitor().graphql(SHOWN, json!({ "language": language })).await.ok();
    let over_rest = site.visitor().get(&format!("/api/v1/config?language={language}")).await.ok();
    let shown = &over_graphql["site"]["widget"]["greeting"];
    assert_eq!(shown, &over_rest["greeting"], "{language}");
    shown.as_str().expect("a greeting").to_owned()
}

async fn a_visitor_gets_the_texts_of_the_language_and_old_widgets_get_those_of_the_default_language(app: &TestApp) {
    let site = app.site().create().await;
    let before = site.visitor().get("/api/v1/config").await.ok();

    set(&site, json!({ "language": "DE", "greeting": "Moin!", "starterQuestions": ["Liefert ihr nach Oslo?"] })).await;
    set(&site, json!({ "language": "pt_br", "greeting": "Oi!" })).await;

    for (language, expected) in [
        ("de", "Moin!"),
        ("de-AT", "Moin!"),
        ("pt-BR", "Oi!"),
        ("pt", "Olá! Como posso ajudar?"),
        ("pl", "Hi! How can I help you?"),
        ("not%20a%20tag", "Hi! How can I help you?"),
    ] {
        assert_eq!(greeting(&site, language).await, expected, "{language}");
    }
    let german = site.visitor().graphql(SHOWN, json!({ "language": "de" })).await.ok()["site"]["widget"].take();
    assert_eq!(german["starterQuestions"], json!(["Liefert ihr nach Oslo?"]));
    assert_eq!(german["handoffText"], "Mit einem Menschen sprechen");
    let config = json!({ "handoffText": "Call Ada" });
    site.owner().patch("/api/v1/config", &config).await.ok();
    let german = site.visitor().graphql(SHOWN, json!({ "language": "de" })).await.ok()["site"]["widget"].take();
    assert_eq!(
        german["handoffText"], "Call Ada",
        "an own text of the default language counts more than a built-in one"
    );

    let mut after = site.visitor().get("/api/v1/config").await.ok();
    assert_eq!(after["handoffText"], "Call Ada");
    after["handoffText"] = before["handoffText"].clone();
    assert_eq!(after, before, "REST without a language is as before");
    assert_eq!(after.as_object().map(serde_json::Map::len), Some(23));
    site.owner().patch("/api/v1/config", &json!({ "aiLanguage": "de" })).await.ok();
    assert_eq!(greeting(&site, "fr").await, "Moin!", "a language that the owner has chosen counts more");
}

async fn absent_texts_stay_null_removes_them_and_deleting_removes_all(app: &TestApp) {
    let site = app.site().create().await;
    set(&site, json!({ "language": "de", "greeting": "Moin!", "handoffText": "Hilfe", "starterQuestions": ["Wann?"] }))
        .await;

    let changed = set(&site, json!({ "language": "de", "botName": "Ada" })).await;
    assert_eq!((&changed["greeting"], &changed["botName"]), (&json!("Moin!"), &json!("Ada")));
    let removed = set(&site, json!({ "language": "de", "greeting": null, "starterQuestions": null })).await;
    assert_eq!((&removed["greeting"], &removed["starterQuestions"]), (&Value::Null, &Value::Null));
    assert_eq!(removed["fallback"]["greeting"], "Hallo! Wie kann ich Ihnen helfen?");
    assert_eq!(greeting(&site, "de").await, "Hallo! Wie kann ich Ihnen helfen?");
    set(&site, json!({ "language": "de", "greeting": "" })).await;
    assert_eq!(greeting(&site, "de").await, "", "an empty text is a text");

    let listed = site.owner().graphql(LIST, json!({ "languages": ["fr", "DE", "de", "not a tag"] })).await.ok();
    let listed = listed["site"]["widgetTexts"].as_array().expect("a list").clone();
    assert_eq!(listed.iter().map(|texts| texts["language"].clone()).collect::<Vec<_>>(), ["de", "fr"]);
    assert_eq!(listed[1]["greeting"], Value::Null);
    assert_eq!(run(&site, DELETE, json!({ "language": "DE" })).await["deletedLanguage"], "de");
    let again = run(&site, DELETE, json!({ "language": "de" })).await;
    assert_eq!(again["userErrors"], json!([{ "code": "NOT_FOUND", "field": null }]));
    let listed = site.owner().graphql(LIST, json!({})).await.ok();
    assert_eq!(listed["site"]["widgetTexts"], json!([]));
}

async fn invalid_texts_change_nothing_and_languages_are_limited(app: &TestApp) {
    let site = app.site().create().await;
    set(&site, json!({ "language": "de", "greeting": "Moin!" })).await;

    for (input, fields) in [
        (json!({ "language": "german", "greeting": "Hi" }), vec!["language"]),
        (
            json!({ "language": "de", "greeting": "x".repeat(501), "botName": " ", "handoffText": "Hilfe" }),
            vec!["greeting", "botName"],
        ),
        (json!({ "language": "de", "starterQuestions": vec!["Hi?"; 7] }), vec!["starterQuestions"]),
    ] {
        let refused = run(&site, SET, json!({ "input": input })).await;
        let expected: Vec<Value> =
            fields.iter().map(|field| json!({ "code": "BAD_USER_INPUT", "field": ["input", field] })).collect();
        assert_eq!((&refused["texts"], &refused["userErrors"]), (&Value::Null, &json!(expected)));
    }
    assert_eq!(greeting(&site, "de").await, "Moin!");
    for number in 1..30 {
        set(&site, json!({ "language": format!("en-{number:03}"), "greeting": "Hi" })).await;
    }
    let refused = run(&site, SET, json!({ "input": { "language": "fr", "greeting": "Salut" } })).await;
    assert_eq!(refused["userErrors"], json!([{ "code": "LIMIT_REACHED", "field": null }]));
    set(&site, json!({ "language": "de", "greeting": "Servus!" })).await;
}

async fn a_cached_configuration_belongs_to_its_language_and_changes_with_its_texts(app: &TestApp) {
    let site = app.site().create().await;
    set(&site, json!({ "language": "de", "greeting": "Moin!" })).await;
    let tag = async |language: &str| {
        let reply = site.visitor().get(&format!("/api/v1/config?language={language}")).await;
        reply.header("etag").expect("an entity tag").to_owned()
    };

    let (german, french) = (tag("de").await, tag("fr").await);
    assert_ne!(german, french);
    assert_eq!(tag("de").await, german);
    let request = site.visitor();
    let request = request.request(reqwest::Method::GET, "/api/v1/config?language=de").header("if-none-match", &german);
    assert_eq!(site.visitor().send(request).await.status, 304);
    set(&site, json!({ "language": "de", "greeting": "Servus!" })).await;

    assert_ne!(tag("de").await, german);
    assert_eq!(tag("fr").await, french);
    assert_eq!(greeting(&site, "de").await, "Servus!");
}
