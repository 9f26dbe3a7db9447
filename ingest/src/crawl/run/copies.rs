//! What a page means for the crawl: read, or left out as a copy of another page.
//!
//! Called by [`run`](super) for each page, and once at the end for the pages that name a canonical URL.

use std::collections::HashMap;

use helpbot_domain::source::PageOutcome;
use helpbot_services::sources::page_sync::{EarlierChunks, SyncedPage};
use url::Url;

use super::super::address::is_further_page;
use super::super::contents::{TextHashes, plain_path};
use super::super::ground::RobotsVerdict;
use super::super::plan::Skip;
use super::super::report::{self, PageContent, Row, skipped};
use super::super::visit::{Conditions, ReadPage};
use super::Crawl;

/// The most redirects and canonical URLs that are followed from a canonical URL.
const STEPS_MAX: usize = 5;

/// From this number of pages on, a canonical URL that they share is doubtful.
const DOUBTFUL_COPIES: usize = 3;

impl Crawl<'_> {
    /// Returns the row of a page that was read at `url`, with its visit stored under `visit`. `None` when the page
    /// calls itself a copy, which is decided at the end.
    pub(super) fn read(
        &mut self,
        url: &Url,
        visit: String,
        depth: u32,
        page: ReadPage,
        validators: Conditions,
    ) -> Option<Row> {
        let canonical = page.canonical.filter(|canonical| canonical != url && self.is_elsewhere(canonical, depth));
        for link in &page.links {
            self.offer(link, depth + 1);
        }
        if depth == 0 {
            self.title = page.title.clone();
        }
        let has_canonical = canonical.is_some();
        let without_chunks = |reason: String, visit: String| {
            let page =
                report::with(skipped(url.clone(), reason, EarlierChunks::Leaves), validators.clone(), Vec::new());
            let content = PageContent { visit, facts: Vec::new(), has_canonical, chunks: 0, text_bytes: 0 };
            Row { page, content: Some(content) }
        };
        if page.is_noindex {
            return Some(without_chunks("The page asks not to be indexed".to_owned(), visit));
        }
        if let Some(same) = self.contents.same(&page.chunks, url) {
            self.plan.note_same(&same, url);
            return Some(without_chunks(format!("The page has the same content as {same}"), visit));
        }
        if self.contents.has_news(&page.chunks) {
            self.plan.note_novelty(url);
        }
        let facts = self.contents.new_facts(&page.facts, depth == 0);
        let chunks = || page.chunks.iter().chain(facts.iter().map(|&at| &page.facts[at]));
        let texts = TextHashes::of(chunks());
        let (count, text_bytes) = (chunks().count(), chunks().map(|chunk| chunk.text.len()).sum());
        let row = report::with(SyncedPage::of(url.clone(), PageOutcome::Fetched), validators, Vec::new());
        let content = PageContent { visit, facts, has_canonical, chunks: count, text_bytes };
        let row = Row { page: row, content: Some(content) };
        match canonical {
            Some(canonical) => {
                if !self.is_home(&canonical) {
                    // Of two pages that name each other, the second one is read.
                    self.without_content.insert(url.clone());
                }
                self.copies.push((canonical, row, texts));
                None
            }
            None => {
                self.contents.add(url, texts);
                Some(row)
            }
        }
    }

    /// Reports the pages that call themselves copies: as skipped, unless the canonical URL is doubtful and the page
    /// has content of its own. Many themes name the home page as the original of every page.
    pub(super) fn settle_copies(&mut self) {
        let mut counts: HashMap<Url, usize> = HashMap::new();
        for (canonical, ..) in &self.copies {
            *counts.entry(canonical.clone()).or_default() += 1;
        }
        let copies = std::mem::take(&mut self.copies);
        let named: HashMap<Url, Url> =
            copies.iter().map(|(canonical, row, _)| (row.page.url.as_str(), canonical)).filter_map(parsed).collect();
        for (canonical, row, texts) in copies {
            let is_shared = counts.get(&canonical).is_some_and(|&count| count >= DOUBTFUL_COPIES);
            let original = self.original(&canonical, &named);
            let is_unchanged = [&canonical, &original].iter().any(|url| self.report.is_unchanged(url.as_str()));
            // Lists often name their first page as the original of the others.
            let is_next = is_further_page(&row.page.url) && !self.contents.shares(&original, &texts);
            let is_doubtful = self.is_home(&canonical) || is_shared || is_next;
            let has_content = is_unchanged || self.has_content(&original);
            if has_content && (!is_doubtful || is_unchanged || self.contents.covers(&original, &texts)) {
                let reason = format!("The page names {canonical} as its canonical URL");
                let Row { page, content } = row;
                let skipped = skipped(page.url, reason, EarlierChunks::Leaves);
                let page = SyncedPage { etag: page.etag, last_modified: page.last_modified, ..skipped };
                let content = content.map(|content| PageContent { chunks: 0, text_bytes: 0, ..content });
                self.report.add(Row { page, content });
            } else {
                if let Ok(url) = Url::parse(&row.page.url) {
                    self.contents.add(&url, texts);
                }
                self.report.add(row);
            }
        }
    }

    /// Returns the page that a canonical URL stands for: where it redirects, and what that page calls its own original.
    fn original(&self, canonical: &Url, named: &HashMap<Url, Url>) -> Url {
        let mut url = canonical;
        for _ in 0..STEPS_MAX {
            let Some(next) = self.led.get(url).or_else(|| named.get(url)) else { break };
            url = next;
        }
        url.clone()
    }

    /// Returns whether a page has content that answers: it was read in this crawl, or could not be read now and had some.
    fn has_content(&self, url: &Url) -> bool {
        let had_some = || self.known.get(url.as_str()).is_some_and(|page| page.chunk_count > 0);
        self.contents.is_read(url) || self.report.is_failed(url.as_str()) && had_some()
    }

    /// Returns whether a URL is that of the home page or of the start of the crawl.
    fn is_home(&self, url: &Url) -> bool {
        plain_path(url).is_empty() && url.query().is_none() || url == self.plan.start()
    }

    /// Returns whether the canonical URL of a page is read instead of the page. Two pages that name each other, or a
    /// canonical page without content, leave the page as it is.
    fn is_elsewhere(&mut self, canonical: &Url, depth: u32) -> bool {
        if self.without_content.contains(canonical) || self.ground.known(canonical) == Some(RobotsVerdict::Disallowed) {
            return false;
        }
        matches!(self.plan.offer(canonical, depth), Ok(()) | Err(Skip::Known))
    }
}

/// Returns a page and its canonical URL by their parsed addresses.
fn parsed((page, canonical): (&str, &Url)) -> Option<(Url, Url)> {
    Some((Url::parse(page).ok()?, canonical.clone()))
}
