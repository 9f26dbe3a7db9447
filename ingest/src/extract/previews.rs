//! Beginnings of texts that are shown until somebody opens the whole text.
//!
//! Called by `flatten` once the blocks of the page are known. Such a beginning becomes a control, since the whole text
//! follows it.

use super::flow::{BlockId, Flow};

/// The shortest beginning, in bytes.
const SHORTEST_BYTES: usize = 15;

/// Marks the blocks that end in an ellipsis and whose words the next block begins with.
pub(crate) fn mark(flow: &mut Flow) {
    for id in 1..flow.len() {
        if is_beginning(flow, id - 1, flow.text(id)) {
            flow.blocks[id as usize - 1].is_control = true;
        }
    }
}

fn is_beginning(flow: &Flow, id: BlockId, whole: &str) -> bool {
    let text = flow.text(id).trim_end();
    let Some(start) = text.strip_suffix('…').or_else(|| text.strip_suffix("...")) else { return false };
    let start = start.trim();
    start.len() >= SHORTEST_BYTES && whole.len() > text.len() && whole.trim_start().starts_with(start)
}
