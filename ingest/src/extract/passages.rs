//! What is left of a page once its questions are taken: passages under their headings.

use super::arbiter::Found;
use super::flow::{Block, BlockId, Blocks, Flow};
use super::{enclosed, headings};

/// A passage shorter than this, in bytes, has no meaning by itself, unless it is directly below a
/// heading or holds a fact.
const SHORTEST_BYTES: usize = 40;

/// From this percentage of links on, a passage is a list of links.
const LINK_PERCENT: usize = 60;

/// A range of text and the headings above it.
#[derive(Debug)]
pub(crate) struct Passage {
    pub blocks: Blocks,
    /// Blocks of the headings, outermost first.
    pub headings: Vec<BlockId>,
}

/// A page without its questions.
#[derive(Debug)]
pub(crate) struct Divided {
    /// Blocks of the headings above each question, outermost first.
    pub contexts: Vec<Vec<BlockId>>,
    /// The passages between the questions.
    pub passages: Vec<Passage>,
}

/// Divides a page in one pass over its blocks; `found` must be in document order.
pub(crate) fn divide(flow: &Flow, found: &[Found]) -> Divided {
    let mut contexts = Vec::with_capacity(found.len());
    let mut passages = Vec::new();
    let mut path: Vec<BlockId> = Vec::new();
    let mut open: Option<Blocks> = None;
    let mut covered_to = 0;
    let mut next = found.iter().peekable();
    for id in 0..flow.len() {
        while let Some(pair) = next.next_if(|pair| pair.question.start <= id) {
            let level = flow.block(pair.question.start).heading;
            contexts.push(path.iter().copied().filter(|&at| is_above(flow.block(at), level)).collect());
            covered_to = covered_to.max(enclosed::end(pair));
        }
        let block = flow.block(id);
        let level = flow.title_level(id);
        // What a title within a paragraph titles ends with the paragraph.
        if path.last().is_some_and(|&at| flow.block(at).is_run_in && flow.block(at).node != block.node) {
            passages.extend(close(flow, open.take(), &path));
            path.pop();
        }
        if id < covered_to || level > 0 || block.is_boilerplate || block.is_control {
            passages.extend(close(flow, open.take(), &path));
            if level > 0 && id >= covered_to && !block.is_boilerplate {
                if !headings::is_same(flow, id) {
                    path.retain(|&at| flow.title_level(at) < level);
                }
                path.push(id);
            }
            continue;
        }
        open = Some(open.map_or(id, |open| open.start)..id + 1);
    }
    passages.extend(close(flow, open, &path));
    Divided { contexts, passages }
}

/// Whether so much of a text is links that it is a list of them.
pub(crate) fn is_mostly_links(link_bytes: usize, bytes: usize) -> bool {
    link_bytes * 100 >= bytes * LINK_PERCENT
}

fn is_above(heading: &Block, level: u8) -> bool {
    level == 0 || heading.heading < level
}

fn close(flow: &Flow, open: Option<Blocks>, path: &[BlockId]) -> Option<Passage> {
    let blocks = open?;
    let size = flow.size(blocks.clone());
    let links: usize = blocks.clone().map(|id| flow.block(id).link_bytes as usize).sum();
    let is_titled = blocks.start > 0 && path.last() == Some(&(blocks.start - 1));
    let is_note = flow.block(blocks.start).is_note;
    let is_worth_it = size >= SHORTEST_BYTES || is_titled || is_note || is_fact(flow, blocks.clone());
    let is_text = !is_mostly_links(links, size) && blocks.clone().any(|id| !flow.block(id).is_media);
    (is_worth_it && is_text).then(|| Passage { blocks, headings: path.to_vec() })
}

/// Whether a short text names something and gives its value: "Phone: 0800 1234".
fn is_fact(flow: &Flow, mut blocks: Blocks) -> bool {
    blocks.any(|id| {
        let (name, value) = flow.text(id).split_once(':').unwrap_or_default();
        name.chars().filter(|c| c.is_alphabetic()).count() > 1 && value.contains(|c: char| c.is_ascii_digit())
    })
}
