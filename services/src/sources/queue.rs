//! The queue of syncs: at most one job per source waits or runs.

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::{Source, SourceKind, SourceStatus};

use crate::Result;
use crate::runtime::job_kinds::{SYNC, SourceJob};
use crate::runtime::jobs::NewJob;
use crate::runtime::randomness;

/// Returns a new source that was never synced.
pub(crate) fn new_source(site_id: SiteId, kind: SourceKind, url: String, now: Timestamp) -> Source {
    Source {
        site_id,
        id: SourceId::from_uuid(randomness::uuid(now)),
        kind,
        url,
        title: None,
        status: SourceStatus::Pending,
        error: None,
        document_count: 0,
        chunk_count: 0,
        options: "{}".into(),
        next_scrape_at: None,
        last_scraped_at: None,
        created_at: now,
        updated_at: now,
        crawl: None,
    }
}

/// Queues a sync of a source, unless one is already queued or running.
pub(super) async fn enqueue(c: &mut db::Conn, source: &mut Source, now: Timestamp) -> Result<()> {
    let payload = SourceJob { source_id: source.id };
    let job = NewJob::new(source.site_id, SYNC, Some(source.id.to_string()), &payload);
    if job.enqueue(c, now).await? && !source.status.is_busy() {
        source.status = SourceStatus::Pending;
        source.updated_at = now;
        db::sources::update(c, source).await?;
    }
    Ok(())
}

/// Queues a sync in place of one that is queued or running with outdated options or content. The
/// worker of that sync finds its job gone and stores nothing.
pub(super) async fn restart(c: &mut db::Conn, source: &mut Source, now: Timestamp) -> Result<()> {
    db::jobs::cancel(c, source.site_id, SYNC, &source.id.to_string()).await?;
    enqueue(c, source, now).await
}
