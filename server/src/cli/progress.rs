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
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        Self { bars, told: HashMap::new(), running: HashMap::new() }
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
