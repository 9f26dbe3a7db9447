//! Tabs of which only a class or an id speaks: a list of labels, and as many panels behind it.
//!
//! Called by `rearrange` before it puts tabs above their panels. A label leads to its panel by a link, or is at the same
//! place among the labels as the panel among the panels.

use std::collections::HashMap;

use html5ever::local_name;

use super::dom::{Dom, NodeId, names};
use super::{element, question, tabs};

/// The most tabs of one list.
const TAB_LIMIT: usize = 50;

/// The longest label of a tab, in bytes.
const LONGEST_LABEL_BYTES: usize = 200;

/// The most elements around a label that hold nothing else.
const LABEL_DEPTH: usize = 4;

/// Words in classes and ids of lists of tabs.
const LIST_WORDS: [&str; 7] = ["tab", "tabs", "tablist", "tabset", "tabbed", "tabmenu", "tabnav"];

/// Words in classes and ids of what tabs show.
const PANEL_WORDS: [&str; 12] = [
    "tab",
    "tabs",
    "pane",
    "panel",
    "panels",
    "tabpanel",
    "tabpane",
    "tabcontent",
    "content",
    "contents",
    "switcher",
    "blocks",
];

/// The labels of tabs with their panels, both named as such by their role.
pub(crate) fn pair(dom: &mut Dom, elements: &[NodeId], by_id: &HashMap<String, NodeId>) -> HashMap<NodeId, NodeId> {
    let mut pairs = HashMap::new();
    for &list in elements {
        if !is_named(dom, list) && !is_within_list(dom, list) {
            continue;
        }
        for (label, panel) in tabs_of(dom, list, by_id).unwrap_or_default() {
            if pairs.contains_key(&label) {
                continue;
            }
            dom.add_attribute(label, local_name!("role"), "tab");
            dom.add_attribute(panel, local_name!("role"), "tabpanel");
            pairs.insert(label, panel);
        }
    }
    pairs
}

/// Whether a class or id of an element speaks of tabs.
pub(crate) fn is_named(dom: &Dom, id: NodeId) -> bool {
    has_word(dom, id, &LIST_WORDS)
}

/// Whether an element is the only one in a list of tabs, such as the `ul` in a `div`.
fn is_within_list(dom: &Dom, id: NodeId) -> bool {
    let above = dom.node(id).parent;
    let is_plain = matches!(*dom.name(id), local_name!("ul") | local_name!("ol"));
    is_plain && dom.nodes.get(above as usize).is_some() && is_named(dom, above)
}

fn tabs_of(dom: &Dom, list: NodeId, by_id: &HashMap<String, NodeId>) -> Option<Vec<(NodeId, NodeId)>> {
    let items: Vec<NodeId> = element_children(dom, list).take(TAB_LIMIT + 1).collect();
    if !(2..=TAB_LIMIT).contains(&items.len()) {
        return None;
    }
    let labels: Vec<NodeId> = items.iter().map(|&item| label(dom, item)).collect::<Option<_>>()?;
    let panels = by_link(dom, &labels, by_id).or_else(|| by_place(dom, list, labels.len()))?;
    let repeats = |(&label, &panel): (&NodeId, &NodeId)| begins_with(dom, panel, label);
    let is_free = labels.iter().zip(&panels).all(|(&label, &panel)| {
        !tabs::is_tab(dom, label) && panel > list && dom.ancestors(list).all(|above| above != panel)
    });
    (is_free && !labels.iter().zip(&panels).any(repeats))
        .then(|| labels.iter().copied().zip(panels.iter().copied()).collect())
}

fn element_children(dom: &Dom, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
    dom.children(id).filter(|&child| dom.is_element(child))
}

/// The element in an item that is its label: a link or button, or the item itself, with a short text.
fn label(dom: &Dom, item: NodeId) -> Option<NodeId> {
    let is_label = |id: NodeId| {
        matches!(
            *dom.name(id),
            local_name!("a")
                | local_name!("button")
                | local_name!("li")
                | local_name!("label")
                | local_name!("div")
                | local_name!("span")
        )
    };
    let text = beginning(dom, item);
    if !is_label(item) || text.trim().is_empty() || text.len() > LONGEST_LABEL_BYTES {
        return None;
    }
    let mut at = item;
    for _ in 0..LABEL_DEPTH {
        if matches!(*dom.name(at), local_name!("a") | local_name!("button")) {
            return Some(at);
        }
        let mut children = element_children(dom, at);
        match (children.next(), children.next()) {
            (Some(only), None)
                if dom.children(at).all(|child| child == only || dom.text_of(child).trim().is_empty()) =>
            {
                at = only;
            }
            _ => break,
        }
    }
    Some(item)
}

/// The panels that the labels link to, in their order.
fn by_link(dom: &Dom, labels: &[NodeId], by_id: &HashMap<String, NodeId>) -> Option<Vec<NodeId>> {
    let target = |&label: &NodeId| {
        let around = std::iter::once(label).chain(dom.ancestors(label)).take(2);
        let mut fragments = around.flat_map(|id| element::opened_fragments(dom, id));
        fragments.find_map(|fragment| by_id.get(fragment).copied())
    };
    let panels: Vec<NodeId> = labels.iter().map(target).collect::<Option<_>>()?;
    let is_ordered = panels.is_sorted_by(|one, other| one < other);
    let parent = dom.node(panels[0]).parent;
    let is_one_group = panels.iter().all(|&panel| dom.node(panel).parent == parent);
    (is_ordered && is_one_group).then_some(panels)
}

/// As many panels as there are labels: behind the list or the element that holds only the list, or in the element there.
fn by_place(dom: &Dom, list: NodeId, count: usize) -> Option<Vec<NodeId>> {
    let above = dom.node(list).parent;
    let is_alone = dom.nodes.get(above as usize).is_some() && element_children(dom, above).take(2).count() == 1;
    let starts = [Some(list), is_alone.then_some(above)];
    starts.into_iter().flatten().find_map(|start| {
        let behind = std::iter::successors(dom.next_element(start), |&id| dom.next_element(id));
        let behind: Vec<NodeId> = behind.take(TAB_LIMIT + 1).collect();
        let inner =
            || behind.first().map(|&first| element_children(dom, first).take(TAB_LIMIT + 1).collect::<Vec<_>>());
        let is_named = |id: NodeId| has_word(dom, id, &PANEL_WORDS);
        if behind.len() == count && behind.iter().all(|&id| is_named(id)) {
            return Some(behind);
        }
        inner().filter(|inner| inner.len() == count && (is_named(behind[0]) || inner.iter().all(|&id| is_named(id))))
    })
}

/// The text of an element, or the beginning of a long one.
fn beginning(dom: &Dom, id: NodeId) -> String {
    let mut text = String::new();
    for id in dom.descendants(id).take(LABEL_NODES) {
        // One character more tells that the text is longer than any label.
        text.extend(dom.text_of(id).chars().take(LONGEST_LABEL_BYTES + 1 - text.len()));
        if text.len() > LONGEST_LABEL_BYTES {
            break;
        }
    }
    text
}

/// The most nodes of a label or panel whose text is looked at.
const LABEL_NODES: usize = 100;

/// Whether a panel begins with the words of its label, as the sections do that a table of contents leads to.
fn begins_with(dom: &Dom, panel: NodeId, label: NodeId) -> bool {
    question::fold(&beginning(dom, panel)).starts_with(&question::fold(&beginning(dom, label)))
}

/// Whether a part of a class or id of an element is one of some words.
fn has_word(dom: &Dom, id: NodeId, words: &[&str]) -> bool {
    names(dom, id).any(|name| name.split(['-', '_']).any(|part| words.contains(&part)))
}
