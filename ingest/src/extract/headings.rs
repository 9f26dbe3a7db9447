//! Questions in headings, one group for each level. Called by `html`.

use super::candidate::{FaqCandidate, Group, Source};
use super::flow::{BlockId, Blocks, Flow};

/// Half of the headings of a level must be questions for the others to be taken for questions.
const THRESHOLD: f32 = 0.5;

/// Groups by level; a heading of several blocks is one candidate.
pub(crate) fn groups(flow: &Flow) -> Vec<Group> {
    let mut levels: [Vec<FaqCandidate>; 7] = Default::default();
    for heading in headings(flow) {
        let level = flow.block(heading.start).heading;
        if !flow.block(heading.start).is_control {
            levels[usize::from(level.min(6))].extend(FaqCandidate::new(flow, heading, None));
        }
    }
    levels
        .into_iter()
        .filter(|candidates| !candidates.is_empty())
        .map(|candidates| Group::new(Source::Heading, THRESHOLD, candidates))
        .collect()
}

/// The blocks of each heading of the page.
fn headings(flow: &Flow) -> Vec<Blocks> {
    let mut found: Vec<Blocks> = Vec::new();
    for id in 0..flow.len() {
        let block = flow.block(id);
        if block.heading == 0 {
            continue;
        }
        match found.last_mut() {
            Some(last) if last.end == id && is_same(flow, id) => last.end = id + 1,
            _ => found.push(id..id + 1),
        }
    }
    found
}

/// Returns whether a block continues the heading of the previous block.
pub(crate) fn is_same(flow: &Flow, id: BlockId) -> bool {
    if id == 0 {
        return false;
    }
    let (block, before) = (flow.block(id), flow.block(id - 1));
    block.heading > 0 && block.heading == before.heading && block.is_continued && block.node == before.node
}
