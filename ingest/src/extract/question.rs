//! Whether a line is a question, in any language: marks, labels, and how questions begin.
//!
//! Used as evidence about a group of lines, never about a line alone: in a list of questions the
//! odd statement is one too.

mod labels;
mod switches;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

pub(crate) use labels::{Badge, answer_label, badge, is_answer_label, is_bare, label, without_bare_answer};

/// The longest line that is taken for a question, in characters: the longest on real pages are
/// error messages of some 250.
pub(crate) const LONGEST_QUESTION_CHARS: usize = 400;

/// The longest question, in characters, where the markup itself tells it from its answer: people
/// paste whole paragraphs of a rule and ask about it.
pub(crate) const LONGEST_ENCLOSED_CHARS: usize = 1200;

/// First words of questions in the languages met most; whole words, lower case.
///
/// Only words that seldom begin a title. Languages that put the question word last (Japanese,
/// Korean) or always write the mark need none.
const OPENERS: [&str; 118] = [
    "how",
    "what",
    "what's",
    "what’s",
    "why",
    "when",
    "where",
    "who",
    "which",
    "whose",
    "can",
    "could",
    "do",
    "does",
    "did",
    "is",
    "are",
    "isn't",
    "aren't",
    "doesn't",
    "don't",
    "will",
    "would",
    "should",
    "may",
    "am",
    "was",
    "were",
    "has",
    "have",
    "must", // en
    "wie",
    "was",
    "warum",
    "wieso",
    "weshalb",
    "wann",
    "wo",
    "woher",
    "wohin",
    "wer",
    "welche",
    "welcher",
    "welches",
    "welchen",
    "kann",
    "können",
    "muss",
    "darf",
    "gibt",
    "ist",
    "sind",
    "wofür",
    "womit",
    "brauche", // de
    "comment",
    "pourquoi",
    "quand",
    "où",
    "quel",
    "quelle",
    "quels",
    "quelles",
    "qui",
    "puis-je",
    "peut-on",
    "est-ce",
    "combien",
    "dois-je",
    "faut-il", // fr
    "cómo",
    "qué",
    "por",
    "cuándo",
    "dónde",
    "quién",
    "cuál",
    "cuáles",
    "cuánto",
    "puedo", // es
    "como",
    "quem",
    "quando",
    "onde",
    "qual",
    "quais",
    "quanto",
    "posso",
    "porque", // pt
    "come",
    "cosa",
    "perché",
    "dove",
    "quale",
    "quali", // it
    "hoe",
    "wat",
    "waarom",
    "wanneer",
    "waar",
    "welke", // nl
    "как",
    "что",
    "почему",
    "когда",
    "где",
    "кто",
    "какой",
    "какие",
    "можно",
    "зачем", // ru
    "كيف",
    "ما",
    "ماذا",
    "لماذا",
    "متى",
    "أين",
    "هل", // ar
];

/// Last words of questions in languages that need no mark: Thai, Chinese and Korean.
const LAST_WORDS: [&str; 15] = [
    "อย่างไร",
    "ยังไง",
    "ไหม",
    "หรือไม่",
    "หรือเปล่า",
    "อะไร",
    "ที่ไหน",
    "เมื่อไร",
    "เมื่อไหร่",
    "เท่าไร",
    "เท่าไหร่",
    "吗",
    "嗎",
    "까",
    "나요",
];

/// First words of people who tell their problem instead of asking ("I lost my key.").
const TELLERS: [&str; 34] = [
    "i", "i'm", "i’m", "i've", "i’ve", "i'd", "my", "we", "our", "help", // en
    "ich", "mein", "meine", "wir", "unsere", // de
    "je", "j'ai", "j’ai", "mon", "ma", "mes", "nous", // fr
    "no", "mi", "mis", "quiero", "necesito", // es
    "não", "meu", "minha", "quero", "preciso", // pt
    "я", "у", // ru
];

/// Whether a line ends in a question mark or carries a question's label.
pub(crate) fn is_marked(line: &str) -> bool {
    ends_in_mark(line) || line.trim_start().starts_with('¿') || label(line).is_some_and(|label| !is_list_letter(label))
}

/// Whether a label may as well be a letter of a lettered list: "d." or "f)", but not "Q:" or "F 3.".
///
/// Clauses of terms have such letters in a row, so that one of them always is the letter of a
/// question in some language, and another one that of an answer.
pub(crate) fn is_list_letter(label: &str) -> bool {
    let mut chars = label.trim().chars();
    let (letter, separator) = (chars.next(), chars.next());
    letter.is_some_and(|c| c.is_alphabetic() && !matches!(c, 'q' | 'Q'))
        && matches!(separator, Some('.' | ')' | '）' | '．'))
        && chars.next().is_none()
}

/// Whether a line ends in a question mark of any script, apart from brackets and quotes behind it.
/// Greek writes a semicolon.
pub(crate) fn ends_in_mark(line: &str) -> bool {
    let end = line.trim_end_matches(|c: char| {
        c.is_whitespace()
            || matches!(
                c,
                ')' | ']' | '"' | '”' | '’' | '\'' | '»' | '」' | '）' | '.' | '…' | '!' | '*' | '_' | '#' | '¶'
            )
    });
    let is_greek = || line.chars().any(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'));
    end.ends_with(['?', '？', '؟', '\u{37e}', '՞', '⁇', '⁈']) || end.ends_with(';') && is_greek()
}

/// From this likeness on a line counts as question-like.
pub(crate) const LIKELY: f32 = 0.7;

/// How much a line looks like a question: 0.0 not at all, 1.0 it says so itself.
pub(crate) fn likeness(line: &str) -> f32 {
    let line = line.trim();
    if is_marked(line) {
        return 1.0;
    }
    // A question and a second sentence: "I lost my key. What now? (see below)".
    if line.contains(['?', '？', '؟']) {
        return 0.8;
    }
    let bare = strip_label(line);
    let end = bare.trim_end_matches(['。', '．', '.', '！', '!']);
    if end.ends_with('か') || LAST_WORDS.iter().any(|word| end.ends_with(word)) {
        return 1.0;
    }
    // A Japanese title is a noun; a line that ends in a verb or adjective tells a problem or a wish.
    if !bare.contains('。') && end.ends_with(['い', 'る', 'ん', 'す', 'た', 'う', 'く']) {
        return 0.7;
    }
    let first = bare.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default();
    // "No, ..." answers.
    let answers = bare[first.len()..].starts_with(',');
    let first = first.to_lowercase();
    let is_opened = OPENERS.contains(&first.as_str()) || TELLERS.contains(&first.as_str()) && !answers;
    if bare.contains(' ') && is_opened { 0.7 } else { 0.0 }
}

/// The number at the head of a line ("1.2.", "(3)", "A.1.4."), with what separates it.
pub(crate) fn number(line: &str) -> Option<&str> {
    let start = line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '#'));
    if let Some(roman) = roman_number(start) {
        return Some(&line[..line.len() - start.len() + roman]);
    }
    let mut rest = start;
    if let Some(c) = rest.chars().next().filter(char::is_ascii_alphabetic)
        && rest[1..].starts_with('.')
        && rest[2..].starts_with(|c: char| c.is_ascii_digit())
    {
        rest = &rest[c.len_utf8() + 1..];
    }
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let taken = &rest[..rest.len() - digits.len()];
    if taken.is_empty() || !taken.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if taken.split('.').any(|part| part.len() > 3) {
        return None;
    }
    let is_separated = taken.ends_with('.')
        || digits.starts_with([')', ']', ':', '：', '．', '、', '-'])
        || (taken.contains('.') || line.trim_start().starts_with(['(', '[', '#'])) && digits.starts_with(' ');
    if !is_separated && !digits.trim().is_empty() {
        return None;
    }
    let end = digits
        .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ')' | ']' | ':' | '：' | '．' | '、' | '-'));
    Some(&line[..line.len() - end.len()])
}

/// The length of a Roman number below 40 at the head of a line, with what separates it ("IV. ", "XII) ").
fn roman_number(line: &str) -> Option<usize> {
    let signs = line.bytes().take_while(|byte| matches!(byte, b'I' | b'V' | b'X')).count();
    let rest = &line[signs..];
    let after = rest.strip_prefix(['.', ')'])?;
    let text = after.trim_start();
    ((1..=6).contains(&signs) && after.len() > text.len() && !text.is_empty()).then(|| line.len() - text.len())
}

/// A line without the labels and numbers at its head; the line itself when nothing else is left.
pub(crate) fn strip_label(line: &str) -> &str {
    strip(line, label)
}

/// An answer's first line without its label; `rest` is what follows it.
pub(crate) fn strip_answer_label<'a>(line: &'a str, rest: &str) -> &'a str {
    let bare = line.trim_start();
    // "a. ..." before "b. ..." begins a list.
    let label = answer_label(bare).filter(|label| !is_list_letter(label) || !goes_on(rest, label));
    let rest = label.map_or(bare, |label| bare[label.len()..].trim_start());
    if rest.is_empty() { line } else { rest }
}

/// Whether a line of a text begins with the letter that follows a label.
fn goes_on(text: &str, label: &str) -> bool {
    let first = label.trim().chars().next().unwrap_or_default();
    let next = char::from_u32(first as u32 + 1).unwrap_or_default();
    text.lines().any(|line| {
        let mut chars = line.trim_start().chars();
        chars.next() == Some(next) && matches!(chars.next(), Some('.' | ')'))
    })
}

fn strip(line: &str, label: fn(&str) -> Option<&str>) -> &str {
    let mut rest = line.trim();
    for find in [label, number, label] {
        let bare = rest.trim_start_matches(['•', '▸', '▶', '►', '»', '›', '>', '+', '▼', '▾', '–', '—', '-', ' ']);
        let next = find(bare).map_or(bare, |head| bare[head.len()..].trim_start());
        if !next.is_empty() {
            rest = next;
        }
    }
    let rest =
        rest.trim_end_matches(['#', '¶', '▼', '▾', '▲', '▴', '⌄', '⌃', '˅', '˄', '🔽', '🔼', '➕', '➖', '+', ' ']);
    let rest = switches::without_switch(switches::without_sign(rest));
    // The mark of a footnote behind the question mark.
    let bare = rest.trim_end_matches(['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹', ' ']);
    if ends_in_mark(bare) { bare } else { rest }
}

/// A text reduced to its letters and digits, folded: equal for the same question shown twice.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase() as char).collect();
    }
    let is_normal = text.chars().all(is_stable) || is_nfkc_quick(text.chars()) == IsNormalized::Yes;
    if is_normal { letters(text.chars()) } else { letters(text.nfkc()) }
}

/// Whether normalization never changes a character among others of this kind: letters of Latin, Cyrillic, kana and
/// ideographs without compatibility forms, and common punctuation.
fn is_stable(c: char) -> bool {
    is_kana_or_ideograph(c)
        || matches!(c, '\0'..='\u{7f}' | '\u{c0}'..='\u{131}' | '\u{400}'..='\u{45f}' | '\u{2018}'..='\u{201d}'
            | '\u{3001}'..='\u{3002}' | '\u{300c}'..='\u{300f}' | '\u{30fb}'..='\u{30fc}')
}

/// Whether a character is one of the common kana and ideographs: letters that have no case.
fn is_kana_or_ideograph(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}')
}

/// The letters and digits, in lower case.
fn letters(chars: impl Iterator<Item = char>) -> String {
    let mut out = String::new();
    for c in chars {
        match c {
            c if is_kana_or_ideograph(c) => out.push(c),
            c if c.is_ascii() => out.extend(c.is_ascii_alphanumeric().then(|| c.to_ascii_lowercase())),
            c => out.extend(c.to_lowercase().filter(|c| c.is_alphanumeric())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_folded_as_by_normalization_also_before_a_combining_mark() {
        let folded = |text: &str| -> String {
            text.nfkc().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()).collect()
        };
        for c in ('\0'..='\u{2ffff}').chain('\u{e0000}'..='\u{e01ff}') {
            for text in [format!("{c}"), format!("Ä{c}あ"), format!("{c}\u{308}"), format!("{c}\u{3099}é")] {
                assert_eq!(fold(&text), folded(&text), "{text:?}");
            }
        }
    }
}
