//! The words that images and icons stand for, and icons that are written with words.
//!
//! Used by `element` and `flatten`. An icon font draws a picture for a word like "expand_more", so that word is no
//! text.

use html5ever::{LocalName, local_name};

use super::dom::{Dom, NONE, NodeId, NodeKind, names};
use super::words;

/// The longest alternative text that stands for words, in characters; longer ones describe a
/// photograph.
const LONGEST_ALTERNATIVE_CHARS: usize = 120;

/// The longest alternative text that is the value of a cell, in characters: "Yes", "Not included".
pub(crate) const LONGEST_VALUE_CHARS: usize = 30;

/// How far above an icon its cell may be.
const CELL_CLIMB: usize = 4;

/// Words for images that say nothing about what they show.
const EMPTY_WORDS: [&str; 12] =
    ["image", "icon", "logo", "img", "picture", "photo", "screenshot", "bild", "foto", "imagen", "arrow", "chevron"];

/// Signs that are values by themselves.
const SIGNS: [&str; 6] = ["✓", "✔", "✗", "✘", "×", "☑"];

/// The words that an image stands for; `None` for decoration, file names and other elements.
pub(crate) fn alternative(dom: &Dom, id: NodeId) -> Option<String> {
    if let Some(text) = field(dom, id) {
        return Some(text);
    }
    let text = described(dom, id)?;
    let text = text.trim();
    let role = dom.attribute(id, &local_name!("role"));
    let is_decoration = matches!(role, Some("presentation" | "none"))
        || dom.attribute(id, &local_name!("aria-hidden")) == Some("true")
        || names(dom, id).any(|name| matches!(&*name, "logo" | "avatar" | "spacer" | "decorative"));
    let has_words = text.chars().any(char::is_alphanumeric) || SIGNS.contains(&text) || is_emoji(text);
    let is_file = !text.contains(' ') && text.contains(['.', '_', '/']) || text.starts_with("http");
    let is_word_for_image = EMPTY_WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)) || is_pointer(dom, id, text);
    let is_kept = has_words && !is_decoration && !is_file && !is_word_for_image;
    (is_kept && text.chars().count() <= LONGEST_ALTERNATIVE_CHARS).then(|| text.to_owned())
}

/// Whether a text is a single emoji, which some pages draw as an image.
fn is_emoji(text: &str) -> bool {
    let is_sign = |c: char| matches!(c, '\u{2600}'..='\u{27bf}' | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}');
    let is_joint = |c: char| matches!(c, '\u{fe0f}' | '\u{200d}' | '\u{20e3}');
    text.starts_with(is_sign) && text.chars().all(|c| is_sign(c) || is_joint(c)) && text.len() <= EMOJI_BYTES
}

/// The longest emoji, in bytes.
const EMOJI_BYTES: usize = 32;

/// Whether an icon points somewhere and is named after it: `<i class="icon-right" aria-label="right">`.
fn is_pointer(dom: &Dom, id: NodeId, text: &str) -> bool {
    let word = text.to_lowercase();
    POINTERS.contains(&word.as_str())
        && names(dom, id).any(|name| name.rsplit(['-', '_']).next().is_some_and(|last| last == word))
}

/// Names of icons that show whether something is open.
const POINTERS: [&str; 9] = ["right", "left", "down", "up", "plus", "minus", "caret", "expand", "collapse"];

/// What a field within text shows: the tick of a box, or a value that cannot be changed.
fn field(dom: &Dom, id: NodeId) -> Option<String> {
    let has = |name: LocalName| dom.attribute(id, &name).is_some();
    if *dom.name(id) != local_name!("input") || !is_beside_text(dom, id) {
        return None;
    }
    match dom.attribute(id, &local_name!("type")).unwrap_or("text") {
        // A box with a name of its own opens what follows it more often than it ticks something off.
        "checkbox" if !has(local_name!("id")) && !has(local_name!("name")) => {
            Some(if has(local_name!("checked")) { "☑ " } else { "☐ " }.to_owned())
        }
        "button" | "submit" | "reset" if words::is_between_text(dom, id) => dom
            .attribute(id, &local_name!("value"))
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty()),
        "text" | "url" | "email" | "tel" if has(local_name!("readonly")) => {
            let value = dom.attribute(id, &local_name!("value"))?.trim();
            (!value.is_empty() && value.len() <= VALUE_BYTES).then(|| format!(" {value} "))
        }
        _ => None,
    }
}

/// The longest value of a field that is read, in bytes.
const VALUE_BYTES: usize = 200;

fn is_beside_text(dom: &Dom, id: NodeId) -> bool {
    let is_text = |at: NodeId| at != NONE && !dom.text_of(at).trim().is_empty();
    is_text(dom.node(id).previous) || is_text(dom.node(id).next)
}

fn described(dom: &Dom, id: NodeId) -> Option<String> {
    let attribute = |name: LocalName| dom.attribute(id, &name).map(str::to_owned);
    match *dom.name(id) {
        local_name!("img") => attribute(local_name!("alt")),
        local_name!("input") if dom.attribute(id, &local_name!("type")) == Some("image") => {
            attribute(local_name!("alt"))
        }
        _ if is_icon_word(dom, id) => icon_value(dom, id).map(str::to_owned),
        _ if is_named_icon(dom, id) => attribute(local_name!("aria-label")),
        _ if is_titled_icon(dom, id) => {
            attribute(local_name!("title")).or_else(|| attribute(local_name!("aria-label")))
        }
        _ if dom.node(id).kind == NodeKind::Foreign && (is_in_cell(dom, id) || words::is_between_text(dom, id)) => {
            svg_title(dom, id)
        }
        _ => None,
    }
}

/// The name of a link that has no text: what its picture in a sentence stands for, or the file that it leads to.
pub(crate) fn link_label(dom: &Dom, link: NodeId) -> Option<String> {
    let name = |id: NodeId| {
        let names = [local_name!("aria-label"), local_name!("title")];
        let mut names = names.into_iter().filter_map(|name| dom.attribute(id, &name)).map(str::trim);
        names.find(|name| name.chars().any(char::is_alphanumeric) && name.len() <= VALUE_BYTES).map(str::to_owned)
    };
    let href = dom.attribute(link, &local_name!("href")).map(str::trim)?;
    let file = linked_file(href);
    if href.starts_with('#') || file.is_none() && !words::is_between_text(dom, link) {
        return None;
    }
    let images = dom.descendants(link).take(LINK_NODES).filter(|&id| *dom.name(id) == local_name!("img"));
    std::iter::once(link).chain(images).find_map(name).or_else(|| file.map(str::to_owned))
}

/// The most nodes of a link that are looked at.
const LINK_NODES: usize = 20;

/// The name of the document that a link leads to; `None` for pages and pictures.
pub(crate) fn linked_file(href: &str) -> Option<&str> {
    let path = href.split(['?', '#']).next()?;
    let name = path.rsplit('/').next()?;
    let (stem, ending) = name.rsplit_once('.')?;
    let is_document = DOCUMENTS.iter().any(|known| known.eq_ignore_ascii_case(ending));
    (is_document && !stem.is_empty() && name.len() <= VALUE_BYTES).then_some(name)
}

/// Endings of the names of documents.
const DOCUMENTS: [&str; 14] =
    ["pdf", "doc", "docx", "odt", "rtf", "xls", "xlsx", "ods", "csv", "ppt", "pptx", "odp", "epub", "zip"];

/// Whether an element is drawn as an image and says in words what it shows.
pub(crate) fn is_named_icon(dom: &Dom, id: NodeId) -> bool {
    dom.attribute(id, &local_name!("role")) == Some("img") && dom.attribute(id, &local_name!("aria-label")).is_some()
}

/// Whether an element without text is an icon with a title in a cell, which is its value, or within a sentence.
pub(crate) fn is_titled_icon(dom: &Dom, id: NodeId) -> bool {
    matches!(*dom.name(id), local_name!("i") | local_name!("span"))
        && dom.children(id).next().is_none()
        && (dom.attribute(id, &local_name!("title")).is_some()
            || dom.attribute(id, &local_name!("aria-label")).is_some())
        && (is_in_cell(dom, id) || words::is_between_text(dom, id))
}

/// Whether the text of an element is the name of a picture in an icon font.
pub(crate) fn is_icon_word(dom: &Dom, id: NodeId) -> bool {
    let is_of_font = matches!(&**dom.name(id), "mat-icon" | "md-icon")
        || names(dom, id).any(|name| {
            let rest = name.strip_prefix("material-icons").or_else(|| name.strip_prefix("material-symbols"));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
    let is_icon = || names(dom, id).any(|name| name.contains("icon"));
    let is_word = |needs_joint: bool| {
        let text = dom.raw_text(id, ICON_WORD_BYTES);
        let text = text.trim();
        let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        is_name && (!needs_joint || text.contains('_'))
    };
    // A font of another name draws icons as well: "keyboard_arrow_down" is no word.
    is_of_font && is_word(false) || is_icon() && is_word(true)
}

/// What an icon font shows in a cell: a tick or a cross.
fn icon_value(dom: &Dom, id: NodeId) -> Option<&'static str> {
    let word = dom.raw_text(id, ICON_WORD_BYTES);
    match word.trim() {
        "check" | "done" | "check_circle" | "check_box" => is_in_cell(dom, id).then_some("✓"),
        "close" | "clear" | "cancel" | "block" => is_in_cell(dom, id).then_some("✗"),
        _ => None,
    }
}

/// The longest name of a picture in an icon font, in bytes.
const ICON_WORD_BYTES: usize = 60;

fn is_in_cell(dom: &Dom, id: NodeId) -> bool {
    let is_cell = |id: NodeId| matches!(*dom.name(id), local_name!("td") | local_name!("th"));
    dom.ancestors(id).take(CELL_CLIMB).any(is_cell)
}

/// The title that a drawing begins with.
fn svg_title(dom: &Dom, id: NodeId) -> Option<String> {
    let title = dom.children(id).find(|&child| *dom.name(child) == local_name!("title"))?;
    Some(dom.raw_text(title, LONGEST_ALTERNATIVE_CHARS * 4))
}
