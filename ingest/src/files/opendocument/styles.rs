//! The styles of an OpenDocument file: what they say of text, of lists and of sheets.
//!
//! Called by the readers of texts and spreadsheets. A style says nothing of what it leaves to the style it is based on.

use std::collections::HashMap;

use super::super::xml::{self, XmlNode};
use crate::extract::ExtractError;

/// OpenDocument has ten levels of lists.
pub(super) const LIST_LEVELS: usize = 10;

/// The longest chain of styles based on one another that is followed.
const CHAIN_LIMIT: usize = 20;

/// How one level of a list is numbered.
#[derive(Debug, Clone, Default)]
pub(super) struct ListLevel {
    /// The sign for the first number: "1", "a", "A", "i" or "I". Empty for bullets.
    pub format: String,
    pub start: u32,
    /// The text before and behind the number.
    pub around: (String, String),
}

/// What a style says itself.
#[derive(Debug, Clone, Default)]
struct Definition {
    parent: Option<String>,
    is_bold: Option<bool>,
    is_deleted: Option<bool>,
    is_hidden: Option<bool>,
    script: Option<&'static str>,
    levels: Vec<ListLevel>,
    is_hidden_sheet: bool,
}

/// How text is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TextStyle {
    pub is_bold: bool,
    pub is_deleted: bool,
    pub is_hidden: bool,
    pub script: &'static str,
}

/// The styles of a file by name.
#[derive(Debug, Default)]
pub(super) struct Styles(HashMap<String, Definition>);

impl Styles {
    /// Adds the styles of a part.
    pub(super) fn add(&mut self, xml: &str) -> Result<(), ExtractError> {
        let mut open: Option<String> = None;
        xml::read(xml, |node| {
            let element = match node {
                XmlNode::Open(element) => element,
                XmlNode::Close(name) => {
                    if matches!(name.as_str(), "style" | "list-style") {
                        open = None;
                    }
                    return;
                }
                XmlNode::Text(_) => return,
            };
            let value = |name| xml::value(&element, name);
            let name = xml::name(&element);
            if matches!(name.as_str(), "style" | "list-style") {
                open = value("name");
            }
            let Some(style) = open.as_ref().map(|open| self.0.entry(open.clone()).or_default()) else { return };
            match name.as_str() {
                "style" => style.parent = value("parent-style-name"),
                "text-properties" if style.levels.is_empty() => {
                    style.is_bold = value("font-weight").map(|weight| weight == "bold").or(style.is_bold);
                    style.is_deleted = value("text-line-through-style").map(|line| line != "none").or(style.is_deleted);
                    style.is_hidden = value("display").map(|display| display == "none").or(style.is_hidden);
                    style.script = value("text-position").map(|place| script(&place)).or(style.script);
                }
                "table-properties" => style.is_hidden_sheet = value("display").as_deref() == Some("false"),
                "list-level-style-number" | "list-level-style-bullet" => {
                    let level = value("level").and_then(|level| level.parse::<usize>().ok());
                    if let Some(level @ 1..=LIST_LEVELS) = level {
                        style.levels.resize(style.levels.len().max(level), ListLevel::default());
                        let start = value("start-value").and_then(|start| start.parse().ok()).unwrap_or(1);
                        let format = if name.ends_with("number") {
                            value("num-format").unwrap_or_else(|| "1".to_owned())
                        } else {
                            String::new()
                        };
                        let around = [value("num-prefix"), value("num-suffix")].map(Option::unwrap_or_default);
                        style.levels[level - 1] = ListLevel { format, start, around: around.into() };
                    }
                }
                _ => {}
            }
        })
    }

    /// The style and those that it is based on, nearest first.
    fn chain(&self, name: &str) -> impl Iterator<Item = &Definition> {
        let parent = |style: &&Definition| style.parent.as_ref().and_then(|parent| self.0.get(parent));
        std::iter::successors(self.0.get(name), parent).take(CHAIN_LIMIT)
    }

    /// How text with a style is set.
    pub(super) fn text(&self, name: &str) -> TextStyle {
        TextStyle {
            is_bold: self.chain(name).find_map(|style| style.is_bold).unwrap_or(false),
            is_deleted: self.chain(name).find_map(|style| style.is_deleted).unwrap_or(false),
            is_hidden: self.chain(name).find_map(|style| style.is_hidden).unwrap_or(false),
            script: self.chain(name).find_map(|style| style.script).unwrap_or_default(),
        }
    }

    /// How a level of a list is numbered, from 0. `None` for bullets.
    pub(super) fn list_level(&self, name: &str, level: usize) -> Option<&ListLevel> {
        self.0.get(name)?.levels.get(level).filter(|level| !level.format.is_empty())
    }

    /// Whether a style hides a sheet.
    pub(super) fn is_hidden_sheet(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|style| style.is_hidden_sheet)
    }
}

/// The element for a position relative to the line.
fn script(place: &str) -> &'static str {
    match place {
        place if place.starts_with("super") => "sup",
        place if place.starts_with("sub") => "sub",
        _ => "",
    }
}
