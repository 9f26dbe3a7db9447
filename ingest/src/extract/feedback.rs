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

/// Prompts to ask that may begin other questions as well, folded and whole.
const ASKED: [&str; 9] = [
    "anyquestions",
    "havequestions",
    "haveaquestion",
    "gotquestions",
    "doyouhavequestions",
    "habensiefragen",
    "vousavezdesquestions",
    "avezvousdesquestions",
    "tienepreguntas",
];

/// What lists of links to other pages are called, folded and whole.
const RELATED: [&str; 32] = [
    "relatedposts",
    "peoplealsoask",
    "seealso",
    "sieheauch",
    "ähnlichebeiträge",
    "ähnlichefragen",
    "verwandtebeiträge",
    "verwandtethemen",
    "weitereartikel",
    "articlesassociés",
    "articlessimilaires",
    "articlesliés",
    "voiraussi",
    "véasetambién",
    "articolicorrelati",
    "artigosrelacionados",
    "gerelateerdeartikelen",
    "powiązaneartykuły",
    "похожиестатьи",
    "関連記事",
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

/// The words for "helpful", or how they begin, in the languages met most.
const HELPFUL: [&str; 22] = [
    "helpful",
    "useful",
    "hilfreich",
    "nützlich",
    "weitergeholfen",
    "utile",
    "utilité",
    "útil",
    "pomocn",
    "przydatn",
    "nuttig",
    "behulpzaam",
    "geholpen",
    "полезн",
    "помог",
    "hjälp",
    "hjelp",
    "nyttig",
    "hyödyllinen",
    "yardımcı",
    "役に立",
    "有帮助",
];

/// What a prompt for a vote calls the page that it is on.
const ARTICLES: [&str; 26] = [
    "article",
    "page",
    "answer",
    "information",
    "content",
    "post",
    "guide",
    "artikel",
    "beitrag",
    "seite",
    "antwort",
    "réponse",
    "artículo",
    "página",
    "respuesta",
    "articolo",
    "pagina",
    "risposta",
    "artigo",
    "resposta",
    "artykuł",
    "стать",
    "страниц",
    "artikkeli",
    "makale",
    "この",
];

/// Both answers of a vote.
const YES: [&str; 15] =
    ["yes", "ja", "oui", "sí", "si", "sì", "sim", "tak", "да", "evet", "kyllä", "ano", "はい", "是", "yep"];
const NO: [&str; 14] =
    ["no", "nein", "non", "não", "nie", "nee", "нет", "hayır", "ei", "ne", "nej", "nei", "いいえ", "否"];

/// How questions begin that ask whether the reader has more of them, folded.
const INVITATIONS: [&str; 24] = [
    "have",
    "doyouhave",
    "doyoustill",
    "still",
    "any",
    "gotany",
    "got",
    "haben",
    "hast",
    "noch",
    "vousavez",
    "avezvous",
    "tiene",
    "tienes",
    "hai",
    "avete",
    "aindatem",
    "temmais",
    "tem",
    "masz",
    "heeft",
    "heb",
    "увас",
    "остались",
];

/// What makes them more, folded.
const MORE: [&str; 22] = [
    "more",
    "other",
    "another",
    "further",
    "still",
    "additional",
    "any",
    "noch",
    "weitere",
    "autre",
    "encore",
    "más",
    "otra",
    "altre",
    "ancora",
    "mais",
    "outra",
    "ainda",
    "inne",
    "meer",
    "nog",
    "остались",
];

/// The words for "question", folded.
const QUESTIONS: [&str; 9] =
    ["question", "frage", "pregunta", "pergunta", "dúvida", "domand", "pytan", "vrag", "вопрос"];

/// The longest line that is a prompt in words that are not listed whole, in characters.
const LONGEST_PROMPT_CHARS: usize = 80;

/// The longest line that is a prompt, in bytes.
const LONGEST_PROMPT_BYTES: usize = 120;

/// The longest line that belongs to a vote ("31 out of 44 found this helpful"), in characters.
const LONGEST_VOTE_CHARS: usize = 70;

/// How many lines below a prompt may belong to it.
const VOTE_LINES: BlockId = 6;

/// Percentage of links from which the content below "Related articles" counts as a list of links.
const RELATED_LINK_PERCENT: usize = 40;

/// The text below a prompt that is worth keeping, in bytes: an address, opening hours.
const USEFUL_BYTES: usize = 60;

/// Marks prompts, their votes and lists of related links as boilerplate.
pub(crate) fn mark(flow: &mut Flow) {
    let sections = section_ends(flow);
    let mut at = 0;
    while at < flow.len() {
        let end = prompt_end(flow, at, sections[at as usize]);
        for id in at..end {
            flow.blocks[id as usize].is_boilerplate = true;
        }
        at = end.max(at + 1);
    }
}

/// Where the prompt that begins with a block ends; the block itself when it is none. The content below the block ends
/// with its section.
fn prompt_end(flow: &Flow, id: BlockId, section: BlockId) -> BlockId {
    let text = flow.text(id);
    if flow.block(id).is_boilerplate || text.len() > LONGEST_PROMPT_BYTES {
        return id;
    }
    let folded = question::fold(text);
    let begins = |words: &[&str]| words.iter().any(|word| folded.starts_with(word));
    let is_marked = question::is_marked(text);
    let is_short = text.chars().count() <= LONGEST_PROMPT_CHARS;
    let has_vote = || id + 1 < section && is_ballot(flow.text(id + 1));
    // "Was it good? Yes No" on one line.
    let has_own_vote =
        || text.rsplit_once(['?', '？', '؟']).is_some_and(|(asked, vote)| !asked.is_empty() && is_ballot(vote));
    if begins(&VOTES) || is_short && (is_marked && (names_help(text) || has_vote()) || has_own_vote()) {
        let lines = (id + 1..section.min(id + 1 + VOTE_LINES)).take_while(|&line| is_vote(flow, line));
        return id + 1 + lines.count() as BlockId;
    }
    let is_asked = flow.block(id).heading > 0 || is_marked;
    if begins(&FURTHER) || is_short && is_asked && (invites_questions(&folded) || ASKED.contains(&folded.as_str())) {
        // Phone numbers and opening hours stay, as a passage of their own.
        let is_useful = flow.size(id + 1..section) >= USEFUL_BYTES || has_digits(flow, id + 1..section);
        return if is_useful || flow.block(id).heading == 0 { id + 1 } else { section };
    }
    let is_related = RELATED.contains(&folded.as_str());
    if is_related && flow.link_percent(id + 1..section) >= RELATED_LINK_PERCENT { section } else { id }
}

/// For each block the end of the content below it: the next heading of its level or above it, or the next heading for a
/// line that is not a heading. One pass, since a page may have no headings at all.
fn section_ends(flow: &Flow) -> Vec<BlockId> {
    let mut ends = vec![flow.len(); flow.len() as usize];
    // The next heading of each level or above it; any heading for level 0.
    let mut next = [flow.len(); LEVELS];
    for id in (0..flow.len()).rev() {
        let level = usize::from(flow.block(id).heading).min(LEVELS - 1);
        ends[id as usize] = next[level];
        if level > 0 {
            next[0] = id;
            next[level..].fill(id);
        }
    }
    ends
}

/// No heading, and six levels of headings.
const LEVELS: usize = 7;

/// Whether a line has a word for "helpful" and one for the article or page that it is on.
fn names_help(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    has(&HELPFUL) && has(&ARTICLES)
}

/// Whether a folded line asks whether its reader has more questions.
fn invites_questions(folded: &str) -> bool {
    INVITATIONS.iter().any(|word| folded.starts_with(word))
        && MORE.iter().any(|word| folded.contains(word))
        && QUESTIONS.iter().any(|word| folded.contains(word))
}

/// Whether a line has nothing but both answers of a vote: "Yes No", "👍 👎".
fn is_ballot(text: &str) -> bool {
    if text.chars().count() > LONGEST_VOTE_CHARS {
        return false;
    }
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let is_all = |word: &&str| YES.contains(word) || NO.contains(word);
    let has_both = words.iter().any(|word| YES.contains(word)) && words.iter().any(|word| NO.contains(word));
    words.iter().all(is_all) && (has_both || text.contains('👎'))
}

fn is_vote(flow: &Flow, id: BlockId) -> bool {
    let text = flow.text(id);
    if flow.block(id).is_control {
        return true;
    }
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let has_vote = words.any(|word| YES.contains(&word) || NO.contains(&word));
    let is_count = HELPFUL.iter().any(|word| lower.contains(word)) && lower.bytes().any(|byte| byte.is_ascii_digit());
    let is_short = text.chars().count() <= LONGEST_VOTE_CHARS;
    is_short && (has_vote || is_count || text.contains('👍') || !text.chars().any(char::is_alphabetic))
}

fn has_digits(flow: &Flow, mut blocks: std::ops::Range<BlockId>) -> bool {
    blocks.any(|id| flow.text(id).bytes().filter(u8::is_ascii_digit).count() >= 5)
}
