//! Recognizes messages that ask nothing: greetings, thanks, farewells.
//!
//! Only a message that contains nothing else counts. "hi, where is my order" is a question, so that
//! a visitor never gets a pleasantry in place of an answer.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::normalization;

/// The kind of a pleasantry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmallTalk {
    /// "Hello", "good morning", "how are you".
    Hello,
    /// "Thanks", "great, thank you", a thumbs up.
    Thanks,
    /// "Bye", "see you".
    Bye,
}

/// Maximum length of a message that can be small talk, in characters.
const MAX_CHARS: usize = 60;

/// Returns the kind of small talk and the language of its words. `None` when the message contains
/// anything else.
pub fn recognize(message: &str) -> Option<(SmallTalk, Option<&'static str>)> {
    if message.chars().count() > MAX_CHARS {
        return None;
    }
    let text = normalization::normalize(message);
    let words = words(&text);
    if words.is_empty() {
        return emoji(message).map(|kind| (kind, None));
    }
    consume(&words)
}

/// Splits a normalized text into words.
pub(crate) fn words(text: &str) -> Vec<&str> {
    let is_end = |c: char| !(c.is_alphanumeric() || c == '\'' || is_mark(c));
    text.split(is_end).filter(|word| !word.is_empty()).collect()
}

/// Returns the number of words of the longest phrase that the words begin with. `None` when they begin with none.
pub(crate) fn phrase_length(words: &[&str]) -> Option<usize> {
    longest(words).map(|(_, _, length)| length)
}

/// Reads phrases from the front, the longest first. The last phrase that is not a filler decides
/// the kind.
fn consume(words: &[&str]) -> Option<(SmallTalk, Option<&'static str>)> {
    let mut found = None;
    let mut rest = words;
    while !rest.is_empty() {
        let (kind, language, length) = longest(rest)?;
        if let Some(kind) = kind {
            found = Some((kind, Some(language)));
        }
        rest = &rest[length..];
    }
    found
}

fn longest(words: &[&str]) -> Option<(Option<SmallTalk>, &'static str, usize)> {
    let phrases = BY_FIRST_WORD.get(words.first()?)?;
    let begins = |phrase: &&SmalltalkPhrase| words.starts_with(&phrase.words);
    phrases.iter().find(begins).map(|phrase| (phrase.kind, phrase.language, phrase.words.len()))
}

struct SmalltalkPhrase {
    kind: Option<SmallTalk>,
    language: &'static str,
    words: Vec<&'static str>,
}

/// Phrases by their first word, the longest first. Nearly every message begins with none of them.
static BY_FIRST_WORD: LazyLock<HashMap<&'static str, Vec<SmalltalkPhrase>>> = LazyLock::new(|| {
    let mut phrases: HashMap<_, Vec<SmalltalkPhrase>> = HashMap::new();
    for (kind, language, line) in LINES {
        for phrase in line.split(", ") {
            let words: Vec<&str> = phrase.split(' ').collect();
            phrases.entry(words[0]).or_default().push(SmalltalkPhrase { kind: *kind, language, words });
        }
    }
    for of_word in phrases.values_mut() {
        // The sort is stable: of equal phrases in two languages, the first listed counts.
        of_word.sort_by_key(|phrase| Reverse(phrase.words.len()));
    }
    phrases
});

fn emoji(message: &str) -> Option<SmallTalk> {
    let first = message.trim().chars().next()?;
    match first {
        '👋' => Some(SmallTalk::Hello),
        '👍' | '🙏' | '❤' | '😊' | '🙂' => Some(SmallTalk::Thanks),
        _ => None,
    }
}

/// Vowel signs and other marks inside words of Indic scripts and Thai.
fn is_mark(c: char) -> bool {
    matches!(u32::from(c), 0x0900..=0x0E7F)
}

const HELLO: Option<SmallTalk> = Some(SmallTalk::Hello);
const THANKS: Option<SmallTalk> = Some(SmallTalk::Thanks);
const BYE: Option<SmallTalk> = Some(SmallTalk::Bye);

/// Kind (`None` for a filler), language, phrases in normalized form.
const LINES: &[(Option<SmallTalk>, &str, &str)] = &[
    (
        None,
        "en",
        "there, everyone, all, bot, helpbot, team, guys, sir, madam, friend, so much, very much, a lot, again, for your help, for the help, for help, great, perfect, ok, okay, cool, awesome, nice, and, very helpful, that helped, that helps, now",
    ),
    (
        HELLO,
        "en",
        "hello, hi, hey, hiya, howdy, greetings, good morning, good afternoon, good evening, good day, how are you, how are you doing, how are you today, what's up, whats up, sup, yo",
    ),
    (
        THANKS,
        "en",
        "thanks, thank you, thankyou, thx, ty, cheers, much appreciated, many thanks, got it, that's all, thats all, that is all, no thanks, no thank you",
    ),
    (
        BYE,
        "en",
        "bye, bye bye, goodbye, good bye, see you, see you later, see ya, cya, good night, have a nice day, have a good day, have a great day",
    ),
    (
        HELLO,
        "de",
        "hallo, guten tag, guten morgen, guten abend, moin, servus, grüezi, grüß gott, wie geht's, wie geht es dir, wie geht es ihnen",
    ),
    (
        THANKS,
        "de",
        "danke, danke schön, dankeschön, vielen dank, besten dank, herzlichen dank, danke sehr, danke dir, danke ihnen, alles klar, nein danke",
    ),
    (BYE, "de", "tschüss, tschüs, auf wiedersehen, bis bald, bis später, gute nacht, schönen tag, schönen tag noch"),
    (HELLO, "fr", "bonjour, bonsoir, salut, coucou, allô, comment ça va, ça va"),
    (THANKS, "fr", "merci, merci beaucoup, merci bien, mille mercis, non merci, parfait merci"),
    (BYE, "fr", "au revoir, à bientôt, à plus, bonne journée, bonne soirée, bonne nuit"),
    (
        HELLO,
        "es",
        "hola, buenos días, buenos dias, buenas tardes, buenas noches, buenas, qué tal, que tal, cómo estás, como estas, cómo está",
    ),
    (THANKS, "es", "gracias, muchas gracias, mil gracias, vale gracias, no gracias, muy amable"),
    (BYE, "es", "adiós, adios, hasta luego, hasta pronto, chao, nos vemos, que tenga un buen día"),
    (HELLO, "it", "ciao, buongiorno, buon giorno, buonasera, buona sera, salve, come stai, come va"),
    (THANKS, "it", "grazie, grazie mille, molte grazie, tante grazie, ti ringrazio, no grazie"),
    (BYE, "it", "arrivederci, a presto, buonanotte, buona notte, buona giornata"),
    (HELLO, "pt", "olá, ola, oi, bom dia, boa tarde, boa noite, tudo bem, como vai"),
    (THANKS, "pt", "obrigado, obrigada, muito obrigado, muito obrigada, valeu, não obrigado"),
    (BYE, "pt", "tchau, adeus, até logo, até mais, até breve"),
    (HELLO, "nl", "hoi, goedemorgen, goedemiddag, goedenavond, goedendag, dag, hoe gaat het"),
    (THANKS, "nl", "bedankt, dank je, dank u, dank je wel, dank u wel, dankjewel, hartelijk dank, nee bedankt"),
    (BYE, "nl", "doei, tot ziens, tot later, fijne dag"),
    (HELLO, "sv", "hej, hejsan, god morgon, god dag, god kväll, tjena"),
    (THANKS, "sv", "tack, tack så mycket, tusen tack, tack snälla"),
    (BYE, "sv", "hej då, hejdå, vi ses"),
    (HELLO, "da", "goddag, godmorgen, god aften"),
    (THANKS, "da", "tak, mange tak, tusind tak"),
    (BYE, "da", "farvel, hej hej, vi ses senere"),
    (HELLO, "no", "heisann, god morgen, hallo der"),
    (THANKS, "no", "takk, tusen takk, mange takk"),
    (BYE, "no", "ha det, ha det bra"),
    (HELLO, "fi", "hei, moi, terve, hyvää päivää, hyvää huomenta, huomenta, moikka"),
    (THANKS, "fi", "kiitos, kiitos paljon, paljon kiitoksia, kiitti"),
    (BYE, "fi", "näkemiin, hei hei, moi moi"),
    (HELLO, "pl", "cześć, czesc, dzień dobry, dzien dobry, dobry wieczór, witam, hej hej"),
    (THANKS, "pl", "dziękuję, dziekuje, dzięki, dzieki, dziękuję bardzo, bardzo dziękuję"),
    (BYE, "pl", "do widzenia, na razie, pa, dobranoc"),
    (HELLO, "cs", "ahoj, dobrý den, dobré ráno, dobrý večer, čau"),
    (THANKS, "cs", "děkuji, dekuji, děkuju, díky, diky, děkuji moc"),
    (BYE, "cs", "na shledanou, nashledanou, sbohem, mějte se"),
    (HELLO, "hu", "szia, sziasztok, jó napot, jó reggelt, jó estét, üdvözlöm"),
    (THANKS, "hu", "köszönöm, köszönöm szépen, köszi, kösz"),
    (BYE, "hu", "viszlát, viszontlátásra, szia szia"),
    (HELLO, "ro", "bună, buna, bună ziua, buna ziua, salutare, bună dimineața"),
    (THANKS, "ro", "mulțumesc, multumesc, mulțumesc mult, mersi"),
    (BYE, "ro", "la revedere, pe curând"),
    (HELLO, "tr", "merhaba, selam, günaydin, iyi günler, iyi akşamlar, nasilsiniz, nasilsin"),
    (
        THANKS,
        "tr",
        "teşekkürler, teşekkür ederim, teşekkür ederiz, sağol, sağ olun, çok teşekkürler, çok teşekkür ederim",
    ),
    (BYE, "tr", "hoşça kal, hoşçakal, görüşürüz, güle güle"),
    (HELLO, "ru", "привет, здравствуйте, здравствуй, добрый день, доброе утро, добрый вечер, как дела"),
    (THANKS, "ru", "спасибо, спасибо большое, большое спасибо, благодарю, спасибо за помощь"),
    (BYE, "ru", "пока, до свидания, до встречи, всего доброго"),
    (HELLO, "uk", "привіт, вітаю, добрий день, доброго дня, добрий вечір, доброго ранку"),
    (THANKS, "uk", "дякую, дуже дякую, щиро дякую"),
    (BYE, "uk", "до побачення, бувайте"),
    (HELLO, "el", "γεια, γεια σας, γεια σου, καλημέρα, καλησπέρα"),
    (THANKS, "el", "ευχαριστώ, ευχαριστώ πολύ, σας ευχαριστώ"),
    (BYE, "el", "αντίο, καληνύχτα"),
    (HELLO, "ar", "مرحبا, اهلا, اهلا وسهلا, السلام عليكم, صباح الخير, مساء الخير, هلا"),
    (THANKS, "ar", "شكرا, شكرا جزيلا, شكرا لك, مشكور"),
    (BYE, "ar", "مع السلامه, وداعا, الي اللقاء"),
    (HELLO, "he", "שלום, היי, בוקר טוב, ערב טוב"),
    (THANKS, "he", "תודה, תודה רבה"),
    (BYE, "he", "להתראות, ביי, לילה טוב"),
    (HELLO, "fa", "سلام, درود, صبح بخير"),
    (THANKS, "fa", "ممنون, متشكرم, مرسي, خيلي ممنون, سپاس"),
    (BYE, "fa", "خداحافظ, خدانگهدار"),
    (HELLO, "hi", "नमस्ते, नमस्कार, हैलो, हाय, namaste"),
    (THANKS, "hi", "धन्यवाद, शुक्रिया, बहुत धन्यवाद, dhanyavad, shukriya"),
    (BYE, "hi", "अलविदा, फिर मिलेंगे"),
    (HELLO, "th", "สวัสดี, สวัสดีครับ, สวัสดีค่ะ"),
    (THANKS, "th", "ขอบคุณ, ขอบคุณครับ, ขอบคุณค่ะ, ขอบคุณมาก"),
    (BYE, "th", "ลาก่อน, บาย"),
    (HELLO, "vi", "xin chào, chào, chào bạn, chào buổi sáng"),
    (THANKS, "vi", "cảm ơn, cám ơn, cảm ơn bạn, cảm ơn nhiều"),
    (BYE, "vi", "tạm biệt, hẹn gặp lại"),
    (HELLO, "id", "halo, hai, selamat pagi, selamat siang, selamat sore, selamat malam, apa kabar"),
    (THANKS, "id", "terima kasih, makasih, terima kasih banyak"),
    (BYE, "id", "sampai jumpa, dadah"),
    (HELLO, "zh", "你好, 您好, 嗨, 哈喽, 早上好, 下午好, 晚上好, 在吗"),
    (THANKS, "zh", "谢谢, 谢谢你, 谢谢您, 多谢, 感谢, 謝謝"),
    (BYE, "zh", "再见, 拜拜, 再見, 晚安"),
    (HELLO, "ja", "こんにちは, おはよう, おはようございます, こんばんは, はじめまして, もしもし"),
    (THANKS, "ja", "ありがとう, ありがとうございます, ありがとうございました, どうも, 助かりました"),
    (BYE, "ja", "さようなら, またね, おやすみなさい, 失礼します"),
    (HELLO, "ko", "안녕하세요, 안녕, 여보세요"),
    (THANKS, "ko", "감사합니다, 고마워요, 고맙습니다, 고마워"),
    (BYE, "ko", "안녕히 계세요, 안녕히 가세요, 잘 가요"),
];

/// The languages of the phrases.
#[cfg(test)]
pub(crate) fn languages() -> impl Iterator<Item = &'static str> {
    LINES.iter().map(|(_, language, _)| *language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pleasantries_are_recognised_in_their_language() {
        for (message, kind, language) in [
            ("Hello!", SmallTalk::Hello, "en"),
            ("hi there, how are you?", SmallTalk::Hello, "en"),
            ("Ok great, thank you so much", SmallTalk::Thanks, "en"),
            ("Vielen Dank!", SmallTalk::Thanks, "de"),
            ("¡Buenos días!", SmallTalk::Hello, "es"),
            ("à bientôt", SmallTalk::Bye, "fr"),
            ("ありがとうございます。", SmallTalk::Thanks, "ja"),
            ("谢谢", SmallTalk::Thanks, "zh"),
            ("شكراً", SmallTalk::Thanks, "ar"),
            ("नमस्ते", SmallTalk::Hello, "hi"),
        ] {
            assert_eq!(recognize(message), Some((kind, Some(language))), "{message}");
        }
        assert_eq!(recognize("👍"), Some((SmallTalk::Thanks, None)));
    }

    #[test]
    fn a_question_with_a_greeting_is_a_question() {
        for message in
            ["hi, where is my order?", "thanks but how do I cancel", "great", "ok", "", "?", "hello kitty pyjamas"]
        {
            assert_eq!(recognize(message), None, "{message}");
        }
    }

    #[test]
    fn phrases_stand_as_normalisation_leaves_them() {
        for (_, _, phrases) in LINES {
            for phrase in phrases.split(", ") {
                assert_eq!(normalization::normalize(phrase), phrase);
            }
        }
    }
}
