//! One spelling for text that readers take to be the same: case, width, invisible characters,
//! letter variants, digits and accents.
//!
//! Everything that compares texts calls this module first. It knows no language and no corpus.

use unicode_normalization::UnicodeNormalization;

/// Returns the text in NFKC and lower case, without invisible and bidirectional control characters.
/// Arabic letter variants and vowel signs are unified, digits of other scripts become 0-9, and
/// apostrophes become straight.
pub fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkc().flat_map(char::to_lowercase).filter_map(canonical).collect()
}

/// Whether `c` belongs to a script whose words are split into pairs of characters: Han, Kana,
/// Bopomofo, Hangul, Thai, Lao, Khmer and Burmese.
pub fn is_bigram_char(c: char) -> bool {
    matches!(u32::from(c),
        0x0E00..=0x0EFF | 0x1000..=0x109F | 0x1100..=0x11FF | 0x1780..=0x17FF
        | 0x3005..=0x3007 | 0x3040..=0x312F | 0x3130..=0x318F | 0x31A0..=0x31BF | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xA960..=0xA97F | 0xAA60..=0xAA7F
        | 0xAC00..=0xD7FF | 0xF900..=0xFAFF | 0x20000..=0x323AF)
}

/// Whether a word begins with a character of such a script.
pub fn is_bigram_text(word: &str) -> bool {
    word.chars().next().is_some_and(is_bigram_char)
}

/// Whether `c` is invisible or reorders text: soft hyphen, zero-width, bidirectional and tag
/// characters.
pub fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0x00AD | 0x034F | 0x061C | 0x180E | 0x200B..=0x200F | 0x202A..=0x202E
        | 0x2060..=0x206F | 0xFEFF | 0xFFF9..=0xFFFB | 0xE0000..=0xE007F)
}

fn canonical(c: char) -> Option<char> {
    Some(match c {
        '\u{2018}' | '\u{2019}' | '\u{02BC}' | '\u{FF07}' => '\'',
        '\u{0307}' | '\u{0640}' | '\u{064B}'..='\u{0652}' | '\u{0670}' => return None,
        'أ' | 'إ' | 'آ' | 'ٱ' => 'ا',
        'ى' | 'ی' => 'ي',
        'ک' => 'ك',
        'ة' => 'ه',
        'ı' => 'i',
        'ё' => 'е',
        '\u{0660}'..='\u{0669}' => digit(c, 0x0660),
        '\u{06F0}'..='\u{06F9}' => digit(c, 0x06F0),
        '\u{0966}'..='\u{096F}' => digit(c, 0x0966),
        '\u{09E6}'..='\u{09EF}' => digit(c, 0x09E6),
        c if is_invisible(c) => return None,
        c => c,
    })
}

fn digit(c: char, zero: u32) -> char {
    char::from_digit(u32::from(c) - zero, 10).unwrap_or(c)
}

/// Returns the word without the accents of Latin, Greek and Cyrillic letters.
pub fn fold_accents(word: &str) -> String {
    let has_accents = |c: char| matches!(u32::from(c), 0xC0..=0x52F | 0x1E00..=0x1FFF);
    if !word.chars().any(has_accents) {
        return word.to_owned();
    }
    word.nfd().filter(|c| !matches!(c, '\u{0300}'..='\u{036F}')).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_and_arabic_variants_do_not_divide_words() {
        assert_eq!(normalize("Pass\u{200B}wort\u{E0041}é"), "passworté");
        assert_eq!(normalize("إرجاعُ ٣"), normalize("ارجاع 3"));
    }
}
