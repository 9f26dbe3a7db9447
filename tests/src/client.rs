//! An HTTP client for GraphQL and REST with an optional API key.

use std::sync::OnceLock;

use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use url::Url;

use crate::documented_codes;
use crate::socket::Socket;

/// A part of a multipart body: its name, the name of its file if it is one, its bytes.
pub type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// A caller; cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    key: Option<String>,
    session_token: Option<String>,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// A GraphQL answer, taken apart.
#[derive(Debug, Clone)]
pub struct GraphqlReply {
    /// `data`, null when there is none.
    pub data: Value,
    /// `errors`, empty when there are none.
    pub errors: Vec<Value>,
    /// The HTTP answer that brought it.
    pub reply: Reply,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Panics
    /// With the body when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{} with a body that is not JSON ({error}): {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The JSON of a successful answer.
    ///
    /// # Panics
    /// With status and body when it is none.
    pub fn ok(&self) -> Value {
        assert!(self.status.is_success(), "{}: {}", self.status, self.text());
        self.json()
    }
}

impl GraphqlReply {
    /// The reply to a document. Its user errors must have the codes that the descriptions list.
    fn of(document: &str, reply: Reply) -> Self {
        let mut body = reply.json();
        let errors = match body["errors"].take() {
            Value::Array(errors) => errors,
            _ => Vec::new(),
        };
        documented_codes::check(document, &body["data"]);
        Self { data: body["data"].take(), errors, reply }
    }

    /// The data of an answer without errors.
    ///
    /// # Panics
    /// With the errors when there are some.
    pub fn ok(self) -> Value {
        assert!(self.errors.is_empty(), "errors: {:#}", Value::Array(self.errors));
        self.data
    }

    /// `extensions.code` of each error, in order.
    pub fn codes(&self) -> Vec<&str> {
        self.errors.iter().map(|error| error["extensions"]["code"].as_str().unwrap_or("(no code)")).collect()
    }
}

impl Client {
    /// A caller without a key of the server at `base`.
    pub fn new(base: Url) -> Self {
        Self { base, key: None, session_token: None }
    }

    /// The same caller with `key`.
    #[must_use]
    pub fn with_key(&self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same caller as the visitor whose session `token` proves.
    #[must_use]
    pub fn with_session(&self, token: &str) -> Self {
        Self { session_token: Some(token.to_owned()), ..self.clone() }
    }

    /// The address of `path` on the server.
    pub fn url(&self, path: &str) -> Url {
        self.base.join(path).unwrap_or_else(|error| panic!("{path} is no path: {error}"))
    }

    /// Runs an operation by POST.
    pub async fn graphql(&self, document: &str, variables: Value) -> GraphqlReply {
        let reply = self.post("/graphql", &json!({ "query": document, "variables": variables })).await;
        GraphqlReply::of(document, reply)
    }

    /// Runs an operation whose variable `file` is a file.
    pub async fn upload(&self, document: &str, variables: Value, name: &str, file: &[u8]) -> GraphqlReply {
        let operations = json!({ "query": document, "variables": variables }).to_string();
        let map = json!({ "0": ["variables.file"] }).to_string();
        let parts =
            [("operations", None, operations.as_bytes()), ("map", None, map.as_bytes()), ("0", Some(name), file)];
        let request = self.multipart("/graphql/upload", &parts).header("graphql-require-preflight", "1");
        GraphqlReply::of(document, self.send(request).await)
    }

    /// A POST of these parts, to be filled in by the test.
    pub fn multipart(&self, path: &str, parts: &[Part<'_>]) -> reqwest::RequestBuilder {
        const BOUNDARY: &str = "between-two-parts-of-a-test";
        let mut body = Vec::new();
        for (name, file, bytes) in parts {
            let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n");
            body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
        }
        body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.request(Method::POST, path).header("content-type", content_type).body(body)
    }

    /// GET of a path.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send_json(Method::POST, path, body).await
    }

    /// PATCH with JSON.
    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send_json(Method::PATCH, path, body).await
    }

    /// DELETE of a path.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request that the test completes, for example with other headers or a body that is not JSON.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let mut request = http().request(method, self.url(path));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(token) = &self.session_token {
            request = request.header("x-helpbot-session", token);
        }
        request
    }

    /// Sends such a request.
    ///
    /// # Panics
    /// When the server gives no answer at all.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("the answer is whole").to_vec();
        Reply { status, headers, bytes }
    }

    /// Opens a WebSocket as this caller; returns once the server has acknowledged it.
    pub async fn socket(&self) -> Socket {
        let mut payload = json!({});
        if let Some(key) = &self.key {
            payload["authorization"] = Value::String(format!("Bearer {key}"));
        }
        if let Some(token) = &self.session_token {
            payload["sessionToken"] = Value::String(token.clone());
        }
        let mut socket = self.raw_socket().await;
        socket.init(payload).await;
        socket
    }

    /// Opens a WebSocket and says nothing on it.
    pub async fn raw_socket(&self) -> Socket {
        let mut url = self.url("/graphql");
        url.set_scheme("ws").expect("http becomes ws");
        Socket::connect(&url).await
    }

    async fn send_json(&self, method: Method, path: &str, body: &Value) -> Reply {
        let request = self.request(method, path).header("content-type", "application/json");
        self.send(request.body(body.to_string())).await
    }
}

/// The one HTTP client of a test process.
#[expect(clippy::disallowed_methods, reason = "this client speaks to the server under test, as anyone's would")]
fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider knows TLS 1.2 and 1.3")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        // Connections are not kept: the runtime that each belongs to ends with its test.
        reqwest::Client::builder()
            .use_preconfigured_tls(tls)
            .pool_max_idle_per_host(0)
            .no_proxy()
            .timeout(crate::DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a plain client")
    })
}
