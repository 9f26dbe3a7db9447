//! The markers of list items while a page is flattened: bullets, numbers, letters.
//!
//! [`flatten`](super) drives it.

use html5ever::local_name;

use super::super::dom::{Dom, NodeId};
use super::super::flow::{Marker, Numbering};
use super::super::{element, tabs};
use super::flattener::Flattener;

/// Where an open list with numbers is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    next: u32,
    numbering: Numbering,
}

impl Flattener {
    /// Reads the start of a list.
    pub(super) fn enter_list(&mut self, list: NodeId, is_ordered: bool) {
        let dom = &self.flow.dom;
        self.context.list_depth = self.context.list_depth.saturating_add(1);
        let counter =
            is_ordered.then(|| Counter { next: element::first_number(dom, list), numbering: numbering(dom, list) });
        self.counters.push(counter);
    }

    /// Reads the start of an item of a list.
    pub(super) fn enter_item(&mut self, item: NodeId) {
        let dom = &self.flow.dom;
        let is_label = dom.ancestors(item).take(1).any(|above| tabs::is_tab_panel(dom, above));
        if is_label || tabs::is_tab_panel(dom, item) {
            // The label of a tab that moved to the top of its panel, or the panel itself.
            self.marker = Marker::None;
            self.context.style.is_bold |= is_label;
            return;
        }
        let own = dom.attribute(item, &local_name!("value")).and_then(|n| n.parse().ok());
        let is_reversed = element::is_in_reversed_list(dom, item);
        self.marker = match self.counters.last_mut() {
            Some(Some(counter)) => {
                let number: u32 = own.unwrap_or(counter.next);
                counter.next = if is_reversed { number.saturating_sub(1) } else { number.saturating_add(1) };
                Marker::Number(number, counter.numbering)
            }
            _ => Marker::Bullet,
        };
    }
}

/// How a list counts, by its type or its own style.
fn numbering(dom: &Dom, list: NodeId) -> Numbering {
    match dom.attribute(list, &local_name!("type")).unwrap_or_default() {
        "a" => return Numbering::LowerLetter,
        "A" => return Numbering::UpperLetter,
        "i" => return Numbering::LowerRoman,
        "I" => return Numbering::UpperRoman,
        _ => {}
    }
    let style = dom.attribute(list, &local_name!("style")).unwrap_or_default();
    let Some((_, value)) = style.split_once("list-style") else { return Numbering::Decimal };
    let value = value.trim_start_matches("-type").trim_start_matches([':', ' ']);
    match value.split([';', ' ']).next().unwrap_or_default() {
        "lower-alpha" | "lower-latin" => Numbering::LowerLetter,
        "upper-alpha" | "upper-latin" => Numbering::UpperLetter,
        "lower-roman" => Numbering::LowerRoman,
        "upper-roman" => Numbering::UpperRoman,
        _ => Numbering::Decimal,
    }
}
