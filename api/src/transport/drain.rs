//! Reads the rest of a request body that nobody read, so that the client receives the response.
//!
//! A request that is refused early, for example for its key or its size, is answered while the client
//! still sends its body. When the server then closes the connection, the operating system discards the
//! response together with the unread bytes, and the client reports a broken connection. The server puts
//! this around all routes; it reads at most [`DRAINED_BYTES_MAX`] for at most [`DRAINED_FOR_MAX`].

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::sync::oneshot;

use super::body::announced_length;

/// Most bytes that are read after a refusal: the largest upload and some more. A client that announces
/// more does not receive the response when it reads it only after it has sent everything.
pub const DRAINED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Longest time for which a refused request is read.
pub const DRAINED_FOR_MAX: Duration = Duration::from_secs(2);

/// Runs the request, and then reads what is left of its body.
pub async fn drain(request: Request, next: Next) -> Response {
    if !has_body(request.method(), request.headers()) {
        return next.run(request).await;
    }
    let (rest, mut returned) = oneshot::channel();
    let (head, body) = request.into_parts();
    let body = Body::from_stream(WatchedBody { body: Some(body.into_data_stream()), rest: Some(rest) });
    let response = next.run(Request::from_parts(head, body)).await;
    if let Ok(body) = returned.try_recv() {
        // Whatever goes wrong from here on, the response is sent.
        tokio::time::timeout(DRAINED_FOR_MAX, discard(body)).await.ok();
    }
    response
}

/// Whether the request can have a body that its client sends without being asked for it.
fn has_body(method: &Method, headers: &HeaderMap) -> bool {
    let is_asked_for = headers.contains_key(header::EXPECT) || headers.contains_key(header::UPGRADE);
    let is_too_long = announced_length(headers).is_some_and(|length| length > DRAINED_BYTES_MAX);
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::CONNECT) && !is_asked_for && !is_too_long
}

async fn discard(mut body: BodyDataStream) {
    let mut read = 0;
    while let Some(Ok(data)) = body.next().await {
        read += u64::try_from(data.len()).unwrap_or(u64::MAX);
        if read > DRAINED_BYTES_MAX {
            return;
        }
    }
}

/// A request body that is handed back when it is dropped before its end.
struct WatchedBody {
    body: Option<BodyDataStream>,
    rest: Option<oneshot::Sender<BodyDataStream>>,
}

impl Stream for WatchedBody {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let polled = body.poll_next_unpin(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.body = None;
        }
        polled
    }
}

impl Drop for WatchedBody {
    fn drop(&mut self) {
        if let (Some(body), Some(rest)) = (self.body.take(), self.rest.take()) {
            // The request may be over already.
            rest.send(body).ok();
        }
    }
}
