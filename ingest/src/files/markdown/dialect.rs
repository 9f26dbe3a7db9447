//! What site generators and wikis add to Markdown, as plain Markdown and HTML: front matter, imports,
//! comments, admonitions (`:::`, `!!!`, `???`, `> [!NOTE]`), content tabs and directives.
//!
//! Called by [`markdown`](super) only. Works line by line and leaves fenced code alone; components
//! and shortcodes, which may stand within a line, are the business of [`components`](super::components).

use super::{components, front_matter, headings, marks};
use crate::extract::question;

/// A Markdown file without what only its site generator understands.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// From the front matter.
    pub title: Option<String>,
    /// From the front matter.
    pub language: Option<String>,
    pub body: String,
}

/// Reads a file of any dialect.
pub(super) fn read(text: &str) -> Source {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (front_matter, body) = front_matter::split(text);
    let value = |name: &str| front_matter.and_then(|lines| front_matter::value_of(lines, name));
    let mut writer = Rewriter::default();
    for line in body.lines() {
        writer.line(line);
    }
    writer.close_to(0);
    writer.out.push_str(&front_matter.map(front_matter::questions).unwrap_or_default());
    let language = value("lang").or_else(|| value("language"));
    Source {
        title: front_matter.and_then(front_matter::title),
        language,
        body: components::replaced(&marks::replaced(&writer.out)),
    }
}

/// A block that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
enum OpenBlock {
    /// Opened by this many colons, or by this many backticks of a directive.
    Fenced { sign: char, length: usize, is_details: bool },
    /// Goes on while lines are indented by this many spaces.
    Indented { indent: usize, is_details: bool },
}

#[derive(Default)]
struct Rewriter {
    out: String,
    blocks: Vec<OpenBlock>,
    /// The fence that closes the code block that is open.
    code: Option<String>,
    is_comment: bool,
    /// Inside of an `export` or `import` that goes on until an empty line.
    is_script: bool,
    /// The end of the `script` or `style` element that is open.
    element_end: Option<&'static str>,
    /// Where the line that was written last begins.
    last_start: usize,
}

impl Rewriter {
    fn line(&mut self, source: &str) {
        let line = self.dedented(source);
        let bare = line.trim();
        if let Some(fence) = &self.code {
            let is_end = bare.len() >= fence.len()
                && bare.starts_with(fence.as_str())
                && bare.chars().all(|c| fence.starts_with(c));
            if is_end {
                self.code = None;
            }
            return self.push(&line);
        }
        self.element_end = self.element_end.or_else(|| element_end(bare));
        if let Some(end) = self.element_end {
            self.element_end = self.element_end.filter(|_| !bare.contains(end));
            return self.push(&line);
        }
        if self.is_comment || bare.starts_with("{/*") {
            self.is_comment = !bare.contains("*/}");
            return;
        }
        // Indented, the same words are code or the text of a list.
        if self.is_script || is_script(source.trim_end()) {
            let ends = bare.is_empty() || !self.is_script && is_complete(bare);
            self.is_script = !ends;
            return;
        }
        if let Some(title) = tab_heading(bare) {
            return self.open(title, false);
        }
        if self.opens_or_closes(&line, bare) || is_directive(bare) {
            return;
        }
        if self.is_labelled(bare) {
            self.break_line();
        }
        let fence: String = bare.chars().take_while(|c| *c == '`').collect();
        let tildes: String = bare.chars().take_while(|c| *c == '~').collect();
        if fence.len() >= 3 || tildes.len() >= 3 {
            self.code = Some(if fence.len() >= 3 { fence } else { tildes });
        }
        match alert(bare) {
            Some("") => self.push(">"),
            Some(title) => self.push(&format!("> **{title}**\n>")),
            None => self.push(&headings::common(&line).unwrap_or(line)),
        }
    }

    fn push(&mut self, line: &str) {
        self.last_start = self.out.len();
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// Whether a line begins a question or its answer by a label, within the paragraph of the line before it.
    fn is_labelled(&self, bare: &str) -> bool {
        let line = without_signs(bare);
        let before = without_signs(&self.out[self.last_start..]);
        if before.is_empty() {
            return false;
        }
        let is_question = question::label(line).is_some_and(|label| !question::is_list_letter(label));
        is_question || question::answer_label(line).is_some() && question::is_marked(before)
    }

    /// Ends the last line for good, as two spaces do in Markdown.
    fn break_line(&mut self) {
        if self.out.ends_with('\n') {
            self.out.pop();
            self.out.push_str("  \n");
        }
    }

    /// The line without the indents of the blocks that it belongs to; ends those that it does not.
    fn dedented(&mut self, line: &str) -> String {
        let expanded = if line.contains('\t') { line.replace('\t', "    ") } else { line.to_owned() };
        let indent = expanded.len() - expanded.trim_start().len();
        let mut taken = 0;
        for at in 0..self.blocks.len() {
            let OpenBlock::Indented { indent: wanted, .. } = self.blocks[at] else { continue };
            if expanded.trim().is_empty() {
                continue;
            }
            if indent < taken + wanted {
                self.close_to(at);
                break;
            }
            taken += wanted;
        }
        if taken == 0 { line.to_owned() } else { expanded.get(taken..).unwrap_or_default().to_owned() }
    }

    /// Ends the open blocks from this one on.
    fn close_to(&mut self, depth: usize) {
        for block in self.blocks.drain(depth.min(self.blocks.len())..).rev() {
            let (OpenBlock::Fenced { is_details, .. } | OpenBlock::Indented { is_details, .. }) = block;
            self.out.push_str(if is_details { "\n</details>\n\n" } else { "\n" });
        }
    }

    /// Whether a line begins or ends an admonition, a tab or a directive.
    fn opens_or_closes(&mut self, line: &str, bare: &str) -> bool {
        let colons = bare.chars().take_while(|c| *c == ':').count();
        if colons >= 3 {
            return self.fenced(':', colons, bare[colons..].trim());
        }
        let ticks = bare.chars().take_while(|c| *c == '`').count();
        if ticks >= 3 {
            return self.directive(ticks, bare[ticks..].trim());
        }
        let indent = line.len() - line.trim_start().len() + 4;
        for (sign, is_details) in [("???+", true), ("???", true), ("!!!", false)] {
            if let Some(rest) = bare.strip_prefix(sign).filter(|rest| rest.starts_with(' ')) {
                let (kind, title) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
                let title = if kind.starts_with('"') { rest.trim() } else { title };
                self.open(title.trim().trim_matches('"'), is_details);
                let is_details = is_details && !title.trim().is_empty();
                self.blocks.push(OpenBlock::Indented { indent, is_details });
                return true;
            }
        }
        if let Some(title) = bare.strip_prefix("===").map(|rest| rest.trim_start_matches(['!', '+']).trim())
            && title.len() > 2
            && title.starts_with('"')
            && title.ends_with('"')
        {
            self.open(title.trim_matches('"'), false);
            self.blocks.push(OpenBlock::Indented { indent, is_details: false });
            return true;
        }
        false
    }

    /// `:::tip Title`, `::: details Title`, `:::note[Title]`, `::: {.callout-tip title="Title"}`, `:::`.
    fn fenced(&mut self, sign: char, length: usize, rest: &str) -> bool {
        if rest.is_empty() {
            let own = |block: &OpenBlock| matches!(block, OpenBlock::Fenced { sign: ':', length: open, .. } if *open <= length);
            if let Some(at) = self.blocks.iter().rposition(own) {
                self.close_to(at);
            }
            return true;
        }
        let (kind, title) = if let Some(attributes) = rest.strip_prefix('{') {
            (attributes, components::attribute(attributes, "title").unwrap_or_default())
        } else {
            let end = rest.find([' ', '[', '{']).unwrap_or(rest.len());
            let title = rest[end..].split('{').next().unwrap_or_default();
            (&rest[..end], title.trim().trim_start_matches('[').trim_end_matches(']').trim_matches('"').to_owned())
        };
        let kind = kind.to_lowercase();
        let is_details =
            !title.is_empty() && ["details", "collapse", "dropdown", "faq"].iter().any(|word| kind.contains(word));
        self.open(&title, is_details);
        self.blocks.push(OpenBlock::Fenced { sign, length, is_details });
        true
    }

    /// A directive of MyST: three backticks and `{note} Title`. Other code fences are code.
    fn directive(&mut self, length: usize, rest: &str) -> bool {
        let own =
            |block: &OpenBlock| matches!(block, OpenBlock::Fenced { sign: '`', length: open, .. } if *open <= length);
        if rest.is_empty() {
            let Some(at) = self.blocks.iter().rposition(own) else { return false };
            self.close_to(at);
            return true;
        }
        let Some((name, title)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { return false };
        let is_details = matches!(name, "dropdown" | "toggle" | "details");
        let is_text = is_details
            || matches!(
                name,
                "note"
                    | "tip"
                    | "warning"
                    | "important"
                    | "caution"
                    | "hint"
                    | "attention"
                    | "danger"
                    | "admonition"
                    | "seealso"
            );
        if is_text {
            let is_details = is_details && !title.trim().is_empty();
            self.open(title.trim(), is_details);
            self.blocks.push(OpenBlock::Fenced { sign: '`', length, is_details });
        }
        is_text
    }

    fn open(&mut self, title: &str, is_details: bool) {
        self.out.push_str(&components::opening(title, is_details));
    }
}

/// Whether a line is an import or export of a script at the top of an MDX file or between its parts.
fn is_script(bare: &str) -> bool {
    let is_import = bare.starts_with("import ")
        && (bare.contains(" from ") || bare.contains('{') || bare["import ".len()..].starts_with(['\'', '"']));
    let export = bare.strip_prefix("export ");
    let is_export = export.is_some_and(|rest| {
        ["const ", "let ", "var ", "default ", "function ", "async ", "{"].iter().any(|word| rest.starts_with(word))
    });
    is_import && bare.contains(['\'', '"', '{']) || is_export
}

/// Whether a statement ends with its first line: by a semicolon, or an import by the name of its module.
fn is_complete(line: &str) -> bool {
    let is_import = line.starts_with("import ") && line.ends_with(['\'', '"']);
    (line.ends_with(';') || is_import) && is_balanced(line)
}

/// The end of the element that a line begins and whose content is no Markdown.
fn element_end(bare: &str) -> Option<&'static str> {
    [("<script", "</script>"), ("<style", "</style>")]
        .into_iter()
        .find(|(start, _)| bare.strip_prefix(start).is_some_and(|rest| rest.starts_with(['>', ' '])))
        .map(|(_, end)| end)
}

/// The name of a tab of DocFX: `# [Windows](#tab/windows)`.
fn tab_heading(bare: &str) -> Option<&str> {
    let link = bare.strip_prefix('#')?.trim_start_matches('#').trim().strip_prefix('[')?;
    let (name, target) = link.split_once("](")?;
    (target.starts_with("#tab/") && target.ends_with(')')).then_some(name)
}

/// A line without the signs that quote it or make it bold.
fn without_signs(line: &str) -> &str {
    line.trim_start_matches(['>', '*', '_', ' ']).trim_end()
}

fn is_balanced(line: &str) -> bool {
    let count = |sign| line.matches(sign).count();
    count('{') == count('}') && count('(') == count(')') && count('[') == count(']')
}

/// Whether a line only tells a generator what to do: a table of contents, attributes of Kramdown, the meaning of an
/// abbreviation.
fn is_directive(bare: &str) -> bool {
    let is_contents = ["[toc]", "[[toc]]", "{:toc}", "[[_toc_]]"].iter().any(|toc| bare.eq_ignore_ascii_case(toc));
    let is_abbreviation = bare.starts_with("*[") && bare.contains("]:");
    is_contents || is_abbreviation || bare.starts_with("{:") && bare.ends_with('}')
}

/// The title of an alert of GitHub or Obsidian, `> [!NOTE] Title`; empty when it has none.
fn alert(bare: &str) -> Option<&str> {
    let rest = bare.strip_prefix('>')?.trim_start().strip_prefix("[!")?;
    let (_, title) = rest.split_once(']')?;
    Some(title.trim_start_matches(['-', '+']).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_end_where_their_element_or_module_ends() {
        let text = "# FAQ\n\n<script setup>\nimport { ref } from 'vue'\n\nconst a = 1\n</script>\n\n## How?\n\
            \nimport A from 'a'\nText.\n";

        assert!(read(text).body.ends_with("</script>\n\n## How?\n\nText.\n"), "{}", read(text).body);
    }

    #[test]
    fn indented_code_that_begins_like_a_script_stays() {
        for text in
            ["Write:\n\n    import { bot } from \"helpbot\"\n    bot.start()\n", "- a\n\n      export const b = 1\n"]
        {
            assert_eq!(read(text).body, text);
        }
    }

    #[test]
    fn questions_and_answers_with_labels_are_lines_of_their_own() {
        let body = |text: &str| read(text).body;

        assert_eq!(body("Q: Why?\nA: So.\n"), "Q: Why?  \nA: So.\n");
        assert_eq!(body("**Q:** Why?\n**A:** So.\n"), "**Q:** Why?  \n**A:** So.\n");
        assert_eq!(body("We have plan\na. or b.\n"), "We have plan\na. or b.\n");
    }

    #[test]
    fn parts_of_docfx_are_read_as_text() {
        let body = |text: &str| read(text).body.split_whitespace().collect::<Vec<_>>().join(" ");

        assert_eq!(body("# [Windows](#tab/windows)\nA.\n\n*[VAT]: tax\n"), "**Windows** A.");
    }

    #[test]
    fn front_matter_gives_the_title_and_is_no_text() {
        let source = read("---\ntitle: \"Billing: FAQ\"\nlang: de\n---\n# Hi\n");

        assert_eq!((source.title.as_deref(), source.language.as_deref()), (Some("Billing: FAQ"), Some("de")));
        assert_eq!(source.body, "# Hi\n");
        assert_eq!(read("+++\ntitle = 'A'\n+++\nx").title.as_deref(), Some("A"));
        assert_eq!(read("---\ntitle: >-\n  Help for\n  billing\n---\nx").title.as_deref(), Some("Help for billing"));
    }

    #[test]
    fn admonitions_become_text_and_collapsed_ones_details() {
        let body = |text: &str| read(text).body.split_whitespace().collect::<Vec<_>>().join(" ");

        assert_eq!(body(":::tip[Good to know]\n\nA.\n\n:::\nB."), "**Good to know** A. B.");
        assert_eq!(body("!!! note\n    A.\n\n    B.\nC."), "A. B. C.");
        assert_eq!(
            body("??? question \"Why?\"\n    Because.\nB."),
            "<details><summary>Why?</summary> Because. </details> B."
        );
        assert_eq!(body("> [!WARNING]\n> A."), "> > A.");
        assert_eq!(body("=== \"Windows\"\n\n    A.\n\n=== \"macOS\"\n\n    B."), "**Windows** A. **macOS** B.");
    }

    #[test]
    fn scripts_and_comments_go_and_code_stays() {
        let text = "import A from 'a';\n\nexport const b = {\n  c: 1,\n};\n\n{/* d\n e */}\nText.\n\n```js\nimport x from 'y'\n:::\n```\n";

        assert_eq!(read(text).body.trim(), "Text.\n\n```js\nimport x from 'y'\n:::\n```");
    }

    #[test]
    fn sentences_that_begin_like_scripts_stay() {
        let text = "import duties are paid by the buyer.\nexport goods are free.\n";

        assert_eq!(read(text).body, text);
    }
}
