//! Components of MDX (`<Accordion title="…">`) and shortcodes of site generators (`{{< details "…" >}}`,
//! `{% hint %}`): what they title becomes a summary or a bold line, the rest of the tag goes.
//!
//! Called by [`dialect`](super::dialect) only. One pass over the text; code is left alone.

/// Attributes whose value titles what the component holds.
const TITLES: [&str; 8] = ["question", "q", "title", "summary", "label", "header", "heading", "name"];

/// Attributes whose value is the text of a component that has no children.
const TEXTS: [&str; 6] = ["answer", "a", "text", "content", "description", "body"];

/// Parts of the names of components that open and close.
const COLLAPSIBLE: [&str; 9] =
    ["accordion", "faq", "detail", "collaps", "question", "expand", "toggle", "disclosure", "dropdown"];

/// Parts of the names of components that have no words of their own to add to a line.
const DECORATIONS: [&str; 5] = ["icon", "badge", "image", "img", "emoji"];

/// The longest tag, in bytes.
const TAG_LIMIT_BYTES: usize = 16 * 1024;

/// The text without components and shortcodes.
pub(super) fn replaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<(String, bool)> = Vec::new();
    let mut fence = Fence::default();
    let (mut at, mut is_line_start, mut has_words) = (0, true, false);
    while at < text.len() {
        let rest = &text[at..];
        if is_line_start {
            has_words = false;
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            if fence.holds(line) {
                out.push_str(line);
                at += line.len();
                continue;
            }
        }
        let length = match tag(rest) {
            Some(tag) => {
                let is_in_line = has_words || tag.is_empty && goes_on(&rest[tag.length..]);
                replace(&mut out, &tag, &mut open, is_in_line);
                tag.length
            }
            None => {
                let length = code_length(rest).unwrap_or_else(|| rest.chars().next().map_or(1, char::len_utf8));
                out.push_str(&rest[..length]);
                has_words |= rest[..length].chars().any(char::is_alphabetic);
                length
            }
        };
        is_line_start = rest[..length].ends_with('\n');
        at += length;
    }
    out
}

/// The fence of the code block that is open, as the lines of a text go by.
#[derive(Default)]
pub(super) struct Fence(Option<String>);

impl Fence {
    /// Whether a line is code, or begins or ends a block of it.
    pub(super) fn holds(&mut self, line: &str) -> bool {
        let signs: String = line.trim_start().chars().take_while(|c| matches!(c, '`' | '~')).collect();
        match &self.0 {
            Some(fence) => {
                if signs.starts_with(fence.as_str()) {
                    self.0 = None;
                }
                true
            }
            None if signs.len() >= 3 => {
                self.0 = Some(signs);
                true
            }
            None => false,
        }
    }
}

/// Whether words follow a tag directly or behind a space, so that it is part of their line.
fn goes_on(text: &str) -> bool {
    text.trim_start_matches(' ').starts_with(char::is_alphanumeric)
}

/// The length of a code span at the start of a text, which must end on its line.
pub(super) fn code_length(text: &str) -> Option<usize> {
    let ticks = text.bytes().take_while(|&byte| byte == b'`').count();
    if ticks == 0 {
        return None;
    }
    let line = text.split('\n').next().unwrap_or(text);
    let end = line[ticks..].find(&"`".repeat(ticks));
    Some(end.map_or(ticks, |end| ticks + end + ticks))
}

/// A component or shortcode at the start of a text.
struct Tag<'a> {
    length: usize,
    name: &'a str,
    attributes: &'a str,
    is_end: bool,
    is_empty: bool,
}

fn tag(text: &str) -> Option<Tag<'_>> {
    match text.as_bytes() {
        [b'<', b'A'..=b'Z', ..] => component(text, 1),
        [b'<', b'/', b'A'..=b'Z', ..] => component(text, 2),
        [b'{', b'{', ..] => shortcode(text, "{{", "}}"),
        [b'{', b'%', ..] => shortcode(text, "{%", "%}"),
        [b'{', b'\'' | b'"', ..] => {
            // {' '} is how JSX writes a space.
            let end = text.find('}').filter(|end| *end <= 5)?;
            Some(Tag { length: end + 1, name: " ", attributes: "", is_end: false, is_empty: true })
        }
        _ => None,
    }
}

fn component(text: &str, start: usize) -> Option<Tag<'_>> {
    let name_end = text[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'))? + start;
    let end = tag_end(text)?;
    let inside = &text[name_end..end];
    let is_empty = inside.trim_end().ends_with('/');
    // Generic types in running text look alike: `List<String>` has no space before its name.
    Some(Tag { length: end + 1, name: &text[start..name_end], attributes: inside, is_end: start == 2, is_empty })
}

/// Where the tag at the start of a text ends: at the first `>` outside of quotes and braces.
fn tag_end(text: &str) -> Option<usize> {
    let (mut quote, mut braces) = (None, 0_usize);
    for (at, byte) in text.bytes().enumerate().take(TAG_LIMIT_BYTES) {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'{') => braces += 1,
            (None, b'}') => braces = braces.saturating_sub(1),
            (None, b'>') if braces == 0 => return Some(at),
            _ => {}
        }
    }
    None
}

fn shortcode<'a>(text: &'a str, start: &str, end: &str) -> Option<Tag<'a>> {
    let length = text.get(..text.len().min(TAG_LIMIT_BYTES)).unwrap_or(text).find(end)? + end.len();
    let inside = &text[start.len()..length - end.len()];
    if inside.contains('\n') {
        return None;
    }
    let inside = inside.trim_matches(['<', '>', '%', '-', ' ']);
    let bare = inside.trim_start_matches('/').trim_start();
    let name = bare.split([' ', '"']).next().unwrap_or_default();
    let is_end = inside.starts_with('/') || name.starts_with("end");
    // An include of Jekyll has no end.
    let is_empty = name == "include";
    Some(Tag { length, name: name.trim_start_matches("end"), attributes: &bare[name.len()..], is_end, is_empty })
}

fn replace(out: &mut String, tag: &Tag<'_>, open: &mut Vec<(String, bool)>, is_in_line: bool) {
    if tag.name == " " {
        out.push(' ');
        return;
    }
    if tag.is_end {
        if let Some(at) = open.iter().rposition(|(name, _)| name == tag.name) {
            let is_details = open[at..].iter().any(|(_, is_details)| *is_details);
            open.truncate(at);
            out.push_str(if is_details { "\n\n</details>\n\n" } else { "" });
        }
        return;
    }
    let lower = tag.name.to_lowercase();
    let title = TITLES.iter().find_map(|name| attribute(tag.attributes, name)).or_else(|| quoted(tag.attributes));
    let text = TEXTS.iter().find_map(|name| attribute(tag.attributes, name));
    let is_question = title.as_ref().is_some_and(|title| title.trim_end().ends_with('?'));
    let is_collapsible = title.is_some() && (is_question || COLLAPSIBLE.iter().any(|part| lower.contains(part)));
    if is_in_line && !is_collapsible {
        if !tag.is_empty {
            return open.push((tag.name.to_owned(), false));
        }
        let is_decoration = DECORATIONS.iter().any(|part| lower.contains(part));
        return out.push_str(&title.or(text).filter(|_| !is_decoration).unwrap_or_default());
    }
    if let Some(title) = &title {
        // An icon or a badge has a name, but titles nothing.
        let is_titling = is_collapsible || !tag.is_empty;
        out.push_str(&if is_titling { opening(title, is_collapsible) } else { String::new() });
    }
    match text {
        Some(text) if tag.is_empty => {
            out.push_str(&format!("\n\n{text}\n\n{}", if is_collapsible { "</details>\n\n" } else { "" }));
        }
        _ if tag.is_empty && is_collapsible => out.push_str("</details>\n\n"),
        _ if !tag.is_empty => open.push((tag.name.to_owned(), is_collapsible)),
        _ => {}
    }
}

/// What begins a titled block: a summary that opens it, a bold line, or nothing without a title.
pub(super) fn opening(title: &str, is_details: bool) -> String {
    let title = title.trim();
    match (title.is_empty(), is_details) {
        (true, _) => "\n".to_owned(),
        (false, true) => {
            let title = title.replace('&', "&amp;").replace('<', "&lt;").replace(['`', '*'], "");
            format!("\n\n<details><summary>{title}</summary>\n\n")
        }
        (false, false) => format!("\n\n**{title}**\n\n"),
    }
}

/// The value of an attribute written as `name="value"`, `name='value'` or `name={"value"}`.
pub(super) fn attribute(attributes: &str, name: &str) -> Option<String> {
    let mut rest = attributes;
    while let Some(at) = rest.find(name) {
        let before = rest[..at].chars().next_back();
        let after = rest[at + name.len()..].trim_start();
        rest = &rest[at + name.len()..];
        let is_name = before.is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '\'' | '}'));
        if let (true, Some(value)) = (is_name, after.strip_prefix('=')) {
            return quoted(value.trim_start().trim_start_matches('{').trim_start())
                .filter(|value| !value.trim().is_empty());
        }
    }
    None
}

/// The text in the quotes with which a text begins, apart from space.
fn quoted(text: &str) -> Option<String> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    text[1..].split_once(quote).map(|(value, _)| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> String {
        replaced(text).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn titled_components_become_summaries_or_bold_lines() {
        assert_eq!(
            body("<AccordionGroup>\n<Accordion title=\"Is it free?\">\nYes.\n</Accordion>\n</AccordionGroup>"),
            "<details><summary>Is it free?</summary> Yes. </details>"
        );
        assert_eq!(body("<Faq question='Why?' answer={\"So.\"} />"), "<details><summary>Why?</summary> So. </details>");
        assert_eq!(body("<TabItem value=\"w\" label=\"Windows\">\nA.\n</TabItem>"), "**Windows** A.");
        assert_eq!(body("<Callout type=\"warning\">A.</Callout> B <Icon name=\"x\" /> C"), "A. B C");
    }

    #[test]
    fn components_within_a_line_leave_it_whole() {
        assert_eq!(
            replaced(
                "Use the <Kbd text=\"Ctrl\" /> key and <Term name=\"SLA\" description=\"service level\" /> terms."
            ),
            "Use the Ctrl key and SLA terms."
        );
        assert_eq!(body("## How? <Badge type=\"tip\" text=\"new\" />\nSo."), "## How? So.");
        assert_eq!(replaced("A <Tooltip title=\"x\">word</Tooltip> here"), "A word here");
    }

    #[test]
    fn shortcodes_go_and_titled_ones_stay() {
        assert_eq!(
            body("{{< details \"Why?\" >}}So.{{< /details >}}"),
            "<details><summary>Why?</summary> So. </details>"
        );
        assert_eq!(body("{% hint style=\"info\" %}\nA.\n{% endhint %}"), "A.");
        assert_eq!(body("{{% notice tip %}}A.{{% /notice %}} B {{ site.name }}"), "A. B");
    }

    #[test]
    fn code_and_less_than_signs_stay() {
        for text in ["`<Tabs>` and `{{ x }}`", "```\n<Tabs title=\"a\">\n```", "a < B and c > d {x}"] {
            assert_eq!(replaced(text), text);
        }
    }
}
