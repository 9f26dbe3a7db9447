//! Word documents: the paragraphs of the document part as HTML, then the same rules as for a page.
//!
//! Called by [`files`](super) for DOCX. Headings are recognized by the outline level of their style,
//! lists by the document's numbering. Text that Word does not show (deleted, moved away, hidden) is
//! left out; text boxes, footnotes and endnotes follow the paragraph that they belong to.

mod cells;
mod chunks;
mod fields;
mod formula;
mod numbering;
mod styles;
mod symbols;
mod writer;

use std::collections::HashMap;

use self::numbering::ListNumbering;
use self::styles::Styles;
use self::writer::HtmlWriter;
use super::archive::Archive;
use super::package;
use super::xml::{self, XmlNode};
use crate::extract::{self, ExtractError, Page};

/// Where Word puts the document unless the package says otherwise.
const DOCUMENT_PART: &str = "word/document.xml";

/// Reads a Word document.
///
/// # Errors
/// `Unreadable` when the archive is damaged, a bomb or holds no document, `Encrypted`, `TooLarge`,
/// and those of a page of HTML.
pub(super) fn read(bytes: &[u8]) -> Result<Page, ExtractError> {
    let mut archive = Archive::open(bytes)?;
    let part = package::main_part(&mut archive, DOCUMENT_PART, "there is no Word document in it")?;
    let folder = part.rsplit_once('/').map_or("", |(folder, _)| folder);
    let relations = package::relations(&mut archive, &part)?;
    let chunks = chunks::read(&mut archive, &relations, folder)?;
    let links = package::targets(&relations)?;
    let styles = Styles::read(&archive.optional(&format!("{folder}/styles.xml"))?)?;
    let numbering = ListNumbering::read(&archive.optional(&format!("{folder}/numbering.xml"))?)?;
    let mut notes = notes(&archive.optional(&format!("{folder}/footnotes.xml"))?, "footnote")?;
    notes.extend(self::notes(&archive.optional(&format!("{folder}/endnotes.xml"))?, "endnote")?);
    let document = archive.part(&part)?;
    let mut writer = HtmlWriter::new(links, styles, numbering, notes, document.len());
    writer.chunks = chunks;
    xml::read(&document, |node| writer.visit(node))?;
    extract::html_text(&writer.finish(), None)
}

/// The texts of footnotes or endnotes by their kind and id.
fn notes(xml: &str, kind: &str) -> Result<HashMap<String, String>, ExtractError> {
    let mut notes: HashMap<String, String> = HashMap::new();
    let (mut id, mut is_text) = (None, false);
    xml::read(xml, |node| match node {
        XmlNode::Open(element) => match xml::name(&element).as_str() {
            // Separators between text and notes have a type; notes have none.
            name if name == kind => {
                let own = xml::value(&element, "id").filter(|_| xml::value(&element, "type").is_none());
                id = own.map(|id| format!("{kind} {id}"));
            }
            "t" => is_text = true,
            _ => {}
        },
        XmlNode::Close(name) => match name.as_str() {
            "t" => is_text = false,
            "p" => {
                if let Some(note) = id.as_ref().and_then(|id| notes.get_mut(id)) {
                    note.push(' ');
                }
            }
            _ => {}
        },
        XmlNode::Text(text) => {
            if let (Some(id), true) = (&id, is_text) {
                notes.entry(id.clone()).or_default().push_str(&text);
            }
        }
    })?;
    Ok(notes)
}
