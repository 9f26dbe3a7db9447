//! Elements that say what they are by a role or an attribute instead of their name: tables of `div`, components whose
//! question is an attribute, and players of recordings.
//!
//! Called by `rearrange` only, before anything else looks at the tree: each of these elements gets the name of the
//! element that it stands for. The pass is linear in the number of elements.

use html5ever::{LocalName, local_name};

use super::dom::{Dom, NodeId};

/// The attributes of components that show a title above their content.
const TITLES: [&str; 5] = ["question", "summary", "heading", "header", "header-text"];

/// The attributes that are titles only of components that open: elsewhere they describe a field or a picture.
const TITLES_OF_OPENERS: [&str; 2] = ["label", "title"];

/// Parts of the names of components that open.
const OPENERS: [&str; 7] = ["accordion", "details", "collaps", "expan", "faq", "disclosure", "toggle"];

/// The longest title of a component, in bytes.
const LONGEST_TITLE_BYTES: usize = 400;

/// The most nodes of a component that are looked at for its text.
const COMPONENT_NODES: usize = 60;

/// Names the elements of a page after what they stand for.
pub(crate) fn name(dom: &mut Dom, elements: &[NodeId]) {
    for &id in elements {
        if dom.name(id).contains('-') {
            name_component(dom, id);
        } else if let Some(name) = by_role(dom, id) {
            dom.rename(id, name);
        }
    }
}

/// The name that the role of a plain element stands for.
fn by_role(dom: &Dom, id: NodeId) -> Option<LocalName> {
    if !matches!(*dom.name(id), local_name!("div") | local_name!("span") | local_name!("p")) {
        return None;
    }
    match dom.attribute(id, &local_name!("role"))? {
        "table" | "grid" | "treegrid" => Some(local_name!("table")),
        "row" => Some(local_name!("tr")),
        "cell" | "gridcell" => Some(local_name!("td")),
        "columnheader" | "rowheader" => Some(local_name!("th")),
        "deletion" => Some(local_name!("del")),
        _ => None,
    }
}

fn name_component(dom: &mut Dom, id: NodeId) {
    if let Some(address) = recording(dom, id) {
        let title = dom.attribute_named(id, "playlabel").unwrap_or_default().to_owned();
        dom.rename(id, local_name!("iframe"));
        dom.add_attribute(id, local_name!("src"), &address);
        if !title.is_empty() {
            dom.add_attribute(id, local_name!("title"), &title);
        }
        return;
    }
    let Some(title) = title(dom, id) else { return };
    let answer = dom.attribute_named(id, "answer").map(str::trim).filter(|answer| !answer.is_empty());
    let answer = answer.map(str::to_owned);
    if answer.is_none() && !has_text(dom, id) {
        return;
    }
    if let Some(answer) = answer {
        put_text(dom, local_name!("p"), &answer, id);
    }
    dom.rename(id, local_name!("details"));
    put_text(dom, local_name!("summary"), &title, id);
}

/// Puts an element with a text before the other children of an element.
fn put_text(dom: &mut Dom, name: LocalName, text: &str, parent: NodeId) {
    let element = dom.push_element(name);
    let text = dom.push_text(text);
    dom.move_to_back(text, element);
    dom.move_to_front(element, parent);
}

/// The title that a component shows above its content, unless a part of the content takes its place.
fn title(dom: &Dom, id: NodeId) -> Option<String> {
    let opens = OPENERS.iter().any(|part| dom.name(id).contains(part));
    let names = TITLES.iter().chain(TITLES_OF_OPENERS.iter().filter(|_| opens));
    let mut titles = names.filter_map(|&name| Some((name, dom.attribute_named(id, name)?.trim())));
    let (name, title) = titles.find(|(_, title)| !title.is_empty() && title.len() <= LONGEST_TITLE_BYTES)?;
    let is_in_slot = |child: NodeId| dom.attribute_named(child, "slot") == Some(name);
    let is_component = !dom.children(id).any(is_in_slot) && title.chars().any(char::is_alphabetic);
    is_component.then(|| title.to_owned())
}

fn has_text(dom: &Dom, id: NodeId) -> bool {
    dom.descendants(id).take(COMPONENT_NODES).any(|at| !dom.text_of(at).trim().is_empty())
}

/// The address of the recording that a component plays.
fn recording(dom: &Dom, id: NodeId) -> Option<String> {
    let video = dom.attribute_named(id, "videoid")?.trim();
    let is_plain = !video.is_empty() && video.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let host = match &**dom.name(id) {
        "lite-youtube" | "youtube-video" => "https://www.youtube.com/embed/",
        "lite-vimeo" | "vimeo-video" => "https://player.vimeo.com/video/",
        _ => return None,
    };
    is_plain.then(|| format!("{host}{video}"))
}
