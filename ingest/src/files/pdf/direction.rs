//! Text of scripts that are written from right to left, from the order in which it is drawn to the order in
//! which it is read.
//!
//! Called by `lines`, whose pieces hold characters from left to right. Words and numbers of other scripts
//! within such text keep their own order.

/// Whether a text is mostly of a script that is written from right to left.
pub(super) fn is_right_to_left(text: &str) -> bool {
    let right = text.chars().filter(|&c| is_right(c)).count();
    right > 0 && right * 2 >= text.chars().filter(|c| c.is_alphabetic()).count()
}

/// The text of one character as it is drawn: a ligature stands for several letters in reading order.
pub(super) fn drawn(text: &str) -> String {
    if text.chars().count() > 1 && text.chars().any(is_right) { text.chars().rev().collect() } else { text.to_owned() }
}

/// The text of a piece in reading order.
pub(super) fn read(text: &str) -> String {
    if !text.chars().any(is_right) {
        return text.to_owned();
    }
    let drawn: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    if !is_right_to_left(text) {
        // A word of the other direction within a line: only it is turned.
        for run in runs(&drawn, is_right) {
            if is_right(run[0]) { out.extend(turned(run)) } else { out.extend(run) }
        }
        return out;
    }
    for run in runs(&drawn, |c| !is_left(c)).into_iter().rev() {
        if is_left(run[0]) { out.extend(run) } else { out.extend(turned(run)) }
    }
    out
}

/// Characters in the opposite order, with their brackets mirrored and marks behind their letters.
fn turned(run: &[char]) -> Vec<char> {
    let mut out: Vec<char> = Vec::with_capacity(run.len());
    let mut marks: Vec<char> = Vec::new();
    for &c in run.iter().rev() {
        if is_mark(c) {
            marks.push(c);
            continue;
        }
        out.push(mirrored(c));
        out.append(&mut marks);
    }
    out.append(&mut marks);
    out
}

/// Divides characters into runs: those for which a test holds, and words of the others with the spaces and
/// signs between them.
fn runs(chars: &[char], is_inner: impl Fn(char) -> bool) -> Vec<&[char]> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        let is_first = is_inner(chars[start]);
        let mut end = start + 1;
        while end < chars.len() {
            let next = (end..chars.len()).find(|&at| !is_neutral(chars[at])).unwrap_or(chars.len());
            let goes_on = next < chars.len() && is_inner(chars[next]) == is_first;
            if is_inner(chars[end]) != is_first && !goes_on {
                break;
            }
            end = if goes_on { next + 1 } else { end + 1 };
        }
        runs.push(&chars[start..end]);
        start = end;
    }
    runs
}

fn is_right(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}') && !c.is_numeric()
}

/// Letters and digits that are written from left to right.
fn is_left(c: char) -> bool {
    c.is_alphanumeric() && !is_right(c)
}

fn is_neutral(c: char) -> bool {
    !c.is_alphanumeric() && !is_mark(c)
}

/// Vowel signs of Arabic and Hebrew, which are drawn above or below the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{591}'..='\u{5bd}' | '\u{64b}'..='\u{65f}' | '\u{670}')
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '«' => '»',
        '»' => '«',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn as_drawn(text: &str) -> String {
        text.chars().rev().map(mirrored).collect()
    }

    #[test]
    fn text_from_right_to_left_is_read_in_order() {
        assert_eq!(read(&as_drawn("كيف أعيد المنتج؟")), "كيف أعيد المنتج؟");
        assert_eq!(read(&as_drawn("שלום (עולם)")), "שלום (עולם)");
        assert_eq!(read("nohtyP"), "nohtyP");
    }

    #[test]
    fn words_and_numbers_of_other_scripts_keep_their_order() {
        assert_eq!(read("120.5 Python לש ריחמ"), "מחיר של 120.5 Python");
        assert_eq!(read("see the םולש page"), "see the שלום page");
        assert_eq!(read(&drawn("لا")), "لا");
    }
}
