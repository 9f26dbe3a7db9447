//! Which language a text is in, as a primary subtag.
//!
//! Three witnesses, the surest first: a script of its own, the small words that every sentence
//! has, the statistics of letter groups. A question is short, so where they leave doubt the
//! answer is none, and callers fall back on the site's language.

use whatlang::{Detector, Lang};

use crate::analysis;

/// From this many letters on the statistics are right even where they are unsure.
const MANY_LETTERS: usize = 200;
/// Fewer letters say nothing, however sure the statistics are.
const FEW_LETTERS: usize = 24;
/// So many different small words of one language decide.
const MIN_SMALL_WORDS: usize = 2;

/// The language of a text; none when in doubt.
pub fn detect(text: &str) -> Option<&'static str> {
    let info = Detector::new().detect(text)?;
    let guess = subtag(info.lang())?;
    if has_own_script(guess) {
        return Some(guess);
    }
    let letters = text.chars().filter(|c| c.is_alphabetic()).take(MANY_LETTERS).count();
    if letters == MANY_LETTERS {
        return Some(guess);
    }
    by_small_words(text).or((info.is_reliable() && letters >= FEW_LETTERS).then_some(guess))
}

/// Languages that their script alone gives away (or nearly: the main ones of their script).
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

/// The language with clearly the most different small words in the text.
fn by_small_words(text: &str) -> Option<&'static str> {
    let text = analysis::normalise(text);
    let mut words: Vec<&str> = text.split(|c: char| !c.is_alphabetic()).filter(|w| !w.is_empty()).collect();
    words.sort_unstable();
    words.dedup();
    let count = |small: &str| small.split(' ').filter(|word| words.binary_search(word).is_ok()).count();
    let mut counts: Vec<(usize, &str)> = SMALL_WORDS.iter().map(|(tag, small)| (count(small), *tag)).collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    let (most, tag) = counts[0];
    (most >= MIN_SMALL_WORDS && most > counts[1].0).then_some(tag)
}

/// Small words of questions, by language.
const SMALL_WORDS: [(&str, &str); 22] = [
    (
        "en",
        "the is are my do does how what where when can could i you your to for with it of and will have which who why if from on at this there get not an",
    ),
    (
        "de",
        "der die das den dem ist sind wie was wo wann wer ich mein meine meinen kann können sie ihr ihre und für mit nicht ein eine einen es gibt wird bei auf von zu wenn welche warum habe",
    ),
    (
        "fr",
        "le la les des du est sont comment quoi où quand qui je mon ma mes puis vous votre vos et pour avec pas un une il elle y a quel quelle pourquoi si en dans sur est-ce que qu",
    ),
    (
        "es",
        "el la los las del es son cómo como qué que dónde donde cuándo cuando quién yo mi mis puedo puede su sus y para con no un una hay por cuál cuánto si en tengo",
    ),
    (
        "it",
        "il lo la i gli le del della è sono come cosa dove quando chi io mio mia posso può e per con non un una c'è quale quanto perché se in di ho che",
    ),
    (
        "pt",
        "o a os as do da é são como que onde quando quem eu meu minha posso pode seu sua e para com não um uma há por qual quanto se em tem",
    ),
    (
        "nl",
        "de het een is zijn hoe wat waar wanneer wie ik mijn kan kunt u uw je jullie en voor met niet er welke waarom als van op naar te heb",
    ),
    (
        "sv",
        "en ett är hur vad var när vem jag min mitt mina kan ni er du och för med inte det finns vilka varför om av på att har",
    ),
    (
        "da",
        "en et er hvordan hvad hvor hvornår hvem jeg min mit mine kan i jer du og for med ikke det findes hvilke hvorfor hvis af på til har",
    ),
    (
        "no",
        "en et er hvordan hva hvor når hvem jeg min mitt mine kan dere du og for med ikke det finnes hvilke hvorfor hvis av på til har",
    ),
    (
        "fi",
        "on ovat miten mitä mikä missä milloin kuka minä minun voinko voiko voin te teidän ja kanssa ei onko jos kun mistä kuinka paljon",
    ),
    (
        "pl",
        "jest są jak co gdzie kiedy kto ja mój moja moje mogę można czy i dla z nie w na do od jaki jaka ile dlaczego się",
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
    /// Pairs of an ISO 639-3 code, as the detector names languages, and the primary subtag.
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
    fn a_few_latin_letters_leave_it_open() {
        assert_eq!(detect("refund"), None);
        assert_eq!(detect(""), None);
        assert_eq!(detect("12345 ???"), None);
    }
}
