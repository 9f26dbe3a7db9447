//! Labels of questions and answers that only their style sets apart: a "Q" in a circle before the question.
//!
//! As text, such a badge would stick to the question ("QCan I cancel?"), or be a line of its own. Here it becomes
//! the label that the rest of the extraction knows ("Q: Can I cancel?").
//!
//! A number in an element of its own before a title ("1How do I pay?") is removed.
//!
//! Called by `rearrange` only. The pass is linear in the number of elements.

use std::collections::HashMap;

use html5ever::local_name;

use super::dom::{Descend, Dom, NONE, NodeId, NodeKind};
use super::element;
use super::question::{self, Badge};

/// The least number of questions with the same badge. A single one may be the first letter of a text.
const QUESTIONS_MIN: usize = 2;
/// How far above a badge its text may end.
const CLIMB: usize = 3;
/// The most nodes between a badge and its text.
const NODES_BETWEEN: usize = 12;
/// The longest text of a badge in bytes: "Pregunta 12".
const LONGEST_BYTES: usize = 32;

struct FoundBadge {
    badge: Badge,
    element: NodeId,
    /// The text node that follows it.
    text: NodeId,
}

/// Writes the badges of a page as labels of the texts that follow them.
pub(super) fn spell_out(dom: &mut Dom, elements: &[NodeId]) {
    remove_numbers(dom, elements);
    let found: Vec<FoundBadge> = elements.iter().filter_map(|&element| find(dom, element)).collect();
    let mut counts: HashMap<&'static str, usize> = HashMap::new();
    for FoundBadge { badge, .. } in &found {
        *counts.entry(badge.label).or_default() += 1;
    }
    let most = |is_question: bool| {
        let of_kind = found.iter().filter(|found| found.badge.is_question == is_question);
        of_kind.map(|found| counts[found.badge.label]).max().unwrap_or_default()
    };
    let (questions, answers) = (most(true), most(false));
    if questions < QUESTIONS_MIN {
        return;
    }
    for FoundBadge { badge, element, text } in &found {
        let count = counts[badge.label];
        // "F" or "D" alone may be a value. Beside as many answers it is not.
        let is_sure = !badge.is_question || badge.is_clear() || answers * 2 >= count;
        if count < QUESTIONS_MIN || count * 2 < questions || !is_sure {
            continue;
        }
        dom.detach(*element);
        let written = format!("{}: {}", if badge.is_question { 'Q' } else { 'A' }, dom.text_of(*text).trim_start());
        dom.set_text(*text, &written);
    }
}

/// Removes the numbers that titles begin with, if they count on.
fn remove_numbers(dom: &mut Dom, elements: &[NodeId]) {
    let numbered = elements.iter().filter(|&&element| is_before_title(dom, element));
    let numbers: Vec<(u32, NodeId)> =
        numbered.filter_map(|&element| Some((only_text(dom, element)?.trim().parse().ok()?, element))).collect();
    let follows = |at: usize| numbers.get(at + 1).is_some_and(|(next, _)| *next == numbers[at].0 + 1);
    let counted: Vec<NodeId> = (0..numbers.len())
        .filter(|&at| numbers[at].0 <= NUMBER_MAX && (follows(at) || at > 0 && follows(at - 1)))
        .map(|at| numbers[at].1)
        .collect();
    counted.into_iter().for_each(|element| dom.detach(element));
}

/// The largest number of a title. A larger one is a year or an amount.
const NUMBER_MAX: u32 = 500;

/// Whether an inline element is the first part of a title, and not the only one.
fn is_before_title(dom: &Dom, element: NodeId) -> bool {
    let node = dom.node(element);
    let is_inline = matches!(
        *dom.name(element),
        local_name!("span") | local_name!("b") | local_name!("strong") | local_name!("i") | local_name!("em")
    );
    let above = node.parent;
    if !is_inline || above == NONE || node.next == NONE {
        return false;
    }
    let is_space = |at: NodeId| dom.node(at).kind == NodeKind::Text && dom.text_of(at).trim().is_empty();
    let is_first = node.previous == NONE || is_space(node.previous);
    let is_alone = node.previous == NONE || dom.node(node.previous).previous == NONE;
    is_first && is_alone && (element::heading(dom, above).is_some() || element::is_title(dom, above))
}

/// The badge that an element is, with the text that it belongs to.
fn find(dom: &Dom, element: NodeId) -> Option<FoundBadge> {
    let own = match *dom.name(element) {
        local_name!("img") => dom.attribute(element, &local_name!("alt"))?,
        local_name!("span")
        | local_name!("b")
        | local_name!("strong")
        | local_name!("i")
        | local_name!("em")
        | local_name!("font")
        | local_name!("small")
        | local_name!("mark")
        | local_name!("div")
        | local_name!("p")
        | local_name!("h2")
        | local_name!("h3")
        | local_name!("h4")
        | local_name!("h5")
        | local_name!("h6")
        | local_name!("dt") => only_text(dom, element)?,
        local_name!("th") | local_name!("td") if is_first_of_two(dom, element) => only_text(dom, element)?,
        _ => return None,
    };
    let own = own.trim();
    let badge = (own.len() <= LONGEST_BYTES).then(|| question::badge(own)).flatten()?;
    if badge.label == "faq" && element::heading(dom, element).is_some() {
        return None;
    }
    let top = dom.ancestors(element).take(CLIMB).last()?;
    let mut at = element;
    for _ in 0..NODES_BETWEEN {
        at = dom.following(at, top, if at == element { Descend::Over } else { Descend::Into })?;
        let text = dom.text_of(at);
        if dom.node(at).kind != NodeKind::Text || text.trim().is_empty() {
            continue;
        }
        // The initial of a word, a label with its separator, or the next badge of a row of them.
        let goes_on = text.starts_with(|c: char| c.is_lowercase() || matches!(c, ':' | '：' | '.' | ')' | '\'' | '’'));
        return (!goes_on && question::badge(text.trim()).is_none()).then_some(FoundBadge { badge, element, text: at });
    }
    None
}

/// The text of an element that contains nothing else.
fn only_text(dom: &Dom, element: NodeId) -> Option<&str> {
    let node = dom.node(element);
    let is_alone = node.first_child != NONE && node.first_child == node.last_child;
    is_alone.then(|| dom.text_of(node.first_child)).filter(|text| !text.is_empty())
}

/// Whether a cell is the first one of a row with two cells.
fn is_first_of_two(dom: &Dom, cell: NodeId) -> bool {
    let row = dom.node(cell).parent;
    if row == NONE {
        return false;
    }
    let mut cells = dom.children(row).filter(|&child| dom.is_element(child));
    cells.next() == Some(cell) && cells.next().is_some() && cells.next().is_none()
}
