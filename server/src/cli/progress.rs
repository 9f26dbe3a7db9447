//! The progress of syncs on stderr: a line for each change of status and, on a terminal, a bar for each
//! source that is being synced.

use std::collections::HashMap;

use helpbot_domain::ids::SourceId;
use helpbot_domain::source::{Source, SourceStatus};
use helpbot_services::sources::SyncReport;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;

const BAR: &str = "syncing   {msg} [{bar:30}] {pos}/{len} pages {elapsed}";

/// Shows the progress of several sources.
pub(super) struct SyncProgress {
    bars: MultiProgress,
    /// The status of each source that was printed last.
    printed: HashMap<SourceId, SourceStatus>,
    running: HashMap<SourceId, ProgressBar>,
}

impl SyncProgress {
    /// Nothing is printed yet. When stderr is not a terminal, only lines are printed and no bars.
    pub(super) fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        Self { bars: MultiProgress::with_draw_target(target), printed: HashMap::new(), running: HashMap::new() }
    }

    /// Updates the bar of a source and prints a line when its status has changed.
    pub(super) fn update(&mut self, source: &Source) {
        if source.status == SourceStatus::Scraping {
            self.show(source);
        } else if let Some(bar) = self.running.remove(&source.id) {
            bar.finish_and_clear();
        }
        if self.printed.insert(source.id, source.status) != Some(source.status) {
            // The bars are hidden while the line is printed, so that they do not overwrite it.
            self.bars.suspend(|| output::progress(&line(source)));
        }
    }

    fn show(&mut self, source: &Source) {
        // A single page or file has no page count.
        let Some(pages) = SyncReport::of(source).map(|crawl| crawl.pages).filter(|pages| pages.planned > 0) else {
            return;
        };
        let bars = &self.bars;
        let bar = self.running.entry(source.id).or_insert_with(|| {
            let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            bars.add(ProgressBar::new(0).with_style(style).with_message(source.url.clone()))
        });
        let done = pages.fetched + pages.unchanged + pages.skipped + pages.failed;
        bar.set_length(u64::try_from(pages.planned.max(done)).unwrap_or(0));
        bar.set_position(u64::try_from(done).unwrap_or(0));
    }
}

fn line(source: &Source) -> String {
    match source.status {
        SourceStatus::Pending => format!("waiting   {}", source.url),
        SourceStatus::Scraping => format!("syncing   {}", source.url),
        SourceStatus::Indexed => format!("indexed   {} ({})", source.url, result(source)),
        SourceStatus::Failed => format!("failed    {}: {}", source.url, source.error.as_deref().unwrap_or_default()),
    }
}

/// The result of a sync: the number of entries, and for several pages how many were read, unchanged, skipped
/// or failed.
fn result(source: &Source) -> String {
    let entries = format!("{} entries", source.chunk_count);
    match SyncReport::of(source).map(|crawl| crawl.pages).filter(|pages| pages.planned > 1) {
        Some(pages) => format!(
            "{entries}; pages: {} read, {} unchanged, {} skipped, {} failed",
            pages.fetched, pages.unchanged, pages.skipped, pages.failed
        ),
        None => entries,
    }
}

#[cfg(test)]
mod tests {
    use helpbot_domain::Timestamp;
    use helpbot_domain::ids::{JobId, SiteId};
    use helpbot_domain::source::SourceKind;
    use helpbot_services::runtime::randomness;
    use helpbot_services::sources::sync_report::PageCounts;
    use indicatif::InMemoryTerm;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_773_576_000_000);

    fn source() -> Source {
        let id = randomness::uuid(NOW);
        Source {
            site_id: SiteId::from_uuid(id),
            id: SourceId::from_uuid(id),
            kind: SourceKind::Url,
            url: "https://example.com/".into(),
            title: None,
            status: SourceStatus::Pending,
            error: None,
            document_count: 0,
            chunk_count: 70,
            options: "{}".into(),
            next_scrape_at: None,
            last_scraped_at: None,
            created_at: NOW,
            updated_at: NOW,
            crawl: None,
        }
    }

    /// The source with a status and page counts.
    fn at(source: &Source, status: SourceStatus, pages: PageCounts) -> Source {
        let job_id = JobId::from_uuid(randomness::uuid(NOW));
        let crawl = SyncReport { job_id, started_at: NOW, finished_at: None, pages, left_out: Vec::new(), attempts: 1 };
        Source { status, crawl: serde_json::to_string(&crawl).ok(), ..source.clone() }
    }

    #[test]
    fn a_source_has_a_bar_only_while_it_is_being_synced() {
        let terminal = InMemoryTerm::new(5, 100);
        let mut progress = SyncProgress::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let pages = |fetched, skipped| PageCounts { planned: 10, fetched, skipped, ..PageCounts::default() };

        let source = source();

        progress.update(&source);
        assert_eq!(terminal.contents(), "");
        progress.update(&at(&source, SourceStatus::Scraping, pages(2, 1)));
        let third = terminal.contents();
        progress.update(&at(&source, SourceStatus::Scraping, pages(8, 2)));
        let whole = terminal.contents();
        progress.update(&at(&source, SourceStatus::Indexed, pages(8, 2)));

        assert!(third.starts_with("syncing   https://example.com/ [") && third.contains("] 3/10 pages"), "{third}");
        assert!(whole.contains("] 10/10 pages") && whole.lines().count() == 1, "{whole}");
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn the_result_of_a_sync_is_printed_in_one_line() {
        let pages = PageCounts { planned: 9, fetched: 8, failed: 1, ..PageCounts::default() };
        let mut read = at(&source(), SourceStatus::Indexed, pages);
        assert_eq!(
            line(&read),
            "indexed   https://example.com/ (70 entries; pages: 8 read, 0 unchanged, 0 skipped, 1 failed)"
        );

        read.crawl = None;
        assert_eq!(line(&read), "indexed   https://example.com/ (70 entries)");
        (read.status, read.error) = (SourceStatus::Failed, Some("There is no page".into()));
        assert_eq!(line(&read), "failed    https://example.com/: There is no page");
    }
}
