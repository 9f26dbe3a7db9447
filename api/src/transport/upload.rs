//! Operations with a file: the GraphQL multipart request specification, on a route of its own so that
//! its limits differ from those of a question.
//!
//! The request consists of the part `operations` (the GraphQL request), the part `map` (the place of
//! the file in the variables) and one file, which is written to disk while it arrives. A form on
//! another site's page can send multipart bodies. Therefore the request must carry a header that makes
//! browsers send a preflight request first: `GraphQL-Require-Preflight`, or Apollo's name for it. The
//! API key and its scope are checked before the body is read.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Value;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use helpbot_domain::text;
use multer::{Constraints, Field, Multipart, SizeLimit};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::accept::{self, Media};
use super::http_error::HttpError;
use super::settings::UploadSettings;
use super::state::Transport;
use super::{body, http, params, response_headers, served};
use crate::error::ApiError;
use crate::gateway::caller::AdmittedCaller;
use crate::gateway::files::{UploadedFile, UploadedFiles};
use crate::gateway::permission::Permission;
use crate::gateway::request::RequestParams;

/// Either of these headers, with any value, proves that the sender is not a form on a page.
const PREFLIGHT_HEADERS: [&str; 2] = ["graphql-require-preflight", "apollo-require-preflight"];
/// Maximum size of the part `operations`: a document with its variables.
const OPERATIONS_BYTES: u64 = 64 * 1024;
/// Maximum size of the boundaries, the part headers and the part `map`.
const OVERHEAD_BYTES: u64 = 16 * 1024;

/// Serves one upload.
pub(super) async fn serve(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let media = accept::negotiate(&head.headers).unwrap_or(Media::Json);
    let (allowance, answer) = match admit(&transport, &head).await {
        Ok((boundary, caller)) => (caller.allowance, answer(&transport, body, boundary, caller, media).await),
        Err(error) => (None, Err(error)),
    };
    let mut response = answer.unwrap_or_else(|error| error.into_response(media));
    response_headers::finish(response.headers_mut(), allowance);
    response
}

/// Whether a request at `/graphql` is an upload.
pub(super) fn is_upload(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
    request.method() == Method::POST && media.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// Checks everything that the headers of a request decide. Returns the boundary of the parts.
async fn admit(transport: &Transport, head: &Parts) -> Result<(String, AdmittedCaller), HttpError> {
    if head.method != Method::POST {
        return Err(HttpError::method_not_allowed("POST, OPTIONS", "Send uploads by POST"));
    }
    let boundary = boundary(&head.headers)?;
    if !PREFLIGHT_HEADERS.iter().any(|name| head.headers.contains_key(*name)) {
        return Err(HttpError::malformed("Uploads require the header GraphQL-Require-Preflight: 1"));
    }
    let caller = transport.caller(head)?;
    let caller = transport.gateway.admit(&caller).await?;
    transport.gateway.require(&caller, Permission::Upload).await?;
    let settings = &transport.settings.uploads;
    if body::announced_length(&head.headers).is_some_and(|length| length > request_bytes(settings)) {
        return Err(too_large(settings.file_bytes));
    }
    Ok((boundary, caller))
}

async fn answer(
    transport: &Transport,
    body: Body,
    boundary: String,
    caller: AdmittedCaller,
    media: Media,
) -> Result<Response, HttpError> {
    let settings = &transport.settings.uploads;
    let _receiving = transport.upload_slots.receive(&caller.viewer)?;
    let received = tokio::time::timeout(settings.receive_timeout, receive(body, boundary, settings)).await;
    let (params, files) = received.map_err(|_elapsed| {
        let seconds = settings.receive_timeout.as_secs();
        HttpError::new(StatusCode::REQUEST_TIMEOUT, format!("The upload took longer than {seconds} s"))
    })??;
    let _working = transport.upload_slots.work().await?;
    let caller = caller.with_idempotency_key(params.idempotency_key.clone());
    let prepared = transport.gateway.prepare(params, &caller.viewer).await;
    let mut operation = prepared.map_err(|error| HttpError::rejected(error, media))?;
    operation.attach(files);
    http::require_no_subscription(&operation)?;
    let name = served::shortened(operation.name());
    let mut response = http::written(transport.gateway.execute(operation, &caller).await, media)?;
    served::note(&mut response, Some(name), caller.viewer.site_id);
    Ok(response)
}

fn boundary(headers: &HeaderMap) -> Result<String, HttpError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|value| multer::parse_boundary(value).ok()).ok_or_else(|| {
        let message = "Send uploads as multipart/form-data with a boundary";
        HttpError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })
}

/// Maximum size of the whole body.
fn request_bytes(settings: &UploadSettings) -> u64 {
    settings.file_bytes + OPERATIONS_BYTES + OVERHEAD_BYTES
}

fn too_large(limit: u64) -> HttpError {
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The file is larger than {} MiB", limit / 1024 / 1024))
}

/// Receives the request and its file, in the order that the specification requires.
async fn receive(
    body: Body,
    boundary: String,
    settings: &UploadSettings,
) -> Result<(RequestParams, UploadedFiles), HttpError> {
    let mut parts = parts(body, boundary, settings);
    let broken = |error| multipart_error(&error, settings.file_bytes);
    let operations = expect(parts.next_field().await.map_err(broken)?, "operations")?.bytes().await.map_err(broken)?;
    let mut params = params::from_body(&operations).map_err(HttpError::malformed)?;
    let map = expect(parts.next_field().await.map_err(broken)?, "map")?.bytes().await.map_err(broken)?;
    let (part, path) = place(&map)?;
    let field = expect(parts.next_field().await.map_err(broken)?, &part)?;
    let name = field.file_name().map(str::to_owned).ok_or_else(|| HttpError::malformed("The file has no filename"))?;
    let (content, hash) = to_disk(field, settings.file_bytes).await?;
    // The hash makes a request with another file under the same idempotency key a different request.
    let token = format!("{name}:{hash}");
    put(&mut params, &path, &token)?;
    if parts.next_field().await.map_err(broken)?.is_some() {
        return Err(HttpError::malformed("Send one file per request"));
    }
    Ok((params, UploadedFiles::new(HashMap::from([(token, UploadedFile { name, content })]))))
}

fn parts(body: Body, boundary: String, settings: &UploadSettings) -> Multipart<'static> {
    let limits = SizeLimit::new()
        .whole_stream(request_bytes(settings))
        .per_field(settings.file_bytes)
        .for_field("operations", OPERATIONS_BYTES)
        .for_field("map", OVERHEAD_BYTES);
    Multipart::with_constraints(body.into_data_stream(), boundary, Constraints::new().size_limit(limits))
}

fn expect<'a>(field: Option<Field<'a>>, name: &str) -> Result<Field<'a>, HttpError> {
    field.filter(|field| field.name() == Some(name)).ok_or_else(|| {
        HttpError::malformed("Send the parts operations, map and the file that map names, in this order")
    })
}

fn multipart_error(error: &multer::Error, limit: u64) -> HttpError {
    match error {
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == "operations" || name == "map" => {
            HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The part {name} is too large"))
        }
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => too_large(limit),
        _ => HttpError::malformed("The body is not complete multipart/form-data"),
    }
}

/// The name of the file's part and its place in the variables, from `{"0": ["variables.input.file"]}`.
fn place(map: &[u8]) -> Result<(String, String), HttpError> {
    let map: HashMap<String, Vec<String>> = serde_json::from_slice(map)
        .map_err(|_| HttpError::malformed("map must be a JSON object whose values are lists of strings"))?;
    let mut places = map.into_iter().flat_map(|(part, paths)| paths.into_iter().map(move |path| (part.clone(), path)));
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        _ => Err(HttpError::malformed("map must name one file with one place")),
    }
}

/// Puts the token in the place of the file, which must be `null`.
fn put(params: &mut RequestParams, path: &str, token: &str) -> Result<(), HttpError> {
    let nowhere = || HttpError::malformed("map names a place that is not null in the variables");
    let mut steps = path.strip_prefix("variables.").ok_or_else(nowhere)?.split('.');
    let first = steps.next().and_then(|name| params.variables.get_mut(name));
    let place = steps.try_fold(first.ok_or_else(nowhere)?, |value, step| match value {
        Value::Object(fields) => fields.get_mut(step),
        _ => None,
    });
    match place {
        Some(place @ Value::Null) => *place = Value::String(token.to_owned()),
        _ => return Err(nowhere()),
    }
    Ok(())
}

/// Writes the file to disk. Returns it with the SHA-256 of its content.
async fn to_disk(mut field: Field<'_>, limit: u64) -> Result<(std::fs::File, String), HttpError> {
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "an upload could not be written to disk");
        HttpError::from(ApiError::internal())
    };
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(failed)?);
    let mut hasher = Sha256::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| multipart_error(&error, limit))? {
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok((file.into_std().await, text::hex(&hasher.finalize())))
}
