//! Questions that open their answers: `details`, accordions by ARIA or Bootstrap attributes, and
//! plain buttons with a panel behind them.
//!
//! Called by `html`, which first calls [`release_buttons`]: plain buttons count as controls until
//! enough of them with the same class turn out to ask something.

use std::collections::BTreeMap;

use html5ever::local_name;

use super::candidate::{FaqCandidate, Group, Source};
use super::dom::{NONE, NodeId};
use super::element;
use super::flow::{Blocks, Flow};
use super::question::{self, LIKELY};
use super::words;

/// Required share of summaries that read like questions. It is lower than for headings, because people open
/// what they want to know, and not zero, because menus and code samples can be opened as well.
const THRESHOLD: f32 = 0.34;

/// Maximum number of levels between a switch and its panel in the tree, as in a button in a heading in a header.
const CLIMB_LIMIT: usize = 4;

/// Groups of `details` and of switches, by the class of the element that opens.
pub(crate) fn groups(flow: &Flow) -> Vec<Group> {
    let mut found: BTreeMap<(bool, &str), Vec<FaqCandidate>> = BTreeMap::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if !flow.dom.is_element(id) {
            continue;
        }
        let is_details = *flow.dom.name(id) == local_name!("details");
        let candidate = if is_details {
            from_details(flow, id)
        } else if element::opens_something(&flow.dom, id) || is_label(flow, id) || is_plain_button(flow, id) {
            from_switch(flow, id)
        } else {
            None
        };
        if let Some(candidate) = candidate {
            let class = flow.dom.attribute(id, &local_name!("class")).unwrap_or_default();
            // The open item of an accordion has an additional class, so only the first one counts.
            let kind = class.split_ascii_whitespace().next().unwrap_or_default();
            found.entry((is_details, kind)).or_default().push(candidate);
        }
    }
    found.into_values().map(|c| Group::new(Source::Disclosure, THRESHOLD, c)).collect()
}

/// Makes the plain buttons of accordions text again.
///
/// Buttons with one class are an accordion when each has a panel behind it, and enough of them read
/// like questions; others ("Copy", "Send") stay controls.
pub(crate) fn release_buttons(flow: &mut Flow) {
    let mut kinds: BTreeMap<String, Vec<Blocks>> = BTreeMap::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        let blocks = flow.range(id);
        if !is_plain_button(flow, id) || blocks.is_empty() || !flow.block(blocks.start).is_control {
            continue;
        }
        if let Some(panel) = next_panel(flow, id)
            && flow.link_percent(panel.clone()) <= MENU_LINK_PERCENT
            && !flow.block(panel.start).is_control
        {
            let class = flow.dom.attribute(id, &local_name!("class")).unwrap_or_default();
            let kind = class.split_ascii_whitespace().next().unwrap_or_default().to_owned();
            kinds.entry(kind).or_default().push(blocks);
        }
    }
    for buttons in kinds.into_values() {
        let asking = buttons.iter().filter(|blocks| question::likeness(&flow.line((*blocks).clone())) >= LIKELY);
        if asking.count() as f32 >= buttons.len() as f32 * THRESHOLD {
            for id in buttons.into_iter().flatten() {
                flow.blocks[id as usize].is_control = false;
            }
        }
    }
}

/// Whether an element is a button that does not say what it opens.
fn is_plain_button(flow: &Flow, id: NodeId) -> bool {
    let is_button =
        *flow.dom.name(id) == local_name!("button") || flow.dom.attribute(id, &local_name!("role")) == Some("button");
    is_button && !element::opens_something(&flow.dom, id) && !words::is_word(&flow.dom, id)
}

/// Number of elements without text between a switch and its panel.
const SIBLING_LIMIT: usize = 8;

fn is_label(flow: &Flow, id: NodeId) -> bool {
    *flow.dom.name(id) == local_name!("label") && flow.dom.attribute(id, &local_name!("for")).is_some()
}

fn from_details(flow: &Flow, id: NodeId) -> Option<FaqCandidate> {
    let summary = flow.dom.children(id).find(|&child| *flow.dom.name(child) == local_name!("summary"))?;
    let question = flow.range(summary);
    let answer = question.end..flow.range(id).end;
    FaqCandidate::new(flow, question, Some(answer))
}

fn from_switch(flow: &Flow, id: NodeId) -> Option<FaqCandidate> {
    let question = flow.range(id);
    let panels = element::opened_fragments(&flow.dom, id)
        .filter_map(|fragment| flow.anchors.get(fragment))
        .map(|&panel| flow.range(panel));
    // Copied items often keep a wrong ID in one of the attributes, so the nearest panel wins.
    let named = panels
        .filter(|panel| !panel.is_empty() && panel.end > question.end)
        .min_by_key(|panel| panel.start.abs_diff(question.end));
    let answer = match named {
        // A switch inside of its panel controls its own item.
        Some(panel) if panel.start < question.end => question.end..panel.end,
        Some(panel) => panel,
        None => next_panel(flow, id)?,
    };
    if flow.link_percent(answer.clone()) > MENU_LINK_PERCENT {
        return None;
    }
    FaqCandidate::new(flow, question, Some(answer))
}

/// A panel with more than this percentage of its text in links is a menu.
const MENU_LINK_PERCENT: usize = 85;

/// Returns the text that follows a switch: the next sibling with text, of the switch or of an element around
/// it.
fn next_panel(flow: &Flow, id: NodeId) -> Option<Blocks> {
    let question = flow.range(id);
    let mut at = id;
    for _ in 0..CLIMB_LIMIT {
        let siblings = std::iter::successors(flow.dom.next_element(at), |&next| flow.dom.next_element(next));
        let panel = siblings
            .take(SIBLING_LIMIT)
            .map(|next| flow.range(next))
            .find(|blocks| blocks.start >= question.end && !blocks.is_empty());
        if panel.is_some() {
            return panel;
        }
        at = flow.dom.node(at).parent;
        if at == NONE || flow.range(at).start != question.start {
            return None;
        }
    }
    None
}
