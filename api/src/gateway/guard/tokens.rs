//! Splits GraphQL text into tokens, as section 2.1 of the specification (September 2025) defines them.
//!
//! Only [`syntax`](super::syntax) and [`model`](super::model) use this. Unlike [`lexer`](super::lexer),
//! which only counts, it reads strings with their escapes and refuses characters that are not allowed.

use async_graphql::Pos;

use super::rejection::DocumentRejection;

/// A token with its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Name(&'a str),
    Int(&'a str),
    Float(&'a str),
    Text(String),
    Mark(char),
    Spread,
    End,
}

impl Token<'_> {
    /// The token as error messages show it.
    pub(super) fn describe(&self) -> String {
        match self {
            Token::Name(text) | Token::Int(text) | Token::Float(text) => format!("\"{text}\""),
            Token::Text(_) => "a string".to_owned(),
            Token::Mark(mark) => format!("\"{mark}\""),
            Token::Spread => "\"...\"".to_owned(),
            Token::End => "the end of the document".to_owned(),
        }
    }
}

/// The tokens of a text, in order.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    /// Position of the character at the byte offset `counted`.
    pos: Pos,
    counted: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, pos: Pos { line: 1, column: 1 }, counted: 0 }
    }

    /// The next token and its position. Returns [`Token::End`] after the last one.
    ///
    /// # Errors
    /// `Syntax` for a character or a string that is not allowed.
    pub(super) fn next(&mut self) -> Result<(Token<'a>, Pos), DocumentRejection> {
        self.skip_ignored();
        let pos = self.position();
        let Some(first) = self.peek() else { return Ok((Token::End, pos)) };
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => Token::Name(self.take(|c| c.is_ascii_alphanumeric() || c == '_')),
            '0'..='9' | '-' => self.number()?,
            '"' if self.rest().starts_with("\"\"\"") => Token::Text(self.block_string()?),
            '"' => Token::Text(self.string()?),
            '.' if self.rest().starts_with("...") => {
                self.at += 3;
                Token::Spread
            }
            '!' | '$' | '&' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '|' | '}' => {
                self.at += 1;
                Token::Mark(first)
            }
            other => return Err(self.error(format!("Unexpected character {other:?}"))),
        };
        Ok((token, pos))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, is_match: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|c| !is_match(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn skip_ignored(&mut self) {
        loop {
            self.take(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | ',' | '\u{feff}'));
            if self.peek() != Some('#') {
                return;
            }
            self.take(|c| !matches!(c, '\n' | '\r'));
        }
    }

    /// The position of the next character. Counts only what follows the position asked for last.
    fn position(&mut self) -> Pos {
        let mut after_return = self.text[..self.counted].ends_with('\r');
        for c in self.text[self.counted..self.at].chars() {
            match c {
                '\n' if after_return => {}
                '\n' | '\r' => self.pos = Pos { line: self.pos.line + 1, column: 1 },
                _ => self.pos.column += 1,
            }
            after_return = c == '\r';
        }
        self.counted = self.at;
        self.pos
    }

    fn error(&mut self, message: impl Into<String>) -> DocumentRejection {
        let pos = self.position();
        DocumentRejection::syntax(message, pos)
    }

    fn number(&mut self) -> Result<Token<'a>, DocumentRejection> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some('-'));
        let digits = self.take(|c| c.is_ascii_digit());
        if digits.is_empty() || (digits.len() > 1 && digits.starts_with('0')) {
            return Err(self.error("Invalid number"));
        }
        let mut is_float = false;
        if self.peek() == Some('.') {
            is_float = true;
            self.at += 1;
            if self.take(|c| c.is_ascii_digit()).is_empty() {
                return Err(self.error("Invalid number: a digit must follow the decimal point"));
            }
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            is_float = true;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some('+' | '-')));
            if self.take(|c| c.is_ascii_digit()).is_empty() {
                return Err(self.error("Invalid number: the exponent has no digits"));
            }
        }
        if self.peek().is_some_and(|c| c == '.' || c == '_' || c.is_ascii_alphanumeric()) {
            return Err(self.error("Invalid number: a name or a point follows it"));
        }
        let text = &self.text[start..self.at];
        Ok(if is_float { Token::Float(text) } else { Token::Int(text) })
    }

    fn string(&mut self) -> Result<String, DocumentRejection> {
        self.at += 1;
        let mut value = String::new();
        loop {
            value.push_str(self.take(|c| !matches!(c, '"' | '\\' | '\n' | '\r')));
            match self.peek() {
                Some('"') => {
                    self.at += 1;
                    return Ok(value);
                }
                Some('\\') => value.push(self.escape()?),
                _ => return Err(self.error("The string does not end")),
            }
        }
    }

    /// Reads an escape sequence, which starts at the backslash.
    fn escape(&mut self) -> Result<char, DocumentRejection> {
        let Some(kind) = self.rest().chars().nth(1) else { return Err(self.error("The string does not end")) };
        let simple = match kind {
            '"' | '\\' | '/' => kind,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode_escape(),
            other => return Err(self.error(format!("Invalid escape sequence \"\\{other}\""))),
        };
        self.at += 2;
        Ok(simple)
    }

    /// Reads `\u` with four digits, with digits in braces, or with the two halves of a surrogate pair.
    fn unicode_escape(&mut self) -> Result<char, DocumentRejection> {
        let invalid = "Invalid Unicode escape sequence";
        let rest = self.rest();
        if let Some(digits) = rest.strip_prefix("\\u{") {
            let digits = digits.split_once('}').map(|(digits, _)| digits);
            let Some((digits, c)) = digits.and_then(|digits| Some((digits, char::from_u32(hex(digits)?)?))) else {
                return Err(self.error(invalid));
            };
            self.at += "\\u{}".len() + digits.len();
            return Ok(c);
        }
        let half = |from: usize| rest.get(from..from + 6)?.strip_prefix("\\u").and_then(hex);
        let (c, length) = match (half(0), half(6)) {
            (Some(high @ 0xD800..=0xDBFF), Some(low @ 0xDC00..=0xDFFF)) => {
                (char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12)
            }
            (Some(code), _) => (char::from_u32(code), 6),
            (None, _) => (None, 0),
        };
        let Some(c) = c else { return Err(self.error(invalid)) };
        self.at += length;
        Ok(c)
    }

    fn block_string(&mut self) -> Result<String, DocumentRejection> {
        self.at += 3;
        let mut raw = String::new();
        loop {
            let rest = self.rest();
            let Some(quotes) = rest.find("\"\"\"") else { return Err(self.error("The block string does not end")) };
            let is_escaped = rest[..quotes].ends_with('\\');
            raw.push_str(&rest[..quotes - usize::from(is_escaped)]);
            self.at += quotes + 3;
            if !is_escaped {
                return Ok(dedented(&raw));
            }
            raw.push_str("\"\"\"");
        }
    }
}

/// The number that hexadecimal digits stand for, at most eight of them.
fn hex(digits: &str) -> Option<u32> {
    let is_valid = !digits.is_empty() && digits.len() <= 8 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    if is_valid { u32::from_str_radix(digits, 16).ok() } else { None }
}

/// Removes the common indentation and blank lines at both ends, as the specification says for block
/// strings (`BlockStringValue`).
fn dedented(raw: &str) -> String {
    let unix = raw.replace("\r\n", "\n").replace('\r', "\n");
    let is_space = |c: char| c == ' ' || c == '\t';
    let indent = |line: &str| line.len() - line.trim_start_matches(is_space).len();
    let is_blank = |line: &str| indent(line) == line.len();
    let common = unix.split('\n').skip(1).filter(|line| !is_blank(line)).map(indent).min().unwrap_or(0);
    let lines = unix.split('\n').enumerate();
    let lines: Vec<&str> =
        lines.map(|(n, line)| if n == 0 { line } else { line.get(common..).unwrap_or("") }).collect();
    let start = lines.iter().position(|line| !is_blank(line)).unwrap_or(lines.len());
    let end = lines.iter().rposition(|line| !is_blank(line)).map_or(start, |last| last + 1);
    lines[start..end].join("\n")
}
