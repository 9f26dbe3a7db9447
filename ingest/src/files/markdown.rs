//! Markdown files: rendered as HTML, then read like any page, so that headings, bold lines and lists
//! of questions follow the same rules.
//!
//! Called by [`files`](super) and by the crawl. What site generators add to CommonMark (components,
//! admonitions, shortcodes) is turned into HTML or removed by [`dialect`] first. The number of markers
//! is bounded, because the parser keeps a node for each of them.

mod components;
mod dialect;
mod front_matter;
mod headings;
mod marks;
mod soft_breaks;

use pulldown_cmark::{Options, Parser, html};

use crate::extract::{self, ExtractError, Page};

/// The longest Markdown that is read, in bytes: ten times the longest manual that we know of.
pub(crate) const MARKDOWN_LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// The most signs that may open or close something; each costs the parser about 120 bytes.
const MARKER_LIMIT: usize = 300_000;

/// The deepest nesting of quotations, by the signs at the start of a line.
const QUOTE_DEPTH_LIMIT: usize = 64;

/// Reads Markdown: CommonMark, tables, footnotes, and the dialects of common site generators.
///
/// # Errors
/// `TooLarge`, `TooDeep` and `TooManyElements` above the limits, and those of a page of HTML.
pub(super) fn read(text: &str) -> Result<Page, ExtractError> {
    check(text)?;
    let source = dialect::read(text);
    check(&source.body)?;
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut rendered = String::with_capacity(source.body.len() * 2);
    html::push_html(&mut rendered, soft_breaks::removed(Parser::new_ext(&source.body, options)));
    let mut page = extract::html_text(&rendered, None)?;
    if let Some(title) = source.title {
        page.title = title;
    }
    page.language = page.language.or(source.language);
    Ok(page)
}

/// Refuses what would cost the parser more memory or time than a page of HTML of that size.
fn check(text: &str) -> Result<(), ExtractError> {
    if text.len() > MARKDOWN_LIMIT_BYTES {
        let (size_bytes, limit_bytes) = (text.len() as u64, MARKDOWN_LIMIT_BYTES as u64);
        return Err(ExtractError::TooLarge { size_bytes, limit_bytes });
    }
    let markers =
        text.bytes().filter(|byte| matches!(byte, b'[' | b']' | b'*' | b'_' | b'`' | b'>' | b'<' | b'~' | b'|'));
    if markers.count() > MARKER_LIMIT {
        return Err(ExtractError::TooManyElements { limit: MARKER_LIMIT as u32 });
    }
    let depth =
        |line: &str| line.bytes().take_while(|byte| matches!(byte, b'>' | b' ')).filter(|&byte| byte == b'>').count();
    if text.lines().any(|line| depth(line) > QUOTE_DEPTH_LIMIT) {
        return Err(ExtractError::TooDeep { limit: QUOTE_DEPTH_LIMIT as u32 });
    }
    Ok(())
}
