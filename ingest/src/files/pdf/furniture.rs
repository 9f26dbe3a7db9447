//! Running heads, footers and page numbers: lines that repeat at the edges of pages.
//!
//! Called by the reader once the lines of all pages are known.

use std::collections::HashMap;

use super::lines::Line;

/// How many lines at each edge of a page may be running heads.
const EDGE_LINES: usize = 3;

/// A line at the edge is a running head when at least this share of the pages has it, in percent.
const SHARE_PERCENT: usize = 40;

/// The longest running head, in bytes.
const LONGEST_BYTES: usize = 200;

/// Removes running heads and page numbers from the pages.
pub(super) fn remove(pages: &mut [Vec<Line>]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for page in pages.iter() {
        let mut seen: Vec<String> = edges(page).into_iter().map(|at| pattern(&page[at].text())).collect();
        seen.sort();
        seen.dedup();
        for pattern in seen {
            *counts.entry(pattern).or_default() += 1;
        }
    }
    let count = pages.len();
    for page in pages.iter_mut() {
        let is_furniture = |line: &Line| {
            let text = line.text();
            let repeats = counts.get(&pattern(&text)).copied().unwrap_or(0);
            let is_repeated = repeats >= 2 && repeats * 100 >= count * SHARE_PERCENT && text.len() <= LONGEST_BYTES;
            is_repeated || is_page_number(&text)
        };
        let marked: Vec<usize> = edges(page).into_iter().filter(|&at| is_furniture(&page[at])).collect();
        let mut at = 0;
        page.retain(|_| {
            at += 1;
            !marked.contains(&(at - 1))
        });
    }
}

/// The lines nearest to the upper and lower edge of a page.
fn edges(page: &[Line]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..page.len()).collect();
    order.sort_by(|&one, &other| page[other].y.total_cmp(&page[one].y));
    let lower = order.iter().rev().take(EDGE_LINES).copied();
    let mut edges: Vec<usize> = order.iter().take(EDGE_LINES).copied().chain(lower).collect();
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// A line with its numbers made alike, so that "Page 3 of 12" is the same on each page.
fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_numeric() {
            out.extend(c.to_lowercase());
        } else if !out.ends_with('#') {
            out.push('#');
        }
    }
    out
}

/// Whether a line is only the number of its page: "12", "- 3 -", "Page 3", "3 / 12", "Seite 3 von 12".
fn is_page_number(text: &str) -> bool {
    const WORDS: [&str; 14] =
        ["page", "p", "of", "seite", "s", "von", "pagina", "página", "di", "de", "sur", "strona", "sida", "pag"];
    let mut numbers = 0;
    let is_known = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).all(|word| {
        let is_number = word.len() <= 4 && word.bytes().all(|byte| byte.is_ascii_digit());
        numbers += usize::from(is_number);
        is_number || WORDS.contains(&word.to_lowercase().as_str())
    });
    let has_money = text.contains(['%', '€', '$', '£', ':', '.']) && !text.contains(['-', '–']);
    is_known && (1..=2).contains(&numbers) && !has_money
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_numbers_are_distinguished_from_prices() {
        assert!(["12", "- 3 -", "Page 3 of 12", "Seite 3 von 12", "3 / 12"].iter().all(|text| is_page_number(text)));
        assert!(!["3.50", "12 %", "Call 110", "9:00", "Room 12"].iter().any(|text| is_page_number(text)));
    }
}
