//! Parts of a page that ask its reader for something: "Was this helpful?", "Have more questions?",
//! related links. They look like questions and answer none.
//!
//! Called by `flatten` once the blocks of the page are known. A prompt and what belongs to it become
//! boilerplate; contact details below a prompt are kept as text.

use super::flow::{BlockId, Flow};
use super::question;

/// How prompts for a vote begin, folded to letters and digits.
const VOTES: [&str; 26] = [
    "wasthishelpful",
    "wasthisarticlehelpful",
    "wasthispagehelpful",
    "wasthisanswerhelpful",
    "wasthisinformationhelpful",
    "wasthisuseful",
    "wasthisarticleuseful",
    "wasthispageuseful",
    "didthishelp",
    "didthisarticlehelp",
    "didthispagehelp",
    "didthisansweryourquestion",
    "didthisarticleansweryourquestion",
    "didthissolveyourproblem",
    "didyoufindthis",
    "didyoufindwhatyou",
    "wardieserartikelhilfreich",
    "wardieseseitehilfreich",
    "wardashilfreich",
    "hatihnendieserartikel",
    "cetarticlevousatil",
    "cettepagevousatelle",
    "fueútilestearticulo",
    "fueútilesteartículo",
    "esteartigofoiútil",
    "questoarticoloèstatoutile",
];

/// How prompts to ask further begin, folded.
const FURTHER: [&str; 18] = [
    "havemorequestions",
    "havemorequestion",
    "stillhavequestions",
    "stillhaveaquestion",
    "stillneedhelp",
    "needmorehelp",
    "morequestions",
    "haveanotherquestion",
    "cantfindwhatyoure",
    "cantfindwhatyouare",
    "cantfindananswer",
    "didntfindwhat",
    "nochfragen",
    "habensienochfragen",
    "weiterefragen",
    "vousavezdautresquestions",
    "tienesmáspreguntas",
    "aindatemdúvidas",
];

/// What lists of links to other pages are called, folded and whole.
const RELATED: [&str; 12] = [
    "relatedarticles",
    "relatedquestions",
    "relatedcontent",
    "relatedtopics",
    "relatedlinks",
    "relatedpages",
    "recentlyviewedarticles",
    "youmayalsolike",
    "ähnlicheartikel",
    "verwandteartikel",
    "articlesconnexes",
    "artículosrelacionados",
];

/// The longest line that is a prompt, in bytes.
const LONGEST_PROMPT_BYTES: usize = 120;

/// The longest line that belongs to a vote ("31 out of 44 found this helpful"), in bytes.
const LONGEST_VOTE_BYTES: usize = 60;

/// How many lines below a prompt may belong to it.
const VOTE_LINES: BlockId = 6;

/// Percentage of links from which the content below "Related articles" counts as a list of links.
const RELATED_LINK_PERCENT: usize = 40;

/// The text below a prompt that is worth keeping, in bytes: an address, opening hours.
const USEFUL_BYTES: usize = 60;

/// Marks prompts, their votes and lists of related links as boilerplate.
pub(crate) fn mark(flow: &mut Flow) {
    let mut at = 0;
    while at < flow.len() {
        let end = prompt_end(flow, at);
        for id in at..end {
            flow.blocks[id as usize].is_boilerplate = true;
        }
        at = end.max(at + 1);
    }
}

/// Where the prompt that begins with a block ends; the block itself when it is none.
fn prompt_end(flow: &Flow, id: BlockId) -> BlockId {
    let text = flow.text(id);
    if flow.block(id).is_boilerplate || text.len() > LONGEST_PROMPT_BYTES {
        return id;
    }
    let folded = question::fold(text);
    let begins = |words: &[&str]| words.iter().any(|word| folded.starts_with(word));
    let section = section_end(flow, id);
    if begins(&VOTES) {
        let lines = (id + 1..section.min(id + 1 + VOTE_LINES)).take_while(|&line| is_vote(flow, line));
        return id + 1 + lines.count() as BlockId;
    }
    if begins(&FURTHER) {
        // Phone numbers and opening hours stay, as a passage of their own.
        let is_useful = flow.size(id + 1..section) >= USEFUL_BYTES || has_digits(flow, id + 1..section);
        return if is_useful || flow.block(id).heading == 0 { id + 1 } else { section };
    }
    let is_related = RELATED.contains(&folded.as_str());
    if is_related && flow.link_percent(id + 1..section) >= RELATED_LINK_PERCENT { section } else { id }
}

/// The end of the content below a heading. For a line that is not a heading, the end of its list.
fn section_end(flow: &Flow, id: BlockId) -> BlockId {
    let level = flow.block(id).heading;
    let ends = |&next: &BlockId| {
        let heading = flow.block(next).heading;
        heading > 0 && (level == 0 || heading <= level)
    };
    (id + 1..flow.len()).find(ends).unwrap_or(flow.len())
}

fn is_vote(flow: &Flow, id: BlockId) -> bool {
    const VOTE_WORDS: [&str; 12] =
        ["yes", "no", "ja", "nein", "oui", "non", "sí", "não", "sim", "helpful", "hilfreich", "👍"];
    let text = flow.text(id);
    if flow.block(id).is_control {
        return true;
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    let has_vote = words.any(|word| VOTE_WORDS.contains(&word.as_str()));
    text.len() <= LONGEST_VOTE_BYTES && (has_vote || !text.chars().any(char::is_alphabetic))
}

fn has_digits(flow: &Flow, mut blocks: std::ops::Range<BlockId>) -> bool {
    blocks.any(|id| flow.text(id).bytes().filter(u8::is_ascii_digit).count() >= 5)
}
