//! The reference page at `/docs`: the OpenAPI document as HTML, rendered once. The page needs no
//! scripts and loads nothing from other hosts.

use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Object, Schema};
use utoipa::openapi::{RefOr, Required};

use crate::openapi::{document, type_name};

static PAGE: LazyLock<String> = LazyLock::new(render);

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const CSS: HeaderValue = HeaderValue::from_static("text/css; charset=utf-8");
const FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");
/// The page has no script; this server provides its stylesheet.
const POLICY: (HeaderName, HeaderValue) = (
    header::CONTENT_SECURITY_POLICY,
    HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'"),
);

/// Serves GET /docs.
pub(crate) async fn page() -> Response {
    ([(header::CONTENT_TYPE, HTML), (header::CACHE_CONTROL, FOR_A_MINUTE), POLICY], PAGE.as_str()).into_response()
}

/// Serves GET /docs/reference.css.
pub(crate) async fn style() -> Response {
    let headers = [(header::CONTENT_TYPE, CSS), (header::CACHE_CONTROL, FOR_A_MINUTE)];
    (headers, include_str!("reference.css")).into_response()
}

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>HelpBot API reference</title>
<link rel="stylesheet" href="/docs/reference.css">
<main>
<h1>API reference</h1>
"#;

const QUICK_START: &str = r#"<h2 id="quick-start">Quick start</h2>
<pre><code>curl -X POST /api/v1/chat \
  -H "Authorization: Bearer YOUR_KEY" \
  -d '{"question":"How do I get started?"}'</code></pre>
<p>Add the address of this server before <code>/api</code>.</p>
"#;

fn render() -> String {
    let mut page = String::from(HEAD);
    let description = document().info.description.as_deref().unwrap_or_default();
    write(&mut page, format_args!("<p>{}</p>\n", prose(description)));
    page.push_str(
        "<p>The same reference for programs: <a href=\"/api/openapi.json\">openapi.json</a> (OpenAPI 3.1).</p>\n",
    );
    navigation(&mut page);
    page.push_str(QUICK_START);
    for tag in document().tags.iter().flatten() {
        let text = tag.description.as_deref().unwrap_or_default();
        write(&mut page, format_args!("<h2>{}</h2>\n<p>{}</p>\n", escaped(&tag.name), prose(text)));
        for (method, path, operation) in operations().filter(|(.., operation)| is_of(operation, &tag.name)) {
            section(&mut page, method, path, operation);
        }
    }
    page
}

fn navigation(page: &mut String) {
    page.push_str("<nav aria-label=\"Routes\"><ul>\n");
    for (method, path, operation) in operations() {
        let id = operation.operation_id.as_deref().unwrap_or_default();
        let line = format_args!(
            "<li><a href=\"#{}\"><code><span class=\"method\">{method}</span>{}</code></a>\n",
            escaped(id),
            escaped(path)
        );
        write(page, line);
    }
    page.push_str("</ul></nav>\n");
}

fn section(page: &mut String, method: &str, path: &str, operation: &Operation) {
    let text = |text: &Option<String>| prose(text.as_deref().unwrap_or_default());
    let id = escaped(operation.operation_id.as_deref().unwrap_or_default());
    write(page, format_args!("<h3 id=\"{id}\">{}</h3>\n", text(&operation.summary)));
    let path = escaped(path);
    write(page, format_args!("<p><code><span class=\"method\">{method}</span>{path}</code></p>\n"));
    write(page, format_args!("<p>{}</p>\n", text(&operation.description)));
    parameters(page, operation);
    if let Some(RefOr::T(body)) = &operation.request_body {
        let content = body.content.values().next();
        fields(page, "Request body", content.and_then(schema_of));
    }
    if let Some(RefOr::T(answer)) = operation.responses.responses.get("200") {
        let content = answer.content.values().next();
        fields(page, "Response", content.and_then(schema_of));
    }
    statuses(page, operation);
}

fn parameters(page: &mut String, operation: &Operation) {
    let found: Vec<_> = operation.parameters.iter().flatten().collect();
    if found.is_empty() {
        return;
    }
    page.push_str("<table><caption>Query parameters</caption>\n");
    for parameter in found {
        let RefOr::T(parameter) = parameter else { continue };
        let kind = parameter.schema.as_ref().map(kind_of).unwrap_or_default();
        row(page, &parameter.name, &parameter.required, &kind, parameter.description.as_deref().unwrap_or_default());
    }
    page.push_str("</table>\n");
}

fn fields(page: &mut String, caption: &str, schema: Option<&RefOr<Schema>>) {
    let Some(object) = schema.and_then(object_of) else { return };
    write(page, format_args!("<table><caption>{caption}</caption>\n"));
    for (name, property) in &object.properties {
        let description = description_of(property);
        let required = if object.required.contains(name) { Required::True } else { Required::False };
        row(page, name, &required, &kind_of(property), description);
    }
    page.push_str("</table>\n");
    let nested = object.properties.values().filter_map(|property| Some((reference_of(property)?, property)));
    for (name, property) in nested {
        fields(page, name, Some(element_of(property)));
    }
}

fn row(page: &mut String, name: &str, required: &Required, kind: &str, description: &str) {
    let mark = if *required == Required::True { " <span class=\"required\">required</span>" } else { "" };
    let (name, kind, description) = (escaped(name), escaped(kind), prose(description));
    let line = format_args!(
        "<tr><th scope=\"row\"><code>{name}</code>{mark}</th><td><code>{kind}</code></td><td>{description}</td></tr>\n"
    );
    write(page, line);
}

fn statuses(page: &mut String, operation: &Operation) {
    page.push_str("<table><caption>Statuses</caption>\n");
    for (status, answer) in &operation.responses.responses {
        let description = match answer {
            RefOr::T(answer) => answer.description.as_str(),
            RefOr::Ref(reference) => {
                let name = last_segment(&reference.ref_location);
                let components = document().components.as_ref();
                match components.and_then(|components| components.responses.get(name)) {
                    Some(RefOr::T(answer)) => answer.description.as_str(),
                    _ => "",
                }
            }
        };
        let description = prose(description);
        write(page, format_args!("<tr><th scope=\"row\">{status}</th><td colspan=\"2\">{description}</td></tr>\n"));
    }
    page.push_str("</table>\n");
}

/// All operations in the order of the document.
fn operations() -> impl Iterator<Item = (&'static str, &'static str, &'static Operation)> {
    document()
        .paths
        .paths
        .iter()
        .flat_map(|(path, item)| of_path(item).map(move |(method, found)| (method, path.as_str(), found)))
}

fn of_path(item: &'static PathItem) -> impl Iterator<Item = (&'static str, &'static Operation)> {
    let all = [("GET", &item.get), ("POST", &item.post), ("PATCH", &item.patch), ("DELETE", &item.delete)];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn is_of(operation: &Operation, tag: &str) -> bool {
    operation.tags.iter().flatten().any(|name| name == tag)
}

fn schema_of(content: &RefOr<utoipa::openapi::Content>) -> Option<&RefOr<Schema>> {
    match content {
        RefOr::T(content) => content.schema.as_ref(),
        RefOr::Ref(_) => None,
    }
}

fn named(reference: &utoipa::openapi::Ref) -> Option<&'static RefOr<Schema>> {
    document().components.as_ref()?.schemas.get(last_segment(&reference.ref_location))
}

fn object_of(schema: &RefOr<Schema>) -> Option<&Object> {
    match schema {
        RefOr::T(Schema::Object(object)) => Some(object),
        RefOr::T(_) => None,
        RefOr::Ref(reference) => object_of(named(reference)?),
    }
}

/// The schema of the items of an array, or the schema itself if it is not an array.
fn element_of(schema: &RefOr<Schema>) -> &RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Array(array)) => match &array.items {
            utoipa::openapi::schema::ArrayItems::RefOrSchema(items) => items,
            utoipa::openapi::schema::ArrayItems::False => schema,
        },
        other => other,
    }
}

/// The name of the object in a field, or in the list in a field. The page shows it below.
fn reference_of(schema: &RefOr<Schema>) -> Option<&str> {
    match element_of(schema) {
        RefOr::Ref(reference) => {
            let is_object = object_of(named(reference)?).is_some_and(|object| !object.properties.is_empty());
            is_object.then(|| last_segment(&reference.ref_location))
        }
        RefOr::T(_) => None,
    }
}

fn kind_of(schema: &RefOr<Schema>) -> String {
    match schema {
        RefOr::Ref(reference) => match named(reference).and_then(object_of) {
            Some(object) if object.enum_values.is_some() => words(object),
            _ => last_segment(&reference.ref_location).to_owned(),
        },
        RefOr::T(Schema::Array(_)) => format!("{}[]", kind_of(element_of(schema))),
        RefOr::T(Schema::Object(object)) if object.enum_values.is_some() => words(object),
        RefOr::T(Schema::Object(object)) => type_name(&object.schema_type),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().map(kind_of).collect::<Vec<_>>().join(" | "),
        RefOr::T(_) => "object".to_owned(),
    }
}

fn words(object: &Object) -> String {
    object.enum_values.iter().flatten().map(ToString::to_string).collect::<Vec<_>>().join(" | ")
}

fn description_of(schema: &RefOr<Schema>) -> &str {
    let description = match schema {
        RefOr::T(Schema::Object(object)) => object.description.as_deref(),
        RefOr::T(Schema::Array(array)) => array.description.as_deref(),
        // For a nullable reference, the description is beside the reference.
        RefOr::T(Schema::OneOf(one)) => one.items.first().map(description_of),
        RefOr::T(_) => None,
        RefOr::Ref(reference) if !reference.description.is_empty() => Some(reference.description.as_str()),
        RefOr::Ref(reference) => named(reference).map(description_of),
    };
    description.unwrap_or_default()
}

fn last_segment(location: &str) -> &str {
    location.rsplit('/').next().unwrap_or(location)
}

/// Escaped text with its `code` spans.
fn prose(text: &str) -> String {
    let pieces = text.split('`').enumerate();
    pieces
        .map(|(n, piece)| if n % 2 == 1 { format!("<code>{}</code>", escaped(piece)) } else { escaped(piece) })
        .collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn write(page: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = page.write_fmt(line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_each_route_and_needs_neither_scripts_nor_other_hosts() {
        let page = render();

        assert_eq!(operations().count(), 15);
        for (_, path, operation) in operations() {
            let id = operation.operation_id.as_deref().unwrap();
            assert!(page.contains(&format!("<h3 id=\"{id}\">")), "{path}");
        }
        assert!(!page.contains("<script") && !page.contains("://") || page.matches("://").count() == 0);
        assert!(page.contains("&quot;bottom-right&quot; | &quot;bottom-left&quot;"));
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(prose("a <b> `\"&`"), "a &lt;b&gt; <code>&quot;&amp;</code>");
    }
}
