//! Why a page or file gave nothing, in words that a site owner understands.
//!
//! The crawl report and the upload form show these texts as they stand, so they name the cause and
//! what to do, never a crate or a line of code.

/// The reason why no content was taken from a page or file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Nothing but white space, or no text at all (a scanned PDF, an empty file).
    #[error("there is no text in it")]
    Empty,
    /// No text but what scripts put in when the page is shown.
    #[error("its text is only put in by JavaScript, which is not run")]
    NeedsScripts,
    /// Larger than what is read of one page or file; sizes in bytes.
    #[error("it is too large: {size_bytes} bytes, at most {limit_bytes} are read")]
    TooLarge {
        /// Size of the input, or of the decoded input where that was over the limit.
        size_bytes: u64,
        /// The limit that it broke.
        limit_bytes: u64,
    },
    /// Elements nested deeper than any browser would lay out.
    #[error("its elements are nested more than {limit} deep, which no browser shows either")]
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
    #[error("it is encrypted; upload a copy without a password")]
    Encrypted,
    /// A picture, archive, program or other bytes that are not text.
    #[error("it is not text but {found}")]
    NotText {
        /// What the first bytes look like, with its article: "a PNG picture", "binary data".
        found: &'static str,
    },
    /// A kind of file that is not read.
    #[error("files of the kind {extension:?} are not read; HTML, Markdown, TXT, CSV, DOCX and PDF are")]
    UnsupportedKind {
        /// The file's extension, lower case, without the dot; empty when it has none.
        extension: String,
    },
    /// Broken, or not what its name says.
    #[error("it cannot be read: {reason}")]
    Unreadable {
        /// What was wrong, as a clause: "the archive is damaged".
        reason: String,
    },
    /// The reader used up the time, memory or output that one file may cost.
    #[error("reading it took too much {resource}")]
    TookTooMuch {
        /// "time", "output" or "time or memory".
        resource: &'static str,
    },
}
