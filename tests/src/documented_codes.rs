//! The codes that mutations may return in `userErrors`: those that their descriptions list.
//!
//! [`Client`](crate::Client) checks every response of every test, so that no mutation returns a code that
//! its description omits. Codes that concern only `siteId` belong to all mutations and are not listed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use async_graphql::parser::types::{OperationType, Selection, TypeKind, TypeSystemDefinition};
use async_graphql::parser::{parse_query, parse_schema};
use serde_json::Value;

/// The codes in the description of each mutation.
pub static DOCUMENTED_CODES: LazyLock<BTreeMap<String, BTreeSet<String>>> = LazyLock::new(read);

fn read() -> BTreeMap<String, BTreeSet<String>> {
    let mut of_enum = BTreeSet::new();
    let mut descriptions = BTreeMap::new();
    for definition in parse_schema(helpbot_api::schema::sdl()).expect("the schema is GraphQL").definitions {
        let TypeSystemDefinition::Type(ty) = definition else { continue };
        match &ty.node.kind {
            TypeKind::Enum(codes) if ty.node.name.node == "ErrorCode" => {
                of_enum.extend(codes.values.iter().map(|value| value.node.value.node.to_string()));
            }
            TypeKind::Object(object) if ty.node.name.node == "Mutation" => {
                for field in &object.fields {
                    let text = field.node.description.as_ref().map(|text| text.node.clone()).unwrap_or_default();
                    descriptions.insert(field.node.name.node.to_string(), text);
                }
            }
            _ => {}
        }
    }
    // Every second part is a word between backticks.
    let codes = |text: String| {
        text.split('`').skip(1).step_by(2).filter(|word| of_enum.contains(*word)).map(str::to_owned).collect()
    };
    descriptions.into_iter().map(|(mutation, text)| (mutation, codes(text))).collect()
}

/// Checks the user errors in the `data` of a response.
///
/// # Panics
/// When a mutation returned a code that its description does not list.
pub(crate) fn check(document: &str, data: &Value) {
    if !document.contains("mutation") {
        return;
    }
    let Ok(document) = parse_query(document) else { return };
    for (_, operation) in document.operations.iter() {
        if operation.node.ty != OperationType::Mutation {
            continue;
        }
        for item in &operation.node.selection_set.node.items {
            let Selection::Field(field) = &item.node else { continue };
            let errors = &data[field.node.response_key().node.as_str()]["userErrors"];
            check_errors(&field.node.name.node, errors.as_array().map(Vec::as_slice).unwrap_or_default());
        }
    }
}

fn check_errors(mutation: &str, errors: &[Value]) {
    let Some(documented) = DOCUMENTED_CODES.get(mutation) else { return };
    for error in errors {
        let Some(code) = error["code"].as_str() else { continue };
        let is_about_site = error["field"][1] == "siteId" || error["message"].as_str() == Some("Site not found");
        // Without these two, the error may be about the site.
        let is_unclear = error["field"].is_null() && error["message"].is_null() && code == "NOT_FOUND";
        assert!(
            documented.contains(code) || is_about_site || is_unclear,
            "the description of {mutation} does not list {code}: {error}"
        );
    }
}
