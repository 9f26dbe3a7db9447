//! Questions in `dt` with answers in `dd`. Called by `html`.

use html5ever::local_name;

use super::candidate::{FaqCandidate, Group, Source};
use super::dom::NodeId;
use super::flow::Flow;

/// A list of terms has no questions, and a list of questions has hardly anything else, unless they are written as problems
/// ("The mouse does not move").
const THRESHOLD: f32 = 0.4;

/// Number of further terms that may share an answer, which is repeated for each of them.
const SHARED_TERMS: usize = 3;

/// One group for each list.
pub(crate) fn groups(flow: &Flow) -> Vec<Group> {
    let lists = (0..flow.dom.nodes.len() as NodeId)
        .filter(|&id| flow.dom.is_element(id) && *flow.dom.name(id) == local_name!("dl"));
    lists.filter_map(|list| group(flow, list)).collect()
}

fn group(flow: &Flow, list: NodeId) -> Option<Group> {
    let parts = parts(flow, list);
    let end = flow.range(list).end;
    let mut candidates = Vec::new();
    for (index, &(is_term, node)) in parts.iter().enumerate() {
        if !is_term {
            continue;
        }
        let question = flow.range(node);
        let after = &parts[index + 1..];
        // Consecutive terms share the answer after the last of them.
        let terms = after.iter().take_while(|(is_term, _)| *is_term).count();
        if terms > SHARED_TERMS {
            continue;
        }
        let start = after.get(terms).map_or(question.end, |&(_, next)| flow.range(next).start);
        let next = after.iter().skip(terms).find(|(is_term, _)| *is_term);
        let stop = next.map_or(end, |&(_, next)| flow.range(next).start);
        candidates.extend(FaqCandidate::new(flow, question, Some(start..stop.max(start))));
    }
    (!candidates.is_empty()).then(|| Group::new(Source::DefinitionList, THRESHOLD, candidates))
}

/// Returns the `dt` (true) and `dd` (false) elements of a list, including those inside of `div` elements.
fn parts(flow: &Flow, list: NodeId) -> Vec<(bool, NodeId)> {
    let mut found = Vec::new();
    for child in flow.dom.children(list) {
        let inner = (*flow.dom.name(child) == local_name!("div")).then(|| flow.dom.children(child).collect::<Vec<_>>());
        for node in inner.unwrap_or_else(|| vec![child]) {
            match *flow.dom.name(node) {
                local_name!("dt") => found.push((true, node)),
                local_name!("dd") => found.push((false, node)),
                _ => {}
            }
        }
    }
    found
}
