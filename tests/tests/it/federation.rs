//! Tests of the fields that a router of Apollo Federation uses: `_entities` and `_service`. Composition with other
//! subgraphs is tested in `tests/conformance/federation.mjs`.

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use helpbot_tests::database::{self, TestDatabase};
use helpbot_tests::{Client, GraphqlReply, TestApp, on_both_backends};
use serde_json::{Value, json};

use crate::found_by_id::one_of_everything;

on_both_backends!(
    every_node_is_an_entity_with_the_rights_of_the_viewer,
    representations_are_limited_checked_and_counted,
    routers_alone_see_the_fields_of_federation,
);

const ENTITIES: &str = "query ($of: [_Any!]!) { _entities(representations: $of) { __typename ... on Node { id } } }";

/// IDs that no object has, and IDs that are malformed.
const UNKNOWN: [(&str, &str); 6] = [
    ("conv_01h455vb4pex5vsknk084sn02q", "Conversation"),
    ("chk_01h455vb4pex5vsknk084sn02q", "FaqEntry"),
    ("doc_01h455vb4pex5vsknk084sn02q", "Page"),
    ("0190a0c5-0000-7000-8000-000000000001", "WebhookDelivery"),
    ("conv_", "Conversation"),
    ("", "Site"),
];

async fn entities(client: &Client, representations: Vec<Value>) -> GraphqlReply {
    client.graphql(ENTITIES, json!({ "of": representations })).await
}

fn representation(type_name: &str, id: &Value) -> Value {
    json!({ "__typename": type_name, "id": id })
}

async fn every_node_is_an_entity_with_the_rights_of_the_viewer(app: &TestApp) {
    let (site, other) = (app.site().create().await, app.site().create().await);
    let things = one_of_everything(app, &site).await;
    let types: BTreeSet<&str> = things.iter().map(|(_, ty)| *ty).collect();
    let nodes = node_types();
    assert_eq!(types, nodes.iter().map(String::as_str).collect::<BTreeSet<_>>());
    let references: Vec<Value> = things.iter().map(|(id, ty)| representation(ty, id)).collect();
    let expected: Vec<Value> = things.iter().map(|(id, ty)| json!({ "__typename": ty, "id": id })).collect();

    for client in [site.owner(), app.operator_client()] {
        let found = entities(&client, references.clone()).await.ok();
        assert_eq!(found["_entities"], json!(expected));
    }
    let visitor = entities(&site.visitor(), references.clone()).await.ok();
    let stranger = entities(&other.owner(), references).await.ok();
    let wrong_type = things.iter().map(|(id, ty)| representation(if *ty == "Site" { "Page" } else { "Site" }, id));
    let wrong_type = entities(&site.owner(), wrong_type.collect()).await.ok();
    let unknown = UNKNOWN.map(|(id, ty)| representation(ty, &json!(id)));
    let unknown = entities(&site.owner(), unknown.to_vec()).await.ok();

    for (at, (_, ty)) in things.iter().enumerate() {
        let seen = &visitor["_entities"][at];
        assert_eq!(seen.is_null(), *ty != "Site", "a visitor sees {ty}: {seen}");
    }
    for nothing in [stranger, wrong_type, unknown] {
        let found = nothing["_entities"].as_array().expect("a list");
        assert!(!found.is_empty() && found.iter().all(Value::is_null), "{nothing}");
    }
}

/// The object types of the schema that implement `Node`.
fn node_types() -> BTreeSet<String> {
    let mut types = BTreeSet::new();
    for definition in parse_schema(helpbot_api::schema::sdl()).expect("the schema is GraphQL").definitions {
        if let TypeSystemDefinition::Type(ty) = definition
            && let TypeKind::Object(object) = &ty.node.kind
            && object.implements.iter().any(|interface| interface.node == "Node")
        {
            types.insert(ty.node.name.node.to_string());
        }
    }
    types
}

async fn representations_are_limited_checked_and_counted(app: &TestApp) {
    let site = app.site().create().await;
    let own = representation("Site", &json!(site.id));
    let owner = site.owner();

    let many = entities(&owner, vec![own.clone(); 1_000]).await;
    let too_many = entities(&owner, vec![own.clone(); 1_001]).await;
    let visitor = site.visitor();
    let costly = visitor.graphql(
        "query ($of: [_Any!]!) { _entities(representations: $of) { ... on Site { credits { used } widget { botName } } } }",
        json!({ "of": vec![own.clone(); 1_000] }),
    );
    let costly = costly.await;

    assert_eq!(many.ok()["_entities"].as_array().map(Vec::len), Some(1_000));
    assert_eq!(too_many.codes(), ["BAD_USER_INPUT"]);
    assert_eq!(costly.codes(), ["COMPLEXITY_LIMIT"]);
    let reply = owner.post("/graphql", &json!({ "query": ENTITIES, "variables": { "of": [own, own] } })).await.json();
    assert_eq!(reply["extensions"]["cost"]["requested"], 2, "{reply}");
    for malformed in [
        json!({ "id": site.id }),
        json!({ "__typename": "Site" }),
        json!("site"),
        json!({ "__typename": "Site", "id": 7 }),
    ] {
        let refused = entities(&owner, vec![malformed.clone()]).await;
        assert_eq!(refused.codes(), ["BAD_USER_INPUT"], "{malformed}");
    }
}

async fn routers_alone_see_the_fields_of_federation(app: &TestApp) {
    let site = app.site().create().await;
    let owner = site.owner();

    let definition = owner.graphql("{ _service { sdl } }", Value::Null).await.ok()["_service"]["sdl"].take();
    let schema = owner.graphql("{ __schema { types { name fields { name } } } }", Value::Null).await.ok();

    assert_eq!(definition, json!(helpbot_api::schema::federated_sdl()));
    let definition = definition.as_str().expect("a text");
    for ty in node_types() {
        assert!(definition.contains(&format!("\ntype {ty} implements Node @key(fields: \"id\") {{\n")), "{ty}");
    }
    assert!(definition.contains("https://specs.apollo.dev/federation/v2.3"));
    for hidden in ["_entities", "_service", "_Any", "_Entity", "_Service"] {
        assert!(!schema.to_string().contains(hidden), "{hidden}");
        assert!(!helpbot_api::schema::sdl().contains(hidden), "{hidden}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hidden_schema_is_hidden_from_routers_too() {
    database::with(Some(TestDatabase::sqlite()), async |database| {
        let app = TestApp::start_with(database, |settings, _| settings.has_introspection = false).await;
        let site = app.site().create().await;

        let definition = site.owner().graphql("{ _service { sdl } }", Value::Null).await;
        let found = entities(&site.owner(), vec![representation("Site", &json!(site.id))]).await.ok();

        assert_eq!(definition.codes(), ["FORBIDDEN"]);
        assert_eq!(found["_entities"][0]["id"], json!(site.id));
        app.stop().await;
    })
    .await;
}
