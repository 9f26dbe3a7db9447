//! Turns a page into chunks for the index: questions as they are, passages cut to size. Called by the crawl
//! and for single pages and files.

use helpbot_engine::chunk::split;
use helpbot_engine::{ChunkDraft, ChunkKind};
use url::Url;

use crate::extract::facts::questions;
use crate::extract::{Item, Page};

/// Returns the chunks of a page in order. `address` is the URL for visitors; files have none, so their chunks
/// contain no link.
pub(crate) fn of_page(page: &Page, address: Option<&Url>) -> Vec<ChunkDraft> {
    page.items.iter().flat_map(|item| split(draft(page, item, address))).collect()
}

/// Returns the chunks of facts that most pages of a site repeat, such as the phone number, with the
/// questions that visitors ask about them.
pub(crate) fn facts_of_page(page: &Page, address: Option<&Url>) -> Vec<ChunkDraft> {
    let drafts = page.facts.iter().map(|item| {
        let draft = draft(page, item, address);
        let phrasings = questions::of(&draft.text, page.language.as_deref());
        ChunkDraft { phrasings, ..draft }
    });
    drafts.flat_map(split).collect()
}

fn draft(page: &Page, item: &Item, address: Option<&Url>) -> ChunkDraft {
    let (kind, question, heading, text, anchor) = match item {
        Item::Pair { question, answer, context, anchor } => {
            (ChunkKind::Faq, Some(question.clone()), context, answer, anchor)
        }
        Item::Passage { heading, text, anchor } => (ChunkKind::Passage, None, heading, text, anchor),
    };
    ChunkDraft {
        kind,
        question,
        heading: heading.clone(),
        text: text.clone(),
        url: address.map(|address| with_anchor(address, anchor.as_deref())),
        page_title: Some(page.title.clone()).filter(|title| !title.is_empty()),
        language: page.language.clone(),
        phrasings: Vec::new(),
    }
}

fn with_anchor(address: &Url, anchor: Option<&str>) -> String {
    let mut address = address.clone();
    address.set_fragment(anchor);
    address.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_keeps_its_question_and_links_to_its_anchor() {
        let html = br#"<html lang="en"><title>Help</title><h1>Help</h1><h2>Orders</h2>
            <h3 id="track">Where is my order?</h3><p>Open the link in the mail that we sent you.</p>
            <h3 id="cancel">How do I cancel an order?</h3><p>Write to us before it has left the house.</p>
            <h3 id="return">How do I return an order?</h3><p>Put the slip into the box and post it.</p>"#;
        let address = Url::parse("https://shop.example/help").expect("a URL");
        let page = crate::extract::html(html, None, Some(&address)).expect("a page");

        let drafts = of_page(&page, Some(&address));

        let first = drafts.iter().find(|draft| draft.kind == ChunkKind::Faq).expect("a pair");
        assert_eq!(first.question.as_deref(), Some("Where is my order?"));
        assert_eq!(first.text, "Open the link in the mail that we sent you.");
        assert_eq!(first.url.as_deref(), Some("https://shop.example/help#track"));
        assert_eq!(first.page_title.as_deref(), Some("Help"));
        assert_eq!(first.language.as_deref(), Some("en"));
    }

    #[test]
    fn a_long_passage_is_cut_into_several() {
        let text = "A sentence about nothing much that goes on for a while. ".repeat(100);
        let passage = Item::Passage { heading: vec!["Terms".into()], text, anchor: None };
        let page = Page { items: vec![passage], ..Page::default() };

        let drafts = of_page(&page, None);

        assert!(drafts.len() > 3, "{}", drafts.len());
        assert!(drafts.iter().all(|draft| draft.heading == ["Terms"] && draft.url.is_none()));
    }
}
