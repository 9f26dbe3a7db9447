//! The report of a crawl: a row for each page in the order of the visits, and their counts. Used by `run`.

use std::collections::{BTreeMap, HashMap, HashSet};

use helpbot_domain::source::{Document, PageOutcome};
use helpbot_services::sources::page_sync::{EarlierChunks, SyncedPage};
use helpbot_services::sources::sync_report::PageCounts;
use url::Url;

use super::plan::Skip;
use super::visit::Conditions;

/// Maximum number of listed URLs that were left out. A trap may have thousands.
pub(super) const LEFT_OUT_MAX: usize = 500;

/// The rows so far.
#[derive(Default)]
pub(super) struct Report {
    rows: Vec<SyncedPage>,
    listed: HashSet<String>,
    left_out: BTreeMap<String, String>,
    /// Bytes of text in all rows.
    pub(super) text_bytes: usize,
    pub(super) counts: PageCounts,
}

impl Report {
    /// Adds a row. If the URL has a row already, that one stays.
    pub(super) fn add(&mut self, row: SyncedPage) {
        if self.listed.insert(row.url.clone()) {
            self.counts.add(row.outcome);
            self.text_bytes += row.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
            self.rows.push(row);
        }
    }

    /// Notes a URL that is not visited, unless it is found again in a better place.
    pub(super) fn leave_out(&mut self, url: &Url, reason: &str) {
        if self.left_out.len() < LEFT_OUT_MAX && !self.left_out.contains_key(url.as_str()) {
            self.left_out.insert(url.to_string(), reason.to_owned());
        }
    }

    /// Returns whether the page at a URL has not changed.
    pub(super) fn is_unchanged(&self, url: &str) -> bool {
        self.rows.iter().any(|row| row.url == url && row.outcome == PageOutcome::Unchanged)
    }

    /// Returns whether there is content to answer from.
    pub(super) fn has_content(&self, known: &HashMap<String, Document>) -> bool {
        self.rows.iter().any(|row| match row.outcome {
            PageOutcome::Fetched => !row.chunks.is_empty(),
            PageOutcome::Unchanged => known.get(&row.url).is_some_and(|page| page.chunk_count > 0),
            PageOutcome::Skipped | PageOutcome::Failed => false,
        })
    }

    /// Returns the first reason why a page failed, or else why one was skipped.
    pub(super) fn first_reason(&self) -> Option<String> {
        let of = |outcome| self.rows.iter().find(|row| row.outcome == outcome).and_then(|row| row.reason.clone());
        of(PageOutcome::Failed).or_else(|| of(PageOutcome::Skipped))
    }

    /// Returns all rows. `judge` decides about known pages that were not visited; those for which it returns `None`
    /// count as missed.
    pub(super) fn end(
        mut self,
        known: &HashMap<String, Document>,
        judge: impl Fn(&str) -> Option<(String, EarlierChunks)>,
    ) -> Vec<SyncedPage> {
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
        Skip::TooMany => Some("Left out: the source has the maximum number of pages"),
        Skip::Trap => Some("Left out: the URL looks like part of an endless series of links"),
    }
}
