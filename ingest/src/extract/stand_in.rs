//! Pages that are shown in place of the one that was asked for: forms to sign in, and "not found" sent
//! with a status of success.
//!
//! Called by `html` when the items of a page are known. The crawl leaves such pages out, because their
//! text would answer questions that the site has other pages for.

use html5ever::local_name;

use super::dom::NodeId;
use super::flow::Flow;
use super::page::{Page, StandIn};
use super::question;

/// Maximum text length in bytes of a page that is only a placeholder.
const LONGEST_BYTES: usize = 1500;

/// The longest title or heading that says so, in bytes.
const LONGEST_TITLE_BYTES: usize = 100;

/// What titles and headings of missing pages say, folded to letters and digits.
const NOT_FOUND: [&str; 22] = [
    "pagenotfound",
    "404notfound",
    "notfound404",
    "error404",
    "404error",
    "pagecannotbefound",
    "pagecouldnotbefound",
    "pagedoesntexist",
    "pagedoesnotexist",
    "pageisnotavailable",
    "wecantfindthatpage",
    "wecouldntfind",
    "nothingfound",
    "seitenichtgefunden",
    "seitewurdenichtgefunden",
    "seiteexistiertnicht",
    "pageintrouvable",
    "páginanoencontrada",
    "paginanoencontrada",
    "páginanãoencontrada",
    "paginanontrovata",
    "paginanietgevonden",
];

/// What a page is instead of content.
pub(super) fn of(flow: &Flow, page: &Page) -> Option<StandIn> {
    let shown: usize = (0..flow.len()).filter(|&id| !flow.block(id).is_boilerplate).map(|id| flow.text(id).len()).sum();
    if page.pairs().next().is_some() || shown > LONGEST_BYTES {
        return None;
    }
    if has_password_field(flow) {
        return Some(StandIn::SignIn);
    }
    let headings = (0..flow.len()).filter(|&id| (1..=2).contains(&flow.block(id).heading)).map(|id| flow.text(id));
    let mut titles =
        std::iter::once(page.title.as_str()).chain(headings).filter(|title| title.len() <= LONGEST_TITLE_BYTES);
    let is_missing = titles.any(|title| {
        let folded = question::fold(title);
        folded == "404" || NOT_FOUND.iter().any(|words| folded.contains(words))
    });
    is_missing.then_some(StandIn::NotFound)
}

fn has_password_field(flow: &Flow) -> bool {
    (0..flow.dom.nodes.len() as NodeId).any(|id| {
        *flow.dom.name(id) == local_name!("input")
            && flow.dom.attribute(id, &local_name!("type")).is_some_and(|kind| kind.eq_ignore_ascii_case("password"))
    })
}

#[cfg(test)]
mod tests {
    use crate::extract::{StandIn, html};

    fn stand_in(body: &str) -> Option<StandIn> {
        html(body.as_bytes(), None, None).expect("a page").stand_in
    }

    #[test]
    fn placeholder_pages_are_distinguished_from_content() {
        let long = "A sentence about the account and what it is good for. ".repeat(40);

        assert_eq!(stand_in("<h1>Sign in</h1><form><input type=password></form>"), Some(StandIn::SignIn));
        assert_eq!(stand_in(&format!("<h1>Accounts</h1><p>{long}<input type=password>")), None);
        assert_eq!(stand_in("<title>Page not found - Shop</title><p>Sorry."), Some(StandIn::NotFound));
        assert_eq!(stand_in("<h1>What to do about \"page not found\"?</h1><p>Reload.<h1>Is it down?</h1><p>No."), None);
    }
}
