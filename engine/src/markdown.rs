//! Reads restricted Markdown: as plain text for indexing, as blocks and sentences for answers.
//!
//! `ingest` writes this dialect: paragraphs, lists, headings, fenced code, tables, emphasis, links.
//! This module does not render it.

use std::borrow::Cow;
use std::rc::Rc;

use helpbot_domain::inline;
use unicode_segmentation::UnicodeSegmentation;

/// Returns the text without link targets, emphasis, heading marks and list marks.
pub fn plain(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    for line in markdown.lines() {
        if !out.is_empty() {
            out.push('\n');
        }
        push_plain_line(strip_line_sign(line), &mut out);
    }
    out
}

/// Returns the text without images and HTML tags, which no answer may contain. The label of an
/// image stays. Code and escaped characters are not changed.
pub fn safe(markdown: &str) -> Cow<'_, str> {
    if !markdown.contains('<') && !markdown.contains("![") {
        return Cow::Borrowed(markdown);
    }
    let mut out = String::with_capacity(markdown.len());
    let mut in_code = false;
    for line in markdown.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        if in_code || is_fence {
            out.push_str(line);
        } else {
            push_safe_line(line, &mut out);
        }
        in_code ^= is_fence;
    }
    Cow::Owned(out)
}

/// A piece of text that is either kept or left out as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The sentence, list item, table row or code block, without surrounding space.
    pub text: String,
    /// The separator from the unit before: a space, a line break or an empty line.
    pub gap: &'static str,
    /// Whether the unit needs the next one: a heading, or a line that ends in a colon before a
    /// list.
    pub leads: bool,
    /// The header rows of the table, for a row below them. The row is not readable without them.
    pub table_header: Option<Rc<str>>,
}

/// Splits the text into sentences, list items, table rows and code blocks.
pub fn units(markdown: &str) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut header: Option<Rc<str>> = None;
    for block in blocks(markdown) {
        let mut gap = "\n\n";
        if block.starts_with("```") {
            units.push(Unit { text: block, gap, leads: false, table_header: None });
            continue;
        }
        let lines = joined_lines(&block);
        for (at, line) in lines.iter().enumerate() {
            let starts_table = header_rows(&lines[at..]);
            if !is_row(line) {
                header = None;
            } else if let Some(rows) = starts_table {
                header = Some(rows.into());
            }
            if is_line_unit(line) {
                let is_header = header.as_ref().is_some_and(|header| header.lines().any(|row| row == line));
                let leads = line.starts_with('#') || is_header;
                let table_header = header.clone().filter(|_| !is_header);
                units.push(Unit { text: line.clone(), gap, leads, table_header });
            } else {
                for sentence in sentences(line) {
                    let leads = sentence.ends_with([':', '：']);
                    units.push(Unit { text: sentence.to_owned(), gap, leads, table_header: None });
                    gap = " ";
                }
            }
            gap = "\n";
        }
    }
    if let Some(last) = units.last_mut() {
        last.leads = false;
    }
    units
}

/// Whether a line is a row of a table: with bars at its ends, or with bars between its cells.
fn is_row(line: &str) -> bool {
    line.starts_with('|') || line.contains(" | ")
}

/// The header rows with which some lines begin: a row above a delimiter row, or one of bold cells.
fn header_rows(lines: &[String]) -> Option<String> {
    let first = lines.first().filter(|line| is_row(line))?;
    let is_delimiter = |line: &&String| {
        line.starts_with('|') && line.contains("--") && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' '))
    };
    if let Some(delimiter) = lines.get(1).filter(is_delimiter) {
        return Some(format!("{first}\n{delimiter}"));
    }
    let is_bold = |cell: &str| cell.len() > 4 && cell.starts_with("**") && cell.ends_with("**");
    first.split(" | ").all(|cell| is_bold(cell.trim())).then(|| first.clone())
}

/// Splits the text into pieces that are readable as they arrive: a sentence, a list item, a table
/// row or a code block each, with the space after it. Together they are the text.
pub fn steps(markdown: &str) -> Vec<&str> {
    let mut ends: Vec<usize> = Vec::new();
    let (mut start, mut end, mut in_code) = (0, 0, false);
    for line in markdown.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        let pieces: Vec<&str> = if in_code || is_fence { vec![line] } else { line.split_sentence_bounds().collect() };
        in_code ^= is_fence;
        for piece in pieces {
            end += piece.len();
            let step = markdown[start..end].trim();
            match ends.last_mut() {
                Some(last) if step.is_empty() => *last = end,
                _ if in_code || step.is_empty() || is_abbreviation(step) || is_item_sign(step) => continue,
                _ => ends.push(end),
            }
            start = end;
        }
    }
    if start < markdown.len() {
        ends.push(markdown.len());
    }
    let mut start = 0;
    ends.into_iter().map(|end| &markdown[std::mem::replace(&mut start, end)..end]).collect()
}

/// Whether the piece is only the number or bullet of a list item. A period after it does not end a
/// sentence.
fn is_item_sign(step: &str) -> bool {
    step.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ')' | '-' | '*' | '+'))
}

/// Joins units with the separators between them.
pub fn join(units: &[Unit]) -> String {
    let mut text = String::new();
    for unit in units {
        if !text.is_empty() {
            text.push_str(unit.gap);
        }
        text.push_str(&unit.text);
    }
    text
}

/// Splits a paragraph into its sentences, trimmed and not empty. Strong text that spans two sentences is
/// strong in both; links and code are never divided. A period after an initial, a number or a common
/// abbreviation does not end a sentence.
pub fn sentences(paragraph: &str) -> Vec<String> {
    let paragraph = if paragraph.contains("![") { safe(paragraph) } else { Cow::Borrowed(paragraph) };
    let inlines = inline::parse(&paragraph);
    let flat = inline::flat(&inlines);
    let parts = inline::split(inlines, &sentence_ends(&flat));
    let sentences = parts.iter().map(|part| inline::to_markdown(part).trim().to_owned());
    sentences.filter(|sentence| !sentence.is_empty()).collect()
}

/// Where the sentences of a text without markers end, except for the last one.
fn sentence_ends(text: &str) -> Vec<usize> {
    let (mut ends, mut start) = (Vec::new(), 0);
    for (at, piece) in text.split_sentence_bound_indices() {
        let end = at + piece.len();
        // Without a space behind it, a question mark belongs to a URL or a file name.
        let is_apart = piece.ends_with(|c: char| c.is_whitespace() || UNSPACED_ENDS.contains(&c));
        if is_apart && end < text.len() && !is_abbreviation(text[start..end].trim_end()) {
            ends.push(end);
            start = end;
        }
    }
    ends
}

/// Signs that end a sentence in scripts that write no space behind it, and quotes behind them.
const UNSPACED_ENDS: [char; 8] = ['。', '！', '？', '．', '」', '』', '）', '”'];

fn is_abbreviation(text: &str) -> bool {
    /// Abbreviations in lower case without the last period. A sentence rarely begins after them.
    const ABBREVIATIONS: [&str; 27] = [
        "e.g", "i.e", "mr", "mrs", "ms", "dr", "prof", "st", "vs", "approx", "no", "z.b", "d.h", "bzw", "ca", "nr",
        "u.a", "s", "inkl", "ggf", "p.ej", "sr", "sra", "m", "mme", "av", "art",
    ];
    let Some(text) = text.strip_suffix('.') else { return false };
    let word = text.rsplit([' ', '\n', '(', '\u{a0}']).next().unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let word = word.to_lowercase();
    is_initial || (ABBREVIATIONS.contains(&word.as_str()) && word.len() > 1)
}

fn blocks(markdown: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    let mut in_code = false;
    for line in markdown.lines() {
        let is_fence = line.trim_start().starts_with("```");
        if is_fence && !in_code {
            push_block(&mut block, &mut blocks);
        }
        if line.trim().is_empty() && !in_code {
            push_block(&mut block, &mut blocks);
        } else {
            block.push(line);
        }
        if is_fence {
            if in_code {
                push_block(&mut block, &mut blocks);
            }
            in_code = !in_code;
        }
    }
    push_block(&mut block, &mut blocks);
    blocks
}

fn push_block(lines: &mut Vec<&str>, blocks: &mut Vec<String>) {
    if !lines.is_empty() {
        blocks.push(lines.join("\n").trim_end().to_owned());
        lines.clear();
    }
}

/// Joins lines that only wrap a paragraph. List items, table rows and headings stay separate.
fn joined_lines(block: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in block.lines() {
        let line = line.trim_end();
        match lines.last_mut() {
            Some(last) if !is_line_unit(line) && !is_row_or_heading(last) => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

fn is_line_unit(line: &str) -> bool {
    is_row_or_heading(line) || strip_line_sign(line).len() < line.trim_start().len()
}

fn is_row_or_heading(line: &str) -> bool {
    is_row(line) || line.starts_with('#')
}

/// Returns the line without the mark of a heading, quote or list item.
fn strip_line_sign(line: &str) -> &str {
    let line = line.trim_start();
    let text = line.trim_start_matches(['#', '>']);
    if text.len() < line.len() {
        return text.trim_start();
    }
    if let Some(item) = ["- ", "* ", "+ ", "• "].iter().find_map(|sign| line.strip_prefix(sign)) {
        return item;
    }
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let after = &line[digits..];
    let item = after.strip_prefix(". ").or_else(|| after.strip_prefix(") "));
    item.filter(|_| (1..=3).contains(&digits)).unwrap_or(line)
}

/// Appends a line without markers. Deleted text is left out, because it no longer holds; of an image
/// the label is kept.
fn push_plain_line(line: &str, out: &mut String) {
    let inlines = inline::parse(&line.replace("![", "["));
    out.push_str(&inline::to_plain(&inlines).replace('|', " "));
}

fn push_safe_line(line: &str, out: &mut String) {
    let mut rest = line;
    let mut in_code = false;
    while let Some(at) = rest.find(['<', '!', '`', '\\']) {
        out.push_str(&rest[..at]);
        let sign = &rest[at..];
        let (kept, length) = match sign.as_bytes()[0] {
            b'`' => {
                in_code = !in_code;
                ("`", 1)
            }
            b'\\' if !in_code => {
                let length = 1 + sign[1..].chars().next().map_or(0, char::len_utf8);
                (&sign[..length], length)
            }
            b'!' if !in_code => link(&sign[1..]).map_or(("!", 1), |(label, length)| (label, length + 1)),
            b'<' if !in_code => tag(sign).map_or(("<", 1), |length| ("", length)),
            _ => (&sign[..1], 1),
        };
        out.push_str(kept);
        rest = &sign[length..];
    }
    out.push_str(rest);
}

/// Returns the length of the HTML tag at the start of a text. A tag that does not end on its line
/// counts as one character. `None` for "less than", and for a placeholder such as `<your name>`.
fn tag(text: &str) -> Option<usize> {
    let inside = text[1..].split('>').next().unwrap_or_default();
    let name = inside.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
    let after = inside[name.len()..].chars().next().unwrap_or(' ');
    let is_element = ELEMENTS.split(' ').any(|element| element.eq_ignore_ascii_case(name));
    let is_named = name.starts_with(|c: char| c.is_ascii_alphabetic()) && (after.is_whitespace() || after == '/');
    // An element of any name can carry an attribute that runs a script.
    let is_tag = inside.starts_with(['/', '!', '?']) || (is_named && (is_element || inside.contains('=')));
    is_tag.then(|| text.find('>').map_or(1, |end| end + 1))
}

/// Names of HTML elements.
const ELEMENTS: &str = "a abbr applet area article aside audio b base blockquote body br button canvas caption center \
    code col dd del details dialog div dl dt em embed fieldset figure font footer form frame frameset h1 h2 h3 h4 h5 h6 \
    head header hr html i iframe img input ins kbd label legend li link main map mark marquee math menu meta nav \
    noscript object ol option p picture pre q s script section select slot small source span strong style sub \
    summary sup svg table tbody td template textarea tfoot th thead title tr track u ul var video xmp";

/// Returns the label of a link `[label](target)` at the start of `text`, and the length of the
/// link.
fn link(text: &str) -> Option<(&str, usize)> {
    let label_end = text.strip_prefix('[')?.find("](")? + 1;
    let target_end = text[label_end..].find(')')? + label_end;
    Some((&text[1..label_end], target_end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_no_marks() {
        let markdown = "## Returns\n- **Send** it [back](https://a.example/x)\n1. `done`\n> quoted ![x](y.png)";

        assert_eq!(plain(markdown), "Returns\nSend it back\ndone\nquoted x");
    }

    #[test]
    fn escaped_signs_are_themselves_but_in_code() {
        assert_eq!(plain(r"5 \* 3 \[sic\] \`x\` C:\dir \\ `\d\*`"), r"5 * 3 [sic] `x` C:\dir \ \d\*");
        assert_eq!(plain(r"\- no item"), "- no item");
    }

    #[test]
    fn safe_text_has_no_images_and_no_tags_outside_of_code() {
        let honest = "Dear <your name>, 1 <2, <https://a.example/?b=c> or <me@a.example>";
        assert_eq!(safe(honest), honest);
        let hostile = "<X onclick=f()>a <b>c</b> ![p](https://x/y.png)<!-- z --> d < e \\<f> `<g>` <script\n```\n<i> ![j](k)\n```\n!";

        assert_eq!(safe(hostile), "a c p d < e \\<f> `<g>` script\n```\n<i> ![j](k)\n```\n!");
        assert!(matches!(safe("plain, [a](b)!"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_open_bracket_is_only_a_bracket() {
        assert_eq!(plain("a [b ! c | d"), "a [b ! c   d");
    }

    #[test]
    fn steps_are_sentences_items_and_blocks_and_together_the_text() {
        let text = "One. Two, e.g. this!\n\n1. first\n2. second. More\n\n```\na. b. c.\nd\n```\nEnd";

        let steps = steps(text);

        let wanted =
            ["One. ", "Two, e.g. this!\n\n", "1. first\n", "2. second. ", "More\n\n", "```\na. b. c.\nd\n```\n", "End"];
        assert_eq!(steps, wanted);
        for text in ["", "\n\n", "  x", "```\nopen", "返品できます。送料は無料です。"] {
            assert_eq!(super::steps(text).concat(), text);
        }
    }

    #[test]
    fn sentences_end_where_readers_end_them() {
        let text = "Call Dr. Miller, e.g. today. It costs 3.50 EUR! Really? Yes.";

        assert_eq!(sentences(text), ["Call Dr. Miller, e.g. today.", "It costs 3.50 EUR!", "Really?", "Yes."]);
        assert_eq!(sentences("返品できます。送料は無料です。"), ["返品できます。", "送料は無料です。"]);
    }

    #[test]
    fn units_keep_items_and_code_whole_and_join_to_the_same_text() {
        let markdown = "First line\nwraps. Second.\n\nSteps:\n- one\n- two\n\n```\na\n\nb\n```";

        let units = units(markdown);

        let texts: Vec<&str> = units.iter().map(|unit| unit.text.as_str()).collect();
        assert_eq!(texts, ["First line wraps.", "Second.", "Steps:", "- one", "- two", "```\na\n\nb\n```"]);
        assert!(units[2].leads);
        assert_eq!(join(&units), "First line wraps. Second.\n\nSteps:\n- one\n- two\n\n```\na\n\nb\n```");
    }
}
