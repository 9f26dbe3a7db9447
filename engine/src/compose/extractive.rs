//! The answer in the site's own words: the entry's answer, or the sentences of a passage that
//! match, under their heading.
//!
//! Entries that tie with the best are told apart: the same words from two pages are said once
//! and cited twice; pieces of one page are put together in its order; different answers to the
//! same question are both given, each under its source, since the engine can't know which holds.

use std::collections::HashSet;

use helpbot_domain::text;

use super::excerpt::{self, Excerpt};
use super::{Composed, cite, is_linkable};
use crate::chunk::{Chunk, ChunkKind};
use crate::fallback;
use crate::index::Index;
use crate::markdown;
use crate::retrieval::{Candidate, Retrieval};
use crate::settings::AnswerPolicy;

/// Scores this close are a tie: half of what one typing error costs on the development sets.
const TIE: f64 = 0.04;
/// Share of common words from which two questions are the same question.
const SAME_QUESTION: f64 = 0.8;
/// The same question ties from this share of the best score on: its answer is what differs.
const SAME_QUESTION_SCORE: f64 = 0.75;
/// Most entries that one answer combines.
const MAX_COMBINED: usize = 2;
/// An entry without a page to read on gives all of its answer, up to this: as much as a model may
/// write (`Caps::max_chars`), and three screens of the widget.
const MAX_WHOLE_CHARS: usize = 4_000;
/// Of a passage a shorter piece than of a written answer is enough: share of the whole budget.
const PASSAGE_SHARE: f64 = 0.7;

/// How a tied candidate stands to the best one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// The same words.
    Repeats,
    /// Another piece of the same page.
    Continues,
    /// Another answer to the same question.
    Differs,
}

/// The answer from the best candidate and those that tie with it. `retrieval` has one.
pub(crate) fn answer(index: &Index, retrieval: &Retrieval, settings: &AnswerPolicy) -> Composed {
    let Some(best) = retrieval.candidates.first() else {
        return Composed { text: String::new(), citations: Vec::new() };
    };
    let ties = ties(index, retrieval, best);
    let shown: Vec<&Candidate> = std::iter::once(best)
        .chain(ties.iter().filter(|(_, tie)| *tie != Tie::Repeats).map(|(candidate, _)| *candidate))
        .collect();
    let mut parts = parts(index, retrieval, &shown, settings);
    let is_divided = ties.iter().any(|(_, tie)| *tie == Tie::Differs);
    if !is_divided {
        parts.sort_by_key(|(candidate, _)| position(index, candidate));
    }
    let mut above: Option<String> = None;
    let written = |(candidate, part): &(&Candidate, Excerpt)| {
        let heading = heading(&candidate.chunk, is_divided);
        // Pieces that continue each other stand under one heading.
        let is_new = is_divided || above != heading;
        above.clone_from(&heading);
        written(&candidate.chunk, part, heading.filter(|_| is_new))
    };
    let texts: Vec<String> = parts.iter().map(written).collect();
    let quote = |wanted: &Candidate| {
        let part = parts.iter().find(|(candidate, _)| candidate.chunk.id == wanted.chunk.id);
        part.map_or(wanted.chunk.text.clone(), |(_, part)| part.text.clone())
    };
    let cited = std::iter::once(best).chain(ties.iter().map(|(candidate, _)| *candidate));
    let citations = cited.map(|candidate| cite(candidate, &quote(candidate))).collect();
    Composed { text: texts.join("\n\n"), citations }
}

/// The text that offers near questions instead of an answer, and the questions.
pub(crate) fn suggestion(retrieval: &Retrieval, suggested: &[usize], language: &str) -> (String, Vec<String>) {
    let titles = suggested.iter().filter_map(|place| retrieval.candidates.get(*place));
    let titles: Vec<String> = titles.map(|candidate| text::one_line(candidate.chunk.title())).collect();
    let mut text = fallback::phrases(language).suggested.to_owned();
    text.push('\n');
    for title in &titles {
        text.push_str("\n- ");
        text.push_str(title);
    }
    (text, titles)
}

fn ties<'a>(index: &Index, retrieval: &'a Retrieval, best: &Candidate) -> Vec<(&'a Candidate, Tie)> {
    let others = retrieval.candidates.iter().skip(1);
    let ties = others.filter_map(|other| Some((other, tie(index, best, other)?)));
    ties.take(MAX_COMBINED - 1).collect()
}

fn tie(index: &Index, best: &Candidate, other: &Candidate) -> Option<Tie> {
    let is_near = best.score - other.score <= TIE;
    let is_near_enough = other.score >= best.score * SAME_QUESTION_SCORE;
    let (one, two) = (&*best.chunk, &*other.chunk);
    if is_near_enough && same_words(&one.text, &two.text) {
        return Some(Tie::Repeats);
    }
    let is_same_page = one.source_id == two.source_id && page(one) == page(two);
    match (&one.question, &two.question) {
        (Some(question), Some(asked)) if is_near_enough && overlap(index, best, question, asked) >= SAME_QUESTION => {
            Some(Tie::Differs)
        }
        (None, None) if is_near && is_same_page && one.heading == two.heading => Some(Tie::Continues),
        _ => None,
    }
}

fn parts<'a>(
    index: &Index,
    retrieval: &Retrieval,
    shown: &[&'a Candidate],
    settings: &AnswerPolicy,
) -> Vec<(&'a Candidate, Excerpt)> {
    let share = |chars: usize| chars / shown.len().max(1);
    let budget = share(settings.max_answer_chars);
    let part = |candidate: &&'a Candidate| {
        let chunk = &candidate.chunk;
        let text = &*markdown::safe(&chunk.text);
        let part = match chunk.kind {
            ChunkKind::Faq if link(chunk).is_none() => excerpt::leading(text, budget.max(share(MAX_WHOLE_CHARS))),
            ChunkKind::Faq => excerpt::leading(text, budget),
            ChunkKind::Passage => {
                let budget = (budget as f64 * PASSAGE_SHARE) as usize;
                excerpt::matching(index, &retrieval.question, candidate, text, budget)
            }
        };
        (*candidate, part)
    };
    shown.iter().map(part).collect()
}

/// What stands above a piece: its page's title where pages differ, of a passage its last heading.
fn heading(chunk: &Chunk, names_source: bool) -> Option<String> {
    let heading = match chunk.kind {
        _ if names_source => chunk.page_title.as_deref().or(Some(chunk.title())),
        ChunkKind::Passage => chunk.heading.last().map(String::as_str),
        ChunkKind::Faq => None,
    };
    heading.map(label).filter(|heading| !heading.is_empty())
}

fn written(chunk: &Chunk, part: &Excerpt, heading: Option<String>) -> String {
    let mut text = heading.map(|heading| format!("**{heading}**\n\n")).unwrap_or_default();
    text.push_str(&part.text);
    if part.is_cut {
        text.push_str(&rest(chunk, &part.text));
    }
    text
}

/// What tells that there is more than was shown: a link to it, or at least a sign.
fn rest(chunk: &Chunk, shown: &str) -> String {
    match link(chunk) {
        Some(url) => {
            let title = label(chunk.title());
            let title = if title.is_empty() { label(url) } else { title };
            format!("\n\n→ [{title}]({url})")
        }
        None if shown.ends_with('…') => String::new(),
        None if shown.ends_with("```") => "\n\n…".to_owned(),
        None => " …".to_owned(),
    }
}

/// Where all of the chunk can be read.
fn link(chunk: &Chunk) -> Option<&str> {
    chunk.url.as_deref().filter(|url| is_linkable(url))
}

/// A title as it may stand inside emphasis or a link.
fn label(title: &str) -> String {
    text::one_line(title).replace(['[', ']', '*', '`'], "")
}

fn position(index: &Index, candidate: &Candidate) -> usize {
    let chunks = index.chunks().iter();
    chunks.take_while(|chunk| chunk.id != candidate.chunk.id).count()
}

fn page(chunk: &Chunk) -> Option<&str> {
    chunk.url.as_deref().and_then(|url| url.split('#').next())
}

fn same_words(a: &str, b: &str) -> bool {
    a.split_whitespace().eq(b.split_whitespace())
}

/// Common words of two questions by their weight on the site, over all words of both.
fn overlap(index: &Index, near: &Candidate, a: &str, b: &str) -> f64 {
    let (a, b) = (index.weighted_words(near, a), index.weighted_words(near, b));
    let of = |words: &[(String, f32)]| words.iter().map(|(word, _)| word.clone()).collect::<HashSet<_>>();
    let (in_a, in_b) = (of(&a), of(&b));
    let (mut common, mut all, mut seen) = (0.0, 0.0, HashSet::new());
    for (word, weight) in a.iter().chain(&b).filter(|(word, _)| seen.insert(word.clone())) {
        all += f64::from(*weight);
        if in_a.contains(word) && in_b.contains(word) {
            common += f64::from(*weight);
        }
    }
    if all > 0.0 { common / all } else { 0.0 }
}
