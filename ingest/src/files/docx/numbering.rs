//! The numbering of a Word document: whether a list has bullets or numbers, and which number comes
//! next.

use std::collections::HashMap;

use super::super::xml::{self, XmlNode};
use crate::extract::ExtractError;

/// Word has nine levels.
const LEVELS: usize = 9;

/// How one level of a list is numbered.
#[derive(Debug, Clone)]
struct ListLevel {
    /// "decimal", "bullet", "lowerLetter" and so on.
    format: String,
    /// The label with a `%n` for the number of each level: "%1." or "%1.%2".
    text: String,
    start: u32,
}

impl Default for ListLevel {
    fn default() -> Self {
        Self { format: "bullet".to_owned(), text: String::new(), start: 1 }
    }
}

/// The label before an item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ItemLabel {
    Bullet,
    Number(u32),
    /// A letter, a Roman number, or a number of several levels, with its separator.
    Written(String),
}

/// The lists of a document and how far they are numbered.
#[derive(Debug, Default)]
pub(super) struct ListNumbering {
    levels: HashMap<String, Vec<ListLevel>>,
    /// The definition that each list uses.
    lists: HashMap<String, String>,
    /// The first numbers that a list sets for itself, by list and level.
    starts: HashMap<(String, usize), u32>,
    counters: HashMap<String, [Option<u32>; LEVELS]>,
}

impl ListNumbering {
    /// Reads the part `numbering.xml`.
    pub(super) fn read(xml: &str) -> Result<Self, ExtractError> {
        let mut numbering = Self::default();
        let (mut definition, mut list, mut level) = (None, None, 0);
        xml::read(xml, |node| match node {
            XmlNode::Open(element) => {
                let val = || xml::value(&element, "val").unwrap_or_default();
                match xml::name(&element).as_str() {
                    "abstractNum" => definition = xml::value(&element, "abstractNumId"),
                    "num" => list = xml::value(&element, "numId"),
                    "abstractNumId" => {
                        if let Some(list) = &list {
                            numbering.lists.insert(list.clone(), val());
                        }
                    }
                    "lvl" | "lvlOverride" => {
                        level = xml::value(&element, "ilvl").and_then(|at| at.parse().ok()).unwrap_or(0);
                    }
                    "startOverride" => {
                        if let (Some(list), Ok(start)) = (&list, val().parse()) {
                            numbering.starts.insert((list.clone(), level), start);
                        }
                    }
                    "numFmt" => numbering.change(definition.as_ref(), level, |level| level.format = val()),
                    "lvlText" => numbering.change(definition.as_ref(), level, |level| level.text = val()),
                    "start" => {
                        let start = val().parse().unwrap_or(1);
                        numbering.change(definition.as_ref(), level, |level| level.start = start);
                    }
                    _ => {}
                }
            }
            XmlNode::Close(name) => match name.as_str() {
                "abstractNum" => definition = None,
                "num" => list = None,
                _ => {}
            },
            XmlNode::Text(_) => {}
        })?;
        Ok(numbering)
    }

    fn change(&mut self, definition: Option<&String>, level: usize, change: impl FnOnce(&mut ListLevel)) {
        if let Some(definition) = definition
            && level < LEVELS
        {
            let levels = self.levels.entry(definition.clone()).or_insert_with(|| vec![ListLevel::default(); LEVELS]);
            change(&mut levels[level]);
        }
    }

    /// The label of the next item on a level of a list. Deeper levels begin again after it.
    pub(super) fn next(&mut self, list: &str, level: usize) -> ItemLabel {
        let level = level.min(LEVELS - 1);
        let definition = self.lists.get(list);
        let Some(levels) = definition.and_then(|definition| self.levels.get(definition)) else {
            return ItemLabel::Bullet;
        };
        // Lists that share a definition go on counting, unless they set a first number.
        let own_start = self.starts.get(&(list.to_owned(), level)).copied();
        let has_own = self.starts.keys().any(|(owner, _)| owner == list);
        let key = if has_own {
            format!("list {list}")
        } else {
            format!("definition {}", definition.map_or("", String::as_str))
        };
        let counters = self.counters.entry(key).or_default();
        let number = counters[level].map_or(own_start.unwrap_or(levels[level].start), |last| last.saturating_add(1));
        counters[level] = Some(number);
        counters[level + 1..].fill(None);
        let numbers: Vec<u32> = (0..LEVELS).map(|at| counters[at].unwrap_or(levels[at].start)).collect();
        label(levels, &numbers, level)
    }
}

fn label(levels: &[ListLevel], numbers: &[u32], level: usize) -> ItemLabel {
    let own = &levels[level];
    if own.format == "bullet" || own.format == "none" || own.text.is_empty() {
        return ItemLabel::Bullet;
    }
    let place = format!("%{}", level + 1);
    let is_plain = own.text.strip_prefix(&place).is_some_and(|rest| matches!(rest, "." | ")" | ""));
    if is_plain && own.format.starts_with("decimal") {
        return ItemLabel::Number(numbers[level]);
    }
    let mut text = own.text.clone();
    for at in 0..LEVELS {
        text = text.replace(&format!("%{}", at + 1), &written(numbers[at], &levels[at].format));
    }
    ItemLabel::Written(text)
}

/// A number in the format of its level.
fn written(number: u32, format: &str) -> String {
    match format {
        "lowerLetter" => letter(number).to_string(),
        "upperLetter" => letter(number).to_ascii_uppercase().to_string(),
        "lowerRoman" => roman(number),
        "upperRoman" => roman(number).to_uppercase(),
        _ => number.to_string(),
    }
}

fn letter(number: u32) -> char {
    let at = number.saturating_sub(1) % 26;
    char::from(b'a' + u8::try_from(at).unwrap_or(0))
}

fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 9] =
        [(100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")];
    // Lists do not go further; anything else is a number of the file's own making.
    let mut rest = if number < 400 { number } else { return number.to_string() };
    let mut out = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            out.push_str(sign);
            rest -= value;
        }
    }
    out
}
