//! Servers under measurement run as processes of their own: started from this same program or
//! from the product's binary, found by the address that they print, ended when dropped.

use std::io::{self, BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Before the address in what a ceiling prints.
pub const MARK: &str = "listening on http://";

/// In the last line of what the product prints at its first start.
const LAST_OF_FIRST_START: &str = "async></script>";

/// A server in a process of its own.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub addr: SocketAddr,
    /// What it had printed by then.
    pub printed: String,
    /// From the start of the process until it said that it listens.
    pub started_in: Duration,
}

/// Prints where this process listens, for [`start`] to find.
pub fn announce(addr: SocketAddr) {
    let mut out = io::stdout().lock();
    // A parent that has gone away reads nothing; the server ends with its pipe then.
    let _ = writeln!(out, "{MARK}{addr}").and_then(|()| out.flush());
}

/// Starts a server and waits until it has printed a line that holds `last`; the first address
/// among its lines, which begins with `http://`, is where it listens.
///
/// # Errors
/// When it cannot be started, or ends before that line, or gives no address.
pub fn start(command: &mut Command, last: &str) -> io::Result<Server> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut lines = BufReader::new(child.stdout.take().ok_or_else(|| io::Error::other("no output"))?);
    let mut printed = String::new();
    let unheard = |printed: &str| io::Error::other(format!("the server gave no address; it said: {printed}"));
    while !printed.lines().next_back().is_some_and(|line| line.contains(last)) {
        if lines.read_line(&mut printed)? == 0 {
            return Err(unheard(&printed));
        }
    }
    let address = printed.split("http://").nth(1).and_then(|rest| rest.split(['/', ' ', '\n']).next());
    let addr = address.and_then(|text| text.parse().ok()).ok_or_else(|| unheard(&printed))?;
    let started_in = began.elapsed();
    // Keeps reading, so that the server never waits for a full pipe.
    std::thread::spawn(move || io::copy(&mut lines, &mut io::sink()));
    Ok(Server { child, addr, printed, started_in })
}

/// Starts the product on a new data directory under `home`, without rate limits and with these
/// settings beside. Its binary must have been built (`cargo build --release`).
///
/// # Errors
/// As [`start`].
pub fn product(home: &Path, settings: &[(&str, &str)]) -> io::Result<Server> {
    let binary = std::env::current_exe()?.with_file_name("helpbot");
    let mut command = Command::new(&binary);
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(home.join("data"));
    command.env("HELPBOT_RATE_LIMITS", "off").env("HELPBOT_LOG", "warn").envs(settings.iter().copied());
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", binary.display()));
    start(&mut command, LAST_OF_FIRST_START).map_err(named)
}

impl Server {
    /// The first word that begins so in what it printed: a key.
    ///
    /// # Errors
    /// When there is none.
    pub fn word(&self, beginning: &str) -> io::Result<String> {
        let word = self.printed.split_whitespace().find(|word| word.starts_with(beginning));
        let word =
            word.ok_or_else(|| io::Error::other(format!("no {beginning} in what it printed:\n{}", self.printed)))?;
        Ok(word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_').to_owned())
    }

    /// Bytes that it caused to be written to disk so far.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn written_bytes(&self) -> io::Result<u64> {
        let counts = std::fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join("io"))?;
        let line = counts.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        line.and_then(|bytes| bytes.parse().ok()).ok_or_else(|| io::Error::other("no write_bytes"))
    }

    /// Resident memory, MiB.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn resident_mib(&self) -> io::Result<f64> {
        self.status_mib("VmRSS:")
    }

    /// Begins a new [`peak_mib`](Self::peak_mib): what is resident now is the most.
    ///
    /// # Errors
    /// When the system does not let it.
    pub fn reset_peak(&self) -> io::Result<()> {
        // proc(5): 5 resets the peak resident set size ("high water mark").
        std::fs::write(Path::new("/proc").join(self.child.id().to_string()).join("clear_refs"), "5")
    }

    /// The most that was resident since the start, or since [`reset_peak`](Self::reset_peak), MiB.
    ///
    /// # Errors
    /// When the system does not say.
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
