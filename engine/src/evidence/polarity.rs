//! Whether a text is negated, and whether a question selects things by it.

use crate::normalization::normalize;

/// Words that negate a sentence, in normalized form.
const NEGATIONS: [&str; 66] = [
    "not",
    "cannot",
    "without",
    "never",
    "nobody",
    "none",
    "neither",
    "except",
    "excluded", // en
    "nicht",
    "kein",
    "keine",
    "keinen",
    "keinem",
    "keiner",
    "ohne",
    "nie",
    "niemals",
    "niemand",
    "ausgenommen", // de
    "pas",
    "sans",
    "jamais",
    "aucun",
    "aucune",
    "sauf", // fr
    "sin",
    "nunca",
    "ningun",
    "ningún",
    "ninguna",
    "excepto",
    "tampoco", // es
    "senza",
    "mai",
    "nessun",
    "nessuna",
    "tranne", // it
    "não",
    "nao",
    "sem",
    "exceto", // pt
    "niet",
    "geen",
    "zonder",
    "nooit",
    "behalve", // nl
    "inte",
    "ej",
    "utan",
    "ikke",
    "uden",
    "uten", // nordic
    "nie",
    "bez",
    "не",
    "без",
    "нельзя", // slavic
    "değil",
    "degil", // tr
    "không",
    "chưa", // vi
    "لا",
    "ليس",
    "غير",
    "بدون", // ar
];
/// Characters and endings that negate in scripts without spaces.
const NEGATIONS_INSIDE: [&str; 14] =
    ["不能", "不可", "不会", "不需", "不用", "没有", "無", "ない", "ません", "なし", "않", "없", "못 ", "ไม่"];
/// Words that ask to select persons, things or times. "Why" and "how" do not: "why can I not log in" is a problem.
const SELECTORS: [&str; 45] = [
    "what",
    "which",
    "who",
    "whom",
    "when",
    "where", // en
    "was",
    "welche",
    "welcher",
    "welches",
    "welchen",
    "wer",
    "wann",
    "wo", // de
    "quel",
    "quelle",
    "quels",
    "quelles",
    "qui",
    "quand",
    "où",
    "que", // fr
    "qué",
    "cuál",
    "cuáles",
    "quién",
    "quiénes",
    "cuándo",
    "dónde", // es
    "quale",
    "quali",
    "chi",
    "cosa", // it
    "qual",
    "quais",
    "quem",
    "quando", // pt
    "wat",
    "welk",
    "wie", // nl
    "vad",
    "vilka",
    "hvilke", // nordic
    "что",
    "какие", // ru
];
/// Words after which a negation belongs to a condition: "what happens if it does not arrive".
const CONDITIONS: [&str; 19] = [
    "if", "when", "because", "happens", "wenn", "falls", "passiert", "tun", "si", "parce", "porque", "se", "als", "om",
    "hvis", "если", "jeśli", "eğer", "إذا",
];
/// Number of words within which a selector must stand at the start of a question: "on which days".
const SELECTOR_WORDS: usize = 3;

/// Negation of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Polarity {
    /// Whether the text contains a negation.
    pub is_negated: bool,
    /// Whether the text asks which persons, things or times something is true for.
    pub selects: bool,
}

impl Polarity {
    /// Reads a text in any of the languages that the lists cover.
    pub fn of(text: &str) -> Self {
        let text = normalize(text);
        let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
        let negates = |word: &str| word.ends_with("n't") || NEGATIONS.contains(&word) || is_negated_adjective(word);
        let is_condition = words.clone().skip(1).any(|word| CONDITIONS.contains(&word));
        let is_negated = words.clone().any(negates) || NEGATIONS_INSIDE.iter().any(|sign| text.contains(sign));
        let selects = !is_condition && words.take(SELECTOR_WORDS).any(|word| SELECTORS.contains(&word));
        Self { is_negated, selects }
    }
}

/// English adjectives such as "non-refundable", "ineligible" and "unavailable".
fn is_negated_adjective(word: &str) -> bool {
    let stem = ["non", "un", "in"].iter().find_map(|prefix| word.strip_prefix(prefix));
    word == "non" || stem.is_some_and(|stem| stem.len() > 5 && (stem.ends_with("able") || stem.ends_with("ible")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn negation_is_recognized_in_several_languages() {
        for text in [
            "What can't I bring?",
            "Was darf ich nicht mitbringen?",
            "Qui n'a pas besoin de billet ?",
            "不能退货的商品",
        ] {
            assert!(Polarity::of(text).is_negated, "{text}");
        }
        assert!(!Polarity::of("What can I bring?").is_negated);
    }

    #[test]
    fn a_problem_does_not_select() {
        assert!(Polarity::of("On which days are you not open?").selects);
        assert!(!Polarity::of("Why can I not log in?").selects);
        assert!(!Polarity::of("I can't log in").selects);
    }
}
