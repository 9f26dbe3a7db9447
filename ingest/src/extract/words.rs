//! Elements that are words of the line around them, and words that are no part of it: buttons named in a sentence, words for
//! screen readers, edit links, badges.
//!
//! Called by `element` and `flatten`.

use html5ever::local_name;

use super::dom::{Dom, NONE, NodeId, NodeKind, names};
use super::{element, question};

/// The longest button or label within a sentence, in bytes.
const LONGEST_WORD_BYTES: usize = 60;

/// How far above a word the line may be that it is part of.
const LINE_CLIMB: usize = 4;

/// How far above words for screen readers their link or title may be.
const TITLE_CLIMB: usize = 6;

/// The most nodes of a link or title that are looked at.
const TITLE_NODES: usize = 60;

/// Whether an element is a word of a sentence: text of the sentence is on both sides of it.
pub(crate) fn is_word(dom: &Dom, id: NodeId) -> bool {
    is_between_text(dom, id)
        && !element::opens_something(dom, id)
        && dom.raw_text(id, LONGEST_WORD_BYTES).len() <= LONGEST_WORD_BYTES
}

/// Whether letters are directly before an element, and text is directly behind it.
pub(crate) fn is_between_text(dom: &Dom, id: NodeId) -> bool {
    let text = |at: NodeId| if at == NONE { "" } else { dom.text_of(at) };
    let node = dom.node(id);
    text(node.previous).contains(char::is_alphabetic) && !text(node.next).trim().is_empty()
}

/// Whether the style of a block element keeps it in the line around it.
pub(crate) fn is_in_line_by_style(dom: &Dom, id: NodeId) -> bool {
    let Some(style) = dom.attribute(id, &local_name!("style")) else { return false };
    let Some((_, value)) = style.split_once("display") else { return false };
    let is_inline = value.trim_start_matches([':', ' ']).starts_with("inline");
    let is_line = |above: NodeId| element::heading(dom, above).is_some() || *dom.name(above) == local_name!("p");
    is_inline && (dom.ancestors(id).take(LINE_CLIMB).any(is_line) || is_between_text(dom, id))
}

/// Whether an element is a tool of the page and no text: the edit link of a section, the name of the language above code.
pub(crate) fn is_tool(dom: &Dom, id: NodeId) -> bool {
    names(dom, id).any(|name| match &*name {
        "mw-editsection" | "editsection" => true,
        "lang" => dom.next_element(id).is_some_and(|next| *dom.name(next) == local_name!("pre")),
        _ => false,
    })
}

/// Whether an element that screen readers step over is the only form of its formula.
pub(crate) fn is_only_formula(dom: &Dom, id: NodeId) -> bool {
    names(dom, id).any(|name| name == "katex-html") && dom.node(id).previous == NONE
}

/// Whether an element has words for screen readers only, and its link or title has others that everybody sees.
pub(crate) fn is_spoken_only(dom: &Dom, id: NodeId) -> bool {
    if !is_for_screen_readers(dom, id) {
        return false;
    }
    let is_holder = |id: NodeId| {
        *dom.name(id) == local_name!("a")
            || element::heading(dom, id).is_some()
            || element::is_title(dom, id)
            || element::opens_something(dom, id)
    };
    let Some(holder) = dom.ancestors(id).take(TITLE_CLIMB).find(|&above| is_holder(above)) else { return false };
    // Elements of SVG may hold a title, which is no text.
    let is_seen = |text: NodeId| {
        let around = dom.ancestors(text).take_while(|&above| above != holder);
        dom.text_of(text).contains(char::is_alphabetic)
            && around.take(TITLE_CLIMB).all(|above| {
                dom.node(above).kind == NodeKind::Element
                    && !is_for_screen_readers(dom, above)
                    && dom.attribute(above, &local_name!("aria-hidden")) != Some("true")
            })
    };
    dom.descendants(holder).take(TITLE_NODES).any(is_seen)
}

/// Whether a class says that only screen readers read an element.
fn is_for_screen_readers(dom: &Dom, id: NodeId) -> bool {
    let Some(class) = dom.attribute(id, &local_name!("class")) else { return false };
    SPOKEN.iter().any(|part| class.contains(part))
        && names(dom, id).any(|name| SPOKEN.iter().any(|part| name.ends_with(part)))
}

/// Ends of the classes of words for screen readers.
const SPOKEN: [&str; 9] = [
    "sr-only",
    "visually-hidden",
    "visuallyhidden",
    "screen-reader-text",
    "screen-reader-only",
    "screenreader-only",
    "show-for-sr",
    "element-invisible",
    "assistive-text",
];

/// Whether an element behind a question is a badge, such as "New".
pub(crate) fn is_badge(dom: &Dom, id: NodeId, before: &str) -> bool {
    let is_named = |name: &str| name.split(['-', '_']).any(|part| matches!(part, "badge" | "pill" | "chip" | "tag"));
    question::ends_in_mark(before) && names(dom, id).any(|name| is_named(&name))
}

/// Whether an element is the number of a line of code that begins with it.
pub(crate) fn is_line_number(dom: &Dom, id: NodeId) -> bool {
    let is_named =
        |name: &str| name.contains("lineno") || name.contains("line-num") || name.contains("linenum") || name == "ln";
    let text = || dom.raw_text(id, NUMBER_BYTES);
    names(dom, id).any(|name| is_named(&name)) && text().trim().bytes().all(|byte| byte.is_ascii_digit())
}

/// The longest number of a line of code with the space around it, in bytes.
const NUMBER_BYTES: usize = 16;

/// The words of an element whose letters are shown one by one: its label repeats them for screen readers.
pub(crate) fn split_text(dom: &Dom, id: NodeId) -> Option<&str> {
    let label = dom.attribute(id, &local_name!("aria-label"))?.trim();
    let is_hidden = |child: NodeId| dom.attribute(child, &local_name!("aria-hidden")) == Some("true");
    let is_split = dom.children(id).all(|child| match dom.node(child).kind {
        NodeKind::Element => is_hidden(child),
        _ => dom.text_of(child).trim().is_empty(),
    });
    let is_label = || question::fold(&dom.raw_text(id, SPLIT_BYTES)) == question::fold(label);
    (is_split && dom.node(id).first_child != NONE && !label.is_empty() && label.len() <= SPLIT_BYTES && is_label())
        .then_some(label)
}

/// The longest text whose letters are shown one by one, in bytes.
const SPLIT_BYTES: usize = 400;
