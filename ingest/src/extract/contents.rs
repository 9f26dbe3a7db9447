//! Questions that a table of contents lists: in-page links whose text appears again at their
//! target.
//!
//! Entries are grouped by how deep they are in the lists, so that categories above the questions
//! and sub-headings of answers below them stay apart.

use std::collections::BTreeMap;

use html5ever::local_name;

use super::candidate::{FaqCandidate, Group, Source, is_bare_number};
use super::dom::{NONE, NodeId};
use super::flow::{BlockId, Blocks, Flow};
use super::question::{self, LIKELY};

/// If a third of the linked entries are questions, the others are meant as questions too.
const THRESHOLD: f32 = 0.3;

/// Maximum number of entries. The longest real table of contents has some 300.
const ENTRY_LIMIT: usize = 5000;

/// Longest text of an entry, in runs of one style.
const ENTRY_RUNS: usize = 64;

/// Number of blocks between the target and the question, such as a number or a "back" link.
const LOOK_AHEAD: u32 = 3;

/// Groups of linked questions by the list they are in and the depth of their entry.
pub(crate) fn groups(flow: &Flow) -> Vec<Group> {
    let mut found: BTreeMap<(NodeId, usize), Vec<FaqCandidate>> = BTreeMap::new();
    let mut entries = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if entries.len() == ENTRY_LIMIT {
            break;
        }
        if flow.dom.is_element(id)
            && *flow.dom.name(id) == local_name!("a")
            && let Some(question) = entry(flow, id)
        {
            entries.push((place(flow, id), question));
        }
    }
    for (index, (place, question)) in entries.iter().enumerate() {
        let Some(candidate) = FaqCandidate::new(flow, question.clone(), None) else { continue };
        let below = entries.get(index + 1).map(|(next, _)| next);
        let has_entries_below = below.is_some_and(|next| next.0 == place.0 && next.1 > place.1);
        // An entry that is not a question and has entries below it is a category.
        if !has_entries_below || candidate.likeness >= LIKELY {
            found.entry(*place).or_default().push(candidate);
        }
    }
    found
        .into_values()
        .map(once_each)
        .filter(|candidates| candidates.len() > 1)
        .map(|candidates| Group::new(Source::Contents, THRESHOLD, candidates))
        .collect()
}

/// Returns candidates in document order without repetitions.
fn once_each(mut candidates: Vec<FaqCandidate>) -> Vec<FaqCandidate> {
    candidates.sort_by_key(|candidate| candidate.question.start);
    candidates.dedup_by_key(|candidate| candidate.question.start);
    candidates
}

/// Returns the blocks at the target of a link that repeat its text.
fn entry(flow: &Flow, link: NodeId) -> Option<Blocks> {
    let fragment = flow.fragment(link).filter(|fragment| !fragment.is_empty())?;
    let target = flow.range(*flow.anchors.get(fragment)?);
    let own = flow.range(link);
    if own.is_empty() || (own.start..own.end).contains(&target.start) {
        return None;
    }
    let wanted = question::fold(question::strip_label(&link_text(flow, link)));
    if wanted.is_empty() {
        return None;
    }
    let last = (target.start + LOOK_AHEAD).min(flow.len());
    (target.start..last).find_map(|id| matching(flow, id, &wanted))
}

fn link_text(flow: &Flow, link: NodeId) -> String {
    let blocks = flow.range(link).take(LOOK_AHEAD as usize);
    let runs = blocks.flat_map(|id| flow.runs(id)).filter(|run| run.style.link == link);
    runs.take(ENTRY_RUNS).map(|run| flow.slice(run.span)).collect()
}

fn matching(flow: &Flow, id: BlockId, wanted: &str) -> Option<Blocks> {
    if is_bare_number(flow.text(id)) {
        return None;
    }
    let mut have = String::new();
    // A question may continue after a line break.
    for end in id..(id + LOOK_AHEAD).min(flow.len()) {
        let text = flow.text(end);
        if end == id {
            have.push_str(&question::fold(question::strip_label(text)));
        } else {
            have.push_str(&question::fold(text));
        }
        if have == wanted {
            return Some(id..end + 1);
        }
        if !wanted.starts_with(&have) {
            return None;
        }
    }
    None
}

/// Returns the outermost list around a link and the depth of the link in it. A `dd` is below its `dt`.
fn place(flow: &Flow, link: NodeId) -> (NodeId, usize) {
    let mut place = (NONE, 0);
    for id in flow.dom.ancestors(link) {
        match *flow.dom.name(id) {
            local_name!("ul") | local_name!("ol") | local_name!("dl") | local_name!("dir") => {
                place = (id, place.1 + 2);
            }
            local_name!("dd") => place.1 += 1,
            _ => {}
        }
    }
    place
}
