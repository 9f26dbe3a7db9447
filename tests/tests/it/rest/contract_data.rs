//! Tests of the decisions of the REST contract about stored data: lists, analytics, sources, webhooks and configuration.
//! Decisions about questions are in `contract`.

use std::time::Duration;

use futures_util::future::join_all;
use helpbot_domain::plan::Plan;
use helpbot_services::accounts::sites::{self, SitePatch};
use helpbot_tests::{Page, Pages, TestApp, TestSite, on_both_backends, wait_for};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::rest::{UNKNOWN_QUESTION, asked, is_time};

on_both_backends!(
    decision_16_pages_are_numbered_and_never_an_error,
    decision_17_filters_sorts_and_searches_are_forgiving_and_combine,
    decision_19_each_day_of_the_range_is_there_in_order,
    decision_20_rates_are_whole_percents_and_credits_never_null,
    decision_22_a_source_has_nine_fields_and_a_file_its_stored_name,
    decision_23_an_address_is_normalised_and_the_inside_is_refused,
    decision_25_an_id_to_delete_is_missing_unknown_or_gone,
    decision_26_a_webhook_shows_its_secret_once_and_a_site_has_five,
    decision_27_a_patch_of_the_configuration_is_all_or_nothing,
    decision_28_the_configuration_is_whole_and_may_be_kept_a_minute,
    decision_34_a_request_with_an_idempotency_key_has_one_effect,
    decision_35_the_document_and_its_page_are_served_to_everybody,
);

const DAY: Duration = Duration::from_secs(86_400);

async fn ids(site: &TestSite<'_>, query: &str) -> Vec<String> {
    let body = site.owner().get(&format!("/api/v1/conversations?{query}")).await.ok();
    let list = body["conversations"].as_array().expect("a list");
    assert_eq!(body["totalDocs"], list.len(), "all fit on one page: {query}");
    list.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

async fn decision_16_pages_are_numbered_and_never_an_error(app: &TestApp) {
    let site = app.site().create().await;
    for _ in 0..3 {
        asked(&site).await;
    }

    for (query, found) in [
        ("", json!([3, 1, 1, 10, 3])),
        ("limit=0", json!([3, 1, 3, 1, 1])),
        ("limit=-7", json!([3, 1, 3, 1, 1])),
        ("limit=1000", json!([3, 1, 1, 100, 3])),
        ("limit=two&page=none", json!([3, 1, 1, 10, 3])),
        ("limit=2&page=0", json!([3, 1, 2, 2, 2])),
        ("limit=2&page=2", json!([3, 2, 2, 2, 1])),
        ("limit=2&page=77", json!([3, 77, 2, 2, 0])),
        ("search=nothing+like+it", json!([0, 1, 1, 10, 0])),
    ] {
        let reply = site.owner().get(&format!("/api/v1/conversations?{query}")).await;
        let body = reply.json();
        let length = body["conversations"].as_array().map(Vec::len);
        let said = json!([body["totalDocs"], body["page"], body["totalPages"], body["limit"], length]);
        assert_eq!((reply.status, said), (StatusCode::OK, found), "{query}");
        assert_eq!(body.as_object().map(serde_json::Map::len), Some(5), "no further fields: {body}");
    }
}

async fn decision_17_filters_sorts_and_searches_are_forgiving_and_combine(app: &TestApp) {
    let site = app.site().create().await;
    let ask = async |question: &str| {
        let body = site.visitor().post("/api/v1/chat", &json!({ "question": question })).await.ok();
        app.pass(Duration::from_millis(1));
        body["conversationId"].as_str().expect("an id").to_owned()
    };
    let (a, b) = (ask("Is 50%_off ÜBERALL a thing?").await, ask("What of 50 pence offers?").await);
    site.visitor().post("/api/v1/feedback", &json!({"conversationId": a, "helpful": "no"})).await.ok();

    let newest = [b.clone(), a.clone()];
    let oldest = [a.clone(), b.clone()];
    for sort in ["", "sort=-createdAt", "sort=newest", "sort=desc", "sort=nonsense"] {
        assert_eq!(ids(&site, sort).await, newest, "{sort}");
    }
    for sort in ["sort=createdAt", "sort=oldest", "sort=asc", "sort=-updatedAt"] {
        assert_eq!(ids(&site, sort).await, oldest, "{sort}");
    }
    assert_eq!(ids(&site, "sort=updatedAt").await, newest);
    // Wildcards are characters, case does not matter, 200 characters count.
    assert_eq!(ids(&site, "search=50%25_off").await, std::slice::from_ref(&a));
    assert_eq!(ids(&site, "search=überall").await, std::slice::from_ref(&a));
    assert_eq!(ids(&site, "search=50%25").await, std::slice::from_ref(&a));
    assert_eq!(ids(&site, &format!("search=50+pence{}", "+".repeat(300))).await, std::slice::from_ref(&b));
    assert_eq!(ids(&site, "search=50&filter=UNHELPFUL&range=7d").await, std::slice::from_ref(&a));
    assert_eq!(ids(&site, "search=pence&filter=unhelpful").await, [""; 0]);
    assert_eq!(ids(&site, "filter=nonsense").await, newest);
}

async fn decision_19_each_day_of_the_range_is_there_in_order(app: &TestApp) {
    let site = app.site().create().await;
    asked(&site).await;
    app.pass(DAY);

    let body = site.owner().get("/api/v1/analytics/activity?range=7d").await.ok();

    let days = body["activity"].as_array().expect("days");
    let dates: Vec<&str> = days.iter().map(|day| day["date"].as_str().expect("a date")).collect();
    assert!(dates.is_sorted() && dates.len() == 7, "{dates:?}");
    assert_eq!((dates[0], dates[6]), ("2026-03-10", "2026-03-16"));
    let counts: Vec<&Value> = days.iter().map(|day| &day["count"]).collect();
    assert_eq!(counts, [&json!(0), &json!(0), &json!(0), &json!(0), &json!(0), &json!(1), &json!(0)]);
}

async fn decision_20_rates_are_whole_percents_and_credits_never_null(app: &TestApp) {
    let site = app.site().create().await;
    let overview = async || site.owner().get("/api/v1/analytics/overview?range=all").await.ok();
    assert_eq!(overview().await["weekOverWeekChange"], 0, "nothing in both weeks");
    asked(&site).await;
    assert_eq!(overview().await["weekOverWeekChange"], 100, "something after nothing");
    app.pass(DAY * 7);
    let mut questions = Vec::new();
    for _ in 0..3 {
        questions.push(asked(&site).await);
    }
    for (id, vote) in questions.iter().zip(["yes", "no", "no"]) {
        site.visitor().post("/api/v1/feedback", &json!({"conversationId": id, "helpful": vote})).await.ok();
    }

    let told = overview().await;

    let rates = json!([told["satisfactionRate"], told["handoffRate"], told["weekOverWeekChange"]]);
    assert_eq!(rates, json!([33, 0, 200]));
    let credits = &told["credits"];
    assert_eq!(json!([credits["used"], credits["limit"], credits["remaining"]]), json!([4, i32::MAX, i32::MAX - 4]));
    assert_eq!(credits["resetAt"], "2026-04-01T00:00:00.000Z");
    for vote in ["yes", "no"] {
        site.visitor().post("/api/v1/feedback", &json!({"conversationId": questions[1], "helpful": vote})).await.ok();
    }
    let small = app.site().create().await;
    let (one, two) = (asked(&small).await, asked(&small).await);
    small.visitor().post("/api/v1/feedback", &json!({"conversationId": one, "helpful": "yes"})).await.ok();
    small.visitor().post("/api/v1/feedback", &json!({"conversationId": two, "helpful": "no"})).await.ok();
    let halves = small.owner().get("/api/v1/analytics/overview").await.ok();
    assert_eq!(halves["satisfactionRate"], 50);
}

async fn decision_22_a_source_has_nine_fields_and_a_file_its_stored_name(app: &TestApp) {
    let site = app.site().create().await;
    let text = "# Returns\n\n## How long may I return a parcel?\n\nParcels may be returned within thirty days.\n";
    let add = helpbot_services::sources::add_file;
    add(app.services(), app.operator(), Some(site.id), "returns policy.md", text.into()).await.expect("a file");
    let source = wait_for("the file's reading", async || {
        let source = site.owner().get("/api/v1/sources").await.ok()["sources"][0].clone();
        (source["status"] == "indexed").then_some(source)
    })
    .await;

    let fields: Vec<&String> = source.as_object().expect("an object").keys().collect();
    assert_eq!(
        fields,
        ["createdAt", "documentCount", "error", "id", "lastScrapedAt", "status", "type", "updatedAt", "url"]
    );
    assert_eq!(json!([source["url"], source["type"], source["error"]]), json!(["returns policy.md", "file", null]));
    for field in ["createdAt", "updatedAt", "lastScrapedAt"] {
        assert!(source[field].as_str().is_some_and(is_time), "{field}");
    }
    // The sources of an answer contain the file name and not the title.
    let question = json!({"question": "How long may I return a parcel?"});
    let answer = site.visitor().post("/api/v1/chat", &question).await.ok();
    assert_eq!(answer["sources"], json!(["returns policy.md"]), "{answer}");
    let stored = site.owner().get("/api/v1/conversations").await.ok();
    assert_eq!(stored["conversations"][0]["sources"], json!(["returns policy.md"]));
}

async fn decision_23_an_address_is_normalised_and_the_inside_is_refused(app: &TestApp) {
    let site = app.site().create().await;
    let pages =
        Pages::of([("/faq", Page::html("<h1>FAQ</h1><h2>Open?</h2><p>From nine to five, each day.</p>"))]).await;
    let add = async |url: &str| site.owner().post("/api/v1/sources", &json!({ "url": url })).await;
    let url = pages.url("/faq").to_string();

    let first = add(&url).await.ok();
    for same in [format!("{url}#hours"), format!("  {url}  "), url.replacen("http", "HTTP", 1)] {
        let again = add(&same).await;
        assert_eq!((again.status, &again.json()["source"]["id"]), (StatusCode::OK, &first["source"]["id"]), "{same}");
    }
    for refused in [
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://ann:pw@example.com/",
        "http://10.1.2.3/",
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://localhost/",
        "http://0x7f.2/",
        &format!("https://example.com/{}", "a".repeat(2048)),
    ] {
        assert_eq!(add(refused).await.status, StatusCode::BAD_REQUEST, "{refused}");
    }
    assert_eq!(site.owner().get("/api/v1/sources").await.ok()["sources"].as_array().map(Vec::len), Some(1));
}

async fn decision_25_an_id_to_delete_is_missing_unknown_or_gone(app: &TestApp) {
    let site = app.site().create().await;
    let source = site.owner().post("/api/v1/sources", &json!({"url": "http://127.0.0.1:9/"})).await.ok();
    let hook = json!({"url": "https://example.com/", "events": ["conversation.created"]});
    let webhook = site.owner().post("/api/v1/webhooks", &hook).await.ok();

    for (path, id) in [("sources", &source["source"]["id"]), ("webhooks", &webhook["webhook"]["id"])] {
        let id = id.as_str().expect("an id");
        let other_kind = format!("conv_{}", id.split_once('_').expect("a kind").1);
        for (query, status) in [
            (String::new(), 400),
            ("?id=".into(), 400),
            ("?id=%20".into(), 400),
            ("?id=1".into(), 404),
            (format!("?id={other_kind}"), 404),
            (format!("?id={id}"), 200),
            (format!("?id={id}"), 404),
        ] {
            let reply = site.owner().delete(&format!("/api/v1/{path}{query}")).await;
            assert_eq!(reply.status.as_u16(), status, "{path}{query}");
        }
    }
}

async fn decision_26_a_webhook_shows_its_secret_once_and_a_site_has_five(app: &TestApp) {
    let site = app.site().create().await;
    let create = async |url: &str, events: Value| {
        site.owner().post("/api/v1/webhooks", &json!({ "url": url, "events": events })).await
    };
    let events = json!(["conversation.created", "conversation.created", "conversation.unanswered"]);

    let made = create("https://example.com/", events).await.ok()["webhook"].clone();
    let secret = made["secret"].as_str().expect("a secret");
    let listed = site.owner().get("/api/v1/webhooks").await.ok()["webhooks"][0].clone();

    assert_eq!((secret.len(), &made["events"]), (50, &json!(["conversation.created", "conversation.unanswered"])));
    assert_eq!(listed["secret"], format!("****{}", &secret[46..]));
    let same = |one: &Value| json!([one["id"], one["url"], one["events"], one["enabled"], one["createdAt"]]);
    assert_eq!(same(&listed), same(&made));
    for (url, events) in [
        ("http://example.com/", json!(["conversation.created"])),
        ("https://example.com/", json!([])),
        ("https://example.com/", json!(["conversation.closed"])),
    ] {
        assert_eq!(create(url, events).await.status, StatusCode::BAD_REQUEST, "{url}");
    }
    let many = join_all((0..9).map(|_| create("https://example.com/", json!(["conversation.handoff"])))).await;
    assert_eq!(many.iter().filter(|reply| reply.status == StatusCode::OK).count(), 4);
    let refused = many.iter().find(|reply| reply.status != StatusCode::OK).expect("one");
    assert_eq!((refused.status, &refused.json()["code"]), (StatusCode::FORBIDDEN, &json!("LIMIT_REACHED")));
}

async fn decision_27_a_patch_of_the_configuration_is_all_or_nothing(app: &TestApp) {
    let site = app.site().create().await;
    let patch = async |body: Value| site.owner().patch("/api/v1/config", &body).await;
    let before = site.owner().get("/api/v1/config").await.ok();

    for (field, value) in [
        ("primaryColor", json!("#12345")),
        ("primaryColor", json!("red")),
        ("backgroundColor", json!("rgb(1,2,3);x")),
        ("foregroundColor", json!(format!("rgb({})", "1".repeat(64)))),
        ("greeting", json!("x".repeat(501))),
        ("botName", json!("")),
        ("botName", json!("x".repeat(81))),
        ("position", json!("middle")),
        ("showBranding", json!("no")),
    ] {
        let refused = patch(json!({"errorText": "Oh.", field: value})).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{field} {value}");
    }
    assert_eq!(site.owner().get("/api/v1/config").await.ok(), before);
    let good = json!({
        "networkErrorText": "", "botName": "ü".repeat(80), "primaryColor": "#abcd", "secondaryColor": "oklch(0.7 0.1 200)",
    });
    let done = patch(good).await.ok();
    assert_eq!(done["updated"], json!(["primaryColor", "secondaryColor", "botName", "networkErrorText"]));
    let growth = app.site().plan(Plan::Growth).create().await;
    let refused = growth.owner().patch("/api/v1/config", &json!({"showBranding": false, "botName": "Ada"})).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(growth.owner().get("/api/v1/config").await.ok()["botName"], "HelpBot");
}

async fn decision_28_the_configuration_is_whole_and_may_be_kept_a_minute(app: &TestApp) {
    let site = app.site().create().await;
    site.owner().patch("/api/v1/config", &json!({"showBranding": false})).await.ok();

    let reply = site.visitor().get("/api/v1/config").await;
    let downgrade = SitePatch { plan: Some(Plan::Growth), ..SitePatch::default() };
    sites::update(app.services(), app.operator(), site.id, downgrade).await.expect("a downgrade");
    let downgraded = site.visitor().get("/api/v1/config").await;

    assert_eq!(reply.json().as_object().map(serde_json::Map::len), Some(23));
    assert_eq!(reply.header("cache-control"), Some("private, max-age=60"));
    assert!(reply.header("etag").is_some_and(|tag| tag.starts_with('"')), "a strong tag");
    assert_ne!(reply.header("etag"), downgraded.header("etag"));
    assert_eq!(json!([reply.json()["showBranding"], downgraded.json()["showBranding"]]), json!([false, true]));
    for path in ["/api/v1/sources", "/api/v1/conversations", "/api/v1/webhooks", "/api/v1/nothing"] {
        assert_eq!(site.owner().get(path).await.header("cache-control"), Some("no-store"), "{path}");
    }
    let chat = site.visitor().post("/api/v1/chat", &json!({"question": UNKNOWN_QUESTION})).await;
    assert_eq!(chat.header("cache-control"), Some("no-store"));
}

async fn decision_34_a_request_with_an_idempotency_key_has_one_effect(app: &TestApp) {
    let site = app.site().credits(5).create().await;
    let named = async |path: &str, body: Value| {
        let request = site.owner().request(Method::POST, path).header("idempotency-key", "once");
        site.owner().send(request.body(body.to_string())).await
    };
    let hook = |url: &str| json!({"url": url, "events": ["conversation.created"]});

    let first = named("/api/v1/webhooks", hook("https://example.com/a")).await;
    let again = named("/api/v1/webhooks", hook("https://example.com/a")).await;
    let other = named("/api/v1/webhooks", hook("https://example.com/b")).await;

    assert_eq!((first.status, again.status, again.json()), (StatusCode::OK, StatusCode::OK, first.json()));
    assert_eq!((other.status, &other.json()["code"]), (StatusCode::CONFLICT, &json!("IDEMPOTENCY_MISMATCH")));
    assert_eq!(site.owner().get("/api/v1/webhooks").await.ok()["webhooks"].as_array().map(Vec::len), Some(1));
    app.pass(DAY + Duration::from_secs(1));
    assert_eq!(named("/api/v1/webhooks", hook("https://example.com/b")).await.status, StatusCode::OK, "a day later");
}

async fn decision_35_the_document_and_its_page_are_served_to_everybody(app: &TestApp) {
    let document = app.anonymous().get("/api/openapi.json").await;

    assert_eq!(document.ok()["openapi"], "3.1.0");
    assert_eq!(app.anonymous().get("/openapi.json").await.bytes, document.bytes);
    assert_eq!(document.ok()["paths"].as_object().map(serde_json::Map::len), Some(10));
    let page = app.anonymous().send(app.anonymous().request(Method::GET, "/docs")).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
}
