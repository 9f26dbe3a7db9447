//! Puts parts of a page where its reader sees them, before the page is flattened.
//!
//! Two kinds of markup keep parts of one thing apart: declarative shadow roots, whose slots are
//! filled by elements outside of them, and tabs, whose labels all come before the first panel. Here
//! slotted elements move into their slots and each tab's label moves to the top of its panel. [`badges`] become
//! labels in the same pass.
//!
//! Called by `flatten` only. Each pass is linear in the number of elements.

use std::collections::HashMap;

use html5ever::local_name;

use super::dom::{Dom, NONE, NodeId};
use super::{badges, element, radio_tabs, roles, tab_lists, tabs};

/// The most elements that a shadow root's host may have as children to be slotted.
const SLOTTED_LIMIT: usize = 200;

/// Moves slotted elements and the labels of tabs.
pub(crate) fn rearrange(dom: &mut Dom) {
    let elements: Vec<NodeId> = (0..dom.nodes.len() as NodeId).filter(|&id| dom.is_element(id)).collect();
    for &id in &elements {
        if *dom.name(id) == local_name!("template") && is_shadow_root(dom, id) {
            fill_slots(dom, id);
        }
    }
    roles::name(dom, &elements);
    badges::spell_out(dom, &elements);
    let by_id = ids(dom, &elements);
    radio_tabs::name(dom, &elements);
    let paired = tab_lists::pair(dom, &elements, &by_id);
    let labels: Vec<NodeId> = elements.iter().copied().filter(|&id| tabs::is_tab(dom, id)).collect();
    let panels = unclaimed_panels(dom, &elements);
    // All labels are matched before the first one moves: their places tell them apart.
    let mut moves: Vec<(NodeId, NodeId)> = Vec::new();
    let mut repeated: Vec<NodeId> = Vec::new();
    let lists: Vec<Option<NodeId>> = labels.iter().map(|&label| tab_list(dom, label)).collect();
    for (index, &label) in labels.iter().enumerate().take(TAB_LIMIT) {
        let named = element::opened_fragments(dom, label).find_map(|fragment| by_id.get(fragment).copied());
        let named = paired.get(&label).copied().or(named);
        let labelled = named.or_else(|| labelled_by(dom, label, &panels));
        let panel = labelled.or_else(|| by_place(dom, &lists, index, &panels));
        let Some(panel) = panel.filter(|&panel| !is_within(dom, panel, label)) else { continue };
        match moves.iter().find(|(_, taken)| *taken == panel) {
            None => moves.push((label, panel)),
            // The same label once more, for narrow screens.
            Some(&(first, _)) if is_same_text(dom, first, label) => repeated.push(label),
            Some(_) => {}
        }
    }
    repeated.into_iter().for_each(|label| dom.detach(label));
    for (label, panel) in moves {
        if !is_within(dom, label, panel) && !is_within(dom, panel, label) {
            dom.move_to_front(label, panel);
        }
    }
}

/// The most tabs of one page that are put into their panels.
const TAB_LIMIT: usize = 500;

fn is_shadow_root(dom: &Dom, id: NodeId) -> bool {
    dom.attribute_named(id, "shadowrootmode").is_some()
}

fn fill_slots(dom: &mut Dom, root: NodeId) {
    let host = dom.node(root).parent;
    if host == NONE {
        return;
    }
    let slots: Vec<NodeId> = dom.descendants(root).filter(|&id| &**dom.name(id) == "slot").collect();
    let children: Vec<NodeId> = dom.children(host).filter(|&id| id != root).take(SLOTTED_LIMIT).collect();
    let mut filled: Vec<NodeId> = Vec::new();
    for child in children {
        let wanted = dom.attribute_named(child, "slot").unwrap_or_default().to_owned();
        let slot =
            slots.iter().copied().find(|&slot| dom.attribute(slot, &local_name!("name")).unwrap_or_default() == wanted);
        if let Some(slot) = slot {
            // The content of a slot shows only while nothing is slotted. White space fills nothing.
            if !filled.contains(&slot) && (dom.is_element(child) || !dom.text_of(child).trim().is_empty()) {
                let fallback: Vec<NodeId> = dom.children(slot).collect();
                fallback.into_iter().for_each(|id| dom.detach(id));
                filled.push(slot);
            }
            dom.move_to_back(child, slot);
        }
    }
}

fn ids(dom: &Dom, elements: &[NodeId]) -> HashMap<String, NodeId> {
    let mut ids = HashMap::new();
    for &id in elements {
        if let Some(name) = dom.attribute(id, &local_name!("id")).filter(|name| !name.is_empty()) {
            ids.entry(name.to_owned()).or_insert(id);
        }
    }
    ids
}

/// The elements that say that they are the panel of a tab.
fn unclaimed_panels(dom: &Dom, elements: &[NodeId]) -> Vec<NodeId> {
    elements.iter().copied().filter(|&id| tabs::is_tab_panel(dom, id)).collect()
}

/// The panel that names a tab as its label.
fn labelled_by(dom: &Dom, label: NodeId, panels: &[NodeId]) -> Option<NodeId> {
    let id = dom.attribute(label, &local_name!("id")).filter(|id| !id.is_empty())?;
    panels.iter().copied().find(|&panel| {
        dom.attribute(panel, &local_name!("aria-labelledby"))
            .is_some_and(|names| names.split_ascii_whitespace().any(|name| name == id))
    })
}

/// The panel that is as far among its siblings as the tab is among its own, where the list of tabs
/// comes before the panels in the same element and there are as many of them.
fn by_place(dom: &Dom, lists: &[Option<NodeId>], index: usize, panels: &[NodeId]) -> Option<NodeId> {
    let own = lists[index]?;
    let first = lists[..index].iter().rposition(|&list| list != Some(own)).map_or(0, |at| at + 1);
    let count = lists[first..].iter().take_while(|&&list| list == Some(own)).count();
    let around = dom.node(own).parent;
    let after: Vec<NodeId> =
        panels.iter().copied().filter(|&panel| panel > own && is_within(dom, panel, around)).collect();
    // Panels within panels belong to other tabs, or the outer one is what holds all panels.
    let is_apart = |inner: NodeId, outer: NodeId| inner == outer || !is_within(dom, inner, outer);
    let outer = after.iter().copied().filter(|&panel| after.iter().all(|&other| is_apart(panel, other)));
    let inner = after.iter().copied().filter(|&panel| after.iter().all(|&other| is_apart(other, panel)));
    let of = |panels: Vec<NodeId>| (panels.len() == count).then(|| panels[index - first]);
    if after.len() > TAB_LIMIT {
        return None;
    }
    of(outer.collect()).or_else(|| of(inner.collect()))
}

fn is_same_text(dom: &Dom, one: NodeId, other: NodeId) -> bool {
    dom.raw_text(one, LABEL_BYTES).trim() == dom.raw_text(other, LABEL_BYTES).trim()
}

/// The text of a label that is compared, in bytes.
const LABEL_BYTES: usize = 200;

/// The element that holds the tabs of one group.
fn tab_list(dom: &Dom, label: NodeId) -> Option<NodeId> {
    let lists = dom.ancestors(label).take(TAB_CLIMB);
    let mut lists = lists.filter(|&id| tabs::is_tab_list(dom, id));
    lists.next().or_else(|| Some(dom.node(label).parent).filter(|&parent| parent != NONE))
}

/// How far above a tab its list may be.
const TAB_CLIMB: usize = 3;

fn is_within(dom: &Dom, inner: NodeId, outer: NodeId) -> bool {
    inner == outer || dom.ancestors(inner).any(|id| id == outer)
}
