//! Addresses that lead a browser to a sentence of a page: text fragments (WICG
//! scroll-to-text-fragment), such as `https://a.example/faq#:~:text=within%2030%20days`.
//!
//! A browser that does not find the text opens the page at its heading anchor, which stays in the
//! address. The functions are pure; `citing` calls them with the texts of the page.

use std::fmt::Write as _;

use helpbot_domain::text;

use super::is_linkable;
use crate::normalization::is_bigram_text;

/// Begins the directive in the fragment of an address.
const DIRECTIVE: &str = ":~:";
/// Maximum length of a sentence that is named as a whole, in characters. Of a longer one, the first
/// and the last words are named, which also finds it across line breaks.
const MAX_EXACT_CHARS: usize = 80;
/// Maximum length of a sentence in a script without spaces that is named as a whole.
const MAX_UNSPACED_CHARS: usize = 300;
/// Number of words at each end of a long sentence, and of the context of an ambiguous one.
const END_WORDS: usize = 4;
/// Maximum length of the address. Longer ones do not survive mail programs and logs.
const MAX_ADDRESS_BYTES: usize = 2_000;
/// Extensions of documents that a browser does not show as a web page.
const DOCUMENTS: [&str; 13] =
    ["pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "csv", "ppt", "pptx", "epub", "zip"];

/// A sentence in the text of its page. All texts are plain and have single spaces.
#[derive(Debug, Clone, Copy)]
pub(super) struct QuotePlace<'a> {
    /// The sentence, in pieces that the page shows in blocks of their own, such as the cells of a
    /// row.
    pub pieces: &'a [String],
    /// The text before the sentence.
    pub before: &'a str,
    /// The text after the sentence.
    pub after: &'a str,
    /// Texts of the page that can contain the sentence or its ends. `None` when there are too many to
    /// look at; the sentence is then named with its context.
    pub page: Option<&'a str>,
}

/// Returns the address of the page with a directive that names the sentence. `None` when the page
/// cannot have one ([`is_possible`]), and for a sentence that cannot be named.
pub(super) fn address(url: &str, place: QuotePlace<'_>) -> Option<String> {
    let sign = if url.contains('#') { "" } else { "#" };
    let address = format!("{url}{sign}{DIRECTIVE}text={}", terms(place)?);
    (is_possible(url) && address.len() <= MAX_ADDRESS_BYTES).then_some(address)
}

/// Whether an address is that of a web page and can get a directive.
pub(super) fn is_possible(url: &str) -> bool {
    let fragment = url.split_once('#').map(|(_, fragment)| fragment);
    let is_anchor = |fragment: &str| {
        // A route of a script, or a place in a document viewer.
        !fragment.contains(DIRECTIVE) && !fragment.starts_with(['/', '!']) && !fragment.contains('=')
    };
    is_linkable(url) && !is_document(url) && fragment.is_none_or(is_anchor)
}

fn is_document(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let extension = path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map(|(_, extension)| extension);
    extension.is_some_and(|extension| DOCUMENTS.iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

/// The terms of the directive: `[prefix-,]start[,end][,-suffix]`.
fn terms(place: QuotePlace<'_>) -> Option<String> {
    let page = place.page.map(text::folded);
    let count = |term: &str| page.as_ref().map_or(usize::MAX, |page| page.matches(&text::folded(term)).count());
    let (start, end) = ends(place.pieces, &count)?;
    let mut terms = encoded(&start);
    if let Some(end) = end {
        terms = format!("{terms},{}", encoded(&end));
    }
    if count(&start) > 1 {
        // A term of the context ends where the sentence begins, so that whole words are named.
        let prefix = last_words(place.before);
        let suffix = first_words(place.after);
        if !prefix.is_empty() {
            terms = format!("{}-,{terms}", encoded(&prefix));
        }
        if !suffix.is_empty() {
            terms = format!("{terms},-{}", encoded(&suffix));
        }
    }
    Some(terms)
}

/// The text with which the sentence begins, and the one with which it ends. Without the second, the
/// first is the whole sentence.
fn ends(pieces: &[String], count: &impl Fn(&str) -> usize) -> Option<(String, Option<String>)> {
    let (first, last) = (pieces.first()?, pieces.last()?);
    if pieces.len() > 1 {
        return Some((first.clone(), Some(last.clone())));
    }
    let chars = first.chars().count();
    if is_unspaced(first) {
        return if chars <= MAX_UNSPACED_CHARS { Some((first.clone(), None)) } else { clauses(first) };
    }
    let words: Vec<&str> = first.split(' ').collect();
    if chars <= MAX_EXACT_CHARS || words.len() < 2 * END_WORDS {
        return (chars <= MAX_UNSPACED_CHARS).then(|| (first.clone(), None));
    }
    let mut length = END_WORDS;
    while length < words.len() / 2 && count(&words[..length].join(" ")) > 1 {
        length += 1;
    }
    let end = words[words.len() - END_WORDS..].join(" ");
    Some((words[..length].join(" "), Some(end)))
}

/// The first and the last clause of a sentence without spaces. A browser finds only whole words, and
/// where they end is certain only at a mark.
fn clauses(sentence: &str) -> Option<(String, Option<String>)> {
    let marks = ['、', '，', '；', '：'];
    let first = sentence.find(marks)?;
    let (last, mark) = sentence.rmatch_indices(marks).next()?;
    Some((sentence[..first].to_owned(), Some(sentence[last + mark.len()..].to_owned())))
}

fn is_unspaced(text: &str) -> bool {
    let spaces = text.matches(' ').count();
    is_bigram_text(text) || spaces * MAX_WORD_CHARS < text.chars().filter(|c| !c.is_ascii()).count()
}

/// Number of characters beyond which a "word" is a text without spaces.
const MAX_WORD_CHARS: usize = 20;

fn last_words(text: &str) -> String {
    let mut words: Vec<&str> = text.split(' ').rev().filter(|word| !word.is_empty()).take(END_WORDS).collect();
    words.reverse();
    known(&words)
}

fn first_words(text: &str) -> String {
    known(&text.split(' ').filter(|word| !word.is_empty()).take(END_WORDS).collect::<Vec<_>>())
}

/// A context, or nothing where its words cannot be told apart.
fn known(words: &[&str]) -> String {
    let text = words.join(" ");
    if text.chars().count() <= MAX_EXACT_CHARS { text } else { String::new() }
}

/// Percent-encodes a term. Beside letters and digits of ASCII, only signs that have no meaning in a
/// directive and that no Markdown link ends at are kept.
fn encoded(term: &str) -> String {
    let mut encoded = String::with_capacity(term.len() * 2);
    for byte in term.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "Returns Send it back within 30 days. Delivery It takes 3-5 days, on average. Exchanges Send \
        it back within 30 days.";

    fn of(url: &str, sentence: &[&str], before: &str, after: &str, page: &str) -> Option<String> {
        let pieces: Vec<String> = sentence.iter().map(|piece| (*piece).to_owned()).collect();
        address(url, QuotePlace { pieces: &pieces, before, after, page: Some(page) })
    }

    #[test]
    fn a_short_sentence_is_named_as_a_whole_with_its_signs_encoded() {
        let found = of("https://a.example/faq", &["It takes 3-5 days, on average."], "", "", PAGE);

        let wanted = "https://a.example/faq#:~:text=It%20takes%203%2D5%20days%2C%20on%20average.";
        assert_eq!(found.as_deref(), Some(wanted));
    }

    #[test]
    fn a_heading_anchor_stays_for_browsers_that_do_not_find_the_text() {
        let found = of("https://a.example/faq?x=1#returns", &["Ja & nein"], "", "", "Ja & nein");

        assert_eq!(found.as_deref(), Some("https://a.example/faq?x=1#returns:~:text=Ja%20%26%20nein"));
    }

    #[test]
    fn an_ambiguous_sentence_gets_the_words_around_it() {
        let sentence = ["Send it back within 30 days."];

        let first = of("https://a.example/faq", &sentence, "Returns", "Delivery It takes 3-5 days", PAGE);
        let last = of("https://a.example/faq", &sentence, "days, on average. Exchanges", "", PAGE);

        let within = "Send%20it%20back%20within%2030%20days.";
        let wanted = format!("https://a.example/faq#:~:text=Returns-,{within},-Delivery%20It%20takes%203%2D5");
        assert_eq!(first, Some(wanted));
        let wanted = format!("https://a.example/faq#:~:text=days%2C%20on%20average.%20Exchanges-,{within}");
        assert_eq!(last, Some(wanted));
    }

    #[test]
    fn a_long_sentence_is_named_by_its_ends_which_are_unique() {
        let long = "You can send it back to the warehouse in the same parcel with the label that we print for you.";
        let page = format!("You can send it by post. {long}");

        let found = of("https://a.example/", &[long], "", "", &page);

        let wanted = "https://a.example/#:~:text=You%20can%20send%20it%20back,we%20print%20for%20you.";
        assert_eq!(found.as_deref(), Some(wanted));
    }

    #[test]
    fn a_row_is_named_by_its_first_and_last_cell() {
        let found = of("https://a.example/", &["Austria", "7.90 EUR"], "", "", "Austria 7.90 EUR");

        assert_eq!(found.as_deref(), Some("https://a.example/#:~:text=Austria,7.90%20EUR"));
    }

    #[test]
    fn a_sentence_without_spaces_is_never_cut_inside_a_word() {
        let short = "返品は30日以内に可能です。";
        let long = format!("はい、{}、お送りください。", "返品できます".repeat(60));

        assert!(of("https://a.example/", &[short], "", "", short).unwrap().ends_with("%E3%80%82"));
        let wanted = format!("https://a.example/#:~:text={},{}", encoded("はい"), encoded("お送りください。"));
        assert_eq!(of("https://a.example/", &[&long], "", "", &long), Some(wanted));
    }

    #[test]
    fn other_documents_routes_and_existing_directives_get_none() {
        for url in [
            "https://a.example/terms.PDF?x",
            "https://a.example/terms.pdf#page=2",
            "https://a.example/viewer#page=2",
            "https://a.example/#/faq",
            "https://a.example/#!faq",
            "https://a.example/#a:~:text=x",
            "mailto:a@a.example",
            "report.html",
        ] {
            assert_eq!(of(url, &["Yes it is."], "", "", "Yes it is."), None, "{url}");
        }
    }
}
