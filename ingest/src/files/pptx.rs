//! Slides of PowerPoint (PPTX): each slide as a section with its title as the heading, then the same
//! rules as for a page.
//!
//! Called by [`files`](super). Slide numbers, dates and footers are left out; the notes of the
//! speaker are too, because visitors never saw them.

use std::collections::HashMap;

use super::archive::{Archive, unreadable};
use super::xml::{self, Node};
use crate::extract::{self, ExtractError, Page};

/// PowerPoint has nine levels of lists.
const LEVELS: usize = 9;

/// The most slides that are read.
const SLIDE_LIMIT: usize = 1000;

/// Reads a presentation.
///
/// # Errors
/// `Unreadable` when the archive is damaged or holds no slides, `Encrypted`, `TooLarge`, and those of
/// a page of HTML.
pub(super) fn read(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = Archive::open(bytes)?;
    let mut html = String::new();
    let slides = slides(&mut archive)?;
    if slides.is_empty() {
        return Err(unreadable("there are no slides in it"));
    }
    for slide in slides.into_iter().take(SLIDE_LIMIT) {
        let part = archive.optional(&slide)?;
        if part.contains("show=\"0\"") {
            continue;
        }
        let mut writer = SlideWriter::default();
        xml::read(&part, |node| writer.visit(node))?;
        html.push_str(&writer.finish());
    }
    extract::html_text(&html, None)
}

/// The parts of the slides in the order of the presentation, or of their numbers where it has none.
fn slides(archive: &mut Archive<'_>) -> Result<Vec<String>, ExtractError> {
    let mut targets = HashMap::new();
    xml::read(&archive.optional("ppt/_rels/presentation.xml.rels")?, |node| {
        if let Node::Open(element) = node
            && let (Some(id), Some(target)) = (xml::value(&element, "Id"), xml::value(&element, "Target"))
        {
            targets.insert(id, format!("ppt/{}", target.trim_start_matches("/ppt/")));
        }
    })?;
    let mut slides = Vec::new();
    xml::read(&archive.optional("ppt/presentation.xml")?, |node| {
        if let Node::Open(element) = node
            && xml::name(&element) == "sldId"
        {
            // The element has an attribute `id` of its own besides that of the relation.
            for attribute in element.attributes().with_checks(false).flatten() {
                slides.extend(targets.get(&*attribute.value).cloned());
            }
        }
    })?;
    if slides.is_empty() {
        slides = archive.names("ppt/slides/slide");
        let number = |name: &String| name.chars().filter(char::is_ascii_digit).collect::<String>().parse::<u32>().ok();
        slides.sort_by_key(number);
    }
    Ok(slides)
}

/// Collects the HTML of one slide: its title first, wherever it is drawn.
#[derive(Default)]
struct SlideWriter {
    title: String,
    html: String,
    /// The kind of placeholder that the open shape fills.
    placeholder: String,
    paragraph: String,
    is_text: bool,
    has_bullet: bool,
    is_numbered: bool,
    /// The last number on each level of the open shape.
    numbers: [u32; LEVELS],
    is_bold: bool,
    level: usize,
}

impl SlideWriter {
    fn finish(self) -> String {
        let title = self.title.trim();
        if title.is_empty() { self.html } else { format!("<h2>{title}</h2>{}", self.html) }
    }

    fn visit(&mut self, node: Node<'_>) {
        match node {
            Node::Open(element) => match xml::name(&element).as_str() {
                // Tables and charts fill no placeholder, so they are not part of the title before them.
                "sp" | "graphicFrame" | "pic" => {
                    self.placeholder.clear();
                    self.numbers = [0; LEVELS];
                }
                "ph" => self.placeholder = xml::value(&element, "type").unwrap_or_else(|| "body".to_owned()),
                "p" => (self.has_bullet, self.is_numbered, self.level) = (self.placeholder == "body", false, 0),
                "pPr" => self.level = xml::value(&element, "lvl").and_then(|level| level.parse().ok()).unwrap_or(0),
                "buChar" => self.has_bullet = true,
                "buAutoNum" => (self.has_bullet, self.is_numbered) = (true, true),
                "buNone" => self.has_bullet = false,
                "rPr" => self.is_bold = xml::value(&element, "b").as_deref() == Some("1"),
                "r" => self.is_bold = false,
                "t" => self.is_text = true,
                "br" => self.paragraph.push_str("<br>"),
                "tbl" => self.html.push_str("<table>"),
                "tr" => self.html.push_str("<tr>"),
                "tc" => self.html.push_str("<td>"),
                _ => {}
            },
            Node::Close(name) => match name.as_str() {
                "t" => self.is_text = false,
                "p" => self.end_paragraph(),
                "tbl" => self.html.push_str("</table>"),
                "tr" => self.html.push_str("</tr>"),
                "tc" => self.html.push_str("</td>"),
                _ => {}
            },
            Node::Text(text) if self.is_text => {
                let text = xml::escaped(&text);
                self.paragraph.push_str(&if self.is_bold { format!("<b>{text}</b>") } else { text });
            }
            Node::Text(_) => {}
        }
    }

    fn end_paragraph(&mut self) {
        let paragraph = std::mem::take(&mut self.paragraph);
        if paragraph.trim().is_empty() {
            return;
        }
        match self.placeholder.as_str() {
            "sldNum" | "dt" | "ftr" | "hdr" => {}
            "title" | "ctrTitle" => self.title.push_str(&format!("{paragraph} ")),
            _ if self.is_numbered => {
                let level = self.level.min(LEVELS - 1);
                self.numbers[level] += 1;
                self.numbers[level + 1..].fill(0);
                let number = self.numbers[level];
                self.html.push_str(&format!("<ol start=\"{number}\"><li>{paragraph}</li></ol>"));
            }
            _ if self.has_bullet && self.level > 0 => self.html.push_str(&format!("<ul><li>{paragraph}</li></ul>")),
            _ => self.html.push_str(&format!("<p>{paragraph}</p>")),
        }
    }
}
