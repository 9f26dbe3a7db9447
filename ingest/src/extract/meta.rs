//! What a page says about itself: title, language, canonical address, robots rules, links, frames.
//! Called by `html`.

use std::collections::HashSet;

use html5ever::{LocalName, local_name};
use url::Url;

use super::dom::{Dom, NodeId};
use super::flow::Flow;
use super::markdown::resolve;
use super::page::Page;

/// The most links that are kept of one page.
const LINK_LIMIT: usize = 5000;

/// The most frames that load later, of one page.
const FRAME_LIMIT: usize = 50;

/// The most bytes of a title that are read.
const TITLE_LIMIT_BYTES: usize = 4096;

/// Fills in everything but the items. Returns the address that links are relative to.
pub(crate) fn read(flow: &Flow, url: Option<&Url>) -> (Page, Option<Url>) {
    let dom = &flow.dom;
    let mut page = Page::default();
    let mut base: Option<Url> = None;
    let (mut anchors, mut frames) = (Vec::new(), Vec::new());
    for id in 0..dom.nodes.len() as NodeId {
        if !dom.is_element(id) {
            continue;
        }
        match *dom.name(id) {
            local_name!("a") | local_name!("area") => anchors.push(id),
            local_name!("title") if page.title.is_empty() => {
                let text = dom.raw_text(id, TITLE_LIMIT_BYTES);
                page.title = text.split_whitespace().collect::<Vec<_>>().join(" ");
            }
            local_name!("html") => page.language = language(dom, id),
            local_name!("base") if base.is_none() => {
                base = dom.attribute(id, &local_name!("href")).and_then(|href| resolve(href, url));
            }
            local_name!("link") if has_word(dom, id, "canonical") => {
                let href = dom.attribute(id, &local_name!("href"));
                page.canonical = page.canonical.or(href.and_then(|href| resolve(href.trim(), url)));
            }
            local_name!("link") if is_alternate(dom, id) => anchors.push(id),
            local_name!("iframe") | local_name!("frame") => frames.push(id),
            local_name!("object") if is_page(dom, id) => frames.push(id),
            local_name!("meta") => read_robots(dom, id, &mut page),
            _ => {}
        }
    }
    let base = base.or_else(|| url.cloned());
    page.frames = targets(dom, &frames, &local_name!("src"), base.as_ref());
    // Frames that load when they come into view, and pages that are embedded as objects.
    for attribute in ["data-src", "data"] {
        let later = targets(dom, &frames, &LocalName::from(attribute), base.as_ref());
        page.frames.extend(later.into_iter().take(FRAME_LIMIT));
    }
    page.links = targets(dom, &anchors, &local_name!("href"), base.as_ref());
    page.links.extend(page.frames.iter().cloned());
    if page.title.is_empty() {
        page.title = (0..flow.len())
            .find(|&id| flow.block(id).heading == 1)
            .map(|id| flow.text(id).trim().to_owned())
            .unwrap_or_default();
    }
    (page, base)
}

fn language(dom: &Dom, html: NodeId) -> Option<String> {
    let lang = dom.attribute(html, &local_name!("lang"))?.trim();
    let is_tag = !lang.is_empty()
        && lang.len() <= 35
        && lang.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    is_tag.then(|| lang.replace('_', "-"))
}

fn has_word(dom: &Dom, id: NodeId, word: &str) -> bool {
    dom.attribute(id, &local_name!("rel"))
        .is_some_and(|rel| rel.split_ascii_whitespace().any(|found| found.eq_ignore_ascii_case(word)))
}

/// `<meta name="robots" content="noindex, nofollow">`; "none" means both.
fn read_robots(dom: &Dom, id: NodeId, page: &mut Page) {
    let is_robots =
        dom.attribute(id, &local_name!("name")).is_some_and(|name| name.trim().eq_ignore_ascii_case("robots"));
    let Some(content) = dom.attribute(id, &local_name!("content")).filter(|_| is_robots) else {
        return;
    };
    for word in content.split(',').map(str::trim) {
        let is_none = word.eq_ignore_ascii_case("none");
        page.is_noindex |= is_none || word.eq_ignore_ascii_case("noindex");
        page.is_nofollow |= is_none || word.eq_ignore_ascii_case("nofollow");
    }
}

/// Whether an object says that it shows a page.
fn is_page(dom: &Dom, id: NodeId) -> bool {
    dom.attribute(id, &local_name!("type")).is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}

/// Whether an element links to the same page in another language.
fn is_alternate(dom: &Dom, id: NodeId) -> bool {
    has_word(dom, id, "alternate") && dom.attribute(id, &local_name!("hreflang")).is_some()
}

/// The addresses that an attribute of some elements names, each once.
fn targets(dom: &Dom, elements: &[NodeId], attribute: &LocalName, base: Option<&Url>) -> Vec<Url> {
    let mut seen = HashSet::new();
    let mut links = Vec::new();
    for &id in elements {
        let Some(target) = dom.attribute(id, attribute) else { continue };
        if target.starts_with('#') || has_word(dom, id, "nofollow") {
            continue;
        }
        let Some(mut url) = resolve(target.trim(), base) else { continue };
        url.set_fragment(None);
        if matches!(url.scheme(), "http" | "https") && seen.insert(url.clone()) {
            links.push(url);
        }
        if links.len() == LINK_LIMIT {
            break;
        }
    }
    links
}
