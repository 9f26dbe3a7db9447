//! A reading that its owner cancels: its worker finds the job gone, with the next visits that it
//! keeps or when it renews its lease, and stores nothing. What was indexed before answers on.

use helpbot_db as db;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::{Source, SourceStatus};

use crate::runtime::job_kinds::SYNC;
use crate::sources::options::SourceOptions;
use crate::sources::rights::writable;
use crate::sources::schedule;
use crate::sources::sync_report::SyncReport;
use crate::{Error, Result, Services, Viewer, boxed};

/// Why a source without an earlier reading has nothing to answer with.
const NEVER_READ: &str = "The reading was cancelled before it came to its end";

/// Cancels the reading that a source waits for or is in. Its state is again the one before; a
/// source that was never read has failed. One that is not being read stays as it is.
///
/// A schedule counts from the cancelled reading.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn cancel(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: SourceId) -> Result<Source> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = db::sources::by_id_locked(c, site, id).await?.ok_or(Error::NotFound("Source"))?;
                if !source.status.is_busy() {
                    return Ok(source);
                }
                db::jobs::cancel(c, site, SYNC, &id.to_string()).await?;
                db::crawl_visits::delete(c, site, id).await?;
                if let Some(crawl) = SyncReport::of(&source).filter(|crawl| crawl.finished_at.is_none()) {
                    SyncReport { finished_at: Some(now), ..crawl }.write(&mut source);
                }
                restore(&mut source);
                source.next_scrape_at = schedule::next(&SourceOptions::of(&source), now);
                source.updated_at = now;
                db::sources::update(c, &source).await?;
                Ok(source)
            })
        })
        .await
}

/// Gives a source the state that it had before its reading was asked for: the last reading's end
/// is all in its row.
fn restore(source: &mut Source) {
    if source.last_scraped_at.is_none() && source.error.is_none() {
        source.error = Some(NEVER_READ.to_owned());
    }
    source.status = if source.error.is_some() { SourceStatus::Failed } else { SourceStatus::Indexed };
}
