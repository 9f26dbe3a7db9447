//! What a server sent to the page that it is: which reader is used, by what the server says about it
//! and by its first bytes.
//!
//! Called by the crawl and for single pages. Servers send documents under the type for any bytes, pages
//! compressed without a word, and pages that only lead to another one.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use helpbot_outbound::FetchedPage;
use url::Url;

use crate::extract::{self, ExtractError, HTML_LIMIT_BYTES, Page};
use crate::files::isolated::{self, ReadTask};
use crate::{files, pdf};

/// Which reader a response is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentKind {
    /// HTML.
    Page,
    /// A file, with the extension that its name should have.
    File(&'static str),
}

/// Returns the reader for a response.
///
/// # Errors
/// The reason why there is none, for the owner of the site.
pub(crate) fn kind(content_type: Option<&str>, body: &[u8]) -> Result<ContentKind, String> {
    let essence =
        content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    if let Some(kind) = kind_by_bytes(body) {
        return Ok(kind);
    }
    match essence.as_str() {
        ""
        | "text/html"
        | "application/xhtml+xml"
        | "application/octet-stream"
        | "binary/octet-stream"
        | "application/x-download"
        | "application/force-download" => Ok(ContentKind::Page),
        // Servers without a type for a page send it as text.
        "text/plain" if files::looks_like_html(body) => Ok(ContentKind::Page),
        "text/plain" => Ok(ContentKind::File("txt")),
        "text/markdown" | "text/x-markdown" | "text/mdx" => Ok(ContentKind::File("md")),
        // Windows sends CSV under the type for spreadsheets.
        "text/csv"
        | "text/x-csv"
        | "application/csv"
        | "text/comma-separated-values"
        | "text/tab-separated-values"
        | "application/vnd.ms-excel" => Ok(ContentKind::File("csv")),
        "application/pdf" | "application/x-pdf" | "text/pdf" => Ok(ContentKind::File("pdf")),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Ok(ContentKind::File("docx")),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => Ok(ContentKind::File("xlsx")),
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => Ok(ContentKind::File("pptx")),
        "application/vnd.oasis.opendocument.text" => Ok(ContentKind::File("odt")),
        "application/vnd.oasis.opendocument.spreadsheet" => Ok(ContentKind::File("ods")),
        other => Err(format!("The address returns {other:?}, which is not a supported format")),
    }
}

/// The reader for bytes that leave no doubt, whatever the server says.
fn kind_by_bytes(body: &[u8]) -> Option<ContentKind> {
    match body {
        _ if body.starts_with(b"%PDF-") => Some(ContentKind::File("pdf")),
        _ if body.starts_with(b"PK\x03\x04") => Some(ContentKind::File("zip")),
        // Servers send XHTML under the types for any XML.
        _ if is_xhtml(body) => Some(ContentKind::Page),
        _ => None,
    }
}

/// The start of an XML file that is searched for its first element, in bytes.
const PROLOG_BYTES: usize = 1024;

/// Whether an XML file is a page.
fn is_xhtml(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let window = &start[..start.len().min(PROLOG_BYTES)];
    start.starts_with(b"<?xml") && window.windows(5).any(|at| at.eq_ignore_ascii_case(b"<html"))
}

/// The body of a response, decompressed where the server did not say that it is compressed.
///
/// # Errors
/// `TooLarge` when it decompresses to more than a page may have, `Unreadable` when it is damaged.
fn body(fetched: &FetchedPage) -> Result<Cow<'_, [u8]>, ExtractError> {
    if !fetched.body.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Ok(Cow::Borrowed(&fetched.body));
    }
    let mut decoded = Vec::new();
    let limit = HTML_LIMIT_BYTES as u64;
    MultiGzDecoder::new(&*fetched.body)
        .take(limit + 1)
        .read_to_end(&mut decoded)
        .map_err(|_| ExtractError::Unreadable { reason: "its compression is damaged".to_owned() })?;
    if decoded.len() as u64 > limit {
        return Err(ExtractError::TooLarge { size_bytes: decoded.len() as u64, limit_bytes: limit });
    }
    Ok(Cow::Owned(decoded))
}

/// Reads a response. Takes up to a second for a huge page, so it runs on threads that may block.
pub(crate) fn read(fetched: &FetchedPage, kind: ContentKind, child: &pdf::Child) -> Result<Page, ExtractError> {
    let address = &fetched.final_url;
    let body = body(fetched)?;
    match kind_by_bytes(&body).or_else(|| kind_by_name(fetched, kind, &body)).unwrap_or(kind) {
        ContentKind::Page if isolated::is_for_child(&body) => {
            let task = ReadTask::Page { content_type: fetched.content_type.clone(), url: address.clone() };
            isolated::read(child, &task, &body)
        }
        ContentKind::Page => extract::html(&body, fetched.content_type.as_deref(), Some(address)),
        ContentKind::File(extension) => files::extract_with(&file_name(address, extension), &body, child),
    }
}

/// The reader for a text file that the server sends without a type, or under the type for any bytes, by its name.
fn kind_by_name(fetched: &FetchedPage, kind: ContentKind, body: &[u8]) -> Option<ContentKind> {
    let content_type = fetched.content_type.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_declared = content_type.contains("html") || kind != ContentKind::Page;
    let (_, extension) = fetched.final_url.path().rsplit_once('.').filter(|_| !is_declared)?;
    let extensions = ["csv", "tsv", "md", "mdx", "markdown", "txt"];
    let known = extensions.into_iter().find(|known| extension.eq_ignore_ascii_case(known));
    known.filter(|_| !files::looks_like_html(body)).map(ContentKind::File)
}

/// A name by which the reader is chosen: the address's own unless its extension says another
/// kind than the server does. A server's `text/plain` is its word for any text.
fn file_name(address: &Url, extension: &str) -> String {
    let name = address.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let own = name.rsplit_once('.').map(|(_, own)| own.to_ascii_lowercase());
    let is_kept = match (own.as_deref(), extension) {
        (Some(own), "txt") => matches!(own, "txt" | "text" | "md" | "mdx" | "markdown" | "csv" | "tsv"),
        (Some(own), extension) => own == extension,
        (None, _) => false,
    };
    if is_kept { name.to_owned() } else { format!("{name}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_follows_what_the_server_says() {
        let of = |value| kind(Some(value), b"text");

        assert_eq!(kind(None, b""), Ok(ContentKind::Page));
        assert_eq!(of("Text/HTML; charset=latin1"), Ok(ContentKind::Page));
        assert_eq!(of("application/x-pdf"), Ok(ContentKind::File("pdf")));
        assert_eq!(
            of("image/png"),
            Err("The address returns \"image/png\", which is not a supported format".to_owned())
        );
    }

    #[test]
    fn first_bytes_win_over_what_the_server_says() {
        assert_eq!(kind(Some("binary/octet-stream"), b"%PDF-1.4"), Ok(ContentKind::File("pdf")));
        assert_eq!(kind(Some("text/html"), b"PK\x03\x04"), Ok(ContentKind::File("zip")));
        let xhtml = b"<?xml version='1.0'?>\n<html xmlns='http://www.w3.org/1999/xhtml'>";
        assert_eq!(kind(Some("application/xml"), xhtml), Ok(ContentKind::Page));
        assert!(kind(Some("application/xml"), b"<?xml version='1.0'?><rss>").is_err());
    }

    #[test]
    fn a_plain_text_answer_keeps_the_name_of_a_text_file() {
        let name = |address: &str, extension| file_name(&Url::parse(address).expect("a URL"), extension);

        assert_eq!(name("https://a.example/docs/FAQ.md", "txt"), "FAQ.md");
        assert_eq!(name("https://a.example/robots", "txt"), "robots.txt");
        assert_eq!(name("https://a.example/get.php?id=1", "pdf"), "get.php.pdf");
        assert_eq!(name("https://a.example/", "txt"), ".txt");
    }
}
