//! What a crawl stores while it goes on: its progress for its owner, and its visits in case of a crash.

use helpbot_services::sources::sync;
use helpbot_services::{Error, Result};
use tokio::time::Instant;

use super::Crawl;

impl Crawl<'_> {
    /// Begins to report progress and to store what the crawl needs after a crash, when the previous call has ended.
    pub(super) async fn keep(&mut self) -> Result<()> {
        self.kept().await?;
        self.report.counts.planned = i64::try_from(self.plan.planned()).unwrap_or(i64::MAX);
        self.report.counts.remaining = i64::try_from(self.plan.remaining() + self.in_flight).unwrap_or(i64::MAX);
        let visits = std::mem::take(&mut self.unkept);
        let (counts, left_out) = (self.report.counts, self.report.left_out());
        let (services, active) = (self.reader.services.clone(), self.active.clone());
        let keep = async move { sync::keep(&services, &active, visits, counts, left_out).await };
        self.keeping = Some(tokio::spawn(keep));
        self.kept_at = Instant::now();
        Ok(())
    }

    /// Waits until everything that [`keep`](Self::keep) was called for is stored.
    pub(super) async fn kept(&mut self) -> Result<()> {
        match self.keeping.take() {
            Some(keeping) => keeping.await.map_err(Error::internal)?,
            None => Ok(()),
        }
    }
}
