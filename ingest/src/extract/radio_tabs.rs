//! Tabs of radio buttons: the label of each button is a tab, and the panels follow the last label.
//!
//! Called by `rearrange`, which puts tabs above their panels by their roles; here they get these roles.

use html5ever::{LocalName, local_name};

use super::dom::{Dom, NONE, NodeId};
use super::tab_lists;

/// The most tabs of one group.
const TAB_LIMIT: usize = 50;

/// Names the labels of radio buttons tabs, and what they show panels, where there are as many of them.
pub(crate) fn name(dom: &mut Dom, elements: &[NodeId]) {
    let labels: Vec<NodeId> = elements.iter().copied().filter(|&id| is_radio_label(dom, id)).collect();
    let groups: Vec<Vec<NodeId>> = labels
        .chunk_by(|&one, &other| before(dom, other).and_then(|input| before(dom, input)) == Some(one))
        .map(<[_]>::to_vec)
        .collect();
    for group in groups.iter().filter(|group| (2..=TAB_LIMIT).contains(&group.len())) {
        let Some(panels) = panels(dom, group) else { continue };
        for (&label, panel) in group.iter().zip(panels) {
            dom.add_attribute(label, local_name!("role"), "tab");
            dom.add_attribute(panel, local_name!("role"), "tabpanel");
        }
    }
}

/// Whether an element is a label directly behind its radio button.
fn is_radio_label(dom: &Dom, id: NodeId) -> bool {
    if *dom.name(id) != local_name!("label") {
        return false;
    }
    let attribute = |id: NodeId, name: LocalName| dom.attribute(id, &name);
    let Some(input) = before(dom, id) else { return false };
    attribute(input, local_name!("type")) == Some("radio")
        && attribute(id, local_name!("for")).is_some_and(|name| attribute(input, local_name!("id")) == Some(name))
}

/// The element before another one, with nothing but space between them.
fn before(dom: &Dom, id: NodeId) -> Option<NodeId> {
    let mut at = dom.node(id).previous;
    while at != NONE && !dom.is_element(at) && dom.text_of(at).trim().is_empty() {
        at = dom.node(at).previous;
    }
    (at != NONE && dom.is_element(at)).then_some(at)
}

/// The elements behind the last label, or behind what holds the labels, or those in the one element there.
fn panels(dom: &Dom, labels: &[NodeId]) -> Option<Vec<NodeId>> {
    let last = *labels.last()?;
    let siblings = std::iter::successors(dom.next_element(last), |&id| dom.next_element(id));
    let siblings: Vec<NodeId> = siblings.take(TAB_LIMIT + 1).collect();
    let inner = |id: NodeId| dom.children(id).filter(|&id| dom.is_element(id)).take(TAB_LIMIT + 1).collect();
    let panels: Vec<NodeId> = match siblings[..] {
        // Buttons and labels may have an element of their own, which the panels follow.
        [] if tab_lists::is_named(dom, dom.node(last).parent) => inner(dom.next_element(dom.node(last).parent)?),
        [only] => inner(only),
        _ => siblings,
    };
    (panels.len() == labels.len()).then_some(panels)
}
