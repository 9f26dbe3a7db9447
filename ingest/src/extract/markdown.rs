//! Blocks to the restricted Markdown of answers, and that Markdown to plain text.
//!
//! Restricted Markdown has paragraphs, `-` and `1.` lists, fenced code, `**bold**`, `` `code` ``,
//! `~~deleted~~` and `[text](absolute address)`. Lists with letters are lines ("a. …"). The content of a block is built and escaped by
//! [`helpbot_domain::inline`], never here.

use helpbot_domain::inline::{self, Inline};
use html5ever::local_name;
use url::Url;

use super::dom::{NONE, NodeId};
use super::flow::{Block, BlockId, Blocks, Flow, Marker, Run};
use super::{images, media};

/// Renders the content blocks among `blocks`. Links without an absolute `http`, `https`, `mailto` or
/// `tel` address become their text. Images that stand alone are named only when there is no text.
pub(crate) fn render(flow: &Flow, blocks: Blocks, base: Option<&Url>) -> String {
    let mut out = String::with_capacity(flow.size(blocks.clone()) + 16);
    let lowest = blocks.clone().map(|id| flow.block(id).list_depth).min().unwrap_or(0);
    let is_shown = |block: &Block| !block.is_boilerplate && !block.is_control;
    let has_text = blocks.clone().map(|id| flow.block(id)).any(|block| is_shown(block) && !block.is_media);
    let mut previous: Option<&Block> = None;
    for id in blocks {
        let block = flow.block(id);
        if !is_shown(block) || block.is_media && has_text && !is_value(flow, id) && !links_to_file(flow, id) {
            continue;
        }
        separate(&mut out, flow, previous, block, lowest);
        let is_line_start = previous.is_none_or(|previous| gap_in_line(flow, previous, block).is_none());
        render_block(&mut out, flow, block, inlines(flow, flow.runs(id), base), is_line_start);
        previous = Some(block);
    }
    out
}

/// Whether an image is the whole value of a cell behind the first one of its row: "Yes", "Not included".
fn is_value(flow: &Flow, id: BlockId) -> bool {
    let block = flow.block(id);
    let is_behind = block.row != NONE && id > 0 && flow.block(id - 1).row == block.row;
    let is_alone = || cell(flow, block).is_some_and(|cell| flow.range(cell).len() == 1);
    is_behind && is_alone() && flow.text(id).trim().chars().count() <= images::LONGEST_VALUE_CHARS
}

/// Whether an image links to a document.
fn links_to_file(flow: &Flow, id: BlockId) -> bool {
    let mut links = flow.runs(id).iter().map(|run| run.style.link).filter(|&link| link != NONE);
    links.any(|link| {
        let href = flow.dom.attribute(link, &local_name!("href"));
        href.and_then(|href| images::linked_file(href.trim())).is_some()
    })
}

/// Writes what separates two blocks: a line break, an empty line, a list marker, a cell border.
fn separate(out: &mut String, flow: &Flow, previous: Option<&Block>, block: &Block, lowest: u8) {
    let levels = block.list_depth.saturating_sub(lowest);
    let is_item = block.marker != Marker::None;
    // The innermost list of the range is only indented where the range holds outer text too.
    let indent = usize::from(if is_item && lowest > 0 { levels + 1 } else { levels });
    if let Some(previous) = previous {
        if let Some(gap) = gap_in_line(flow, previous, block) {
            out.push_str(gap);
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
        Marker::Number(number, numbering) => out.push_str(&format!("{}. ", numbering.written(number))),
    }
}

/// What separates two blocks that are on one line; `None` for all others.
fn gap_in_line(flow: &Flow, previous: &Block, block: &Block) -> Option<&'static str> {
    let is_run_in = block.is_continued && block.node == previous.node && (block.is_run_in || previous.is_run_in);
    gap_in_row(flow, previous, block).or(is_run_in.then_some(" "))
}

/// What separates two blocks of one table row that has only short paragraphs: a border between cells, a
/// space within one.
fn gap_in_row(flow: &Flow, previous: &Block, block: &Block) -> Option<&'static str> {
    let is_text = |block: &Block| matches!(block.marker, Marker::None | Marker::Bullet) && !block.is_preformatted;
    if block.row == NONE || block.row != previous.row || !is_text(block) || !is_text(previous) {
        return None;
    }
    let (cell, before) = (cell(flow, block)?, cell(flow, previous)?);
    if cell == block.node && before == previous.node && cell != before {
        return Some(" | ");
    }
    let is_short = |cell: NodeId| {
        let blocks = flow.range(cell);
        let is_line = |id| is_text(flow.block(id)) && flow.block(id).heading == 0 && flow.block(id).row == block.row;
        let is_list = blocks.clone().any(|id| flow.block(id).marker == Marker::Bullet);
        let limit = if blocks.len() == 1 || is_list { CELL_BYTES } else { CELL_BYTES_JOINED };
        flow.size(blocks.clone()) <= limit && blocks.into_iter().all(is_line)
    };
    match (cell == before, is_short(cell), is_short(before)) {
        (false, true, true) => Some(" | "),
        (true, true, _) if block.marker == Marker::Bullet && is_item(flow.slice(previous.span)) => Some(", "),
        (true, true, _) if flow.range(cell).len() > 1 => Some(" "),
        _ => None,
    }
}

/// Whether the text before an item of a list ends without a sign of its own.
fn is_item(before: &str) -> bool {
    before.trim_end().ends_with(|c: char| c.is_alphanumeric() || matches!(c, ')' | '%' | '€' | '$' | '"' | '”'))
}

/// The cell that a block is in.
fn cell(flow: &Flow, block: &Block) -> Option<NodeId> {
    let is_cell = |id: &NodeId| matches!(*flow.dom.name(*id), local_name!("td") | local_name!("th"));
    std::iter::once(block.node).chain(flow.dom.ancestors(block.node)).take(CELL_CLIMB).find(is_cell)
}

/// How far above a paragraph its cell may be.
const CELL_CLIMB: usize = 6;

/// A cell with more bytes is text that is laid out by a table; several paragraphs are so sooner.
const CELL_BYTES: usize = 400;
const CELL_BYTES_JOINED: usize = 120;

fn render_block(out: &mut String, flow: &Flow, block: &Block, content: Vec<Inline>, is_line_start: bool) {
    let text = flow.slice(block.span);
    if block.is_preformatted {
        let fence = if text.contains("```") { "````" } else { "```" };
        out.push_str(&format!("{fence}\n{}\n{fence}", text.trim_matches('\n')));
    } else if block.heading > 0 {
        let title = Inline::Strong(vec![Inline::Text(text.trim().to_owned())]);
        out.push_str(&inline::to_markdown(&[title]));
    } else if is_line_start {
        out.push_str(inline::to_markdown(&content).trim_end());
    } else {
        // Behind other text, "> 5" and "3." begin no quotation and no list, so they need no escape.
        let mut behind = vec![Inline::Text(BEFORE.to_owned())];
        content.into_iter().for_each(|part| push(&mut behind, part));
        let markdown = inline::to_markdown(&behind);
        out.push_str(markdown.strip_prefix(BEFORE).unwrap_or(&markdown).trim_end());
    }
}

/// A word that is written before a block and taken away again.
const BEFORE: &str = "x ";

/// The inline content of some runs of text: each link with its whole label, neighbors of one style
/// as one part.
fn inlines(flow: &Flow, runs: &[Run], base: Option<&Url>) -> Vec<Inline> {
    let mut out: Vec<Inline> = Vec::new();
    for linked in runs.chunk_by(|one, other| one.style.link == other.style.link) {
        let link = linked[0].style.link;
        let address = (link != NONE).then(|| address(flow, link, base)).flatten();
        match address {
            Some(address) => push_link(&mut out, address, parts(flow, linked)),
            None => parts(flow, linked).into_iter().for_each(|part| push(&mut out, part)),
        }
    }
    trim_start(&mut out);
    out
}

/// Adds a link. Spaces at the ends of its label are placed outside the link.
fn push_link(out: &mut Vec<Inline>, address: String, label: Vec<Inline>) {
    let flat = inline::flat(&label);
    let core = flat.trim();
    if core.is_empty() {
        return push(out, Inline::Text(flat));
    }
    let start = flat.len() - flat.trim_start().len();
    let end = start + core.len();
    let mut parts = inline::split(label, &[start, end]).into_iter();
    let (lead, label, trail) = (parts.next(), parts.next().unwrap_or_default(), parts.next());
    lead.into_iter().flatten().for_each(|part| push(out, part));
    out.push(Inline::Link { address, label });
    trail.into_iter().flatten().for_each(|part| push(out, part));
}

/// The parts of runs within one link, or outside of links.
fn parts(flow: &Flow, runs: &[Run]) -> Vec<Inline> {
    let mut out = Vec::new();
    for run in runs {
        let text = flow.slice(run.span);
        let part = match run.style {
            style if style.is_code && !text.trim().is_empty() => Inline::Code(text.trim().to_owned()),
            style if style.is_bold => Inline::Strong(vec![Inline::Text(text.to_owned())]),
            _ => Inline::Text(text.to_owned()),
        };
        let (lead, trail) = (text.starts_with(' '), text.ends_with(' '));
        let is_code = matches!(part, Inline::Code(_));
        let part = if run.style.is_deleted { Inline::Deleted(vec![part]) } else { part };
        if is_code && lead {
            push(&mut out, Inline::Text(" ".to_owned()));
        }
        push(&mut out, part);
        if is_code && trail {
            push(&mut out, Inline::Text(" ".to_owned()));
        }
    }
    out
}

/// Adds a part to its like before it, or behind it.
fn push(out: &mut Vec<Inline>, part: Inline) {
    match (out.last_mut(), part) {
        (Some(Inline::Text(last)), Inline::Text(text)) => last.push_str(&text),
        (Some(Inline::Strong(last)), Inline::Strong(inner)) | (Some(Inline::Deleted(last)), Inline::Deleted(inner)) => {
            inner.into_iter().for_each(|part| push(last, part));
        }
        (_, part) => out.push(part),
    }
}

fn trim_start(parts: &mut Vec<Inline>) {
    if let Some(Inline::Text(text)) = parts.first_mut() {
        *text = text.trim_start().to_owned();
        if text.is_empty() {
            parts.remove(0);
        }
    }
}

/// The absolute address of a link that a visitor may follow.
fn address(flow: &Flow, link: NodeId, base: Option<&Url>) -> Option<String> {
    if let Some(address) = media::address(&flow.dom, link) {
        return media_page(resolve(address, base)?);
    }
    let href = flow.dom.attribute(link, &local_name!("href"))?.trim();
    if let Some(mail) = protected_mail(href) {
        return Some(format!("mailto:{mail}"));
    }
    let url = resolve(href, base)?;
    matches!(url.scheme(), "http" | "https" | "mailto" | "tel").then(|| url.into())
}

/// The page on which a visitor plays a recording that a frame shows.
fn media_page(url: Url) -> Option<String> {
    let is_youtube = url.host_str().is_some_and(|host| host.contains("youtube"));
    let video = url.path().strip_prefix("/embed/").filter(|id| is_youtube && !id.is_empty());
    match video {
        Some(id) => Some(format!("https://www.youtube.com/watch?v={id}")),
        None => matches!(url.scheme(), "http" | "https").then(|| url.into()),
    }
}

/// The address that Cloudflare's e-mail protection hides: the first byte is the key to the others.
pub(crate) fn protected_mail(href: &str) -> Option<String> {
    let (_, code) = href.split_once("/cdn-cgi/l/email-protection#")?;
    decoded_mail(code)
}

/// The address in the hexadecimal code of Cloudflare's e-mail protection.
pub(crate) fn decoded_mail(code: &str) -> Option<String> {
    let code = code.split(['?', '&']).next()?;
    let byte = |at: usize| code.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let key = byte(0)?;
    let mail: Option<Vec<u8>> = (2..code.len().min(512)).step_by(2).map(|at| Some(byte(at)? ^ key)).collect();
    let mail = String::from_utf8(mail?).ok()?;
    (mail.contains('@') && !mail.contains(|c: char| c.is_whitespace() || c.is_control())).then_some(mail)
}

/// An address as written, made absolute.
pub(crate) fn resolve(href: &str, base: Option<&Url>) -> Option<Url> {
    match base {
        Some(base) => base.join(href).ok(),
        None => Url::parse(href).ok(),
    }
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
            push_line(&mut out, inline::to_plain(&inline::parse(without_marker(bare))).trim());
        }
    }
    out
}

fn push_line(out: &mut String, line: &str) {
    if line.is_empty() {
        return;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(html: &str) -> String {
        super::super::fragment::markdown(html, None)
    }

    #[test]
    fn text_is_kept_as_it_was_written() {
        assert_eq!(
            answer("<p>3.50 euros, +49 30 12, 24.12.2026, all &lt; 2 kg"),
            "3.50 euros, +49 30 12, 24.12.2026, all < 2 kg"
        );
        assert_eq!(
            answer("<p>2 m<sup>2</sup>, 10<sup>4</sup> kWh, CO<sub>2</sub>, the 1<sup>st</sup>"),
            "2 m², 10⁴ kWh, CO₂, the 1st"
        );
        assert_eq!(answer("<p>It costs <del>19</del> <b>14</b> euros"), "It costs ~~19~~ **14** euros");
        assert_eq!(plain("It costs ~~19~~ **14** euros"), "It costs 14 euros");
    }

    #[test]
    fn cells_behind_others_need_no_escapes() {
        let table = "<table><tr><td>Large<td>&gt; 5 kg<td>3. floor<td><b>new</b><tr><td>&lt; 2 kg<td>+49 1</table>";

        assert_eq!(answer(table), "Large | > 5 kg | 3. floor | **new**\n\n< 2 kg | +49 1");
    }

    #[test]
    fn a_link_keeps_its_label_and_its_query() {
        let html = "<p>See <a href='https://a.example/b?c=1&amp;d_e=2'>our <b>new</b> shop </a>now";

        assert_eq!(answer(html), "See [our **new** shop](https://a.example/b?c=1&d_e=2) now");
    }

    #[test]
    fn images_stand_for_their_words() {
        assert_eq!(answer("<p>Tap <img alt='the gear'>, then save."), "Tap the gear, then save.");
        assert_eq!(answer("<p><img alt='Visa'> <img alt='Girocard'>"), "Visa Girocard");
        assert_eq!(answer("<p><img alt='A photo of the hall'><p>Upstairs."), "Upstairs.");
    }

    #[test]
    fn protected_addresses_are_readable() {
        let html = "<p><a href='/cdn-cgi/l/email-protection#432a2d252c03226d263b222e332f26'>write</a>";

        assert_eq!(answer(html), "[write](mailto:info@a.example)");
    }
}
