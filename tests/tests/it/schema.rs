//! Tests of the public contract: `schema.graphql` equals the served schema, and everything in it has a description.

use std::path::Path;

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind, TypeSystemDefinition,
};

const HOW: &str = "write it with `cargo run -- schema > schema.graphql` and commit it with the change";

/// The specification says what these are for.
const STANDARD_DIRECTIVES: &[&str] = &["include", "skip", "specifiedBy", "deprecated", "oneOf"];

#[test]
fn the_schema_in_the_repository_is_the_one_that_is_served() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema.graphql");
    let kept = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("schema.graphql: {error}; {HOW}"));

    let served = helpbot_api::schema::sdl();

    let differs = kept.lines().zip(served.lines()).position(|(kept, served)| kept != served);
    let line = differs.unwrap_or_else(|| kept.lines().count().min(served.lines().count()));
    assert!(
        kept == served,
        "schema.graphql is out of date from line {} on; {HOW}\n kept: {}\nserved: {}",
        line + 1,
        kept.lines().nth(line).unwrap_or("(end)"),
        served.lines().nth(line).unwrap_or("(end)"),
    );
}

#[test]
fn everything_in_the_schema_is_described() {
    let mut missing = Vec::new();
    let mut types = 0;

    for definition in parse_schema(helpbot_api::schema::sdl()).expect("the schema is GraphQL").definitions {
        match definition {
            TypeSystemDefinition::Type(definition) => {
                types += 1;
                collect(&definition.node, &mut missing);
            }
            TypeSystemDefinition::Directive(directive)
                if !STANDARD_DIRECTIVES.contains(&directive.node.name.node.as_str()) =>
            {
                let name = format!("@{}", directive.node.name.node);
                require(&name, directive.node.description.as_ref(), &mut missing);
                require_inputs(&name, &directive.node.arguments, &mut missing);
            }
            TypeSystemDefinition::Directive(_) | TypeSystemDefinition::Schema(_) => {}
        }
    }

    assert!(types > 20, "only {types} types: this is not the whole schema");
    assert!(missing.is_empty(), "without a description:\n  {}", missing.join("\n  "));
}

fn collect(definition: &TypeDefinition, missing: &mut Vec<String>) {
    let name = definition.name.node.as_str();
    require(name, definition.description.as_ref(), missing);
    match &definition.kind {
        TypeKind::Object(object) => require_fields(name, &object.fields, missing),
        TypeKind::Interface(interface) => require_fields(name, &interface.fields, missing),
        TypeKind::InputObject(input) => require_inputs(name, &input.fields, missing),
        TypeKind::Enum(values) => {
            for value in &values.values {
                let value_name = format!("{name}.{}", value.node.value.node);
                require(&value_name, value.node.description.as_ref(), missing);
            }
        }
        TypeKind::Scalar | TypeKind::Union(_) => {}
    }
}

fn require_fields(of: &str, fields: &[Positioned<FieldDefinition>], missing: &mut Vec<String>) {
    for field in fields {
        let name = format!("{of}.{}", field.node.name.node);
        require(&name, field.node.description.as_ref(), missing);
        require_inputs(&name, &field.node.arguments, missing);
    }
}

fn require_inputs(of: &str, inputs: &[Positioned<InputValueDefinition>], missing: &mut Vec<String>) {
    for input in inputs {
        require(&format!("{of}({})", input.node.name.node), input.node.description.as_ref(), missing);
    }
}

fn require(name: &str, description: Option<&Positioned<String>>, missing: &mut Vec<String>) {
    if description.is_none_or(|text| text.node.trim().is_empty()) {
        missing.push(name.to_owned());
    }
}
