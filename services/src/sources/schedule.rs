//! Scheduled syncs: the row of a source contains the time of its next sync, and the worker calls
//! [`enqueue_due`].

use std::collections::BTreeMap;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::SiteId;

use crate::runtime::content_events::{self, ContentEvent};
use crate::runtime::{jobs, randomness};
use crate::sources::options::SourceOptions;
use crate::sources::queue;
use crate::{Result, Services, boxed};

/// Maximum number of sources per call. The others are due at the next one.
const AT_ONCE: i64 = 100;

/// Returns the time of the next sync after one at `now`. `None` without a schedule.
pub(super) fn next(options: &SourceOptions, now: Timestamp) -> Option<Timestamp> {
    let random = randomness::bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    options.schedule.next(now, random)
}

/// Queues syncs of all sources that are due. Returns their number. Several processes may call it at
/// the same time, because a source has at most one queued job.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn enqueue_due(services: &Services) -> Result<usize> {
    let now = services.now();
    let due = db::sources::due(&mut services.db.reader().await?, now, AT_ONCE).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let count = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut count = 0;
                let mut events: BTreeMap<SiteId, Vec<ContentEvent>> = BTreeMap::new();
                for source in due {
                    // Another process may have queued it in the meantime.
                    let locked = db::sources::by_id_locked(c, source.site_id, source.id).await?;
                    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
                    let Some(mut source) = locked.filter(|source| is_due(source.next_scrape_at)) else { continue };
                    // The end of the sync sets this again. The value here applies if the sync never
                    // ends.
                    source.next_scrape_at = next(&SourceOptions::of(&source), now);
                    db::sources::update(c, &source).await?;
                    let before = source.status;
                    queue::enqueue(c, &mut source, now).await?;
                    if source.status != before {
                        let event = ContentEvent::of_source(EventType::SourceUpdated, source.id);
                        events.entry(source.site_id).or_default().push(event);
                    }
                    count += 1;
                }
                for (site, events) in events {
                    content_events::append(c, site, now, events).await?;
                }
                Ok::<_, crate::Error>(count)
            })
        })
        .await?;
    jobs::wake(services);
    Ok(count)
}
