//! The numbers of lists of an OpenDocument text: where a list begins, and lists that go on behind a paragraph.
//!
//! Called by the writer of texts.

use std::collections::HashMap;

use quick_xml::events::BytesStart;

use super::super::numerals::{letters, roman};
use super::super::xml;
use super::styles::{LIST_LEVELS, ListLevel, Styles};

/// A list that is open.
#[derive(Debug, Default)]
struct OpenList {
    style: String,
    id: Option<String>,
    level: Option<ListLevel>,
    /// The number of the next item.
    next: u32,
}

/// The lists that are open, and the next numbers of those that ended.
#[derive(Debug, Default)]
pub(super) struct Lists {
    /// Outermost first.
    open: Vec<OpenList>,
    by_style: HashMap<(String, usize), u32>,
    by_id: HashMap<String, u32>,
    /// The label of the item that has begun, which its first paragraph takes.
    label: String,
}

impl Lists {
    /// Begins a list. Returns its tags.
    pub(super) fn begin(&mut self, element: &BytesStart<'_>, styles: &Styles) -> (String, String) {
        let depth = self.open.len();
        let own = xml::value(element, "style-name").filter(|own| !own.is_empty());
        let style = own.or_else(|| self.open.last().map(|list| list.style.clone())).unwrap_or_default();
        let level = styles.list_level(&style, depth.min(LIST_LEVELS - 1));
        let goes_on = xml::value(element, "continue-numbering").as_deref() == Some("true");
        let before = xml::value(element, "continue-list").and_then(|id| self.by_id.get(&id).copied());
        let before = before.or_else(|| self.by_style.get(&(style.clone(), depth)).copied().filter(|_| goes_on));
        let next = before.or_else(|| level.map(|level| level.start)).unwrap_or(1);
        let id = xml::value(element, "id");
        self.open.push(OpenList { style, id, level: level.cloned(), next });
        match level {
            Some(level) if level.format == "1" => (format!("<ol start=\"{next}\">"), "</ol>".to_owned()),
            _ => ("<ul>".to_owned(), "</ul>".to_owned()),
        }
    }

    /// Begins an item. Returns its tag.
    pub(super) fn item(&mut self, element: &BytesStart<'_>) -> String {
        let Some(list) = self.open.last_mut() else { return "<li>".to_owned() };
        let own = xml::value(element, "start-value").and_then(|start| start.parse::<u32>().ok());
        let number = own.unwrap_or(list.next);
        list.next = number.saturating_add(1);
        self.label = list.level.as_ref().map(|level| label(level, number)).unwrap_or_default();
        match own {
            Some(number) if self.label.is_empty() => format!("<li value=\"{number}\">"),
            _ => "<li>".to_owned(),
        }
    }

    /// The label of the item that has begun, once.
    pub(super) fn take_label(&mut self) -> String {
        std::mem::take(&mut self.label)
    }

    pub(super) fn end(&mut self) {
        if let Some(list) = self.open.pop() {
            self.by_id.extend(list.id.map(|id| (id, list.next)));
            self.by_style.insert((list.style, self.open.len()), list.next);
        }
    }
}

/// The label of an item that lists of HTML do not have: letters and Roman numbers, with what is around them.
fn label(level: &ListLevel, number: u32) -> String {
    let written = match level.format.as_str() {
        "a" => letters(number),
        "A" => letters(number).to_uppercase(),
        "i" => roman(number),
        "I" => roman(number).to_uppercase(),
        _ => return String::new(),
    };
    let (before, after) = &level.around;
    format!("{before}{written}{} ", if after.is_empty() && before.is_empty() { "." } else { after })
}
