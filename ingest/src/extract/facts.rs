//! What people ask a business first: phone number, address and opening hours, where they stand only
//! in the footer of a page or in the JSON-LD of its business.
//!
//! Called by `html` when the questions and passages of the page are known. The results are kept
//! apart from those, because every page of a site repeats them: a crawl keeps them once.

mod business;
#[cfg(feature = "worker")]
pub(crate) mod questions;

use html5ever::local_name;
use url::Url;

use super::dom::{self, NodeId};
use super::flow::{BlockId, Flow};
use super::markdown;
use super::page::Item;

pub(crate) use business::declared;

/// The longest line of a footer that is taken for a fact, in bytes.
const LONGEST_LINE_BYTES: usize = 400;

/// The most facts that are taken from footers, in lines.
const LINE_LIMIT: usize = 40;

/// From this percentage of links on, a line of a footer is navigation. A phone number or an e-mail
/// address may be a link as a whole.
const LINK_PERCENT: usize = 60;

/// The facts in the footers of a page, one passage for each heading in them.
///
/// Unmarks the blocks that it takes, so nothing may look for boilerplate afterwards.
pub(crate) fn in_footers(flow: &mut Flow, base: Option<&Url>) -> Vec<Item> {
    let mut sections: Vec<(Vec<String>, Vec<BlockId>)> = Vec::new();
    let mut at = 0;
    for footer in footers(flow) {
        let blocks = flow.range(footer);
        let start = blocks.start.max(at);
        at = blocks.end.max(at);
        if !(start..blocks.end).any(|id| is_fact(flow, id)) {
            continue;
        }
        sections.push((Vec::new(), Vec::new()));
        for id in start..blocks.end {
            let text = flow.text(id).trim();
            if flow.block(id).heading > 0 {
                sections.push((vec![text.to_owned()], Vec::new()));
            } else if is_kept(flow, id)
                && let Some((_, lines)) = sections.last_mut()
            {
                lines.push(id);
            }
        }
    }
    sections.retain(|(_, lines)| lines.iter().any(|&id| is_fact(flow, id)));
    for &id in sections.iter().flat_map(|(_, lines)| lines) {
        flow.blocks[id as usize].is_boilerplate = false;
    }
    let passage = |(heading, lines): (Vec<String>, Vec<BlockId>)| {
        let paragraphs: Vec<String> =
            lines.into_iter().take(LINE_LIMIT).map(|id| markdown::render(flow, id..id + 1, base)).collect();
        Item::Passage { heading, text: paragraphs.join("\n\n"), anchor: None }
    };
    sections.into_iter().map(passage).collect()
}

/// The elements of a page that are its footer and were left out as boilerplate.
fn footers(flow: &Flow) -> Vec<NodeId> {
    let is_footer = |&id: &NodeId| {
        flow.dom.is_element(id)
            && (*flow.dom.name(id) == local_name!("footer")
                || flow.dom.attribute(id, &local_name!("role")) == Some("contentinfo")
                || dom::names(&flow.dom, id).any(|name| name == "footer" || name.ends_with("-footer")))
    };
    (0..flow.dom.nodes.len() as NodeId)
        .filter(is_footer)
        .filter(|&id| {
            let blocks = flow.range(id);
            !blocks.is_empty() && flow.block(blocks.start).is_boilerplate
        })
        .collect()
}

fn is_kept(flow: &Flow, id: BlockId) -> bool {
    let (block, text) = (flow.block(id), flow.text(id));
    let is_navigation = flow.link_percent(id..id + 1) >= LINK_PERCENT && !is_fact(flow, id);
    let is_notice = text.contains('©') || text.to_lowercase().contains("all rights reserved");
    !block.is_control && !is_navigation && !is_notice && text.len() <= LONGEST_LINE_BYTES
}

/// Whether a line has a phone number, an e-mail address or opening hours.
fn is_fact(flow: &Flow, id: BlockId) -> bool {
    let text = flow.text(id);
    text.len() <= LONGEST_LINE_BYTES && (has_phone(text) || has_mail(text) || has_time(text))
}

/// Seven digits and more with nothing but spaces and signs between them, none of them a date.
fn has_phone(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '/' | '(' | ')' | '.' | '\u{a0}');
    text.split(|c| !is_part(c)).any(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        let is_date = part.trim().split(['.', '-', '/']).count() == 3 && digits == 8;
        let is_year = |word: &str| word.len() == 4 && word.starts_with(['1', '2']);
        let has_years_only = part.split([' ', '-']).filter(|word| !word.is_empty()).all(is_year);
        (7..=15).contains(&digits) && !is_date && !has_years_only
    })
}

fn has_mail(text: &str) -> bool {
    text.split_whitespace()
        .any(|word| word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.')))
}

/// Two times of a day, as in "9:00 to 17:30" or "9 am - 5 pm".
fn has_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_clock = |at: usize| {
        matches!(bytes[at], b':' | b'.' | b'h')
            && at > 0
            && bytes[at - 1].is_ascii_digit()
            && bytes.get(at + 1..at + 3).is_some_and(|minutes| minutes.iter().all(u8::is_ascii_digit))
            && !bytes.get(at + 3).is_some_and(u8::is_ascii_digit)
            && !(bytes.get(at + 3) == Some(&b'.') && bytes.get(at + 4).is_some_and(u8::is_ascii_digit))
    };
    let clocks = (0..bytes.len()).filter(|&at| is_clock(at)).count();
    let lower = text.to_lowercase();
    let halves = [" am", " pm", " uhr", " a.m", " p.m"].iter().map(|word| lower.matches(word).count()).sum::<usize>();
    let written = lower.as_bytes().windows(3).filter(|part| {
        part[0].is_ascii_digit() && matches!(&part[1..], b"am" | b"pm")
            || part[..2].iter().all(u8::is_ascii_digit) && part[2] == b'h'
    });
    clocks + halves + written.count() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_distinguished_from_other_lines() {
        assert!(has_phone("Tel. +49 731 12345") && has_phone("Call 0800 1234 567") && has_phone("(02) 9374 4000"));
        assert!(!has_phone("2019-2026") && !has_phone("24.12.2026") && !has_phone("89073 Ulm"));
        assert!(has_mail("write to info@a.example.") && !has_mail("@handle"));
        assert!(
            has_time("Mo-Fr 9:00 - 17:30")
                && has_time("9 am to 5 pm")
                && has_time("9am-6pm")
                && has_time("09h-17h")
                && !has_time("Version 2.10")
        );
    }

    #[test]
    fn a_footer_gives_its_facts_and_not_its_links() {
        let html = "<h1>Bakery</h1><p>Bread from our own oven, every day since 1931.</p><footer><ul><li><a href='/a'>About</a></ul>\
            <h3>Visit us</h3><p>Tue-Sat 6:30 to 13:00</p><p>Mill Lane 4, Stockton</p><p>© 2026 Bakery, all rights reserved</p></footer>";

        let page = super::super::html(html.as_bytes(), None, None).expect("a page");

        let [Item::Passage { heading, text, .. }] = &page.facts[..] else { panic!("{:?}", page.facts) };
        assert_eq!(
            (heading.join("/").as_str(), text.as_str()),
            ("Visit us", "Tue-Sat 6:30 to 13:00\n\nMill Lane 4, Stockton")
        );
    }
}
