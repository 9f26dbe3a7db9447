//! Word documents: the paragraphs of `word/document.xml` as HTML, then the same rules as for a
//! page.
//!
//! Two parts of the archive are read by name and nothing is ever unpacked to disk. The XML is
//! read as a stream: nesting costs nothing and entities are not expanded.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use zip::ZipArchive;
use zip::result::ZipError;

use crate::extract::{self, ExtractError, Page};

/// The most entries of an archive that is opened; a document with a thousand pictures has these.
const ENTRY_LIMIT: usize = 2000;

/// The largest part that is read, decompressed, in bytes.
const PART_LIMIT_BYTES: u64 = 50 * 1024 * 1024;

/// Text compresses to a twentieth; a part above this ratio is a bomb.
const RATIO_LIMIT: u64 = 200;

/// Parts smaller than this may have any ratio: empty documents compress well.
const SMALL_PART_BYTES: u64 = 1024 * 1024;

/// Reads a Word document.
///
/// # Errors
/// `Unreadable` when the archive is damaged, a bomb or holds no document, `Encrypted`, `TooLarge`,
/// and those of a page of HTML.
pub(super) fn read(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if archive.len() > ENTRY_LIMIT {
        return Err(ExtractError::Unreadable { reason: format!("the archive has more than {ENTRY_LIMIT} parts") });
    }
    let links = match part(&mut archive, "word/_rels/document.xml.rels") {
        Ok(xml) => links(&xml),
        Err(ExtractError::Unreadable { .. }) => HashMap::new(),
        Err(error) => return Err(error),
    };
    let xml = part(&mut archive, "word/document.xml")?;
    let mut writer = Writer { links, html: String::with_capacity(xml.len() / 4), ..Writer::default() };
    writer.document(&xml)?;
    extract::html_text(&writer.html, None)
}

fn broken(error: ZipError) -> ExtractError {
    match error {
        ZipError::FileNotFound => ExtractError::Unreadable { reason: "there is no Word document in it".into() },
        ZipError::UnsupportedArchive(reason) if reason == ZipError::PASSWORD_REQUIRED => ExtractError::Encrypted,
        _ => ExtractError::Unreadable { reason: "the archive is damaged".into() },
    }
}

fn part(archive: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<String, ExtractError> {
    let file = archive.by_name(name).map_err(broken)?;
    // Sizes in the archive are claims; the reader below is the guard.
    let most = (file.compressed_size().saturating_mul(RATIO_LIMIT)).clamp(SMALL_PART_BYTES, PART_LIMIT_BYTES);
    let mut xml = Vec::new();
    file.take(most + 1)
        .read_to_end(&mut xml)
        .map_err(|_| ExtractError::Unreadable { reason: "the archive is damaged".into() })?;
    if xml.len() as u64 > most {
        return Err(if most < PART_LIMIT_BYTES {
            ExtractError::Unreadable { reason: format!("it decompresses to more than {RATIO_LIMIT} times its size") }
        } else {
            ExtractError::TooLarge { size_bytes: xml.len() as u64, limit_bytes: PART_LIMIT_BYTES }
        });
    }
    String::from_utf8(xml).map_err(|_| ExtractError::Unreadable { reason: "its text is not UTF-8".into() })
}

/// Targets of hyperlinks by their relation id.
fn links(xml: &str) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut reader = Reader::from_str(xml);
    reader.config_mut().check_end_names = false;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Empty(element) | Event::Start(element) => {
                if let (Some(id), Some(target)) = (value(&element, "Id"), value(&element, "Target")) {
                    found.insert(id, target);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

/// An attribute's value by its name without prefix.
fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    element
        .attributes()
        .with_checks(false)
        .flatten()
        .find(|attribute| attribute.key.local_name().as_ref() == name)
        .and_then(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned()))
}

/// Writes the HTML of a document as its events come in.
#[derive(Default)]
struct Writer {
    links: HashMap<String, String>,
    html: String,
    /// The HTML of the open paragraph.
    line: String,
    style: String,
    is_item: bool,
    is_in_list: bool,
    is_bold: bool,
    /// Inside of `w:t`, the only element whose text is text.
    is_text: bool,
}

impl Writer {
    fn document(&mut self, xml: &str) -> Result<(), ExtractError> {
        let mut reader = Reader::from_str(xml);
        reader.config_mut().check_end_names = false;
        loop {
            match reader.read_event() {
                Ok(Event::Start(element)) => self.open(&element),
                Ok(Event::Empty(element)) => {
                    self.open(&element);
                    self.close(element.local_name().as_ref());
                }
                Ok(Event::End(element)) => self.close(element.local_name().as_ref()),
                Ok(Event::Text(text)) => self.text(&text),
                Ok(Event::GeneralRef(reference)) => self.text(&format!("&{};", &*reference)),
                Ok(Event::Eof) => return Ok(()),
                Ok(_) => {}
                Err(_) => return Err(ExtractError::Unreadable { reason: "the document's XML is broken".into() }),
            }
        }
    }

    /// Text as it stands in the XML: `&lt;` and the like mean the same in HTML.
    fn text(&mut self, text: &str) {
        if !self.is_text {
            return;
        }
        if self.is_bold {
            self.line.push_str("<b>");
        }
        self.line.push_str(text);
        if self.is_bold {
            self.line.push_str("</b>");
        }
    }

    fn open(&mut self, element: &BytesStart<'_>) {
        match element.local_name().as_ref() {
            "t" => self.is_text = true,
            "p" => (self.style, self.is_item) = (String::new(), false),
            "r" => self.is_bold = false,
            "pStyle" => self.style = value(element, "val").unwrap_or_default(),
            "numPr" => self.is_item = true,
            "b" => self.is_bold = !matches!(value(element, "val").as_deref(), Some("0" | "false" | "none")),
            "tab" => self.line.push(' '),
            "br" | "cr" => self.line.push_str("<br>"),
            "hyperlink" => {
                let target = value(element, "id").and_then(|id| self.links.get(&id)).map_or("", String::as_str);
                let target = target.replace('&', "&amp;").replace('"', "&quot;");
                self.line.push_str(&format!("<a href=\"{target}\">"));
            }
            "tbl" => self.tag("<table>"),
            "tr" => self.tag("<tr>"),
            "tc" => self.tag("<td>"),
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" => self.is_text = false,
            "hyperlink" => self.line.push_str("</a>"),
            "p" => self.paragraph(),
            "tbl" => self.tag("</table>"),
            "tr" => self.tag("</tr>"),
            "tc" => self.tag("</td>"),
            _ => {}
        }
    }

    fn tag(&mut self, tag: &str) {
        self.end_list();
        self.html.push_str(tag);
    }

    fn end_list(&mut self) {
        if std::mem::take(&mut self.is_in_list) {
            self.html.push_str("</ul>");
        }
    }

    fn paragraph(&mut self) {
        let line = std::mem::take(&mut self.line);
        let level = heading(&self.style);
        if self.is_item && level.is_none() {
            self.html.push_str(if self.is_in_list { "<li>" } else { "<ul><li>" });
            self.html.push_str(&line);
            self.is_in_list = true;
            return;
        }
        self.end_list();
        match level {
            Some(level) => self.html.push_str(&format!("<h{level}>{line}</h{level}>")),
            None => self.html.push_str(&format!("<p>{line}</p>")),
        }
    }
}

/// The level of a heading by its style's id: Word names it by the language of its menus, with the
/// level at the end ("Heading2", "berschrift2", "Titre2"); the title stands above all.
fn heading(style: &str) -> Option<u8> {
    const NAMES: [&str; 8] = ["heading", "berschrift", "titre", "ttulo", "titolo", "kop", "rubrik", "nagwek"];
    let style = style.to_lowercase();
    if style == "title" || style == "titel" {
        return Some(1);
    }
    let level = style.bytes().last().filter(u8::is_ascii_digit)? - b'0';
    let is_heading = NAMES.iter().any(|name| style.contains(name)) || style.len() == 1;
    (is_heading && (1..=6).contains(&level)).then_some(level)
}
