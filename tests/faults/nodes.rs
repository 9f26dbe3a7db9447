//! Nodes: processes of the program over one database, each with its own directory, address and clock.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use helpbot_tests::Client;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::preloaded;

/// The program of a debug build starts within seconds also on a busy machine.
const START: Duration = Duration::from_secs(60);

/// One node. Dropping it kills its process.
pub struct Node {
    directory: PathBuf,
    address: SocketAddr,
    /// Variables of its environment beside those of every node.
    variables: Vec<(String, String)>,
    process: Mutex<Option<Child>>,
    _temporary: Option<TempDir>,
}

impl Node {
    /// A node over a PostgreSQL database whose clock is wrong by some seconds. It is not started yet.
    pub fn over(database: &str, clock_s: i32) -> Self {
        let mut node = Self::alone();
        node.set("HELPBOT_DATABASE", database);
        if cfg!(target_os = "linux") && clock_s != 0 {
            let library = preloaded::compile(&node.directory, "wrong_clock", preloaded::WRONG_CLOCK);
            node.set("LD_PRELOAD", &library);
            node.set("CLOCK_OFFSET_S", &clock_s.to_string());
        }
        node
    }

    /// A node over an SQLite database of its own. It is not started yet.
    pub fn alone() -> Self {
        let temporary = tempfile::tempdir().expect("a temporary directory");
        Self { _temporary: Some(temporary), ..Self::within(Path::new("")) }.moved()
    }

    /// The same with its files in a directory.
    pub fn within(directory: &Path) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let (directory, variables) = (directory.to_owned(), Vec::new());
        Self { directory, address, variables, process: Mutex::default(), _temporary: None }
    }

    fn moved(mut self) -> Self {
        self.directory = self._temporary.as_ref().expect("it has one").path().to_owned();
        self
    }

    /// Sets a variable of its environment.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    /// Starts the process and waits until it is ready.
    pub async fn start(&self) {
        let path = |name: &str| self.directory.join(name);
        let log = File::options().append(true).create(true).open(path("log")).expect("a log");
        let mut command = Command::new(helpbot_tests::helpbot_binary());
        command
            .env_clear()
            .env("HELPBOT_LISTEN", self.address.to_string())
            .env("HELPBOT_METRICS_LISTEN", "off")
            .env("HELPBOT_DATA", path("data"))
            .env("HELPBOT_SECRET_KEY", "07".repeat(32))
            .env("HELPBOT_ALLOW_PRIVATE", "127.0.0.1")
            .env("HELPBOT_RATE_LIMITS", "off")
            .env("HELPBOT_LOG", "warn")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::from(log.try_clone().expect("a second handle")))
            .stderr(Stdio::from(log))
            .kill_on_drop(true);
        let child = command.spawn().expect("the program was built and starts");
        *self.process.lock().expect("no panic") = Some(child);
        let end = Instant::now() + START;
        while !self.is_ready().await {
            assert!(Instant::now() < end, "the node did not start: {}", self.log());
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Kills the process with SIGKILL.
    pub async fn kill(&self) {
        let child = self.process.lock().expect("no panic").take();
        child.expect("the node runs").kill().await.expect("killed");
    }

    /// Sends SIGTERM.
    pub fn terminate(&self) {
        let id = self.process.lock().expect("no panic").as_ref().and_then(Child::id).expect("the node runs");
        let sent = std::process::Command::new("kill").args(["-TERM", &id.to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits until the process has ended, and returns its exit code.
    pub async fn ended(&self) -> Option<i32> {
        let child = self.process.lock().expect("no panic").take();
        child.expect("the node runs").wait().await.expect("it ends").code()
    }

    /// Runs `helpbot doctor`, which must find the database undamaged. The node must not run.
    pub async fn expect_undamaged(&self) {
        let mut command = Command::new(helpbot_tests::helpbot_binary());
        command.env_clear().env("HELPBOT_DATA", self.directory.join("data")).env("HELPBOT_SECRET_KEY", "07".repeat(32));
        let report = command.args(["doctor", "--json"]).output().await.expect("it runs");
        let report = String::from_utf8_lossy(&report.stdout).into_owned();
        assert!(report.contains("up to date and undamaged"), "{report}");
    }

    /// The IDs of all conversations.
    pub async fn conversations(&self, key: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for page in 1.. {
            let path = format!("/api/v1/conversations?limit=100&page={page}");
            let list = self.client().with_key(key).get(&path).await.ok();
            let list = list["conversations"].as_array().expect("a list");
            found.extend(list.iter().filter_map(|it| it["id"].as_str().map(str::to_owned)));
            if list.is_empty() {
                break;
            }
        }
        found
    }

    /// A caller without a key.
    pub fn client(&self) -> Client {
        Client::new(format!("http://{}/", self.address).parse().expect("a plain address"))
    }

    /// The word that begins with `prefix` among the keys of the first start, if this node was the first.
    pub fn key(&self, prefix: &str) -> String {
        let file = self.directory.join("data/first-keys.txt");
        let text = std::fs::read_to_string(file).expect("the first node wrote the keys");
        text.split_whitespace().find(|word| word.starts_with(prefix)).expect("a key").to_owned()
    }

    /// What the node printed and logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }

    /// Sends JSON. `None` without a complete response within `time`.
    pub async fn post(&self, key: &str, path: &str, body: &Value, time: Duration) -> Option<(u16, Value)> {
        let request = self.client().with_key(key).request(Method::POST, path);
        let request = request.header("content-type", "application/json").body(body.to_string()).timeout(time);
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or_default()))
    }

    /// Asks a question. `None` when it was not acknowledged; otherwise the ID of its conversation.
    pub async fn ask(&self, key: &str, question: &str, time: Duration) -> Option<String> {
        let (status, answer) = self.post(key, "/api/v1/chat", &json!({ "question": question }), time).await?;
        (status == 200).then(|| answer["conversationId"].as_str().expect("an ID").to_owned())
    }

    async fn is_ready(&self) -> bool {
        let request = self.client().request(Method::GET, "/readyz").timeout(Duration::from_secs(5));
        request.send().await.is_ok_and(|response| response.status().is_success())
    }
}
