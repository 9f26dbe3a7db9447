//! Raised and lowered text (`sup`, `sub`), and characters that change how a text reads.
//!
//! "10<sup>4</sup>" means ten thousand, so the 4 must not join the 10. Digits and signs have raised
//! and lowered forms in Unicode, which every face shows and search folds; text without such forms
//! is set apart by a caret. Used by `flatten` and by the readers of files.

/// The position of text relative to its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Script {
    /// On the line.
    #[default]
    Normal,
    /// Above the line, as in exponents and footnote marks.
    Raised,
    /// Below the line, as in chemical formulas.
    Lowered,
}

const RAISED: [(char, char); 18] = [
    ('0', '⁰'),
    ('1', '¹'),
    ('2', '²'),
    ('3', '³'),
    ('4', '⁴'),
    ('5', '⁵'),
    ('6', '⁶'),
    ('7', '⁷'),
    ('8', '⁸'),
    ('9', '⁹'),
    ('+', '⁺'),
    ('-', '⁻'),
    ('−', '⁻'),
    ('=', '⁼'),
    ('(', '⁽'),
    (')', '⁾'),
    ('n', 'ⁿ'),
    ('i', 'ⁱ'),
];

const LOWERED: [(char, char); 17] = [
    ('0', '₀'),
    ('1', '₁'),
    ('2', '₂'),
    ('3', '₃'),
    ('4', '₄'),
    ('5', '₅'),
    ('6', '₆'),
    ('7', '₇'),
    ('8', '₈'),
    ('9', '₉'),
    ('+', '₊'),
    ('-', '₋'),
    ('−', '₋'),
    ('=', '₌'),
    ('(', '₍'),
    (')', '₎'),
    ('n', 'ₙ'),
];

/// Letters that follow a number in print without changing it: "1st", "2e", "n°".
const LONGEST_SUFFIX_CHARS: usize = 4;

/// The text in its script, to stand behind `before`.
pub(crate) fn written(text: &str, script: Script, before: Option<char>) -> String {
    let forms: &[(char, char)] = match script {
        Script::Normal => return text.to_owned(),
        Script::Raised => &RAISED,
        Script::Lowered => &LOWERED,
    };
    let form = |c: char| forms.iter().find(|(plain, _)| *plain == c).map(|(_, form)| *form);
    let is_behind_text = before.is_some_and(char::is_alphanumeric);
    let is_letters = text.chars().all(|c| c.is_alphabetic() || matches!(c, '.' | '°' | 'º' | 'ª'));
    let is_suffix = is_letters && text.chars().count() <= LONGEST_SUFFIX_CHARS && text.chars().count() > 1;
    if is_suffix && script == Script::Raised {
        return text.to_owned();
    }
    let mapped: Option<String> = text.chars().map(|c| if c.is_whitespace() { Some(c) } else { form(c) }).collect();
    match mapped {
        Some(mapped) => mapped,
        // A lone letter behind a number is an ordinal ("3º", "1e"), behind a letter an index.
        None if is_letters || !text.contains(|c: char| c.is_ascii_digit()) => text.to_owned(),
        None if is_behind_text && text.starts_with(['[', '(', '{']) => text.to_owned(),
        None if is_behind_text => format!("{}({text})", if script == Script::Raised { '^' } else { '_' }),
        None => text.to_owned(),
    }
}

/// The raised cents of a price as its decimals: "$11<sup>99</sup>", "9<sup>,90</sup> €". `before` is the text of the line
/// so far. `None` for other raised text, such as an exponent.
pub(crate) fn cents(before: &str, text: &str) -> Option<String> {
    let digits = text.strip_prefix(['.', ',']).unwrap_or(text);
    let is_cents = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let amount = before.trim_end_matches(|c: char| c.is_ascii_digit());
    if !is_cents || amount.len() == before.len() {
        return None;
    }
    let is_price = amount.trim_end().ends_with(['$', '€', '£', '¥', '₹']);
    match digits.len() < text.len() {
        true => Some(text.to_owned()),
        false => is_price.then(|| format!(".{text}")),
    }
}

/// Whether a character is left out of all text: it only says where a word may be divided.
pub(crate) fn is_soft(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// The text without soft hyphens and invisible joints, and with hyphens that people can type.
pub(crate) fn plain_signs(text: &str) -> std::borrow::Cow<'_, str> {
    if text.is_ascii() || !text.contains(|c| is_soft(c) || c == '\u{2011}') {
        return text.into();
    }
    text.chars().filter(|&c| !is_soft(c)).map(|c| if c == '\u{2011}' { '-' } else { c }).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raised_and_lowered_digits_stay_apart_from_the_number_before_them() {
        assert_eq!(written("4", Script::Raised, Some('0')), "⁴");
        assert_eq!(written("-6", Script::Raised, Some('0')), "⁻⁶");
        assert_eq!(written("2", Script::Lowered, Some('O')), "₂");
        assert_eq!(written("a+1", Script::Raised, Some('0')), "^(a+1)");
    }

    #[test]
    fn ordinals_and_marks_are_written_as_they_are() {
        assert_eq!(written("st", Script::Raised, Some('1')), "st");
        assert_eq!(written("e", Script::Raised, Some('2')), "e");
        assert_eq!(written("*", Script::Raised, Some('s')), "*");
        assert_eq!(written("[1]", Script::Raised, Some('s')), "[1]");
    }

    #[test]
    fn soft_hyphens_go_and_hard_ones_become_plain() {
        assert_eq!(plain_signs("För\u{ad}der\u{200b}ung 0800\u{2011}12"), "Förderung 0800-12");
    }
}
