//! The envelope of every request: its ID, and the answer to a panic.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response};
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use helpbot_api::transport::envelope::envelope;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

use crate::app::App;

/// Collects the fields of all error events.
#[derive(Clone, Default)]
struct ErrorLog(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl Subscriber for ErrorLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

async fn router() -> (App, Router) {
    let app = App::start().await;
    let panics = || async {
        assert!(std::hint::black_box(false), "the handler panics on purpose");
        "unreachable"
    };
    let router = Router::new().route("/panics", get(panics)).route("/works", get(async || "fine"));
    let router = router.layer(from_fn_with_state(Arc::new(app.gateway.services().clone()), envelope));
    (app, router)
}

async fn send(router: &Router, path: &str, id: &str) -> Response<Body> {
    let request = Request::builder().uri(path).header("x-request-id", id).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

#[tokio::test]
async fn a_panic_is_answered_with_500_logged_once_with_the_request_id_and_affects_no_other_request() {
    let (_app, router) = router().await;
    let log = ErrorLog::default();
    let guard = tracing::subscriber::set_default(log.clone());

    let (panicked, works) = tokio::join!(send(&router, "/panics", "req-1"), send(&router, "/works", "req-2"));

    drop(guard);
    assert_eq!((panicked.status().as_u16(), works.status().as_u16()), (500, 200));
    assert_eq!(panicked.headers()["x-request-id"], "req-1");
    assert_eq!(works.headers()["x-request-id"], "req-2");
    let body: Value = serde_json::from_slice(&to_bytes(panicked.into_body(), 1_000).await.unwrap()).unwrap();
    assert_eq!(body, json!({"error": "Internal server error", "code": "INTERNAL"}));
    let lines = log.0.lock().unwrap().clone();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("req-1") && lines[0].contains("the handler panics on purpose"), "{lines:?}");
    assert_eq!(send(&router, "/works", "req-3").await.status(), 200);
}

#[tokio::test]
async fn a_request_keeps_a_short_printable_id_and_gets_a_new_one_otherwise() {
    let (_app, router) = router().await;

    for (id, is_kept) in
        [("abc-1", true), (&"x".repeat(64), true), (&"x".repeat(65), false), ("", false), ("a b", false)]
    {
        let response = send(&router, "/works", id).await;
        let answered = response.headers()["x-request-id"].to_str().unwrap();
        assert_eq!(answered == id, is_kept, "{id:?} became {answered:?}");
        assert!(!answered.is_empty());
    }
}
