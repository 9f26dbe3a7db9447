//! Counts the contents of a document from its bytes alone, before anything is allocated for it.
//!
//! The lexer knows only as much of the lexical grammar as counting needs; it skips the contents of
//! strings and comments. A text that is not GraphQL passes here and is rejected by the parser.

use super::limits::DocumentSize;
use super::rejection::DocumentRejection;

/// Counts the contents of `text`.
///
/// # Errors
/// `TooMany` at the first limit that is exceeded; the rest of the text is not read.
pub(super) fn count(text: &str, limits: &DocumentSize) -> Result<DocumentSize, DocumentRejection> {
    let mut lexer = Lexer { bytes: text.as_bytes(), at: 0 };
    let mut size = DocumentSize::default();
    let (mut depth, mut parentheses) = (0_usize, 0_usize);
    let mut after_spread = false;
    while let Some(token) = lexer.next() {
        add(&mut size.tokens, "tokens", limits.tokens)?;
        let is_spread_name = after_spread && matches!(token, LexedToken::Name(name) if name != b"on");
        after_spread = matches!(token, LexedToken::Spread);
        match token {
            LexedToken::Name(_) if is_spread_name => add(&mut size.spreads, "fragment spreads", limits.spreads)?,
            LexedToken::Mark(b'@') => add(&mut size.directives, "directives", limits.directives)?,
            // Inside parentheses, a colon belongs to an argument, a variable or an input object.
            LexedToken::Mark(b':') if parentheses == 0 => add(&mut size.aliases, "aliases", limits.aliases)?,
            LexedToken::Mark(open @ (b'{' | b'(' | b'[')) => {
                add(&mut depth, "levels of nesting", limits.nesting)?;
                size.nesting = size.nesting.max(depth);
                parentheses += usize::from(open == b'(');
            }
            LexedToken::Mark(close @ (b'}' | b')' | b']')) => {
                depth = depth.saturating_sub(1);
                parentheses = parentheses.saturating_sub(usize::from(close == b')'));
            }
            _ => {}
        }
    }
    Ok(size)
}

fn add(count: &mut usize, what: &'static str, limit: usize) -> Result<(), DocumentRejection> {
    *count += 1;
    if *count > limit { Err(DocumentRejection::TooMany { what, limit }) } else { Ok(()) }
}

enum LexedToken<'a> {
    Name(&'a [u8]),
    Spread,
    Mark(u8),
    Value,
}

struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<LexedToken<'a>> {
        self.skip_ignored();
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        match rest[0] {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => Some(LexedToken::Name(self.take_word())),
            b'0'..=b'9' | b'-' => {
                self.at += 1;
                self.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'+' | b'-'));
                Some(LexedToken::Value)
            }
            b'"' => {
                self.skip_string();
                Some(LexedToken::Value)
            }
            b'.' if rest.starts_with(b"...") => {
                self.at += 3;
                Some(LexedToken::Spread)
            }
            mark => {
                self.at += 1;
                Some(LexedToken::Mark(mark))
            }
        }
    }

    fn skip_ignored(&mut self) {
        loop {
            self.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF));
            if self.bytes.get(self.at) != Some(&b'#') {
                return;
            }
            self.take_while(|byte| !matches!(byte, b'\n' | b'\r'));
        }
    }

    fn skip_string(&mut self) {
        if self.bytes[self.at..].starts_with(b"\"\"\"") {
            self.at += 3;
            while self.at < self.bytes.len() && !self.bytes[self.at..].starts_with(b"\"\"\"") {
                self.at += if self.bytes[self.at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
            }
            self.at += 3;
            return;
        }
        self.at += 1;
        while let Some(byte) = self.bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'"' | b'\n' | b'\r' => return,
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    fn take_word(&mut self) -> &'a [u8] {
        self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    fn take_while(&mut self, is_match: impl Fn(u8) -> bool) -> &'a [u8] {
        let from = self.at.min(self.bytes.len());
        let taken = self.bytes[from..].iter().take_while(|byte| is_match(**byte)).count();
        self.at = from + taken;
        &self.bytes[from..self.at]
    }
}
