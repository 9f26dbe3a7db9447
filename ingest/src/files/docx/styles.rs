//! The styles of a Word document: which of them are headings, bold, or lists.
//!
//! Word writes the names of its own styles in English whatever the language of its menus is, while
//! the ids are translated. A style without an outline level has that of the style it is based on.

use std::collections::HashMap;

use super::super::xml::{self, XmlNode};
use crate::extract::ExtractError;

/// The longest chain of styles based on one another that is followed.
const CHAIN_LIMIT: usize = 20;

/// What a style says about its paragraphs.
#[derive(Debug, Default, Clone)]
struct Definition {
    name: String,
    based_on: Option<String>,
    outline_level: Option<u8>,
    is_bold: Option<bool>,
    is_hidden: Option<bool>,
    list: Option<(String, usize)>,
}

/// The styles of a document by id.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Definition>);

impl Styles {
    /// Reads the part `styles.xml`.
    pub(super) fn read(xml: &str) -> Result<Self, ExtractError> {
        let mut styles = HashMap::new();
        let (mut id, mut open) = (None, Definition::default());
        xml::read(xml, |node| match node {
            XmlNode::Open(element) => {
                let val = || xml::value(&element, "val");
                match xml::name(&element).as_str() {
                    "style" => (id, open) = (xml::value(&element, "styleId"), Definition::default()),
                    "name" => open.name = val().unwrap_or_default().to_lowercase(),
                    "basedOn" => open.based_on = val(),
                    "outlineLvl" => open.outline_level = val().and_then(|level| level.parse().ok()),
                    "b" => open.is_bold = Some(xml::is_on(&element)),
                    "vanish" => open.is_hidden = Some(xml::is_on(&element)),
                    "numId" => open.list = val().map(|list| (list, open.list.take().map_or(0, |(_, level)| level))),
                    "ilvl" => {
                        let level = val().and_then(|level| level.parse().ok()).unwrap_or(0);
                        open.list = Some((open.list.take().map_or_else(String::new, |(list, _)| list), level));
                    }
                    _ => {}
                }
            }
            XmlNode::Close(name) if name == "style" => {
                if let Some(id) = id.take() {
                    styles.insert(id, std::mem::take(&mut open));
                }
            }
            XmlNode::Close(_) | XmlNode::Text(_) => {}
        })?;
        Ok(Self(styles))
    }

    /// The style and those that it is based on, nearest first.
    fn chain(&self, id: &str) -> impl Iterator<Item = &Definition> {
        let first = self.0.get(id);
        std::iter::successors(first, |style| style.based_on.as_ref().and_then(|id| self.0.get(id))).take(CHAIN_LIMIT)
    }

    /// 1 to 6 for the style of a heading. The title of the document counts as level 1.
    pub(super) fn heading(&self, id: &str) -> Option<u8> {
        if self.0.is_empty() {
            return heading_by_id(id);
        }
        self.chain(id).find_map(|style| match (style.outline_level, style.name.as_str()) {
            (Some(level @ 0..=8), _) => Some(Some((level + 1).min(6))),
            // Level 9 is the level of running text.
            (Some(_), _) => Some(None),
            (None, "title") => Some(Some(1)),
            (None, name) => {
                let level = name.strip_prefix("heading ").and_then(|level| level.parse::<u8>().ok());
                level.map(|level| Some(level.clamp(1, 6)))
            }
        })?
    }

    /// Whether a style makes its text bold.
    pub(super) fn is_bold(&self, id: &str) -> bool {
        self.chain(id).find_map(|style| style.is_bold).unwrap_or(false)
    }

    /// Whether a style hides its text.
    pub(super) fn is_hidden(&self, id: &str) -> bool {
        self.chain(id).find_map(|style| style.is_hidden).unwrap_or(false)
    }

    /// The list and level that a style puts its paragraphs into.
    pub(super) fn list(&self, id: &str) -> Option<(String, usize)> {
        self.chain(id).find_map(|style| style.list.clone()).filter(|(list, _)| !list.is_empty())
    }

    /// Whether a style is that of a line in a table of contents.
    pub(super) fn is_contents(&self, id: &str) -> bool {
        self.0.get(id).is_some_and(|style| style.name.starts_with("toc ")) || self.0.is_empty() && id.starts_with("TOC")
    }
}

/// The level of a heading by the id of its style alone, for documents without a part for styles.
fn heading_by_id(id: &str) -> Option<u8> {
    let id = id.to_lowercase();
    if id == "title" {
        return Some(1);
    }
    let level = id.strip_prefix("heading").and_then(|level| level.parse().ok());
    level.filter(|level| (1..=6).contains(level))
}
