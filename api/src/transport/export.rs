//! All entries of a site as a file: `GET /graphql/export/faq-entries.csv` or `.jsonl`, with a key
//! that may read sources. `?siteId=` names the site for an operator.
//!
//! A file of any length takes the memory of one piece: it is sent as it is read.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use futures_util::stream;
use helpbot_services::knowledge::entries::table::Format;
use helpbot_services::knowledge::entries::transfer;

use super::accept::Media;
use super::problem::Problem;
use super::{Transport, http};
use crate::error::{self, Failure};
use crate::gateway::Caller;
use crate::limits::Standing;
use crate::schema::ids;

const NAME: &str = "faq-entries";

/// Serves one export.
pub(super) async fn serve(
    State(transport): State<Arc<Transport>>,
    Path(file): Path<String>,
    Query(parameters): Query<HashMap<String, String>>,
    request: Request,
) -> Response {
    let caller = transport.gateway.caller(request.headers(), request.extensions());
    let mut standing = None;
    let site = parameters.get("siteId").cloned();
    let answer = match *request.method() {
        Method::GET => answer(&transport, &file, site, &caller, &mut standing).await,
        _ => Err(Problem::method_not_allowed("GET, OPTIONS", "Get exports by GET")),
    };
    let mut response = answer.unwrap_or_else(|problem| problem.into_response(Media::Json));
    http::seal(response.headers_mut(), &caller.request_id, standing);
    response
}

async fn answer(
    transport: &Transport,
    file: &str,
    site: Option<String>,
    caller: &Caller,
    standing: &mut Option<Standing>,
) -> Result<Response, Problem> {
    let format = file.strip_prefix(NAME).and_then(Format::of_name);
    let format = format.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "There is no such export"))?;
    let viewer = transport.gateway.authenticate(caller).await?;
    *standing = transport.gateway.admit(&viewer, caller)?;
    let told = |failed: helpbot_services::Error| {
        error::log(&failed, &caller.request_id);
        Problem::from(Failure::from(&failed))
    };
    let site = ids::site(site.map(async_graphql::ID).as_ref());
    let mut export = transfer::export(transport.gateway.services(), &viewer, site, format).await.map_err(told)?;
    // What fails before the first piece has a status; later the answer breaks off.
    let first = export.next().await.map_err(told)?;
    let rest = stream::unfold(export, |mut export| async move { Some((export.next().await.transpose()?, export)) });
    let pieces = stream::StreamExt::chain(stream::iter(first.map(Ok)), rest);
    let mut response = Response::new(Body::from_stream(pieces));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{file}\""));
    headers.extend(disposition.ok().map(|value| (header::CONTENT_DISPOSITION, value)));
    Ok(response)
}
