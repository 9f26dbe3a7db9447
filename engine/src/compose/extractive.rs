//! Composes the answer in the words of the site: the answer of an entry, or the matching sentences
//! of a passage under their heading.
//!
//! Entries that match as well as the best one are combined. The same words from two pages are shown
//! once and cited twice. Pieces of one page are shown in the order of the page. Different answers to
//! the same question are both shown, each under its source, unless the question names one of them or
//! a newer version of the page replaces the other.

use std::collections::HashSet;

use helpbot_domain::text;

use super::excerpt::{self, Excerpt};
use super::version::PageVersion;
use super::{Composed, cite, is_linkable};
use crate::chunk::{Chunk, ChunkKind};
use crate::fallback;
use crate::index::Index;
use crate::markdown;
use crate::retrieval::{Candidate, Retrieval};
use crate::settings::AnswerPolicy;

/// Distance of scores that are a tie: half of the cost of one typing error on the development sets.
const TIE: f64 = 0.04;
/// Share of common words from which two questions are the same.
const SAME_QUESTION: f64 = 0.8;
/// Share of the best score from which an entry with the same question ties.
const SAME_QUESTION_SCORE: f64 = 0.75;
/// Maximum number of entries in one answer.
const MAX_COMBINED: usize = 2;
/// Maximum length of the answer of an entry without a page to continue on, in characters. It equals
/// the limit of a generated answer (`Caps::max_chars`) and fills three screens of the widget.
const MAX_WHOLE_CHARS: usize = 4_000;
/// Share of the maximum length that is used for a passage.
const PASSAGE_SHARE: f64 = 0.7;

/// How an entry that ties is related to the best one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tie {
    /// It has the same words.
    Repeats,
    /// It is another piece of the same page.
    Continues,
    /// It is another answer to the same question.
    Differs,
}

/// Composes the answer from the best candidate and those that tie with it. It is empty when
/// `retrieval` has no candidate.
pub(crate) fn answer(index: &Index, retrieval: &Retrieval, settings: &AnswerPolicy) -> Composed {
    let Some(best) = retrieval.candidates.first() else {
        return Composed { text: String::new(), citations: Vec::new() };
    };
    // The owner chose one entry.
    let ties = if best.is_pinned { Vec::new() } else { ties(index, retrieval, best) };
    let (best, ties) = newest(best, ties);
    let version =
        (ties.is_empty() && !best.is_pinned).then(|| PageVersion::replacing(best, &retrieval.candidates)).flatten();
    let shown: Vec<&Candidate> = std::iter::once(best)
        .chain(ties.iter().filter(|(_, tie)| *tie != Tie::Repeats).map(|(candidate, _)| *candidate))
        .collect();
    let mut parts = parts(index, retrieval, &shown, settings);
    let is_divided = ties.iter().any(|(_, tie)| *tie == Tie::Differs);
    let names_pages = ties.iter().all(|(other, _)| other.chunk.page_title != best.chunk.page_title);
    if !is_divided {
        parts.sort_by_key(|(candidate, _)| position(index, candidate));
    }
    let mut above: Option<String> = None;
    let written = |(candidate, part): &(&Candidate, Excerpt)| {
        let heading = heading(&candidate.chunk, is_divided.then_some(names_pages)).or(version.clone());
        // Pieces that continue each other have one heading.
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
    let citations = cited.map(|candidate| cite(index, candidate, &quote(candidate), &retrieval.question)).collect();
    Composed { text: texts.join("\n\n"), citations }
}

/// Returns the text that offers suggestions instead of an answer, and the suggestions.
pub(crate) fn suggestion(retrieval: &Retrieval, suggested: &[usize], language: &str) -> (String, Vec<String>) {
    let offered = suggested.iter().filter_map(|place| retrieval.candidates.get(*place));
    let titles: Vec<String> = offered.map(|candidate| text::one_line(candidate.chunk.title())).collect();
    let mut text = fallback::phrases(language).suggested.to_owned();
    text.push('\n');
    for title in &titles {
        text.push_str("\n- ");
        text.push_str(title);
    }
    (text, titles)
}

fn ties<'a>(index: &Index, retrieval: &'a Retrieval, best: &Candidate) -> Vec<(&'a Candidate, Tie)> {
    let others = retrieval.candidates.iter().skip(1).filter(|other| other.conflict.is_none());
    let is_named = |tie: Tie, other: &Candidate| tie == Tie::Differs && is_decided(index, retrieval, best, other);
    let ties = others.filter_map(|other| {
        let tie = tie(index, best, other)?;
        (!is_named(tie, other)).then_some((other, tie))
    });
    ties.take(MAX_COMBINED - 1).collect()
}

/// The newest of entries that answer one question on pages of different dates.
fn newest<'a>(best: &'a Candidate, ties: Vec<(&'a Candidate, Tie)>) -> (&'a Candidate, Vec<(&'a Candidate, Tie)>) {
    let differing = ties.iter().filter(|(_, tie)| *tie == Tie::Differs).map(|(other, _)| *other);
    let newest = differing.fold(
        best,
        |newest, other| {
            if PageVersion::replaces(&other.chunk, &newest.chunk) { other } else { newest }
        },
    );
    let is_current = |(other, tie): &(&Candidate, Tie)| {
        other.chunk.id != newest.chunk.id
            && (*tie != Tie::Differs || !PageVersion::replaces(&newest.chunk, &other.chunk))
    };
    let is_kept = newest.chunk.id == best.chunk.id;
    let mut ties: Vec<(&Candidate, Tie)> = ties.into_iter().filter(is_current).collect();
    if !is_kept && !PageVersion::replaces(&newest.chunk, &best.chunk) {
        ties.insert(0, (best, Tie::Differs));
    }
    (newest, ties)
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

/// Whether the question names the best entry and not the other one: by a content word that only the
/// titles and headings of the best one have.
fn is_decided(index: &Index, retrieval: &Retrieval, best: &Candidate, other: &Candidate) -> bool {
    let names = |candidate: &Candidate| -> HashSet<String> {
        let chunk = &candidate.chunk;
        let title = format!(
            "{}\n{}\n{}",
            chunk.title(),
            chunk.heading.join("\n"),
            chunk.page_title.as_deref().unwrap_or_default()
        );
        index.content_words(best, &title).into_iter().map(|(word, _)| word).collect()
    };
    let (of_best, of_other) = (names(best), names(other));
    let asked = index.content_words(best, &retrieval.question);
    let only = |own: &HashSet<String>, others: &HashSet<String>| {
        asked.iter().any(|(word, _)| own.contains(word) && !others.contains(word))
    };
    only(&of_best, &of_other) && !only(&of_other, &of_best)
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
            ChunkKind::Faq => excerpt::matching(index, &retrieval.question, candidate, text, budget),
            ChunkKind::Passage => {
                let budget = (budget as f64 * PASSAGE_SHARE) as usize;
                excerpt::matching(index, &retrieval.question, candidate, text, budget)
            }
        };
        (*candidate, part)
    };
    shown.iter().map(part).collect()
}

/// Returns the line above a piece. Pieces from different pages have the titles of the pages, and
/// pieces of one page their headings.
fn heading(chunk: &Chunk, names_pages: Option<bool>) -> Option<String> {
    let heading = match chunk.kind {
        _ if names_pages == Some(true) => chunk.page_title.as_deref().or(Some(chunk.title())),
        _ if names_pages == Some(false) => chunk.heading.last().map(String::as_str).or(Some(chunk.title())),
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

/// Returns a link to the rest of the text, or an ellipsis when the chunk has no address.
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

/// Address at which the whole chunk can be read.
fn link(chunk: &Chunk) -> Option<&str> {
    chunk.url.as_deref().filter(|url| is_linkable(url))
}

/// Returns a title that can be used inside emphasis or a link.
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

/// Weight of the common words of two questions, divided by the weight of all their words.
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
