//! Where accepted questions stand, and the relation of further candidates to them.
//!
//! Called by `arbiter` only.

use super::candidate::{FaqCandidate, Group, is_content};
use super::flow::{BlockId, Blocks, Flow};

/// A question that was accepted.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub candidate: FaqCandidate,
    /// End of the innermost element around all questions of the group.
    pub group_end: BlockId,
}

/// From this ratio on, a larger weak group wins over the strong one around it.
pub(super) const CLEAR_RATIO: f32 = 0.6;

/// The blocks that an accepted question covers, itself included.
pub(super) struct Region {
    pub blocks: Blocks,
    pub is_bounded: bool,
}

/// The regions of the accepted questions, by start.
pub(super) fn regions(flow: &Flow, taken: &[Taken]) -> Vec<Region> {
    let mut order: Vec<&Taken> = taken.iter().collect();
    order.sort_by_key(|taken| taken.candidate.question.start);
    let starts = order.iter().skip(1).map(|taken| taken.candidate.question.start);
    let ends: Vec<_> = starts.chain([flow.len()]).collect();
    let region = |(taken, next): (&&Taken, &BlockId)| {
        let end = match &taken.candidate.answer {
            Some(answer) => answer.end,
            None => stop(flow, taken, *next),
        };
        Region { blocks: taken.candidate.question.start..end, is_bounded: taken.candidate.answer.is_some() }
    };
    order.iter().zip(&ends).map(region).collect()
}

/// The relation of a candidate to the questions that are already accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The same blocks are an accepted question.
    Same,
    /// Inside an answer that the markup encloses.
    Enclosed,
    /// After text that answers the previous question.
    Behind,
    Free,
}

pub(super) fn standing(flow: &Flow, regions: &[Region], candidate: &FaqCandidate) -> Standing {
    let start = candidate.question.start;
    let at = regions.partition_point(|region| region.blocks.start <= start);
    let Some(region) = at.checked_sub(1).map(|at| &regions[at]) else { return Standing::Free };
    if region.blocks.start == start {
        Standing::Same
    } else if !region.blocks.contains(&start) {
        Standing::Free
    } else if region.is_bounded {
        Standing::Enclosed
    } else if (region.blocks.start + 1..start).any(|id| is_content(flow, id)) {
        Standing::Behind
    } else {
        Standing::Free
    }
}

/// Whether most candidates of a group that hardly reads like questions are the first content of accepted questions: paragraphs
/// that begin like questions ("We ship to…") are their answers.
pub(super) fn answers_questions(flow: &Flow, group: &Group, taken: &[Taken]) -> bool {
    if group.ratio() >= CLEAR_RATIO {
        return false;
    }
    let regions = regions(flow, taken);
    let is_first = |start: BlockId| {
        let at = regions.partition_point(|region| region.blocks.start < start);
        let Some(region) = at.checked_sub(1).map(|at| &regions[at]) else { return false };
        region.blocks.contains(&start) && !(region.blocks.start + 1..start).any(|id| is_content(flow, id))
    };
    let answers = group.candidates.iter().filter(|candidate| is_first(candidate.question.start));
    answers.count() * 2 > group.candidates.len()
}

/// Returns where an answer without its own element ends: at the next question, at a heading that is not a
/// subheading, at the footnotes of the page, or with the element around all questions.
pub(super) fn stop(flow: &Flow, taken: &Taken, next: BlockId) -> BlockId {
    let question = &taken.candidate.question;
    let level = flow.block(question.start).heading;
    let end = next.min(taken.group_end.max(question.end));
    (question.end..end)
        .find(|&id| {
            let heading = flow.block(id).heading;
            let is_note = flow.block(id).is_note && !flow.block(question.start).is_note;
            is_note || heading > 0 && (level == 0 || heading <= level)
        })
        .unwrap_or(end)
}
