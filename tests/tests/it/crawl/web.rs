//! A loopback web site as crawls find it: validators, gzip, redirects, robots.txt, sitemaps, and pages that the test can
//! delay. It records each request.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use url::Url;

/// What is at one path.
#[derive(Clone)]
pub struct Served {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    is_gzip: bool,
    is_endless: bool,
}

impl Served {
    pub fn html(body: impl Into<String>) -> Self {
        Self::of_type("text/html; charset=utf-8", body.into().into_bytes())
    }

    pub fn of_type(content_type: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Self { status: 200, headers, body, is_gzip: false, is_endless: false }
    }

    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), is_gzip: false, is_endless: false }
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Self::status(status).with("location", to)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn gzipped(mut self) -> Self {
        self.is_gzip = true;
        self
    }

    /// The body over and over, without an end.
    pub fn endless(mut self) -> Self {
        self.is_endless = true;
        self
    }
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    pub path: String,
    pub is_conditional: bool,
    pub status: u16,
    /// When it was answered.
    pub at: Instant,
}

/// A running site; it ends when this is dropped.
pub struct Web {
    address: SocketAddr,
    site: Arc<Site>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Site {
    pages: Mutex<HashMap<String, Served>>,
    hits: Mutex<Vec<Hit>>,
    gates: Mutex<HashMap<String, Arc<Gate>>>,
    running: Mutex<(usize, usize)>,
}

/// Stops the requests for one path until it is opened.
pub struct Gate {
    reached: watch::Sender<bool>,
    open: Semaphore,
}

impl Gate {
    /// Waits until a request waits at the gate.
    pub async fn reached(&self) {
        let mut reached = self.reached.subscribe();
        helpbot_tests::in_time("a request at the gate", reached.wait_for(|is_reached| *is_reached))
            .await
            .expect("the gate exists");
    }

    pub fn open(&self) {
        self.open.close();
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Web {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let site = Arc::new(Site::default());
        let router = Router::new().fallback(answer).with_state(site.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the site serves") });
        Self { address, site, task }
    }

    pub fn url(&self, path: &str) -> Url {
        format!("http://{}{path}", self.address).parse().expect("a path")
    }

    pub fn put(&self, path: &str, page: Served) {
        lock(&self.site.pages).insert(path.to_owned(), page);
    }

    pub fn remove(&self, path: &str) {
        lock(&self.site.pages).remove(path);
    }

    /// Holds the requests for `path` back.
    pub fn gate(&self, path: &str) -> Arc<Gate> {
        let gate = Arc::new(Gate { reached: watch::Sender::new(false), open: Semaphore::new(0) });
        lock(&self.site.gates).insert(path.to_owned(), gate.clone());
        gate
    }

    /// The requests since the last look, in order.
    pub fn take_hits(&self) -> Vec<Hit> {
        std::mem::take(&mut *lock(&self.site.hits))
    }

    /// The number of requests since the last look.
    pub fn hit_count(&self) -> usize {
        lock(&self.site.hits).len()
    }

    /// The most requests that were being answered at one moment. Requests that a gate holds back do not count: when their
    /// client gives up, the server learns of it at some later moment.
    pub fn most_at_once(&self) -> usize {
        lock(&self.site.running).1
    }
}

/// A request that is being answered. It also ends when its client disconnects.
struct Running<'a>(&'a Site);

impl<'a> Running<'a> {
    fn begin(site: &'a Site) -> Self {
        let mut running = lock(&site.running);
        running.0 += 1;
        running.1 = running.1.max(running.0);
        Self(site)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        lock(&self.0.running).0 -= 1;
    }
}

async fn answer(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().to_owned();
    let gate = lock(&site.gates).get(&path).cloned();
    let _running = gate.is_none().then(|| Running::begin(&site));
    if let Some(gate) = gate {
        gate.reached.send_replace(true);
        // Ends with an error when the gate is opened, which is what is waited for.
        let _ = gate.open.acquire().await;
    }
    let page = lock(&site.pages).get(&path).cloned();
    let is_conditional = headers.contains_key(header::IF_NONE_MATCH);
    let response = respond(page, headers.get(header::IF_NONE_MATCH).and_then(|tag| tag.to_str().ok()));
    let status = response.status().as_u16();
    lock(&site.hits).push(Hit { path, is_conditional, status, at: Instant::now() });
    response
}

fn respond(page: Option<Served>, known: Option<&str>) -> Response {
    let Some(page) = page else { return StatusCode::NOT_FOUND.into_response() };
    let etag = format!("\"{:x}\"", page.body.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31) + u64::from(*byte)));
    let mut response = Response::builder().status(page.status);
    for (name, value) in &page.headers {
        response = response.header(*name, value);
    }
    if page.status == 200 {
        if known == Some(etag.as_str()) {
            return StatusCode::NOT_MODIFIED.into_response();
        }
        response = response.header(header::ETAG, etag);
    }
    let body = match (page.is_endless, page.is_gzip) {
        (true, _) => {
            let piece = axum::body::Bytes::from(page.body);
            Body::from_stream(futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone())))
        }
        (_, true) => {
            response = response.header(header::CONTENT_ENCODING, "gzip");
            Body::from(gzip(&page.body))
        }
        _ => Body::from(page.body),
    };
    response.body(body).expect("a whole response")
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
