//! The answer in a model's words, from the passages alone: asked with caps on time and length,
//! filtered while it streams, and believed only if it cites what it was given.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::prompt::{self, MAX_PASSAGES, NO_ANSWER};
use super::sanitise::Sanitiser;
use super::{Composed, cite, is_linkable};
use crate::engine::{AnswerSink, Ask};
use crate::model::{ModelClient, ModelError};
use crate::retrieval::Candidate;

/// Caps on what one answer may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    /// Tokens that the model may write.
    pub max_tokens: u32,
    /// Characters taken of what it writes, whatever it says of tokens.
    pub max_chars: usize,
    /// From the question to the last piece; visitors get an answer within 30 s in any case.
    pub total: Duration,
    /// From the question to the first piece, and between pieces.
    pub silence: Duration,
}

impl Default for Caps {
    fn default() -> Self {
        Self { max_tokens: 600, max_chars: 4000, total: Duration::from_secs(25), silence: Duration::from_secs(10) }
    }
}

/// What became of an attempt.
#[derive(Debug)]
pub(crate) enum Written {
    /// An answer with at least one citation that holds.
    Answer(Composed),
    /// The model says that the passages don't answer.
    NoAnswer,
    /// A text that cites nothing it was given.
    Ungrounded,
}

/// Lets the model write from the first candidates. Pieces go to the sink as they pass the filter;
/// when the result is no answer the caller restarts the sink.
pub(crate) async fn write(
    model: &dyn ModelClient,
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
    while let Some(delta) = timeout_at(soon(), deltas.next()).await.map_err(|_| ModelError::TimedOut)? {
        answer.push(&delta?);
        if answer.is_no_answer() || answer.written_chars > caps.max_chars {
            break;
        }
    }
    Ok(answer.finish(given))
}

struct Writing<'a> {
    sanitiser: Sanitiser,
    text: String,
    /// The very first characters, until it is clear that they are not [`NO_ANSWER`].
    opening: Option<String>,
    written_chars: usize,
    sink: Option<&'a dyn AnswerSink>,
}

impl<'a> Writing<'a> {
    fn new(given: &[Candidate], sink: Option<&'a dyn AnswerSink>) -> Self {
        let sanitiser = Sanitiser::new(addresses(given), given.len());
        Self { sanitiser, text: String::new(), opening: Some(String::new()), written_chars: 0, sink }
    }

    fn push(&mut self, delta: &str) {
        self.written_chars += delta.chars().count();
        let Some(opening) = &mut self.opening else {
            let safe = self.sanitiser.push(delta);
            self.show(&safe);
            return;
        };
        opening.push_str(delta);
        if !NO_ANSWER.starts_with(opening.trim_start()) && !self.is_no_answer() {
            let opening = self.opening.take().unwrap_or_default();
            let safe = self.sanitiser.push(opening.trim_start());
            self.show(&safe);
        }
    }

    fn is_no_answer(&self) -> bool {
        self.opening.as_ref().is_some_and(|opening| opening.trim_start().starts_with(NO_ANSWER))
    }

    fn finish(mut self, given: &[Candidate]) -> Written {
        if self.opening.is_some() {
            return Written::NoAnswer;
        }
        let safe = self.sanitiser.finish();
        self.show(&safe);
        let cited: Vec<usize> = self.sanitiser.cited().iter().copied().collect();
        // A model that notices late that it doesn't know says so in the middle.
        if cited.is_empty() || self.text.contains(NO_ANSWER) {
            return Written::Ungrounded;
        }
        let citations = cited.iter().map(|number| &given[number - 1]);
        let citations = citations.map(|candidate| cite(candidate, &candidate.chunk.text)).collect();
        Written::Answer(Composed { text: self.text.trim().to_owned(), citations })
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

/// The addresses that an answer may link to: those of the passages, and those in their text.
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
