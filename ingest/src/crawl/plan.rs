//! The queue of a crawl: scope, normal form of addresses, limits, and the order of visits.
//!
//! Pure: the crawl offers addresses (from the start, sitemaps, links and redirects), takes the next
//! page and learns here why an address is left out. Pages near the start come first. Addresses of
//! one shape, such as the days of a calendar, give way to others the more of them were visited and the
//! less they said that was new, so that an endless series does not use up the pages of a source.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};

use url::Url;

use super::address::{is_below, is_trap, may_be_page, shape};
pub use super::address::{is_same_site, normalise};
use super::series::ShapeRecord;

/// How far a crawl goes from where it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrawlScope {
    /// The start page alone.
    Page,
    /// The start and the pages below it: `/docs` covers `/docs/…`, and `/help/faq.html`, which is a file,
    /// covers its folder `/help/`.
    Section,
    /// All pages of the host.
    Site,
}

/// The caps of a crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrawlLimits {
    /// Links from the start to a page; 0 reads the start alone. Pages of a sitemap have depth 1.
    pub depth: u32,
    /// Addresses that are visited over the whole crawl.
    pub pages: usize,
}

/// Why an address is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skip {
    /// Offered before, maybe written differently.
    Known,
    /// Outside of the scope, or not http(s).
    OutOfScope,
    /// Further from the start than [`CrawlLimits::depth`].
    TooDeep,
    /// [`CrawlLimits::pages`] is reached, or more addresses wait than can ever be visited.
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
    /// The normalized URL; see [`normalise`].
    pub url: Url,
    /// Links from the start.
    pub depth: u32,
}

/// How many addresses may wait for each one that may be visited.
const QUEUE_FACTOR: usize = 20;

/// The most addresses that wait, whatever the number of pages: some 30 MB.
const QUEUE_MAX: usize = 100_000;

/// How often a parameter must turn out not to change a page before it is left out of addresses.
const IGNORED_PROOFS: usize = 2;

/// The queue of one crawl.
#[derive(Debug)]
pub struct CrawlPlan {
    start: Url,
    scope: CrawlScope,
    limits: CrawlLimits,
    seen: HashSet<Url>,
    /// Ordered by cost, then by the order of offering.
    queue: BinaryHeap<Reverse<(u32, usize, QueuedPage)>>,
    offered: usize,
    taken: usize,
    shapes: HashMap<String, ShapeRecord>,
    /// How often each parameter turned out not to change a page.
    idle_parameters: HashMap<String, usize>,
}

/// An address that waits, ordered by itself only to make the heap's entries comparable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct QueuedPage {
    url: Url,
    depth: u32,
    shape: String,
}

impl CrawlPlan {
    /// A plan with the start page in its queue.
    pub fn new(start: &Url, scope: CrawlScope, limits: CrawlLimits) -> Self {
        let start = normalise(start);
        let mut plan = Self {
            start: start.clone(),
            scope,
            limits,
            seen: HashSet::from([start.clone()]),
            queue: BinaryHeap::new(),
            offered: 0,
            taken: 0,
            shapes: HashMap::new(),
            idle_parameters: HashMap::new(),
        };
        plan.push(start, 0);
        plan
    }

    fn push(&mut self, url: Url, depth: u32) {
        let shape = shape(&url);
        let cost = depth + self.shapes.get(&shape).copied().unwrap_or_default().cost();
        self.queue.push(Reverse((cost, self.offered, QueuedPage { url, depth, shape })));
        self.offered += 1;
    }

    /// Queues an address found `depth` links from the start.
    ///
    /// # Errors
    /// The reason why it is left out.
    pub fn offer(&mut self, url: &Url, depth: u32) -> Result<(), Skip> {
        let url = self.without_idle_parameters(normalise(url));
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
        self.seen.insert(url.clone());
        self.push(url, depth);
        Ok(())
    }

    /// The next page to read; `None` when none is left, or as many were read as the limits allow.
    pub fn take(&mut self) -> Option<Planned> {
        if self.taken >= self.limits.pages {
            return None;
        }
        let planned = self.pop()?;
        self.taken += 1;
        Some(planned)
    }

    /// The next page that waits, whatever the limits are: for the report on what was left out.
    pub fn pop(&mut self) -> Option<Planned> {
        while let Some(Reverse((cost, order, page))) = self.queue.pop() {
            // Costs grow while addresses wait; the entry goes back to its place of now.
            let now = page.depth + self.shapes.get(&page.shape).copied().unwrap_or_default().cost();
            if now > cost {
                self.queue.push(Reverse((now, order, page)));
                continue;
            }
            self.shapes.entry(page.shape).or_default().visits += 1;
            return Some(Planned { url: page.url, depth: page.depth });
        }
        None
    }

    /// Notes that the page at an address said something that no page before it said.
    pub fn note_novelty(&mut self, url: &Url) {
        self.shapes.entry(shape(url)).or_default().novel += 1;
    }

    /// Notes that the page at an address has not changed since an earlier crawl, so that nobody knows whether it says
    /// something new.
    pub fn note_unchanged(&mut self, url: &Url) {
        self.shapes.entry(shape(url)).or_default().unchanged += 1;
    }

    /// Notes that two addresses show the same page. Where one parameter is all that tells them apart,
    /// and this has happened before, addresses are planned without it from now on.
    pub fn note_same(&mut self, one: &Url, other: &Url) {
        if one.path() != other.path() || one.query().is_none() && other.query().is_none() {
            return;
        }
        let pairs = |url: &Url| -> HashSet<String> {
            url.query().into_iter().flat_map(|query| query.split('&')).map(str::to_owned).collect()
        };
        let (one, other) = (pairs(one), pairs(other));
        let names: HashSet<&str> =
            one.symmetric_difference(&other).map(|pair| pair.split('=').next().unwrap_or_default()).collect();
        if names.len() == 1
            && let Some(name) = names.into_iter().next()
        {
            *self.idle_parameters.entry(name.to_owned()).or_default() += 1;
        }
    }

    fn without_idle_parameters(&self, mut url: Url) -> Url {
        let is_idle = |pair: &str| {
            let name = pair.split('=').next().unwrap_or_default();
            self.idle_parameters.get(name).is_some_and(|&proofs| proofs >= IGNORED_PROOFS)
        };
        if let Some(query) = url.query().filter(|query| query.split('&').any(is_idle)) {
            let kept = query.split('&').filter(|pair| !is_idle(pair)).collect::<Vec<_>>().join("&");
            url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
        }
        url
    }

    /// Notes the address that a page turned out to have (redirect, canonical), so that it is not
    /// read again. Returns false when it was known and this page is a copy.
    ///
    /// An address outside of the scope is not noted: its page is not part of the crawl.
    pub fn resolve(&mut self, url: &Url) -> bool {
        let url = normalise(url);
        self.is_in_scope(&url) && self.seen.insert(url)
    }

    /// Pages that the crawl will read as far as it is known now, those already read included.
    pub fn planned(&self) -> usize {
        (self.taken + self.queue.len()).min(self.limits.pages)
    }

    /// Pages that the crawl will still begin to read as far as it is known now.
    pub fn remaining(&self) -> usize {
        self.queue.len().min(self.limits.pages.saturating_sub(self.taken))
    }

    /// The start page, in normal form.
    pub fn start(&self) -> &Url {
        &self.start
    }

    /// Whether the queue is full, so that no more addresses are added.
    pub fn is_full(&self) -> bool {
        self.queue.len() >= (self.limits.pages.saturating_mul(QUEUE_FACTOR)).min(QUEUE_MAX)
    }

    /// Whether an address belongs to the crawl by its scope alone.
    pub fn is_in_scope(&self, url: &Url) -> bool {
        is_same_site(&self.start, url)
            && match self.scope {
                CrawlScope::Page => normalise(url) == self.start,
                CrawlScope::Section => is_below(url.path(), self.start.path()),
                CrawlScope::Site => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str) -> Url {
        Url::parse(address).expect("a valid address")
    }

    fn plan(scope: CrawlScope) -> CrawlPlan {
        CrawlPlan::new(&url("https://example.com/help/faq.html"), scope, CrawlLimits { depth: 3, pages: 5 })
    }

    #[test]
    fn one_page_in_many_spellings_is_read_once() {
        let mut plan = plan(CrawlScope::Site);

        assert_eq!(plan.offer(&url("https://example.com/help/faq.html#q3"), 1), Err(Skip::Known));
        assert_eq!(plan.offer(&url("https://example.com/a?x=1&utm_source=mail"), 1), Ok(()));
        assert_eq!(plan.offer(&url("https://me:pw@example.com//a?x=1&fbclid=9"), 1), Err(Skip::Known));
        assert_eq!(plan.offer(&url("https://example.com/a?x=2"), 1), Ok(()));
    }

    #[test]
    fn escapes_and_sessions_in_paths_do_not_make_another_page() {
        let plain = |address: &str| normalise(&url(address)).to_string();

        assert_eq!(
            plain("https://example.com/%7Eclub/gr%c3%b6%2Fx?q=%7e%2f"),
            "https://example.com/~club/gr%C3%B6%2Fx?q=~%2F"
        );
        assert_eq!(plain("https://example.com/a/(S(lit3py55t21z5v55))/faq.aspx"), "https://example.com/a/faq.aspx");
        assert_eq!(plain("https://example.com/(draft)/100%"), "https://example.com/(draft)/100%");
    }

    #[test]
    fn scope_holds_at_host_folder_and_page() {
        let section = plan(CrawlScope::Section);
        assert!(section.is_in_scope(&url("https://example.com/help/billing/")));
        assert!(section.is_in_scope(&url("http://www.example.com/help/x")));
        assert!(!section.is_in_scope(&url("https://example.com/helpdesk")));
        assert!(!section.is_in_scope(&url("https://example.com.evil.example/help/x")));
        assert!(!section.is_in_scope(&url("https://example.com:8443/help/x")));
        assert!(!section.is_in_scope(&url("file:///help/x")));

        assert!(plan(CrawlScope::Site).is_in_scope(&url("https://example.com/about")));
        assert!(plan(CrawlScope::Page).is_in_scope(&url("https://example.com/help/faq.html#q")));
        assert!(!plan(CrawlScope::Page).is_in_scope(&url("https://example.com/help/")));
    }

    #[test]
    fn a_start_without_a_file_name_is_its_own_section() {
        let section =
            CrawlPlan::new(&url("https://example.com/docs"), CrawlScope::Section, CrawlLimits { depth: 3, pages: 5 });

        assert!(section.is_in_scope(&url("https://example.com/docs")));
        assert!(section.is_in_scope(&url("https://example.com/docs/a/b")));
        assert!(!section.is_in_scope(&url("https://example.com/docs-old/a")));
        assert!(!section.is_in_scope(&url("https://example.com/blog")));
    }

    #[test]
    fn limits_say_which_of_them_was_hit() {
        let mut plan = plan(CrawlScope::Site);

        assert_eq!(plan.offer(&url("https://example.com/deep"), 4), Err(Skip::TooDeep));
        for n in 0..99 {
            assert_eq!(plan.offer(&url(&format!("https://example.com/{n}")), 1), Ok(()));
        }
        assert_eq!(plan.offer(&url("https://example.com/more"), 1), Err(Skip::TooMany));
        assert_eq!(std::iter::from_fn(|| plan.take()).count(), 5);
        assert_eq!(plan.planned(), 5);
    }

    #[test]
    fn pages_near_the_start_come_first() {
        let mut plan = plan(CrawlScope::Site);
        plan.offer(&url("https://example.com/far"), 2).expect("in scope");
        plan.offer(&url("https://example.com/near"), 1).expect("in scope");

        let order: Vec<_> =
            std::iter::from_fn(|| plan.take()).map(|page| (page.url.path().to_owned(), page.depth)).collect();

        assert_eq!(order, [("/help/faq.html".into(), 0), ("/near".into(), 1), ("/far".into(), 2)]);
    }

    #[test]
    fn a_series_that_says_nothing_new_gives_way_to_other_pages() {
        let mut plan =
            CrawlPlan::new(&url("https://example.com/"), CrawlScope::Site, CrawlLimits { depth: 50, pages: 20 });
        for day in 0..200 {
            plan.offer(&url(&format!("https://example.com/events?y=2026&d={day}")), 1).expect("in scope");
        }
        plan.offer(&url("https://example.com/service/faq"), 5).expect("in scope");

        let order: Vec<_> = std::iter::from_fn(|| plan.take()).map(|page| page.url.path().to_owned()).collect();

        assert!(order.iter().position(|path| path == "/service/faq").is_some_and(|at| at < 10), "{order:?}");
    }

    #[test]
    fn a_parameter_that_changes_nothing_is_left_out() {
        let mut plan =
            CrawlPlan::new(&url("https://example.com/"), CrawlScope::Site, CrawlLimits { depth: 3, pages: 20 });

        plan.note_same(&url("https://example.com/faq?sid=1"), &url("https://example.com/faq?sid=2"));
        plan.note_same(&url("https://example.com/a?p=1&sid=1"), &url("https://example.com/a?p=1&sid=3"));

        assert_eq!(plan.offer(&url("https://example.com/b?sid=4"), 1), Ok(()));
        assert_eq!(plan.offer(&url("https://example.com/b?sid=5"), 1), Err(Skip::Known));
        assert_eq!(plan.offer(&url("https://example.com/b?p=5"), 1), Ok(()));
    }

    #[test]
    fn traps_and_files_are_left_out() {
        let mut plan = plan(CrawlScope::Site);
        let long = format!("https://example.com/?{}", "x".repeat(3000));

        assert_eq!(plan.offer(&url("https://example.com/a/b/a/b/a/b/a/b"), 1), Err(Skip::Trap));
        assert_eq!(plan.offer(&url(&long), 1), Err(Skip::Trap));
        assert_eq!(plan.offer(&url("https://example.com/logo.PNG"), 1), Err(Skip::NotAPage));
        assert_eq!(plan.offer(&url("https://example.com/manual.pdf"), 1), Ok(()));
        assert_eq!(plan.offer(&url("https://example.com/v1.2"), 1), Ok(()));
    }

    #[test]
    fn copies_are_known_by_their_canonical_address() {
        let mut plan = plan(CrawlScope::Section);

        assert!(plan.resolve(&url("https://example.com/help/canonical")));
        assert!(!plan.resolve(&url("https://example.com/help/canonical#x")));
        assert_eq!(plan.offer(&url("https://example.com/help/canonical"), 1), Err(Skip::Known));
        assert!(!plan.resolve(&url("https://elsewhere.example/help/canonical")));
    }
}
