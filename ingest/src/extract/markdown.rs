//! Blocks to the restricted Markdown of answers, and that Markdown to plain text.
//!
//! Restricted: paragraphs, `-` and `1.` lists, fenced code, `**bold**`, `` `code` `` and
//! `[text](absolute address)`. Everything else that Markdown would read is escaped, HTML too.

use html5ever::local_name;
use url::Url;

use super::dom::{NONE, NodeId};
use super::flow::{Block, Blocks, Flow, Marker, Run};

/// Characters that are escaped outside of code.
const SPECIAL: [char; 6] = ['\\', '*', '`', '[', ']', '<'];

/// Renders the content blocks among `blocks`; links without an absolute http(s), mailto or tel
/// address become their text.
pub(crate) fn render(flow: &Flow, blocks: Blocks, base: Option<&Url>) -> String {
    let mut out = String::with_capacity(flow.size(blocks.clone()) + 16);
    let lowest = blocks.clone().map(|id| flow.block(id).list_depth).min().unwrap_or(0);
    let mut previous: Option<&Block> = None;
    for id in blocks {
        let block = flow.block(id);
        if block.is_boilerplate || block.is_control {
            continue;
        }
        separate(&mut out, flow, previous, block, lowest);
        render_block(&mut out, flow, block, flow.runs(id), base);
        previous = Some(block);
    }
    out
}

/// Writes what stands between two blocks: a line, a paragraph, a list marker, a cell border.
fn separate(out: &mut String, flow: &Flow, previous: Option<&Block>, block: &Block, lowest: u8) {
    let levels = block.list_depth.saturating_sub(lowest);
    let is_item = block.marker != Marker::None;
    // The innermost list of the range is only indented where the range holds outer text too.
    let indent = usize::from(if is_item && lowest > 0 { levels + 1 } else { levels });
    if let Some(previous) = previous {
        let is_cell = matches!(*flow.dom.name(block.node), local_name!("td") | local_name!("th"));
        if is_cell && block.row == previous.row && block.node != previous.node {
            out.push_str(" | ");
            return;
        }
        let is_tight = block.is_continued || is_item && previous.list_depth > 0;
        out.push_str(if is_tight { "\n" } else { "\n\n" });
    }
    let margin = if is_item { indent.saturating_sub(1) } else { indent };
    if !block.is_preformatted {
        out.extend(std::iter::repeat_n("  ", margin));
    }
    match block.marker {
        Marker::None => {}
        Marker::Bullet => out.push_str("- "),
        Marker::Number(number) => out.push_str(&format!("{number}. ")),
    }
}

fn render_block(out: &mut String, flow: &Flow, block: &Block, runs: &[Run], base: Option<&Url>) {
    let text = flow.slice(block.span);
    if block.is_preformatted {
        let fence = if text.contains("```") { "````" } else { "```" };
        out.push_str(&format!("{fence}\n{}\n{fence}", text.trim_matches('\n')));
        return;
    }
    if block.heading > 0 {
        out.push_str("**");
        escape(out, text.trim());
        out.push_str("**");
        return;
    }
    let start = out.len();
    for run in runs {
        render_run(out, flow, run, base);
    }
    out.truncate(out.trim_end().len().max(start));
    escape_line_start(out, start);
}

fn render_run(out: &mut String, flow: &Flow, run: &Run, base: Option<&Url>) {
    let text = flow.slice(run.span);
    let core = text.trim();
    if core.is_empty() {
        out.push_str(if text.is_empty() { "" } else { " " });
        return;
    }
    if text.starts_with(char::is_whitespace) {
        out.push(' ');
    }
    let address = (run.link != NONE).then(|| address(flow, run.link, base)).flatten();
    if address.is_some() {
        out.push('[');
    }
    if run.is_code && !core.contains('`') {
        out.push_str(&format!("`{core}`"));
    } else if run.is_bold {
        out.push_str("**");
        escape(out, core);
        out.push_str("**");
    } else {
        escape(out, core);
    }
    if let Some(address) = address {
        out.push_str(&format!("]({address})"));
    }
    if text.ends_with(char::is_whitespace) {
        out.push(' ');
    }
}

fn address(flow: &Flow, link: NodeId, base: Option<&Url>) -> Option<String> {
    let href = flow.dom.attribute(link, &local_name!("href"))?.trim();
    let url = resolve(href, base)?;
    let is_plain = matches!(url.scheme(), "http" | "https" | "mailto" | "tel");
    is_plain.then(|| String::from(url).replace('(', "%28").replace(')', "%29"))
}

/// An address as written, made absolute.
pub(crate) fn resolve(href: &str, base: Option<&Url>) -> Option<Url> {
    match base {
        Some(base) => base.join(href).ok(),
        None => Url::parse(href).ok(),
    }
}

fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(SPECIAL) {
        out.push_str(&rest[..at]);
        out.push('\\');
        let end = at + rest[at..].chars().next().map_or(0, char::len_utf8);
        out.push_str(&rest[at..end]);
        rest = &rest[end..];
    }
    out.push_str(rest);
}

/// Keeps text that looks like a list item or a heading from being one.
fn escape_line_start(out: &mut String, start: usize) {
    let line = &out[start..];
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let at = match line.as_bytes().get(digits) {
        Some(b'.' | b')') if (1..=9).contains(&digits) => digits,
        Some(b'-' | b'+' | b'#' | b'>') if digits == 0 => 0,
        _ => return,
    };
    out.insert(start + at, '\\');
}

/// The text of restricted Markdown: no markers, no addresses, one line break between blocks.
pub(crate) fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut fence: Option<&str> = None;
    for line in markdown.lines() {
        if let Some(open) = fence {
            if line.trim() == open {
                fence = None;
            } else {
                push_line(&mut out, line);
            }
            continue;
        }
        let bare = line.trim();
        if bare.starts_with("```") {
            fence = Some(bare);
        } else if !bare.is_empty() {
            push_line(&mut out, &plain_line(without_marker(bare)));
        }
    }
    out
}

fn push_line(out: &mut String, line: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(line);
}

fn without_marker(line: &str) -> &str {
    if let Some(rest) = line.strip_prefix("- ") {
        return rest;
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match (digits, line[digits..].strip_prefix(". ")) {
        (1.., Some(rest)) => rest,
        _ => line,
    }
}

fn plain_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find(SPECIAL) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = match rest.as_bytes() {
            [b'\\', ..] => {
                let mut chars = rest[1..].chars();
                out.extend(chars.next());
                chars.as_str()
            }
            [b'*', b'*', ..] => &rest[2..],
            [b'`', ..] => match rest[1..].split_once('`') {
                Some((code, after)) => {
                    out.push_str(code);
                    after
                }
                None => &rest[1..],
            },
            [b']', b'(', ..] => rest.split_once(')').map_or("", |(_, after)| after),
            _ => &rest[1..],
        };
    }
    out.push_str(rest);
    out
}
