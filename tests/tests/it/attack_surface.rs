//! Tests of `docs/security.md`: its list of what a visitor can call is exactly what the authorization matrix lets a widget
//! key do, and every test that it names exists. The matrix itself is compared with the schema in `authorization`.

use std::collections::BTreeSet;
use std::path::Path;

use helpbot_domain::key::Scope;
use helpbot_tests::{TestApp, on_both_backends};
use serde_json::Value;

use crate::authorization::{HIDDEN_OPERATIONS, Needs, OPERATIONS, SITE_FIELDS, SUBSCRIPTIONS};

on_both_backends!(every_route_of_the_list_exists);

const PAGE: &str = include_str!("../../../docs/security.md");
/// Heading of the list.
const LIST: &str = "## What a visitor can call";
/// Subscriptions that need a session token besides the widget key. The matrix has no tokens.
const WITH_TOKEN: [&str; 1] = ["Subscription.conversationEvents"];
/// Number of columns of the list: the operation, what it costs, what bounds it and what it can reveal.
const COLUMNS: usize = 4;

fn may_a_visitor(needs: Needs) -> bool {
    match needs {
        Needs::AnyKey => true,
        Needs::Scope(scope) => Scope::WIDGET.contains(&scope),
        Needs::Either(one, other) => Scope::WIDGET.contains(&one) || Scope::WIDGET.contains(&other),
        Needs::Both(one, other) => Scope::WIDGET.contains(&one) && Scope::WIDGET.contains(&other),
        Needs::Operator => false,
    }
}

/// The rows of the list, each with its cells.
fn rows() -> Vec<Vec<&'static str>> {
    let list = PAGE.split_once(LIST).expect("the page has the list").1;
    let list = list.split("\n## ").next().expect("a part");
    let rows = list.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

fn name(row: &[&'static str]) -> &'static str {
    row[0].trim_matches('`')
}

#[test]
fn everything_that_a_visitor_can_call_is_listed_with_its_cost_its_bound_and_what_it_reveals() {
    let matrix = OPERATIONS.iter().chain(HIDDEN_OPERATIONS).chain(SITE_FIELDS).chain(SUBSCRIPTIONS);
    let of_matrix = matrix.filter(|(_, _, needs)| may_a_visitor(*needs)).map(|(name, ..)| *name);
    let expected: BTreeSet<&str> = of_matrix.chain(WITH_TOKEN).collect();
    let rows = rows();
    let listed: BTreeSet<&str> = rows.iter().map(|row| name(row)).filter(|name| !name.contains(' ')).collect();

    let missing: Vec<_> = expected.difference(&listed).collect();
    let unknown: Vec<_> = listed.difference(&expected).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "not listed: {missing:?}; listed but not allowed: {unknown:?}");
    for row in &rows {
        assert!(row.len() == COLUMNS && row.iter().all(|cell| cell.len() > 3), "{row:?}");
    }
    assert_eq!(listed.len() + rows.iter().filter(|row| name(row).contains(' ')).count(), rows.len(), "a row twice");
}

async fn every_route_of_the_list_exists(app: &TestApp) {
    let site = app.site().create().await;
    let openapi = app.anonymous().get("/api/openapi.json").await.json();
    let listed: BTreeSet<&str> = rows().iter().map(|row| name(row)).filter(|name| name.contains(' ')).collect();

    let mut allowed = BTreeSet::new();
    let paths = openapi["paths"].as_object().expect("paths");
    for (path, operations) in paths {
        for method in operations.as_object().expect("operations").keys().filter(|key| *key != "parameters") {
            let method = method.to_uppercase();
            let verb = method.parse().expect("a method");
            let visitor = site.visitor();
            let request = visitor.request(verb, path).header("content-type", "application/json").body("{}");
            // What a widget key may not do is refused before the request is looked at.
            if visitor.send(request).await.status != 403 {
                allowed.insert(format!("{method} {path}"));
            }
        }
    }

    assert_eq!(listed, allowed.iter().map(String::as_str).collect::<BTreeSet<_>>());
    assert_ne!(openapi["paths"]["/api/v1/chat"], Value::Null);
}

#[test]
fn every_test_that_the_page_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let tables = PAGE.split_once("## Attackers and guarantees").expect("the page has the tables").1;
    let tables = tables.split_once(LIST).expect("the page has the list").0;
    let rows = tables.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| guarantee"));
    let mut problems = Vec::new();
    let mut count = 0;
    for row in rows {
        let tests = row.trim_end_matches(" |").rsplit(" | ").next().expect("a column");
        for test in tests.split(", ").map(|test| test.trim_matches('`')) {
            count += 1;
            let (file, function) = test.split_once("::").unwrap_or((test, ""));
            match std::fs::read_to_string(root.join(file)) {
                Err(error) => problems.push(format!("{file}: {error}")),
                Ok(text)
                    if !text.contains(&format!("fn {function}")) && !text.contains(&format!("test(\"{function}")) =>
                {
                    if !function.is_empty() {
                        problems.push(format!("{file} has no test {function}"));
                    }
                }
                Ok(_) => {}
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 40, "only {count} tests were found on the page");
}
