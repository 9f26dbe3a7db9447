//! Canceling a sync. Its worker finds the job gone when it stores its next visits or renews its
//! lease, and stores nothing more. Content from earlier syncs keeps answering.

use helpbot_db as db;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::{Source, SourceStatus};

use crate::runtime::job_kinds::SYNC;
use crate::sources::options::SourceOptions;
use crate::sources::rights::writable;
use crate::sources::sync_report::SyncReport;
use crate::sources::{changes, merging, schedule};
use crate::{Error, Result, Services, Viewer, boxed};

/// Error of a source whose first sync was canceled.
const NEVER_READ: &str = "The sync was canceled before it finished. Sync the source to use its content.";

/// Cancels the queued or running sync of a source, which returns to its previous status. A source
/// that was never synced becomes failed. A source without a sync stays unchanged.
///
/// The schedule continues from the canceled sync.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn cancel(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: SourceId) -> Result<Source> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    let canceled = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let mut source = db::sources::by_id_locked(c, site, id).await?.ok_or(Error::NotFound("Source"))?;
                let staged = db::staging::of_source(c, site, id).await?;
                if !source.status.is_busy() || staged.is_some_and(|staged| staged.is_published) {
                    return Ok(source);
                }
                db::jobs::cancel(c, site, SYNC, &id.to_string()).await?;
                if let Some(report) = SyncReport::of(&source).filter(|report| report.finished_at.is_none()) {
                    SyncReport { finished_at: Some(now), ..report }.write(&mut source);
                }
                restore(&mut source);
                source.next_scrape_at = schedule::next(&SourceOptions::of(&source), now);
                source.updated_at = now;
                db::sources::update(c, &source).await?;
                changes::updated(c, &source, now).await?;
                Ok::<_, Error>(source)
            })
        })
        .await?;
    merging::clear(services, site, id).await?;
    Ok(canceled)
}

/// Restores the status from before the sync, which follows from the end of the previous sync.
fn restore(source: &mut Source) {
    if source.last_scraped_at.is_none() && source.error.is_none() {
        source.error = Some(NEVER_READ.to_owned());
    }
    source.status = if source.error.is_some() { SourceStatus::Failed } else { SourceStatus::Indexed };
}
