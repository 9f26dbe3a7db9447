//! The front matter of a Markdown file, in YAML or TOML: its title, and questions that a theme shows on the page.
//!
//! Called by [`dialect`](super::dialect). Only the few forms that themes document are read, line by line.

use super::components;

/// The front matter at the start of a file, and what follows it. YAML is between lines of `---`, the last of which may
/// be `...`; TOML is between lines of `+++`; Pandoc begins its lines with `%`.
pub(super) fn split(text: &str) -> (Option<&str>, &str) {
    let text = text.trim_start_matches(['\n', '\r']);
    let first = text.split_inclusive('\n').next().unwrap_or_default();
    if first.starts_with("% ") {
        return title_block(text);
    }
    let ends: &[&str] = match first.trim_end() {
        "---" => &["---", "..."],
        "+++" => &["+++"],
        _ => return (None, text),
    };
    let (rest, mut at) = (&text[first.len()..], 0);
    // A line that is drawn and followed by text has no names below it.
    let is_named = |line: &str| line.contains([':', '=']) || line.starts_with('#') || ends.contains(&line.trim_end());
    if !rest.lines().find(|line| !line.trim().is_empty()).is_some_and(is_named) {
        return (None, text);
    }
    for line in rest.split_inclusive('\n') {
        if ends.contains(&line.trim_end()) {
            return (Some(&rest[..at]), &rest[at + line.len()..]);
        }
        at += line.len();
    }
    (None, text)
}

/// The title, author and date of Pandoc, on up to three lines that begin with a percent sign.
fn title_block(text: &str) -> (Option<&str>, &str) {
    let lines = text.split_inclusive('\n').take(TITLE_LINES).take_while(|line| line.starts_with('%'));
    let length = lines.map(str::len).sum();
    (Some(&text[..length]), &text[length..])
}

/// The lines of a title block of Pandoc.
const TITLE_LINES: usize = 3;

/// The title that front matter gives.
pub(super) fn title(lines: &str) -> Option<String> {
    let block = lines.strip_prefix("% ").and_then(|rest| rest.lines().next()).map(|title| title.trim().to_owned());
    block.filter(|title| !title.is_empty()).or_else(|| value_of(lines, "title"))
}

/// The value of a name in front matter of YAML or TOML, without its quotes.
pub(super) fn value_of(lines: &str, name: &str) -> Option<String> {
    let mut rest = lines.lines();
    let value = rest.find_map(|line| {
        let rest = line.strip_prefix(name)?.trim_start();
        rest.strip_prefix(':').or_else(|| rest.strip_prefix('='))
    })?;
    let value = value.trim();
    if matches!(value, "|" | ">" | "|-" | ">-" | "") {
        // A block of several lines: those that are indented, on one line.
        let block =
            rest.take_while(|line| line.starts_with([' ', '\t'])).map(str::trim).filter(|line| !line.is_empty());
        let text = block.collect::<Vec<_>>().join(" ");
        return (!text.is_empty() && !text.starts_with("- ") && !text.contains(": ")).then_some(text);
    }
    let value = unquoted(value);
    (!value.is_empty()).then(|| value.to_owned())
}

/// The questions that front matter lists below a name like `faqs`, as Markdown with a summary for each of them.
pub(super) fn questions(lines: &str) -> String {
    let mut out = String::new();
    let (mut is_list, mut question) = (false, None);
    let mut rest = lines.lines().peekable();
    while let Some(line) = rest.next() {
        let Some((name, value)) = line.trim_start_matches(['-', ' ']).split_once(':') else { continue };
        if !line.starts_with([' ', '-']) {
            is_list = LISTS.iter().any(|list| name.trim().eq_ignore_ascii_case(list));
            continue;
        }
        let is_named = |names: &[&str]| is_list && names.contains(&name.trim());
        if !is_named(&QUESTIONS) && !is_named(&ANSWERS) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let mut value = unquoted(value).to_owned();
        let is_block = matches!(value.as_str(), "" | "|" | ">" | "|-" | ">-");
        if is_block {
            value.clear();
        }
        while let Some(more) = rest.next_if(|next| next.trim().is_empty() || is_deeper(next, indent)) {
            value.push_str(if is_block { "\n" } else { " " });
            value.push_str(more.trim());
        }
        if is_named(&QUESTIONS) {
            question = Some(value);
        } else if let Some(question) = question.take() {
            out.push_str(&format!("{}{}\n\n</details>\n\n", components::opening(&question, true), value.trim()));
        }
    }
    out
}

/// Names of lists of questions.
const LISTS: [&str; 4] = ["faq", "faqs", "questions", "faqItems"];

/// Names of a question and of an answer in such a list.
const QUESTIONS: [&str; 3] = ["question", "q", "title"];
const ANSWERS: [&str; 4] = ["answer", "a", "text", "content"];

/// Whether a line continues the value of a name at an indent, and is no further name or item.
fn is_deeper(line: &str, indent: usize) -> bool {
    let own = line.len() - line.trim_start().len();
    let name = line.trim_start().split(':').next().unwrap_or_default();
    let is_name = QUESTIONS.contains(&name) || ANSWERS.contains(&name);
    own > indent && !is_name && !line.trim_start().starts_with("- ")
}

/// A value without its quotes.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    quoted.unwrap_or(value).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_listed_below_a_name() {
        let lines = "title: Help\nfaqs:\n  - question: \"How do I pay?\"\n    answer: By card.\
            \n  - question: Why?\n    \
            answer: |\n      Because.\n      So.\ntags:\n  - title: x\n    text: y\n";

        let found = questions(lines).split_whitespace().collect::<Vec<_>>().join(" ");

        assert_eq!(
            found,
            "<details><summary>How do I pay?</summary> By card. </details> \
             <details><summary>Why?</summary> Because. So. </details>"
        );
    }
}
