//! All entries of a site as a file: `GET /graphql/export/faq-entries.csv` or `.jsonl`, with a key that
//! has the scope to read sources. `?siteId=` names the site when the operator calls.
//!
//! The file is sent while it is read, so its size does not matter for the memory of the server.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::ID;
use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use helpbot_services::knowledge::entries::table::Format;
use helpbot_services::knowledge::entries::transfer;

use super::accept::Media;
use super::http_error::HttpError;
use super::response_headers;
use super::state::Transport;
use crate::error::{self, ApiError};
use crate::gateway::caller::AdmittedCaller;
use crate::schema::ids;

const NAME: &str = "faq-entries";

/// Serves one export.
pub(super) async fn serve(
    State(transport): State<Arc<Transport>>,
    Path(file): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let (allowance, answer) = match admit(&transport, &file, &head).await {
        Ok((format, caller)) => {
            let site = parameters.get("siteId").cloned();
            (caller.allowance, answer(&transport, &file, format, site, &caller).await)
        }
        Err(error) => (None, Err(error)),
    };
    let mut response = answer.unwrap_or_else(|error| error.into_response(Media::Json));
    response_headers::finish(response.headers_mut(), allowance);
    response
}

async fn admit(transport: &Transport, file: &str, head: &Parts) -> Result<(Format, AdmittedCaller), HttpError> {
    if head.method != Method::GET {
        return Err(HttpError::method_not_allowed("GET, OPTIONS", "Request exports by GET"));
    }
    let format = file.strip_prefix(NAME).and_then(Format::of_name);
    let format = format.ok_or_else(|| HttpError::new(StatusCode::NOT_FOUND, "There is no export with this name"))?;
    let caller = transport.caller(head)?;
    Ok((format, transport.gateway.admit(&caller).await?))
}

async fn answer(
    transport: &Transport,
    file: &str,
    format: Format,
    site: Option<String>,
    caller: &AdmittedCaller,
) -> Result<Response, HttpError> {
    let failed = |failed: helpbot_services::Error| {
        error::log(&failed, &caller.request_id);
        HttpError::from(ApiError::from(&failed))
    };
    let site = ids::site(site.map(ID).as_ref());
    let services = transport.gateway.services();
    let mut export = transfer::export(services, &caller.viewer, site, format).await.map_err(failed)?;
    // An error before the first piece has a status; after it, the response can only break off.
    let first = export.next().await.map_err(failed)?;
    let rest = stream::unfold(export, |mut export| async move { Some((export.next().await.transpose()?, export)) });
    let pieces = stream::StreamExt::chain(stream::iter(first.map(Ok)), rest);
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{file}\""));
    headers.extend(disposition.ok().map(|value| (header::CONTENT_DISPOSITION, value)));
    Ok(response)
}
