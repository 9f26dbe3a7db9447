//! What a crawl reports: a row for each page it met, in the order of meeting, and their counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use helpbot_domain::source::{Document, PageOutcome};
use helpbot_services::sources::page_sync::{EarlierChunks, SyncedPage};
use helpbot_services::sources::sync_report::PageCounts;
use url::Url;

use super::plan::Skip;
use super::visit::Conditions;

/// Addresses that are listed as left out: enough to see why, while a trap may have thousands.
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
    /// Adds a row; of an address that has one already, the first stays.
    pub(super) fn add(&mut self, row: SyncedPage) {
        if self.listed.insert(row.url.clone()) {
            self.counts.add(row.outcome);
            self.text_bytes += row.chunks.iter().map(|chunk| chunk.text.len()).sum::<usize>();
            self.rows.push(row);
        }
    }

    /// Notes an address that is not visited unless it is found again in a better place.
    pub(super) fn leave_out(&mut self, url: &Url, reason: &str) {
        if self.left_out.len() < LEFT_OUT_MAX && !self.left_out.contains_key(url.as_str()) {
            self.left_out.insert(url.to_string(), reason.to_owned());
        }
    }

    /// Whether the page at an address was found to be as before.
    pub(super) fn is_unchanged(&self, url: &str) -> bool {
        self.rows.iter().any(|row| row.url == url && row.outcome == PageOutcome::Unchanged)
    }

    /// Whether something was found to answer from.
    pub(super) fn has_content(&self, known: &HashMap<String, Document>) -> bool {
        self.rows.iter().any(|row| match row.outcome {
            PageOutcome::Fetched => !row.chunks.is_empty(),
            PageOutcome::Unchanged => known.get(&row.url).is_some_and(|page| page.chunk_count > 0),
            PageOutcome::Skipped | PageOutcome::Failed => false,
        })
    }

    /// The first reason why a page failed, else why one was skipped.
    pub(super) fn first_reason(&self) -> Option<String> {
        let of = |outcome| self.rows.iter().find(|row| row.outcome == outcome).and_then(|row| row.reason.clone());
        of(PageOutcome::Failed).or_else(|| of(PageOutcome::Skipped))
    }

    /// All rows. Known pages that were not met are listed by what `judge` says of them; those of
    /// which it says nothing count a miss.
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

/// A page that is left out.
pub(super) fn skipped(url: impl Into<String>, reason: impl Into<String>, earlier: EarlierChunks) -> SyncedPage {
    // What has left the index leads nowhere any more.
    let links = (earlier == EarlierChunks::Leaves).then(Vec::new);
    SyncedPage { reason: Some(reason.into()), links, earlier, ..SyncedPage::of(url, PageOutcome::Skipped) }
}

/// A page that is not to be had or not to be read.
pub(super) fn failed(url: impl Into<String>, reason: impl Into<String>, earlier: EarlierChunks) -> SyncedPage {
    SyncedPage { reason: Some(reason.into()), earlier, ..SyncedPage::of(url, PageOutcome::Failed) }
}

/// The row with what a later visit needs to be told "not modified".
pub(super) fn with(row: SyncedPage, validators: Conditions, links: Vec<Url>) -> SyncedPage {
    let links = Some(links.into_iter().map(String::from).collect());
    SyncedPage { etag: validators.etag, last_modified: validators.last_modified, links, ..row }
}

/// Why an address is left out, where its owner should hear of it.
pub(super) fn reason(skip: Skip) -> Option<&'static str> {
    match skip {
        // Other sites, pictures, and the same link on every page are no news.
        Skip::Known | Skip::OutOfScope | Skip::NotAPage => None,
        Skip::TooDeep => Some("Left out: more links from the start than the source allows"),
        Skip::TooMany => Some("Left out: the source has as many pages as it may have"),
        Skip::Trap => Some("Left out: the address looks like one that a loop of links has made"),
    }
}
