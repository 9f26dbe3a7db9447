//! The texts of a page that no item contains, with the reason why, so that the owner of a site sees
//! a bad extraction before a visitor does. Called once per page, after its questions were decided;
//! changes nothing about what is read.

use helpbot_domain::extraction::{OMISSIONS_MAX, Omission, OmissionReason, SAMPLE_MAX_CHARS};
use helpbot_domain::text;

use super::arbiter::Found;
use super::flow::{BlockId, Flow};
use super::passages::{self, Divided};

/// Appears between the texts of neighboring blocks in a sample.
const SEPARATOR: &str = " · ";

/// Returns the blocks of the page's frame. Those that are facts are taken out of it afterwards.
pub(crate) fn framed(flow: &Flow) -> Vec<BlockId> {
    (0..flow.len()).filter(|&id| flow.block(id).is_boilerplate).collect()
}

/// Returns the omissions in document order. Neighboring blocks with the same reason are one
/// omission. `framed` are the blocks of the frame before facts were taken out of it.
pub(crate) fn of(flow: &Flow, found: &[Found], divided: &Divided, framed: &[BlockId]) -> Vec<Omission> {
    let mut read = read(flow, found, divided);
    for &id in framed.iter().filter(|&&id| !flow.block(id).is_boilerplate) {
        read[id as usize] = true;
    }
    let mut omitted: Vec<Omission> = Vec::new();
    let mut last = None;
    for id in 0..flow.len() {
        let text = flow.text(id).trim();
        if read[id as usize] || text.is_empty() {
            last = None;
            continue;
        }
        let reason = reason(flow, id);
        if last == Some(reason)
            && let Some(omission) = omitted.last_mut()
        {
            lengthen(&mut omission.sample, text);
            continue;
        }
        if omitted.len() == OMISSIONS_MAX {
            break;
        }
        last = Some(reason);
        omitted.push(Omission { reason, sample: text::cut(text, SAMPLE_MAX_CHARS).to_owned() });
    }
    omitted
}

/// Adds a text to a sample, unless the sample is long enough.
fn lengthen(sample: &mut String, text: &str) {
    let left = SAMPLE_MAX_CHARS.saturating_sub(sample.chars().count() + SEPARATOR.chars().count());
    if left > 0 {
        sample.push_str(SEPARATOR);
        sample.push_str(text::cut(text, left));
    }
}

/// Which blocks are part of a question, an answer, a passage, or a heading above one of them.
fn read(flow: &Flow, found: &[Found], Divided { contexts, passages }: &Divided) -> Vec<bool> {
    let mut read = vec![false; flow.len() as usize];
    let mut note = |blocks: std::ops::Range<BlockId>| {
        read[blocks.start as usize..blocks.end as usize].iter_mut().for_each(|is_read| *is_read = true);
    };
    for pair in found {
        note(pair.question.clone());
        note(pair.answer.clone());
        pair.rest.iter().cloned().for_each(&mut note);
    }
    for passage in passages {
        note(passage.blocks.clone());
    }
    let headings = contexts.iter().flatten().chain(passages.iter().flat_map(|passage| &passage.headings));
    headings.for_each(|&heading| note(heading..heading + 1));
    // What is not shown inside of an answer was left out of it.
    for id in 0..flow.len() {
        let block = flow.block(id);
        if block.is_boilerplate || block.is_control {
            read[id as usize] = false;
        }
    }
    read
}

fn reason(flow: &Flow, id: BlockId) -> OmissionReason {
    let block = flow.block(id);
    match () {
        () if block.is_boilerplate => OmissionReason::PageFrame,
        () if block.is_control => OmissionReason::Control,
        () if flow.title_level(id) > 0 => OmissionReason::EmptyHeading,
        () if block.is_media => OmissionReason::ImagesOnly,
        () if passages::is_mostly_links(block.link_bytes as usize, flow.text(id).len()) => OmissionReason::LinkList,
        () => OmissionReason::TooShort,
    }
}
