//! Support for the tests of the program: the program in a temporary directory, a local web site and a minimal
//! HTTP client.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;

use helpbot_db::DatabaseUrl;
use helpbot_test_support::database::{self, TestDatabase};
use serde_json::Value;
use tempfile::TempDir;

/// An installation in a temporary directory, driven through the built program.
pub struct Home {
    dir: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a temporary directory") }
    }

    /// A path inside the directory.
    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    /// Writes a file into the directory and returns its path.
    pub fn file(&self, name: &str, content: &str) -> String {
        std::fs::write(self.dir.path().join(name), content).expect("written");
        self.path(name)
    }

    /// The program in this directory. Its settings allow pages of this machine and let it stop without waiting for a proxy.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_helpbot"));
        command.args(arguments).current_dir(self.dir.path()).env_clear();
        command.env("HELPBOT_ALLOW_PRIVATE", "127.0.0.1").env("HELPBOT_DRAIN_S", "0");
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().expect("the program starts"))
    }

    /// Runs the program with `--json`. It must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).expect("one JSON document")
    }

    /// Creates an empty site and returns its ID.
    pub fn site(&self) -> String {
        let site = self.json(&["site", "create", "--name", "Shop", "--owner-email", "owner@shop.example"]);
        site["id"].as_str().expect("an id").to_owned()
    }

    /// Starts the server on a free port and waits until it is ready.
    pub fn serve(&self) -> Serving {
        Serving::begin(self.command(&["--listen", "127.0.0.1:0"]))
    }
}

/// The result of a run.
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            code: output.status.code().expect("it ended by itself"),
            stdout: String::from_utf8(output.stdout).expect("text"),
            stderr: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

/// A running server. Dropping it kills the process.
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Everything that the server printed at its start.
    pub printed: String,
    /// The keys of the first start, from the file that the output names. Empty at later starts.
    pub keys: String,
    pub address: SocketAddr,
}

impl Serving {
    pub fn begin(mut command: Command) -> Self {
        let home = command.get_current_dir().expect("the program runs in its home").to_owned();
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut printed = String::new();
        while !printed.contains("async></script>") {
            let read = stdout.read_line(&mut printed).expect("text");
            assert_ne!(read, 0, "the server ended early: {}", rest_of(&mut child));
        }
        let first = printed.lines().next().expect("a line");
        let address = first.rsplit_once("http://").expect("an address").1.parse().expect("an address and port");
        let file = printed.split_once("Its keys are in ").and_then(|(_, rest)| rest.split_once(", which"));
        let keys =
            file.map_or_else(String::new, |(path, _)| std::fs::read_to_string(home.join(path)).expect("the keys"));
        Self { child, stdout, printed, keys, address }
    }

    /// The first word that begins with `prefix` among the keys of the first start.
    pub fn word(&self, prefix: &str) -> String {
        let is_wanted = |word: &&str| word.starts_with(prefix);
        self.keys.split_whitespace().find(is_wanted).unwrap_or_else(|| panic!("no {prefix}")).to_owned()
    }

    /// Asks a question over REST and returns the status code and the JSON.
    pub fn ask(&self, key: &str, question: &str) -> (u16, Value) {
        let body = serde_json::json!({ "question": question }).to_string();
        let reply = self.send(&format!(
            "POST /api/v1/chat HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            body.len()
        ));
        (reply.status, serde_json::from_str(&reply.body).unwrap_or(Value::Null))
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    }

    /// Sends one request as written. The request must ask the server to close the connection.
    pub fn send(&self, text: &str) -> Reply {
        request(self.address, text)
    }

    /// Sends SIGTERM, waits for the end, and returns the exit code and the log.
    pub fn terminate(self) -> (Option<i32>, String) {
        self.ask_to_stop();
        self.ended()
    }

    /// Sends SIGTERM.
    pub fn ask_to_stop(&self) {
        let id = self.child.id().to_string();
        let signaled = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(signaled.success());
    }

    /// Waits for the end, and returns the exit code and the log.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let log = rest_of(&mut self.child);
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("text");
        (self.child.wait().expect("it ends").code(), log)
    }

    /// The ID of the process.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only /proc is read by it"))]
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Kills the process.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("it ends");
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Everything that a process writes to stderr until it ends.
pub fn rest_of(child: &mut Child) -> String {
    let mut text = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        stderr.read_to_string(&mut text).expect("text");
    }
    text
}

/// Sends one request as written to `address`. The request must ask the server to close the connection.
pub fn request(address: SocketAddr, request: &str) -> Reply {
    let mut stream = TcpStream::connect(address).expect("the server listens");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("a text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    Reply { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

/// An address that was free a moment ago.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// A response.
pub struct Reply {
    pub status: u16,
    /// The headers in lower case.
    pub head: String,
    pub body: String,
}

/// A web site on loopback. It responds with 404 to unknown paths.
pub struct Pages {
    address: SocketAddr,
}

impl Pages {
    /// Serves pages, each given by its path, content type and body.
    pub fn serve(pages: &[(&str, &str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let pages: HashMap<String, (String, String)> = pages
            .iter()
            .map(|(path, kind, body)| ((*path).to_owned(), ((*kind).to_owned(), (*body).to_owned())))
            .collect();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &pages);
            }
        });
        Self { address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

fn answer(mut stream: TcpStream, pages: &HashMap<String, (String, String)>) {
    let mut lines = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut first = String::new();
    let mut line = String::from("x");
    if lines.read_line(&mut first).is_err() {
        return;
    }
    while !line.trim().is_empty() {
        line.clear();
        if lines.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
    }
    let path = first.split(' ').nth(1).unwrap_or("/");
    let (status, kind, body) = match pages.get(path) {
        Some((kind, body)) => ("200 OK", kind.as_str(), body.as_str()),
        None => ("404 Not Found", "text/plain", "no such page"),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// Runs a test that starts processes over one database, on a thread where it may block. `setup` prepares the
/// database with its URL, and its result is for the test. Without a PostgreSQL server the test is skipped, as
/// [`database::with`] reports.
pub fn on_database<T: Send + 'static>(
    database: impl AsyncFnOnce() -> Option<TestDatabase>,
    setup: impl AsyncFnOnce(&TestDatabase, &str) -> T,
    test: impl FnOnce(String, T) + Send + 'static,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        database::with(database().await, async |database: &TestDatabase| {
            let url = match (database.file(), database.url()) {
                (None, DatabaseUrl::Postgres(url)) => url.as_str().to_owned(),
                (file, _) => format!("sqlite:{}", file.expect("a file").display()),
            };
            let prepared = setup(database, &url).await;
            tokio::task::spawn_blocking(move || test(url, prepared)).await.expect("it passes");
        })
        .await;
    });
}
