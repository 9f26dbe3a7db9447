//! The rules that the gateway has about fields of the schema name fields that exist.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{BaseType, TypeKind, TypeSystemDefinition};
use helpbot_api::schema::cost::LIST_BOUNDS;
use helpbot_api::schema::sites::PUBLIC_FIELDS;

/// The fields of each object type, with whether they are lists or connections.
fn fields() -> HashMap<String, HashMap<String, bool>> {
    let document = parse_schema(helpbot_api::schema::sdl()).unwrap();
    let mut types = HashMap::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        let TypeKind::Object(object) = &ty.node.kind else { continue };
        let fields = object.fields.iter().map(|field| {
            let is_list = match &field.node.ty.node.base {
                BaseType::List(_) => true,
                BaseType::Named(name) => name.ends_with("Connection"),
            };
            (field.node.name.node.to_string(), is_list)
        });
        types.insert(ty.node.name.node.to_string(), fields.collect());
    }
    types
}

#[test]
fn each_bounded_list_is_a_list_of_the_schema() {
    let fields = fields();

    for (name, _) in LIST_BOUNDS {
        let (ty, field) = name.split_once('.').unwrap();
        assert_eq!(fields.get(ty).and_then(|fields| fields.get(field)), Some(&true), "{name}");
    }
}

#[test]
fn each_public_field_exists() {
    let fields = fields();

    for name in PUBLIC_FIELDS {
        let exists = match name.split_once('.') {
            Some((ty, field)) => fields.get(ty).is_some_and(|fields| fields.contains_key(field)),
            None => fields.contains_key(*name),
        };
        assert!(exists, "{name}");
    }
}
