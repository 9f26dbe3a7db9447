//! Running heads, footers and page numbers: lines that repeat at the edges of pages.
//!
//! Called by the reader once the lines of all pages are known. A line is one only if nothing but others
//! is between it and the edge of its page, and if there is space between it and the text: the last line of a
//! paragraph that happens to be the same on two pages is none.

use std::collections::HashMap;

use super::lines::Line;

/// How many lines at each edge of a page may be running heads.
const EDGE_LINES: usize = 3;

/// A line at the edge is a running head when at least this share of the pages has it, in percent.
const SHARE_PERCENT: usize = 40;

/// The longest running head, in bytes.
const LONGEST_BYTES: usize = 200;

/// The most numbers of a line of which one may be that of the page.
const NUMBERS_MAX: usize = 6;

/// How much wider than the usual distance of two lines the distance between running heads and text is.
const APART: f32 = 1.15;

/// The largest difference between the places of one running head on several pages, in points.
const PLACE_SLACK: f32 = 2.0;

/// Removes running heads and page numbers from the pages.
pub(super) fn remove(pages: &mut [Vec<Line>]) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for (number, page) in pages.iter().enumerate() {
        let edges = [Edge::Upper, Edge::Lower].into_iter().flat_map(|edge| edge.lines(page));
        let mut seen: Vec<String> = edges.flat_map(|at| keys(&page[at].text(), number)).collect();
        seen.sort();
        seen.dedup();
        for key in seen {
            *counts.entry(key).or_default() += 1;
        }
    }
    let is_often = |count: usize| count >= 2 && count * 100 >= pages.len() * SHARE_PERCENT;
    let is_repeated = |line: &Line, number: usize| {
        let text = line.text();
        let repeats = keys(&text, number).iter().filter_map(|key| counts.get(key)).max().copied().unwrap_or(0);
        is_often(repeats) && text.len() <= LONGEST_BYTES || is_page_number(&text)
    };
    let usual = usual_distance(pages);
    let mut marked: Vec<Vec<usize>> = Vec::with_capacity(pages.len());
    for (number, page) in pages.iter().enumerate() {
        let edges = [Edge::Upper, Edge::Lower].into_iter();
        marked.push(edges.flat_map(|edge| edge.furniture(page, usual, |line| is_repeated(line, number))).collect());
    }
    // The name of a chapter is where the running heads of other pages are.
    let places: Vec<(f32, f32)> = pages
        .iter()
        .zip(&marked)
        .flat_map(|(page, marked)| marked.iter().map(|&at| (page[at].y, page[at].size)))
        .collect();
    let is_in_place = |line: &Line| {
        let near = |place: &&(f32, f32)| (place.0 - line.y).abs() <= PLACE_SLACK && (place.1 - line.size).abs() < 0.5;
        let count = places.iter().filter(near).take(pages.len()).count();
        count * 2 >= pages.len() && count >= EDGE_LINES && line.text().len() <= LONGEST_BYTES
    };
    for (number, page) in pages.iter().enumerate() {
        if marked[number].is_empty() {
            let edges = [Edge::Upper, Edge::Lower].into_iter();
            marked[number] = edges.flat_map(|edge| edge.furniture(page, usual, is_in_place)).collect();
        }
    }
    for (page, marked) in pages.iter_mut().zip(marked) {
        let mut at = 0;
        page.retain(|_| {
            at += 1;
            !marked.contains(&(at - 1))
        });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edge {
    Upper,
    Lower,
}

impl Edge {
    /// All lines of a page, those at this edge first.
    fn order(self, page: &[Line]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..page.len()).collect();
        order.sort_by(|&one, &other| match self {
            Self::Upper => page[other].y.total_cmp(&page[one].y),
            Self::Lower => page[one].y.total_cmp(&page[other].y),
        });
        order
    }

    /// The lines nearest to this edge of a page.
    fn lines(self, page: &[Line]) -> Vec<usize> {
        self.order(page).into_iter().take(EDGE_LINES).collect()
    }

    /// The lines at this edge that are furniture: from the edge on, up to the space above or below the text.
    fn furniture(self, page: &[Line], usual: f32, is_furniture: impl Fn(&Line) -> bool) -> Vec<usize> {
        let order = self.order(page);
        let mut count = order.iter().take(EDGE_LINES).take_while(|&&at| is_furniture(&page[at])).count();
        let distance = |at: usize| match order.get(at) {
            Some(&next) => (page[order[at - 1]].y - page[next].y).abs(),
            None => f32::MAX,
        };
        // A page number is close to the text where the page is full.
        while count > 0 && !is_page_number(&page[order[count - 1]].text()) {
            let is_other_size =
                order.get(count).is_some_and(|&next| page[order[count - 1]].size < page[next].size * 0.95);
            if distance(count) > usual * APART || is_other_size {
                break;
            }
            count -= 1;
        }
        order.into_iter().take(count).collect()
    }
}

/// The distance between two lines of a paragraph, in points: a quarter of all distances are smaller.
fn usual_distance(pages: &[Vec<Line>]) -> f32 {
    let mut distances: Vec<f32> = Vec::new();
    for page in pages {
        let order = Edge::Upper.order(page);
        distances.extend(order.windows(2).map(|pair| page[pair[0]].y - page[pair[1]].y).filter(|gap| *gap > 1.0));
    }
    distances.sort_by(f32::total_cmp);
    distances.get(distances.len() / 4).copied().unwrap_or(0.0)
}

/// What makes a line the same on several pages: its text, or its text with one of its numbers counting
/// the pages, as in "Page 3 of 12".
fn keys(text: &str, page: usize) -> Vec<String> {
    let lower = text.to_lowercase();
    let mut numbers: Vec<(usize, usize)> = Vec::new();
    for (at, byte) in lower.bytes().enumerate() {
        match numbers.last_mut() {
            _ if !byte.is_ascii_digit() => {}
            Some((_, end)) if *end == at => *end = at + 1,
            _ => numbers.push((at, at + 1)),
        }
    }
    let mut keys = vec![lower.clone()];
    for (start, end) in numbers.into_iter().take(NUMBERS_MAX) {
        if let Ok(number) = lower[start..end].parse::<i64>() {
            keys.push(format!("{}\u{0}{}\u{0}{}", &lower[..start], number - page as i64, &lower[end..]));
        }
    }
    keys
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
    use super::super::lines::Piece;
    use super::*;

    fn page(lines: &[(f32, &str)]) -> Vec<Line> {
        let line = |&(y, text): &(f32, &str)| {
            let piece = Piece { x: 50.0, end: 300.0, y, size: 10.0, text: text.to_owned(), is_bold: false };
            Line { y, size: 10.0, cells: vec![piece], column: (50.0, 500.0) }
        };
        lines.iter().map(line).collect()
    }

    fn left(mut pages: Vec<Vec<Line>>) -> Vec<String> {
        remove(&mut pages);
        pages.iter().flatten().map(Line::text).collect()
    }

    #[test]
    fn page_numbers_are_distinguished_from_prices() {
        assert!(["12", "- 3 -", "Page 3 of 12", "Seite 3 von 12", "3 / 12"].iter().all(|text| is_page_number(text)));
        assert!(!["3.50", "12 %", "Call 110", "9:00", "Room 12"].iter().any(|text| is_page_number(text)));
    }

    #[test]
    fn heads_that_count_the_pages_go_and_lines_that_count_something_else_stay() {
        let body = |page: usize| (0..4).map(move |line| format!("Step {page}.{line} of the manual"));
        let pages = (0..4).map(|number| {
            let head = format!("Manual, page {}", number + 1);
            let texts: Vec<String> = [head].into_iter().chain(body(number)).collect();
            let places = [800.0, 760.0, 746.0, 732.0, 718.0];
            page(&places.into_iter().zip(texts.iter().map(String::as_str)).collect::<Vec<_>>())
        });

        assert_eq!(left(pages.collect()), (0..4).flat_map(body).collect::<Vec<_>>());
    }

    #[test]
    fn the_same_last_line_of_two_paragraphs_stays() {
        let letter =
            |name: &'static str| page(&[(700.0, name), (686.0, "your order is on its way"), (672.0, "to you.")]);

        let kept =
            ["Dear Ann,", "your order is on its way", "to you.", "Dear Bob,", "your order is on its way", "to you."];
        assert_eq!(left(vec![letter("Dear Ann,"), letter("Dear Bob,")]), kept);
    }
}
