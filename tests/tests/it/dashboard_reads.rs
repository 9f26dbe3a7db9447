//! Tests of what a dashboard reads at once: counts of conversations, filters of lists, and short lists as connections.

use std::time::Duration;

use helpbot_domain::key::Role;
use helpbot_services::accounts::members;
use helpbot_tests::{Client, Page, Pages, TestApp, TestSite, on_both_backends};
use serde_json::{Value, json};

on_both_backends!(
    one_field_counts_conversations_by_each_property,
    counts_equal_the_totals_of_the_filtered_lists,
    sources_pages_and_entries_are_filtered,
    short_lists_are_read_page_by_page,
    a_key_with_all_scopes_has_none_listed,
    a_message_names_the_member_who_wrote_it,
    no_event_has_a_type_of_an_empty_list,
);

const FAQ: &str = "<html lang=en><title>Bakery</title><h1>Bakery</h1>
    <h2>When are you open on Sundays?</h2><p>On Sundays we are open from 8 to 11 in the morning.</p>
    <p><a href=\"/missing\">More</a></p>";

async fn ask(site: &TestSite<'_>, question: &str) -> Value {
    let ask = "mutation ($question: String!) { askQuestion(input: { question: $question }) { conversation { id } } }";
    let asked = site.visitor().graphql(ask, json!({ "question": question })).await.ok();
    asked["askQuestion"]["conversation"]["id"].clone()
}

/// Executes a mutation with an input, which must succeed.
async fn change(client: &Client, mutation: &str, input: Value) -> Value {
    let kind = format!("{}{}Input", mutation[..1].to_uppercase(), &mutation[1..]);
    let document =
        format!("mutation ($input: {kind}!) {{ r: {mutation}(input: $input) {{ userErrors {{ message }} }} }}");
    let done = client.graphql(&document, json!({ "input": input })).await.ok();
    assert_eq!(done["r"]["userErrors"], json!([]), "{mutation}");
    done
}

async fn member(app: &TestApp, site: &TestSite<'_>, name: &str) -> (Value, Client) {
    let email = format!("{}@example.com", name.to_lowercase());
    let added = members::add(app.services(), app.operator(), Some(site.id), name, &email, Role::Agent);
    let (member, key) = added.await.expect("a member");
    (json!(member.id), app.client(&key))
}

/// Three conversations: one without a vote, one helpful with an assigned handoff, one unhelpful greeting.
async fn furnished(app: &TestApp, site: &TestSite<'_>) -> (Value, Client) {
    let (ann, client) = member(app, site, "Ann").await;
    let owner = site.owner();
    ask(site, "How do I calibrate the flux capacitor of a submarine?").await;
    let second = ask(site, "How do I calibrate the flux capacitor of a plane?").await;
    let third = ask(site, "Hello!").await;
    let vote = |id: &Value, feedback: &str| json!({ "conversationId": id, "feedback": feedback });
    change(&owner, "submitFeedback", vote(&second, "HELPFUL")).await;
    change(&owner, "submitFeedback", vote(&third, "UNHELPFUL")).await;
    change(&owner, "requestHandoff", json!({ "conversationId": second })).await;
    change(&owner, "assignConversation", json!({ "conversationId": second, "memberId": ann })).await;
    (ann, client)
}

async fn one_field_counts_conversations_by_each_property(app: &TestApp) {
    const COUNTS: &str = "query ($filter: ConversationFilter) { site { conversationCounts(filter: $filter) {
        totalCount helpfulCount unhelpfulCount outcomes { outcome count } handoffStatuses { status count }
        assignees { member { name } count } languages { count }
    } } }";
    let (site, other) = (app.site().create().await, app.site().create().await);
    furnished(app, &site).await;
    ask(&other, "Hello!").await;
    let counts = async |filter: Value| {
        let mut found = site.owner().graphql(COUNTS, json!({ "filter": filter })).await.ok();
        found["site"]["conversationCounts"].take()
    };

    let all = counts(Value::Null).await;
    let helpful = counts(json!({ "feedback": ["HELPFUL"] })).await;
    let none = counts(json!({ "outcomes": [] })).await;

    assert_eq!([&all["totalCount"], &all["helpfulCount"], &all["unhelpfulCount"]], [3, 1, 1]);
    let outcomes: Vec<&Value> = all["outcomes"].as_array().expect("a list").iter().map(|of| &of["outcome"]).collect();
    assert_eq!(outcomes, ["ANSWERED", "SUGGESTED", "DECLINED", "SMALL_TALK"]);
    assert_eq!(all["outcomes"][3]["count"], 1, "{all}");
    let statuses = |requested: u8, assigned: u8| {
        json!([
            { "status": "REQUESTED", "count": requested },
            { "status": "ASSIGNED", "count": assigned },
            { "status": "RESOLVED", "count": 0 },
        ])
    };
    assert_eq!(all["handoffStatuses"], statuses(0, 1));
    assert_eq!(all["assignees"], json!([{ "member": { "name": "Ann" }, "count": 1 }]));
    let languages = all["languages"].as_array().expect("a list").iter();
    assert_eq!(languages.filter_map(|of| of["count"].as_u64()).sum::<u64>(), 3);
    assert_eq!([&helpful["totalCount"], &helpful["helpfulCount"], &helpful["unhelpfulCount"]], [1, 1, 0]);
    assert_eq!(
        (&none["totalCount"], &none["assignees"], &none["handoffStatuses"]),
        (&json!(0), &json!([]), &statuses(0, 0))
    );
}

async fn counts_equal_the_totals_of_the_filtered_lists(app: &TestApp) {
    const TOTAL: &str = "query ($filter: ConversationFilter) {
        site { conversations(first: 0, filter: $filter) { totalCount } conversationCounts(filter: $filter) { totalCount } }
    }";
    const COUNTS: &str = "{ site { conversationCounts { outcomes { outcome count } handoffStatuses { status count }
        assignees { member { id } count } languages { language count } } } }";
    let site = app.site().create().await;
    furnished(app, &site).await;
    let counts = site.owner().graphql(COUNTS, json!({})).await.ok()["site"]["conversationCounts"].take();
    let of = |list: &str| counts[list].as_array().expect("a list").clone();
    let known = of("languages").into_iter().filter(|count| !count["language"].is_null());

    let filters = (of("outcomes").into_iter().map(|count| (json!({ "outcomes": [count["outcome"]] }), count)))
        .chain(of("handoffStatuses").into_iter().map(|count| (json!({ "handoffStatuses": [count["status"]] }), count)))
        .chain(of("assignees").into_iter().map(|count| (json!({ "assigneeId": count["member"]["id"] }), count)))
        .chain(known.map(|count| (json!({ "languages": [count["language"]] }), count)));

    for (filter, count) in filters {
        let found = site.owner().graphql(TOTAL, json!({ "filter": filter })).await.ok();
        assert_eq!(found["site"]["conversations"]["totalCount"], count["count"], "{filter}");
        assert_eq!(found["site"]["conversationCounts"]["totalCount"], count["count"], "{filter}");
    }
}

async fn sources_pages_and_entries_are_filtered(app: &TestApp) {
    const SOURCES: &str =
        "query ($filter: SourceFilter) { site { sources(filter: $filter) { totalCount nodes { kind } } } }";
    const PAGES: &str = "query ($id: ID!, $outcomes: [PageOutcome!], $url: String) { node(id: $id) { ... on Source {
        pages(outcomes: $outcomes, url: $url) { totalCount nodes { outcome } } } } }";
    const ENTRIES: &str = "query ($source: ID, $search: String) {
        site { faqEntries(sourceId: $source, search: $search) { totalCount nodes { question } } } }";
    let site = app.site().create().await;
    let owner = site.owner();
    let served = Pages::of([("/faq", Page::html(FAQ))]).await;
    let source = site.source(&served.url("/faq")).await["id"].take();
    change(&owner, "addFaqEntry", json!({ "question": "Do you deliver?", "answer": "Yes, by bicycle." })).await;
    let kinds = async |filter: Value| {
        let found = owner.graphql(SOURCES, json!({ "filter": filter })).await.ok();
        let nodes = found["site"]["sources"]["nodes"].as_array().expect("a list").clone();
        assert_eq!(found["site"]["sources"]["totalCount"], nodes.len(), "{filter}");
        nodes.into_iter().map(|mut node| node["kind"].take()).collect::<Vec<_>>()
    };
    let questions = async |source: &Value, search: Value| {
        let mut found = owner.graphql(ENTRIES, json!({ "source": source, "search": search })).await.ok();
        found["site"]["faqEntries"].take()
    };
    let pages = async |outcomes: Value, url: Value| {
        let mut found = owner.graphql(PAGES, json!({ "id": source, "outcomes": outcomes, "url": url })).await.ok();
        found["node"]["pages"].take()
    };

    assert_eq!(kinds(json!({ "kinds": ["URL"] })).await, ["URL"]);
    assert_eq!(kinds(json!({ "kinds": ["TEXT"], "statuses": ["INDEXED"] })).await, ["TEXT"]);
    assert_eq!(kinds(json!({ "kinds": ["URL", "TEXT"] })).await.len(), 2);
    for none in [json!({ "statuses": ["FAILED"] }), json!({ "kinds": [] }), json!({ "statuses": [], "kinds": ["URL"] })]
    {
        assert_eq!(kinds(none).await, [Value::Null; 0]);
    }
    let fetched = json!({ "totalCount": 1, "nodes": [{ "outcome": "FETCHED" }] });
    let nothing = json!({ "totalCount": 0, "nodes": [] });
    let url = json!(served.url("/faq"));
    assert_eq!(pages(json!(["FETCHED"]), Value::Null).await, fetched);
    assert_eq!(pages(json!(["FETCHED", "FAILED"]), url.clone()).await, fetched);
    for (outcomes, url) in [(json!(["FAILED"]), Value::Null), (json!([]), Value::Null), (json!(["FAILED"]), url)] {
        assert_eq!(pages(outcomes, url).await, nothing);
    }
    let of_page = json!({ "totalCount": 1, "nodes": [{ "question": "When are you open on Sundays?" }] });
    assert_eq!(questions(&source, Value::Null).await, of_page);
    assert_eq!(questions(&source, json!("MORNING")).await, of_page);
    assert_eq!(questions(&source, json!("bicycle")).await["totalCount"], 0);
    assert_eq!(questions(&Value::Null, json!("bicycle")).await["nodes"], json!([{ "question": "Do you deliver?" }]));
    assert_eq!(questions(&json!("src_01h455vb4pex5vsknk084sn02q"), Value::Null).await["totalCount"], 0);
}

async fn short_lists_are_read_page_by_page(app: &TestApp) {
    const MEMBERS: &str = "query ($first: Int, $after: String, $last: Int) { site {
        members(first: $first, after: $after, last: $last) {
            totalCount nodes { id name } pageInfo { hasNextPage hasPreviousPage endCursor }
        } } }";
    const REMOVE: &str = "mutation ($id: ID!) { removeMember(input: { id: $id }) { removedId } }";
    const KEYS: &str = "{ site { apiKeys(last: 1) { totalCount edges { cursor node { name } } } } }";
    let site = app.site().create().await;
    for name in ["Ann", "Bob", "Cid", "Dan"] {
        // IDs of the same millisecond have no order.
        app.pass(Duration::from_millis(1));
        member(app, &site, name).await;
    }
    let owner = site.owner();
    let read = async |variables: Value| owner.graphql(MEMBERS, variables).await.ok()["site"]["members"].take();
    let names = |page: &Value| {
        let nodes = page["nodes"].as_array().expect("a list").iter();
        nodes.map(|node| node["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };

    let first = read(json!({ "first": 2 })).await;
    // The cursor stays valid when its item is removed.
    owner.graphql(REMOVE, json!({ "id": first["nodes"][1]["id"] })).await.ok();
    let second = read(json!({ "first": 2, "after": first["pageInfo"]["endCursor"] })).await;
    let last = read(json!({ "last": 1 })).await;
    let malformed = owner.graphql(MEMBERS, json!({ "first": 2, "after": "!" })).await;
    let keys = owner.graphql(KEYS, json!({})).await.ok();

    assert_eq!((names(&first), &first["totalCount"]), (vec!["Ann".into(), "Bob".into()], &json!(4)));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    assert_eq!((names(&second), &second["totalCount"]), (vec!["Cid".into(), "Dan".into()], &json!(3)));
    assert_eq!([&second["pageInfo"]["hasNextPage"], &second["pageInfo"]["hasPreviousPage"]], [false, true]);
    assert_eq!((names(&last), &last["pageInfo"]["hasPreviousPage"]), (vec!["Dan".into()], &json!(true)));
    assert_eq!(malformed.codes(), ["BAD_USER_INPUT"]);
    assert_eq!(keys["site"]["apiKeys"]["edges"][0]["node"]["name"], "Dan", "the key of the newest member");
}

async fn a_key_with_all_scopes_has_none_listed(app: &TestApp) {
    const CREATE: &str = "mutation ($scopes: [Scope!]) {
        createApiKey(input: { kind: SECRET, scopes: $scopes }) { apiKey { scopes } userErrors { field code } } }";
    let site = app.site().create().await;
    let create = async |scopes: Value| {
        let mut made = site.owner().graphql(CREATE, json!({ "scopes": scopes })).await.ok();
        made["createApiKey"].take()
    };

    let (all, one, none) = (create(Value::Null).await, create(json!(["CHAT"])).await, create(json!([])).await);

    assert_eq!(all, json!({ "apiKey": { "scopes": null }, "userErrors": [] }));
    assert_eq!(one["apiKey"]["scopes"], json!(["CHAT"]));
    let refused = json!([{ "field": ["input", "scopes"], "code": "BAD_USER_INPUT" }]);
    assert_eq!(none, json!({ "apiKey": null, "userErrors": refused }));
}

async fn a_message_names_the_member_who_wrote_it(app: &TestApp) {
    const MESSAGES: &str = "query ($id: ID!) { node(id: $id) { ... on Conversation {
        messages { nodes { author agentName member { name email } } } } } }";
    let site = app.site().create().await;
    let (ann, of_ann) = member(app, &site, "Ann").await;
    let id = ask(&site, "How do I calibrate the flux capacitor?").await;
    change(&site.owner(), "requestHandoff", json!({ "conversationId": id })).await;
    change(&of_ann, "sendMessage", json!({ "conversationId": id, "text": "Here I am." })).await;
    change(&site.owner(), "sendMessage", json!({ "conversationId": id, "text": "Me too." })).await;
    let read = async || {
        let mut found = site.owner().graphql(MESSAGES, json!({ "id": id })).await.ok();
        found["node"]["messages"]["nodes"].take()
    };

    let before = read().await;
    change(&site.owner(), "removeMember", json!({ "id": ann })).await;
    let after = read().await;

    let by_ann =
        json!({ "author": "AGENT", "agentName": "Ann", "member": { "name": "Ann", "email": "ann@example.com" } });
    assert_eq!(before[2], by_ann, "{before}");
    for other in [0, 1, 3] {
        assert_eq!(before[other]["member"], Value::Null, "{before}");
    }
    assert_eq!((&after[2]["agentName"], &after[2]["member"]), (&json!("Ann"), &Value::Null));
}

async fn no_event_has_a_type_of_an_empty_list(app: &TestApp) {
    const EVENTS: &str = "subscription ($after: String, $types: [ConversationEventType!]) {
        conversationEvents(after: $after, types: $types) { type }
    }";
    let site = app.site().create().await;
    ask(&site, "Hello!").await;
    let mut socket = site.owner().socket().await;

    let none = socket.subscribe(EVENTS, json!({ "after": site.beginning(), "types": [] })).await;
    let all = socket.subscribe(EVENTS, json!({ "after": site.beginning(), "types": null })).await;
    let first = socket.frame().await.expect("a frame");
    socket.complete(&none).await;

    assert_eq!((&first["id"], &first["type"]), (&json!(all), &json!("next")), "{first}");
    assert_eq!(first["payload"]["data"]["conversationEvents"]["type"], "CONVERSATION_CREATED");
}
