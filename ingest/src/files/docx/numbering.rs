//! The numbering of a Word document: whether a list has bullets or numbers, and which number comes
//! next.

use std::collections::HashMap;

use super::super::numerals::{ideographs, letters, roman};
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
    /// The levels of lists that change those of their definition.
    own_levels: HashMap<String, Vec<ListLevel>>,
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
        // The definition that holds the levels of each style of lists, and the definitions that refer to a style.
        let (mut holders, mut referring) = (HashMap::new(), Vec::new());
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
                    "styleLink" => holders.extend(definition.clone().map(|definition| (val(), definition))),
                    "numStyleLink" => referring.extend(definition.clone().map(|definition| (definition, val()))),
                    "numFmt" => numbering.change(&definition, &list, level, |level| level.format = val()),
                    "lvlText" => numbering.change(&definition, &list, level, |level| level.text = val()),
                    "start" => {
                        let start = val().parse().unwrap_or(1);
                        numbering.change(&definition, &list, level, |level| level.start = start);
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
        for (definition, style) in referring {
            if let Some(levels) = holders.get(&style).and_then(|holder| numbering.levels.get(holder)).cloned() {
                numbering.levels.entry(definition).or_insert(levels);
            }
        }
        Ok(numbering)
    }

    /// Changes a level of the definition that is open, or of the list that is open and changes its definition.
    fn change(
        &mut self,
        definition: &Option<String>,
        list: &Option<String>,
        level: usize,
        change: impl FnOnce(&mut ListLevel),
    ) {
        let new = || vec![ListLevel::default(); LEVELS];
        let levels = match (definition, list) {
            (Some(definition), _) => self.levels.entry(definition.clone()).or_insert_with(new),
            (None, Some(list)) => {
                let shared = self.lists.get(list).and_then(|definition| self.levels.get(definition));
                let shared = shared.cloned().unwrap_or_else(new);
                self.own_levels.entry(list.clone()).or_insert(shared)
            }
            (None, None) => return,
        };
        if let Some(level) = levels.get_mut(level) {
            change(level);
        }
    }

    /// The label of the next item on a level of a list. Deeper levels begin again after it.
    pub(super) fn next(&mut self, list: &str, level: usize) -> ItemLabel {
        let level = level.min(LEVELS - 1);
        let definition = self.lists.get(list);
        let shared = || definition.and_then(|definition| self.levels.get(definition));
        let Some(levels) = self.own_levels.get(list).or_else(shared) else {
            return ItemLabel::Bullet;
        };
        // Lists that share a definition go on counting, unless they set a first number.
        let own_start = self.starts.get(&(list.to_owned(), level)).copied();
        let has_own = self.own_levels.contains_key(list) || self.starts.keys().any(|(owner, _)| owner == list);
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
    if is_plain && own.format.starts_with("decimal") && own.format != "decimalZero" {
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
        "lowerLetter" => letters(number),
        "upperLetter" => letters(number).to_uppercase(),
        "lowerRoman" => roman(number),
        "upperRoman" => roman(number).to_uppercase(),
        "decimalZero" => format!("{number:02}"),
        "chineseCounting"
        | "chineseCountingThousand"
        | "taiwaneseCounting"
        | "taiwaneseCountingThousand"
        | "japaneseCounting"
        | "ideographDigital" => ideographs(number),
        _ => number.to_string(),
    }
}
