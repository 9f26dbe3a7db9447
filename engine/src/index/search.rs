//! Searches an index: scores every entry, compares the best ones with what the question names
//! exactly, and measures the signals for the decision.

use std::sync::Arc;

use super::part::{Earlier, LanguagePart, Search};
use super::profile::{self, SiteProfile};
use super::rules::RulesFor;
use super::{Index, IndexData, MAX_CANDIDATES};
use crate::chunk::{Chunk, ChunkKind, Fields};
use crate::embedding_table::Table;
use crate::evidence::{self, Agreement, Conflict, NamedFacts};
use crate::external_embeddings::CosineScale;
use crate::language;
use crate::multilingual;
use crate::normalization::normalize;
use crate::retrieval::{Candidate, Retrieval, Signals};
use crate::topics::same_question_key;
use crate::vectors::QueryVector;

/// Weight of the words of the question before, in [`Index::retrieve`].
const CONTEXT_WEIGHT: f32 = 0.5;
/// Number of entries that are compared with a question word by word.
const MAX_ALIGNED: usize = 5;
/// Number of phrasings from which an entry has most words of its subject, so that the comparison word
/// by word says nothing about it.
const MANY_PHRASINGS: usize = 10;
/// Share of that comparison in the score.
const ALIGNMENT_SHARE: f32 = 0.2;
/// Its usual value for the best entry, which leaves the score as it is.
const USUAL_ALIGNMENT: f32 = 0.6;
/// Weight of a function word in the mass of a question.
const FUNCTION_WORD: f32 = 0.3;
/// Number of entries after the best one whose scores show how far it stands out.
const FOLLOWERS: usize = 4;
/// Number of entries that are compared with the exact statements of a question.
const MAX_COMPARED: usize = 30;
/// Added to the score of an entry whose title has the code of the question.
const CODE_BONUS: f32 = 0.35;
/// Added to the score of an entry with the single fact that a short question asks for.
const FACT_BONUS: f32 = 0.15;
/// Added to the score of an entry that states the negation of the question.
const NEGATION_BONUS: f32 = 0.12;
/// Subtracted from the score of an entry that conflicts with the question.
const CONFLICT_PENALTY: f32 = 0.2;
/// Share of the question's words from which an entry is quoted for a message with orders.
const MIN_QUOTED_COVERAGE: f64 = 0.5;
/// Share of the score of its own entry from which another entry can ask the same question.
const SAME_SHARE: f32 = 0.8;
/// Number of entries from which the second best one shows how certain the best one is.
const MIN_RIVALS: usize = 6;
/// Share of the usual score of unanswered questions that the second best entry of a smaller site has
/// at least.
const SMALL_SITE_SHARE: f32 = 0.5;
/// Score below which an entry in another language is looked for.
const MIN_OWN_LANGUAGE: f32 = 0.4;
/// Minimum score of an entry in another language. Unrelated texts score about .1, the same question
/// in two languages .5 and more.
const MIN_ACROSS: f32 = 0.4;
/// Maximum length of the text of a passage that is asked as a question, in bytes.
const MAX_ASKED_BYTES: usize = 160;

/// An entry that may become a candidate.
#[derive(Debug, Clone, Copy)]
struct Scored {
    score: f32,
    /// Position among the chunks.
    place: u32,
    part: usize,
    /// Position among the entries of the part.
    at: usize,
    conflict: Option<Conflict>,
    is_pinned: bool,
}

impl Index {
    /// Returns the best entries for a question: at most [`MAX_CANDIDATES`], best first, with ties in
    /// the order of the chunks. It is empty only when the index is empty.
    ///
    /// `context` is an earlier question that this one follows up. Its words count half.
    pub fn retrieve(&self, question: &str, context: Option<&str>) -> Retrieval {
        let earlier = context.map(|question| Earlier { question, weight: CONTEXT_WEIGHT });
        self.search(question, earlier.as_slice(), None)
    }

    /// Like [`Index::retrieve`], with earlier questions and their weights, and the vector of the
    /// question by the embedding model of the index. A vector of another length is ignored.
    pub(crate) fn search(
        &self,
        question: &str,
        context: &[Earlier<'_>],
        vector: Option<(&QueryVector, &CosineScale)>,
    ) -> Retrieval {
        let data = &*self.inner;
        let near = vector.and_then(|(vector, scale)| self.external.as_deref()?.scores(vector, scale));
        let mut searches = data.searches(question, context);
        if let Some(near) = &near {
            let asked_in = language::detect(question);
            for (part, search) in data.parts.iter().zip(&mut searches) {
                let language = part.language.as_deref();
                search.is_beyond_words = asked_in.is_some() && language.is_some() && asked_in != language;
                search.is_external = true;
                search.cosines = Some(part.places.iter().map(|place| near[*place as usize]).collect());
            }
        }
        let mut best = data.best(&searches, MAX_COMPARED);
        if near.is_none() && context.is_empty() {
            data.look_across(question, &mut searches, &mut best);
        }
        let rules = self.rules_for(question);
        best.retain(|scored| !rules.forbidden.contains(&(scored.part, scored.at)));
        data.align(&searches, &mut best);
        data.compare(question, &searches, &mut best);
        if let Some(pinned) = rules.pinned {
            data.pin(pinned, &searches, &mut best);
        }
        best.truncate(MAX_CANDIDATES);
        Retrieval { rules: rules.applied, ..data.retrieval(question, &searches, &best) }
    }

    /// Whether the owner pinned an entry to a question.
    pub(crate) fn has_pin_for(&self, question: &str) -> bool {
        self.rules_for(question).pinned.is_some()
    }

    fn rules_for(&self, question: &str) -> RulesFor {
        if self.rules.is_empty() { RulesFor::default() } else { self.rules.for_question(&self.inner, question) }
    }
}

impl Index {
    /// Whether an entry has a content word of a question.
    pub(crate) fn shares_content(&self, candidate: &Candidate, question: &str) -> bool {
        self.inner.shares_content(candidate, question)
    }
}

impl IndexData {
    /// The question in each part. A question that is certainly in one language of the site is not
    /// compared with vectors of another.
    fn searches(&self, question: &str, context: &[Earlier<'_>]) -> Vec<Search> {
        let spoken = self.spoken(question);
        let parts = self.parts.iter().enumerate();
        let search = |(number, part): (usize, &LanguagePart)| {
            let is_known = |word: &str| self.is_known_elsewhere(number, word);
            let may_mean = spoken.is_none_or(|spoken| part.language.as_deref() == Some(spoken));
            part.search(question, context, is_known, may_mean)
        };
        parts.map(search).collect()
    }

    /// The language of a question that is certainly one of several that the site has.
    fn spoken(&self, question: &str) -> Option<&str> {
        if self.parts.len() < 2 {
            return None;
        }
        let spoken = language::detect(question)?;
        self.parts.iter().filter_map(|part| part.language.as_deref()).find(|language| *language == spoken)
    }

    fn is_known_elsewhere(&self, than: usize, word: &str) -> bool {
        let others = self.parts.iter().enumerate().filter(|(number, _)| *number != than);
        others.into_iter().any(|(_, part)| part.lexical.has(word))
    }

    /// The `most` best entries of all parts.
    fn best(&self, searches: &[Search], most: usize) -> Vec<Scored> {
        // A short sorted list: most entries fail the first comparison with its last place.
        let mut best: Vec<Scored> = Vec::with_capacity(most + 1);
        for (number, (part, search)) in self.parts.iter().zip(searches).enumerate() {
            for (at, &place) in part.places.iter().enumerate() {
                let score = part.score(search, at);
                if best.len() == most && score < best[most - 1].score {
                    continue;
                }
                let is_before = |other: &Scored| other.score > score || (other.score == score && other.place < place);
                let scored = Scored { score, place, part: number, at, conflict: None, is_pinned: false };
                best.insert(best.partition_point(is_before), scored);
                best.truncate(most);
            }
        }
        best
    }

    /// Looks for an entry in another language when the site has none in that of the question.
    fn look_across(&self, question: &str, searches: &mut Vec<Search>, best: &mut Vec<Scored>) {
        let found = best.first().map_or(0.0, |best| best.score);
        if found >= MIN_OWN_LANGUAGE {
            return;
        }
        let Some(asked_in) = language::detect(question).filter(|asked_in| multilingual::knows(asked_in)) else {
            return;
        };
        let mut others: Vec<Search> = Vec::with_capacity(self.parts.len());
        for (part, own) in self.parts.iter().zip(searches.iter()) {
            let is_other = part.language.as_deref().is_some_and(|language| language != asked_in);
            let fields = |place: u32| Fields::of(&self.chunks[place as usize]);
            let across = if is_other { part.search_across(question, fields) } else { None };
            others.push(across.unwrap_or_else(|| own.clone()));
        }
        let across = self.best(&others, MAX_COMPARED);
        if across.first().is_some_and(|best| best.score >= MIN_ACROSS && best.score > found) {
            *best = across;
            *searches = others;
        }
    }

    /// Compares the few best entries with the question word by word.
    fn align(&self, searches: &[Search], best: &mut [Scored]) {
        let Some(first) = best.first() else { return };
        let (number, search) = (first.part, &searches[first.part]);
        let Some(semantic) = self.parts[number].semantic.as_ref().filter(|_| !search.asked.is_empty()) else { return };
        let few = best.len().min(MAX_ALIGNED);
        let (few, others) = best.split_at_mut(few);
        if few.iter().any(|scored| self.chunks[scored.place as usize].phrasings.len() > MANY_PHRASINGS) {
            return;
        }
        let own: Vec<usize> = few.iter().filter(|scored| scored.part == number).map(|scored| scored.at).collect();
        let alignments = semantic.alignments(&search.asked, &own);
        let own = few.iter_mut().filter(|scored| scored.part == number);
        own.zip(alignments).for_each(|(scored, found)| scored.score += ALIGNMENT_SHARE * (found - USUAL_ALIGNMENT));
        // Stable: equal scores stay in the order of the chunks.
        few.sort_by(|a, b| b.score.total_cmp(&a.score));
        let least = few.last().map_or(0.0, |last| last.score);
        others.iter_mut().for_each(|scored| scored.score = scored.score.min(least));
    }

    /// Raises entries that agree with what the question names exactly, and lowers the others.
    fn compare(&self, question: &str, searches: &[Search], best: &mut [Scored]) {
        let Some(first) = best.first() else { return };
        let (part, search) = (&self.parts[first.part], &searches[first.part]);
        let mut text = question.to_owned();
        for (_, meant) in &search.terms.repairs {
            text.push(' ');
            text.push_str(meant);
        }
        let is_understood =
            |code: &str| search.terms.repairs.iter().any(|(written, _)| written.eq_ignore_ascii_case(code));
        let asked = NamedFacts::of(&text, is_understood, |word| part.lexical.document_share(word));
        if asked.is_plain() {
            return;
        }
        let compared: Vec<Agreement> =
            best.iter().map(|scored| asked.agreement(&self.chunks[scored.place as usize])).collect();
        // Without an entry that states what was named, the order says which suggestion is closest.
        let is_stated = compared.iter().any(|agreement| agreement.is_stated);
        for (scored, agreement) in best.iter_mut().zip(&compared) {
            scored.conflict = agreement.conflict;
            let bonus = [
                (agreement.has_code, CODE_BONUS),
                (agreement.has_requested_fact, FACT_BONUS),
                (agreement.is_negation_stated, NEGATION_BONUS),
                (is_stated && agreement.conflict.is_some(), -CONFLICT_PENALTY),
            ];
            scored.score += bonus.iter().filter(|(holds, _)| *holds).map(|(_, bonus)| bonus).sum::<f32>();
        }
        // Stable: equal scores stay in the order of the chunks.
        best.sort_by(|a, b| b.score.total_cmp(&a.score));
    }

    /// Puts an entry before all others, whatever its score is.
    fn pin(&self, (part, at): (usize, usize), searches: &[Search], best: &mut Vec<Scored>) {
        let own = &self.parts[part];
        best.retain(|scored| (scored.part, scored.at) != (part, at));
        let score = own.score(&searches[part], at);
        best.insert(0, Scored { score, place: own.places[at], part, at, conflict: None, is_pinned: true });
    }

    fn retrieval(&self, question: &str, searches: &[Search], best: &[Scored]) -> Retrieval {
        let candidate = |(rank, found): (usize, &Scored)| {
            let search = &searches[found.part];
            let next = best.get(rank + 1).map_or(0.0, |next| next.score);
            Candidate {
                chunk: Arc::clone(&self.chunks[found.place as usize]),
                language: self.parts[found.part].language.clone(),
                part: found.part,
                at: found.at,

                score: f64::from(found.score),
                lexical: f64::from(search.lexical[found.at].score),
                semantic: search.cosines.as_ref().map(|cosines| f64::from(cosines[found.at])),
                coverage: f64::from(search.lexical[found.at].coverage),
                gap: f64::from(found.score - next),
                conflict: found.conflict,
                is_pinned: found.is_pinned,
            }
        };
        let mut candidates: Vec<Candidate> = best.iter().enumerate().map(candidate).collect();
        let understood = best.first().map(|best| &searches[best.part]).or(searches.first());
        let signals = understood.and_then(|search| Some(self.signals(question, search, best.first()?, &candidates)));
        if let (Some(signals), Some(first)) = (&signals, candidates.first_mut()) {
            let is_ordered = first.coverage < MIN_QUOTED_COVERAGE && evidence::gives_orders(question);
            let found = has_only_function_words(signals, first).then_some(Conflict::FunctionWords);
            let found = first.conflict.or(found).or(is_ordered.then_some(Conflict::Orders));
            first.conflict = found.filter(|_| !first.is_pinned);
        }
        Retrieval {
            question: question.to_owned(),
            word_count: understood.map_or(0, |search| search.terms.words.len()),
            repairs: understood.map_or_else(Vec::new, |search| search.terms.repairs.clone()),
            is_semantic: candidates.first().is_some_and(|best| best.semantic.is_some()),
            is_follow_up: understood.is_some_and(|search| search.has_context),
            candidates,
            signals,
            rules: Vec::new(),
        }
    }

    fn signals(&self, question: &str, search: &Search, best: &Scored, candidates: &[Candidate]) -> Signals {
        let part = &self.parts[best.part];
        let first = &candidates[0];
        let semantic = part.semantic.as_ref().filter(|_| search.cosines.is_some());
        let words = part.lexical.content_words(&search.terms.words);
        let mass: f32 = part
            .lexical
            .distinct_words(&search.terms.words)
            .map(|(word, idf)| if part.lexical.analyzer().is_small(word) { FUNCTION_WORD * idf } else { idf })
            .sum();
        let followers: Vec<f64> = candidates.iter().skip(1).take(FOLLOWERS).map(|other| other.score).collect();
        let following = followers.iter().sum::<f64>() / followers.len().max(1) as f64;
        let following = following.max(self.least_rival(best.part));
        // With a cosine, an entry can match without a common word.
        let covered = if semantic.is_some() { 1.0 } else { part.lexical.content_coverage(&words, best.at) };
        Signals {
            site_level: f64::from(self.profiles[best.part].level),
            site_spread: f64::from(self.profiles[best.part].spread),
            content_coverage: f64::from(covered),
            content_words: words.len(),
            question_mass: f64::from(mass),
            lead: first.score - following,
            own_level: f64::from(self.profiles[best.part].own),
            is_own_words: is_own_words(question, &first.chunk),
            is_multilingual: semantic.is_some_and(|semantic| semantic.table() == Table::Multilingual),
            entries: part.places.len(),
            is_passage: first.chunk.kind == ChunkKind::Passage,
        }
    }

    /// Among a few entries no other comes close to the best one, whatever is asked.
    fn least_rival(&self, part: usize) -> f64 {
        let is_small = self.parts[part].places.len() < MIN_RIVALS;
        if is_small { f64::from(self.profiles[part].level * SMALL_SITE_SHARE) } else { 0.0 }
    }

    /// Whether an entry has a content word of a question.
    pub(super) fn shares_content(&self, candidate: &Candidate, question: &str) -> bool {
        let lexical = &self.parts[candidate.part].lexical;
        let words = lexical.content_words(&lexical.analyzer().words(question));
        lexical.content_coverage(&words, candidate.at) > 0.0
    }

    /// Asks a part its own questions, each without the entry that it comes from.
    fn measured(&self, part: &LanguagePart) -> SiteProfile {
        let step = part.places.len().div_ceil(profile::MAX_ASKED).max(1);
        let asked = part.places.iter().enumerate().step_by(step).filter_map(|(own, place)| {
            let chunk = &self.chunks[*place as usize];
            let text = match &chunk.question {
                Some(question) => question.as_str(),
                None => &chunk.text[..chunk.text.floor_char_boundary(MAX_ASKED_BYTES)],
            };
            let asked = normalize(chunk.title());
            let search = part.search(text, &[], |_| true, true);
            let scores: Vec<f32> = (0..part.places.len()).map(|at| part.score(&search, at)).collect();
            // Only an entry that scores like its own can ask the same.
            let is_same = |at: usize| {
                at == own
                    || (scores[at] >= SAME_SHARE * scores[own]
                        && normalize(self.chunks[part.places[at] as usize].title()) == asked)
            };
            let others = (0..scores.len()).filter(|at| !is_same(*at)).map(|at| scores[at].max(0.0));
            let best = if text.trim().is_empty() { None } else { others.reduce(f32::max) };
            best.map(|best| (best, scores[own]))
        });
        SiteProfile::measure(asked)
    }

    /// Measures every part.
    pub(super) fn profiles(&self) -> Vec<SiteProfile> {
        self.parts.iter().map(|part| self.measured(part)).collect()
    }
}

/// Whether a question is written exactly like that of an entry, apart from case and punctuation.
fn is_own_words(question: &str, chunk: &Chunk) -> bool {
    let asked = same_question_key(question);
    let mut own = chunk.question.iter().chain(&chunk.phrasings);
    !asked.is_empty() && own.any(|own| same_question_key(own) == asked)
}

/// Whether an entry was found by function words alone.
fn has_only_function_words(signals: &Signals, best: &Candidate) -> bool {
    signals.content_words > 0 && signals.content_coverage == 0.0 && best.lexical > 0.0 && best.semantic.is_none()
}
