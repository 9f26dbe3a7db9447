//! A page as the line of blocks that a reader sees, top to bottom.
//!
//! A block is a paragraph, heading, cell, list item or line (`br` ends one) with its runs of
//! styled text. The extractors speak of blocks by index, and of answers as ranges of blocks; what
//! element they came from is known by [`Flow::range`]. Text is collapsed once, here. Filled by
//! `flatten`.

use std::collections::HashMap;
use std::ops::Range;

use html5ever::local_name;

use super::dom::{Dom, NONE, NodeId};
use super::question;

/// Index of a block in its [`Flow`].
pub(crate) type BlockId = u32;

/// Half-open range of blocks.
pub(crate) type Blocks = Range<BlockId>;

/// How a piece of text is set, and what it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    pub is_bold: bool,
    pub is_code: bool,
    /// Struck out by the author.
    pub is_deleted: bool,
    /// The alternative text of an image.
    pub is_alt: bool,
    /// The `a` element around it, or `NONE`.
    pub link: NodeId,
    /// The innermost inline element around it that sets it apart (`u`, `em`, `font`, a class),
    /// or `NONE`.
    pub mark: NodeId,
}

/// A piece of text with one style.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    /// Range of [`Flow::text`].
    pub span: (u32, u32),
    pub style: Style,
}

/// The role of a block in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    /// Not the first block of a list item.
    None,
    Bullet,
    Number(u32, Numbering),
}

/// How a list writes the numbers of its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbering {
    Decimal,
    LowerLetter,
    UpperLetter,
    LowerRoman,
    UpperRoman,
}

impl Numbering {
    /// A number as it is written before an item. Numbers that have no letter or Roman form are written in digits.
    pub fn written(self, number: u32) -> String {
        let letter = |first: u8| {
            let offset = number.checked_sub(1).filter(|&offset| offset < 26)?;
            Some(char::from(first + offset as u8).to_string())
        };
        let written = match self {
            Self::Decimal => None,
            Self::LowerLetter => letter(b'a'),
            Self::UpperLetter => letter(b'A'),
            Self::LowerRoman => roman(number).map(|roman| roman.to_lowercase()),
            Self::UpperRoman => roman(number),
        };
        written.unwrap_or_else(|| number.to_string())
    }
}

/// A number below 50 in Roman digits.
fn roman(number: u32) -> Option<String> {
    const ONES: [&str; 10] = ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"];
    const TENS: [&str; 5] = ["", "X", "XX", "XXX", "XL"];
    (1..50).contains(&number).then(|| format!("{}{}", TENS[number as usize / 10], ONES[number as usize % 10]))
}

#[derive(Debug)]
pub(crate) struct Block {
    /// Range of [`Flow::text`]; collapsed white space, never blank.
    pub span: (u32, u32),
    /// Range of [`Flow::runs`].
    pub runs: (u32, u32),
    /// The innermost block-level element around it.
    pub node: NodeId,
    /// 1 to 6 in `h1` to `h6` (or a heading role); 0 elsewhere.
    pub heading: u8,
    pub marker: Marker,
    /// How many lists are around it.
    pub list_depth: u8,
    /// The table row around it, or `NONE`.
    pub row: NodeId,
    pub is_preformatted: bool,
    /// Follows the block before it after a `br`, in the same paragraph.
    pub is_continued: bool,
    /// All of its letters are bold.
    pub is_bold: bool,
    /// The inline element that sets all of its letters apart, or `NONE`.
    pub mark: NodeId,
    /// Bytes of its text that are links.
    pub link_bytes: u32,
    /// Navigation, footers, banners: never an answer, never a question.
    pub is_boilerplate: bool,
    /// A button that opens nothing: "copy", "was this useful?".
    pub is_control: bool,
    /// Its text is only the alternative text of images.
    pub is_media: bool,
    /// A bold sentence that titles what follows it in the same paragraph, as do others in it.
    pub is_run_in: bool,
    /// In a section of footnotes, which belong to no single question.
    pub is_note: bool,
}

#[derive(Debug)]
pub(crate) struct Flow {
    pub dom: Dom,
    pub text: String,
    pub runs: Vec<Run>,
    pub blocks: Vec<Block>,
    /// Blocks of each node, by node.
    pub ranges: Vec<(BlockId, BlockId)>,
    /// Fragments and the element that has them.
    pub anchors: HashMap<String, NodeId>,
}

impl Flow {
    /// The level of a block as a heading: 1 to 6, 7 for a title within a paragraph, 0 for text.
    pub fn title_level(&self, id: BlockId) -> u8 {
        let block = self.block(id);
        if block.is_run_in { RUN_IN_LEVEL } else { block.heading }
    }

    pub fn len(&self) -> BlockId {
        self.blocks.len() as BlockId
    }

    pub fn block(&self, id: BlockId) -> &Block {
        &self.blocks[id as usize]
    }

    pub fn text(&self, id: BlockId) -> &str {
        self.slice(self.block(id).span)
    }

    pub fn slice(&self, (from, to): (u32, u32)) -> &str {
        &self.text[from as usize..to as usize]
    }

    pub fn runs(&self, id: BlockId) -> &[Run] {
        let (from, to) = self.block(id).runs;
        &self.runs[from as usize..to as usize]
    }

    /// The blocks within an element; empty when it has no text.
    pub fn range(&self, node: NodeId) -> Blocks {
        let (from, to) = self.ranges[node as usize];
        from..to.max(from)
    }

    /// The texts of some blocks on one line.
    pub fn line(&self, blocks: Blocks) -> String {
        let mut out = String::new();
        for id in blocks {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(self.text(id).trim());
        }
        out
    }

    /// Bytes of text in some blocks.
    pub fn size(&self, blocks: Blocks) -> usize {
        let Blocks { start, end } = blocks;
        if start >= end {
            return 0;
        }
        (self.block(end - 1).span.1 - self.block(start).span.0) as usize
    }

    /// The percentage of the text of some blocks that is links.
    pub fn link_percent(&self, blocks: Blocks) -> usize {
        let links: usize = blocks.clone().map(|id| self.block(id).link_bytes as usize).sum();
        links * 100 / self.size(blocks).max(1)
    }

    /// The fragment that a link within the page points at, without `#`.
    pub fn fragment(&self, link: NodeId) -> Option<&str> {
        let href = self.dom.attribute(link, &local_name!("href"))?;
        let at = href.find('#')?;
        Some(&href[at + 1..])
    }

    /// The link that makes up the whole of a block, but for a number and some signs.
    pub fn whole_link(&self, id: BlockId) -> Option<NodeId> {
        let block = self.block(id);
        if block.link_bytes == 0 {
            return None;
        }
        let text = self.text(id);
        let number = question::number(text).map_or(0, str::len) as u32;
        let size = block.span.1 - block.span.0;
        let is_whole = block.link_bytes + number + LINK_SLACK_BYTES >= size;
        let link = self.runs(id).iter().find(|run| run.style.link != NONE)?;
        is_whole.then_some(link.style.link)
    }
}

/// Titles within paragraphs are below all headings.
const RUN_IN_LEVEL: u8 = 7;

/// "[", "- ": what may stand beside a link that is the whole line, in bytes.
const LINK_SLACK_BYTES: u32 = 6;
