//! A web site on loopback to add as a source. A test sets and changes its pages, or serves the files of a folder. It
//! records the requests that it receives.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

/// What the site answers at one path.
#[derive(Debug, Clone)]
pub struct Page {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Page {
    /// An HTML page.
    pub fn html(body: impl Into<String>) -> Self {
        Self::of_type("text/html; charset=utf-8", body.into().into_bytes())
    }

    /// Bytes of some type.
    pub fn of_type(content_type: &'static str, body: Vec<u8>) -> Self {
        let content_type = HeaderValue::from_static(content_type);
        Self { status: StatusCode::OK, headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]), body }
    }

    /// An answer without a body, such as 404 or 500.
    pub fn status(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }
}

const CONTENT_TYPE: HeaderName = HeaderName::from_static("content-type");

/// A running site; it ends when this is dropped.
pub struct Pages {
    address: SocketAddr,
    site: Arc<Site>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Site {
    pages: Mutex<HashMap<String, Page>>,
    directory: Option<PathBuf>,
    requests: Mutex<Vec<String>>,
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Pages {
    /// A site with these pages, by path; all other paths are 404.
    pub async fn of<const N: usize>(pages: [(&str, Page); N]) -> Self {
        let pages = pages.into_iter().map(|(path, page)| (path.to_owned(), page)).collect();
        Self::start(Site { pages: Mutex::new(pages), ..Site::default() }).await
    }

    /// A site of the files below `directory`, their types by extension.
    pub async fn of_directory(directory: &Path) -> Self {
        Self::start(Site { directory: Some(directory.to_path_buf()), ..Site::default() }).await
    }

    async fn start(site: Site) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let site = Arc::new(site);
        let router = Router::new().fallback(answer).with_state(Arc::clone(&site));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the site serves") });
        Self { address, site, task }
    }

    /// The address of `path`.
    pub fn url(&self, path: &str) -> Url {
        let url = format!("http://{}{path}", self.address);
        url.parse().unwrap_or_else(|error| panic!("{url} is no address: {error}"))
    }

    /// Adds or changes a page.
    pub fn put(&self, path: &str, page: Page) {
        lock(&self.site.pages).insert(path.to_owned(), page);
    }

    /// Takes a page away.
    pub fn remove(&self, path: &str) {
        lock(&self.site.pages).remove(path);
    }

    /// What was asked for so far, in order, as `GET /path?query`.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.site.requests).clone()
    }
}

async fn answer(State(site): State<Arc<Site>>, method: Method, uri: Uri) -> Response {
    lock(&site.requests).push(format!("{method} {uri}"));
    let page = lock(&site.pages).get(uri.path()).cloned();
    let page = page.or_else(|| site.directory.as_deref().and_then(|directory| file(directory, uri.path())));
    match page {
        Some(page) => (page.status, page.headers, page.body).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn file(directory: &Path, path: &str) -> Option<Page> {
    let name = path.trim_start_matches('/');
    // Only the test's own files: no way up and out.
    let is_below = name.split('/').all(|part| !part.is_empty() && part != "..");
    let file = directory.join(name);
    let body = is_below.then(|| std::fs::read(&file).ok()).flatten()?;
    Some(Page::of_type(content_type(&file), body))
}

fn content_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html" | "htm") => "text/html",
        Some("pdf") => "application/pdf",
        Some("md") => "text/markdown; charset=utf-8",
        Some("txt") => "text/plain; charset=utf-8",
        Some("csv") => "text/csv; charset=utf-8",
        Some("xml") => "application/xml",
        _ => "application/octet-stream",
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
