//! Tabs: their labels, the lists that hold the labels, and the panels that they show, by role, attributes and class names.

use html5ever::local_name;

use super::dom::{Dom, NodeId, names};

/// Whether an element is the label of a tab.
pub(crate) fn is_tab(dom: &Dom, id: NodeId) -> bool {
    if dom.attribute(id, &local_name!("role")) == Some("tab") {
        return true;
    }
    let is_toggle = ["data-toggle", "data-bs-toggle"]
        .into_iter()
        .any(|name| matches!(dom.attribute_named(id, name), Some("tab" | "pill")));
    let is_label = *dom.name(id) == local_name!("label")
        && dom.ancestors(id).take(1).any(|above| names(dom, above).any(|name| name == "tabbed-labels"));
    let is_named = names(dom, id).any(|name| TAB_NAMES.contains(&&*name));
    let is_listed = || {
        let is_child = matches!(
            *dom.name(id),
            local_name!("li") | local_name!("button") | local_name!("a") | local_name!("div") | local_name!("span")
        );
        is_child && dom.ancestors(id).take(1).any(|above| names(dom, above).any(|name| is_tab_list_name(&name)))
    };
    is_toggle || is_label || is_named || is_listed()
}

/// Classes of the labels of tabs.
const TAB_NAMES: [&str; 9] =
    ["tablink", "tablinks", "tab-link", "tab-button", "tab-btn", "tab-label", "tab-title", "tabs-title", "tabs__tab"];

/// Whether a class is that of a container for the labels of tabs: "tabs__list", "tab-buttons".
fn is_tab_list_name(name: &str) -> bool {
    let rest = name.strip_prefix("tabs").or_else(|| name.strip_prefix("tab"));
    let part = rest.map(|rest| rest.trim_start_matches(['-', '_']));
    part.is_some_and(|part| {
        matches!(part, "list" | "buttons" | "labels" | "headers" | "header" | "nav" | "titles" | "links" | "bar")
    })
}

/// Whether an element holds the labels of tabs.
pub(crate) fn is_tab_list(dom: &Dom, id: NodeId) -> bool {
    dom.attribute(id, &local_name!("role")) == Some("tablist")
        || names(dom, id)
            .any(|name| matches!(&*name, "tabbed-labels" | "nav-tabs" | "nav-pills") || is_tab_list_name(&name))
}

/// Whether an element is what a tab shows.
pub(crate) fn is_tab_panel(dom: &Dom, id: NodeId) -> bool {
    dom.attribute(id, &local_name!("role")) == Some("tabpanel")
        || names(dom, id).any(|name| TAB_PANEL_NAMES.contains(&&*name))
}

/// Classes of what tabs show.
const TAB_PANEL_NAMES: [&str; 11] = [
    "tab-pane",
    "tabbed-block",
    "tabcontent",
    "tab-content",
    "tab-panel",
    "tabpanel",
    "tab__panel",
    "tab__content",
    "tabs-panel",
    "tabs__panel",
    "tabs__content",
];
