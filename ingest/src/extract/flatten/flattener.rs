//! The state of a page that is being flattened, and the blocks that it writes.
//!
//! [`flatten`](super) drives it; [`titles`](super::titles) divides its paragraphs.

use std::collections::HashMap;

use super::super::dom::{Dom, NONE, NodeId, ROOT};
use super::super::flow::{Block, Flow, Marker, Style};
use super::super::script::Script;
use super::lists::Counter;

/// What an element passes on to the text within it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Inherited {
    pub(super) style: Style,
    pub(super) script: Script,
    pub(super) node: NodeId,
    pub(super) heading: u8,
    pub(super) list_depth: u8,
    pub(super) row: NodeId,
    pub(super) is_preformatted: bool,
    /// Within a formula of MathML.
    pub(super) is_math: bool,
    /// Shown from its last character to its first, against robots that look for addresses.
    pub(super) is_reversed: bool,
    pub(super) is_boilerplate: bool,
    pub(super) is_control: bool,
    /// Within a section of footnotes.
    pub(super) is_note: bool,
    /// Line breaks of the source are shown.
    pub(super) keeps_breaks: bool,
    /// Where the text of the innermost link begins.
    pub(super) link_from: u32,
}

impl Default for Inherited {
    fn default() -> Self {
        Self {
            style: Style { is_bold: false, is_code: false, is_deleted: false, is_alt: false, link: NONE, mark: NONE },
            script: Script::Normal,
            node: ROOT,
            heading: 0,
            list_depth: 0,
            row: NONE,
            is_preformatted: false,
            is_math: false,
            is_reversed: false,
            is_boilerplate: false,
            is_control: false,
            is_note: false,
            keeps_breaks: false,
            link_from: 0,
        }
    }
}

pub(super) struct Flattener {
    pub(super) flow: Flow,
    pub(super) context: Inherited,
    pub(super) saved: Vec<Inherited>,
    /// Start of the open block in text and runs.
    pub(super) open: (u32, u32),
    pub(super) has_space: bool,
    pub(super) marker: Marker,
    pub(super) is_continued: bool,
    /// Items seen so far in each open list; `None` for lists without numbers.
    pub(super) counters: Vec<Option<Counter>>,
}

impl Flattener {
    pub(super) fn new(dom: Dom) -> Self {
        let flow = Flow {
            text: String::with_capacity(dom.text.len() / 2),
            runs: Vec::new(),
            blocks: Vec::new(),
            ranges: vec![(0, 0); dom.nodes.len()],
            anchors: HashMap::new(),
            dom,
        };
        Self {
            flow,
            context: Inherited::default(),
            saved: Vec::new(),
            open: (0, 0),
            has_space: false,
            marker: Marker::None,
            is_continued: false,
            counters: Vec::new(),
        }
    }

    pub(super) fn push_block(&mut self, span: (u32, u32), runs: (u32, u32)) {
        let context = &self.context;
        let mut link_bytes = 0;
        let (mut is_bold, mut is_media) = (true, true);
        let mut mark = None;
        for run in &self.flow.runs[runs.0 as usize..runs.1 as usize] {
            if run.style.link != NONE {
                link_bytes += run.span.1 - run.span.0;
            }
            if has_letters(self.flow.slice(run.span)) {
                is_bold &= run.style.is_bold;
                is_media &= run.style.is_alt;
                mark = Some(match mark {
                    Some(before) if before != run.style.mark => NONE,
                    _ => run.style.mark,
                });
            }
        }
        self.flow.blocks.push(Block {
            span,
            runs,
            node: context.node,
            heading: context.heading,
            marker: std::mem::replace(&mut self.marker, Marker::None),
            list_depth: context.list_depth,
            row: context.row,
            is_preformatted: context.is_preformatted,
            is_continued: self.is_continued,
            is_bold,
            mark: mark.unwrap_or(NONE),
            link_bytes,
            is_boilerplate: context.is_boilerplate,
            is_control: context.is_control,
            is_media: is_media && mark.is_some(),
            is_run_in: false,
            is_note: context.is_note,
        });
        self.is_continued = false;
    }
}

pub(super) fn has_letters(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}
