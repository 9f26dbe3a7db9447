//! JSON as people write it into pages: with the faults that search engines forgive.
//!
//! Called for JSON-LD. A text is read as strict JSON first; only when that fails are its faults
//! mended: character references for quotes, raw line breaks and quotes in strings, comments, commas
//! before a closing bracket, several objects one behind the other. Depth is bounded before parsing.

use serde_json::Value;

/// The deepest nesting that is read; below serde_json's own limit of 128.
const DEPTH_LIMIT: usize = 64;

/// The JSON of a script; `None` when it cannot be read.
pub(crate) fn read(script: &str) -> Option<Value> {
    let bare = script.trim().trim_start_matches('\u{feff}');
    let bare = bare.trim_start_matches("<!--").trim_end_matches("-->").trim();
    let bare = bare.trim_start_matches("//<![CDATA[").trim_end_matches("//]]>").trim();
    let bare = bare.trim_start_matches("/*<![CDATA[*/").trim_end_matches("/*]]>*/").trim_end_matches(';').trim();
    let strict = |text: &str| (depth(text) <= DEPTH_LIMIT).then(|| serde_json::from_str(text).ok()).flatten();
    if let Some(value) = strict(bare) {
        return Some(value);
    }
    let unescaped =
        if QUOTES.iter().any(|quote| bare.contains(quote)) { without_references(bare) } else { bare.to_owned() };
    let mended = mended(&unescaped);
    let closed = || strict(&closed(&mended));
    strict(&unescaped).or_else(|| strict(&mended)).or_else(|| strict(&format!("[{mended}]"))).or_else(closed)
}

/// Character references of quotes.
const QUOTES: [&str; 3] = ["&quot;", "&#34;", "&#x22;"];

/// Tells the bytes of JSON that are outside of its strings.
#[derive(Default)]
struct StringWalk {
    is_string: bool,
    is_escaped: bool,
}

impl StringWalk {
    /// Takes the next byte. Returns whether it is outside of strings and is no quote.
    fn is_outside(&mut self, byte: u8) -> bool {
        match byte {
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' if self.is_string => self.is_escaped = true,
            b'"' => self.is_string = !self.is_string,
            _ => return !self.is_string,
        }
        false
    }
}

/// The text with the brackets that are missing at its end; as it is when it ends within a string.
fn closed(text: &str) -> String {
    let (mut open, mut walk) = (Vec::new(), StringWalk::default());
    for byte in text.bytes() {
        if !walk.is_outside(byte) {
            continue;
        }
        match byte {
            b'{' => open.push('}'),
            b'[' => open.push(']'),
            b'}' | b']' => {
                open.pop();
            }
            _ => {}
        }
        if open.len() > DEPTH_LIMIT {
            break;
        }
    }
    let ends = if walk.is_string { String::new() } else { open.into_iter().rev().collect() };
    format!("{}{ends}", text.trim_end().trim_end_matches(','))
}

/// The deepest nesting of brackets outside of strings.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut walk) = (0_usize, 0, StringWalk::default());
    for byte in text.bytes().filter(|&byte| walk.is_outside(byte)) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// The text with the character references that templates write for quotes and signs.
fn without_references(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#x22;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
        .replace("&apos;", "'")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The text with its faults mended, as far as that is possible without guessing at meaning.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let (mut is_string, mut is_escaped) = (false, false);
    // Scripts write strings in single quotes as well.
    let mut quote = '"';
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let rest = &text[at + c.len_utf8()..];
        if is_string {
            match c {
                '\'' if is_escaped && quote == '\'' => {
                    is_escaped = false;
                    out.pop();
                }
                _ if is_escaped => {
                    is_escaped = false;
                    // JSON has no other escapes; a lone backslash means itself.
                    if !matches!(c, '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' | 'u') {
                        out.push('\\');
                    }
                }
                '\\' => is_escaped = true,
                c if c == quote && ends_string(rest, quote) => {
                    is_string = false;
                    out.push('"');
                    continue;
                }
                '"' => out.push('\\'),
                c if c.is_control() => {
                    out.push_str(if c == '\n' { "\\n" } else { " " });
                    continue;
                }
                _ => {}
            }
            out.push(c);
            continue;
        }
        match c {
            '"' | '\'' => {
                (is_string, quote) = (true, c);
                out.push('"');
                continue;
            }
            '/' if rest.starts_with('*') => {
                let length = rest.find("*/").map_or(rest.len(), |end| end + 2);
                skip(&mut chars, &rest[..length]);
                continue;
            }
            '/' if rest.starts_with('/') => {
                let length = rest.find('\n').unwrap_or(rest.len());
                skip(&mut chars, &rest[..length]);
                continue;
            }
            '}' | ']' => {
                let end = out.trim_end().len();
                if out[..end].ends_with(',') {
                    out.truncate(end - 1);
                }
            }
            '{' | '[' if out.trim_end().ends_with(['}', ']']) => out.push(','),
            _ => {}
        }
        out.push(c);
    }
    out
}

fn skip(chars: &mut std::str::CharIndices<'_>, text: &str) {
    for _ in text.chars() {
        chars.next();
    }
}

/// How far behind a quote the sign may be that shows whether it ended a string, in bytes.
const LOOK_AHEAD_BYTES: usize = 256;

/// Whether a quote ends its string, by what comes next: a colon, a bracket, or a comma before the
/// next value.
fn ends_string(rest: &str, quote: char) -> bool {
    let mut ahead = rest.bytes().take(LOOK_AHEAD_BYTES).filter(|byte| !byte.is_ascii_whitespace());
    match ahead.next() {
        None | Some(b':' | b'}' | b']') => true,
        Some(b',') => {
            matches!(
                ahead.next(),
                None | Some(b'"' | b'{' | b'[' | b'}' | b']' | b'0'..=b'9' | b'-' | b't' | b'f' | b'n')
            ) || quote == '\'' && rest.trim_start_matches([',', ' ', '\n', '\t', '\r']).starts_with('\'')
        }
        Some(b'/') => matches!(ahead.next(), Some(b'/' | b'*')),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(script: &str) -> Option<String> {
        read(script)?["a"].as_str().map(str::to_owned)
    }

    #[test]
    fn forgivable_faults_are_mended() {
        assert_eq!(text(r#"{"a": "b",}"#).as_deref(), Some("b"));
        assert_eq!(text("{\"a\": \"b\nc\"}").as_deref(), Some("b\nc"));
        assert_eq!(text(r#"{&quot;a&quot;: &quot;b &amp; \&quot;c\&quot;&quot;}"#).as_deref(), Some("b & \"c\""));
        assert_eq!(text(r#"{"a": "<a href="/x">b</a>, c"}"#).as_deref(), Some("<a href=\"/x\">b</a>, c"));
        assert_eq!(text("/* x */ {\"a\": \"b\" // y\n};").as_deref(), Some("b"));
        assert_eq!(text(r#"{"a": "it\'s"}"#).as_deref(), Some("it\\'s"));
        assert_eq!(text(r#"{'a': 'the "new" bird\'s', 'c': [1, 2]}"#).as_deref(), Some("the \"new\" bird's"));
        assert_eq!(text(r#"{"a": "b", "c": [{"d": 1"#).as_deref(), Some("b"));
        assert_eq!(read("{\"a\":1}{\"b\":2}").map(|value| value[1]["b"].as_i64()), Some(Some(2)));
    }

    #[test]
    fn deep_and_broken_json_is_refused() {
        assert_eq!(read(&"[".repeat(100_000)), None);
        assert_eq!(read("not json"), None);
        assert_eq!(read("{\"a"), None);
    }
}
