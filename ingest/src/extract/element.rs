//! What single elements mean: how they are laid out, and whether they are bold, headings or switches. Used by every step
//! of extraction.
//!
//! Style sheets are not read, only the names, roles and attributes that the page itself carries.

use html5ever::{LocalName, local_name};

use super::dom::{Dom, NONE, NodeId, NodeKind, names};
use super::images;
use super::script::Script;
use super::tabs::is_tab;
use super::words;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Display {
    /// Never text: scripts, pictures, fields.
    None,
    /// `br`.
    Break,
    Block,
    Inline,
}

/// How an element of HTML is laid out, near enough.
pub(crate) fn display(dom: &Dom, id: NodeId) -> Display {
    match *dom.name(id) {
        local_name!("template") if dom.attribute_named(id, "shadowrootmode").is_some() => Display::Block,
        local_name!("script")
        | local_name!("style")
        | local_name!("template")
        | local_name!("noscript")
        | local_name!("iframe")
        | local_name!("object")
        | local_name!("embed")
        | local_name!("select")
        | local_name!("canvas")
        | local_name!("audio")
        | local_name!("video")
        | local_name!("head")
        | local_name!("input")
        | local_name!("datalist")
        | local_name!("img")
        | local_name!("rp")
        | local_name!("rt")
        | local_name!("map") => Display::None,
        local_name!("br") => Display::Break,
        local_name!("span")
        | local_name!("i")
        | local_name!("em")
        | local_name!("b")
        | local_name!("strong")
        | local_name!("a")
        | local_name!("font")
        | local_name!("u") => inline(dom, id),
        local_name!("textarea") if dom.attribute(id, &local_name!("readonly")).is_some() => Display::Block,
        local_name!("textarea") => Display::None,
        local_name!("button") | local_name!("label") if words::is_word(dom, id) => Display::Inline,
        ref name if is_block(name) && !words::is_in_line_by_style(dom, id) => Display::Block,
        // Elements of a page's own making are components more often than words, but not within a paragraph.
        ref name if name.contains('-') && !is_in_line(dom, id) => Display::Block,
        _ => inline(dom, id),
    }
}

/// How far above a word its paragraph may be.
const LINE_CLIMB: usize = 4;

/// Whether an element is within a paragraph or heading, or beside text.
fn is_in_line(dom: &Dom, id: NodeId) -> bool {
    let is_line = |id: NodeId| {
        heading(dom, id).is_some()
            || *dom.name(id) == local_name!("p")
            || matches!(&**dom.name(id), "mat-icon" | "md-icon")
    };
    std::iter::once(id).chain(dom.ancestors(id)).take(LINE_CLIMB).any(is_line)
}

fn inline(dom: &Dom, id: NodeId) -> Display {
    let role = dom.attribute(id, &local_name!("role"));
    // Icons and permalink signs; the way back from a footnote; icons with a name.
    let is_hidden = dom.attribute(id, &local_name!("aria-hidden")) == Some("true");
    if is_hidden && !words::is_only_formula(dom, id)
        || is_hidden_word(dom, id)
        || role == Some("doc-backlink")
        || images::is_named_icon(dom, id)
        || images::is_titled_icon(dom, id)
        || images::is_icon_word(dom, id)
        || is_back_reference(dom, id)
        || is_permalink(dom, id)
        || role == Some("tooltip")
        || words::is_tool(dom, id)
    {
        return Display::None;
    }
    let is_name = dom.attribute(id, &local_name!("itemprop")) == Some("name");
    let is_button = matches!(role, Some("button" | "tab"));
    // A part of a component, unless it is already in its slot.
    let is_in_slot = dom.nodes.get(dom.node(id).parent as usize).is_some_and(|above| &*above.name == "slot");
    let is_slotted = dom.attribute_named(id, "slot").is_some() && !is_in_slot;
    if is_name || is_button || is_slotted || is_block_by_style(dom, id) || opens_something(dom, id) || is_tab(dom, id) {
        Display::Block
    } else {
        Display::Inline
    }
}

/// Whether the style of an element puts it on lines of its own.
fn is_block_by_style(dom: &Dom, id: NodeId) -> bool {
    let style = dom.attribute(id, &local_name!("style")).unwrap_or_default();
    let mut values = style.split(';').filter_map(|rule| rule.split_once(':'));
    let display = values.rfind(|(name, _)| name.trim().eq_ignore_ascii_case("display"));
    display.is_some_and(|(_, value)| matches!(value.trim(), "block" | "flex" | "grid" | "list-item" | "table"))
}

fn is_block(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("address")
            | local_name!("article")
            | local_name!("aside")
            | local_name!("blockquote")
            | local_name!("body")
            | local_name!("button")
            | local_name!("caption")
            | local_name!("center")
            | local_name!("dd")
            | local_name!("details")
            | local_name!("dialog")
            | local_name!("dir")
            | local_name!("div")
            | local_name!("dl")
            | local_name!("dt")
            | local_name!("fieldset")
            | local_name!("figcaption")
            | local_name!("figure")
            | local_name!("footer")
            | local_name!("form")
            | local_name!("h1")
            | local_name!("h2")
            | local_name!("h3")
            | local_name!("h4")
            | local_name!("h5")
            | local_name!("h6")
            | local_name!("header")
            | local_name!("hgroup")
            | local_name!("hr")
            | local_name!("html")
            | local_name!("label")
            | local_name!("legend")
            | local_name!("li")
            | local_name!("main")
            | local_name!("menu")
            | local_name!("nav")
            | local_name!("ol")
            | local_name!("p")
            | local_name!("pre")
            | local_name!("search")
            | local_name!("section")
            | local_name!("summary")
            | local_name!("table")
            | local_name!("tbody")
            | local_name!("td")
            | local_name!("tfoot")
            | local_name!("th")
            | local_name!("thead")
            | local_name!("tr")
            | local_name!("ul")
    )
}

/// Whether an element is a switch that shows another one.
pub(crate) fn opens_something(dom: &Dom, id: NodeId) -> bool {
    let has = |name: LocalName| dom.attribute(id, &name).is_some();
    if has(local_name!("aria-expanded")) || has(local_name!("aria-controls")) {
        return true;
    }
    ["data-toggle", "data-bs-toggle"]
        .into_iter()
        .any(|name| matches!(dom.attribute_named(id, name), Some("collapse" | "accordion")))
}

/// The fragments of the element that a switch shows; several where its attributes disagree.
pub(crate) fn opened_fragments(dom: &Dom, id: NodeId) -> impl Iterator<Item = &str> {
    let controls = dom.attribute(id, &local_name!("aria-controls"));
    let targets = ["data-target", "data-bs-target", "href"]
        .into_iter()
        .filter_map(move |name| dom.attribute_named(id, name))
        .filter_map(|value| value.strip_prefix('#'));
    let first = controls.and_then(|value| value.split_ascii_whitespace().next());
    first.into_iter().chain(targets).filter(|fragment| !fragment.is_empty())
}

/// Whether an element is a short text that its style hides within a line. Longer ones are answers that open.
fn is_hidden_word(dom: &Dom, id: NodeId) -> bool {
    let style = dom.attribute(id, &local_name!("style")).unwrap_or_default();
    let Some((_, value)) = style.split_once("display") else { return false };
    let is_hidden = value.trim_start_matches([':', ' ']).starts_with("none");
    let node = dom.node(id);
    let is_text = |at: NodeId| dom.nodes.get(at as usize).is_some_and(|node| node.kind == NodeKind::Text);
    let is_beside_text = is_text(node.previous) && is_text(node.next);
    let is_short = || dom.raw_text(id, HIDDEN_WORD_BYTES).len() <= HIDDEN_WORD_BYTES;
    let has_formula = || dom.children(id).any(|child| dom.node(child).kind == NodeKind::Foreign);
    is_hidden && is_beside_text && is_short() && !has_formula()
}

/// The longest text that is hidden within a line, in bytes.
const HIDDEN_WORD_BYTES: usize = 60;

/// Whether an element shows its text from the last character to the first.
pub(crate) fn is_reversed(dom: &Dom, id: NodeId) -> bool {
    let style = dom.attribute(id, &local_name!("style")).unwrap_or_default();
    let is_override = style.contains("bidi-override") && style.contains("rtl");
    is_override || *dom.name(id) == local_name!("bdo") && dom.attribute(id, &local_name!("dir")) == Some("rtl")
}

/// 1 to 6 for headings by name or role.
pub(crate) fn heading(dom: &Dom, id: NodeId) -> Option<u8> {
    match *dom.name(id) {
        local_name!("h1") => Some(1),
        local_name!("h2") => Some(2),
        local_name!("h3") => Some(3),
        local_name!("h4") => Some(4),
        local_name!("h5") => Some(5),
        local_name!("h6") => Some(6),
        // ARIA: a heading without a level is one of level 2.
        _ if dom.attribute(id, &local_name!("role")) == Some("heading") => Some(2),
        _ => None,
    }
}

/// Whether a link leads from a footnote back to its mark.
fn is_back_reference(dom: &Dom, id: NodeId) -> bool {
    *dom.name(id) == local_name!("a") && names(dom, id).any(|name| name.contains("backref") || name == "fn-back")
}

/// Whether a link is only a sign that leads to its own heading ("#", "¶"), or is next to the heading that it leads to.
fn is_permalink(dom: &Dom, id: NodeId) -> bool {
    if *dom.name(id) != local_name!("a") {
        return false;
    }
    let Some(fragment) = dom.attribute(id, &local_name!("href")).and_then(|href| href.strip_prefix('#')) else {
        return false;
    };
    let is_sign = || ["#", "¶", "§", "🔗"].contains(&dom.raw_text(id, PERMALINK_BYTES).trim());
    let leads_to = |target: NodeId| dom.attribute(target, &local_name!("id")) == Some(fragment);
    let before = dom.previous_element(id);
    let is_beside = before.is_some_and(|at| heading(dom, at).is_some() && leads_to(at));
    // The fragment may be that of the section around the heading.
    let is_within = || {
        let title = dom.ancestors(id).next().filter(|&above| heading(dom, above).is_some());
        let mut around = title.into_iter().chain(title.into_iter().flat_map(|title| dom.ancestors(title).take(2)));
        around.any(leads_to) && is_behind_title(dom, id)
    };
    !fragment.is_empty() && (is_beside || is_within()) || is_sign()
}

/// The text of a permalink that is looked at, in bytes.
const PERMALINK_BYTES: usize = 8;

/// Whether an element titles the one that follows it: a summary, a term, a legend.
pub(crate) fn is_title(dom: &Dom, id: NodeId) -> bool {
    matches!(*dom.name(id), local_name!("summary") | local_name!("dt") | local_name!("legend") | local_name!("button"))
}

/// How far above a button the title may be that it is part of.
const TITLE_CLIMB: usize = 3;

/// Whether an element is part of a title, which then is more than a control.
pub(crate) fn is_in_title(dom: &Dom, id: NodeId) -> bool {
    dom.ancestors(id).take(TITLE_CLIMB).any(|above| is_title(dom, above))
}

/// Whether an element comes behind the words of a title: a button that copies its link, or opens what is below it.
pub(crate) fn is_behind_title(dom: &Dom, id: NodeId) -> bool {
    let previous = |at: NodeId| Some(dom.node(at).previous).filter(|&previous| previous != NONE);
    let before = std::iter::successors(previous(id), |&at| previous(at)).take(TITLE_PARTS);
    let mut texts = before
        .map(|at| if dom.is_element(at) { dom.raw_text(at, TITLE_PART_BYTES) } else { dom.text_of(at).to_owned() });
    texts.any(|text| text.chars().any(char::is_alphabetic))
}

/// The most parts of a title that are looked at.
const TITLE_PARTS: usize = 20;

/// The most bytes of a part of a title that are looked at.
const TITLE_PART_BYTES: usize = 20;

/// The number of the first item of an ordered list.
pub(crate) fn first_number(dom: &Dom, list: NodeId) -> u32 {
    let start = dom.attribute(list, &local_name!("start")).and_then(|n| n.parse().ok());
    let is_reversed = dom.attribute_named(list, "reversed").is_some();
    let items = || dom.children(list).filter(|&id| *dom.name(id) == local_name!("li")).count() as u32;
    start.unwrap_or_else(|| if is_reversed { items() } else { 1 })
}

/// Whether an item belongs to a list that counts down.
pub(crate) fn is_in_reversed_list(dom: &Dom, item: NodeId) -> bool {
    let parent = dom.ancestors(item).next();
    parent.is_some_and(|list| dom.attribute_named(list, "reversed").is_some())
}

/// Whether an element strikes its text out, by name, style or class.
pub(crate) fn is_deleted(dom: &Dom, id: NodeId) -> bool {
    if matches!(*dom.name(id), local_name!("del") | local_name!("s") | local_name!("strike")) {
        return true;
    }
    let style = dom.attribute(id, &local_name!("style")).unwrap_or_default();
    style.contains("line-through")
        || names(dom, id).any(|name| {
            matches!(
                &*name,
                "line-through" | "text-decoration-line-through" | "strikethrough" | "strike-through" | "struck"
            )
        })
}

/// Whether an inline element raises its text, lowers it, or neither, by its own style.
pub(crate) fn script_by_style(dom: &Dom, id: NodeId) -> Option<Script> {
    let style = dom.attribute(id, &local_name!("style"))?;
    let (_, value) = style.split_once("vertical-align")?;
    let value = value.trim_start_matches([':', ' ']);
    match () {
        () if value.starts_with("super") => Some(Script::Raised),
        () if value.starts_with("sub") => Some(Script::Lowered),
        () => None,
    }
}

/// Whether an element makes its text bold by name or by its own style.
pub(crate) fn is_bold(dom: &Dom, id: NodeId) -> bool {
    if matches!(*dom.name(id), local_name!("b") | local_name!("strong") | local_name!("th")) || is_tab(dom, id) {
        return true;
    }
    let Some(style) = dom.attribute(id, &local_name!("style")) else { return false };
    let Some(at) = style.find("font-weight") else { return false };
    let value = style[at + "font-weight".len()..].trim_start_matches([':', ' ']);
    ["bold", "600", "700", "800", "900"].iter().any(|bold| value.starts_with(bold))
}

/// Whether an inline element sets its text apart from what is around it.
pub(crate) fn sets_apart(dom: &Dom, id: NodeId) -> bool {
    let has = |name: LocalName| dom.attribute(id, &name).is_some();
    match *dom.name(id) {
        local_name!("u") | local_name!("em") | local_name!("i") | local_name!("big") | local_name!("mark") => true,
        local_name!("font") => has(local_name!("size")) || has(local_name!("color")),
        local_name!("span") => has(local_name!("class")) || has(local_name!("style")),
        local_name!("a") => has(local_name!("class")),
        _ => false,
    }
}

/// The kind of an inline element that sets text apart: its name and what it looks like.
pub(crate) fn mark_kind(dom: &Dom, id: NodeId) -> String {
    let looks = [local_name!("class"), local_name!("style"), local_name!("size"), local_name!("color")];
    let looks: Vec<_> = looks.iter().filter_map(|name| dom.attribute(id, name)).collect();
    format!("{} {}", dom.name(id), looks.join(" "))
}
