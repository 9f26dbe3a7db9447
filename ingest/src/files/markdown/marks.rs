//! Marks within a line that wikis and extensions add to Markdown: links of wikis, comments, highlights, raised and
//! lowered text, and short codes of emoji.
//!
//! Called by [`dialect`](super::dialect) only. One pass over the text; code is left alone. What a mark holds is
//! short, so that an open mark costs little.

use super::components::{Fence, code_length};

/// The longest content of a mark, in bytes.
const MARK_LIMIT_BYTES: usize = 300;

/// The longest raised or lowered text, in bytes.
const SCRIPT_LIMIT_BYTES: usize = 8;

/// The text without marks that only its program understands.
pub(super) fn replaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut fence, mut is_comment) = (Fence::default(), false);
    for line in text.split_inclusive('\n') {
        if is_comment {
            is_comment = !line.contains("%%");
        } else if fence.holds(line) {
            out.push_str(line);
        } else if line.trim_start().strip_prefix("%%").is_some_and(|rest| !rest.contains("%%")) {
            is_comment = true;
        } else {
            replace_line(line, &mut out);
        }
    }
    out
}

fn replace_line(line: &str, out: &mut String) {
    let (mut at, mut before) = (0, None);
    while at < line.len() {
        let rest = &line[at..];
        let length = match mark(rest, before) {
            Some((length, shown)) => {
                out.push_str(&shown);
                length
            }
            None => {
                let length = code_length(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
                out.push_str(&rest[..length]);
                length
            }
        };
        before = rest[..length].chars().next_back();
        at += length;
    }
}

/// The length of the mark at the start of a text, and what is shown of it.
fn mark(rest: &str, before: Option<char>) -> Option<(usize, String)> {
    let is_apart = before.is_none_or(|c| !c.is_alphanumeric());
    match rest.as_bytes() {
        [b'!', b'[', b'[', ..] => {
            enclosed(rest, "![[", "]]", MARK_LIMIT_BYTES).map(|(length, _)| (length, String::new()))
        }
        [b'[', b'[', ..] => {
            let (length, inside) = enclosed(rest, "[[", "]]", MARK_LIMIT_BYTES)?;
            let shown = inside.rsplit('|').next().unwrap_or(inside).replace('#', " ");
            Some((length, shown.trim().to_owned()))
        }
        [b'[', b'!', ..] if rest.starts_with("[!INCLUDE") || rest.starts_with("[!include") => {
            enclosed(rest, "[!", ")]", MARK_LIMIT_BYTES).map(|(length, _)| (length, String::new()))
        }
        [b'%', b'%', ..] if before.is_none_or(char::is_whitespace) => {
            enclosed(rest, "%%", "%%", MARK_LIMIT_BYTES).map(|(length, _)| (length, String::new()))
        }
        [b'=', b'=', ..] if is_apart => enclosed_word(rest, "==").map(|(length, inside)| (length, inside.to_owned())),
        [b'+', b'+', ..] if is_apart => enclosed_word(rest, "++").map(|(length, inside)| (length, inside.to_owned())),
        [b'~', ..] if !is_apart => script(rest, "~", "sub"),
        [b'^', ..] if !is_apart => script(rest, "^", "sup"),
        [b':', ..] if before.is_none_or(|c| c.is_whitespace() || c == '|') => emoji(rest),
        _ => None,
    }
}

/// The length of a mark and its content, which is on one line.
fn enclosed<'a>(rest: &'a str, start: &str, end: &str, limit_bytes: usize) -> Option<(usize, &'a str)> {
    let inside = rest.strip_prefix(start)?;
    let limit = (0..=limit_bytes.min(inside.len())).rev().find(|&at| inside.is_char_boundary(at))?;
    let length = inside[..limit].find(end).filter(|&length| length > 0 && !inside[..length].contains('\n'))?;
    Some((start.len() + length + end.len(), &inside[..length]))
}

/// As [`enclosed`], for marks that begin and end at a word.
fn enclosed_word<'a>(rest: &'a str, sign: &str) -> Option<(usize, &'a str)> {
    let (length, inside) = enclosed(rest, sign, sign, MARK_LIMIT_BYTES)?;
    let is_word = |c: Option<char>| c.is_some_and(|c| !c.is_whitespace() && !sign.contains(c));
    let is_followed = rest[length..].chars().next().is_some_and(|c| c.is_alphanumeric() || sign.contains(c));
    (is_word(inside.chars().next()) && is_word(inside.chars().next_back()) && !is_followed).then_some((length, inside))
}

/// Raised or lowered text behind a letter or digit: `x^2^`, `H~2~O`.
fn script(rest: &str, sign: &str, tag: &str) -> Option<(usize, String)> {
    let (length, inside) = enclosed(rest, sign, sign, SCRIPT_LIMIT_BYTES)?;
    let is_plain = inside.chars().all(|c| c.is_alphanumeric() || matches!(c, '+' | '-' | '(' | ')'));
    is_plain.then(|| (length, format!("<{tag}>{inside}</{tag}>")))
}

/// The short code of an emoji or icon. Only ticks and crosses say something; the others go.
fn emoji(rest: &str) -> Option<(usize, String)> {
    let (length, name) = enclosed(rest, ":", ":", MARK_LIMIT_BYTES)?;
    let is_code =
        name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-'));
    let is_apart = !rest[length..].starts_with(|c: char| c.is_alphanumeric());
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let shown = match name {
        "x" | "no" => "✗",
        _ if name.contains("check") => "✓",
        _ if name.contains("cross") || name.ends_with("-close") => "✗",
        _ => "",
    };
    (is_code && is_apart && !is_number).then(|| (length, shown.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_wikis_are_shown_as_their_program_shows_them() {
        assert_eq!(replaced("See [[Payments|our page]] and [[Returns]].![[image.png]]"), "See our page and Returns.");
        assert_eq!(replaced("A ==marked== and ++added++ word %% note %%here"), "A marked and added word here");
        assert_eq!(replaced("H~2~O, x^2^ :moneybag: and :white_check_mark:"), "H<sub>2</sub>O, x<sup>2</sup>  and ✓");
        assert_eq!(replaced("[!INCLUDE [note](../x.md)]\nText"), "\nText");
    }

    #[test]
    fn text_that_looks_like_marks_stays() {
        for text in [
            "C++ and D++",
            "a == b == c",
            "`[[x]]`",
            "10:30:15 h, 5%% of 7%%",
            "use std::fs::read and a::b::c",
            "```\n[[x]] %% y %%\n```",
            "~~19~~ 14",
        ] {
            assert_eq!(replaced(text), text);
        }
    }
}
