//! The abuse documents, and honest ones. Work is counted, not timed.

use std::fmt::Write as _;

use super::*;

/// `depth` fragments, each of which spreads the next `width` times.
fn fan_out(depth: usize, width: usize) -> String {
    let mut text = "{ ...F0 }".to_owned();
    for n in 0..depth {
        let spread = format!("...F{} ", n + 1).repeat(width);
        write!(text, " fragment F{n} on Query {{ {spread} }}").unwrap();
    }
    write!(text, " fragment F{depth} on Query {{ __typename }}").unwrap();
    text
}

fn refused_for(text: &str) -> &'static str {
    match read(text, &Limits::default()) {
        Err(Refusal::TooMany { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_abuse_document_is_refused_for_what_it_abuses() {
    let aliases: String = (0..50_000).map(|n| format!("a{n}:__typename ")).collect();
    let one_field_directives = format!("{{ __typename {} }}", "@a ".repeat(20_000));
    let nested = format!("{}{}", "{a".repeat(10_000), "}".repeat(10_000));
    let list = format!("{{ a(b: {}{}) }}", "[".repeat(10_000), "]".repeat(10_000));

    assert_eq!(refused_for(&fan_out(22, 2)), "fragment spreads");
    assert_eq!(refused_for(&fan_out(8, 8)), "fragment spreads");
    assert_eq!(refused_for(&fan_out(32, 2)), "fragment spreads");
    assert_eq!(refused_for(&format!("{{ {aliases} }}")), "aliases");
    assert_eq!(refused_for(&one_field_directives), "directives");
    assert_eq!(refused_for(&nested), "levels of nesting");
    assert_eq!(refused_for(&list), "levels of nesting");
    assert_eq!(refused_for(&format!("{{ {} }}", "a ".repeat(3_000))), "tokens");
}

#[test]
fn a_fan_out_that_keeps_to_the_spreads_is_refused_by_its_expansion() {
    let text = fan_out(14, 2);

    assert_eq!(refused_for(&text), "expanded selections");
}

#[test]
fn each_fragment_is_looked_at_once_however_often_it_is_spread() {
    let limits = Limits { spreads: 1_000, selections: usize::MAX >> 1, ..Limits::default() };

    let measured = read(&fan_out(50, 2), &limits).unwrap().measured();

    assert!(measured.selections > 1 << 50);
    assert_eq!(measured.visited, 1 + 50 * 2 + 1);
}

#[test]
fn a_fragment_that_reaches_itself_is_refused() {
    let text = "{ ...A } fragment A on Query { x { ...B ...B } } fragment B on Query { ...A ...A }";

    assert_eq!(read(text, &Limits::default()).unwrap_err(), Refusal::Cycle("A".into()));
}

#[test]
fn what_stands_in_strings_comments_and_arguments_is_not_counted() {
    let text = r#"query Q($a: [Int] = [1], $b: In = {c: 2}) {
        # alias: @directive ...Spread {{{{
        x(a: "a: @b ...C {{{", b: """ "quoted" \""" d: @e {{ """, o: {p: {q: 1}}) { ... on T @skip(if: true) { y } z: w ...F }
    } fragment F on T { v }"#;

    let measured = read(text, &Limits::default()).unwrap().measured();

    assert_eq!((measured.aliases, measured.spreads, measured.directives), (1, 1, 1));
    assert_eq!((measured.selections, measured.nesting), (6, 4));
}

#[test]
fn text_that_is_not_graphql_is_refused_by_the_parser_with_a_short_message() {
    for text in
        ["", "{", "\"", "\"\"\"", "\"\\", "{ \u{feff}é }", "...", "{ a(b: \"x", &format!("{{ {} }}", "é".repeat(500))]
    {
        match read(text, &Limits::default()) {
            Err(Refusal::Syntax { message, .. }) => assert!(message.chars().count() <= 301),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn the_operation_is_the_named_one_or_the_only_one() {
    let one = read("mutation M { a }", &Limits::default()).unwrap();
    let two = read("query A { a } subscription B { b }", &Limits::default()).unwrap();

    assert_eq!(one.operation(None), Ok(OperationType::Mutation));
    assert_eq!(one.operation(Some("N")), Err(Refusal::UnknownOperation("N".into())));
    assert_eq!(two.operation(Some("B")), Ok(OperationType::Subscription));
    assert_eq!(two.operation(None), Err(Refusal::Unnamed));
}

#[test]
fn a_variable_that_must_have_a_value_is_asked_for_before_anything_runs() {
    let document = read("query ($a: [Int!]!, $b: Int! = 1, $c: Int) { x }", &Limits::default()).unwrap();
    let check = |given: serde_json::Value| document.require_variables(None, &Variables::from_json(given));
    let missing = |name: &str, wanted: &str| Err(Refusal::MissingVariable { name: name.into(), wanted: wanted.into() });

    assert_eq!(check(serde_json::json!({"a": []})), Ok(()));
    assert_eq!(check(serde_json::json!({})), missing("a", "[Int!]!"));
    assert_eq!(check(serde_json::json!({"a": [], "b": null})), missing("b", "Int!"));
}
