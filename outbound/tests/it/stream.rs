//! Responses that are read as they arrive.

use std::time::Duration;

use crate::site::{Site, Step, ms, reply, text};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use helpbot_outbound::{Client, FetchError, HeaderMap, Policy, StreamLimits, Streamed, UserAgent};

const QUICK: StreamLimits = StreamLimits {
    first_byte: Duration::from_millis(300),
    idle: Duration::from_millis(200),
    total: Duration::from_millis(700),
    wire_bytes: 64 * 1024,
};

async fn post(site: &Site) -> Result<Streamed, FetchError> {
    let agent = UserAgent::new("1", "https://helpbot.example").expect("plain characters");
    let client = Client::new(Policy::operator(&site.url("/v1")), &agent).expect("a client");
    client.post_json_stream(&site.url("/v1/chat"), HeaderMap::new(), Bytes::from_static(b"{}"), &QUICK).await
}

async fn outcome(steps: Vec<Step>) -> Result<Vec<u8>, FetchError> {
    let streamed = post(&Site::always(steps).await).await?;
    streamed.body.try_fold(Vec::new(), |all, chunk| async move { Ok([&all[..], &chunk].concat()) }).await
}

fn event_stream() -> Step {
    text("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
}

#[tokio::test]
async fn the_first_chunk_arrives_before_the_last_is_sent() {
    let site = Site::always(vec![event_stream(), text("6\r\ndata: \r\n"), Step::Hang]).await;

    let mut streamed = post(&site).await.expect("a head");
    let first = streamed.body.next().await;
    let second = streamed.body.next().await;

    assert_eq!(streamed.content_type.as_deref(), Some("text/event-stream"));
    assert_eq!(first, Some(Ok(Bytes::from_static(b"data: "))));
    assert_eq!(second, Some(Err(FetchError::IdleTimeout(ms(200)))));
    assert_eq!(streamed.body.next().await, None);
}

#[tokio::test]
async fn a_stream_returns_all_of_its_chunks() {
    let tokens = Step::Repeat { bytes: b"3\r\nab \r\n".to_vec(), times: 5, pause: ms(5) };

    let whole = outcome(vec![event_stream(), tokens, text("0\r\n\r\n")]).await;

    assert_eq!(whole, Ok(b"ab ab ab ab ab ".to_vec()));
}

#[tokio::test]
async fn a_model_server_that_stalls_floods_or_crashes_is_an_error() {
    let slow = Step::Repeat { bytes: b"1\r\nx\r\n".to_vec(), times: 1000, pause: ms(100) };
    let flood =
        Step::Repeat { bytes: format!("1000\r\n{}\r\n", "x".repeat(4096)).into_bytes(), times: 100, pause: ms(0) };

    assert_eq!(outcome(vec![Step::Hang]).await, Err(FetchError::FirstByteTimeout(ms(300))));
    assert_eq!(outcome(vec![event_stream(), slow]).await, Err(FetchError::TotalTimeout(ms(700))));
    assert_eq!(outcome(vec![event_stream(), flood]).await, Err(FetchError::TooLarge(64 * 1024)));
    assert_eq!(outcome(vec![event_stream(), text("6\r\nda")]).await, Err(FetchError::Broken));
}

#[tokio::test]
async fn a_response_with_an_error_status_has_its_body() {
    let site = Site::always(vec![reply("429 Busy", &["retry-after: 7"], b"{\"error\":{}}")]).await;

    let streamed = post(&site).await.expect("a head");

    assert_eq!((streamed.status, streamed.retry_after.as_deref()), (429, Some("7")));
    let chunks: Vec<Bytes> = streamed.body.try_collect().await.expect("a body");
    assert_eq!(chunks.concat(), b"{\"error\":{}}");
}
