//! Links that only lead to another place on the same page: tables of contents and "back to top".
//!
//! Called by `flatten` once the blocks of the page are known. Such blocks become controls, which are
//! never part of an answer.

use std::collections::HashMap;

use html5ever::local_name;

use super::dom::{NONE, NodeId};
use super::flow::{BlockId, Flow};
use super::question;

/// Marks the blocks that are only a link to another place of the page: contents, "back to top".
pub(crate) fn mark(flow: &mut Flow) {
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
        // step of an answer that is explained elsewhere, unless it is in a list of such links.
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
