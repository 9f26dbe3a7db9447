//! Groups of question candidates, which the extractors propose and the arbiter decides about.
//!
//! A page uses the same markup for all of its questions, so evidence is collected for groups. The share
//! that reads like questions counts for all of them, statements included.

use html5ever::local_name;

use super::dom::{NONE, NodeId};
use super::flow::{BlockId, Blocks, Flow};
use super::question::{self, LIKELY};

/// Markup that a group comes from. Later variants are stronger evidence of what the author meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// Lines that only their question mark distinguishes from text.
    Line,
    Bold,
    Heading,
    /// In-page links that lead to the questions.
    Contents,
    Table,
    DefinitionList,
    Disclosure,
    Microdata,
}

/// A possible question and the bounds of its answer.
#[derive(Debug, Clone)]
pub(crate) struct FaqCandidate {
    pub question: Blocks,
    /// The answer, if the markup encloses it. `None` means that it ends at what comes next.
    pub answer: Option<Blocks>,
    pub likeness: f32,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    pub source: Source,
    pub candidates: Vec<FaqCandidate>,
    /// Share of candidates that must read like questions, 0.0 to 1.0.
    pub threshold: f32,
}

impl Group {
    pub fn new(source: Source, threshold: f32, candidates: Vec<FaqCandidate>) -> Self {
        Self { source, candidates, threshold }
    }

    /// Share of candidates that read like questions, 0.0 to 1.0.
    pub fn ratio(&self) -> f32 {
        let alike = self.candidates.iter().filter(|c| c.likeness >= LIKELY).count();
        alike as f32 / self.candidates.len().max(1) as f32
    }
}

impl FaqCandidate {
    /// Returns a candidate. `None` when the blocks cannot be a question because they are empty, far too long
    /// or boilerplate.
    pub fn new(flow: &Flow, question: Blocks, answer: Option<Blocks>) -> Option<Self> {
        let question = trim(flow, question);
        if question.is_empty() || flow.block(question.start).is_boilerplate {
            return None;
        }
        let longest = match answer {
            Some(_) => question::LONGEST_ENCLOSED_CHARS,
            None => question::LONGEST_QUESTION_CHARS,
        };
        if flow.size(question.clone()) > longest * 4 {
            return None;
        }
        let question = with_code(flow, question);
        let line = flow.line(question.clone());
        if line.chars().count() > longest {
            return None;
        }
        let bare = question::strip_label(&line);
        if !bare.chars().any(char::is_alphabetic) {
            return None;
        }
        let likeness = question::likeness(&line);
        Some(Self { question, answer, likeness })
    }
}

/// Removes controls and numbers ("1.1.") from the ends of a range.
fn trim(flow: &Flow, mut blocks: Blocks) -> Blocks {
    let is_noise = |id: BlockId| flow.block(id).is_control || is_bare_number(flow.text(id));
    while !blocks.is_empty() && is_noise(blocks.start) {
        blocks.start += 1;
    }
    while !blocks.is_empty() && is_noise(blocks.end - 1) {
        blocks.end -= 1;
    }
    blocks
}

/// Extends a question in a cell or term by the code below it, such as an error message. Without a colon,
/// the table must continue after it, because the rest is the answer.
fn with_code(flow: &Flow, question: Blocks) -> Blocks {
    let next = question.end;
    if next >= flow.len() || !flow.block(next).is_preformatted {
        return question;
    }
    let is_cell =
        |id: &NodeId| matches!(*flow.dom.name(*id), local_name!("td") | local_name!("th") | local_name!("dt"));
    let mut around = flow.dom.ancestors(flow.block(next).node);
    let Some(cell) = around.find(is_cell).map(|id| flow.range(id)) else { return question };
    let table = around.find(|id| *flow.dom.name(*id) == local_name!("table"));
    let has_more = table.is_some_and(|id| flow.range(id).end > cell.end);
    let has_colon = flow.text(next - 1).trim_end().ends_with([':', '：']);
    let is_own = cell.contains(&question.start) && cell.len() <= LONGEST_CELL_BLOCKS;
    let end = if is_own && (has_colon || has_more) { cell.end } else { question.end };
    question.start..end
}

/// A cell with more blocks than this also contains the answer.
const LONGEST_CELL_BLOCKS: usize = 4;

/// Returns whether a text is only a number, a label or a sign: "1.2", "Q:", "▼".
pub(crate) fn is_bare_number(text: &str) -> bool {
    let text = text.trim();
    is_bare_label(text) || text.len() <= LONGEST_LABEL_BYTES && !text.chars().any(char::is_alphabetic)
}

/// Same for answers, which can be a single number: "42" is an answer, "1.2.", "A:" and "▼" are not.
pub(crate) fn is_bare_label(text: &str) -> bool {
    let text = text.trim();
    if text.len() > LONGEST_LABEL_BYTES {
        return false;
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    let is_amount = text.contains(['€', '$', '£', '¥', '%']) && text.contains(|c: char| c.is_ascii_digit());
    let is_separated = letters <= 1 && text.ends_with(['.', ':', ')', '：']) && !is_amount;
    is_separated || !text.chars().any(char::is_alphanumeric)
}

/// Whether a block is a part of what a page says, and no control, label or boilerplate.
pub(crate) fn is_content(flow: &Flow, id: BlockId) -> bool {
    let block = flow.block(id);
    // "Q2" and "A2" in a cell before the text are labels; "A4" anywhere else may be an answer.
    let is_first_cell = block.row != NONE && id + 1 < flow.len() && flow.block(id + 1).row == block.row;
    let text = flow.text(id).trim();
    let is_cell_label = is_first_cell && text.len() <= 4 && text.ends_with(|c: char| c.is_ascii_digit());
    !block.is_boilerplate && !block.is_control && !is_cell_label && !is_bare_label(text)
}

const LONGEST_LABEL_BYTES: usize = 12;
