//! A webhook endpoint that records what it receives and responds as the test chooses.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use url::Url;

use crate::in_time;

/// One request to the endpoint.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as sent: signatures are over these bytes.
    pub body: Bytes,
    /// What it was answered with.
    pub answer: StatusCode,
}

impl Delivery {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a delivery is JSON")
    }

    /// A header, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A running endpoint; it ends when this is dropped.
pub struct Receiver {
    address: SocketAddr,
    answers: Answers,
    deliveries: mpsc::UnboundedReceiver<Delivery>,
    task: JoinHandle<()>,
}

type Answers = Arc<Mutex<VecDeque<StatusCode>>>;

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// An endpoint that answers 200.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (sender, deliveries) = mpsc::unbounded_channel();
        let answers = Answers::default();
        let router = Router::new().fallback(receive).with_state((Arc::clone(&answers), sender));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the endpoint serves") });
        Self { address, answers, deliveries, task }
    }

    /// Where it listens.
    pub fn url(&self) -> Url {
        let url = format!("http://{}/hook", self.address);
        url.parse().expect("a plain address")
    }

    /// Answers the next requests with these, in order, then with 200 again.
    pub fn answer_next(&self, statuses: impl IntoIterator<Item = StatusCode>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(statuses);
    }

    /// The next request, in the order of arrival.
    pub async fn next(&mut self) -> Delivery {
        in_time("a delivery", self.deliveries.recv()).await.expect("the endpoint runs")
    }

    /// What has arrived and was not taken yet.
    pub fn arrived(&mut self) -> Vec<Delivery> {
        std::iter::from_fn(|| self.deliveries.try_recv().ok()).collect()
    }
}

async fn receive(
    State((answers, deliveries)): State<(Answers, mpsc::UnboundedSender<Delivery>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let answer = answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front().unwrap_or(StatusCode::OK);
    // The test may have ended; then nobody needs it.
    let _ = deliveries.send(Delivery { headers, body, answer });
    answer
}
