//! Checks that the OpenAPI document is complete and that every reference in it exists.

use serde_json::Value;

use super::*;

fn whole() -> Value {
    serde_json::from_str(json()).unwrap()
}

/// All objects of the document with their paths.
fn objects(value: &Value, place: String, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(object) => {
            found.push((place.clone(), value.clone()));
            object.iter().for_each(|(name, inner)| objects(inner, format!("{place}/{name}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| objects(inner, format!("{place}/{n}"), found));
        }
        _ => {}
    }
}

#[test]
fn the_document_contains_each_route_of_the_contract_with_its_statuses() {
    let routes = [
        ("/chat", "post", "200 400 401 403 409 413 429 500 503"),
        ("/feedback", "post", "200 400 401 403 409 413 429 500 503"),
        ("/handoff", "post", "200 400 401 403 409 413 429 500 503"),
        ("/sources", "get", "200 401 403 413 429 500 503"),
        ("/sources", "post", "200 400 401 403 409 413 429 500 503"),
        ("/sources", "delete", "200 400 401 403 404 413 429 500 503"),
        ("/sources/rescrape", "post", "200 400 401 403 404 409 413 429 500 503"),
        ("/config", "get", "200 304 401 403 413 429 500 503"),
        ("/config", "patch", "200 400 401 403 413 429 500 503"),
        ("/analytics/overview", "get", "200 401 403 413 429 500 503"),
        ("/analytics/activity", "get", "200 401 403 413 429 500 503"),
        ("/conversations", "get", "200 401 403 413 429 500 503"),
        ("/webhooks", "get", "200 401 403 413 429 500 503"),
        ("/webhooks", "post", "200 400 401 403 409 413 429 500 503"),
        ("/webhooks", "delete", "200 400 401 403 404 413 429 500 503"),
    ];
    let document = whole();

    let described: usize =
        document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
    assert_eq!(described, routes.len());
    for (path, method, statuses) in routes {
        let responses = &document["paths"][format!("{BASE}{path}")][method]["responses"];
        let found: Vec<&str> = responses.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(found.join(" "), statuses, "{method} {path}");
    }
}

#[test]
fn each_field_has_a_type_a_description_and_an_example() {
    let document = whole();
    let schemas = document["components"]["schemas"].as_object().unwrap();

    for (name, schema) in schemas {
        assert!(schema["description"].is_string(), "{name} has no description");
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            // The target of a reference carries the description and the example; for a list, its items do.
            let target = |value: &Value| match value["$ref"].as_str() {
                Some(location) => schemas[location.rsplit('/').next().unwrap()].clone(),
                None => value.clone(),
            };
            let mut resolved = target(property);
            // For a nullable reference, the description is beside the reference inside `oneOf`.
            if let Some(own) = [property, &property["oneOf"][0]].iter().find_map(|one| one["description"].as_str()) {
                resolved["description"] = own.into();
            }
            let items = target(&resolved["items"]);
            let is_typed = ["type", "oneOf", "enum"].iter().any(|key| !resolved[key].is_null());
            let has_example =
                [&resolved, &items].iter().any(|one| !one["examples"].is_null() || one["properties"].is_object());
            let has_example = has_example || resolved["oneOf"].is_array();
            assert!(is_typed, "{name}.{field} has no type: {property}");
            assert!(resolved["description"].is_string(), "{name}.{field} has no description: {property}");
            assert!(has_example, "{name}.{field} has no example: {property}");
        }
    }
}

#[test]
fn each_reference_has_a_target() {
    let document = whole();
    let mut found = Vec::new();
    objects(&document, String::new(), &mut found);

    let references = found.iter().filter_map(|(place, object)| Some((place, object["$ref"].as_str()?)));
    for (place, location) in references {
        let pointer = location.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{place} refers to {location}");
    }
}

#[test]
fn each_parameter_and_each_operation_has_a_description() {
    let document = whole();

    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for text in ["summary", "description", "operationId"] {
                assert!(operation[text].is_string(), "{method} {path} has no {text}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = &parameter["name"];
                assert!(parameter["description"].is_string(), "{method} {path} {name}");
                let schema = match parameter["schema"]["$ref"].as_str() {
                    Some(location) => document.pointer(location.strip_prefix('#').unwrap()).unwrap(),
                    None => &parameter["schema"],
                };
                assert!(!schema["examples"].is_null(), "{method} {path} {name}");
            }
        }
    }
}
