//! The product in a separate process, as a user starts it, and the calls of its API that the webhook benchmarks need.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use helpbot_benches::{load, process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use crate::AnyError;

/// Number of concurrent clients.
pub(crate) const CALLERS: usize = 32;
const QUESTION: &str = "How do I install HelpBot on my own server?";
const DELIVERED: &str = "{ site { webhooks { deliveries(first: 1, filter: { status: DELIVERED }) { totalCount } } } }";
/// Time after which the product counts as stuck.
const DEADLINE: Duration = Duration::from_secs(300);
/// Maximum idle time of a reused connection. The product closes a connection after ten seconds without a request.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Disk writes so far.
pub(crate) struct Costs {
    pub(crate) commits: f64,
    pub(crate) bytes: f64,
}

/// The running product and connections to it.
pub(crate) struct Product {
    pub(crate) server: process::Server,
    pub(crate) widget_key: String,
    pub(crate) secret_key: String,
    /// Idle connections with the time of their last use, most recent last.
    idle: Mutex<Vec<(Instant, TcpStream)>>,
    postgres: Option<String>,
}

impl Product {
    pub(crate) fn start(home: &TempDir, database: Option<&str>) -> Result<Self, AnyError> {
        let mut settings = vec![("HELPBOT_ALLOW_PRIVATE", "127.0.0.1")];
        settings.extend(database.map(|url| ("HELPBOT_DATABASE", url)));
        let server = process::product(home.path(), &settings)?;
        let (widget_key, secret_key) = (server.word("wk_live_")?, server.word("sk_live_")?);
        Ok(Self { server, widget_key, secret_key, idle: Mutex::default(), postgres: database.map(str::to_owned) })
    }

    /// Posts JSON over a reused connection. A status other than 200 is an error.
    pub(crate) async fn post(&self, path: &str, key: &str, body: &Value) -> Result<Value, AnyError> {
        let mut stream = self.connection().await?;
        stream.set_nodelay(true)?;
        let mut answer = Vec::new();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &load::post(path, key, &body.to_string())).await?;
        let status = load::answer(&mut stream, &mut answer).await?;
        let body = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(&[][..], |at| &answer[at + 4..]);
        if status != 200 {
            return Err(format!("{path}: {status} {}", String::from_utf8_lossy(body)).into());
        }
        let value = serde_json::from_slice(body)?;
        self.idle.lock().await.push((Instant::now(), stream));
        Ok(value)
    }

    /// A recently used connection, or a new one, because the server closes idle connections.
    async fn connection(&self) -> Result<TcpStream, AnyError> {
        let mut idle = self.idle.lock().await;
        match idle.pop() {
            Some((since, stream)) if since.elapsed() < IDLE_MAX => return Ok(stream),
            // The other connections have been idle even longer.
            _ => idle.clear(),
        }
        drop(idle);
        Ok(TcpStream::connect(self.server.addr).await?)
    }

    /// Executes one GraphQL operation and returns its data.
    pub(crate) async fn execute(&self, query: &str, variables: Value) -> Result<Value, AnyError> {
        let asked = json!({ "query": query, "variables": variables });
        let mut told = self.post("/graphql", &self.secret_key, &asked).await?;
        if told["errors"].is_null() { Ok(told["data"].take()) } else { Err(told.to_string().into()) }
    }

    /// Creates a webhook for these events and returns its ID.
    pub(crate) async fn webhook(&self, receiver: SocketAddr, events: &[&str]) -> Result<String, AnyError> {
        let new = json!({ "url": format!("http://{receiver}/hook"), "events": events });
        let made = self.post("/api/v1/webhooks", &self.secret_key, &new).await?;
        Ok(made["webhook"]["id"].as_str().ok_or_else(|| made.to_string())?.to_owned())
    }

    /// Asks `count` questions and returns the IDs of the conversations.
    pub(crate) async fn ask(self: &Arc<Self>, count: usize) -> Result<Vec<String>, AnyError> {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let product = Arc::clone(self);
                tokio::spawn(async move {
                    let mut asked = Vec::new();
                    for _ in (caller..count).step_by(CALLERS) {
                        let told =
                            product.post("/api/v1/chat", &product.widget_key, &json!({ "question": QUESTION })).await?;
                        asked.push(told["conversationId"].as_str().unwrap_or_default().to_owned());
                    }
                    Ok::<_, AnyError>(asked)
                })
            })
            .collect();
        let mut conversations = Vec::new();
        for caller in callers {
            conversations.extend(caller.await??);
        }
        Ok(conversations)
    }

    /// Number of deliveries that are recorded as delivered.
    pub(crate) async fn delivered(&self) -> Result<usize, AnyError> {
        let told = self.execute(DELIVERED, json!({})).await?;
        let webhooks = told["site"]["webhooks"].as_array().ok_or_else(|| told.to_string())?;
        let count = |webhook: &Value| webhook["deliveries"]["totalCount"].as_u64().unwrap_or(0);
        Ok(usize::try_from(webhooks.iter().map(count).sum::<u64>())?)
    }

    pub(crate) async fn costs(&self) -> Result<Costs, AnyError> {
        let mut stream = TcpStream::connect(self.server.metrics).await?;
        let mut answer = Vec::new();
        tokio::io::AsyncWriteExt::write_all(&mut stream, &load::get("/metrics", "")).await?;
        load::answer(&mut stream, &mut answer).await?;
        let text = String::from_utf8_lossy(&answer).into_owned();
        let commits = text.lines().find_map(|line| line.strip_prefix("helpbot_database_commits_total "));
        let commits = commits.ok_or("no commits in /metrics")?.trim().parse()?;
        let bytes = match &self.postgres {
            None => self.server.written_bytes()? as f64,
            Some(url) => wal_bytes(url).await?,
        };
        Ok(Costs { commits, bytes })
    }
}

/// A schema of the test server that is dropped afterwards.
pub(crate) struct Schema {
    server: String,
    name: String,
    pub(crate) url: String,
}

impl Schema {
    pub(crate) async fn make(server: &str, endpoints: usize) -> Result<Self, AnyError> {
        let name = format!("bench_{}_{endpoints}", std::process::id());
        connected(server).await?.batch_execute(&format!("CREATE SCHEMA {name}")).await?;
        let and = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{and}options=-c%20search_path%3D{name}");
        Ok(Self { server: server.to_owned(), name, url })
    }

    pub(crate) async fn remove(self) -> Result<(), AnyError> {
        Ok(connected(&self.server).await?.batch_execute(&format!("DROP SCHEMA {} CASCADE", self.name)).await?)
    }
}

/// Bytes that the server has written to its write-ahead log so far.
async fn wal_bytes(url: &str) -> Result<f64, AnyError> {
    let row =
        connected(url).await?.query_one("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8", &[]).await?;
    Ok(row.get(0))
}

async fn connected(url: &str) -> Result<tokio_postgres::Client, AnyError> {
    let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Waits until the condition is true.
pub(crate) async fn until(what: &str, mut look: impl AsyncFnMut() -> Result<bool, AnyError>) -> Result<(), AnyError> {
    let end = Instant::now() + DEADLINE;
    while !look().await? {
        if Instant::now() > end {
            return Err(format!("timed out waiting for {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
