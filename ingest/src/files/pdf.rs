//! Reads PDF in a child process, which may crash, hang or run out of memory without harm.
//!
//! Crafted files make PDF parsers loop or overflow the stack, which ends the whole process. The program therefore
//! starts itself with the hidden subcommand [`CHILD_ARGUMENT`] and calls [`serve`] there. The child limits itself,
//! reads the file from its input and writes HTML to its output after a marker. The parent ([`Child::extract`])
//! limits bytes and time.

#[cfg(feature = "pdf")]
mod cmap;
#[cfg(feature = "pdf")]
mod columns;
#[cfg(feature = "pdf")]
mod content;
#[cfg(feature = "pdf")]
mod contents;
#[cfg(feature = "pdf")]
mod direction;
#[cfg(feature = "pdf")]
mod font;
#[cfg(feature = "pdf")]
mod furniture;
#[cfg(feature = "pdf")]
mod glyph;
mod limits;
#[cfg(feature = "pdf")]
mod lines;
#[cfg(feature = "pdf")]
mod links;
#[cfg(feature = "pdf")]
mod overprint;
#[cfg(feature = "pdf")]
mod paragraphs;
#[cfg(feature = "pdf")]
mod serve;

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;

use crate::extract::{self, ExtractError, Page};
use limits::{EXIT_ENCRYPTED, MARK};

pub use limits::Limits;
#[cfg(feature = "pdf")]
pub use serve::{html, serve};

/// The subcommand that the program answers with [`serve`].
pub const CHILD_ARGUMENT: &str = "read-pdf";

/// Keeps the allocator of the product from reserving a gigabyte of addresses when the child starts, which would
/// use up its limit. Other allocators ignore the name.
const NO_RESERVE: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "0");

/// The program to start and its limits.
#[derive(Debug, Clone)]
pub struct Child {
    /// A program that answers [`CHILD_ARGUMENT`] with [`serve`].
    pub program: PathBuf,
    /// The limits of each child.
    pub limits: Limits,
}

impl Child {
    /// Reads a PDF in a child process. Blocks until it ends.
    ///
    /// # Errors
    /// `Encrypted`, `Unreadable`, `Empty` for scans, and `TookTooMuch` when a limit is exceeded.
    pub fn extract(&self, bytes: &[u8]) -> Result<Page, ExtractError> {
        extract::html_text(&self.html(bytes)?, None)
    }

    /// The HTML of a PDF, read in a child process.
    ///
    /// # Errors
    /// Same as [`Child::extract`].
    pub fn html(&self, bytes: &[u8]) -> Result<String, ExtractError> {
        let text = self.run(None, bytes)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        if text.trim().is_empty() { Err(ExtractError::Empty) } else { Ok(text) }
    }

    /// The answer of a child process to a task of [`isolated`](super::isolated).
    ///
    /// # Errors
    /// `Unreadable` when the child fails, and `TookTooMuch` when a limit is exceeded.
    pub(crate) fn task(&self, task: &str, bytes: &[u8]) -> Result<Vec<u8>, ExtractError> {
        self.run(Some(task), bytes)
    }

    /// Starts a child process, sends it `bytes` and returns what it wrote behind the marker.
    fn run(&self, task: Option<&str>, bytes: &[u8]) -> Result<Vec<u8>, ExtractError> {
        let mut child = Command::new(&self.program)
            .arg(CHILD_ARGUMENT)
            .args([self.limits.memory_bytes.to_string(), self.limits.cpu_seconds.to_string()])
            .args(task)
            .env_clear()
            .env(NO_RESERVE.0, NO_RESERVE.1)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| unreadable(&format!("HelpBot's file reader failed ({error})")))?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let limit = self.limits.output_bytes;
        let (sender, receiver) = mpsc::channel();
        let outcome = std::thread::scope(|scope| {
            // A child that ends early closes the pipe. Its exit code tells why.
            scope.spawn(|| stdin.map(|mut stdin| stdin.write_all(bytes)));
            scope.spawn(move || {
                let mut output = Vec::new();
                let read = stdout.map(|stdout| stdout.take(limit + 1).read_to_end(&mut output));
                let _ = sender.send(read.map(|read| read.map(|_| output)));
            });
            let outcome = receiver.recv_timeout(self.limits.wall_time);
            let is_over = matches!(&outcome, Ok(Some(Ok(output))) if output.len() as u64 > limit);
            if outcome.is_err() || is_over {
                // This also ends both threads, because their pipes close with the child.
                let _ = child.kill();
            }
            outcome
        });
        let status = child.wait().map_err(|error| unreadable(&format!("HelpBot's file reader failed ({error})")))?;
        let output = match outcome {
            Ok(Some(Ok(output))) => output,
            Ok(_) => return Err(unreadable("HelpBot's file reader returned nothing")),
            Err(_) => return Err(ExtractError::TookTooMuch { resource: "time".into() }),
        };
        if output.len() as u64 > limit {
            return Err(ExtractError::TooMuchText { limit_bytes: limit });
        }
        interpret(status.code(), output)
    }
}

fn unreadable(reason: &str) -> ExtractError {
    ExtractError::Unreadable { reason: reason.to_owned() }
}

/// Returns the output of a child that has ended, without its marker. A child without an exit code was ended by a signal:
/// it exceeded its processor time or memory, or it crashed.
fn interpret(code: Option<i32>, mut output: Vec<u8>) -> Result<Vec<u8>, ExtractError> {
    match code {
        Some(0) if output.starts_with(MARK) => {
            output.drain(..MARK.len());
            Ok(output)
        }
        Some(0) => Err(unreadable("the configured program is not a PDF reader")),
        Some(code) if code == i32::from(EXIT_ENCRYPTED) => Err(ExtractError::Encrypted),
        Some(_) => Err(unreadable("the PDF is damaged")),
        None => Err(ExtractError::TookTooMuch { resource: "time or memory".into() }),
    }
}
