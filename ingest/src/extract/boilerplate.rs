//! What every page of a site repeats: navigation, banners, footers, cookie notices.
//!
//! `flatten` marks landmarks on the way down. Containers that only have the name of boilerplate are
//! marked afterwards, when their share of the page and of links is known: a "sidebar" that holds the
//! page is none, and neither is the "menu" of a restaurant.

use html5ever::local_name;

use super::dom::{self, Dom, NodeId};
use super::flow::{Blocks, Flow};

/// A container with the name of boilerplate is boilerplate below this share of the page's text, in
/// percent.
const SHARE_PERCENT: usize = 35;

/// A form with less text than this, in bytes, is a field with its labels: a search or a vote.
const SMALL_FORM_BYTES: usize = 400;

/// Classes and ids of what is not content.
const NAMES: [&str; 17] = [
    "nav",
    "navbar",
    "navigation",
    "main-menu",
    "footer",
    "site-footer",
    "page-footer",
    "site-header",
    "page-header-nav",
    "breadcrumb",
    "breadcrumbs",
    "sidebar",
    "sidenav",
    "skip-link",
    "newsletter",
    "pagination",
    "print-only-footer",
];

/// Classes and ids of footers.
const FOOTER_NAMES: [&str; 3] = ["footer", "site-footer", "page-footer"];

/// Classes and ids that content has as well: the menu of a restaurant, what people share, a form of
/// consent. They name boilerplate only where there is hardly any text besides links and buttons.
const AMBIGUOUS_NAMES: [&str; 6] = ["menu", "share", "social", "consent", "cookie", "cookies"];

/// From this percentage of links on, a container with an ambiguous name is boilerplate.
const AMBIGUOUS_LINK_PERCENT: usize = 50;

/// A container with an ambiguous name and less text than this, in bytes, is boilerplate unless it has a
/// sentence or a number.
const AMBIGUOUS_BYTES: usize = 60;

/// A footer at the end of a page with less text than this, in bytes, is a footer whatever its share of
/// the page is.
const SMALL_FOOTER_BYTES: usize = 1500;

/// Parts of the classes and ids of cookie notices, besides the word "cookie".
const NOTICE_WORDS: [&str; 9] =
    ["banner", "notice", "consent", "bar", "popup", "modal", "message", "dialog", "overlay"];

/// What the classes and ids of consent notices speak of, besides cookies, and the words beside them. A page
/// may have a "privacy notice" of its own.
const CONSENT_SUBJECTS: [&str; 6] = ["consent", "gdpr", "rgpd", "dsgvo", "lgpd", "privacy"];
const OVERLAY_WORDS: [&str; 6] = ["banner", "bar", "popup", "modal", "overlay", "dialog"];

/// What the labels of regions speak of that ask for consent.
const CONSENT_LABELS: [&str; 5] = ["cookie", "consent", "einwilligung", "consentement", "consentimiento"];

/// How the classes and ids of widely used consent tools begin.
const CONSENT_TOOLS: [&str; 14] = [
    "onetrust",
    "cookiebot",
    "cybotcookiebot",
    "cc-window",
    "cc-banner",
    "cmplz-",
    "gdpr-",
    "usercentrics",
    "consent-banner",
    "didomi",
    "klaro",
    "tarteaucitron",
    "iubenda-cs",
    "axeptio",
];

/// A longer text about cookies, in bytes, is a page's own, whatever its container is called.
const NOTICE_MAX_BYTES: usize = 3000;

/// Whether an element says by name or role that it is no content.
pub(crate) fn is_landmark(dom: &Dom, id: NodeId) -> bool {
    if let Some(role) = dom.attribute(id, &local_name!("role"))
        && matches!(
            role,
            "navigation"
                | "banner"
                | "contentinfo"
                | "complementary"
                | "search"
                | "dialog"
                | "alertdialog"
                | "menu"
                | "menubar"
                | "tooltip"
        )
    {
        return true;
    }
    match *dom.name(id) {
        local_name!("nav") => has_link(dom, id),
        local_name!("dialog") | local_name!("search") => true,
        local_name!("header") => !is_part_of_content(dom, id) && !is_in_repeated_item(dom, id),
        local_name!("footer") => !is_part_of_content(dom, id),
        local_name!("aside") => !dom::names(dom, id).any(|name| is_note(&name)) && !is_in_running_text(dom, id),
        _ => false,
    }
}

/// Whether a navigation leads anywhere. Builders of web sites make the panel of an accordion from the one of a menu.
fn has_link(dom: &Dom, id: NodeId) -> bool {
    let leads = |at: NodeId| matches!(*dom.name(at), local_name!("a") | local_name!("button") | local_name!("select"));
    dom.descendants(id).take(NAVIGATION_NODES).any(leads)
}

/// The most nodes of a navigation that are looked at.
const NAVIGATION_NODES: usize = 200;

/// Headers and footers of articles and sections are content.
fn is_part_of_content(dom: &Dom, id: NodeId) -> bool {
    dom.ancestors(id).any(|above| {
        matches!(
            *dom.name(above),
            local_name!("article")
                | local_name!("section")
                | local_name!("main")
                | local_name!("details")
                | local_name!("dd")
                | local_name!("li")
                | local_name!("blockquote")
        )
    })
}

/// Whether a header is that of one item among others of its kind, such as a card.
fn is_in_repeated_item(dom: &Dom, header: NodeId) -> bool {
    let Some(item) = dom.ancestors(header).next() else { return false };
    let class =
        |id: NodeId| dom.attribute(id, &local_name!("class")).and_then(|class| class.split_ascii_whitespace().next());
    let is_alike = |other: NodeId| {
        dom.name(other) == dom.name(item)
            && class(other) == class(item)
            && dom.children(other).take(NAVIGATION_NODES).any(|child| *dom.name(child) == local_name!("header"))
    };
    class(item).is_some() && [dom.next_element(item), dom.previous_element(item)].into_iter().flatten().any(is_alike)
}

/// Whether an aside is a remark within running text: it follows or precedes a paragraph, list or heading, or in an answer that opens,
/// says a sentence, and holds neither fields nor a list of links.
fn is_in_running_text(dom: &Dom, aside: NodeId) -> bool {
    let is_text = |id: NodeId| {
        matches!(
            *dom.name(id),
            local_name!("p")
                | local_name!("ul")
                | local_name!("ol")
                | local_name!("dl")
                | local_name!("pre")
                | local_name!("table")
                | local_name!("blockquote")
                | local_name!("figure")
                | local_name!("summary")
                | local_name!("h2")
                | local_name!("h3")
                | local_name!("h4")
        )
    };
    if !dom.previous_element(aside).or(dom.next_element(aside)).is_some_and(is_text) {
        return false;
    }
    let (mut links, mut is_said) = (0, false);
    for id in dom.descendants(aside).take(NAVIGATION_NODES) {
        match *dom.name(id) {
            local_name!("a") => links += 1,
            local_name!("nav") | local_name!("form") | local_name!("input") | local_name!("button") => return false,
            _ => is_said |= dom.text_of(id).trim_end().ends_with(['.', '!', '。', '！']),
        }
    }
    is_said && links <= ASIDE_LINKS
}

/// The most links of a remark.
const ASIDE_LINKS: usize = 2;

/// Whether an element is a section of footnotes.
pub(crate) fn is_footnotes(dom: &Dom, id: NodeId) -> bool {
    if !matches!(*dom.name(id), local_name!("section") | local_name!("div") | local_name!("ol") | local_name!("aside"))
    {
        return false;
    }
    dom.attribute(id, &local_name!("role")) == Some("doc-endnotes")
        || dom::names(dom, id).any(|name| matches!(&*name, "footnotes" | "footnotes-list" | "endnotes"))
}

fn is_note(name: &str) -> bool {
    ["note", "tip", "warning", "admonition", "callout", "info", "hint", "important"]
        .iter()
        .any(|word| name.contains(word))
}

/// Marks the containers that are named boilerplate and small enough to be it.
pub(crate) fn mark(flow: &mut Flow) {
    let page = flow.size(0..flow.len());
    let mut marked = Vec::new();
    for id in 0..flow.dom.nodes.len() as NodeId {
        if !flow.dom.is_element(id) {
            continue;
        }
        let blocks = flow.range(id);
        if blocks.is_empty() || flow.block(blocks.start).is_boilerplate {
            continue;
        }
        if is_boilerplate(flow, id, &blocks, page) {
            marked.push(blocks);
        }
    }
    for block in marked.into_iter().flatten() {
        flow.blocks[block as usize].is_boilerplate = true;
    }
}

/// Whether an element is boilerplate by its name, on a page with `page_bytes` of text.
fn is_boilerplate(flow: &Flow, id: NodeId, blocks: &Blocks, page_bytes: usize) -> bool {
    let size = flow.size(blocks.clone());
    if *flow.dom.name(id) == local_name!("form") {
        // Some servers put a form around the whole page.
        let is_page = size * 100 >= page_bytes * SHARE_PERCENT && blocks.clone().any(|id| flow.block(id).heading > 0);
        return size < SMALL_FORM_BYTES && !is_page;
    }
    if is_whole_page(&flow.dom, id) {
        return false;
    }
    if is_cookie_notice(&flow.dom, id) {
        return size < NOTICE_MAX_BYTES && size < page_bytes;
    }
    let is_last = blocks.start > 0 && blocks.end == flow.len();
    if is_last && size < SMALL_FOOTER_BYTES && is_named(&flow.dom, id, &FOOTER_NAMES) {
        return true;
    }
    if size * 100 >= page_bytes * SHARE_PERCENT {
        return false;
    }
    let is_bare = || {
        let is_short = size < AMBIGUOUS_BYTES && !has_statement(flow, blocks);
        is_short || flow.link_percent(blocks.clone()) >= AMBIGUOUS_LINK_PERCENT
    };
    is_named(&flow.dom, id, &NAMES) || is_named(&flow.dom, id, &AMBIGUOUS_NAMES) && is_bare()
}

/// Whether some blocks have a sentence or a number outside of links.
fn has_statement(flow: &Flow, blocks: &Blocks) -> bool {
    blocks.clone().filter(|&id| flow.block(id).link_bytes == 0 && !flow.block(id).is_control).any(|id| {
        let text = flow.text(id).trim_end();
        text.ends_with(['.', '!', '。']) && text.contains(' ') || text.bytes().any(|byte| byte.is_ascii_digit())
    })
}

fn is_whole_page(dom: &Dom, id: NodeId) -> bool {
    matches!(*dom.name(id), local_name!("body") | local_name!("html") | local_name!("main") | local_name!("article"))
}

/// Whether an element says by class, id or label that it asks for consent to cookies.
fn is_cookie_notice(dom: &Dom, id: NodeId) -> bool {
    let is_named = dom::names(dom, id).any(|name| {
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        CONSENT_TOOLS.iter().any(|tool| name.starts_with(tool))
            || name.contains("cookie") && has(&NOTICE_WORDS)
            || has(&CONSENT_SUBJECTS) && has(&OVERLAY_WORDS)
    });
    let is_region =
        matches!(dom.attribute(id, &local_name!("role")), Some("region" | "dialog" | "alertdialog" | "banner"))
            || *dom.name(id) == local_name!("section");
    let label = dom.attribute(id, &local_name!("aria-label")).unwrap_or_default().to_lowercase();
    is_named || is_region && CONSENT_LABELS.iter().any(|word| label.contains(word))
}

fn is_named(dom: &Dom, id: NodeId, wanted: &[&str]) -> bool {
    [local_name!("class"), local_name!("id")]
        .into_iter()
        .filter_map(|name| dom.attribute(id, &name))
        .flat_map(str::split_ascii_whitespace)
        .any(|word| wanted.iter().any(|name| name.eq_ignore_ascii_case(word)))
}
