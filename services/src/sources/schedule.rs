//! Reading sources again by themselves: a source's row says when, a worker asks here what is due.

use helpbot_db as db;
use helpbot_domain::Timestamp;

use crate::runtime::{jobs, randomness};
use crate::sources::options::SourceOptions;
use crate::sources::queue;
use crate::{Result, Services, boxed};

/// Sources asked for in one look; what is left is due at the next one.
const AT_ONCE: i64 = 100;

/// When the reading after one at `now` is due; none without a schedule.
pub(super) fn next(options: &SourceOptions, now: Timestamp) -> Option<Timestamp> {
    let random = randomness::bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    options.schedule.next(now, random)
}

/// Asks for the reading of all sources that are due; gives how many. Safe to call from many
/// processes at once: a source has one waiting job at most.
///
/// # Errors
/// Only the database's own.
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
                for source in due {
                    // Another process may have been quicker.
                    let locked = db::sources::by_id_locked(c, source.site_id, source.id).await?;
                    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
                    let Some(mut source) = locked.filter(|source| is_due(source.next_scrape_at)) else { continue };
                    // The end of the reading says it anew; this stands should it never end.
                    source.next_scrape_at = next(&SourceOptions::of(&source), now);
                    db::sources::update(c, &source).await?;
                    queue::enqueue(c, &mut source, now).await?;
                    count += 1;
                }
                Ok::<_, crate::Error>(count)
            })
        })
        .await?;
    jobs::wake(services);
    Ok(count)
}
