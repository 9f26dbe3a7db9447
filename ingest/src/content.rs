//! What a server sent, to the page that it is: which reader, by what the server says it is.

use helpbot_outbound::Fetched;
use url::Url;

use crate::extract::{self, ExtractError, Page};
use crate::pdf;

/// Which reader a response is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ContentKind {
    /// HTML.
    Page,
    /// With the extension that its name should have.
    File(&'static str),
}

/// The reader by the header of the response.
///
/// # Errors
/// The reason why there is none.
pub(crate) fn kind(content_type: Option<&str>) -> Result<ContentKind, String> {
    let essence =
        content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "" | "text/html" | "application/xhtml+xml" | "application/octet-stream" => Ok(ContentKind::Page),
        "text/plain" => Ok(ContentKind::File("txt")),
        "text/markdown" | "text/x-markdown" => Ok(ContentKind::File("md")),
        "text/csv" => Ok(ContentKind::File("csv")),
        "application/pdf" => Ok(ContentKind::File("pdf")),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => Ok(ContentKind::File("docx")),
        other => Err(format!("This is not a page of text; its server calls it {other:?}")),
    }
}

/// Reads a response. Takes up to a second for a huge page: for threads that may block.
pub(crate) fn read(fetched: &Fetched, kind: ContentKind, child: &pdf::Child) -> Result<Page, ExtractError> {
    let (address, body) = (&fetched.final_url, &fetched.body);
    match kind {
        ContentKind::Page => extract::html(body, fetched.content_type.as_deref(), Some(address)),
        ContentKind::File(extension) => extract::file_with(&file_name(address, extension), body, child),
    }
}

/// A name by which the reader is chosen: the address's own unless its extension says another
/// kind than the server does. A server's `text/plain` is its word for any text.
fn file_name(address: &Url, extension: &str) -> String {
    let name = address.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let own = name.rsplit_once('.').map(|(_, own)| own.to_ascii_lowercase());
    let is_kept = match (own.as_deref(), extension) {
        (Some(own), "txt") => matches!(own, "txt" | "text" | "md" | "markdown" | "csv" | "tsv"),
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
        let of = |value| kind(Some(value));

        assert_eq!(kind(None), Ok(ContentKind::Page));
        assert_eq!(of("Text/HTML; charset=latin1"), Ok(ContentKind::Page));
        assert_eq!(of("application/pdf"), Ok(ContentKind::File("pdf")));
        assert_eq!(of("image/png"), Err("This is not a page of text; its server calls it \"image/png\"".to_owned()));
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
