//! Reads large pages and files in a child process, so that hostile ones cannot take the memory of the server.
//!
//! A parser needs many times the size of its input: a tree of HTML about ten times, nested Markdown a hundred times.
//! Inputs of up to [`IN_PROCESS_BYTES`] are read in the calling process, where this stays below the memory of a request.
//! Larger inputs, and everything that is compressed, are read by the child of [`pdf`](super::pdf) within its limits of
//! memory and time. The child gets the input and a [`ReadTask`], and answers with the page or the error as JSON.

use serde::{Deserialize, Serialize};
use url::Url;

use super::pdf;
use crate::extract::{self, ExtractError, Page};
use crate::files;

/// The largest input that is read in the calling process, in bytes. Few pages are larger, and starting a child takes
/// ten milliseconds.
pub(crate) const IN_PROCESS_BYTES: usize = 256 * 1024;

/// The first bytes of compressed inputs, whose size says nothing about their content: ZIP archives (office documents)
/// and gzip.
const COMPRESSED: [&[u8]; 2] = [b"PK\x03\x04", b"\x1f\x8b"];

/// What a child is asked to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ReadTask {
    /// An HTML page, with the header and the URL that it came with.
    Page {
        /// The HTTP header `Content-Type`.
        content_type: Option<String>,
        /// Where the page was found.
        url: Url,
    },
    /// A file, by its name.
    File {
        /// Name of the file.
        name: String,
    },
}

/// Returns whether an input must be read in a child process.
pub(crate) fn is_for_child(bytes: &[u8]) -> bool {
    bytes.len() > IN_PROCESS_BYTES || COMPRESSED.iter().any(|magic| bytes.starts_with(magic))
}

/// Reads an input in a child process. Blocks until it ends.
///
/// # Errors
/// The errors of reading; `TookTooMuch` when a limit of the child is exceeded.
pub(crate) fn read(child: &pdf::Child, task: &ReadTask, bytes: &[u8]) -> Result<Page, ExtractError> {
    let lost = |_| ExtractError::Unreadable { reason: "HelpBot's file reader failed".to_owned() };
    let task = serde_json::to_string(task).map_err(lost)?;
    let answer = child.task(&task, bytes)?;
    serde_json::from_slice::<Result<Page, ExtractError>>(&answer).map_err(lost)?
}

/// The child's side: reads the input and returns the answer. `None` for a task of another version of the program.
#[cfg_attr(not(feature = "pdf"), expect(dead_code, reason = "only the child calls it"))]
pub(crate) fn answer(task: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let read = match serde_json::from_str(task).ok()? {
        ReadTask::Page { content_type, url } => extract::html(bytes, content_type.as_deref(), Some(&url)),
        ReadTask::File { name } => files::read_here(&name, bytes),
    };
    serde_json::to_vec(&read).ok()
}
