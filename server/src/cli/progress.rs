//! How readings go on, on stderr: a line for each change of state and, on a terminal, a bar for
//! each source that is being read.

use std::collections::HashMap;

use helpbot_domain::ids::SourceId;
use helpbot_domain::source::SourceStatus;
use helpbot_services::Source;
use helpbot_services::sources::Crawl;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output;

const BAR: &str = "reading   {msg} [{bar:30}] {pos}/{len} pages {elapsed}";

/// What was told of some sources.
pub(super) struct Progress {
    bars: MultiProgress,
    told: HashMap<SourceId, SourceStatus>,
    running: HashMap<SourceId, ProgressBar>,
}

impl Progress {
    /// Nothing told yet. Where stderr is no terminal, there are lines and no bars.
    pub(super) fn new() -> Self {
        Self::on(ProgressDrawTarget::stderr())
    }

    fn on(target: ProgressDrawTarget) -> Self {
        Self { bars: MultiProgress::with_draw_target(target), told: HashMap::new(), running: HashMap::new() }
    }

    /// Tells what is new of a source.
    pub(super) fn tell(&mut self, source: &Source) {
        if source.status == SourceStatus::Scraping {
            self.show(source);
        } else if let Some(bar) = self.running.remove(&source.id) {
            bar.finish_and_clear();
        }
        if self.told.insert(source.id, source.status) != Some(source.status) {
            // A bar must not be written into.
            self.bars.suspend(|| output::progress(&line(source)));
        }
    }

    fn show(&mut self, source: &Source) {
        // A single page or file has nothing to count.
        let Some(pages) = Crawl::of(source).map(|crawl| crawl.pages).filter(|pages| pages.planned > 0) else { return };
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
        SourceStatus::Scraping => format!("reading   {}", source.url),
        SourceStatus::Indexed => format!("indexed   {} ({})", source.url, found(source)),
        SourceStatus::Failed => format!("failed    {}: {}", source.url, source.error.as_deref().unwrap_or_default()),
    }
}

/// What a reading found: entries, and of a crawl what came of its pages.
fn found(source: &Source) -> String {
    let entries = format!("{} entries", source.chunk_count);
    match Crawl::of(source).map(|crawl| crawl.pages).filter(|pages| pages.planned > 1) {
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
    use helpbot_services::sources::crawl::PageCounts;
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

    /// The source as it is when its crawl has come so far.
    fn at(source: &Source, status: SourceStatus, pages: PageCounts) -> Source {
        let job_id = JobId::from_uuid(randomness::uuid(NOW));
        let crawl = Crawl { job_id, started_at: NOW, finished_at: None, pages };
        Source { status, crawl: serde_json::to_string(&crawl).ok(), ..source.clone() }
    }

    #[test]
    fn a_crawl_has_a_bar_while_it_is_read_and_none_after() {
        let terminal = InMemoryTerm::new(5, 100);
        let mut progress = Progress::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())));
        let pages = |fetched, skipped| PageCounts { planned: 10, fetched, skipped, ..PageCounts::default() };

        let source = source();

        progress.tell(&source);
        assert_eq!(terminal.contents(), "");
        progress.tell(&at(&source, SourceStatus::Scraping, pages(2, 1)));
        let third = terminal.contents();
        progress.tell(&at(&source, SourceStatus::Scraping, pages(8, 2)));
        let whole = terminal.contents();
        progress.tell(&at(&source, SourceStatus::Indexed, pages(8, 2)));

        assert!(third.starts_with("reading   https://example.com/ [") && third.contains("] 3/10 pages"), "{third}");
        assert!(whole.contains("] 10/10 pages") && whole.lines().count() == 1, "{whole}");
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn the_end_of_a_reading_is_told_in_one_line() {
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
