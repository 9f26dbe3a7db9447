//! Makes citations: the sentence of the source that the answer used, and an address that leads a
//! browser to it.

use helpbot_domain::chunk::WRITTEN_ANSWERS;
use helpbot_domain::conversation::Citation;
use helpbot_domain::text::one_line;

use super::excerpt;
use super::text_fragment::{self, QuotePlace};
use crate::chunk::Chunk;
use crate::index::Index;
use crate::markdown::{self, Unit};
use crate::retrieval::Candidate;

/// Maximum length of the quote of a citation, in characters.
const MAX_QUOTE_CHARS: usize = 300;
/// A shorter sentence, such as "Yes.", is quoted together with the next one of its paragraph, in
/// characters.
const MIN_QUOTE_CHARS: usize = 20;

/// Number of chunks of a page among which a sentence is looked for. In a longer page it is always
/// named with the words around it.
const MAX_PAGE_CHUNKS: usize = 500;

/// Makes the citation of a candidate. `used` is the part of its text that the answer used, and
/// `words` is what the sentence is chosen by: the question, or the sentence of the answer.
pub(crate) fn cite(index: &Index, candidate: &Candidate, used: &str, words: &str) -> Citation {
    let chunk = &candidate.chunk;
    let title = chunk.page_title.as_deref().filter(|title| !title.is_empty());
    let units = markdown::units(&markdown::safe(used));
    let sentence = sentence(index, candidate, &units, words);
    Citation {
        source_id: chunk.source_id,
        chunk_id: chunk.id,
        url: chunk.url.clone(),
        source_name: None,
        title: title.unwrap_or(chunk.title()).to_owned(),
        quote: excerpt::leading(&markdown::plain(&markdown::join(sentence)), MAX_QUOTE_CHARS).text,
        score: candidate.score.clamp(0.0, 1.0),
        text_fragment: text_fragment(index, chunk, sentence),
    }
}

/// The unit that has most of the words. A text without them is quoted from its beginning.
fn sentence<'a>(index: &Index, candidate: &Candidate, units: &'a [Unit], words: &str) -> &'a [Unit] {
    let weights = excerpt::weights(index, words, candidate, units);
    let mut first = excerpt::best_unit(units, &weights).unwrap_or(0);
    while units.get(first).is_some_and(|unit| unit.leads) {
        first += 1;
    }
    let mut end = (first + 1).min(units.len());
    let length = |end: usize| units[first..end].iter().map(|unit| unit.text.chars().count()).sum::<usize>();
    while units.get(end).is_some_and(|next| next.gap == " ") && length(end) < MIN_QUOTE_CHARS {
        end += 1;
    }
    units.get(first..end).unwrap_or_default()
}

/// The address that leads to a sentence of a chunk. `None` when the sentence is not on a web page.
fn text_fragment(index: &Index, chunk: &Chunk, sentence: &[Unit]) -> Option<String> {
    let url = chunk.url.as_deref()?;
    // The address of a written answer is a page to read more, which has other words.
    let is_written = chunk.page_title.as_deref() == Some(WRITTEN_ANSWERS);
    // The page shows code line by line, and deleted text that the index leaves out.
    let is_other = |unit: &Unit| unit.text.starts_with("```") || unit.text.contains("~~") || unit.text.contains("![");
    if is_written || !text_fragment::is_possible(url) || sentence.is_empty() || sentence.iter().any(is_other) {
        return None;
    }
    let pieces = pieces(sentence);
    let own = words_of(chunk);
    let whole = pieces.join(" ");
    let (before, after) = own.split_once(&whole).unwrap_or_default();
    let page = page(index, chunk, &pieces);
    text_fragment::address(url, QuotePlace { pieces: &pieces, before, after, page: page.as_deref() })
}

/// The texts of a sentence that a page shows in blocks of their own.
fn pieces(sentence: &[Unit]) -> Vec<String> {
    let text = markdown::join(sentence);
    let is_row = text.starts_with('|') || text.contains(" | ");
    let cells: Vec<&str> = if is_row { text.split('|').collect() } else { vec![&text] };
    let pieces = cells.into_iter().map(|cell| one_line(&markdown::plain(cell.trim())));
    pieces.filter(|piece| !piece.is_empty()).collect()
}

/// The texts of the page of a chunk that have the first words of the sentence. `None` for a page with
/// very many chunks.
fn page(index: &Index, chunk: &Chunk, pieces: &[String]) -> Option<String> {
    let own = address(chunk);
    let others = index.chunks().iter().filter(|other| other.source_id == chunk.source_id && address(other) == own);
    let others: Vec<&Chunk> = others.take(MAX_PAGE_CHUNKS + 1).map(|other| &**other).collect();
    if others.len() > MAX_PAGE_CHUNKS {
        return None;
    }
    // Reading Markdown costs more than looking for a word in it.
    let first = pieces.first().and_then(|piece| piece.split(' ').next()).unwrap_or_default();
    let has_first = |other: &&&Chunk| other.text.contains(first) || other.title().contains(first);
    Some(others.iter().filter(has_first).map(|other| words_of(other)).collect::<Vec<_>>().join(" "))
}

/// The address of the page of a chunk.
fn address(chunk: &Chunk) -> Option<&str> {
    chunk.url.as_deref().and_then(|url| url.split('#').next())
}

/// The words of a chunk as a page shows them, with single spaces.
fn words_of(chunk: &Chunk) -> String {
    one_line(&format!("{} {}", chunk.title(), markdown::plain(&markdown::safe(&chunk.text))))
}
