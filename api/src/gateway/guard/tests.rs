//! Documents that try to exhaust the server, and ordinary ones. The tests count work; they do not
//! measure time.

use std::fmt::Write as _;

use async_graphql::Variables;
use async_graphql::parser::types::OperationType;

use super::*;
use crate::gateway::direct::DirectRules;

/// A document of `depth` fragments, each of which spreads the next one `width` times.
fn fan_out(depth: usize, width: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..depth {
        let spread = format!("...F{} ", n + 1).repeat(width);
        write!(text, " fragment F{n} on Query {{ {spread} }}").unwrap();
    }
    write!(text, " fragment F{depth} on Query {{ __typename }}").unwrap();
    text
}

fn limit_exceeded_by(text: &str) -> &'static str {
    match read(text, &DocumentSize::MAX) {
        Err(DocumentRejection::TooMany { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_abusive_document_is_rejected_for_the_limit_that_it_exceeds() {
    let aliases: String = (0..50_000).map(|n| format!("a{n}:__typename ")).collect();
    let one_field_directives = format!("{{ __typename {} }}", "@a ".repeat(20_000));
    let nested = format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000));
    let list = format!("{{ a(b: {}{}) }}", "[".repeat(10_000), "]".repeat(10_000));

    assert_eq!(limit_exceeded_by(&fan_out(22, 2)), "fragment spreads");
    assert_eq!(limit_exceeded_by(&fan_out(8, 8)), "fragment spreads");
    assert_eq!(limit_exceeded_by(&fan_out(32, 2)), "fragment spreads");
    assert_eq!(limit_exceeded_by(&format!("{{ {aliases} }}")), "aliases");
    assert_eq!(limit_exceeded_by(&one_field_directives), "directives");
    assert_eq!(limit_exceeded_by(&nested), "levels of nesting");
    assert_eq!(limit_exceeded_by(&list), "levels of nesting");
    assert_eq!(limit_exceeded_by(&format!("{{ {} }}", "a ".repeat(3_000))), "tokens");
}

#[test]
fn a_document_with_few_spreads_is_rejected_for_its_expanded_size() {
    let text = fan_out(14, 2);

    assert_eq!(limit_exceeded_by(&text), "expanded selections");
}

#[test]
fn each_fragment_is_visited_once_however_often_it_is_spread() {
    let document = async_graphql::parser::parse_query(fan_out(50, 2)).unwrap();

    let (selections, visited) = super::expansion::count(&document, usize::MAX >> 1).unwrap();

    assert!(selections > 1 << 50);
    assert_eq!(visited, 1 + 50 * 2 + 1);
}

#[test]
fn a_fragment_that_spreads_itself_is_rejected() {
    let text = "{ ...A } fragment A on Query { x { ...B ...B } } fragment B on Query { ...A ...A }";

    let error = read(text, &DocumentSize::MAX).unwrap_err().into_server_error();
    assert_eq!(error.message, r#"Fragment "A" spreads itself"#);
    assert_eq!(error.locations.iter().map(|pos| pos.column).collect::<Vec<_>>(), [10]);
}

#[test]
fn the_contents_of_strings_comments_and_arguments_are_not_counted() {
    let text = r#"query Q($a: [Int] = [1], $b: In = {c: 2}) {
        # alias: @directive ...Spread {{{{
        x(a: "a: @b ...C {{{", b: """ "quoted" \""" d: @e {{ """, o: {p: {q: 1}}) { ... on T @skip(if: true) { y } z: w ...F }
    } fragment F on T { v }"#;

    let size = read(text, &DocumentSize::MAX).unwrap().size();

    assert_eq!((size.aliases, size.spreads, size.directives), (1, 1, 1));
    assert_eq!((size.selections, size.nesting), (6, 4));
}

#[test]
fn text_that_is_not_graphql_is_rejected_by_the_parser_with_a_short_message() {
    for text in
        ["", "{", "\"", "\"\"\"", "\"\\", "{ \u{feff}é }", "...", "{ a(b: \"x", &format!("{{ {} }}", "é".repeat(500))]
    {
        match read(text, &DocumentSize::MAX) {
            Err(DocumentRejection::Syntax(error)) => assert!(error.message.chars().count() <= 301),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn the_operation_is_chosen_by_name_or_is_the_only_one() {
    let one = read("mutation M { a }", &DocumentSize::MAX).unwrap();
    let two = read("query A { a } subscription B { b }", &DocumentSize::MAX).unwrap();

    assert_eq!(one.operation_type(None), Ok(OperationType::Mutation));
    assert_eq!(one.operation_type(Some("N")), Err(DocumentRejection::UnknownOperation("N".into())));
    assert_eq!(two.operation_type(Some("B")), Ok(OperationType::Subscription));
    assert_eq!(two.operation_type(None), Err(DocumentRejection::OperationNameRequired));
}

#[test]
fn each_variable_without_a_valid_value_is_reported_with_its_place_before_anything_is_executed() {
    let text = "query ($a: [Int!]!, $b: Int! = 1,\n $c: Int) { sites(ids: [$a, $b, $c]) { id } }";
    let document = read(text, &DocumentSize::MAX).unwrap();
    let check = |given: serde_json::Value| {
        let checked = document.coerce_variables(None, &mut Variables::from_json(given), &schema_model());
        let Err(DocumentRejection::Invalid(errors)) = checked else { return Vec::new() };
        errors.into_iter().map(|error| (error.message, error.pos.line, error.pos.column)).collect::<Vec<_>>()
    };
    let missing = |name: &str, ty: &str| format!("Variable \"${name}\" of required type \"{ty}\" was not provided");

    assert_eq!(check(serde_json::json!({"a": []})), []);
    assert_eq!(check(serde_json::json!({})), [(missing("a", "[Int!]!"), 1, 8)]);
    let several = check(serde_json::json!({"a": [], "b": null, "c": "x"}));
    assert_eq!(several[0], (missing("b", "Int!"), 1, 21));
    assert_eq!((several.len(), several[1].1, several[1].2), (2, 2, 2));
}

/// A schema with the kinds of types that validation distinguishes.
const SCHEMA: &str = r#"
interface Node { id: ID! }
type Site implements Node { id: ID! name: String! kind: Kind! pages(first: Int): PageConnection! }
type Member implements Node { id: ID! name: Int! }
type PageConnection { nodes: [Site!]! }
type Query { node(id: ID!): Node sites(filter: Filter, day: Day, ids: [ID!]): [Site!]! }
type Subscription { ticks: Site! }
enum Kind { OPEN CLOSED }
input Filter { kind: Kind name: String! = "a" count: Int }
scalar Day
directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
schema { query: Query subscription: Subscription }
"#;

fn schema_model() -> model::SchemaModel {
    let scalar_problem = |_: &str, value: &async_graphql::Value| {
        let is_day = matches!(value, async_graphql::Value::String(text) if text.len() == 10);
        (!is_day).then(|| "This is not a day.".to_owned())
    };
    let fields: &[(&str, &[&str])] =
        &[("Query", &["sites", "node"]), ("Site", &["id", "pages"]), ("PageConnection", &["nodes"])];
    let direct = DirectRules { fields, ..DirectRules::NONE };
    let rules = model::SchemaRules { scalar_problem, direct, ..model::SchemaRules::default() };
    model::SchemaModel::new(SCHEMA, rules, true).unwrap()
}

/// Parses, validates and coerces, as the gateway does.
fn accepts(text: &str, variables: serde_json::Value) -> Result<(), DocumentRejection> {
    let model = schema_model();
    let document = read(text, &DocumentSize::MAX)?;
    document.validate(&model)?;
    document.coerce_variables(None, &mut Variables::from_json(variables), &model)
}

#[test]
fn documents_that_the_specification_allows_are_accepted() {
    for (text, variables) in [
        ("{ sites(filter: {kind: OPEN, name: \"x\"}) { id kind } }", serde_json::json!({})),
        ("query ($f: Filter!) { sites(filter: $f) { id } }", serde_json::json!({"f": {"kind": "OPEN", "count": 1.0}})),
        ("{ sites(filter: {count: -0}) { id } }", serde_json::json!({})),
        ("query ($f: Filter!) { sites(filter: $f) { id } }", serde_json::json!({"f": {"count": -0.0}})),
        ("query ($d: Day = \"2026-01-15\") { sites(day: $d) { id } }", serde_json::json!({})),
        ("query ($i: ID!) { sites(ids: [$i]) { id } }", serde_json::json!({"i": 7})),
        ("query ($n: String) { sites(filter: {name: $n}) { id } }", serde_json::json!({})),
        ("{ node(id: 1) { ... on Site { x: id } ... on Member { x: id } } }", serde_json::json!({})),
        ("\"\"\"What it does\"\"\" query Q(\"an id\" $i: ID!) { node(id: $i) { id } }", serde_json::json!({"i": "a"})),
        ("{ sites(filter: {name: \"\\uD83D\\uDE00 \\u{1F600}\"}) { id } }", serde_json::json!({})),
        ("subscription { ticks { id } ticks { name } }", serde_json::json!({})),
        ("subscription { ticks { id @include(if: true) } }", serde_json::json!({})),
        ("query ($a: Boolean = true) { sites { id @include(if: $a) } }", serde_json::json!({})),
    ] {
        assert_eq!(accepts(text, variables), Ok(()), "{text}");
    }
}

#[test]
fn documents_that_the_specification_forbids_are_refused() {
    for (text, variables) in [
        ("{ sites(filter: {kind: \"OPEN\"}) { id } }", serde_json::json!({})),
        ("{ sites(filter: {count: 1, count: 2}) { id } }", serde_json::json!({})),
        ("{ sites(filter: {nothing: 1}) { id } }", serde_json::json!({})),
        ("{ sites(filter: {count: -0.0}) { id } }", serde_json::json!({})),
        ("{ sites(day: \"never\") { id } }", serde_json::json!({})),
        ("query ($d: Day) { sites(day: $d) { id } }", serde_json::json!({"d": "never"})),
        ("query ($i: ID) { node(id: $i) { id } }", serde_json::json!({"i": "a"})),
        ("query ($i: [ID]) { sites(ids: $i) { id } }", serde_json::json!({})),
        ("query ($n: Int) { sites(filter: {name: $n}) { id } }", serde_json::json!({})),
        ("query ($f: Filter) { sites(filter: $f) { id } }", serde_json::json!({"f": {"count": 1.5}})),
        ("{ node(id: 1) { ... on Site { x: name } ... on Member { x: name } } }", serde_json::json!({})),
        ("{ sites { id id: name } }", serde_json::json!({})),
        ("{ node(id: 1) { ... on Query { __typename } } }", serde_json::json!({})),
        ("subscription { a: ticks { id } b: ticks { id } }", serde_json::json!({})),
        ("subscription { __typename }", serde_json::json!({})),
        ("subscription { ticks @include(if: true) { id } }", serde_json::json!({})),
        ("subscription ($a: Boolean!) { ticks @skip(if: $a) { id } }", serde_json::json!({"a": false})),
        ("subscription { ... @skip(if: false) { ticks { id } } }", serde_json::json!({})),
        ("subscription { ...F } fragment F on Subscription { ticks @skip(if: false) { id } }", serde_json::json!({})),
        ("query ($a: Boolean = true) { sites { id @include(if: $a) } }", serde_json::json!({"a": null})),
        ("{ sites { } }", serde_json::json!({})),
        ("{ sites }", serde_json::json!({})),
        ("{ sites { id { x } } }", serde_json::json!({})),
        ("{ sites { id } } fragment F on Site { id }", serde_json::json!({})),
        ("{ sites { ...F } }", serde_json::json!({})),
        ("{ sites { id @skip } }", serde_json::json!({})),
        ("\"text\" { sites { id } }", serde_json::json!({})),
        ("{ sites(filter: {name: \"\\uD83D\"}) { id } }", serde_json::json!({})),
    ] {
        assert!(accepts(text, variables).is_err(), "{text}");
    }
}

#[test]
fn a_misspelled_name_is_reported_with_its_correct_spelling() {
    for (text, variables, message) in [
        (
            "{ sites { nam } }",
            serde_json::json!({}),
            r#"Field "nam" does not exist on type "Site". Did you mean "name"?"#,
        ),
        (
            "{ sites(filtre: {}) { id } }",
            serde_json::json!({}),
            r#"Field "Query.sites" has no argument "filtre". Did you mean "filter"?"#,
        ),
        (
            "{ sites(filter: {nmae: \"a\"}) { id } }",
            serde_json::json!({}),
            r#"Field "nmae" is not defined by type "Filter". Did you mean "name"?"#,
        ),
        (
            "{ sites(filter: {kind: CLOSE}) { id } }",
            serde_json::json!({}),
            r#""CLOSE" is not a value of type "Kind". Did you mean "CLOSED"?"#,
        ),
        (
            "query ($f: Filter) { sites(filter: $f) { id } }",
            serde_json::json!({"f": {"kind": "OPNE"}}),
            r#""OPNE" is not a value of type "Kind". Did you mean "OPEN"?"#,
        ),
        (
            "query ($f: [Filer!]) { sites(filter: $f) { id } }",
            serde_json::json!({}),
            r#"Unknown type "Filer". Did you mean "Filter"?"#,
        ),
        (
            "{ node(id: 1) { ... on Membre { id } } }",
            serde_json::json!({}),
            r#"Unknown type "Membre". Did you mean "Member"?"#,
        ),
    ] {
        let rejected = accepts(text, variables).unwrap_err().to_string();

        assert!(rejected.contains(message), "{text}: {rejected}");
        assert!(!rejected.contains('\n'), "{text}: {rejected}");
    }
}

#[test]
fn the_cost_is_the_number_of_objects_that_the_chosen_operation_can_return() {
    let text = "query A($n: Int = 50) { sites(ids: [1, 2]) { id pages(first: $n) { nodes { id } } } } query B { sites { id } }";
    let document = read(text, &DocumentSize::MAX).unwrap();
    let cost = |name, variables| document.cost(Some(name), &Variables::from_json(variables), &schema_model()).unwrap();

    let first = cost("A", serde_json::json!({}));

    assert_eq!(first.points, 2 + 2 + 2 * 50);
    assert_eq!((first.top_field.as_str(), first.top_points), ("sites.pages.nodes", 100));
    assert_eq!(cost("A", serde_json::json!({"n": 3})).points, 2 + 2 + 2 * 3);
    assert_eq!(cost("B", serde_json::json!({})).points, 20);
}

/// The plan of a document, with the response keys of its fields.
fn plan(text: &str) -> Option<String> {
    fn keys(fields: &[plan::PlannedField]) -> String {
        fields.iter().map(|field| format!("{}{}{{{}}}", field.key, field.name, keys(&field.fields))).collect()
    }
    let model = schema_model();
    let document = read(text, &DocumentSize::MAX).unwrap();
    document.validate(&model).unwrap();
    document.plan(None, &model).map(|plan| keys(&plan.fields).replace("{}", " ").replace('"', ""))
}

#[test]
fn a_plan_merges_fields_and_expands_fragments() {
    let simple = plan("{ a: sites { id ...F x: id } kind: __typename } fragment F on Site { id pages { __typename } }");
    let repeated = plan("{ sites { pages { nodes { id } } id ... { pages { x: nodes { id } nodes { y: id } } } } }");

    assert_eq!(simple.as_deref(), Some("a:sites{id:id pages:pages{__typename:__typename }x:id }kind:__typename "));
    assert_eq!(repeated.as_deref(), Some("sites:sites{pages:pages{nodes:nodes{id:id y:id }x:nodes{id:id }}id:id }"));
}

#[test]
fn only_queries_of_direct_fields_without_decisions_have_a_plan() {
    for text in [
        "{ sites { id name } }",
        "{ sites { id @include(if: true) } }",
        "{ node(id: 1) { id } }",
        "{ sites { ... on Node { id } } }",
        "subscription { ticks { id } }",
        "{ __schema { description } }",
    ] {
        assert_eq!(plan(text), None, "{text}");
    }
}
