//! What extraction gives: a page with its pairs and passages.
//!
//! The diff, the chunker and the command line read these types; they own all of their text and
//! borrow nothing from the input.

use helpbot_domain::extraction::Omission;
use serde::{Deserialize, Serialize};
use url::Url;

use super::markdown;

/// One page or file, read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The title as shown; empty when the page has none.
    pub title: String,
    /// The primary language subtag and region as declared (`de`, `pt-BR`), not verified.
    pub language: Option<String>,
    /// The canonical address as declared, absolute; may point at another host.
    pub canonical: Option<Url>,
    /// The page asks not to be indexed (robots meta element).
    pub is_noindex: bool,
    /// The page asks not to have its links followed (robots meta element).
    pub is_nofollow: bool,
    /// http(s) links in document order without fragment, each once, at most 5000; those marked
    /// `rel="nofollow"` are left out.
    pub links: Vec<Url>,
    /// The addresses of the frames on the page, which are among the links too.
    pub frames: Vec<Url>,
    /// What the page is instead of content, if it looks like that.
    pub stand_in: Option<StandIn>,
    /// Pairs and passages in document order; empty when the page has no text of its own.
    pub items: Vec<Item>,
    /// Passages with phone numbers, addresses and opening hours from the page's footer and its
    /// declared business, which most sites repeat on every page.
    pub facts: Vec<Item>,
    /// Texts that are shown on the page and are in no item, in document order, at most
    /// [`OMISSIONS_MAX`](helpbot_domain::extraction::OMISSIONS_MAX).
    pub omitted: Vec<Omission>,
}

/// A page that is shown in place of the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum StandIn {
    /// A form to sign in, with hardly any other text.
    SignIn,
    /// A message that there is no such page, sent with a status of success.
    NotFound,
}

/// A piece of a page that can be indexed by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// A question with its answer.
    Pair {
        /// The question as shown, on one line, without its label ("Q:", "1.2.").
        question: String,
        /// The answer in restricted Markdown: paragraphs, lists, fenced code, **bold**, `code`,
        /// [links](absolute).
        answer: String,
        /// The category headings above the question, outermost first.
        context: Vec<String>,
        /// The fragment that leads to the question, without `#`.
        anchor: Option<String>,
    },
    /// Text that answers no question of the page.
    Passage {
        /// The headings above the text, outermost first.
        heading: Vec<String>,
        /// The text in the same restricted Markdown as an answer.
        text: String,
        /// The fragment that leads to the nearest heading, without `#`.
        anchor: Option<String>,
    },
}

impl Item {
    /// The answer or passage as plain text: no Markdown, paragraphs separated by line breaks.
    pub fn answer_text(&self) -> String {
        match self {
            Self::Pair { answer, .. } => markdown::plain(answer),
            Self::Passage { text, .. } => markdown::plain(text),
        }
    }
}

impl Page {
    /// The question/answer pairs of the page, in document order.
    pub fn pairs(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| matches!(item, Item::Pair { .. }))
    }
}
