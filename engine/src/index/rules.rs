//! Answer rules: entries that the owner of a site pinned to a question, or forbade for it.
//!
//! A rule applies to its question in every notation, and to near-identical questions: those with the
//! same words in any order and form, apart from function words, that ask the same and are negated
//! alike. Search applies the rules before anything is decided.

use helpbot_domain::answer_rule::{AnswerRule, RuleKind};

use super::IndexData;
use super::part::LanguagePart;
use crate::embedding;
use crate::embedding_table::Table;
use crate::evidence;
use crate::retrieval::AppliedRule;
use crate::semantic::Semantic;
use crate::topics::same_question_key;

/// Words that say what a question asks for, in the normalized forms of several languages. Questions
/// that differ in them are not the same, although they are function words.
const ASKING: [&str; 74] = [
    "how",
    "what",
    "when",
    "where",
    "who",
    "whom",
    "whose",
    "which",
    "why",
    "can",
    "may",
    "must",
    "wie",
    "was",
    "wann",
    "wo",
    "wer",
    "wem",
    "wen",
    "welche",
    "welcher",
    "welches",
    "warum",
    "wieso",
    "woher",
    "wohin",
    "kann",
    "darf",
    "muss",
    "comment",
    "que",
    "quoi",
    "quand",
    "où",
    "qui",
    "quel",
    "quelle",
    "pourquoi",
    "combien",
    "cómo",
    "qué",
    "cuándo",
    "cuando",
    "dónde",
    "quién",
    "cuál",
    "cuánto",
    "come",
    "cosa",
    "quando",
    "dove",
    "chi",
    "quale",
    "perché",
    "quanto",
    "como",
    "onde",
    "quem",
    "qual",
    "hoe",
    "wat",
    "wanneer",
    "waar",
    "wie",
    "waarom",
    "как",
    "что",
    "когда",
    "где",
    "кто",
    "почему",
    "сколько",
    "nasıl",
    "neden",
];

/// The rules of a site, ready to be compared with questions.
#[derive(Debug, Default)]
pub(super) struct Rules {
    rules: Vec<PreparedRule>,
}

#[derive(Debug)]
struct PreparedRule {
    rule: AnswerRule,
    key: String,
    meaning: Meaning,
    /// The language part of the entry.
    part: usize,
    /// Position of the entry in that part.
    at: usize,
}

/// What near-identical questions have in common.
#[derive(Debug, PartialEq, Eq)]
struct Meaning {
    /// Stems of the content words, ascending.
    words: Vec<String>,
    /// The words of [`ASKING`], ascending.
    asking: Vec<String>,
    is_negated: bool,
}

/// The rules for one question.
#[derive(Debug, Default)]
pub(super) struct RulesFor {
    /// The entry that is pinned: its part, and its position there.
    pub pinned: Option<(usize, usize)>,
    /// The entries that are forbidden, in the same form.
    pub forbidden: Vec<(usize, usize)>,
    pub applied: Vec<AppliedRule>,
}

impl Rules {
    /// Prepares the rules whose entries the index contains. Of two pins for one question, the newer
    /// one counts, and a forbidden entry is not pinned.
    pub fn of(data: &IndexData, rules: Vec<AnswerRule>) -> Self {
        let prepared = rules.into_iter().filter_map(|rule| {
            let (part, at) = place(data, &rule)?;
            let (key, meaning) = (same_question_key(&rule.question), Meaning::of(&data.parts[part], &rule.question));
            Some(PreparedRule { rule, key, meaning, part, at })
        });
        Self { rules: prepared.collect() }
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Returns what applies to a question.
    pub fn for_question(&self, data: &IndexData, question: &str) -> RulesFor {
        let key = same_question_key(question);
        let mut meanings: Vec<Option<Meaning>> = data.parts.iter().map(|_| None).collect();
        let mut found = RulesFor::default();
        for prepared in self.rules.iter().rev() {
            let part = prepared.part;
            let meaning = meanings[part].get_or_insert_with(|| Meaning::of(&data.parts[part], question));
            let is_same =
                (prepared.key == key && !key.is_empty()) || (*meaning == prepared.meaning && meaning.is_certain());
            if !is_same {
                continue;
            }
            let entry = (part, prepared.at);
            match prepared.rule.kind {
                RuleKind::Forbid => found.forbidden.push(entry),
                RuleKind::Pin if found.pinned.is_some() => continue,
                RuleKind::Pin => found.pinned = Some(entry),
            }
            let AnswerRule { id, kind, ref question, .. } = prepared.rule;
            found.applied.push(AppliedRule { id, kind, question: question.clone() });
        }
        found.pinned = found.pinned.filter(|entry| !found.forbidden.contains(entry));
        found
    }
}

impl Meaning {
    fn of(part: &LanguagePart, question: &str) -> Self {
        let table = part.semantic.as_ref().map(Semantic::table);
        let general = (table == Some(Table::English)).then(embedding::words);
        let analyzer = part.lexical.analyzer();
        let sorted = |mut words: Vec<String>| {
            words.sort_unstable();
            words.dedup();
            words
        };
        let written = analyzer.words(question);
        let understood = part.lexical.terms(question, general, |_| false).words;
        Self {
            words: sorted(part.lexical.content_words(&understood).iter().map(|word| analyzer.stem(word)).collect()),
            asking: sorted(written.into_iter().filter(|word| ASKING.contains(&word.as_str())).collect()),
            is_negated: evidence::is_negated(question),
        }
    }

    /// Whether there is enough to call two questions the same.
    fn is_certain(&self) -> bool {
        !self.words.is_empty()
    }
}

/// The entry of a rule: the one with its ID, else one with the same question, preferably of the same
/// source.
fn place(data: &IndexData, rule: &AnswerRule) -> Option<(usize, usize)> {
    let key = same_question_key(&rule.entry_question);
    let rank = |place: &u32| {
        let chunk = &data.chunks[*place as usize];
        if chunk.id == rule.entry_id {
            return 3;
        }
        let is_same = !key.is_empty() && chunk.question.as_deref().is_some_and(|own| same_question_key(own) == key);
        if is_same { 1 + u8::from(chunk.source_id == rule.source_id) } else { 0 }
    };
    let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    let by_id = data.chunks.iter().position(|chunk| chunk.id == rule.entry_id).map(number);
    // The questions of all entries are read only when the entry is gone.
    let place = by_id.or_else(|| {
        let ranked = (0..number(data.chunks.len())).map(|place| (rank(&place), place)).filter(|(rank, _)| *rank > 0);
        ranked.max_by_key(|(rank, place)| (*rank, std::cmp::Reverse(*place))).map(|(_, place)| place)
    })?;
    let parts = data.parts.iter().enumerate();
    parts.filter_map(|(part, own)| Some((part, own.places.binary_search(&place).ok()?))).next()
}
