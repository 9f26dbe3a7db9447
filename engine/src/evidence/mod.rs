//! Evidence beyond scores: what a question names exactly, and whether an entry agrees with it.
//!
//! Retrieval calls it for the best candidates. A code, version, year or country that a question
//! names and an entry lacks, or an amount that an entry contradicts, means that the entry is about
//! something else, however similar the words are. Negation and requests for a single fact, such as
//! a phone number, are recognized here as well.

mod conflict;
mod countries;
mod facts;
mod places;
mod polarity;
mod requests;

use crate::chunk::{Chunk, ChunkKind};
use crate::markdown;
pub use conflict::Conflict;
pub(crate) use facts::Facts;
use polarity::Polarity;
use requests::FactRequest;

/// Share of the entries of a site from which a code is its subject and identifies nothing.
const COMMON_CODE: f32 = 0.3;

/// What a question names exactly.
#[derive(Debug)]
pub(crate) struct NamedFacts {
    facts: Facts,
    polarity: Polarity,
    request: Option<FactRequest>,
    /// Whether the question names a place that the site does not know.
    has_unknown_place: bool,
}

/// Phrases of messages that try to give the bot another role, in lower case.
const ORDERS: [&str; 8] = [
    "you are now",
    "you are dan",
    "ignore your",
    "ignore all",
    "ignore the rules",
    "system prompt",
    "developer mode",
    "repeat the words above",
];

/// Whether a message tries to give the bot another role. An entry that has most of its words may
/// still be quoted.
pub(crate) fn gives_orders(question: &str) -> bool {
    let question = question.to_lowercase();
    ORDERS.iter().any(|order| question.contains(order))
}

/// Whether a text is negated.
pub(crate) fn is_negated(text: &str) -> bool {
    Polarity::of(text).is_negated
}

/// Agreement of one entry with a question.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Agreement {
    /// The first conflict, if there is one.
    pub conflict: Option<Conflict>,
    /// Whether the entry states everything that the question names exactly.
    pub is_stated: bool,
    /// Whether the entry contains a code of the question in its question or headings.
    pub has_code: bool,
    /// Whether the entry contains the single fact that the question asks for.
    pub has_requested_fact: bool,
    /// Whether the question is negated, and the entry states the negation.
    pub is_negation_stated: bool,
}

impl NamedFacts {
    /// Reads a question. `is_understood` holds for acronyms that were replaced by their words, and
    /// `share_of` returns the share of the site's entries that contain a word.
    pub fn of(question: &str, is_understood: impl Fn(&str) -> bool, share_of: impl Fn(&str) -> f32) -> Self {
        let mut facts = Facts::of(question);
        facts.codes.retain(|code| !is_understood(code) && share_of(&code.to_lowercase()) < COMMON_CODE);
        let has_unknown_place = places::named_after_preposition(question).iter().any(|word| share_of(word) == 0.0);
        Self { facts, polarity: Polarity::of(question), request: FactRequest::of(question), has_unknown_place }
    }

    /// Whether every entry agrees, so that none has to be read.
    pub fn is_plain(&self) -> bool {
        self.facts.is_empty()
            && !self.has_unknown_place
            && self.request.is_none()
            && !self.polarity.is_negated
            && !self.polarity.selects
    }

    /// Compares the question with an entry.
    pub fn agreement(&self, chunk: &Chunk) -> Agreement {
        let mut agreement = Agreement::default();
        let mut conflict = None;
        if !self.facts.is_empty() {
            let title = title(chunk);
            let of_title = Facts::of(&title);
            let text = format!("{title}\n{}", markdown::plain(&chunk.text));
            let stated = self.facts.conflict(&Facts::of(&text));
            agreement.has_code = self.facts.codes.iter().any(|code| of_title.codes.contains(code));
            agreement.is_stated = stated.is_none();
            // Phrasings are questions: what they name is asked, and not stated.
            let asked = || self.facts.conflict(&Facts::of(&format!("{text}\n{}", chunk.phrasings.join("\n"))));
            conflict = stated.and_then(|stated| if chunk.phrasings.is_empty() { Some(stated) } else { asked() });
        }
        if self.has_unknown_place && conflict.is_none() && Facts::of(&chunk.text).lists_countries() {
            conflict = Some(Conflict::Country);
        }
        if self.polarity.selects {
            let negation = self.negation(chunk);
            agreement.is_negation_stated = self.polarity.is_negated && negation.is_none();
            conflict = conflict.or(negation);
        }
        let asked = self.request.filter(|request| request.is_stated(&chunk.text));
        agreement.has_requested_fact = asked.is_some();
        agreement.is_stated |= agreement.is_negation_stated;
        agreement.is_stated &= conflict.is_none();
        agreement.conflict = conflict;
        agreement
    }

    /// A question that selects ("which can I not return") must be negated like the entry.
    fn negation(&self, chunk: &Chunk) -> Option<Conflict> {
        let is_negated = match (&chunk.question, chunk.kind) {
            (Some(question), ChunkKind::Faq) => {
                let stated = Polarity::of(question);
                stated.is_negated && stated.selects
            }
            // A passage can state both sides.
            _ => {
                return (self.polarity.is_negated && !Polarity::of(&chunk.text).is_negated)
                    .then_some(Conflict::Negation);
            }
        };
        let states_both = self.polarity.is_negated && !is_negated && Polarity::of(&chunk.text).is_negated;
        (is_negated != self.polarity.is_negated && !states_both).then_some(Conflict::Negation)
    }
}

/// Everything that names the subject of an entry.
fn title(chunk: &Chunk) -> String {
    let mut title = chunk.question.clone().unwrap_or_default();
    let parts = chunk.heading.iter().chain(&chunk.page_title).chain(&chunk.url);
    for part in parts {
        title.push('\n');
        title.push_str(part);
    }
    title
}
