//! Reasons why a page or file could not be read, in words that a site owner understands.
//!
//! The sync report and the upload form show these texts behind an introduction ("The file could not be read:"), so they
//! are clauses that name the cause and what to do.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The reason why no content was taken from a page or file.
///
/// It is serializable because a child process reports it to the server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum ExtractError {
    /// No text: an empty file or a scanned PDF.
    #[error("it contains no text")]
    Empty,
    /// No text but what JavaScript adds when the page is shown.
    #[error("its text is added by JavaScript, which HelpBot does not run")]
    NeedsScripts,
    /// Larger than the limit for one page or file.
    #[error("it is too large: it has {size_bytes} bytes, and the limit is {limit_bytes}")]
    TooLarge {
        /// Size of the input, or of the decoded input where that was over the limit.
        size_bytes: u64,
        /// The limit.
        limit_bytes: u64,
    },
    /// Elements that are nested deeper than any browser would display.
    #[error("its elements are nested more than {limit} levels deep")]
    TooDeep {
        /// The deepest nesting that is read.
        limit: u32,
    },
    /// More elements than a page of text has.
    #[error("it has more than {limit} elements")]
    TooManyElements {
        /// The most elements that are read.
        limit: u32,
    },
    /// Protected by a password or by rights management.
    #[error("it is encrypted. Upload a copy without a password")]
    Encrypted,
    /// A picture, archive, program or other bytes that are not text.
    #[error("it is not text but {found}")]
    NotText {
        /// What the first bytes look like, with its article: "a PNG picture", "binary data".
        found: Cow<'static, str>,
    },
    /// A format that is not supported.
    #[error(
        "files of the type {extension:?} are not supported. Supported are HTML, Markdown, TXT, CSV, DOCX, XLSX, PPTX, \
         ODT, ODS, ODP and PDF"
    )]
    UnsupportedKind {
        /// The file's extension, lower case, without the dot; empty when it has none.
        extension: String,
    },
    /// Broken, or not what its name says.
    #[error("{reason}")]
    Unreadable {
        /// What was wrong, as a clause: "the archive is damaged".
        reason: String,
    },
    /// More text than one page or file may have.
    #[error("it has more than {limit_bytes} bytes of text. Divide it into several pages or files")]
    TooMuchText {
        /// The most bytes of text that are read, with what describes them.
        limit_bytes: u64,
    },
    /// Reading exceeded the limit for time or memory.
    #[error("reading it took too much {resource}")]
    TookTooMuch {
        /// "time" or "time or memory".
        resource: Cow<'static, str>,
    },
}
