//! What a page means for the crawl: read, or left out as a copy of another page.
//!
//! Called by [`run`](super) for each page, and once at the end for the pages that name a canonical URL.

use std::collections::HashMap;

use helpbot_domain::source::PageOutcome;
use helpbot_services::sources::page_sync::{EarlierChunks, SyncedPage};
use url::Url;

use super::super::contents::plain_path;
use super::super::ground::Verdict;
use super::super::plan::Skip;
use super::super::report::{self, skipped};
use super::super::visit::{Conditions, Read};
use super::Crawl;

/// From this number of pages on, a canonical URL that they share is doubtful.
const DOUBTFUL_COPIES: usize = 3;

impl Crawl<'_> {
    pub(super) fn read(&mut self, url: &Url, depth: u32, page: Read, validators: Conditions) -> Option<SyncedPage> {
        let canonical = page.canonical.filter(|canonical| canonical != url && self.is_elsewhere(canonical, depth));
        for link in &page.links {
            self.offer(link, depth + 1);
        }
        if depth == 0 {
            self.title = page.title.clone();
        }
        let links: Vec<Url> = canonical.iter().cloned().chain(page.links).collect();
        if page.is_noindex {
            let row = skipped(url.clone(), "The page asks not to be indexed", EarlierChunks::Leaves);
            return Some(report::with(row, validators, links));
        }
        let mut chunks = page.chunks;
        if let Some(same) = self.contents.same(&chunks, url) {
            self.plan.note_same(&same, url);
            let reason = format!("The page has the same content as {same}");
            return Some(report::with(skipped(url.clone(), reason, EarlierChunks::Leaves), validators, links));
        }
        if self.contents.has_news(&chunks) {
            self.plan.note_novelty(url);
        }
        chunks.extend(self.contents.new_facts(page.facts, depth == 0));
        let row = SyncedPage {
            title: page.title,
            language: page.language,
            chunks,
            ..SyncedPage::of(url.clone(), PageOutcome::Fetched)
        };
        let row = report::with(row, validators, links);
        match canonical {
            Some(canonical) => {
                if !self.is_home(&canonical) {
                    // Of two pages that name each other, the second one is read.
                    self.without_content.insert(url.clone());
                }
                self.copies.push((canonical, row));
                None
            }
            None => {
                self.contents.add(url, &row.chunks);
                Some(row)
            }
        }
    }

    /// Reports the pages that call themselves copies: as skipped, unless the canonical URL is doubtful and the page
    /// has content of its own. Many themes name the home page as the original of every page.
    pub(super) fn settle_copies(&mut self) {
        let mut counts: HashMap<Url, usize> = HashMap::new();
        for (canonical, _) in &self.copies {
            *counts.entry(canonical.clone()).or_default() += 1;
        }
        for (canonical, row) in std::mem::take(&mut self.copies) {
            let is_shared = counts.get(&canonical).is_some_and(|&count| count >= DOUBTFUL_COPIES);
            let is_doubtful = self.is_home(&canonical) || is_shared;
            let is_unchanged = self.report.is_unchanged(canonical.as_str());
            if !is_doubtful || is_unchanged || self.contents.covers(&canonical, &row.chunks) {
                let reason = format!("The page calls itself a copy of {canonical}");
                let skipped = skipped(row.url, reason, EarlierChunks::Leaves);
                let (etag, last_modified, links) = (row.etag, row.last_modified, row.links);
                self.report.add(SyncedPage { etag, last_modified, links, ..skipped });
            } else {
                if let Ok(url) = Url::parse(&row.url) {
                    self.contents.add(&url, &row.chunks);
                }
                self.report.add(row);
            }
        }
    }

    /// Returns whether a URL is that of the home page or of the start of the crawl.
    fn is_home(&self, url: &Url) -> bool {
        plain_path(url).is_empty() && url.query().is_none() || url == self.plan.start()
    }

    /// Returns whether the canonical URL of a page is read instead of the page. Two pages that name each other, or a
    /// canonical page without content, leave the page as it is.
    fn is_elsewhere(&mut self, canonical: &Url, depth: u32) -> bool {
        if self.without_content.contains(canonical) || self.ground.known(canonical) == Some(Verdict::Disallowed) {
            return false;
        }
        matches!(self.plan.offer(canonical, depth), Ok(()) | Err(Skip::Known))
    }
}
