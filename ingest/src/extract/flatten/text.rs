//! White space of running text. Called by [`flatten`](super).

/// Appends text with its white space collapsed. Returns whether a space must precede the next text.
pub(super) fn collapse(out: &mut String, source: &str, mut has_space: bool, is_start: bool) -> bool {
    let mut is_start = is_start;
    let bytes = source.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at].is_ascii_whitespace() {
            has_space = !is_start;
            at += 1;
            continue;
        }
        let word = bytes[at..].iter().position(u8::is_ascii_whitespace).map_or(bytes.len(), |n| at + n);
        if has_space {
            out.push(' ');
        }
        out.push_str(&source[at..word]);
        (has_space, is_start, at) = (false, false, word);
    }
    has_space
}
