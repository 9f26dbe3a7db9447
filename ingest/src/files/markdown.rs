//! Markdown files: rendered, then read like any page, so that headings, bold lines and lists of
//! questions follow the same rules.

use pulldown_cmark::{Options, Parser, html};

use crate::extract::{self, ExtractError, Page};

/// Reads Markdown (CommonMark, tables, YAML head).
///
/// # Errors
/// As for a page of HTML.
pub(super) fn read(text: &str) -> Result<Page, ExtractError> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut rendered = String::with_capacity(text.len() * 2);
    html::push_html(&mut rendered, Parser::new_ext(text, options));
    extract::html_text(&rendered, None)
}
