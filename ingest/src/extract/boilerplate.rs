//! What stands on every page of a site: navigation, banners, footers, cookie notices.
//!
//! Landmarks are marked on the way down (`flatten`), containers that are only called so
//! afterwards, when their share of the page is known: a "sidebar" that holds the page is none.

use std::collections::HashMap;

use html5ever::local_name;

use super::dom::{Dom, NONE, NodeId};
use super::element;
use super::flow::{BlockId, Flow};
use super::question;

/// A container named like boilerplate is believed below this share of the page's text, in percent.
const SHARE_PERCENT: usize = 35;

/// A form with less text than this, in bytes, is a field with its labels: a search, a vote.
const SMALL_FORM_BYTES: usize = 400;

/// Names (of classes and ids) of what is not content; as a whole name or with a site-/page-
/// prefix.
const NAMES: [&str; 26] = [
    "nav",
    "navbar",
    "navigation",
    "menu",
    "main-menu",
    "footer",
    "site-footer",
    "page-footer",
    "site-header",
    "page-header-nav",
    "breadcrumb",
    "breadcrumbs",
    "sidebar",
    "sidenav",
    "cookie",
    "cookies",
    "cookie-banner",
    "cookie-notice",
    "cookie-consent",
    "consent",
    "skip-link",
    "share",
    "social",
    "newsletter",
    "pagination",
    "print-only-footer",
];

/// Whether an element says by name or role that it is no content.
pub(crate) fn is_landmark(dom: &Dom, id: NodeId) -> bool {
    if let Some(role) = dom.attribute(id, &local_name!("role"))
        && matches!(
            role,
            "navigation"
                | "banner"
                | "contentinfo"
                | "complementary"
                | "search"
                | "dialog"
                | "alertdialog"
                | "menu"
                | "menubar"
        )
    {
        return true;
    }
    match *dom.name(id) {
        local_name!("nav") | local_name!("dialog") | local_name!("search") => true,
        local_name!("footer") | local_name!("header") => !is_part_of_content(dom, id),
        local_name!("aside") => !element::names(dom, id).any(|name| is_note(&name)),
        _ => false,
    }
}

/// Headers and footers of articles and sections are content.
fn is_part_of_content(dom: &Dom, id: NodeId) -> bool {
    dom.ancestors(id).any(|above| {
        matches!(
            *dom.name(above),
            local_name!("article")
                | local_name!("section")
                | local_name!("main")
                | local_name!("details")
                | local_name!("dd")
                | local_name!("li")
                | local_name!("blockquote")
        )
    })
}

fn is_note(name: &str) -> bool {
    ["note", "tip", "warning", "admonition", "callout", "info", "hint", "important"]
        .iter()
        .any(|word| name.contains(word))
}

/// Marks the containers that are called boilerplate and small enough to be it.
pub(crate) fn mark(flow: &mut Flow) {
    let page = flow.size(0..flow.len());
    let mut marked = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if !flow.dom.is_element(id) {
            continue;
        }
        let blocks = flow.range(id);
        if blocks.is_empty() || flow.block(blocks.start).is_boilerplate {
            continue;
        }
        let is_form = *flow.dom.name(id) == local_name!("form");
        let is_marked = if is_form {
            flow.size(blocks.clone()) < SMALL_FORM_BYTES
        } else {
            is_named(&flow.dom, id) && flow.size(blocks.clone()) * 100 < page * SHARE_PERCENT
        };
        if is_marked {
            marked.push(blocks);
        }
    }
    for block in marked.into_iter().flatten() {
        flow.blocks[block as usize].is_boilerplate = true;
    }
}

fn is_named(dom: &Dom, id: NodeId) -> bool {
    if matches!(*dom.name(id), local_name!("body") | local_name!("html") | local_name!("main")) {
        return false;
    }
    [local_name!("class"), local_name!("id")]
        .into_iter()
        .filter_map(|name| dom.attribute(id, &name))
        .flat_map(str::split_ascii_whitespace)
        .any(|word| NAMES.iter().any(|name| name.eq_ignore_ascii_case(word)))
}

/// Marks the blocks that are only a link to another place of the page: contents, "back to top".
pub(crate) fn mark_jumps(flow: &mut Flow) {
    let mut counts: HashMap<String, u32> = HashMap::new();
    let mut jumps = Vec::new();
    for id in 0..flow.len() {
        let Some(link) = flow.whole_link(id) else { continue };
        let Some(fragment) = flow.fragment(link) else { continue };
        let text = flow.text(id);
        let is_way_back = fragment.is_empty() || fragment == "top";
        let is_jump = if is_way_back {
            text.chars().count() < LONGEST_WAY_BACK_CHARS && !question::is_marked(text)
        } else {
            is_jump(flow, id, link, fragment)
        };
        if is_jump {
            let text = question::fold(text);
            *counts.entry(text.clone()).or_default() += 1;
            jumps.push(Jump { id, text, is_to_top: fragment == "top", is_way_back });
        }
    }
    for (at, jump) in jumps.iter().enumerate() {
        // What says the same everywhere leads back; what says it once may be a switch ("#"), or a
        // step of an answer that is explained elsewhere, unless it stands in a list of such links.
        let is_repeated = jump.text.is_empty() || counts[&jump.text] > 1;
        let is_beside = |other: Option<&Jump>| other.is_some_and(|other| other.id.abs_diff(jump.id) == 1);
        let is_listed = is_beside(jumps.get(at + 1)) || at > 0 && is_beside(jumps.get(at - 1));
        flow.blocks[jump.id as usize].is_control |= jump.is_to_top || is_repeated || is_listed && !jump.is_way_back;
    }
}

/// A block that is a link within the page.
struct Jump {
    id: BlockId,
    /// Folded.
    text: String,
    is_to_top: bool,
    /// To the top, or to nowhere in particular ("#").
    is_way_back: bool,
}

/// "Back to the table of contents", in the longer languages.
const LONGEST_WAY_BACK_CHARS: usize = 40;

fn is_jump(flow: &Flow, id: BlockId, link: NodeId, fragment: &str) -> bool {
    // Headings link to themselves, and what is linked to may link back to the contents.
    let is_target =
        [local_name!("id"), local_name!("name")].iter().any(|name| flow.dom.attribute(link, name).is_some());
    if is_target || flow.block(id).heading > 0 {
        return false;
    }
    match flow.anchors.get(fragment) {
        Some(&target) if target != NONE => {
            let blocks = flow.range(target);
            !(blocks.start..=blocks.end).contains(&id)
        }
        _ => false,
    }
}
