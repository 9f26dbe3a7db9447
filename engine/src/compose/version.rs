//! Dates of pages, so that of two versions of one page the newer one answers.

use crate::chunk::Chunk;
use crate::retrieval::Candidate;

/// The date that a page carries in its title, headings or address: a year, and a month if it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PageVersion {
    year: u16,
    month: u8,
}

impl PageVersion {
    /// Reads the latest date of a chunk's page. `None` when the page carries no date.
    pub fn of(chunk: &Chunk) -> Option<Self> {
        let address = chunk.url.as_deref().and_then(|url| url.split_once("://")).map(|(_, rest)| rest);
        let address = address.and_then(|rest| rest.split_once('/')).map(|(_, path)| path);
        let titles = chunk.heading.iter().map(String::as_str).chain(chunk.page_title.as_deref()).chain(address);
        titles.filter_map(Self::read).max()
    }

    /// Whether the first chunk is a newer version of the second.
    pub fn replaces(newer: &Chunk, older: &Chunk) -> bool {
        matches!((Self::of(newer), Self::of(older)), (Some(newer), Some(older)) if newer > older)
    }

    /// The title of the best candidate's page, when it replaces another candidate with the same
    /// question. It tells the visitor which version answers.
    pub fn replacing(best: &Candidate, candidates: &[Candidate]) -> Option<String> {
        let is_older = |other: &&Candidate| {
            other.chunk.question.is_some()
                && other.chunk.question == best.chunk.question
                && Self::replaces(&best.chunk, &other.chunk)
        };
        candidates.iter().find(is_older).and(best.chunk.page_title.clone())
    }

    fn read(text: &str) -> Option<Self> {
        let numbers: Vec<&str> =
            text.split(|c: char| !c.is_ascii_digit()).filter(|number| !number.is_empty()).collect();
        let dates = numbers.iter().enumerate().filter_map(|(at, number)| {
            let year: u16 = number.parse().ok().filter(|year| number.len() == 4 && (1900..2100).contains(year))?;
            let month = numbers.get(at + 1).filter(|month| month.len() == 2).and_then(|month| month.parse().ok());
            Some(Self { year, month: month.filter(|month| (1..=12).contains(month)).unwrap_or(0) })
        });
        dates.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_and_months_are_read_from_titles_and_addresses() {
        assert_eq!(PageVersion::read("Fees 2025"), Some(PageVersion { year: 2025, month: 0 }));
        assert!(PageVersion::read("news/2025/11/fees") > PageVersion::read("news/2025/03/fees"));
        assert_eq!(PageVersion::read("Call 0800 1234"), None);
    }
}
