//! Questions on separate lines that differ from the text only in their style: bold, underlined, colored, or in the class
//! of the surrounding element.

use std::collections::BTreeMap;

use html5ever::local_name;

use super::candidate::{FaqCandidate, Group, Source};
use super::dom::{NONE, ROOT};
use super::element;
use super::flow::{BlockId, Blocks, Flow, Marker};
use super::question;

/// Same as for headings, because style often replaces them.
const THRESHOLD: f32 = 0.5;

/// Number of elements above a line that may carry its class: `div.question > p`.
const CLASS_CLIMB: usize = 2;

/// Groups of bold lines by the kind of element, and of lines by class.
pub(crate) fn groups(flow: &Flow) -> Vec<Group> {
    let mut found: BTreeMap<(String, bool), Vec<FaqCandidate>> = BTreeMap::new();
    for id in 0..flow.len() {
        let block = flow.block(id);
        let is_skipped = block.is_boilerplate || block.heading > 0 || block.is_preformatted || block.is_control;
        if is_skipped || continues(flow, id) {
            continue;
        }
        let kind = if block.is_bold && !block.is_continued_text(flow, id) {
            Some((flow.dom.name(block.node).to_string(), true))
        } else if block.mark != NONE {
            Some((element::mark_kind(&flow.dom, block.mark), true))
        } else {
            class_of(flow, id).map(|class| (class, false))
        };
        if let Some(kind) = kind {
            found.entry(kind).or_default().extend(FaqCandidate::new(flow, whole_line(flow, id), None));
        }
    }
    found
        .into_values()
        .filter(|candidates| candidates.len() > 1)
        .map(|candidates| Group::new(Source::Bold, THRESHOLD, candidates))
        .collect()
}

/// Lines that only a question mark or a label distinguishes, if there is no other group.
pub(crate) fn lines(flow: &Flow) -> Option<Group> {
    let candidates: Vec<_> = (0..flow.len())
        .filter(|&id| {
            let block = flow.block(id);
            !block.is_boilerplate
                && !block.is_preformatted
                && !block.is_control
                && question::is_marked(flow.text(id))
                && flow.text(id).len() < LONGEST_LINE_BYTES
                && !is_topic(flow, id)
        })
        .filter_map(|id| FaqCandidate::new(flow, whole_line(flow, id), None))
        .collect();
    (candidates.len() > 1).then(|| Group::new(Source::Line, 1.0, candidates))
}

/// The lines of a title that is divided by breaks, around one of them.
fn whole_line(flow: &Flow, id: BlockId) -> Blocks {
    let start = (id.saturating_sub(TITLE_LINES)..=id).rev().find(|&id| !continues(flow, id)).unwrap_or(id);
    let rest = (id + 1..flow.len()).take(TITLE_LINES as usize).take_while(|&id| continues(flow, id));
    start..id + 1 + rest.count() as BlockId
}

/// The most lines of a title before and behind one of its lines.
const TITLE_LINES: BlockId = 3;

/// Whether a line goes on with the bold line or heading before it, which ends without a sign.
fn continues(flow: &Flow, id: BlockId) -> bool {
    let block = flow.block(id);
    if id == 0 || !block.is_continued || block.is_run_in {
        return false;
    }
    let before = flow.block(id - 1);
    let is_title = block.heading > 0 || block.is_bold && before.is_bold;
    let text = flow.text(id - 1).trim_end();
    let is_ended = question::ends_in_mark(text) || text.ends_with(['.', ':', '!', '。', '：']);
    is_title && block.heading == before.heading && block.node == before.node && !is_ended
}

/// Whether a line is an item of a list that goes on with the next item: a list of topics, some of which ask.
fn is_topic(flow: &Flow, id: BlockId) -> bool {
    let block = flow.block(id);
    if block.marker != Marker::Bullet || id + 1 >= flow.len() {
        return false;
    }
    let next = flow.block(id + 1);
    let is_item = next.marker == Marker::Bullet && next.list_depth == block.list_depth;
    is_item && question::answer_label(flow.text(id + 1)).is_none()
}

/// Longest line that is a question by its question mark alone, in bytes.
const LONGEST_LINE_BYTES: usize = 300;

impl super::flow::Block {
    /// A bold line that continues after a `br` inside of bold text is emphasis, not a question.
    fn is_continued_text(&self, flow: &Flow, id: BlockId) -> bool {
        self.is_continued && id > 0 && !flow.block(id - 1).is_bold && self.list_depth > 0
    }
}

/// Returns the class of the element of a line, or of an element that contains nothing else.
fn class_of(flow: &Flow, id: BlockId) -> Option<String> {
    let mut node = flow.block(id).node;
    for _ in 0..=CLASS_CLIMB {
        if node == ROOT || flow.range(node) != (id..id + 1) {
            return None;
        }
        if let Some(class) = flow.dom.attribute(node, &local_name!("class")) {
            let class = class.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            if !class.is_empty() {
                return Some(format!("{}.{class}", flow.dom.name(node)));
            }
        }
        node = flow.dom.node(node).parent;
    }
    None
}
