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

/// A page with less text than this, in bytes, may say in its text that it is missing.
const LONGEST_MESSAGE_BYTES: usize = 600;

/// What titles and headings of forms to sign in say, folded and whole.
const SIGN_IN: [&str; 26] = [
    "signin",
    "login",
    "logon",
    "loginhere",
    "signintoyouraccount",
    "logintoyouraccount",
    "memberlogin",
    "customerlogin",
    "anmelden",
    "anmeldung",
    "einloggen",
    "kundenlogin",
    "connexion",
    "seconnecter",
    "sidentifier",
    "iniciarsesión",
    "acceder",
    "iniciarsessão",
    "accedi",
    "inloggen",
    "zalogujsię",
    "logowanie",
    "войти",
    "ログイン",
    "登录",
    "로그인",
];

/// What the text of missing pages says of the page that was asked for, folded.
const NO_SUCH_PAGE: [&str; 20] = [
    "thepagethatyouwerelookingfor",
    "thepageyouwerelookingfor",
    "thepageyouarelookingfor",
    "pageyourelookingfor",
    "thepageyourequested",
    "therequestedpage",
    "therequestedurl",
    "couldnotfindthepage",
    "cantfindthepage",
    "diegewünschteseite",
    "dieangeforderteseite",
    "dievonihnengesuchteseite",
    "lapagequevouscherchez",
    "lapagedemandée",
    "lapáginaquebusca",
    "lapáginasolicitada",
    "apáginaquevocê",
    "lapaginarichiesta",
    "depaginadieuzoekt",
    "запрашиваемаястраница",
];

/// What titles and headings of missing pages say, folded to letters and digits.
const NOT_FOUND: [&str; 38] = [
    "thispagecouldnot",
    "thispagedoesnt",
    "thispageisgone",
    "stronanieznaleziona",
    "stronanieistnieje",
    "nieznalezionostrony",
    "страницаненайдена",
    "страницанесуществует",
    "stránkanenalezena",
    "sidanhittadesinte",
    "sidanfinnsinte",
    "sidenblevikkefundet",
    "sayfabulunamadı",
    "ページが見つかりません",
    "页面不存在",
    "頁面不存在",
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
    let headings = (0..flow.len()).filter(|&id| (1..=2).contains(&flow.block(id).heading)).map(|id| flow.text(id));
    let titles = std::iter::once(page.title.as_str()).chain(headings);
    let titles: Vec<String> = titles.filter(|title| title.len() <= LONGEST_TITLE_BYTES).map(question::fold).collect();
    let is_sign_in = titles.iter().any(|title| SIGN_IN.contains(&title.as_str()));
    if has_field(flow, &["password"]) || is_sign_in && has_field(flow, &["email", "text", "tel"]) {
        return Some(StandIn::SignIn);
    }
    let is_missing = titles.iter().any(|title| title == "404" || NOT_FOUND.iter().any(|words| title.contains(words)));
    let says_so = || {
        let text = question::fold(&flow.line(0..flow.len()));
        NO_SUCH_PAGE.iter().any(|words| text.contains(words))
    };
    (is_missing || shown <= LONGEST_MESSAGE_BYTES && says_so()).then_some(StandIn::NotFound)
}

/// Whether a page has a field of one of some types.
fn has_field(flow: &Flow, types: &[&str]) -> bool {
    (0..flow.dom.nodes.len() as NodeId).any(|id| {
        *flow.dom.name(id) == local_name!("input")
            && flow
                .dom
                .attribute(id, &local_name!("type"))
                .is_some_and(|kind| types.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted)))
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
        let form = "<form><p>Enter your e-mail address.<input type=email><button>Go</button></form>";
        assert_eq!(stand_in(&format!("<h1>Log in</h1><p>We send you a link.{form}")), Some(StandIn::SignIn));
        assert_eq!(stand_in(&format!("<h1>Newsletter</h1><p>News once a month.{form}")), None);
        let lost = "<h1>Oops!</h1><p>We could not find the page that you were looking for.";
        assert_eq!(stand_in(lost), Some(StandIn::NotFound));
        assert_eq!(stand_in("<h1>What to do about \"page not found\"?</h1><p>Reload.<h1>Is it down?</h1><p>No."), None);
    }
}
