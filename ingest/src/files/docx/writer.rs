//! The paragraphs of a Word document to HTML, as the nodes of its XML come in.

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::super::xml::{self, XmlNode};
use super::cells::Cells;
use super::fields::{EndedField, Fields};
use super::formula::Formula;
use super::numbering::{ItemLabel, ListNumbering};
use super::styles::Styles;
use super::symbols;

/// Elements whose text Word does not show: deleted and moved text, and the copy of a text box that is
/// meant for older programs, and the pronunciation guide above East Asian text.
const HIDDEN: [&str; 4] = ["del", "moveFrom", "Fallback", "rt"];

/// A paragraph while it is read.
#[derive(Debug, Default)]
struct Paragraph {
    html: String,
    style: String,
    outline_level: Option<u8>,
    list: Option<String>,
    list_level: usize,
    /// Whether the end of the paragraph was deleted.
    is_joined: bool,
    /// Paragraphs of text boxes that are anchored here, and footnotes.
    after: String,
}

/// How a run of text is set.
#[derive(Debug, Default, Clone)]
struct RunStyle {
    is_bold: Option<bool>,
    is_deleted: bool,
    is_hidden: Option<bool>,
    script: &'static str,
    font: String,
}

/// Collects the HTML of a document.
pub(super) struct HtmlWriter {
    links: HashMap<String, String>,
    styles: Styles,
    numbering: ListNumbering,
    notes: HashMap<String, String>,
    html: String,
    paragraph: Paragraph,
    /// Paragraphs that text boxes interrupt.
    outer: Vec<(Paragraph, String, Vec<&'static str>)>,
    run: RunStyle,
    /// Closing tags of the lists that are open, outermost first.
    lists: Vec<&'static str>,
    /// How many hidden elements are open.
    hidden: usize,
    is_text: bool,
    /// Inside of the properties of a style change or a list, which repeat names of elements.
    is_in_change: bool,
    is_header_row: bool,
    note_count: usize,
    formula: Formula,
    cells: Cells,
    /// Whether the box of the form field that was opened last is ticked.
    is_ticked: bool,
    is_instruction: bool,
    fields: Fields,
    /// The HTML of embedded documents by their relation id.
    pub(super) chunks: HashMap<String, String>,
    is_in_properties: bool,
    /// The text of paragraphs whose end was deleted, so that they go on in the next one.
    carried: String,
}

impl HtmlWriter {
    pub(super) fn new(
        links: HashMap<String, String>,
        styles: Styles,
        numbering: ListNumbering,
        notes: HashMap<String, String>,
        xml_bytes: usize,
    ) -> Self {
        Self {
            links,
            styles,
            numbering,
            notes,
            html: String::with_capacity(xml_bytes / 4),
            paragraph: Paragraph::default(),
            outer: Vec::new(),
            run: RunStyle::default(),
            lists: Vec::new(),
            hidden: 0,
            is_text: false,
            is_in_change: false,
            is_header_row: false,
            note_count: 0,
            formula: Formula::default(),
            cells: Cells::default(),
            is_ticked: false,
            is_instruction: false,
            fields: Fields::default(),
            chunks: HashMap::new(),
            is_in_properties: false,
            carried: String::new(),
        }
    }

    /// The HTML of all that was visited.
    pub(super) fn finish(mut self) -> String {
        self.end_lists(0);
        self.end_carried();
        self.html
    }

    pub(super) fn visit(&mut self, node: XmlNode<'_>) {
        match node {
            XmlNode::Open(element) => {
                let name = xml::name(&element);
                if HIDDEN.contains(&name.as_str()) {
                    self.paragraph.is_joined |= self.is_in_properties && !self.is_in_change && name == "del";
                    self.hidden += 1;
                } else if self.hidden == 0 && !self.is_in_change {
                    self.open(&name, &element);
                }
                self.is_in_change |= matches!(name.as_str(), "pPrChange" | "rPrChange");
            }
            XmlNode::Close(name) => {
                if HIDDEN.contains(&name.as_str()) {
                    self.hidden = self.hidden.saturating_sub(1);
                } else if matches!(name.as_str(), "pPrChange" | "rPrChange") {
                    self.is_in_change = false;
                } else if self.hidden == 0 && !self.is_in_change {
                    self.close(&name);
                }
            }
            XmlNode::Text(text) => {
                if self.is_text && self.hidden == 0 {
                    self.text(&text);
                } else if self.is_instruction {
                    self.fields.add_code(&text);
                }
            }
        }
    }

    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        let val = || xml::value(element, "val");
        match name {
            "p" => {
                let after = std::mem::take(&mut self.paragraph.after);
                self.paragraph = Paragraph { after, html: std::mem::take(&mut self.carried), ..Paragraph::default() };
            }
            "pPr" => self.is_in_properties = true,
            "r" => self.run = RunStyle::default(),
            "t" => self.is_text = true,
            "pStyle" => self.paragraph.style = val().unwrap_or_default(),
            "outlineLvl" => self.paragraph.outline_level = val().and_then(|level| level.parse().ok()),
            "numId" => self.paragraph.list = val(),
            "ilvl" => self.paragraph.list_level = val().and_then(|level| level.parse().ok()).unwrap_or(0),
            "b" => self.run.is_bold = Some(xml::is_on(element)),
            "rStyle" => {
                let style = val().unwrap_or_default();
                self.run.is_bold = self.run.is_bold.or(self.styles.is_bold(&style).then_some(true));
                self.run.is_hidden = self.run.is_hidden.or(self.styles.is_hidden(&style).then_some(true));
            }
            "rFonts" => self.run.font = xml::value(element, "ascii").unwrap_or_default(),
            "strike" | "dstrike" => self.run.is_deleted = xml::is_on(element),
            "vanish" | "webHidden" => self.run.is_hidden = Some(xml::is_on(element)),
            "vertAlign" => {
                self.run.script = match val().as_deref() {
                    Some("superscript") => "sup",
                    Some("subscript") => "sub",
                    _ => "",
                }
            }
            "tab" | "ptab" => self.text(" "),
            "noBreakHyphen" => self.text("-"),
            "sym" => {
                let (font, number) = (xml::value(element, "font"), xml::value(element, "char"));
                let character = symbols::character(&font.unwrap_or_default(), &number.unwrap_or_default());
                self.text(&character.map(String::from).unwrap_or_default());
            }
            "checkBox" => self.is_ticked = false,
            // The current state follows that of an empty form.
            "default" | "checked" => self.is_ticked = xml::is_on(element),
            "br" | "cr" => self.paragraph.html.push_str("<br>"),
            "instrText" => self.is_instruction = true,
            "fldChar" => self.field(xml::value(element, "fldCharType").as_deref()),
            "hyperlink" => {
                let target = xml::value(element, "id").and_then(|id| self.links.get(&id)).map_or("", String::as_str);
                self.paragraph.html.push_str(&format!("<a href=\"{}\">", xml::escaped(target)));
            }
            "footnoteReference" => self.note("footnote", &xml::value(element, "id").unwrap_or_default()),
            "endnoteReference" => self.note("endnote", &xml::value(element, "id").unwrap_or_default()),
            "altChunk" => {
                let chunk = xml::value(element, "id").and_then(|id| self.chunks.remove(&id));
                self.tag(&chunk.unwrap_or_default());
            }
            "txbxContent" => {
                let paragraph = std::mem::take(&mut self.paragraph);
                self.outer.push((paragraph, std::mem::take(&mut self.html), std::mem::take(&mut self.lists)));
            }
            "sup" | "sub" | "lim" | "num" | "den" | "d" | "begChr" | "endChr" | "chr" | "e" | "nary" | "rad"
            | "deg" => {
                self.formula.open(name, val, &mut self.paragraph.html);
            }
            "tbl" => {
                self.cells.begin_table();
                self.tag("<table>");
            }
            "tr" => {
                self.cells.begin_row();
                self.is_header_row = false;
                self.tag("<tr>");
            }
            "tblHeader" => self.is_header_row = xml::is_on(element),
            "tc" => {
                self.end_lists(0);
                self.cells.begin(self.cell_tag(), &mut self.html);
            }
            "gridSpan" => {
                let columns = val().and_then(|columns| columns.parse().ok()).unwrap_or(1);
                self.cells.span_columns(columns, &mut self.html);
            }
            "vMerge" => self.cells.span_rows(val().as_deref() == Some("restart"), &mut self.html),
            _ => {}
        }
    }

    fn cell_tag(&self) -> &'static str {
        if self.is_header_row { "th" } else { "td" }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.is_text = false,
            "instrText" => self.is_instruction = false,
            "pPr" => self.is_in_properties = false,
            "p" => self.end_paragraph(),
            "hyperlink" => self.paragraph.html.push_str("</a>"),
            "txbxContent" => {
                self.end_lists(0);
                if let Some((paragraph, html, lists)) = self.outer.pop() {
                    self.paragraph = paragraph;
                    let box_html = std::mem::replace(&mut self.html, html);
                    self.lists = lists;
                    self.paragraph.after.push_str(&box_html);
                }
            }
            "sup" | "sub" | "lim" | "num" | "den" | "d" | "naryPr" | "deg" => {
                self.formula.close(name, &mut self.paragraph.html);
            }
            "tbl" => {
                self.cells.end_table();
                self.tag("</table>");
            }
            "tr" => self.tag("</tr>"),
            "tc" => {
                self.end_lists(0);
                self.cells.end(self.cell_tag(), &mut self.html);
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let is_hidden = self.run.is_hidden.unwrap_or_else(|| self.styles.is_hidden(&self.paragraph.style));
        if is_hidden || text.is_empty() || self.fields.is_in_code() {
            return;
        }
        let signs = symbols::text(&self.run.font, text);
        let text = signs.as_deref().unwrap_or(text);
        let is_bold = self.run.is_bold.unwrap_or_else(|| self.styles.is_bold(&self.paragraph.style));
        let tags = [if is_bold { "b" } else { "" }, if self.run.is_deleted { "del" } else { "" }, self.run.script];
        let html = &mut self.paragraph.html;
        for tag in tags.iter().filter(|tag| !tag.is_empty()) {
            html.push_str(&format!("<{tag}>"));
        }
        html.push_str(&xml::escaped(text));
        for tag in tags.iter().rev().filter(|tag| !tag.is_empty()) {
            html.push_str(&format!("</{tag}>"));
        }
    }

    /// Begins or ends the result of a field.
    fn field(&mut self, kind: Option<&str>) {
        match kind {
            Some("begin") => self.fields.begin(),
            Some("separate") => {
                let target = self.fields.end_code();
                let start = target.map(|target| format!("<a href=\"{}\">", xml::escaped(&target)));
                self.paragraph.html.push_str(&start.unwrap_or_default());
            }
            Some("end") => match self.fields.end() {
                EndedField::Link => self.paragraph.html.push_str("</a>"),
                EndedField::TickBox => self.text(if self.is_ticked { "☑" } else { "☐" }),
                EndedField::Text => {}
            },
            _ => {}
        }
    }

    /// Puts the mark of a footnote into the text, and the note behind the paragraph.
    fn note(&mut self, kind: &str, id: &str) {
        if let Some(note) = self.notes.get(&format!("{kind} {id}")) {
            self.note_count += 1;
            let mark = format!("<sup>{}</sup>", self.note_count);
            self.paragraph.html.push_str(&mark);
            self.paragraph.after.push_str(&format!("<p>{mark} {}</p>", xml::escaped(note.trim())));
        }
    }

    fn tag(&mut self, tag: &str) {
        self.end_lists(0);
        self.end_carried();
        self.html.push_str(tag);
    }

    /// Ends a paragraph whose end was deleted where no other paragraph follows.
    fn end_carried(&mut self) {
        let carried = std::mem::take(&mut self.carried);
        if !carried.is_empty() {
            self.html.push_str(&format!("<p>{carried}</p>"));
        }
    }

    /// Closes all lists that are deeper than `depth`.
    fn end_lists(&mut self, depth: usize) {
        for end in self.lists.drain(depth.min(self.lists.len())..).rev() {
            self.html.push_str(end);
        }
    }

    fn end_paragraph(&mut self) {
        self.fields.end_paragraph();
        if self.paragraph.is_joined {
            self.carried = std::mem::take(&mut self.paragraph.html);
            return;
        }
        let Paragraph { html, style, outline_level, list, list_level, after, .. } = std::mem::take(&mut self.paragraph);
        let direct = outline_level.map(|level| (level < 9).then_some((level + 1).min(6)));
        let heading = direct.unwrap_or_else(|| self.styles.heading(&style));
        let by_style = self.styles.list(&style);
        let level = if list.is_some() { list_level } else { by_style.as_ref().map_or(0, |(_, level)| *level) };
        // List 0 takes a paragraph out of the list that its style puts it into.
        let list = list.or(by_style.map(|(list, _)| list)).filter(|list| list != "0" && heading.is_none());
        if self.styles.is_contents(&style) {
            return;
        }
        match (heading, list) {
            (None, Some(list)) => self.item(&list, level, &html),
            (Some(level), _) => {
                self.end_lists(0);
                self.html.push_str(&format!("<h{level}>{html}</h{level}>"));
            }
            (None, None) => {
                self.end_lists(0);
                self.html.push_str(&format!("<p>{html}</p>"));
            }
        }
        if !after.is_empty() {
            self.end_lists(0);
            self.html.push_str(&after);
        }
    }

    fn item(&mut self, list: &str, level: usize, html: &str) {
        let label = self.numbering.next(list, level);
        let (open, end, text) = match label {
            ItemLabel::Number(number) => (format!("<ol start=\"{number}\">"), "</li></ol>", String::new()),
            ItemLabel::Bullet => ("<ul>".to_owned(), "</li></ul>", String::new()),
            ItemLabel::Written(label) => ("<ul>".to_owned(), "</li></ul>", format!("{} ", xml::escaped(label.trim()))),
        };
        self.end_lists(level + 1);
        if self.lists.len() == level + 1 && self.lists[level] != end {
            self.end_lists(level);
        }
        if self.lists.len() == level + 1 {
            self.html.push_str("</li>");
        }
        while self.lists.len() < level + 1 {
            let is_own = self.lists.len() == level;
            self.html.push_str(if is_own { &open } else { "<ul><li>" });
            self.lists.push(if is_own { end } else { "</li></ul>" });
        }
        self.html.push_str(&format!("<li>{text}{html}"));
    }
}
