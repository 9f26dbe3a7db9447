//! Characters of the fonts Symbol and Wingdings, which have no letters where other fonts have them.
//!
//! Word writes such a character as the name of its font and a number in the private range from F000.

/// Signs of the font Symbol that texts use, by their number.
const SYMBOL: [(u8, char); 20] = [
    (0xa3, '≤'),
    (0xa5, '∞'),
    (0xac, '←'),
    (0xad, '↑'),
    (0xae, '→'),
    (0xaf, '↓'),
    (0xb0, '°'),
    (0xb1, '±'),
    (0xb3, '≥'),
    (0xb4, '×'),
    (0xb7, '•'),
    (0xb8, '÷'),
    (0xb9, '≠'),
    (0xbb, '≈'),
    (0xd6, '√'),
    (0xd7, '·'),
    (0xde, '⇒'),
    (0xe2, '®'),
    (0xe3, '©'),
    (0xe5, '∑'),
];

/// The Greek letters of Symbol, in the places of `A` to `Z` and `a` to `z`.
const GREEK_CAPITALS: &str = "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ";
const GREEK_SMALL: &str = "αβχδεφγηιϕκλµνοπθρστυϖωξψζ";

/// Signs of the font Wingdings that texts use, by their number.
const WINGDINGS: [(u8, char); 20] = [
    (0x28, '☎'),
    (0x2a, '✉'),
    (0x6c, '●'),
    (0x6e, '■'),
    (0x6f, '☐'),
    (0x76, '❖'),
    (0x9f, '•'),
    (0xa7, '▪'),
    (0xa8, '☐'),
    (0xd8, '➢'),
    (0xdf, '←'),
    (0xe0, '→'),
    (0xe1, '↑'),
    (0xe2, '↓'),
    (0xe8, '➔'),
    (0xf0, '⇨'),
    (0xfb, '✗'),
    (0xfc, '✓'),
    (0xfd, '☒'),
    (0xfe, '☑'),
];

/// Signs of the font Wingdings 2.
const WINGDINGS_2: [(u8, char); 4] = [(0x4f, '✗'), (0x50, '✓'), (0x51, '☒'), (0x52, '☑')];

/// The character with a hexadecimal number in a font. `None` for signs that stand for no character.
pub(super) fn character(font: &str, number: &str) -> Option<char> {
    let number = u32::from_str_radix(number, 16).ok()?;
    if !(0xf000..=0xf0ff).contains(&number) && number > 0xff {
        return char::from_u32(number);
    }
    let number = (number & 0xff) as u8;
    let find = |signs: &[(u8, char)]| signs.iter().find(|(sign, _)| *sign == number).map(|(_, character)| *character);
    match font {
        "Symbol" => match number {
            b'A'..=b'Z' => GREEK_CAPITALS.chars().nth(usize::from(number - b'A')),
            b'a'..=b'z' => GREEK_SMALL.chars().nth(usize::from(number - b'a')),
            b' '..=b'@' => Some(char::from(number)),
            _ => find(&SYMBOL),
        },
        "Wingdings" => find(&WINGDINGS),
        "Wingdings 2" => find(&WINGDINGS_2),
        _ => None,
    }
}

/// A text in one of these fonts as it is shown. `None` for other fonts, which show it as it is.
pub(super) fn text(font: &str, text: &str) -> Option<String> {
    if !matches!(font, "Symbol" | "Wingdings" | "Wingdings 2") {
        return None;
    }
    let shown = |c: char| match u32::from(c) {
        0x20 | 0xa0 => Some(' '),
        number @ (0x21..=0xff | 0xf000..=0xf0ff) => character(font, &format!("{number:x}")),
        _ => Some(c),
    };
    Some(text.chars().filter_map(shown).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_found_by_font_and_number() {
        assert_eq!(character("Wingdings", "F0E0"), Some('→'));
        assert_eq!(character("Symbol", "F06D"), Some('µ'));
        assert_eq!(character("Symbol", "F061"), Some('α'));
        assert_eq!(character("Segoe UI Symbol", "2611"), Some('☑'));
        assert_eq!(character("Webdings", "F0E0"), None);
        assert_eq!(text("Wingdings", "\u{fc} \u{f0fb}").as_deref(), Some("✓ ✗"));
        assert_eq!(text("Arial", "\u{fc}"), None);
    }
}
