//! Texts without a page: answers in JSON-LD, cells of tables. They contain HTML or plain text with line
//! breaks. Called by the readers of structured data and tables.

use std::borrow::Cow;

use url::Url;

use super::flow::Flow;
use super::{flatten, markdown, parse};

/// The text on one line, without markup.
pub(crate) fn line(text: &str) -> String {
    let Some(flow) = read(text) else { return String::new() };
    flow.line(0..flow.len()).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text in restricted Markdown; empty when there is none.
pub(crate) fn markdown(text: &str, base: Option<&Url>) -> String {
    let Some(flow) = read(text) else { return String::new() };
    markdown::render(&flow, 0..flow.len(), base)
}

/// A text whose markup was escaped once more than it should be, without that escape; other texts as they are.
///
/// Only tags that set paragraphs count: "write `&lt;code&gt;`" speaks of a tag.
pub(crate) fn unescaped(text: &str) -> Cow<'_, str> {
    const TAGS: [&str; 8] =
        ["&lt;p", "&lt;br", "&lt;/p&gt;", "&lt;ul", "&lt;ol", "&lt;div", "&lt;/a&gt;", "&lt;/strong&gt;"];
    let has_tag = TAGS.iter().any(|tag| text.contains(tag)) && text.contains("&gt;");
    if !has_tag || text.contains("</") {
        return Cow::Borrowed(text);
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#39;", "'");
    Cow::Owned(text.replace("&amp;", "&"))
}

/// A paragraph of restricted Markdown that is a link to an address.
pub(crate) fn link(url: &Url) -> String {
    let label = format!("{}{}", url.host_str().unwrap_or_default(), url.path().trim_end_matches('/'));
    let html = format!("<p><a href=\"{}\">{}</a></p>", attribute(url.as_str()), attribute(&label));
    format!("\n\n{}", markdown(&html, None))
}

fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

fn read(text: &str) -> Option<Flow> {
    let html = if is_html(text) { text.to_owned() } else { escaped(text) };
    parse::document(&html).ok().map(flatten::flatten)
}

/// Returns whether a text contains a tag or a character reference. "a < b" contains none.
fn is_html(text: &str) -> bool {
    let has_tag = text
        .split('<')
        .skip(1)
        .any(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') && rest.contains('>'));
    let has_reference = text
        .split('&')
        .skip(1)
        .any(|rest| rest.split_once(';').is_some_and(|(name, _)| name.len() < 8 && !name.contains(' ')));
    has_tag || has_reference
}

/// Plain text as HTML that shows it: paragraphs at blank lines, breaks at the others.
pub(crate) fn escaped(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('&', "&amp;").replace('<', "&lt;");
    let mut out = String::with_capacity(text.len() + 16);
    for paragraph in text.split("\n\n") {
        out.push_str("<p>");
        out.push_str(&paragraph.trim_matches('\n').replace('\n', "<br>"));
    }
    out
}
