//! Splits a long passage into pieces of about one screen each, at sentence ends and with their
//! headings. Called by `ingest`.

use helpbot_domain::chunk::{ChunkDraft, ChunkKind};

use crate::markdown::{self, Unit};
use crate::normalization::is_invisible;

/// A piece ends at the first paragraph end after this many characters. Passages of this size were
/// found best on documentation.
pub const TARGET_PASSAGE_CHARS: usize = 900;
/// A piece ends at a sentence end before this many characters. Only a single sentence, row or code
/// block that is longer makes a longer piece.
pub const MAX_PASSAGE_CHARS: usize = 1400;
/// A last piece that is shorter than this is joined with the piece before it, if both fit.
const MIN_PASSAGE_CHARS: usize = 200;

/// Splits the text of a passage into drafts of at most [`MAX_PASSAGE_CHARS`], in reading order. An
/// FAQ entry or a short passage stays one draft. A single sentence can be longer.
///
/// Headings inside the text extend the heading path of the text after them. Invisible and
/// bidirectional control characters are removed from all texts. An empty text gives no draft.
pub fn split(draft: ChunkDraft) -> Vec<ChunkDraft> {
    let text = shown(&draft.text);
    if text.trim().is_empty() {
        return Vec::new();
    }
    let draft = ChunkDraft {
        question: draft.question.as_deref().map(shown),
        heading: draft.heading.iter().map(|heading| shown(heading)).collect(),
        page_title: draft.page_title.as_deref().map(shown),
        ..draft
    };
    if draft.kind == ChunkKind::Faq {
        return vec![ChunkDraft { text: text.trim().to_owned(), ..draft }];
    }
    let mut pieces = Vec::new();
    for section in sections(&markdown::units(&text)) {
        let heading: Vec<String> = draft.heading.iter().cloned().chain(section.heading).collect();
        for text in fill(&section.units) {
            pieces.push(ChunkDraft { text, heading: heading.clone(), ..draft.clone() });
        }
    }
    pieces
}

struct Section {
    heading: Option<String>,
    units: Vec<Unit>,
}

fn sections(units: &[Unit]) -> Vec<Section> {
    let mut sections = vec![Section { heading: None, units: Vec::new() }];
    for unit in units {
        if unit.text.starts_with('#') {
            let heading = unit.text.trim_start_matches('#').trim().to_owned();
            sections.push(Section { heading: Some(heading), units: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.units.push(unit.clone());
        }
    }
    sections.retain(|section| !section.units.is_empty());
    sections
}

/// Distributes the units of a section over pieces.
fn fill(units: &[Unit]) -> Vec<String> {
    let mut pieces: Vec<Vec<Unit>> = Vec::new();
    let mut length = 0;
    for unit in units {
        let added = unit.text.chars().count() + unit.gap.len();
        let is_paragraph = unit.gap == "\n\n";
        let is_full = length + added > MAX_PASSAGE_CHARS || (is_paragraph && length >= TARGET_PASSAGE_CHARS);
        let leads = pieces.last().and_then(|piece| piece.last()).is_some_and(|last| last.leads);
        match pieces.last_mut() {
            Some(piece) if !is_full || (leads && length + added <= MAX_PASSAGE_CHARS) => {
                piece.push(unit.clone());
                length += added;
            }
            _ => {
                let header = unit.table_header.as_deref().map(header_unit);
                length = added + header.as_ref().map_or(0, |header| header.text.chars().count());
                pieces.push(header.into_iter().chain([unit.clone()]).collect());
            }
        }
    }
    merge_short_end(pieces).iter().map(|piece| markdown::join(piece)).collect()
}

/// The header rows of a table, for a piece that begins below them.
fn header_unit(header: &str) -> Unit {
    Unit { text: header.to_owned(), gap: "\n\n", leads: true, table_header: None }
}

fn merge_short_end(mut pieces: Vec<Vec<Unit>>) -> Vec<Vec<Unit>> {
    if let [.., before, last] = pieces.as_slice() {
        let (before, last) = (chars(before), chars(last));
        if last < MIN_PASSAGE_CHARS && before + last <= MAX_PASSAGE_CHARS {
            let last = pieces.pop().unwrap_or_default();
            if let Some(before) = pieces.last_mut() {
                before.extend(last);
            }
        }
    }
    pieces
}

fn chars(units: &[Unit]) -> usize {
    units.iter().map(|unit| unit.text.chars().count() + unit.gap.len()).sum()
}

fn shown(text: &str) -> String {
    text.chars().filter(|&c| is_kept(c)).collect()
}

/// Whether a character is visible. Control characters other than line breaks and tabs can hide
/// text.
fn is_kept(c: char) -> bool {
    matches!(c, '\n' | '\t') || !(c.is_control() || is_invisible(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(text: String) -> ChunkDraft {
        ChunkDraft {
            kind: ChunkKind::Passage,
            question: None,
            heading: vec!["Guide".to_owned()],
            text,
            url: None,
            page_title: None,
            language: None,
            phrasings: Vec::new(),
        }
    }

    #[test]
    fn a_long_passage_is_cut_between_sentences_and_loses_nothing() {
        let sentences: Vec<String> =
            (0..200).map(|i| format!("Sentence number {i} says something of its own.")).collect();
        let text = sentences.chunks(5).map(|p| p.join(" ")).collect::<Vec<_>>().join("\n\n");

        let pieces = split(passage(text));

        assert!(pieces.len() > 5);
        for piece in &pieces {
            assert!(piece.text.chars().count() <= MAX_PASSAGE_CHARS);
            assert!(piece.text.starts_with("Sentence") && piece.text.ends_with("own."));
            assert_eq!(piece.heading, ["Guide"]);
        }
        let all: Vec<String> = pieces.into_iter().map(|p| p.text.replace("\n\n", " ")).collect();
        assert_eq!(all.join(" "), sentences.join(" "));
    }

    #[test]
    fn inner_headings_extend_the_path() {
        let pieces = split(passage("Intro.\n\n## Returns\n\nSend it back.".to_owned()));

        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].heading, ["Guide", "Returns"]);
        assert_eq!(pieces[1].text, "Send it back.");
    }

    #[test]
    fn invisible_text_is_removed_and_empty_text_gives_nothing() {
        assert_eq!(split(passage("a\u{202E}b\u{E0041}\u{7}c.".to_owned()))[0].text, "abc.");
        let hidden = Some("a\u{0}b\u{E0041}".to_owned());
        let draft = ChunkDraft { question: hidden.clone(), page_title: hidden, ..passage("c".to_owned()) };
        let pieces = split(draft);
        assert_eq!([&pieces[0].question, &pieces[0].page_title], [&Some("ab".to_owned()); 2]);
        assert!(split(passage(" \n\u{200B} ".to_owned())).is_empty());
    }
}
