//! Slides of PowerPoint (PPTX): each slide as a section with its title as the heading, then the same
//! rules as for a page.
//!
//! Called by [`files`](super). The shapes of a slide are read from top to bottom, and from left to right within a line,
//! since the file has them in the order in which they were drawn. Slide numbers, dates and footers are left out; the
//! notes of the speaker are too, because visitors never saw them.

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::archive::{Archive, unreadable};
use super::package;
use super::xml::{self, XmlNode};
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
        let links = package::targets(&package::relations(&mut archive, &slide)?)?;
        let mut writer = SlideWriter { links, ..SlideWriter::default() };
        xml::read(&part, |node| writer.visit(node))?;
        html.push_str(&writer.finish());
    }
    extract::html_text(&html, None)
}

/// The parts of the slides in the order of the presentation, or of their numbers where it has none.
fn slides(archive: &mut Archive<'_>) -> Result<Vec<String>, ExtractError> {
    let targets = package::targets(&package::relations(archive, "ppt/presentation.xml")?)?;
    let mut slides = Vec::new();
    xml::read(&archive.optional("ppt/presentation.xml")?, |node| {
        if let XmlNode::Open(element) = node
            && xml::name(&element) == "sldId"
        {
            // The element has an attribute `id` of its own besides that of the relation.
            for attribute in element.attributes().with_checks(false).flatten() {
                let target = targets.get(&*attribute.value);
                slides.extend(target.map(|target| format!("ppt/{}", target.trim_start_matches("/ppt/"))));
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

/// How a run of text is set.
#[derive(Default)]
struct SlideRunStyle {
    is_bold: bool,
    is_deleted: bool,
    script: &'static str,
    link: String,
}

/// What a slide shows at one place: a shape, a table, or a group of them.
#[derive(Default)]
struct SlideShape {
    html: String,
    /// The lines of [`LINE_UNITS`] above it, and the distance from the left.
    place: Option<(i64, i64)>,
    /// How many elements of shapes are open within it.
    depth: usize,
}

/// Shapes whose upper edges are closer are on one line: half a centimeter, in the units of the file.
const LINE_UNITS: i64 = 180_000;

/// Collects the HTML of one slide: its title first, wherever it is drawn.
#[derive(Default)]
struct SlideWriter {
    links: HashMap<String, String>,
    title: String,
    shapes: Vec<SlideShape>,
    shape: SlideShape,
    /// How many copies for older programs are open.
    hidden: usize,
    /// The kind of placeholder that the open shape fills.
    placeholder: String,
    paragraph: String,
    is_text: bool,
    has_bullet: bool,
    is_numbered: bool,
    /// The last number on each level of the open shape.
    numbers: [u32; LEVELS],
    run: SlideRunStyle,
    level: usize,
    /// The open cell is covered by another one.
    is_covered: bool,
}

impl SlideWriter {
    fn finish(mut self) -> String {
        self.shapes.push(self.shape);
        let title = self.title.trim();
        let title = if title.is_empty() { String::new() } else { format!("<h2>{title}</h2>") };
        // A shape without a place has that of its layout, which is not read.
        let has_text = |shape: &&SlideShape| !shape.html.is_empty();
        if self.shapes.iter().filter(has_text).all(|shape| shape.place.is_some()) {
            self.shapes.sort_by_key(|shape| shape.place);
        }
        title + &self.shapes.iter().map(|shape| shape.html.as_str()).collect::<String>()
    }

    fn visit(&mut self, node: XmlNode<'_>) {
        match node {
            XmlNode::Open(element) if xml::name(&element) == "Fallback" => self.hidden += 1,
            XmlNode::Close(name) if name == "Fallback" => self.hidden = self.hidden.saturating_sub(1),
            _ if self.hidden > 0 => {}
            XmlNode::Open(element) => match xml::name(&element).as_str() {
                "grpSp" => self.begin_shape(),
                // Tables and charts fill no placeholder, so they are not part of the title before them.
                "sp" | "graphicFrame" | "pic" => {
                    self.placeholder.clear();
                    self.numbers = [0; LEVELS];
                    self.begin_shape();
                }
                "off" => {
                    let at = |name| xml::value(&element, name).and_then(|at| at.parse::<i64>().ok());
                    let place = at("y").zip(at("x")).map(|(y, x)| (y / LINE_UNITS, x));
                    self.shape.place = self.shape.place.or(place);
                }
                "ph" => self.placeholder = xml::value(&element, "type").unwrap_or_else(|| "body".to_owned()),
                "p" => (self.has_bullet, self.is_numbered, self.level) = (self.placeholder == "body", false, 0),
                "pPr" => self.level = xml::value(&element, "lvl").and_then(|level| level.parse().ok()).unwrap_or(0),
                "buChar" => self.has_bullet = true,
                "buAutoNum" => (self.has_bullet, self.is_numbered) = (true, true),
                "buNone" => self.has_bullet = false,
                "rPr" => self.run = run_style(&element),
                "hlinkClick" => {
                    let target = xml::value(&element, "id").and_then(|id| self.links.get(&id));
                    self.run.link = target.cloned().unwrap_or_default();
                }
                "r" | "fld" => self.run = SlideRunStyle::default(),
                "t" => self.is_text = true,
                "br" => self.paragraph.push_str("<br>"),
                "tbl" => self.shape.html.push_str("<table>"),
                "tr" => self.shape.html.push_str("<tr>"),
                "tc" => self.begin_cell(&element),
                _ => {}
            },
            XmlNode::Close(name) => match name.as_str() {
                "sp" | "graphicFrame" | "pic" | "grpSp" => self.end_shape(),
                "t" => self.is_text = false,
                "p" => self.end_paragraph(),
                "tbl" => self.shape.html.push_str("</table>"),
                "tr" => self.shape.html.push_str("</tr>"),
                "tc" => {
                    self.shape.html.push_str(if self.is_covered { "" } else { "</td>" });
                    self.is_covered = false;
                }
                _ => {}
            },
            XmlNode::Text(text) if self.is_text && !self.is_covered => self.add_text(&text),
            XmlNode::Text(_) => {}
        }
    }

    fn begin_shape(&mut self) {
        if self.shape.depth == 0 {
            let shape = std::mem::take(&mut self.shape);
            self.shapes.push(shape);
        }
        self.shape.depth += 1;
    }

    fn end_shape(&mut self) {
        self.shape.depth = self.shape.depth.saturating_sub(1);
        if self.shape.depth == 0 {
            let shape = std::mem::take(&mut self.shape);
            self.shapes.push(shape);
        }
    }

    fn begin_cell(&mut self, element: &BytesStart<'_>) {
        let is_on = |name| matches!(xml::value(element, name).as_deref(), Some("1" | "true"));
        self.is_covered = is_on("hMerge") || is_on("vMerge");
        if !self.is_covered {
            let span = |name| xml::value(element, name).and_then(|count| count.parse::<u16>().ok()).unwrap_or(1);
            let (columns, rows) = (span("gridSpan"), span("rowSpan"));
            self.shape.html.push_str(&format!("<td colspan=\"{columns}\" rowspan=\"{rows}\">"));
        }
    }

    fn add_text(&mut self, text: &str) {
        let SlideRunStyle { is_bold, is_deleted, script, link } = &self.run;
        let mut html = xml::escaped(text);
        for tag in [if *is_bold { "b" } else { "" }, if *is_deleted { "del" } else { "" }, *script] {
            if !tag.is_empty() {
                html = format!("<{tag}>{html}</{tag}>");
            }
        }
        if !link.is_empty() {
            html = format!("<a href=\"{}\">{html}</a>", xml::escaped(link));
        }
        self.paragraph.push_str(&html);
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
                self.shape.html.push_str(&format!("<ol start=\"{number}\"><li>{paragraph}</li></ol>"));
            }
            _ if self.has_bullet && self.level > 0 => {
                self.shape.html.push_str(&format!("<ul><li>{paragraph}</li></ul>"))
            }
            _ => self.shape.html.push_str(&format!("<p>{paragraph}</p>")),
        }
    }
}

/// The style that the properties of a run give it.
fn run_style(element: &BytesStart<'_>) -> SlideRunStyle {
    let value = |name| xml::value(element, name).unwrap_or_default();
    let baseline = value("baseline").trim_end_matches('%').parse::<f64>().unwrap_or(0.0);
    SlideRunStyle {
        is_bold: matches!(value("b").as_str(), "1" | "true"),
        is_deleted: matches!(value("strike").as_str(), "sngStrike" | "dblStrike"),
        script: if baseline > 0.0 {
            "sup"
        } else if baseline < 0.0 {
            "sub"
        } else {
            ""
        },
        link: String::new(),
    }
}
