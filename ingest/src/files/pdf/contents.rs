//! Tables of contents, whose lines lead by dots to the number of a page. They repeat the headings of the
//! document and are left out; the dots of price lists and forms are shortened.
//!
//! Called by `paragraphs`.

use super::lines::Line;

/// The fewest lines of a table of contents.
const ENTRIES_MIN: usize = 3;

/// A document with fewer pages has no table of contents: what leads to a number there is a price.
const PAGES_MIN: usize = 4;

/// The first pages of books have numbers of their own, and sections of several volumes go on counting.
const PAGES_SLACK: usize = 50;

/// The fewest dots that lead to something.
const DOTS_MIN: usize = 4;

/// How many lines from the first on are a table of contents; 0 when they are none.
pub(super) fn entries(lines: &[&Line], pages: usize) -> usize {
    if pages < PAGES_MIN {
        return 0;
    }
    let is_entry = |line: &&&Line| page_number(&line.text()).is_some_and(|number| number <= pages + PAGES_SLACK);
    let count = lines.iter().take_while(is_entry).count();
    if count >= ENTRIES_MIN { count } else { 0 }
}

/// The number of the page to which a line leads; 0 for a Roman number.
fn page_number(text: &str) -> Option<usize> {
    let (from, to) = leader(text)?;
    let number = text[to..].trim();
    let has_title = text[..from].chars().any(char::is_alphabetic);
    let is_roman = !number.is_empty() && number.bytes().all(|byte| b"ivxlIVXL".contains(&byte));
    has_title.then(|| if is_roman { Some(0) } else { number.parse().ok() }).flatten()
}

/// A text with its longest row of dots, if it leads to something, as one sign.
pub(super) fn without_leaders(text: &str) -> String {
    match leader(text) {
        Some((from, to)) => format!("{} … {}", text[..from].trim_end(), text[to..].trim_start()).trim_end().to_owned(),
        None => text.to_owned(),
    }
}

/// Where the row of dots is that leads to the end of a line: dots with or without spaces between them.
fn leader(text: &str) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize, usize)> = None;
    let (mut start, mut dots) = (0, 0);
    for (at, c) in text.char_indices().chain([(text.len(), 'x')]) {
        if c == '.' || c == '…' {
            if dots == 0 {
                start = at;
            }
            dots += if c == '…' { 3 } else { 1 };
        } else if c != ' ' {
            if dots >= DOTS_MIN && best.is_none_or(|(_, _, most)| dots >= most) {
                best = Some((start, at, dots));
            }
            dots = 0;
        }
    }
    best.map(|(from, to, _)| (from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_lead_to_a_page_are_distinguished_from_prices() {
        assert_eq!(page_number("2.1 Safety . . . . . . . . . 14"), Some(14));
        assert_eq!(page_number("Notices ........vii"), Some(0));
        assert_eq!(page_number("Espresso ......... 2.50"), None);
        assert_eq!(page_number("Wait... then press 3"), None);
        assert_eq!(without_leaders("Espresso ......... 2.50"), "Espresso … 2.50");
        assert_eq!(without_leaders("Wait... then press 3."), "Wait... then press 3.");
    }
}
