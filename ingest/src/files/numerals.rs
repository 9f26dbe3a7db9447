//! Numbers before the items of a list as letters, Roman numbers and Chinese signs.
//!
//! Called by the readers of Word and OpenDocument.

/// A letter for 1 to 26, twice the same letter for the next ones, and so on.
pub(super) fn letters(number: u32) -> String {
    let at = number.saturating_sub(1);
    let letter = char::from(b'a' + u8::try_from(at % 26).unwrap_or(0));
    letter.to_string().repeat((at / 26 + 1).min(LETTERS_MAX) as usize)
}

/// The most letters of one number.
const LETTERS_MAX: u32 = 10;

/// A number below 100 in Chinese and Japanese signs; others as they are.
pub(super) fn ideographs(number: u32) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |digit: u32| DIGITS.get(digit as usize).copied().unwrap_or_default();
    match number {
        1..=9 => digit(number).to_owned(),
        10..=19 => format!("十{}", digit(number % 10)),
        20..=99 => format!("{}十{}", digit(number / 10), digit(number % 10)),
        _ => number.to_string(),
    }
}

/// A number below 400 in small Roman letters; others as they are.
pub(super) fn roman(number: u32) -> String {
    const SIGNS: [(u32, &str); 9] =
        [(100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")];
    // Lists do not go further; anything else is a number of the file's own making.
    let mut rest = if number < 400 { number } else { return number.to_string() };
    let mut out = String::new();
    for (value, sign) in SIGNS {
        while rest >= value {
            out.push_str(sign);
            rest -= value;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_other_signs() {
        assert_eq!([1, 26, 27, 54].map(letters), ["a", "z", "aa", "bbb"]);
        assert_eq!([4, 9, 14, 400].map(roman), ["iv", "ix", "xiv", "400"]);
        assert_eq!([3, 10, 12, 20, 34, 100].map(ideographs), ["三", "十", "十二", "二十", "三十四", "100"]);
    }
}
