//! Recognizes messages that ask for a human: "I want to talk to a person, please".
//!
//! As with [small talk](crate::smalltalk), only a message that contains nothing else counts. "Can a person open two
//! accounts?" is a question, so that a visitor never gets a human in place of an answer. The phrases exist in the
//! languages of small talk.

mod phrases;

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{normalization, smalltalk};
use phrases::{POLITE, REQUESTS};

/// Maximum length of a message that can ask for a human, in characters.
const MAX_CHARS: usize = 80;

/// Returns the language of a message that asks for a human and nothing else. `None` for all other messages.
pub fn human_request(message: &str) -> Option<&'static str> {
    if message.chars().count() > MAX_CHARS {
        return None;
    }
    let text = normalization::normalize(message);
    let words = smalltalk::words(&text);
    let (mut found, mut rest) = (None, words.as_slice());
    while !rest.is_empty() {
        let (language, length) = match longest(rest) {
            Some(phrase) => (Some(phrase.language).filter(|_| phrase.is_request), phrase.words.len()),
            None => (None, smalltalk::phrase_length(rest)?),
        };
        found = found.or(language);
        rest = &rest[length..];
    }
    found
}

struct Phrase {
    language: &'static str,
    words: Vec<String>,
    /// Whether the phrase asks for a human. Others are polite words around it.
    is_request: bool,
}

fn longest(words: &[&str]) -> Option<&'static Phrase> {
    let begins = |phrase: &&Phrase| {
        phrase.words.len() <= words.len() && phrase.words.iter().zip(words).all(|(one, other)| one == other)
    };
    BY_FIRST_WORD.get(*words.first()?)?.iter().find(begins)
}

/// Phrases by their first word, the longest first.
static BY_FIRST_WORD: LazyLock<HashMap<String, Vec<Phrase>>> = LazyLock::new(|| {
    let mut phrases: HashMap<String, Vec<Phrase>> = HashMap::new();
    let mut add = |language, text: &str, is_request| {
        let text = normalization::normalize(text);
        let words: Vec<String> = smalltalk::words(&text).into_iter().map(str::to_owned).collect();
        if let Some(first) = words.first().cloned() {
            phrases.entry(first).or_default().push(Phrase { language, words, is_request });
        }
    };
    for (language, polite) in POLITE {
        polite.split(", ").for_each(|text| add(language, text, false));
    }
    for (language, before, who, after) in REQUESTS {
        for before in before.split(", ") {
            for who in who.split(", ") {
                after.split(", ").for_each(|after| add(language, &format!("{before} {who} {after}"), true));
            }
        }
    }
    for of_word in phrases.values_mut() {
        // The sort is stable, so requests, which are added last, must come before polite words of the same length.
        of_word.sort_by_key(|phrase| (Reverse(phrase.words.len()), !phrase.is_request));
    }
    phrases
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_for_a_human_is_recognized_in_its_language() {
        for (message, language) in [
            ("I want to talk to a human", "en"),
            ("Hi, can I speak to a real person please?", "en"),
            ("Could I talk to someone from your team? Thanks!", "en"),
            ("HUMAN", "en"),
            ("i'd like a live agent", "en"),
            ("Ich möchte mit einem Menschen sprechen", "de"),
            ("Kann ich bitte mit einem Mitarbeiter reden?", "de"),
            ("Guten Tag, ich würde gerne mit jemandem vom Team sprechen.", "de"),
            ("Je voudrais parler à un conseiller, s'il vous plaît", "fr"),
            ("Puis-je parler à quelqu’un ?", "fr"),
            ("¿Puedo hablar con una persona?", "es"),
            ("Vorrei parlare con un operatore", "it"),
            ("Quero falar com um atendente", "pt"),
            ("Ik wil graag met een medewerker spreken", "nl"),
            ("Jag vill prata med en människa", "sv"),
            ("Jeg vil gerne tale med en medarbejder", "da"),
            ("Jeg vil gjerne snakke med en ansatt", "no"),
            ("Haluaisin puhua ihmisen kanssa", "fi"),
            ("Chcę porozmawiać z człowiekiem", "pl"),
            ("Chtěl bych mluvit s operátorem", "cs"),
            ("Szeretnék beszélni egy ügyintézővel", "hu"),
            ("Vreau să vorbesc cu un operator", "ro"),
            ("Müşteri temsilcisiyle görüşmek istiyorum", "tr"),
            ("Хочу поговорить с живым человеком", "ru"),
            ("Хочу поговорити з оператором", "uk"),
            ("Θέλω να μιλήσω με έναν εκπρόσωπο", "el"),
            ("أريد التحدث مع موظف", "ar"),
            ("אני רוצה לדבר עם נציג", "he"),
            ("می‌خواهم با یک کارشناس صحبت کنم", "fa"),
            ("मुझे किसी इंसान से बात करनी है", "hi"),
            ("ขอคุยกับเจ้าหน้าที่ค่ะ", "th"),
            ("Tôi muốn nói chuyện với nhân viên", "vi"),
            ("Saya ingin bicara dengan manusia", "id"),
            ("转人工", "zh"),
            ("オペレーターと話したいです", "ja"),
            ("상담원과 이야기하고 싶어요", "ko"),
        ] {
            assert_eq!(human_request(message), Some(language), "{message}");
        }
    }

    #[test]
    fn a_question_about_people_is_a_question() {
        for message in [
            "Can a person open two accounts?",
            "How do I talk to a human at the bank?",
            "I want to talk to a human about my order 12345",
            "Do you have human hair wigs?",
            "Who is the manager?",
            "support",
            "please",
            "I want to",
            "Hello!",
            "Ist ein Mensch haftbar?",
            "Is anybody there?",
            "",
        ] {
            assert_eq!(human_request(message), None, "{message}");
        }
    }

    #[test]
    fn every_language_of_small_talk_can_ask_for_a_human() {
        let of_requests: std::collections::BTreeSet<&str> = REQUESTS.iter().map(|(language, ..)| *language).collect();
        let of_small_talk: std::collections::BTreeSet<&str> = smalltalk::languages().collect();

        assert_eq!(of_requests, of_small_talk);
    }
}
