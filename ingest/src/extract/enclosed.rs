//! Text of an answer behind and between the questions that it encloses, such as `details` within `details`.
//!
//! Called by the `arbiter` when the questions of the page are known.

use super::arbiter::Found;
use super::candidate::is_content;
use super::flow::{BlockId, Blocks, Flow};

/// Divides what each answer encloses: the enclosed questions keep their own text, and the rest belongs to the answer.
///
/// `found` is in document order. The rest of an answer begins at the first question that it encloses.
pub(crate) fn divide(flow: &Flow, found: &mut [Found]) {
    for at in 0..found.len() {
        let Some(rest) = found[at].rest.pop() else { continue };
        let inner = found[at + 1..].iter().take_while(|inner| inner.question.start < rest.end);
        let gaps = gaps(&rest, inner).into_iter().filter(|gap| has_text(flow, gap)).collect();
        found[at].rest = gaps;
    }
}

/// The parts of a range that no question or answer covers.
fn gaps<'a>(rest: &Blocks, inner: impl Iterator<Item = &'a Found>) -> Vec<Blocks> {
    let mut gaps = Vec::new();
    let mut start = rest.start;
    for found in inner {
        if start >= rest.end {
            break;
        }
        if found.question.start > start {
            gaps.push(start..found.question.start);
        }
        start = start.max(end(found));
    }
    gaps.push(start..rest.end.max(start));
    gaps
}

/// Where a question ends with all that belongs to it.
pub(crate) fn end(found: &Found) -> BlockId {
    let rest = found.rest.last().map_or(0, |rest| rest.end);
    found.question.end.max(found.answer.end).max(rest)
}

fn has_text(flow: &Flow, blocks: &Blocks) -> bool {
    blocks.clone().any(|id| is_content(flow, id) && flow.block(id).heading == 0)
}
