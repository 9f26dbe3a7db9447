//! Detects the language of a text, as a primary subtag.
//!
//! There are three kinds of evidence, the most reliable first: a script that only one language
//! uses, function words, and statistics of letter groups. A question is short. When the evidence is
//! weak, the result is `None`, and callers use the language of the site.

use std::collections::HashMap;
use std::sync::LazyLock;

use whatlang::{Detector, Lang};

use crate::normalization;

/// Number of letters from which the statistics are right even when they report low confidence.
const MANY_LETTERS: usize = 200;
/// Number of letters below which the statistics are not used.
const FEW_LETTERS: usize = 24;
/// Number of distinct function words that identify a language.
const MIN_SMALL_WORDS: usize = 2;
/// Lead in different function words that separates a text from the usual language of its site.
const CLEAR_SMALL_WORDS: usize = 3;
/// A text counts as written in a non-Latin script when at least one letter in this many is of that
/// script. Names and code are written in Latin letters everywhere.
const FEW_FOREIGN: usize = 6;

/// Returns the language of a text, or `None` when it is uncertain.
pub fn detect(text: &str) -> Option<&'static str> {
    // For a short text in Latin letters, function words decide. They cost a fraction of what the
    // statistics cost.
    if foreign_letters(text).0 == 0
        && !has_letters(text, MANY_LETTERS)
        && let Some(tag) = by_small_words(text)
    {
        return Some(tag);
    }
    let info = Detector::new().detect(text)?;
    let guess = subtag(info.lang())?;
    if has_own_script(guess) {
        return Some(if matches!(guess, "fa" | "ur") && !has_persian_letters(text) { "ar" } else { guess });
    }
    if has_letters(text, MANY_LETTERS) {
        return Some(guess);
    }
    by_small_words(text).or((info.is_reliable() && has_letters(text, FEW_LETTERS)).then_some(guess))
}

/// Whether the script alone identifies the language, exactly or as the most common one.
fn has_own_script(tag: &str) -> bool {
    matches!(
        tag,
        "zh" | "ja"
            | "ko"
            | "th"
            | "km"
            | "my"
            | "el"
            | "he"
            | "hy"
            | "ka"
            | "bn"
            | "gu"
            | "pa"
            | "ta"
            | "te"
            | "kn"
            | "ml"
            | "or"
            | "si"
            | "am"
            | "hi"
            | "ar"
            | "fa"
            | "ur"
    )
}

/// Whether a text has letters that Persian and Urdu have and Arabic lacks. Nearly every Persian or
/// Urdu sentence has one. The statistics cannot tell short texts apart.
fn has_persian_letters(text: &str) -> bool {
    text.contains(['پ', 'چ', 'ژ', 'گ', 'ک', 'ی', 'ٹ', 'ڈ', 'ڑ', 'ں', 'ے', 'ہ'])
}

/// Returns the language of a text that is certainly not in `usual`, else `None`.
///
/// Used for entries and pages of a site whose language is known. The evidence must be stronger than
/// for [`detect`], because an entry that is set apart is found less often.
pub(crate) fn other_than(text: &str, usual: &str) -> Option<&'static str> {
    let (foreign, all) = foreign_letters(text);
    let is_foreign = if writes_latin(usual) { foreign * 2 > all } else { foreign * FEW_FOREIGN > all };
    if !is_foreign {
        return surely_other(text, usual);
    }
    let info = Detector::new().detect(text)?;
    let guess = subtag(info.lang()).filter(|guess| *guess != usual && !writes_latin(guess))?;
    if writes_latin(usual) || (info.is_reliable() && !is_cut_alike(guess, usual) && has_own_script(guess)) {
        return Some(guess);
    }
    surely_other(text, usual)
}

/// Compares function words, confirmed by the statistics, for languages of the same or related
/// scripts.
fn surely_other(text: &str, usual: &str) -> Option<&'static str> {
    let counts = small_words(text);
    let of_usual = small_words_of(usual).map_or(0, |place| counts[place]);
    let (most, tag) = most_small_words(&counts);
    let is_clear = most >= of_usual + CLEAR_SMALL_WORDS && most * 2 >= of_usual * 3;
    let is_without = of_usual < CLEAR_SMALL_WORDS && has_letters(text, MANY_LETTERS);
    if !(is_clear || is_without) {
        return None;
    }
    let info = Detector::new().detect(text)?;
    let guess = subtag(info.lang()).filter(|guess| *guess != usual)?;
    ((is_clear && guess == tag) || (is_without && info.is_reliable())).then_some(guess)
}

/// Returns the number of letters that are not Latin, and the number of all letters. A character
/// that represents a syllable or a word counts as the letters that would spell it.
fn foreign_letters(text: &str) -> (usize, usize) {
    const LETTERS_OF_A_SYLLABLE: usize = 3;
    if text.is_ascii() {
        return (0, text.len());
    }
    let weight = |c: char| if normalization::is_bigram_char(c) { LETTERS_OF_A_SYLLABLE } else { 1 };
    let is_latin = |c: char| matches!(u32::from(c), 0..=0x24F | 0x1E00..=0x1EFF | 0x2C60..=0x2C7F);
    text.chars()
        .filter(|c| c.is_alphabetic())
        .fold((0, 0), |(foreign, all), c| (foreign + if is_latin(c) { 0 } else { weight(c) }, all + weight(c)))
}

fn has_letters(text: &str, count: usize) -> bool {
    text.chars().filter(|c| c.is_alphabetic()).nth(count - 1).is_some()
}

/// Whether two languages are Chinese and Japanese. A line without Kana can be either, and both are
/// split in the same way.
fn is_cut_alike(one: &str, other: &str) -> bool {
    matches!((one, other), ("zh" | "ja", "zh" | "ja"))
}

fn writes_latin(tag: &str) -> bool {
    !(has_own_script(tag) || matches!(tag, "ru" | "uk" | "bg" | "be" | "mk" | "sr" | "mr" | "ne" | "yi"))
}

/// Returns the language that has clearly the most different function words in the text.
fn by_small_words(text: &str) -> Option<&'static str> {
    let mut counts = small_words(text);
    let (most, tag) = most_small_words(&counts);
    counts.sort_unstable_by(|a, b| b.cmp(a));
    (most >= MIN_SMALL_WORDS && most > counts[1]).then_some(tag)
}

/// Returns the position of a language in the list of function words, or `None` when it is not
/// listed.
pub(crate) fn small_words_of(language: &str) -> Option<usize> {
    SMALL_WORDS.iter().position(|(tag, _)| *tag == language)
}

/// Whether `word`, normalized, is a function word of the language at that position.
pub(crate) fn is_small_word(place: usize, word: &str) -> bool {
    SMALL.get(word).is_some_and(|small| small.languages >> place & 1 == 1)
}

/// A function word of one or more languages.
#[derive(Debug, Clone, Copy)]
struct SmallWord {
    /// Position of the word among all function words.
    number: usize,
    /// One bit for each position in [`SMALL_WORDS`].
    languages: u32,
}

/// Looks up function words. Every word of every text goes through this table.
static SMALL: LazyLock<HashMap<&'static str, SmallWord, foldhash::fast::RandomState>> = LazyLock::new(|| {
    let mut small: HashMap<_, SmallWord, _> = HashMap::default();
    for (bit, (_, words)) in SMALL_WORDS.iter().enumerate() {
        for word in words.split(' ') {
            let number = small.len();
            small.entry(word).or_insert(SmallWord { number, languages: 0 }).languages |= 1 << bit;
        }
    }
    small
});

/// Returns the count of distinct function words of each language in a text, in the order of
/// [`SMALL_WORDS`].
fn small_words(text: &str) -> [usize; SMALL_WORDS.len()] {
    let text = normalization::normalize(text);
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let mut seen = vec![false; SMALL.len()];
    let mut counts = [0; SMALL_WORDS.len()];
    for small in words.filter_map(|word| SMALL.get(word)) {
        if std::mem::replace(&mut seen[small.number], true) {
            continue;
        }
        for (bit, count) in counts.iter_mut().enumerate() {
            *count += (small.languages >> bit & 1) as usize;
        }
    }
    counts
}

fn most_small_words(counts: &[usize]) -> (usize, &'static str) {
    let most = counts.iter().zip(SMALL_WORDS).max_by_key(|(count, _)| **count);
    most.map_or((0, ""), |(count, (tag, _))| (*count, tag))
}

/// Function words of questions, by language.
const SMALL_WORDS: [(&str, &str); 22] = [
    (
        "en",
        "the is are my do does how what where when can could i you your to for with it of and will have which who why if from on at this there get not an a me we us our would should want need like please have has am be been any some",
    ),
    (
        "de",
        "der die das den dem ist sind wie was wo wann wer ich mein meine meinen kann können sie ihr ihre und für mit nicht ein eine einen es gibt wird bei auf von zu wenn welche warum habe möchte will würde muss mir mich wir uns man bitte hat im am aus nach noch auch",
    ),
    (
        "fr",
        "le la les des du est sont comment quoi où quand qui je mon ma mes puis vous votre vos et pour avec pas un une il elle y a quel quelle pourquoi si en dans sur est-ce que qu veux voudrais peut dois faut me nous ne se au aux ce cette été être fait",
    ),
    (
        "es",
        "el la los las del es son cómo como qué que dónde donde cuándo cuando quién yo mi mis puedo puede su sus y para con no un una hay por cuál cuánto si en tengo quiero quisiera necesito debo me nos se al lo esta este ser hacer",
    ),
    (
        "it",
        "il lo la i gli le del della è sono come cosa dove quando chi io mio mia posso può e per con non un una c'è quale quanto perché se in di ho che voglio vorrei devo mi ci si al nel alla questo fare essere",
    ),
    (
        "pt",
        "o a os as do da é são como que onde quando quem eu meu minha posso pode seu sua e para com não um uma há por qual quanto se em tem quero gostaria preciso me nos ao no na esta este ser fazer",
    ),
    (
        "nl",
        "de het een is zijn hoe wat waar wanneer wie ik mijn kan kunt u uw je jullie en voor met niet er welke waarom als van op naar te heb wil graag moet me we ons dit deze dat bij aan",
    ),
    (
        "sv",
        "en ett är hur vad var när vem jag min mitt mina kan ni er du och för med inte det finns vilka varför om av på att har vill skulle måste mig vi oss den till",
    ),
    (
        "da",
        "en et er hvordan hvad hvor hvornår hvem jeg min mit mine kan i jer du og for med ikke det findes hvilke hvorfor hvis af på til har vil skal mig vi os den at",
    ),
    (
        "no",
        "en et er hvordan hva hvor når hvem jeg min mitt mine kan dere du og for med ikke det finnes hvilke hvorfor hvis av på til har vil skal meg vi oss den å",
    ),
    (
        "fi",
        "on ovat miten mitä mikä missä milloin kuka minä minun voinko voiko voin te teidän ja kanssa ei onko jos kun mistä kuinka paljon",
    ),
    (
        "pl",
        "jest są jak co gdzie kiedy kto ja mój moja moje mogę można czy i dla z nie w na do od jaki jaka ile dlaczego się chcę chciałbym muszę mi mnie my nam to jeśli",
    ),
    ("cs", "je jsou jak co kde kdy kdo já můj moje mohu můžu lze a pro s ne v na do od jaký jaká kolik proč se si"),
    ("sk", "je sú ako čo kde kedy kto ja môj moja môžem dá a pre s nie v na do od aký aká koľko prečo sa"),
    ("hu", "a az egy van vannak hogyan mi mit hol mikor ki én az én lehet tudok és nem mennyi miért ha kell meg"),
    ("ro", "este sunt cum ce unde când cine eu meu mea pot poate și pentru cu nu un o care cât de ce dacă în la"),
    ("tr", "bir ve nasıl ne nerede zaman kim ben benim mi mı mu için ile değil var yok hangi kaç neden eğer nasil"),
    (
        "id",
        "yang dan di ke dari apa bagaimana mana kapan siapa saya bisa apakah untuk dengan tidak ada berapa mengapa jika ini itu",
    ),
    ("vi", "là có không làm sao thế nào gì đâu khi ai tôi của bạn và cho với được bao nhiêu nếu"),
    (
        "ru",
        "и в на не что как где когда кто я мой моя мои могу можно ли для с у вы ваш это сколько почему если есть какие",
    ),
    ("uk", "і в на не що як де коли хто я мій моя мої можу можна чи для з у ви ваш це скільки чому якщо є які"),
    (
        "bg",
        "и в на не какво как къде кога кой аз моят мога може ли за с вие вашият това колко защо ако има какви да се",
    ),
];

fn subtag(lang: Lang) -> Option<&'static str> {
    /// Pairs of an ISO 639-3 code, which the detector uses, and the primary subtag.
    const SUBTAGS: [(&str, &str); 68] = [
        ("epo", "eo"),
        ("eng", "en"),
        ("rus", "ru"),
        ("cmn", "zh"),
        ("spa", "es"),
        ("por", "pt"),
        ("ita", "it"),
        ("ben", "bn"),
        ("fra", "fr"),
        ("deu", "de"),
        ("ukr", "uk"),
        ("kat", "ka"),
        ("ara", "ar"),
        ("hin", "hi"),
        ("jpn", "ja"),
        ("heb", "he"),
        ("yid", "yi"),
        ("pol", "pl"),
        ("amh", "am"),
        ("jav", "jv"),
        ("kor", "ko"),
        ("nob", "no"),
        ("dan", "da"),
        ("swe", "sv"),
        ("fin", "fi"),
        ("tur", "tr"),
        ("nld", "nl"),
        ("hun", "hu"),
        ("ces", "cs"),
        ("ell", "el"),
        ("bul", "bg"),
        ("bel", "be"),
        ("mar", "mr"),
        ("kan", "kn"),
        ("ron", "ro"),
        ("slv", "sl"),
        ("hrv", "hr"),
        ("srp", "sr"),
        ("mkd", "mk"),
        ("lit", "lt"),
        ("lav", "lv"),
        ("est", "et"),
        ("tam", "ta"),
        ("vie", "vi"),
        ("urd", "ur"),
        ("tha", "th"),
        ("guj", "gu"),
        ("uzb", "uz"),
        ("pan", "pa"),
        ("aze", "az"),
        ("ind", "id"),
        ("tel", "te"),
        ("pes", "fa"),
        ("mal", "ml"),
        ("ori", "or"),
        ("mya", "my"),
        ("nep", "ne"),
        ("sin", "si"),
        ("khm", "km"),
        ("tuk", "tk"),
        ("aka", "ak"),
        ("zul", "zu"),
        ("sna", "sn"),
        ("afr", "af"),
        ("lat", "la"),
        ("slk", "sk"),
        ("cat", "ca"),
        ("tgl", "tl"),
    ];
    SUBTAGS.iter().find(|(code, _)| *code == lang.code()).map(|(_, tag)| *tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_and_own_scripts_are_recognised() {
        assert_eq!(detect("How long does it take until my parcel arrives in Austria?"), Some("en"));
        assert_eq!(detect("Wie lange dauert es, bis mein Paket in Österreich ankommt?"), Some("de"));
        assert_eq!(detect("¿Cómo puedo devolver mi pedido?"), Some("es"));
        assert_eq!(detect("Où est mon colis ?"), Some("fr"));
        assert_eq!(detect("Где мой заказ и когда он придёт?"), Some("ru"));
        assert_eq!(detect("返品したい"), Some("ja"));
        assert_eq!(detect("可以退货吗"), Some("zh"));
        assert_eq!(detect("반품하고 싶어요"), Some("ko"));
    }

    #[test]
    fn only_what_is_surely_another_language_is_set_apart() {
        let english = "How do I reset my password? Click on the link that is in the mail and follow it.";
        let german = "Wie kann ich mein Passwort ändern? Klicken Sie auf den Link, der in der Mail steht.";

        assert_eq!(other_than(english, "en"), None);
        assert_eq!(other_than(english, "de"), Some("en"));
        assert_eq!(other_than(german, "en"), Some("de"));
        assert_eq!(other_than("返品したいです。三十日以内にお送りください。", "en"), Some("ja"));
        assert_eq!(other_than(english, "ja"), Some("en"));
        assert_eq!(
            other_than("CD-ROMイメージは ISO Joliet Rock Ridge に対応", "ja"),
            None,
            "names are Latin everywhere"
        );
        assert_eq!(other_than("送料無料", "ja"), None, "no Kana, and yet Japanese");
        assert_eq!(other_than("Paul Graham on Wikipedia", "de"), None, "too little to tell");
    }

    #[test]
    fn a_few_latin_letters_leave_it_open() {
        assert_eq!(detect("refund"), None);
        assert_eq!(detect(""), None);
        assert_eq!(detect("12345 ???"), None);
    }
}
