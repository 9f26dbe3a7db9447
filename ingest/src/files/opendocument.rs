//! OpenDocument texts (ODT), spreadsheets (ODS) and slides (ODP): the content part as HTML, then the
//! same rules as for a page; sheets as tables.
//!
//! Called by [`files`](super). Deleted text that is tracked, hidden text, the notes of a speaker, and hidden sheets,
//! rows and columns are left out. Footnotes follow the paragraph that they belong to.

mod tables;

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::archive::{Archive, unreadable};
use super::sheets;
use super::xml::{self, XmlNode};
use crate::extract::{self, ExtractError, Page};

/// OpenDocument has ten levels of lists.
const LIST_LEVELS: u32 = 10;

/// Elements whose text is not part of the document.
const HIDDEN: [&str; 7] =
    ["tracked-changes", "annotation", "note-citation", "notes", "ruby-text", "forms", "hidden-text"];

/// Whether the text of an element is not shown in a text; a covered cell is part of the cell that spans it.
fn is_hidden(name: &str) -> bool {
    HIDDEN.contains(&name) || name == "covered-table-cell"
}

/// Reads a text or a presentation.
///
/// # Errors
/// `Unreadable` when the archive is damaged or has no content, `Encrypted`, `TooLarge`, and those of a
/// page of HTML.
pub(super) fn read(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = Archive::open(bytes)?;
    let content = content(&mut archive)?;
    let mut styles = HashMap::new();
    list_styles(&archive.optional("styles.xml")?, &mut styles)?;
    list_styles(&content, &mut styles)?;
    let mut writer = TextWriter { styles, ..TextWriter::default() };
    xml::read(&content, |node| writer.visit(node))?;
    extract::html_text(&writer.html, None)
}

/// Reads a spreadsheet.
///
/// # Errors
/// As [`read`].
pub(super) fn read_sheets(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = Archive::open(bytes)?;
    let content = content(&mut archive)?;
    sheets::page(tables::read(&content)?)
}

fn content(archive: &mut Archive<'_>) -> Result<String, ExtractError> {
    if archive.optional("META-INF/manifest.xml")?.contains("encryption-data") {
        return Err(ExtractError::Encrypted);
    }
    if archive.has("content.xml") { archive.part("content.xml") } else { Err(unreadable("there is no document in it")) }
}

/// What an automatic style says of its text.
#[derive(Debug, Clone, Default)]
struct TextStyle {
    is_bold: bool,
    is_deleted: bool,
    is_hidden: bool,
    script: &'static str,
    /// A bit for each level of a list that has numbers, the first level lowest.
    numbered_levels: u16,
}

/// Adds the styles of a part by name; list styles say which of their levels have numbers.
fn list_styles(xml: &str, styles: &mut HashMap<String, TextStyle>) -> Result<(), ExtractError> {
    let mut open: Option<String> = None;
    xml::read(xml, |node| {
        let XmlNode::Open(element) = node else { return };
        match xml::name(&element).as_str() {
            "style" | "list-style" => open = xml::value(&element, "name"),
            "text-properties" => {
                if let Some(name) = &open {
                    let style = styles.entry(name.clone()).or_default();
                    style.is_bold = xml::value(&element, "font-weight").as_deref() == Some("bold");
                    let line = xml::value(&element, "text-line-through-style");
                    style.is_deleted = line.is_some_and(|line| line != "none");
                    style.is_hidden = xml::value(&element, "display").as_deref() == Some("none");
                    style.script = match xml::value(&element, "text-position").unwrap_or_default() {
                        place if place.starts_with("super") => "sup",
                        place if place.starts_with("sub") => "sub",
                        _ => "",
                    };
                }
            }
            "list-level-style-number" => {
                let level = xml::value(&element, "level").and_then(|level| level.parse::<u32>().ok());
                if let (Some(name), Some(level @ 1..=LIST_LEVELS)) = (&open, level) {
                    styles.entry(name.clone()).or_default().numbered_levels |= 1 << (level - 1);
                }
            }
            _ => {}
        }
    })
}

/// Collects the HTML of a text.
#[derive(Default)]
struct TextWriter {
    styles: HashMap<String, TextStyle>,
    html: String,
    /// Closing tags of the spans and lists that are open.
    ends: Vec<String>,
    hidden: usize,
    is_body: bool,
    /// The styles of the lists that are open, outermost first.
    lists: Vec<String>,
    is_presentation: bool,
    tables: usize,
    /// The text around the footnote that is open.
    around_note: Option<String>,
    /// Footnotes of the open paragraph.
    notes: String,
    note_count: usize,
}

impl TextWriter {
    fn visit(&mut self, node: XmlNode<'_>) {
        match node {
            XmlNode::Open(element) => {
                let name = xml::name(&element);
                if is_hidden(&name) {
                    self.hidden += 1;
                } else if name == "body" {
                    self.is_body = true;
                } else if self.hidden == 0 && self.is_body {
                    self.open(&name, &element);
                }
            }
            XmlNode::Close(name) => {
                if is_hidden(&name) {
                    self.hidden = self.hidden.saturating_sub(1);
                } else if self.hidden == 0 && self.is_body {
                    self.close(&name);
                }
            }
            XmlNode::Text(text) if self.hidden == 0 && self.is_body => self.html.push_str(&xml::escaped(&text)),
            XmlNode::Text(_) => {}
        }
    }

    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        let style = || xml::value(element, "style-name").unwrap_or_default();
        let (start, end) = match name {
            "h" => {
                let level = xml::value(element, "outline-level").and_then(|level| level.parse::<u8>().ok());
                let level = level.unwrap_or(1).clamp(1, 6);
                (format!("<h{level}>"), format!("</h{level}>"))
            }
            "p" => self.tags("p", &style()),
            "span" => self.tags("", &style()),
            "a" => {
                let target = xml::value(element, "href").unwrap_or_default();
                (format!("<a href=\"{}\">", xml::escaped(&target)), "</a>".to_owned())
            }
            // The cells of tables on slides hold their text as lists without signs.
            "list" | "list-item" | "list-header" if self.is_presentation && self.tables > 0 => {
                (String::new(), String::new())
            }
            "list" => {
                let level = self.lists.len().min(LIST_LEVELS as usize - 1);
                let own = Some(style()).filter(|own| !own.is_empty());
                let style = own.or_else(|| self.lists.last().cloned()).unwrap_or_default();
                let is_numbered =
                    self.styles.get(&style).is_some_and(|style| style.numbered_levels & (1 << level) != 0);
                self.lists.push(style);
                let tag = if is_numbered { "ol" } else { "ul" };
                (format!("<{tag}>"), format!("</{tag}>"))
            }
            "list-item" | "list-header" => ("<li>".to_owned(), "</li>".to_owned()),
            "table" => {
                self.tables += 1;
                ("<table>".to_owned(), "</table>".to_owned())
            }
            "frame" => match xml::value(element, "class").unwrap_or_default().as_str() {
                "title" => ("<h2>".to_owned(), "</h2>".to_owned()),
                "page-number" | "date-time" | "footer" | "header" => ("<nav>".to_owned(), "</nav>".to_owned()),
                _ => (String::new(), String::new()),
            },
            "presentation" => {
                self.is_presentation = true;
                return;
            }
            "table-row" => ("<tr>".to_owned(), "</tr>".to_owned()),
            "table-cell" => {
                let span = |name| xml::value(element, name).and_then(|count| count.parse::<u16>().ok()).unwrap_or(1);
                let (columns, rows) = (span("number-columns-spanned"), span("number-rows-spanned"));
                (format!("<td colspan=\"{columns}\" rowspan=\"{rows}\">"), "</td>".to_owned())
            }
            "table-of-content" => ("<nav>".to_owned(), "</nav>".to_owned()),
            "note-body" if self.around_note.is_none() => {
                self.note_count += 1;
                self.html.push_str(&format!("<sup>{}</sup>", self.note_count));
                self.around_note = Some(std::mem::take(&mut self.html));
                return;
            }
            "s" | "tab" => {
                self.html.push(' ');
                return;
            }
            "line-break" => {
                self.html.push_str("<br>");
                return;
            }
            _ => return,
        };
        self.html.push_str(&start);
        self.ends.push(end);
    }

    /// The tags around a text with a style.
    fn tags(&self, outer: &str, name: &str) -> (String, String) {
        let style = self.styles.get(name).cloned().unwrap_or_default();
        // Nothing in a template is shown.
        let hidden = if style.is_hidden { "template" } else { "" };
        let tags = [
            outer,
            hidden,
            if style.is_bold { "b" } else { "" },
            if style.is_deleted { "del" } else { "" },
            style.script,
        ];
        let used = tags.iter().filter(|tag| !tag.is_empty());
        let start = used.clone().map(|tag| format!("<{tag}>")).collect();
        (start, used.rev().map(|tag| format!("</{tag}>")).collect())
    }

    fn close(&mut self, name: &str) {
        let has_end = matches!(
            name,
            "h" | "p"
                | "span"
                | "a"
                | "list"
                | "list-item"
                | "list-header"
                | "table"
                | "table-row"
                | "table-cell"
                | "table-of-content"
                | "frame"
        );
        match name {
            "list" if !(self.is_presentation && self.tables > 0) => {
                self.lists.pop();
            }
            "table" => self.tables = self.tables.saturating_sub(1),
            "note-body" => self.end_note(),
            _ => {}
        }
        if has_end && let Some(end) = self.ends.pop() {
            self.html.push_str(&end);
        }
        if matches!(name, "h" | "p") && self.around_note.is_none() {
            self.html.push_str(&std::mem::take(&mut self.notes));
        }
    }

    /// Keeps a footnote, with its mark before its text, for the end of the paragraph.
    fn end_note(&mut self) {
        if let Some(around) = self.around_note.take() {
            let note = std::mem::replace(&mut self.html, around);
            let text = note.strip_prefix("<p>").unwrap_or(&note);
            self.notes.push_str(&format!("<p><sup>{}</sup> {text}", self.note_count));
        }
    }
}
