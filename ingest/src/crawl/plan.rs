//! The queue of a crawl: scope, address normalisation, depth and page caps.
//!
//! Pure: the crawl offers addresses (from the start, sitemaps, links, redirects), takes the next
//! page and hears here why an address is left out. Breadth first, so that the caps cut off what
//! is far from the start.

use std::collections::{HashSet, VecDeque};

use url::Url;

/// How far a crawl goes from where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The start page alone.
    Page,
    /// Pages below the start's folder: `/help/faq.html` opens `/help/`.
    Section,
    /// All pages of the host.
    Site,
}

/// The caps of a crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Links from the start to a page; 0 reads the start alone. Pages of a sitemap have depth 1.
    pub depth: u32,
    /// Pages in the queue over the whole crawl.
    pub pages: usize,
}

/// Why an address is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Offered before, maybe written differently.
    Known,
    /// Outside of the scope, or not http(s).
    OutOfScope,
    /// Further from the start than [`Limits::depth`].
    TooDeep,
    /// [`Limits::pages`] is reached.
    TooMany,
    /// A file that is no page by its extension: pictures, archives, styles.
    NotAPage,
    /// An address that only a trap or a broken link makes: too long, or the same folder over and
    /// over.
    Trap,
}

/// A page to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Normalised; see [`normalise`].
    pub url: Url,
    /// Links from the start.
    pub depth: u32,
}

/// The longest address that is followed, in bytes, as in the sitemap protocol.
const ADDRESS_LIMIT_BYTES: usize = 2048;

/// How often a folder may be repeated in one path: relative links without a base pile up.
const REPEATS: usize = 3;

/// Query parameters that name where a visitor came from, never what is shown.
const TRACKING: [&str; 9] = ["fbclid", "gclid", "dclid", "msclkid", "mc_cid", "mc_eid", "igshid", "_ga", "ref_src"];

/// Extensions of files that hold no text to answer from; PDF and DOCX are read.
const NOT_PAGES: [&str; 36] = [
    "png", "jpg", "jpeg", "gif", "webp", "avif", "svg", "ico", "bmp", "tif", "tiff", "css", "js", "mjs", "json", "xml",
    "rss", "atom", "zip", "gz", "tar", "7z", "rar", "exe", "dmg", "apk", "mp3", "mp4", "webm", "ogg", "wav", "avi",
    "mov", "woff", "woff2", "ttf",
];

/// The queue of one crawl.
#[derive(Debug)]
pub struct Plan {
    start: Url,
    scope: Scope,
    limits: Limits,
    seen: HashSet<Url>,
    queue: VecDeque<Planned>,
    planned: usize,
}

impl Plan {
    /// A plan with the start page in its queue.
    pub fn new(start: &Url, scope: Scope, limits: Limits) -> Self {
        let start = normalise(start);
        let seen = HashSet::from([start.clone()]);
        let queue = VecDeque::from([Planned { url: start.clone(), depth: 0 }]);
        Self { start, scope, limits, seen, queue, planned: 1 }
    }

    /// Queues an address found `depth` links from the start.
    ///
    /// # Errors
    /// The reason why it is left out.
    pub fn offer(&mut self, url: &Url, depth: u32) -> Result<(), Skip> {
        let url = normalise(url);
        if self.seen.contains(&url) {
            return Err(Skip::Known);
        }
        if !self.is_in_scope(&url) {
            return Err(Skip::OutOfScope);
        }
        if is_trap(&url) {
            return Err(Skip::Trap);
        }
        if !may_be_page(&url) {
            return Err(Skip::NotAPage);
        }
        if depth > self.limits.depth {
            return Err(Skip::TooDeep);
        }
        if self.is_full() {
            return Err(Skip::TooMany);
        }
        self.planned += 1;
        self.seen.insert(url.clone());
        self.queue.push_back(Planned { url, depth });
        Ok(())
    }

    /// The next page to read; `None` when nothing is left.
    pub fn take(&mut self) -> Option<Planned> {
        self.queue.pop_front()
    }

    /// Notes the address that a page turned out to have (redirect, canonical), so that it is not
    /// read again; false when it was known and this page is a copy.
    ///
    /// An address outside of the scope is not noted: its page is not part of the crawl.
    pub fn resolve(&mut self, url: &Url) -> bool {
        let url = normalise(url);
        self.is_in_scope(&url) && self.seen.insert(url)
    }

    /// Pages put into the queue so far, taken ones included.
    pub fn planned(&self) -> usize {
        self.planned
    }

    /// The start page, in normal form.
    pub fn start(&self) -> &Url {
        &self.start
    }

    /// Whether no more pages can be queued.
    pub fn is_full(&self) -> bool {
        self.planned >= self.limits.pages
    }

    /// Whether an address belongs to the crawl by its scope alone.
    pub fn is_in_scope(&self, url: &Url) -> bool {
        is_same_site(&self.start, url)
            && match self.scope {
                Scope::Page => normalise(url) == self.start,
                Scope::Section => url.path().starts_with(folder(self.start.path())),
                Scope::Site => true,
            }
    }
}

/// Whether two http(s) addresses are of one site: the same host and port, with or without `www.`,
/// on either default port.
pub fn is_same_site(one: &Url, other: &Url) -> bool {
    matches!(other.scheme(), "http" | "https")
        && host(one) == host(other)
        && one.port_or_known_default() == other.port_or_known_default()
        || is_upgrade(one, other)
}

/// The same host on the other default port: sites link to both until the redirect.
fn is_upgrade(start: &Url, url: &Url) -> bool {
    let is_default = |url: &Url| matches!(url.scheme(), "http" | "https") && url.port().is_none();
    host(url) == host(start) && is_default(url) && is_default(start)
}

/// The host without `www.`, which no site uses for different content.
fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.strip_prefix("www.").unwrap_or(host))
}

fn folder(path: &str) -> &str {
    path.rfind('/').map_or("/", |at| &path[..=at])
}

/// One spelling for one page: no fragment, no credentials, no tracking parameters, no empty
/// query, no doubled slashes. Case, order of parameters and trailing slashes may mean something
/// and stay.
pub fn normalise(url: &Url) -> Url {
    let mut url = url.clone();
    url.set_fragment(None);
    // Both fail for addresses without a host only, which have no credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if url.path().contains("//") {
        let mut path = url.path().to_owned();
        while path.contains("//") {
            path = path.replace("//", "/");
        }
        url.set_path(&path);
    }
    if let Some(query) = url.query() {
        let kept: Vec<_> = query.split('&').filter(|pair| !pair.is_empty() && !is_tracking(pair)).collect();
        let kept = kept.join("&");
        url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
    }
    url
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    name.starts_with("utm_") || TRACKING.contains(&name)
}

fn is_trap(url: &Url) -> bool {
    if url.as_str().len() > ADDRESS_LIMIT_BYTES {
        return true;
    }
    let folders: Vec<_> = url.path().split('/').filter(|folder| !folder.is_empty()).collect();
    folders.iter().any(|folder| folders.iter().filter(|other| other == &folder).count() > REPEATS)
}

fn may_be_page(url: &Url) -> bool {
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    !NOT_PAGES.iter().any(|known| known.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str) -> Url {
        Url::parse(address).expect("a valid address")
    }

    fn plan(scope: Scope) -> Plan {
        Plan::new(&url("https://example.com/help/faq.html"), scope, Limits { depth: 3, pages: 5 })
    }

    #[test]
    fn one_page_in_many_spellings_is_read_once() {
        let mut plan = plan(Scope::Site);

        assert_eq!(plan.offer(&url("https://example.com/help/faq.html#q3"), 1), Err(Skip::Known));
        assert_eq!(plan.offer(&url("https://example.com/a?x=1&utm_source=mail"), 1), Ok(()));
        assert_eq!(plan.offer(&url("https://me:pw@example.com//a?x=1&fbclid=9"), 1), Err(Skip::Known));
        assert_eq!(plan.offer(&url("https://example.com/a?x=2"), 1), Ok(()));
    }

    #[test]
    fn scope_holds_at_host_folder_and_page() {
        let section = plan(Scope::Section);
        assert!(section.is_in_scope(&url("https://example.com/help/billing/")));
        assert!(section.is_in_scope(&url("http://www.example.com/help/x")));
        assert!(!section.is_in_scope(&url("https://example.com/helpdesk")));
        assert!(!section.is_in_scope(&url("https://example.com.evil.example/help/x")));
        assert!(!section.is_in_scope(&url("https://example.com:8443/help/x")));
        assert!(!section.is_in_scope(&url("file:///help/x")));

        assert!(plan(Scope::Site).is_in_scope(&url("https://example.com/about")));
        assert!(plan(Scope::Page).is_in_scope(&url("https://example.com/help/faq.html#q")));
        assert!(!plan(Scope::Page).is_in_scope(&url("https://example.com/help/")));
    }

    #[test]
    fn caps_say_which_of_them_was_hit() {
        let mut plan = plan(Scope::Site);

        assert_eq!(plan.offer(&url("https://example.com/deep"), 4), Err(Skip::TooDeep));
        for n in 0..4 {
            assert_eq!(plan.offer(&url(&format!("https://example.com/{n}")), 1), Ok(()));
        }
        assert_eq!(plan.offer(&url("https://example.com/more"), 1), Err(Skip::TooMany));
        assert_eq!(plan.planned(), 5);
    }

    #[test]
    fn pages_come_out_in_the_order_they_were_found() {
        let mut plan = plan(Scope::Site);
        plan.offer(&url("https://example.com/b"), 1).expect("in scope");
        plan.offer(&url("https://example.com/a"), 2).expect("in scope");

        let order: Vec<_> =
            std::iter::from_fn(|| plan.take()).map(|page| (page.url.path().to_owned(), page.depth)).collect();

        assert_eq!(order, [("/help/faq.html".into(), 0), ("/b".into(), 1), ("/a".into(), 2)]);
    }

    #[test]
    fn traps_and_files_are_left_out() {
        let mut plan = plan(Scope::Site);
        let long = format!("https://example.com/?{}", "x".repeat(3000));

        assert_eq!(plan.offer(&url("https://example.com/a/b/a/b/a/b/a/b"), 1), Err(Skip::Trap));
        assert_eq!(plan.offer(&url(&long), 1), Err(Skip::Trap));
        assert_eq!(plan.offer(&url("https://example.com/logo.PNG"), 1), Err(Skip::NotAPage));
        assert_eq!(plan.offer(&url("https://example.com/manual.pdf"), 1), Ok(()));
        assert_eq!(plan.offer(&url("https://example.com/v1.2"), 1), Ok(()));
    }

    #[test]
    fn copies_are_known_by_their_canonical_address() {
        let mut plan = plan(Scope::Section);

        assert!(plan.resolve(&url("https://example.com/help/canonical")));
        assert!(!plan.resolve(&url("https://example.com/help/canonical#x")));
        assert_eq!(plan.offer(&url("https://example.com/help/canonical"), 1), Err(Skip::Known));
        assert!(!plan.resolve(&url("https://elsewhere.example/help/canonical")));
    }
}
