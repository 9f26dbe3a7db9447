//! Runs the measured servers as separate processes: this program or the product's binary. A server is found by the
//! address that it prints, and stopped when its value is dropped.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Text before the address in the output of a ceiling.
pub const MARK: &str = "listening on http://";

/// Text in the last line that the product prints at its first start.
const LAST_OF_FIRST_START: &str = "async></script>";

/// A server in a separate process.
pub struct Server {
    child: Child,
    /// Address that it listens on.
    pub addr: SocketAddr,
    /// Its output until it was ready.
    pub printed: String,
    /// Time from the start of the process until it was ready.
    pub started_in: Duration,
    /// Address of the product's metrics. For other servers, nothing listens on it.
    pub metrics: SocketAddr,
}

/// Prints the address of this process for [`start`].
pub fn announce(addr: SocketAddr) {
    let mut out = io::stdout().lock();
    // When the parent process has ended, the write fails and the server ends too.
    let _ = writeln!(out, "{MARK}{addr}").and_then(|()| out.flush());
}

/// Starts a server and waits until it prints a line that contains `last`. The first `http://` address in its output is the
/// address that it listens on.
///
/// # Errors
/// When it cannot be started, ends before that line, or prints no address.
pub fn start(command: &mut Command, last: &str) -> io::Result<Server> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no output"))?);
    let mut printed = String::new();
    let unheard = |printed: &str| io::Error::other(format!("the server printed no address: {printed}"));
    while !printed.lines().next_back().is_some_and(|line| line.contains(last)) {
        if lines.read_line(&mut printed)? == 0 {
            return Err(unheard(&printed));
        }
    }
    let address = printed.split("http://").nth(1).and_then(|rest| rest.split(['/', ' ', '\n']).next());
    let addr = address.and_then(|text| text.parse().ok()).ok_or_else(|| unheard(&printed))?;
    let started_in = began.elapsed();
    // The output is read until the end, so that the server never waits for a full pipe.
    std::thread::spawn(move || io::copy(&mut lines, &mut io::sink()));
    Ok(Server { child, addr, printed, started_in, metrics: addr })
}

/// Starts the product with a new data directory below `home`, without rate limits and with additional settings. Its binary
/// must have been built (`cargo build --release`).
///
/// # Errors
/// The errors of [`start`].
pub fn product(home: &Path, settings: &[(&str, &str)]) -> io::Result<Server> {
    product_of(&std::env::current_exe()?.with_file_name("helpbot"), home, settings)
}

/// Same as [`product`], with another binary.
///
/// # Errors
/// The errors of [`start`].
pub fn product_of(binary: &Path, home: &Path, settings: &[(&str, &str)]) -> io::Result<Server> {
    let mut command = Command::new(binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(home.join("data"));
    // Nothing else takes a port that was free a moment ago.
    let metrics = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    command.env("HELPBOT_METRICS_LISTEN", metrics.to_string());
    command.env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_LOG", "warn").envs(settings.iter().copied());
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", binary.display()));
    let mut server = start(&mut command, LAST_OF_FIRST_START).map_err(named)?;
    // The keys are in a file, because stdout is not a terminal.
    server.printed += &std::fs::read_to_string(home.join("data/first-keys.txt"))?;
    server.metrics = metrics;
    Ok(server)
}

impl Server {
    /// The first word with this beginning in its output and its key file, for example an API key.
    ///
    /// # Errors
    /// When there is no such word.
    pub fn word(&self, beginning: &str) -> io::Result<String> {
        let word = self.printed.split_whitespace().find(|word| word.starts_with(beginning));
        let word =
            word.ok_or_else(|| io::Error::other(format!("no {beginning} in what it printed:\n{}", self.printed)))?;
        Ok(word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned())
    }

    /// Number of bytes that the process has written to disk.
    ///
    /// # Errors
    /// When the operating system does not provide the value.
    pub fn written_bytes(&self) -> io::Result<u64> {
        let counts = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("io"))?;
        let line = counts.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        line.and_then(|bytes| bytes.parse().ok()).ok_or_else(|| io::Error::other("no write_bytes"))
    }

    /// Resident memory in MiB.
    ///
    /// # Errors
    /// When the operating system does not provide the value.
    pub fn resident_mib(&self) -> io::Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// Resets [`peak_mib`](Self::peak_mib) to the current resident memory.
    ///
    /// # Errors
    /// When the operating system does not allow it.
    pub fn reset_peak(&self) -> io::Result<()> {
        // proc(5): 5 resets the peak resident set size ("high water mark").
        std::fs::write(Path::new("/proc").join(self.child.id().to_string()).join("clear_refs"), "5")
    }

    /// Maximum resident memory in MiB since the start, or since [`reset_peak`](Self::reset_peak).
    ///
    /// # Errors
    /// When the operating system does not provide the value.
    pub fn peak_mib(&self) -> io::Result<f64> {
        self.status_mib("VmHWM:")
    }

    fn status_mib(&self, name: &str) -> io::Result<f64> {
        let status = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|kib| kib.trim().parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| io::Error::other(format!("no {name}")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
