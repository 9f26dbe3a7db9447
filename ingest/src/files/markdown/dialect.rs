//! What site generators and wikis add to Markdown, as plain Markdown and HTML: front matter, imports,
//! comments, admonitions (`:::`, `!!!`, `???`, `> [!NOTE]`), content tabs and directives.
//!
//! Called by [`markdown`](super) only. Works line by line and leaves fenced code alone; components
//! and shortcodes, which may stand within a line, are the business of [`components`](super::components).

use super::components;

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
    let (front_matter, body) = front_matter(text);
    let value = |name: &str| front_matter.and_then(|lines| value_of(lines, name));
    let mut writer = Rewriter::default();
    for line in body.lines() {
        writer.line(line);
    }
    writer.close_to(0);
    let language = value("lang").or_else(|| value("language"));
    Source { title: value("title"), language, body: components::replaced(&writer.out) }
}

/// The lines between `---` or `+++` at the start of a file, and what follows them.
fn front_matter(text: &str) -> (Option<&str>, &str) {
    for fence in ["---", "+++"] {
        let Some(rest) =
            text.strip_prefix(fence).and_then(|rest| rest.strip_prefix('\n').or(rest.strip_prefix("\r\n")))
        else {
            continue;
        };
        let mut at = 0;
        for line in rest.split_inclusive('\n') {
            if line.trim_end() == fence {
                return (Some(&rest[..at]), &rest[at + line.len()..]);
            }
            at += line.len();
        }
    }
    (None, text)
}

/// The value of a name in front matter of YAML or TOML, without its quotes.
fn value_of(lines: &str, name: &str) -> Option<String> {
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
    let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let value = quoted.unwrap_or(value).trim();
    (!value.is_empty()).then(|| value.to_owned())
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
}

impl Rewriter {
    fn line(&mut self, line: &str) {
        let line = self.dedented(line);
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
        if self.is_comment || bare.starts_with("{/*") {
            self.is_comment = !bare.contains("*/}");
            return;
        }
        if self.is_script || is_script(bare) {
            let ends = bare.is_empty() || (bare.ends_with(';') && !self.is_script && is_balanced(bare));
            self.is_script = !ends;
            return;
        }
        if self.opens_or_closes(&line, bare) || is_directive(bare) {
            return;
        }
        let fence: String = bare.chars().take_while(|c| *c == '`').collect();
        let tildes: String = bare.chars().take_while(|c| *c == '~').collect();
        if fence.len() >= 3 || tildes.len() >= 3 {
            self.code = Some(if fence.len() >= 3 { fence } else { tildes });
        }
        match alert(bare) {
            Some("") => self.push(">"),
            Some(title) => self.push(&format!("> **{title}**\n>")),
            None => self.push(&line),
        }
    }

    fn push(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
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

fn is_balanced(line: &str) -> bool {
    let count = |sign| line.matches(sign).count();
    count('{') == count('}') && count('(') == count(')') && count('[') == count(']')
}

/// Whether a line only tells a generator what to do: a table of contents, attributes of Kramdown.
fn is_directive(bare: &str) -> bool {
    let is_contents = ["[toc]", "[[toc]]", "{:toc}", "[[_toc_]]"].iter().any(|toc| bare.eq_ignore_ascii_case(toc));
    is_contents || bare.starts_with("{:") && bare.ends_with('}')
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
