//! Titles while a page is flattened: bold sentences that divide a paragraph, and icons in headings.
//!
//! Called by [`flatten`](super) when a block ends.

use super::super::flow::Run;
use super::super::question;
use super::flattener::{Flattener, has_letters};

/// The fewest titles of a paragraph that divide it; one alone is emphasis.
pub(super) const RUN_INS_MIN: usize = 2;

/// The longest title within a paragraph, in bytes.
const LONGEST_RUN_IN_BYTES: usize = 120;

fn ends_sentence(text: &str) -> bool {
    text.trim_end().ends_with(['.', '!', '?', ':', '。', '！', '？', '؟'])
}

impl Flattener {
    /// The runs of the open paragraph that title what follows them: bold sentences, each at the start of
    /// the paragraph or behind the end of a sentence. Empty when the paragraph does not begin with one.
    pub(super) fn run_ins(&self, runs_from: u32) -> Vec<(u32, u32)> {
        if self.context.is_preformatted || self.context.heading > 0 {
            return Vec::new();
        }
        let runs = &self.flow.runs[runs_from as usize..];
        let mut titles: Vec<(u32, u32)> = Vec::new();
        let mut at = 0;
        while at < runs.len() {
            let count = runs[at..].iter().take_while(|run| run.style.is_bold).count();
            if count == 0 {
                at += 1;
                continue;
            }
            let is_behind_end = at == 0 || ends_sentence(self.flow.slice(runs[at - 1].span));
            let title = self.flow.slice((runs[at].span.0, runs[at + count - 1].span.1));
            let is_followed = at + count < runs.len();
            if !is_behind_end || !ends_sentence(title) || !is_followed || title.len() > LONGEST_RUN_IN_BYTES {
                return Vec::new();
            }
            titles.push((runs_from + at as u32, runs_from + (at + count) as u32));
            at += count;
        }
        titles.retain(|_| runs.first().is_some_and(|run| run.style.is_bold));
        titles
    }

    /// Divides the open paragraph at its titles.
    pub(super) fn push_run_ins(&mut self, titles: &[(u32, u32)], text_to: u32) {
        let end = self.flow.runs.len() as u32;
        for (index, &(from, to)) in titles.iter().enumerate() {
            let next = titles.get(index + 1).map_or(end, |title| title.0);
            let start_of = |run: u32| self.flow.runs.get(run as usize).map_or(text_to, |run| run.span.0);
            let (start, middle, stop) =
                (start_of(from), start_of(to), if next == end { text_to } else { start_of(next) });
            self.is_continued = index > 0;
            self.push_block((start, middle), (from, to));
            if let Some(title) = self.flow.blocks.last_mut() {
                title.is_run_in = true;
            }
            self.is_continued = true;
            self.push_block((middle, stop), (to, next));
        }
    }

    /// Removes icons and struck-out words from the title in the open block, where it has others.
    pub(super) fn drop_asides(&mut self) {
        let (text_from, runs_from) = self.open;
        let is_aside = |run: &Run| run.style.is_alt || run.style.is_deleted;
        let runs = &self.flow.runs[runs_from as usize..];
        let has_words = runs.iter().any(|run| !is_aside(run) && has_letters(self.flow.slice(run.span)));
        if !has_words || !runs.iter().any(is_aside) {
            return;
        }
        let kept: Vec<Run> = runs.iter().copied().filter(|run| !is_aside(run)).collect();
        let texts: Vec<String> = kept.iter().map(|run| self.flow.slice(run.span).to_owned()).collect();
        self.flow.text.truncate(text_from as usize);
        self.flow.runs.truncate(runs_from as usize);
        for (run, text) in kept.into_iter().zip(texts) {
            let text = if self.flow.text.ends_with(' ') { text.trim_start() } else { &text };
            let from = self.flow.text.len() as u32;
            self.flow.text.push_str(text);
            self.flow.runs.push(Run { span: (from, self.flow.text.len() as u32), ..run });
        }
    }

    /// Where a paragraph that opens with a bold question goes on with its answer.
    pub(super) fn lead_in(&self, runs_from: u32) -> Option<u32> {
        if self.context.is_preformatted || self.context.heading > 0 {
            return None;
        }
        let runs = &self.flow.runs[runs_from as usize..];
        let bold = runs.iter().take_while(|run| run.style.is_bold).count();
        if bold == 0 || bold == runs.len() {
            return None;
        }
        let head = self.flow.slice((runs[0].span.0, runs[bold - 1].span.1));
        question::is_marked(head).then_some(runs_from + bold as u32)
    }
}
