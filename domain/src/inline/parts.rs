//! The parts of a paragraph, their text, and how a paragraph is split.
//!
//! `parse` makes the parts, `render` writes them. Neither is needed here.

/// The deepest nesting of strong text, emphasis and deleted text that is parsed. Deeper markers
/// stay text. Real pages use two levels.
pub const NESTING_MAX: usize = 6;

/// A part of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// Text as people read it, without escapes.
    Text(String),
    /// Code, shown in a fixed-width font.
    Code(String),
    /// Strong text, usually shown in bold.
    Strong(Vec<Inline>),
    /// Emphasized text, usually shown in italics.
    Emphasis(Vec<Inline>),
    /// Text that the author struck out: an old price, a withdrawn rule.
    Deleted(Vec<Inline>),
    /// A link.
    Link {
        /// The address as written in the Markdown, without surrounding space.
        address: String,
        /// The text that people click.
        label: Vec<Inline>,
    },
}

/// The text of all parts without markers, deleted text included; the offsets that [`split`] takes
/// refer to it.
pub fn flat(inlines: &[Inline]) -> String {
    let mut out = String::new();
    push_flat(inlines, &mut out);
    out
}

fn push_flat(inlines: &[Inline], out: &mut String) {
    for inline in inlines {
        match inline {
            Inline::Text(text) | Inline::Code(text) => out.push_str(text),
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Deleted(inner) => push_flat(inner, out),
            Inline::Link { label, .. } => push_flat(label, out),
        }
    }
}

/// Splits a paragraph at byte offsets of its [`flat`] text, in ascending order.
///
/// Strong, emphasized and deleted text that spans an offset is closed in the first part and opened
/// again in the second. Code and links are never divided: an offset inside of one moves to its end.
/// Returns one more part than there are offsets; parts may be empty.
pub fn split(inlines: Vec<Inline>, offsets: &[usize]) -> Vec<Vec<Inline>> {
    let mut parts = Vec::with_capacity(offsets.len() + 1);
    let (mut rest, mut start) = (inlines, 0);
    for &offset in offsets {
        let (head, tail) = divide(rest, offset.saturating_sub(start));
        start += flat(&head).len();
        parts.push(head);
        rest = tail;
    }
    parts.push(rest);
    parts
}

/// Divides a paragraph at one offset of its flat text.
fn divide(inlines: Vec<Inline>, offset: usize) -> (Vec<Inline>, Vec<Inline>) {
    let (mut head, mut tail, mut at) = (Vec::new(), Vec::new(), 0);
    for inline in inlines {
        let length = flat(std::slice::from_ref(&inline)).len();
        if at + length <= offset {
            head.push(inline);
        } else if at >= offset {
            tail.push(inline);
        } else {
            let (first, second) = divide_one(inline, offset - at);
            head.extend(first);
            tail.extend(second);
        }
        at += length;
    }
    (head, tail)
}

fn divide_one(inline: Inline, offset: usize) -> (Option<Inline>, Option<Inline>) {
    let both = |wrap: fn(Vec<Inline>) -> Inline, inner| {
        let (head, tail) = divide(inner, offset);
        let wrapped = |part: Vec<Inline>| (!flat(&part).trim().is_empty()).then(|| wrap(part));
        (wrapped(head), wrapped(tail))
    };
    match inline {
        Inline::Text(text) => {
            let at = (offset..=text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len());
            (Some(Inline::Text(text[..at].to_owned())), Some(Inline::Text(text[at..].to_owned())))
        }
        Inline::Strong(inner) => both(Inline::Strong, inner),
        Inline::Emphasis(inner) => both(Inline::Emphasis, inner),
        Inline::Deleted(inner) => both(Inline::Deleted, inner),
        whole @ (Inline::Code(_) | Inline::Link { .. }) => (Some(whole), None),
    }
}
