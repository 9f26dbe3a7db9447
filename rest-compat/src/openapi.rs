//! The OpenAPI 3.1 document, generated once from the types and constants of the endpoints.
//!
//! It therefore contains every field with its actual type. Tests check that every field and status has
//! a description and an example.

use std::sync::LazyLock;

use axum::http::{HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, KnownFormat, Object, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    ContactBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, Paths,
    PathsBuilder, Ref, RefOr, Required, Response as Answer, ResponseBuilder, Schema, ServerBuilder, Tag,
    path::PathItem, tag::TagBuilder,
};
use utoipa::{PartialSchema, ToSchema};

use crate::endpoint::{BASE, Caching, CreditHeaders, Endpoint, EndpointVisitor};
use crate::endpoints::for_each_endpoint;
use crate::error::{ErrorBody, ErrorDetails};

const JSON: &str = "application/json";
const BEARER: &str = "bearer";
const QUERY_KEY: &str = "apiKeyQuery";
const KEY_EXAMPLE: &str = "wk_live_abc123";
const DESCRIPTION: &str = "Ask questions that are answered from the sources of a site, hand conversations over to \
    humans, and manage sources, webhooks and the widget. Every route requires an API key in one of three places; the \
    first place that contains a key decides: `Authorization: Bearer <key>`, `?apiKey=<key>`, or `apiKey` in the JSON \
    body. Bodies are parsed as JSON whatever their content type is, and unknown fields are ignored. A successful \
    response always has status 200 and contains JSON. Every error is `{\"error\": \"…\", \"code\": \"…\"}`. Every \
    response carries `X-Request-Id`. CORS allows pages of every origin to call, without cookies.";

/// Statuses that every route can return in addition to its own: status, name, meaning.
const COMMON: [(u16, &str, &str); 6] = [
    (401, "Unauthorized", "The request has no API key, or the key is invalid."),
    (403, "Forbidden", "The key has no permission for this request."),
    (413, "TooLarge", "The body is larger than 64 KiB."),
    (
        429,
        "TooMany",
        "The caller sent too many requests, or the credits of the month are used up. `Retry-After` contains the number of seconds to wait.",
    ),
    (500, "Fault", "The server failed. Its log contains the cause under the request ID."),
    (
        503,
        "Unavailable",
        "The server is temporarily unable to answer. `Retry-After` contains the number of seconds to wait.",
    ),
];

/// The response to an idempotency key that was used for another request.
const MISMATCH: &str = "Mismatch";

/// Headers that report the rate limit, if the installation has one.
const RATES: [(&str, &str); 3] = [
    ("RateLimit-Limit", "Maximum number of requests per minute. Absent when there is no limit."),
    ("RateLimit-Remaining", "Number of requests that the caller may send immediately."),
    ("RateLimit-Reset", "Seconds until the caller may send the maximum number of requests again."),
];

/// Headers that report the credits of the month.
const CREDITS: [(&str, &str); 2] = [
    (
        "X-Credits-Limit",
        "Number of questions that the site may ask in this month. The value 2147483647 means that there is no limit.",
    ),
    ("X-Credits-Remaining", "Number of questions that remain in this month."),
];

static DOCUMENT: LazyLock<OpenApi> = LazyLock::new(build);
static TEXT: LazyLock<String> =
    LazyLock::new(|| DOCUMENT.to_pretty_json().expect("the document is plain data, as a test shows"));

/// The document.
pub(crate) fn document() -> &'static OpenApi {
    &DOCUMENT
}

/// The document as JSON.
pub(crate) fn json() -> &'static str {
    &TEXT
}

/// Serves GET /openapi.json and /api/openapi.json.
pub(crate) async fn serve() -> Response {
    const FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(JSON)), (header::CACHE_CONTROL, FOR_A_MINUTE)];
    (headers, json()).into_response()
}

/// The groups of routes in the order of the reference page, with their descriptions.
fn tags() -> Vec<Tag> {
    let tags = [
        ("Chat", "Ask questions, rate answers and request a human."),
        ("Sources", "Manage the sources that answers come from."),
        ("Widget", "Read and change the appearance and the texts of the widget."),
        ("Analytics", "Read metrics, activity and conversations."),
        ("Webhooks", "Manage the endpoints to which events are sent."),
    ];
    tags.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build()).into()
}

fn build() -> OpenApi {
    let mut describe = DocumentBuilder { paths: Paths::new(), components: components() };
    for_each_endpoint(&mut describe);
    let license = LicenseBuilder::new().name("MIT OR Apache-2.0").identifier(Some("MIT OR Apache-2.0")).build();
    let info = InfoBuilder::new()
        .title("HelpBot API")
        .version("1.0.0")
        .description(Some(DESCRIPTION))
        .contact(Some(ContactBuilder::new().name(Some("The operator of this installation")).build()))
        .license(Some(license))
        .build();
    let either = [BEARER, QUERY_KEY].map(|scheme| SecurityRequirement::new(scheme, [] as [&str; 0]));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new()
            .url("/")
            .description(Some("This installation of HelpBot serves the API."))
            .build()]))
        .tags(Some(tags()))
        .security(Some(either))
        .paths(describe.paths)
        .components(Some(describe.components.build()))
        .build()
}

/// The components that several routes refer to.
fn components() -> ComponentsBuilder {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The header `Authorization: Bearer <key>`, for requests from servers."))
        .build();
    let query = ApiKeyValue::with_description(
        "apiKey",
        "The query parameter `?apiKey=<key>`, for widgets. Requests with a JSON body may send the field `apiKey` instead.",
    );
    let mut components = ComponentsBuilder::new()
        .schema(ErrorBody::name(), ErrorBody::schema())
        .schema(ErrorDetails::name(), ErrorDetails::schema())
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(QUERY_KEY, SecurityScheme::ApiKey(ApiKey::Query(query)));
    let meaning = "This `Idempotency-Key` was used for a different request in the last 24 hours.";
    components = components.response(MISMATCH, error_response(409, meaning));
    for (status, name, meaning) in COMMON {
        components = components.response(name, error_response(status, meaning));
    }
    components
}

struct DocumentBuilder {
    paths: Paths,
    components: ComponentsBuilder,
}

impl EndpointVisitor for DocumentBuilder {
    fn visit<E: Endpoint>(&mut self) {
        let mut schemas = vec![(E::Answer::name().into_owned(), E::Answer::schema())];
        E::Answer::schemas(&mut schemas);
        E::Request::schemas(&mut schemas);
        let (parameters, body) = match E::METHOD {
            Method::POST | Method::PATCH => {
                schemas.push((E::Request::name().into_owned(), with_key(E::Request::schema())));
                let key = (E::METHOD == Method::POST).then(idempotency_key);
                (key.into_iter().collect(), Some(body_of::<E>()))
            }
            _ => (parameters(E::Request::schema()), None),
        };
        let components = std::mem::take(&mut self.components);
        self.components = schemas.into_iter().fold(components, |all, (name, schema)| all.schema(name, schema));
        let parameters = (!parameters.is_empty()).then_some(parameters);
        let operation = operation::<E>().parameters(parameters).request_body(body).build();
        let paths = PathsBuilder::new().path(format!("{BASE}{}", E::PATH), item(&E::METHOD, operation));
        self.paths.merge(paths.build());
    }
}

fn item(method: &Method, operation: Operation) -> PathItem {
    let method = match *method {
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    };
    PathItem::new(method, operation)
}

fn operation<E: Endpoint>() -> OperationBuilder {
    let doc = E::DOC;
    let operation = OperationBuilder::new()
        .tag(doc.tag)
        .operation_id(Some(doc.id))
        .summary(Some(doc.summary))
        .description(Some(doc.description))
        .response("200", success::<E>());
    let operation = match E::CACHING {
        Caching::NoStore => operation,
        Caching::Minute => operation.response("304", not_modified()),
    };
    let own = doc.errors.iter().map(|(status, meaning)| (*status, RefOr::T(error_response(*status, meaning))));
    let is_own = |status: u16| doc.errors.iter().any(|(own, _)| *own == status);
    let common = COMMON.into_iter().filter(|(status, ..)| !is_own(*status));
    let common = common.map(|(status, name, _)| (status, RefOr::Ref(Ref::from_response_name(name))));
    let mismatch = (E::METHOD == Method::POST).then(|| (409, RefOr::Ref(Ref::from_response_name(MISMATCH))));
    let mut responses: Vec<(u16, RefOr<Answer>)> = own.chain(common).chain(mismatch).collect();
    responses.sort_by_key(|(status, _)| *status);
    responses.into_iter().fold(operation, |operation, (status, answer)| operation.response(status.to_string(), answer))
}

fn success<E: Endpoint>() -> Answer {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(E::Answer::name()))).build();
    let answer =
        ResponseBuilder::new().description(E::DOC.success).content(JSON, content).header("X-Request-Id", request_id());
    let answer = RATES.into_iter().fold(answer, |answer, (name, meaning)| answer.header(name, count(meaning)));
    let answer = match E::CREDIT_HEADERS {
        CreditHeaders::Absent => answer,
        CreditHeaders::Present => {
            CREDITS.into_iter().fold(answer, |answer, (name, meaning)| answer.header(name, count(meaning)))
        }
    };
    match E::CACHING {
        Caching::NoStore => answer.build(),
        Caching::Minute => answer.header("ETag", entity_tag()).build(),
    }
}

fn not_modified() -> Answer {
    let description = "The configuration has not changed since the response with the entity tag in `If-None-Match`.";
    ResponseBuilder::new().description(description).header("ETag", entity_tag()).build()
}

fn error_response(status: u16, meaning: &str) -> Answer {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
    let answer =
        ResponseBuilder::new().description(meaning).content(JSON, content).header("X-Request-Id", request_id());
    match status {
        429 => {
            let left = "The value is 0 when this limit is used up. Absent otherwise.";
            let answer = answer.header("Retry-After", retry_after());
            answer.header(RATES[1].0, count(left)).header(CREDITS[1].0, count(left)).build()
        }
        503 => answer.header("Retry-After", retry_after()).build(),
        _ => answer.build(),
    }
}

fn count(meaning: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).examples([600]).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(meaning)).build()
}

fn request_id() -> utoipa::openapi::Header {
    text_header("ID that the server's log uses for the request.", "18b2f0-1c")
}

fn entity_tag() -> utoipa::openapi::Header {
    text_header("Entity tag that changes when the configuration changes.", "\"5d41402abc4b2a76\"")
}

fn text_header(description: &str, example: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).examples([example]).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn retry_after() -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).examples([30]).build();
    HeaderBuilder::new()
        .schema(Some(schema))
        .description(Some("Number of seconds to wait before the next request."))
        .build()
}

fn body_of<E: Endpoint>() -> RequestBody {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(E::Request::name()))).build();
    RequestBodyBuilder::new()
        .description(Some("The body must be a JSON object of at most 64 KiB."))
        .required(Some(Required::True))
        .content(JSON, content)
        .build()
}

/// Adds the API key to the fields of a body.
fn with_key(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .description(Some("API key. It is used when neither the header nor the query string contains one."))
            .examples([KEY_EXAMPLE])
            .build();
        object.properties.insert("apiKey".to_owned(), RefOr::T(Schema::Object(key)));
    }
    schema
}

/// The header with which a caller makes a request idempotent.
fn idempotency_key() -> Parameter {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]+$"))
        .examples(["5f3a1c"])
        .build();
    let description = "A key of your choice. A repeated request with the same key has no second effect and returns the \
                       stored response for 24 hours.";
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(name))
        .build()
}

/// The fields of a request that are read from the query string.
fn parameters(schema: RefOr<Schema>) -> Vec<Parameter> {
    let RefOr::T(Schema::Object(object)) = schema else { return Vec::new() };
    let Object { properties, required, .. } = object;
    let parameter = |(name, mut schema): (String, RefOr<Schema>)| {
        let is_required = if required.contains(&name) { Required::True } else { Required::False };
        let description = match &mut schema {
            RefOr::T(Schema::Object(object)) => object.description.take(),
            RefOr::Ref(reference) => Some(std::mem::take(&mut reference.description)),
            RefOr::T(_) => None,
        };
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(is_required)
            .description(description)
            .schema(Some(schema))
            .build()
    };
    properties.into_iter().map(parameter).collect()
}

/// The name of a type, as the reference page shows it.
pub(crate) fn type_name(kind: &SchemaType) -> String {
    let name = |kind: &Type| match kind {
        Type::Object => "object",
        Type::String => "string",
        Type::Integer => "integer",
        Type::Number => "number",
        Type::Boolean => "boolean",
        Type::Array => "array",
        Type::Null => "null",
    };
    match kind {
        SchemaType::Type(kind) => name(kind).to_owned(),
        SchemaType::Array(kinds) => kinds.iter().map(name).collect::<Vec<_>>().join(" | "),
        SchemaType::AnyValue => "any".to_owned(),
    }
}

#[cfg(test)]
mod tests;
