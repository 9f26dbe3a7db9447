//! Lets a model write the answer from passages of the site.
//!
//! The request is limited in time and length, the text is filtered while it streams, and it is used
//! only when it cites a passage that was given.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::prompt::{self, MAX_PASSAGES, NO_ANSWER};
use super::sanitize::Sanitizer;
use super::{Composed, cite, is_linkable};
use crate::ask::{AnswerSink, Ask};
use crate::index::Index;
use crate::markdown;
use crate::model::{Delta, ModelClient, ModelError};
use crate::retrieval::Candidate;

/// Limits of one generated answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Maximum number of tokens.
    pub max_tokens: u32,
    /// Maximum number of characters that are used, whatever the server reports. The rest after the
    /// last whole sentence is dropped.
    pub max_chars: usize,
    /// Maximum time from the question to the last piece. Visitors get an answer within 30 s in any
    /// case.
    pub total: Duration,
    /// Maximum time from the question to the first piece, and between pieces.
    pub silence: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self { max_tokens: 600, max_chars: 4000, total: Duration::from_secs(25), silence: Duration::from_secs(10) }
    }
}

/// Result of an attempt.
#[derive(Debug)]
pub(crate) enum Written {
    /// An answer with at least one valid citation.
    Answer(Composed),
    /// The model reports that the passages do not answer the question.
    NoAnswer,
    /// A text without a valid citation.
    Ungrounded,
}

/// Lets the model write from the first candidates. Filtered pieces go to the sink. When the result
/// is not an answer, the caller restarts the sink.
pub(crate) async fn write(
    model: &dyn ModelClient,
    index: &Index,
    ask: &Ask,
    candidates: &[Candidate],
    language: &str,
    caps: &Caps,
    sink: Option<&dyn AnswerSink>,
) -> Result<Written, ModelError> {
    let given = &candidates[..candidates.len().min(MAX_PASSAGES)];
    let end = Instant::now() + caps.total;
    let soon = || end.min(Instant::now() + caps.silence);
    let request = prompt::request(ask, given, language, caps.max_tokens);
    let started = timeout_at(soon(), model.chat(request)).await;
    let mut deltas = started.map_err(|_| ModelError::TimedOut)??;
    let mut answer = Writing::new(given, sink);
    let mut is_cut = false;
    while let Some(delta) = timeout_at(soon(), deltas.next()).await.map_err(|_| ModelError::TimedOut)? {
        match delta? {
            // A server that does not stream sends the whole text as one piece.
            Delta::Text(text) => is_cut = !answer.push(&text, caps.max_chars),
            Delta::CutOff => is_cut = true,
        }
        if is_cut || answer.is_no_answer() {
            break;
        }
    }
    Ok(answer.finish(index, given, is_cut))
}

struct Writing<'a> {
    sanitizer: Sanitizer,
    text: String,
    /// The first characters, until it is certain that they are not [`NO_ANSWER`].
    opening: Option<String>,
    written_chars: usize,
    sink: Option<&'a dyn AnswerSink>,
}

impl<'a> Writing<'a> {
    fn new(given: &[Candidate], sink: Option<&'a dyn AnswerSink>) -> Self {
        let sanitizer = Sanitizer::new(addresses(given), given.len());
        Self { sanitizer, text: String::new(), opening: Some(String::new()), written_chars: 0, sink }
    }

    /// Takes a piece, up to `max_chars` in total. Returns whether the whole piece fit.
    fn push(&mut self, delta: &str, max_chars: usize) -> bool {
        let room = max_chars - self.written_chars;
        let (delta, has_room) = match delta.char_indices().nth(room) {
            Some((end, _)) => (&delta[..end], false),
            None => (delta, true),
        };
        self.written_chars += delta.chars().count();
        let Some(opening) = &mut self.opening else {
            let safe = self.sanitizer.push(delta);
            self.show(&safe);
            return has_room;
        };
        opening.push_str(delta);
        if !NO_ANSWER.starts_with(opening.trim_start()) && !self.is_no_answer() {
            let opening = self.opening.take().unwrap_or_default();
            let safe = self.sanitizer.push(opening.trim_start());
            self.show(&safe);
        }
        has_room
    }

    fn is_no_answer(&self) -> bool {
        self.opening.as_ref().is_some_and(|opening| opening.trim_start().starts_with(NO_ANSWER))
    }

    fn finish(mut self, index: &Index, given: &[Candidate], is_cut: bool) -> Written {
        if let Some(opening) = &self.opening {
            // An empty text does not say that there is no answer.
            return if opening.trim().is_empty() { Written::Ungrounded } else { Written::NoAnswer };
        }
        let safe = self.sanitizer.finish();
        self.show(&safe);
        if is_cut {
            self.cut_back();
        }
        let is_left = |number: &&usize| self.text.contains(&format!("[{number}]"));
        let cited: Vec<usize> = self.sanitizer.cited().iter().filter(is_left).copied().collect();
        // A model that finds out late that there is no answer says so in the middle of its text.
        if cited.is_empty() || self.text.contains(NO_ANSWER) {
            return Written::Ungrounded;
        }
        let citation = |number: &usize| {
            let candidate = &given[number - 1];
            cite(index, candidate, &candidate.chunk.text, &resting_on(&self.text, *number))
        };
        let citations = cited.iter().map(citation).collect();
        Written::Answer(Composed { text: self.text.trim().to_owned(), citations })
    }

    /// Half a sentence can mean the opposite of the whole, so the text is cut back to the last
    /// whole one.
    fn cut_back(&mut self) {
        let length = whole_sentences(&self.text).len();
        let is_whole = length == self.text.trim_end().len();
        self.text.truncate(length);
        // When nothing is left, the caller composes another answer.
        if let Some(sink) = self.sink.filter(|_| !is_whole && length > 0) {
            sink.restart();
            sink.delta(&self.text);
        }
    }

    fn show(&mut self, safe: &str) {
        if safe.is_empty() {
            return;
        }
        self.text.push_str(safe);
        if let Some(sink) = self.sink {
            sink.delta(safe);
        }
    }
}

/// The sentences of a text that cite a passage, without the signs of citations.
fn resting_on(text: &str, number: usize) -> String {
    let sign = format!("[{number}]");
    let citing = markdown::steps(text).into_iter().filter(|step| step.contains(&sign));
    citing.collect::<Vec<_>>().join(" ").replace(&sign, "")
}

/// Returns the text up to the end of its last whole sentence, list item, table row or code block,
/// with the citations that follow it.
fn whole_sentences(text: &str) -> &str {
    let steps = markdown::steps(text);
    let mut end = text.len();
    for (at, step) in steps.iter().enumerate().rev() {
        let is_last = at + 1 == steps.len();
        // A line that introduces a list is dropped together with the list.
        if (!is_last || ends_sentence(step)) && !step.trim_end().ends_with([':', '：']) {
            let after = &text[end..];
            return text[..end + citations(after).len()].trim_end();
        }
        end -= step.len();
    }
    ""
}

fn ends_sentence(step: &str) -> bool {
    let is_code = step.contains("```");
    if step.ends_with('\n') || is_code {
        return !is_code || step.matches("```").count() > 1;
    }
    let text = step.trim_end_matches(|c: char| c.is_whitespace() || c.is_ascii_digit() || "[]*_)\"'”»」』".contains(c));
    // A number can continue after its decimal point.
    let is_number = text.strip_suffix('.').is_some_and(|text| text.ends_with(|c: char| c.is_ascii_digit()));
    text.ends_with(['.', '!', '?', '…', '。', '！', '？', '؟', '।']) && !is_number
}

/// Returns the citations at the start of a text, such as `[1]`.
fn citations(text: &str) -> &str {
    let mut end = 0;
    while let Some((number, _)) = text[end..].trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        end += text[end..].find(']').map_or(0, |at| at + 1);
    }
    &text[..end]
}

/// Returns the addresses that an answer may link to: those of the passages and those in their text.
fn addresses(given: &[Candidate]) -> HashSet<String> {
    let mut addresses = HashSet::new();
    for candidate in given {
        let own = candidate.chunk.url.iter().map(String::as_str);
        let linked = candidate.chunk.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let known = own.chain(linked).filter(|url| is_linkable(url));
        addresses.extend(known.map(str::to_owned));
    }
    addresses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_was_cut_ends_with_its_last_whole_sentence_and_the_citations_of_it() {
        for (cut, whole) in [
            ("Two years [1]. From the day of pur", "Two years [1]."),
            ("Two years. [1][2] From the day of pur", "Two years. [1][2]"),
            ("Two years [1].", "Two years [1]."),
            ("Two years. [1]", "Two years. [1]"),
            ("It costs 3", ""),
            ("Two years [1]. It costs 3.", "Two years [1]."),
            ("Two years [1]. You need:\n\n- the bi", "Two years [1]."),
            ("You need:\n\n- the bill [1]\n- a pho", "You need:\n\n- the bill [1]"),
            ("Run this [1]:\n\n```\nrm -r", ""),
            ("返品できます [1]。送料は", "返品できます [1]。"),
            ("Two years [1", ""),
        ] {
            assert_eq!(whole_sentences(cut), whole, "{cut}");
        }
    }
}
