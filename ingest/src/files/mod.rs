//! Uploaded and stored files to pages: which reader is used, by first bytes and extension.
//!
//! Called by uploads, by the crawl and by the command line. The first bytes win where they are clear
//! (`%PDF-`, a ZIP archive with a Word document in it), because people rename files; the extension
//! decides among kinds of text. Every reader is bounded in bytes, elements and nesting.

mod archive;
mod csv;
mod docx;
pub(crate) mod isolated;
mod lines;
mod markdown;
mod number_format;
mod numerals;
mod opendocument;
mod package;
pub mod pdf;
mod pptx;
mod sheets;
mod table;
mod text;
mod xlsx;
pub(crate) mod xml;

use crate::binary::binary_kind;
use crate::charset;
use crate::extract::{self, ExtractError, Page};
use isolated::ReadTask;

/// The largest file that is read, in bytes.
pub const FILE_LIMIT_BYTES: usize = 50 * 1024 * 1024;

/// The kinds of files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FileKind {
    Html,
    Markdown,
    Text,
    Csv,
    Docx,
    Xlsx,
    Pptx,
    /// A text or slides of OpenDocument.
    OpenDocument,
    /// A spreadsheet of OpenDocument.
    OpenDocumentSheets,
    Pdf,
}

/// Reads a file by its name and first bytes: HTML, Markdown, text, CSV, PDF, or an office document.
///
/// A PDF is read by a child of the running program with [`pdf::CHILD_ARGUMENT`], within
/// [`pdf::Limits::default`]; see [`extract_with`] to name another program. Items are in the
/// file's order; a CSV file gives pairs only.
///
/// # Errors
/// Every variant of [`ExtractError`]; `TooLarge` above [`FILE_LIMIT_BYTES`].
pub fn extract(name: &str, bytes: &[u8]) -> Result<Page, ExtractError> {
    if kind(name, bytes)? != FileKind::Pdf {
        return read_here(name, bytes);
    }
    let program = std::env::current_exe()
        .map_err(|error| ExtractError::Unreadable { reason: format!("HelpBot's PDF reader failed ({error})") })?;
    read(name, bytes, Some(&pdf::Child { program, limits: pdf::Limits::default() }))
}

/// As [`extract`], with a named reader for PDF. The reader also reads large and compressed files, so that hostile ones
/// cannot take the memory of this process.
///
/// # Errors
/// As [`extract`].
pub fn extract_with(name: &str, bytes: &[u8], child: &pdf::Child) -> Result<Page, ExtractError> {
    if kind(name, bytes)? != FileKind::Pdf && isolated::is_for_child(bytes) {
        return isolated::read(child, &ReadTask::File { name: name.to_owned() }, bytes);
    }
    read(name, bytes, Some(child))
}

/// Reads a file other than a PDF in this process.
pub(crate) fn read_here(name: &str, bytes: &[u8]) -> Result<Page, ExtractError> {
    read(name, bytes, None)
}

fn read(name: &str, bytes: &[u8], child: Option<&pdf::Child>) -> Result<Page, ExtractError> {
    let kind = kind(name, bytes)?;
    let mut page = match (kind, child) {
        (FileKind::Html, _) => extract::html(bytes, None, None)?,
        (FileKind::Docx, _) => docx::read(bytes)?,
        (FileKind::Xlsx, _) => xlsx::read(bytes)?,
        (FileKind::Pptx, _) => pptx::read(bytes)?,
        (FileKind::OpenDocument, _) => opendocument::read(bytes)?,
        (FileKind::OpenDocumentSheets, _) => opendocument::read_sheets(bytes)?,
        (FileKind::Pdf, Some(child)) => child.extract(bytes)?,
        (FileKind::Pdf, None) => {
            return Err(ExtractError::Unreadable { reason: "HelpBot has no PDF reader here".into() });
        }
        (FileKind::Markdown, _) => markdown::read(&text::plain_lines(&decoded(bytes)))?,
        (FileKind::Text, _) => lines::read(&text::plain_lines(&decoded(bytes)))?,
        (FileKind::Csv, _) => csv::read(&decoded(bytes))?,
    };
    if page.items.is_empty() && kind != FileKind::Html {
        return Err(ExtractError::Empty);
    }
    if page.title.is_empty() {
        page.title = stem(name).to_owned();
    }
    Ok(page)
}

fn decoded(bytes: &[u8]) -> String {
    charset::decode(bytes, None).0
}

fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn stem(name: &str) -> &str {
    let name = base_name(name);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn kind(name: &str, bytes: &[u8]) -> Result<FileKind, ExtractError> {
    if bytes.len() > FILE_LIMIT_BYTES {
        let (size_bytes, limit_bytes) = (bytes.len() as u64, FILE_LIMIT_BYTES as u64);
        return Err(ExtractError::TooLarge { size_bytes, limit_bytes });
    }
    if bytes.trim_ascii().is_empty() {
        return Err(ExtractError::Empty);
    }
    let extension = base_name(name).rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    if is_pdf(bytes) {
        return Ok(FileKind::Pdf);
    }
    // Office puts a document with a password into the container of its old formats.
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(if matches!(extension.as_str(), "docx" | "xlsx" | "pptx") {
            ExtractError::Encrypted
        } else {
            ExtractError::NotText {
                found: "an old Office document; save it in a current format such as DOCX or XLSX".into(),
            }
        });
    }
    if bytes.starts_with(b"PK\x03\x04") {
        // The reader that the extension selects reports a damaged archive.
        let named = match extension.as_str() {
            "docx" | "dotx" | "docm" => Some(FileKind::Docx),
            "xlsx" | "xlsm" => Some(FileKind::Xlsx),
            "pptx" | "ppsx" => Some(FileKind::Pptx),
            "odt" | "odp" => Some(FileKind::OpenDocument),
            "ods" => Some(FileKind::OpenDocumentSheets),
            _ => None,
        };
        return office_kind(bytes).or(named).ok_or(ExtractError::NotText { found: "a ZIP archive".into() });
    }
    if let Some(found) = binary_kind(bytes) {
        return Err(ExtractError::NotText { found: found.into() });
    }
    match extension.as_str() {
        "html" | "htm" | "xhtml" => Ok(FileKind::Html),
        "md" | "markdown" | "mdown" | "mdx" | "qmd" | "rmd" => Ok(FileKind::Markdown),
        "txt" | "text" => Ok(FileKind::Text),
        "csv" | "tsv" => Ok(FileKind::Csv),
        "docx" | "pdf" | "xlsx" | "pptx" | "odt" | "ods" | "odp" => {
            Err(ExtractError::Unreadable { reason: format!("it is not a {} file", extension.to_uppercase()) })
        }
        _ if looks_like_html(bytes) => Ok(FileKind::Html),
        _ => Err(ExtractError::UnsupportedKind { extension }),
    }
}

/// The kind of an office document by the parts that its archive names near its start or its end.
fn office_kind(bytes: &[u8]) -> Option<FileKind> {
    let archive = archive::Archive::open(bytes).ok()?;
    let has = |name: &str| archive.has(name);
    let is_word = !archive.names("word/").is_empty();
    match () {
        () if is_word => Some(FileKind::Docx),
        () if !archive.names("xl/").is_empty() => Some(FileKind::Xlsx),
        () if has("ppt/presentation.xml") => Some(FileKind::Pptx),
        () if has("content.xml") && is_spreadsheet(bytes) => Some(FileKind::OpenDocumentSheets),
        () if has("content.xml") => Some(FileKind::OpenDocument),
        () => None,
    }
}

/// Whether an OpenDocument file says in its first part, which is not compressed, that it is a
/// spreadsheet.
fn is_spreadsheet(bytes: &[u8]) -> bool {
    const TYPE: &[u8] = b"opendocument.spreadsheet";
    bytes[..bytes.len().min(256)].windows(TYPE.len()).any(|window| window == TYPE)
}

/// PDF readers accept up to a kilobyte of other bytes before the header.
fn is_pdf(bytes: &[u8]) -> bool {
    let window = &bytes[..bytes.len().min(1024)];
    window.windows(5).any(|at| at == b"%PDF-") && !looks_like_html(bytes)
}

/// Whether bytes begin like an HTML page.
pub(crate) fn looks_like_html(bytes: &[u8]) -> bool {
    let start = bytes.trim_ascii_start();
    let has = |prefix: &[u8]| start.len() >= prefix.len() && start[..prefix.len()].eq_ignore_ascii_case(prefix);
    has(b"<!doctype html") || has(b"<html")
}
