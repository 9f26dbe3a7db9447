//! Documents that try to exhaust the server, and ordinary ones. The tests count work; they do not
//! measure time.

use std::fmt::Write as _;

use async_graphql::Variables;
use async_graphql::parser::types::OperationType;

use super::*;

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
    match read(text, &DocumentLimits::default()) {
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
    let limits = DocumentLimits { spreads: 1_000, selections: usize::MAX >> 1, ..DocumentLimits::default() };

    let size = read(&fan_out(50, 2), &limits).unwrap().size();

    assert!(size.selections > 1 << 50);
    assert_eq!(size.visited, 1 + 50 * 2 + 1);
}

#[test]
fn a_fragment_that_spreads_itself_is_rejected() {
    let text = "{ ...A } fragment A on Query { x { ...B ...B } } fragment B on Query { ...A ...A }";

    assert_eq!(read(text, &DocumentLimits::default()).unwrap_err(), DocumentRejection::Cycle("A".into()));
}

#[test]
fn the_contents_of_strings_comments_and_arguments_are_not_counted() {
    let text = r#"query Q($a: [Int] = [1], $b: In = {c: 2}) {
        # alias: @directive ...Spread {{{{
        x(a: "a: @b ...C {{{", b: """ "quoted" \""" d: @e {{ """, o: {p: {q: 1}}) { ... on T @skip(if: true) { y } z: w ...F }
    } fragment F on T { v }"#;

    let size = read(text, &DocumentLimits::default()).unwrap().size();

    assert_eq!((size.aliases, size.spreads, size.directives), (1, 1, 1));
    assert_eq!((size.selections, size.nesting), (6, 4));
}

#[test]
fn text_that_is_not_graphql_is_rejected_by_the_parser_with_a_short_message() {
    for text in
        ["", "{", "\"", "\"\"\"", "\"\\", "{ \u{feff}é }", "...", "{ a(b: \"x", &format!("{{ {} }}", "é".repeat(500))]
    {
        match read(text, &DocumentLimits::default()) {
            Err(DocumentRejection::Syntax { message, .. }) => assert!(message.chars().count() <= 301),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn the_operation_is_chosen_by_name_or_is_the_only_one() {
    let one = read("mutation M { a }", &DocumentLimits::default()).unwrap();
    let two = read("query A { a } subscription B { b }", &DocumentLimits::default()).unwrap();

    assert_eq!(one.operation_type(None), Ok(OperationType::Mutation));
    assert_eq!(one.operation_type(Some("N")), Err(DocumentRejection::UnknownOperation("N".into())));
    assert_eq!(two.operation_type(Some("B")), Ok(OperationType::Subscription));
    assert_eq!(two.operation_type(None), Err(DocumentRejection::OperationNameRequired));
}

#[test]
fn a_missing_required_variable_is_reported_before_anything_is_executed() {
    let document = read("query ($a: [Int!]!, $b: Int! = 1, $c: Int) { x }", &DocumentLimits::default()).unwrap();
    let check = |given: serde_json::Value| document.require_variables(None, &Variables::from_json(given));
    let missing = |name: &str, required_type: &str| {
        Err(DocumentRejection::MissingVariable { name: name.into(), required_type: required_type.into() })
    };

    assert_eq!(check(serde_json::json!({"a": []})), Ok(()));
    assert_eq!(check(serde_json::json!({})), missing("a", "[Int!]!"));
    assert_eq!(check(serde_json::json!({"a": [], "b": null})), missing("b", "Int!"));
}
