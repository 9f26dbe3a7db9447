//! The report of a crawl: a row for each page in the order of the visits, and their counts. Used by `run`. A row holds
//! none of the page's texts, which are read from its stored visit at the end, so that memory does not grow with them.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use helpbot_domain::source::{Document, PageOutcome};
use helpbot_services::sources::page_sync::{EarlierChunks, SyncedPage};
use helpbot_services::sources::sync_report::{LeftOut, PageCounts};
use url::Url;

use super::plan::Skip;
use super::visit::Conditions;

/// Maximum number of listed URLs that were left out. A trap may have thousands.
pub(super) const LEFT_OUT_MAX: usize = 500;
/// Maximum number of URLs that are counted as left out: as many as can wait in a plan.
const LEFT_OUT_COUNTED_MAX: usize = 100_000;

/// The row of a page.
#[derive(Debug)]
pub(super) struct Row {
    /// The result, without the texts and links that its visit contains.
    pub page: SyncedPage,
    /// Where the texts and links are. `None` when the row is complete.
    pub content: Option<PageContent>,
}

/// The content of a page that was read.
#[derive(Debug)]
pub(super) struct PageContent {
    /// URL under which the visit is stored.
    pub visit: String,
    /// Positions of the facts that are indexed with this page.
    pub facts: Vec<usize>,
    /// Whether the canonical URL is one of the links.
    pub has_canonical: bool,
    /// Number of chunks, and bytes of their text.
    pub chunks: usize,
    pub text_bytes: usize,
}

impl From<SyncedPage> for Row {
    fn from(page: SyncedPage) -> Self {
        Self { page, content: None }
    }
}

/// The rows so far.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<Row>,
    listed: HashSet<String>,
    left_out: BTreeMap<String, String>,
    /// Reasons of all URLs that were left out, by a hash of the URL.
    reasons: HashMap<u64, &'static str>,
    /// Bytes of text in all rows.
    pub(super) text_bytes: usize,
    pub(super) counts: PageCounts,
}

impl Report {
    /// Adds a row. If the URL has a row already, that one stays.
    pub(super) fn add(&mut self, row: impl Into<Row>) {
        let row = row.into();
        if self.listed.insert(row.page.url.clone()) {
            self.reasons.remove(&hash(&row.page.url));
            self.counts.add(row.page.outcome);
            self.text_bytes += row.content.as_ref().map_or(0, |content| content.text_bytes);
            self.rows.push(row);
        }
    }

    /// Counts a URL that is not visited.
    pub(super) fn count_left_out(&mut self, url: &Url, reason: &'static str) {
        if self.reasons.len() < LEFT_OUT_COUNTED_MAX {
            self.reasons.entry(hash(url.as_str())).or_insert(reason);
        }
    }

    /// Returns how many URLs were left out, by reason, most first.
    pub(super) fn left_out(&self) -> Vec<LeftOut> {
        let mut counts: HashMap<&'static str, i64> = HashMap::new();
        for &reason in self.reasons.values() {
            *counts.entry(reason).or_default() += 1;
        }
        let mut counts: Vec<(&'static str, i64)> = counts.into_iter().collect();
        counts.sort_by_key(|&(reason, count)| (std::cmp::Reverse(count), reason));
        counts.into_iter().map(|(reason, count)| LeftOut { reason: reason.to_owned(), count }).collect()
    }

    /// Notes a URL that is not visited, unless it is found again in a better place.
    pub(super) fn leave_out(&mut self, url: &Url, reason: &'static str) {
        if !self.listed.contains(url.as_str()) {
            self.count_left_out(url, reason);
        }
        if self.left_out.len() < LEFT_OUT_MAX && !self.left_out.contains_key(url.as_str()) {
            self.left_out.insert(url.to_string(), reason.to_owned());
        }
    }

    /// Returns whether the page at a URL has not changed.
    pub(super) fn is_unchanged(&self, url: &str) -> bool {
        self.rows.iter().any(|row| row.page.url == url && row.page.outcome == PageOutcome::Unchanged)
    }

    /// Returns whether the page at a URL could not be read.
    pub(super) fn is_failed(&self, url: &str) -> bool {
        self.rows.iter().any(|row| row.page.url == url && row.page.outcome == PageOutcome::Failed)
    }

    /// Returns whether there is content to answer from.
    pub(super) fn has_content(&self, known: &HashMap<String, Document>) -> bool {
        self.rows.iter().any(|row| match row.page.outcome {
            PageOutcome::Fetched => row.content.as_ref().is_some_and(|content| content.chunks > 0),
            PageOutcome::Unchanged => known.get(&row.page.url).is_some_and(|page| page.chunk_count > 0),
            PageOutcome::Skipped | PageOutcome::Failed => false,
        })
    }

    /// Returns the first reason why a page failed, or else why one was skipped.
    pub(super) fn first_reason(&self) -> Option<String> {
        let pages = self.rows.iter().map(|row| &row.page);
        let of = |outcome| pages.clone().find(|page| page.outcome == outcome).and_then(|page| page.reason.clone());
        of(PageOutcome::Failed).or_else(|| of(PageOutcome::Skipped))
    }

    /// Returns all rows. `judge` decides about known pages that were not visited; those for which it returns `None`
    /// count as missed.
    pub(super) fn end(
        mut self,
        known: &HashMap<String, Document>,
        judge: impl Fn(&str) -> Option<(String, EarlierChunks)>,
    ) -> Vec<Row> {
        for (url, reason) in std::mem::take(&mut self.left_out) {
            self.add(skipped(url, reason, EarlierChunks::Leaves));
        }
        let mut unmet: Vec<&String> = known.keys().filter(|url| !self.listed.contains(*url)).collect();
        unmet.sort();
        for url in unmet {
            if let Some((reason, earlier)) = judge(url) {
                self.add(skipped(url.clone(), reason, earlier));
            }
        }
        self.rows
    }
}

fn hash(url: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    url.hash(&mut hasher);
    hasher.finish()
}

/// Returns the row of a page that is left out.
pub(super) fn skipped(url: impl Into<String>, reason: impl Into<String>, earlier: EarlierChunks) -> SyncedPage {
    // A page that was removed from the index has no links.
    let links = (earlier == EarlierChunks::Leaves).then(Vec::new);
    SyncedPage { reason: Some(reason.into()), links, earlier, ..SyncedPage::of(url, PageOutcome::Skipped) }
}

/// Returns the row of a page that could not be fetched or read.
pub(super) fn failed(url: impl Into<String>, reason: impl Into<String>, earlier: EarlierChunks) -> SyncedPage {
    SyncedPage { reason: Some(reason.into()), earlier, ..SyncedPage::of(url, PageOutcome::Failed) }
}

/// Adds validators and links for the next conditional request.
pub(super) fn with(row: SyncedPage, validators: Conditions, links: Vec<Url>) -> SyncedPage {
    let links = Some(links.into_iter().map(String::from).collect());
    SyncedPage { etag: validators.etag, last_modified: validators.last_modified, links, ..row }
}

/// Returns why a URL is left out. `None` when that is no news for the owner.
pub(super) fn reason(skip: Skip) -> Option<&'static str> {
    match skip {
        // Other sites, images, and repeated links are not reported.
        Skip::Known | Skip::OutOfScope | Skip::NotAPage => None,
        Skip::TooDeep => Some("Left out: more links away from the start page than the source allows"),
        Skip::TooMany => Some("Left out: the source already has its maximum number of pages (maxPages)"),
        Skip::Trap => Some("Left out: the URL looks like part of an endless series of links"),
    }
}
