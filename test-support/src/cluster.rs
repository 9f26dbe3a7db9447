//! A PostgreSQL server of its own, for tests that change the settings of the server or make it fail.

use std::collections::HashMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::database::server_client;

/// The script, in a network namespace.
fn command(namespace: Option<&str>) -> Command {
    let Some(namespace) = namespace else { return Command::new(script()) };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace]).arg(script());
    command
}

/// A running server, which is stopped and removed when this is dropped.
pub struct Cluster {
    variables: HashMap<String, String>,
    /// The network namespace in which the server runs. `None` means that of the test.
    namespace: Option<String>,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres")
}

impl Cluster {
    /// Starts a server. `None` where the tests have no PostgreSQL at all.
    ///
    /// # Panics
    /// When the server does not start.
    pub fn start() -> Option<Self> {
        Self::start_in(None, &[])
    }

    /// Starts a server in a network namespace, with more arguments of `scripts/postgres start`.
    ///
    /// # Panics
    /// When the server does not start.
    pub fn start_in(namespace: Option<&str>, arguments: &[&str]) -> Option<Self> {
        std::env::var_os("HELPBOT_TEST_POSTGRES")?;
        let output = command(namespace).arg("start").args(arguments).output().expect("the script runs");
        let text = String::from_utf8(output.stdout).expect("text");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let pair = |line: &str| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        Some(Self { variables: text.lines().filter_map(pair).collect(), namespace: namespace.map(str::to_owned) })
    }

    /// URL of the superuser.
    pub fn server(&self) -> &str {
        &self.variables["HELPBOT_TEST_POSTGRES"]
    }

    /// Port of the server on 127.0.0.1.
    pub fn port(&self) -> &str {
        self.server().rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).expect("a port")
    }

    /// Ends the server at once, as a crash does. Its files stay.
    pub fn crash(&self) {
        self.order("crash");
    }

    /// Starts the server again after [`Cluster::crash`], and waits until it accepts connections.
    pub fn start_again(&self) {
        self.order("again");
    }

    /// Stops all processes of the server with SIGSTOP: its connections stay open, and nothing is answered.
    pub fn freeze(&self) {
        self.order("freeze");
    }

    /// Lets the processes of the server continue.
    pub fn thaw(&self) {
        self.order("thaw");
    }

    fn order(&self, what: &str) {
        let output = command(self.namespace.as_deref()).arg(what).envs(&self.variables).output();
        let output = output.expect("the script runs");
        assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn data(&self) -> PathBuf {
        Path::new(&self.variables["HELPBOT_TEST_POSTGRES_DIR"]).join("data")
    }

    /// Writes a file of the data directory that only the account of the server can read.
    pub fn write(&self, name: &str, content: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, content).expect("the file is written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("permissions");
        let owner = std::fs::metadata(self.data()).expect("the directory");
        // Only root can give a file away; the tests of anyone else own the directory already.
        let _ = chown(&path, Some(owner.uid()), Some(owner.gid()));
    }

    /// Appends to a file of the data directory.
    pub fn append(&self, name: &str, text: &str) {
        let old = std::fs::read_to_string(self.data().join(name)).expect("the file is read");
        self.write(name, &format!("{old}\n{text}\n"));
    }

    /// Runs statements as the superuser.
    pub async fn run(&self, sql: &str) {
        server_client(self.server()).await.batch_execute(sql).await.expect("the server obeys");
    }

    /// Makes the server read its settings again, which takes effect a moment later.
    pub async fn reload(&self) {
        self.run("SELECT pg_reload_conf()").await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A server that a failed test left frozen does not end.
        let _ = command(self.namespace.as_deref()).arg("thaw").envs(&self.variables).output();
        let stopped = command(self.namespace.as_deref()).arg("stop").envs(&self.variables).output();
        assert!(stopped.is_ok_and(|output| output.status.success()) || std::thread::panicking(), "the server stops");
    }
}
