//! Inline content: the text, code, strong text, deleted text and links of one paragraph.
//!
//! Every crate that touches a paragraph of restricted Markdown parses it here, works on the parts
//! and renders them again, so that no crate cuts or escapes Markdown source by hand. Ingestion
//! builds paragraphs, the engine splits them into sentences, and mail and search render them as
//! plain text. Blocks (lists, code blocks, tables) are the caller's business.
//!
//! Parsing takes time linear in the length of the text and nests at most [`NESTING_MAX`] deep.

mod parse;
mod parts;
mod render;

pub use parse::parse;
pub use parts::{Inline, NESTING_MAX, flat, split};
pub use render::{to_html, to_markdown, to_plain};

#[cfg(test)]
mod tests {
    use super::*;

    fn sentences(markdown: &str, offsets: &[usize]) -> Vec<String> {
        split(parse(markdown), offsets).iter().map(|part| to_markdown(part)).collect()
    }

    #[test]
    fn strong_text_is_closed_in_both_parts() {
        assert_eq!(sentences("**Quiet! From** ten", &[7]), ["**Quiet!** ", "**From** ten"]);
        assert_eq!(sentences("**Yes!** It is.", &[4]), ["**Yes!**", " It is."]);
    }

    #[test]
    fn links_and_code_are_never_divided() {
        let text = "See [our shop. Now](https://a.example/b?c=1) today.";

        assert_eq!(sentences(text, &[14]), ["See [our shop. Now](https://a.example/b?c=1)", " today."]);
        assert_eq!(sentences("Run `a. b` now", &[7]), ["Run `a. b`", " now"]);
    }

    #[test]
    fn parts_put_together_are_the_text() {
        let text = "One **two. Three** ~~four~~ five. Größe";

        let parts = split(parse(text), &[9, 30, 37]);

        let whole: String = parts.iter().map(|part| flat(part)).collect();
        assert_eq!(whole, flat(&parse(text)));
    }
}
