//! The OpenAPI 3.1 document, made of the endpoints' own types and constants, once.
//!
//! A field cannot be missing from it, or be described with a type that it does not have; that
//! each field and status is there with its description and example is what the tests look at.

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

use crate::BASE;
use crate::endpoint::{Caching, Credits, Endpoint, Visitor};
use crate::error::{ErrorBody, ErrorDetails};

const JSON: &str = "application/json";
const BEARER: &str = "bearer";
const QUERY_KEY: &str = "apiKeyQuery";
const KEY_EXAMPLE: &str = "wk_live_abc123";
const DESCRIPTION: &str = "Ask a site's sources, hand conversations to humans, and manage what answers come from. \
    A key opens each route, in one of three places, of which the first that holds one decides: \
    `Authorization: Bearer <key>`, `?apiKey=<key>`, or `apiKey` in the JSON body. \
    Bodies are read as JSON whatever their content type says; unknown fields are ignored. \
    Success is always 200 with JSON, every error is `{\"error\": \"…\", \"code\": \"…\"}`, and \
    every answer carries `X-Request-Id`. Any page may call: CORS allows each origin, without cookies.";

/// What each route can answer beside its own statuses: status, name, meaning.
const COMMON: [(u16, &str, &str); 6] = [
    (401, "Unauthorized", "There is no key, or it does not open."),
    (403, "Forbidden", "The key may not do this."),
    (413, "TooLarge", "The body has more than 64 KiB."),
    (429, "TooMany", "Too many requests, or the month's credits are used up; `Retry-After` says when to come back."),
    (500, "Fault", "Internal server error. The request id leads to its cause in the server's log."),
    (503, "Unavailable", "Not now; `Retry-After` says when to come back."),
];

/// The answer to a request whose name is taken.
const MISMATCH: &str = "Mismatch";

/// What is told of the rate limit, where the installation has one.
const RATES: [(&str, &str); 3] = [
    ("RateLimit-Limit", "Requests a minute that the caller may send; absent without a limit."),
    ("RateLimit-Remaining", "How many of them may come at once now."),
    ("RateLimit-Reset", "Seconds until all of them may."),
];

/// What is told of the month's questions.
const CREDITS: [(&str, &str); 2] = [
    ("X-Credits-Limit", "Questions that the month may have; 2147483647 means without limit."),
    ("X-Credits-Remaining", "Questions left."),
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

/// GET /openapi.json and /api/openapi.json
pub(crate) async fn serve() -> Response {
    const FOR_A_MINUTE: HeaderValue = HeaderValue::from_static("public, max-age=60");
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(JSON)), (header::CACHE_CONTROL, FOR_A_MINUTE)];
    (headers, json()).into_response()
}

/// The families in the order of the reference page, with what they are for.
fn tags() -> Vec<Tag> {
    let tags = [
        ("Chat", "Ask questions, vote on answers, ask for a human."),
        ("Sources", "Manage what answers come from."),
        ("Widget", "Read and change how the widget looks and what it says."),
        ("Analytics", "Figures, activity and conversations."),
        ("Webhooks", "Manage where events are sent."),
    ];
    tags.map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build()).into()
}

fn build() -> OpenApi {
    let mut describe = Describe { paths: Paths::new(), components: components() };
    crate::for_each_endpoint(&mut describe);
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
        .servers(Some([ServerBuilder::new().url("/").description(Some("This installation")).build()]))
        .tags(Some(tags()))
        .security(Some(either))
        .paths(describe.paths)
        .components(Some(describe.components.build()))
        .build()
}

/// What several routes refer to.
fn components() -> ComponentsBuilder {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("`Authorization: Bearer <key>`; for calls from servers."))
        .build();
    let query = ApiKeyValue::with_description(
        "apiKey",
        "`?apiKey=<key>`; for widgets. Where there is a JSON body, its field `apiKey` serves as well.",
    );
    let mut components = ComponentsBuilder::new()
        .schema(ErrorBody::name(), ErrorBody::schema())
        .schema(ErrorDetails::name(), ErrorDetails::schema())
        .security_scheme(BEARER, SecurityScheme::Http(bearer))
        .security_scheme(QUERY_KEY, SecurityScheme::ApiKey(ApiKey::Query(query)));
    let meaning = "Another request was made under this `Idempotency-Key` in the last 24 hours.";
    components = components.response(MISMATCH, refused(409, meaning));
    for (status, name, meaning) in COMMON {
        components = components.response(name, refused(status, meaning));
    }
    components
}

struct Describe {
    paths: Paths,
    components: ComponentsBuilder,
}

impl Visitor for Describe {
    fn visit<E: Endpoint>(&mut self) {
        let mut schemas = vec![(E::Answer::name().into_owned(), E::Answer::schema())];
        E::Answer::schemas(&mut schemas);
        E::Request::schemas(&mut schemas);
        let (parameters, body) = match E::METHOD {
            Method::POST | Method::PATCH => {
                schemas.push((E::Request::name().into_owned(), with_key(E::Request::schema())));
                let named = (E::METHOD == Method::POST).then(request_name);
                (named.into_iter().collect(), Some(body_of::<E>()))
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
    let own = doc.errors.iter().map(|(status, meaning)| (*status, RefOr::T(refused(*status, meaning))));
    let is_own = |status: u16| doc.errors.iter().any(|(own, _)| *own == status);
    let common = COMMON.into_iter().filter(|(status, ..)| !is_own(*status));
    let common = common.map(|(status, name, _)| (status, RefOr::Ref(Ref::from_response_name(name))));
    let mismatch = (E::METHOD == Method::POST).then(|| (409, RefOr::Ref(Ref::from_response_name(MISMATCH))));
    let mut refusals: Vec<(u16, RefOr<Answer>)> = own.chain(common).chain(mismatch).collect();
    refusals.sort_by_key(|(status, _)| *status);
    refusals.into_iter().fold(operation, |operation, (status, answer)| operation.response(status.to_string(), answer))
}

fn success<E: Endpoint>() -> Answer {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(E::Answer::name()))).build();
    let answer =
        ResponseBuilder::new().description(E::DOC.success).content(JSON, content).header("X-Request-Id", request_id());
    let answer = RATES.into_iter().fold(answer, |answer, (name, meaning)| answer.header(name, count(meaning)));
    let answer = match E::CREDITS {
        Credits::Untold => answer,
        Credits::Told => {
            CREDITS.into_iter().fold(answer, |answer, (name, meaning)| answer.header(name, count(meaning)))
        }
    };
    match E::CACHING {
        Caching::NoStore => answer.build(),
        Caching::Minute => answer.header("ETag", entity_tag()).build(),
    }
}

fn not_modified() -> Answer {
    let description = "The configuration is the one that `If-None-Match` names.";
    ResponseBuilder::new().description(description).header("ETag", entity_tag()).build()
}

fn refused(status: u16, meaning: &str) -> Answer {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ErrorBody::name()))).build();
    let answer =
        ResponseBuilder::new().description(meaning).content(JSON, content).header("X-Request-Id", request_id());
    match status {
        429 => {
            let left = "0 when this is what is used up; absent otherwise.";
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
    text_header("The name of the request in the server's log.", "18b2f0-1c")
}

fn entity_tag() -> utoipa::openapi::Header {
    text_header("Changes with the configuration.", "\"5d41402abc4b2a76\"")
}

fn text_header(description: &str, example: &str) -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(Type::String).examples([example]).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
}

fn retry_after() -> utoipa::openapi::Header {
    let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).examples([30]).build();
    HeaderBuilder::new().schema(Some(schema)).description(Some("Seconds to wait.")).build()
}

fn body_of<E: Endpoint>() -> RequestBody {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(E::Request::name()))).build();
    RequestBodyBuilder::new()
        .description(Some("A JSON object of at most 64 KiB."))
        .required(Some(Required::True))
        .content(JSON, content)
        .build()
}

/// The fields of a body, and the key that may stand among them.
fn with_key(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    if let RefOr::T(Schema::Object(object)) = &mut schema {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)))
            .description(Some("The key, when neither header nor query holds one."))
            .examples([KEY_EXAMPLE])
            .build();
        object.properties.insert("apiKey".to_owned(), RefOr::T(Schema::Object(key)));
    }
    schema
}

/// What a caller may name its request.
fn request_name() -> Parameter {
    let name = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]+$"))
        .examples(["5f3a1c"])
        .build();
    let description = "A name of your choice: the same request again under it has no second effect and gets the same \
                       answer for 24 hours.";
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(name))
        .build()
}

/// The fields of a request that is read from the query.
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

/// The name of a schema's type, as the reference page shows it.
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
