//! Operations that come with a file: the GraphQL multipart request specification, on a route of
//! its own, so that its limits are not those of a question.
//!
//! A part `operations` (the GraphQL request), a part `map` (where the file stands in its
//! variables), then one file, which goes to disk as it comes. A foreign page's form can send
//! multipart, so that a header is asked for which makes browsers ask us first
//! (`GraphQL-Require-Preflight`, or Apollo's name for it). The key is looked up before the body
//! is read; who may do what with the file is the operation's to say.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_graphql::Value;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use helpbot_domain::text;
use multer::{Constraints, Field, Multipart, SizeLimit};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;
use tokio::sync::Semaphore;

use super::accept::{self, Media};
use super::problem::Problem;
use super::{Transport, http, params};
use crate::error::{ErrorCode, Failure};
use crate::gateway::{Caller, Params, Session};
use crate::limits::Standing;
use crate::uploads::{UploadedFile, UploadedFiles};

/// Any of these, with any value, shows that the sender is no form of a foreign page.
const PREFLIGHT_HEADERS: [&str; 2] = ["graphql-require-preflight", "apollo-require-preflight"];
/// What the parts before the file may have: a document with its variables.
const OPERATIONS_BYTES: u64 = 64 * 1024;
/// Boundaries, heads of parts and `map`.
const AROUND_BYTES: u64 = 16 * 1024;

/// What an installation allows uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploadSettings {
    /// The largest file: the largest that a source may have.
    pub file_bytes: u64,
    /// Uploads being received at a time; each takes room on disk.
    pub receiving: usize,
    /// Uploads being worked on at a time; each takes its file's size of memory.
    pub working: usize,
    /// How long one may take to arrive: the largest file at 1.4 Mbit/s.
    pub receive_timeout: Duration,
}

impl Default for UploadSettings {
    fn default() -> Self {
        let file_bytes = helpbot_services::sources::FILE_MAX_BYTES as u64;
        Self { file_bytes, receiving: 32, working: 2, receive_timeout: Duration::from_secs(120) }
    }
}

/// The seats of uploads.
#[derive(Debug)]
pub(super) struct Uploads {
    settings: UploadSettings,
    receiving: Semaphore,
    working: Semaphore,
}

impl Uploads {
    pub(super) fn new(settings: UploadSettings) -> Self {
        let (receiving, working) = (Semaphore::new(settings.receiving), Semaphore::new(settings.working));
        Self { settings, receiving, working }
    }
}

/// Serves one upload.
pub(super) async fn serve(State(transport): State<Arc<Transport>>, request: Request) -> Response {
    let caller = transport.gateway.caller(request.headers(), request.extensions());
    let media = accept::negotiate(request.headers()).unwrap_or(Media::Json);
    let mut standing = None;
    let answer = answer(&transport, request, &caller, media, &mut standing).await;
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(media));
    http::seal(response.headers_mut(), &caller.request_id, standing);
    response
}

async fn answer(
    transport: &Transport,
    request: Request,
    caller: &Caller,
    media: Media,
    standing: &mut Option<Standing>,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    if head.method != Method::POST {
        return Err(Problem::method_not_allowed("POST, OPTIONS", "Send uploads by POST"));
    }
    let boundary = boundary(&head.headers)?;
    if !PREFLIGHT_HEADERS.iter().any(|name| head.headers.contains_key(*name)) {
        return Err(Problem::malformed("Send the header GraphQL-Require-Preflight: 1 with an upload"));
    }
    let viewer = transport.gateway.authenticate(caller).await?;
    *standing = transport.gateway.admit(&viewer, caller)?;
    let uploads = &transport.uploads;
    let most = uploads.settings.file_bytes + OPERATIONS_BYTES + AROUND_BYTES;
    let told = head.headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if told.is_some_and(|length| length > most) {
        return Err(too_large(uploads.settings.file_bytes));
    }
    let _receiving = uploads.receiving.try_acquire().map_err(|_| busy())?;
    let received = receive(body, boundary, &uploads.settings);
    let received = tokio::time::timeout(uploads.settings.receive_timeout, received).await;
    let (params, files) = received.map_err(|_| {
        let seconds = uploads.settings.receive_timeout.as_secs();
        Problem::new(StatusCode::REQUEST_TIMEOUT, format!("The upload took longer than {seconds} s"))
    })??;
    let _working = uploads.working.acquire().await.map_err(|_| busy())?;
    let idempotency_key = params.idempotency_key.clone().or_else(|| caller.idempotency_key.clone());
    let session = Session { viewer, request_id: caller.request_id.clone(), idempotency_key };
    let mut prepared = transport.gateway.prepare(params).map_err(|error| Problem::refused(error, media))?;
    prepared.attach(files);
    http::run(transport, prepared, &session, media).await
}

fn boundary(headers: &HeaderMap) -> Result<String, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    content_type.and_then(|value| multer::parse_boundary(value).ok()).ok_or_else(|| {
        let message = "Send uploads as multipart/form-data with a boundary";
        Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })
}

fn busy() -> Problem {
    let message = "As many uploads as may be are under way";
    Problem::from(Failure::new(ErrorCode::Unavailable, message).retry_after(Duration::from_secs(5)))
}

fn too_large(limit: u64) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The file is larger than {} MiB", limit / 1024 / 1024))
}

/// The request with its file, in the order that the specification demands.
async fn receive(body: Body, boundary: String, settings: &UploadSettings) -> Result<(Params, UploadedFiles), Problem> {
    let limits = SizeLimit::new()
        .whole_stream(settings.file_bytes + OPERATIONS_BYTES + AROUND_BYTES)
        .per_field(settings.file_bytes)
        .for_field("operations", OPERATIONS_BYTES)
        .for_field("map", AROUND_BYTES);
    let broken = |error| problem(&error, settings.file_bytes);
    let constraints = Constraints::new().size_limit(limits);
    let mut parts = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let operations = expect(parts.next_field().await.map_err(broken)?, "operations")?.bytes().await.map_err(broken)?;
    let mut params = params::from_body(&operations).map_err(Problem::malformed)?;
    let map = expect(parts.next_field().await.map_err(broken)?, "map")?.bytes().await.map_err(broken)?;
    let (part, path) = place(&map)?;
    let field = expect(parts.next_field().await.map_err(broken)?, &part)?;
    let name = field.file_name().map(str::to_owned).ok_or_else(|| Problem::malformed("The file has no filename"))?;
    let (content, hash) = to_disk(field, settings.file_bytes).await?;
    // Another file under the same key is another request.
    let token = format!("{name}:{hash}");
    put(&mut params, &path, &token)?;
    if parts.next_field().await.map_err(broken)?.is_some() {
        return Err(Problem::malformed("Send one file a request"));
    }
    Ok((params, UploadedFiles::new(HashMap::from([(token, UploadedFile { name, content })]))))
}

fn expect<'a>(field: Option<Field<'a>>, name: &str) -> Result<Field<'a>, Problem> {
    field
        .filter(|field| field.name() == Some(name))
        .ok_or_else(|| Problem::malformed("Send the parts operations, map and the file that map names, in this order"))
}

fn problem(error: &multer::Error, limit: u64) -> Problem {
    match error {
        multer::Error::FieldSizeExceeded { field_name: Some(name), .. } if name == "operations" || name == "map" => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("The part {name} is too large"))
        }
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => too_large(limit),
        _ => Problem::malformed("The body is not whole multipart/form-data"),
    }
}

/// The part and the variable that `map` brings together: `{"0": ["variables.input.file"]}`.
fn place(map: &[u8]) -> Result<(String, String), Problem> {
    let map: HashMap<String, Vec<String>> =
        serde_json::from_slice(map).map_err(|_| Problem::malformed("map must be a JSON object of lists of texts"))?;
    let mut places = map.into_iter().flat_map(|(part, paths)| paths.into_iter().map(move |path| (part.clone(), path)));
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        _ => Err(Problem::malformed("map must name one file with one place")),
    }
}

/// Puts the token in the place of the file, which must hold `null`.
fn put(params: &mut Params, path: &str, token: &str) -> Result<(), Problem> {
    let nowhere = || Problem::malformed("map names a place that is not null in the variables");
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

/// The file on disk, and the SHA-256 of its bytes.
async fn to_disk(mut field: Field<'_>, limit: u64) -> Result<(std::fs::File, String), Problem> {
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "an upload could not be put on disk");
        Problem::from(Failure::new(ErrorCode::Internal, "Internal server error"))
    };
    let mut file = tokio::fs::File::from_std(tempfile::tempfile().map_err(failed)?);
    let mut hasher = Sha256::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| problem(&error, limit))? {
        hasher.update(&chunk);
        file.write_all(&chunk).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok((file.into_std().await, text::hex(&hasher.finalize())))
}
