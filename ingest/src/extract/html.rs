//! The steps from the bytes of an HTML page to its [`Page`].

use std::collections::{HashMap, HashSet};

use helpbot_domain::inline;
use html5ever::local_name;
use url::Url;

use super::arbiter::{self, Found};
use super::dom::ROOT;
use super::error::ExtractError;
use super::flow::{BlockId, Blocks, Flow};
use super::page::{Item, Page};
use super::passages::Divided;
use super::structured_data::{self, Declared};
use super::{
    bold, contents, definition_list, disclosure, facts, flatten, headings, markdown, meta, omissions, overview, parse,
    passages, question, script_data, stand_in, tables,
};
use crate::binary::binary_kind;
use crate::charset;

/// The largest page that is read, in bytes, before and after decoding (reliability of the crawl:
/// 20 MiB decoded is what one response may cost).
pub const HTML_LIMIT_BYTES: usize = 20 * 1024 * 1024;

/// Reads an HTML page.
///
/// `content_type` is the HTTP header as received, for its charset. `url` is where the page was
/// found; without it relative links are dropped. Items are in document order; a question that
/// is only in JSON-LD comes after those that the page shows.
///
/// # Errors
/// `TooLarge`, `TooDeep` and `TooManyElements` over the limits, `NotText` for binary data,
/// `Empty` when the page has no text and no links at all, `NeedsScripts` when scripts put it in.
pub fn extract(bytes: &[u8], content_type: Option<&str>, url: Option<&Url>) -> Result<Page, ExtractError> {
    check_size(bytes.len())?;
    if let Some(found) = binary_kind(bytes) {
        return Err(ExtractError::NotText { found: found.into() });
    }
    let (html, _) = charset::decode(bytes, content_type);
    check_size(html.len())?;
    extract_text(&html, url)
}

fn check_size(size: usize) -> Result<(), ExtractError> {
    if size > HTML_LIMIT_BYTES {
        return Err(ExtractError::TooLarge { size_bytes: size as u64, limit_bytes: HTML_LIMIT_BYTES as u64 });
    }
    Ok(())
}

/// Reads HTML that is decoded already.
pub(crate) fn extract_text(html: &str, url: Option<&Url>) -> Result<Page, ExtractError> {
    let mut flow = flatten::flatten(parse::document(html)?);
    disclosure::release_buttons(&mut flow);
    tables::mark_names(&mut flow);
    let (mut page, base) = meta::read(&flow, url);
    let declared = structured_data::declared(&flow, base.as_ref());
    if flow.len() == 0 && declared.is_empty() {
        return without_text(html, &flow, page, url);
    }
    let found = arbiter::decide(&flow, candidates(&flow), &page.title);
    let divided = passages::divide(&flow, &found);
    page.items = ItemWriter { flow: &flow, base: base.as_ref() }.items(&found, &divided, declared);
    page.stand_in = stand_in::of(&flow, &page);
    page.facts = facts::declared(&flow, page.language.as_deref());
    let framed = omissions::framed(&flow);
    page.facts.extend(facts::in_footers(&mut flow, base.as_ref()));
    page.omitted = omissions::of(&flow, &found, &divided, &framed);
    Ok(page)
}

/// A page whose text is put in by scripts: what it embeds for them, or what it shows without them.
fn without_text(html: &str, flow: &Flow, mut page: Page, url: Option<&Url>) -> Result<Page, ExtractError> {
    page.items = script_data::pairs(flow, url);
    if page.items.is_empty()
        && let Some(text) = script_data::without_scripts(flow)
        && let Ok(shown) = extract_text(&text, url)
    {
        page.items = shown.items;
        page.links.extend(shown.links);
    }
    page.facts = facts::declared(flow, page.language.as_deref());
    let is_linked = !page.links.is_empty();
    match () {
        () if !page.items.is_empty() || !page.facts.is_empty() || is_linked => Ok(page),
        () if html.contains("<script") || html.contains("<SCRIPT") => Err(ExtractError::NeedsScripts),
        () => Err(ExtractError::Empty),
    }
}

fn candidates(flow: &Flow) -> Vec<super::candidate::Group> {
    let mut groups = disclosure::groups(flow);
    groups.extend(structured_data::marked(flow));
    groups.extend(definition_list::groups(flow));
    groups.extend(tables::groups(flow));
    groups.extend(contents::groups(flow));
    groups.extend(headings::groups(flow));
    groups.extend(bold::groups(flow));
    groups.extend(bold::lines(flow));
    groups
}

/// Turns what was found into items.
struct ItemWriter<'a> {
    flow: &'a Flow,
    base: Option<&'a Url>,
}

impl ItemWriter<'_> {
    fn items(&self, found: &[Found], divided: &Divided, declared: Vec<Declared>) -> Vec<Item> {
        let Divided { contexts, passages } = divided;
        let anchors = self.anchors();
        let asked = overview::asked(self.flow, found);
        let is_overview = |blocks: &Blocks| overview::repeats_questions(self.flow, blocks, &asked);
        let mut placed: Vec<(BlockId, Item)> = Vec::with_capacity(found.len() + passages.len());
        let mut shown = HashSet::new();
        for (pair, context) in found.iter().zip(contexts).filter(|(pair, _)| !is_overview(&pair.answer)) {
            let question = self.question(pair);
            shown.insert(question::fold(&question));
            let item = Item::Pair {
                question,
                answer: strip_label(self.markdown(pair), &self.flow.line(pair.question.clone())),
                context: self.lines(context),
                anchor: anchors.at(self.flow, pair.question.start),
            };
            placed.push((pair.question.start, item));
        }
        for passage in passages.iter().filter(|passage| !is_overview(&passage.blocks)) {
            let first = passage.headings.last().copied().unwrap_or(passage.blocks.start);
            let item = Item::Passage {
                heading: self.lines(&passage.headings),
                text: markdown::render(self.flow, passage.blocks.clone(), self.base),
                anchor: anchors.at(self.flow, first),
            };
            placed.push((passage.blocks.start, item));
        }
        placed.sort_by_key(|(at, _)| *at);
        let mut items: Vec<_> = placed.into_iter().map(|(_, item)| item).collect();
        let broken = broken_off(&items);
        for Declared { question, answer } in declared {
            let question = question::strip_label(&question).to_owned();
            let folded = question::fold(&question);
            if let Some(&at) = broken.get(&folded) {
                complete(&mut items[at], answer);
            } else if shown.insert(folded) {
                items.push(Item::Pair { question, answer, context: Vec::new(), anchor: None });
            }
        }
        items
    }

    fn question(&self, pair: &Found) -> String {
        let line = self.flow.line(pair.question.clone());
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        question::strip_label(&line).to_owned()
    }

    /// The answer of a question, without a title in it that repeats the question.
    fn markdown(&self, pair: &Found) -> String {
        let mut answer = pair.answer.clone();
        let fold = |blocks: Blocks| question::fold(question::strip_label(&self.flow.line(blocks)));
        let asked = fold(pair.question.clone());
        if answer.len() > 1 && fold(answer.start..answer.start + 1) == asked {
            answer.start += 1;
        }
        let parts = std::iter::once(&answer).chain(&pair.rest);
        let parts = parts.map(|blocks| markdown::render(self.flow, blocks.clone(), self.base));
        parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    fn lines(&self, blocks: &[BlockId]) -> Vec<String> {
        blocks.iter().map(|&id| self.flow.text(id).trim().to_owned()).collect()
    }

    fn anchors(&self) -> Anchors {
        let mut by_block: HashMap<BlockId, String> = HashMap::new();
        let mut names: Vec<_> = self.flow.anchors.iter().collect();
        names.sort_by_key(|(_, node)| **node);
        for (name, &node) in names {
            // The innermost element that begins with a block names it best: later nodes win.
            if *self.flow.dom.name(node) != local_name!("body") && node != ROOT {
                by_block.insert(self.flow.range(node).start, name.clone());
            }
        }
        Anchors { by_block }
    }
}

struct Anchors {
    by_block: HashMap<BlockId, String>,
}

impl Anchors {
    fn at(&self, flow: &Flow, block: BlockId) -> Option<String> {
        (block < flow.len()).then(|| self.by_block.get(&block).cloned()).flatten()
    }
}

/// The items whose answer breaks off, by their folded question.
fn broken_off(items: &[Item]) -> HashMap<String, usize> {
    let asked = |(at, item): (usize, &Item)| match item {
        Item::Pair { question, answer, .. } => beginning(answer).map(|_| (question::fold(question), at)),
        Item::Passage { .. } => None,
    };
    items.iter().enumerate().filter_map(asked).collect()
}

/// An answer that ends in an ellipsis, without it.
fn beginning(answer: &str) -> Option<&str> {
    let answer = answer.trim_end();
    answer.strip_suffix('…').or_else(|| answer.strip_suffix("..."))
}

/// Replaces an answer that breaks off by the declared one that goes on.
fn complete(item: &mut Item, declared: String) {
    if let Item::Pair { answer, .. } = item
        && let Some(start) = beginning(answer)
        && question::fold(&declared).starts_with(&question::fold(start))
    {
        *answer = declared;
    }
}

/// Removes "A:" from the head of an answer, whatever its style; "A" alone behind a question with such a label.
fn strip_label(answer: String, asked: &str) -> String {
    let (first, rest) = answer.split_once('\n').unwrap_or((&answer, ""));
    let parts = inline::parse(first);
    let flat = inline::flat(&parts);
    if !rest.trim().is_empty() && question::is_answer_label(&flat) {
        return rest.trim_start_matches('\n').to_owned();
    }
    let bare = match question::is_bare(asked) {
        true => question::without_bare_answer(&flat),
        false => question::strip_answer_label(&flat, rest),
    };
    if bare.len() == flat.len() || first.starts_with("```") {
        return answer;
    }
    let mut parts = inline::split(parts, &[flat.len() - bare.len()]);
    let first = inline::to_markdown(&parts.pop().unwrap_or_default());
    let gap = if answer.contains('\n') { "\n" } else { "" };
    format!("{}{gap}{rest}", first.trim_start())
}
