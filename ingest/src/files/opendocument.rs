//! OpenDocument texts (ODT), spreadsheets (ODS) and slides (ODP): the content part as HTML, then the
//! same rules as for a page; sheets as tables.
//!
//! Called by [`files`](super). Deleted text that is tracked, hidden text, the notes of a speaker, and hidden sheets,
//! rows and columns are left out. Footnotes and text boxes follow the paragraph that they belong to.

mod lists;
mod styles;
mod tables;

use quick_xml::events::BytesStart;

use self::lists::Lists;
use self::styles::Styles;
use super::archive::{Archive, unreadable};
use super::sheets;
use super::xml::{self, XmlNode};
use crate::extract::{self, ExtractError, Page};

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
    let styles = styles(&mut archive, &content)?;
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
    let styles = styles(&mut archive, &content)?;
    sheets::page(tables::read(&content, styles)?)
}

/// The styles of a file: those that it names for its user, and those of its content.
fn styles(archive: &mut Archive<'_>, content: &str) -> Result<Styles, ExtractError> {
    let mut styles = Styles::default();
    styles.add(&archive.optional("styles.xml")?)?;
    styles.add(content)?;
    Ok(styles)
}

fn content(archive: &mut Archive<'_>) -> Result<String, ExtractError> {
    if archive.optional("META-INF/manifest.xml")?.contains("encryption-data") {
        return Err(ExtractError::Encrypted);
    }
    if archive.has("content.xml") { archive.part("content.xml") } else { Err(unreadable("there is no document in it")) }
}

/// Collects the HTML of a text.
#[derive(Default)]
struct TextWriter {
    styles: Styles,
    html: String,
    /// Closing tags of the spans and lists that are open.
    ends: Vec<String>,
    hidden: usize,
    is_body: bool,
    lists: Lists,
    /// For each section that is open, whether it is hidden.
    sections: Vec<bool>,
    is_presentation: bool,
    tables: usize,
    /// The texts around the footnotes and text boxes that are open, outermost first.
    around: Vec<String>,
    /// How many paragraphs and headings are open.
    paragraphs: usize,
    /// For each text box that is open, whether it is within a paragraph.
    boxes: Vec<bool>,
    /// Footnotes and text boxes of the open paragraph.
    notes: String,
    note_count: usize,
}

impl TextWriter {
    fn visit(&mut self, node: XmlNode<'_>) {
        match node {
            XmlNode::Open(element) => {
                let name = xml::name(&element);
                if name == "section" {
                    let is_hidden = xml::value(&element, "display").as_deref() == Some("none");
                    self.sections.push(is_hidden);
                    self.hidden += usize::from(is_hidden);
                } else if is_hidden(&name) {
                    self.hidden += 1;
                } else if name == "body" {
                    self.is_body = true;
                } else if self.hidden == 0 && self.is_body {
                    self.open(&name, &element);
                }
            }
            XmlNode::Close(name) => {
                let is_hidden_section = name == "section" && self.sections.pop() == Some(true);
                if is_hidden(&name) || is_hidden_section {
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
            "list" => self.lists.begin(element, &self.styles),
            "list-item" => (self.lists.item(element), "</li>".to_owned()),
            "list-header" => ("<li>".to_owned(), "</li>".to_owned()),
            "text-box" => {
                let is_within = self.paragraphs > 0 && !self.is_presentation;
                self.boxes.push(is_within);
                if is_within {
                    self.around.push(std::mem::take(&mut self.html));
                }
                return;
            }
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
            "note-body" => {
                self.note_count += 1;
                self.html.push_str(&format!("<sup>{}</sup>", self.note_count));
                self.around.push(std::mem::take(&mut self.html));
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
        if matches!(name, "h" | "p") {
            self.paragraphs += 1;
            self.html.push_str(&xml::escaped(&self.lists.take_label()));
        }
        self.ends.push(end);
    }

    /// The tags around a text with a style.
    fn tags(&self, outer: &str, name: &str) -> (String, String) {
        let style = self.styles.text(name);
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
            "list" if !(self.is_presentation && self.tables > 0) => self.lists.end(),
            "text-box" => self.end_box(),
            "table" => self.tables = self.tables.saturating_sub(1),
            "note-body" => self.end_note(),
            _ => {}
        }
        if has_end && let Some(end) = self.ends.pop() {
            self.html.push_str(&end);
        }
        if matches!(name, "h" | "p") {
            self.paragraphs = self.paragraphs.saturating_sub(1);
            if self.around.is_empty() {
                self.html.push_str(&std::mem::take(&mut self.notes));
            }
        }
    }

    /// Keeps a text box for the end of the paragraph that it is anchored in.
    fn end_box(&mut self) {
        if self.boxes.pop() == Some(true)
            && let Some(around) = self.around.pop()
        {
            self.notes.push_str(&std::mem::replace(&mut self.html, around));
        }
    }

    /// Keeps a footnote, with its mark before its text, for the end of the paragraph.
    fn end_note(&mut self) {
        if let Some(around) = self.around.pop() {
            let note = std::mem::replace(&mut self.html, around);
            let text = note.strip_prefix("<p>").unwrap_or(&note);
            self.notes.push_str(&format!("<p><sup>{}</sup> {text}", self.note_count));
        }
    }
}
