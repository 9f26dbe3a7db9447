//! A webhook endpoint that remembers when each delivery arrived.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use tokio::net::TcpListener;

/// A running endpoint. It runs until the process of the test ends.
pub struct Endpoint {
    /// Where it listens.
    pub url: String,
    arrivals: Arrivals,
}

type Arrivals = Arc<Mutex<Vec<(String, Instant)>>>;

impl Endpoint {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("bound"));
        let arrivals = Arrivals::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&arrivals));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrivals }
    }

    /// The ID of each delivery with the time of its arrival, in order.
    pub fn arrivals(&self) -> Vec<(String, Instant)> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(State(arrivals): State<Arrivals>, headers: HeaderMap) -> StatusCode {
    let id = headers.get("x-helpbot-delivery").and_then(|id| id.to_str().ok()).expect("every delivery has an ID");
    arrivals.lock().unwrap_or_else(PoisonError::into_inner).push((id.to_owned(), Instant::now()));
    StatusCode::NO_CONTENT
}
