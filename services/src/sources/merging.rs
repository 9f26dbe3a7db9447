//! The stage of a large sync in the database: filled, published, merged and cleared, always in
//! transactions of a bounded number of rows. [`staging`](super::staging) tells the whole story.

use helpbot_db as db;
use helpbot_db::staging::StagedPage;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::{Source, SourceStatus};

use crate::sources::comparison::Difference;
use crate::sources::page_update::PageUpdate;
use crate::sources::staging::{GROUP_CHUNKS, SyncResult, bump};
use crate::sources::storing;
use crate::sources::sync::{self, ActiveSync, CompletedSync};
use crate::{Result, Services, boxed};

/// Number of staged pages that are read for a merge. Each group has at most [`GROUP_CHUNKS`] and
/// the chunks of one more page.
const MERGED_AT_ONCE: i64 = 100;
/// Number of visits, and of staged pages, that one transaction deletes.
const CLEARED_AT_ONCE: i64 = 250;

/// Stages a group of pages.
pub(super) async fn stage(services: &Services, active: &ActiveSync, pages: Vec<StagedPage>) -> Result<()> {
    let job = active.job;
    active
        .write(services, move |c, source| {
            Box::pin(async move {
                let (site, id) = (source.site_id, source.id);
                db::staging::begin(c, site, id, job).await?;
                Ok(db::staging::add(c, site, id, &pages).await?)
            })
        })
        .await
}

/// Lets a stage answer, all of it at once.
pub(super) async fn publish(
    services: &Services,
    active: &ActiveSync,
    result: SyncResult,
    difference: Difference,
) -> Result<()> {
    active
        .write(services, move |c, mut source| {
            Box::pin(async move {
                db::staging::publish(c, source.site_id, source.id).await?;
                source.updated_at = result.now;
                result.write(&mut source);
                db::sources::update(c, &source).await?;
                bump(c, source.site_id, difference).await
            })
        })
        .await
}

/// Moves the pages of a published stage to where pages and chunks are stored.
pub(super) async fn merge(services: &Services, active: &ActiveSync) -> Result<()> {
    let (site, id, now) = (active.source.site_id, active.source.id, services.now());
    loop {
        // Read outside of the transaction, because parsing would keep other writes waiting. Only the
        // holder of the job changes these rows.
        let staged =
            db::staging::pages(&mut services.db.reader().await?, site, id, db::staging::BEFORE_FIRST, MERGED_AT_ONCE)
                .await?;
        let mut chunks = 0;
        let group = staged.into_iter().take_while(|page| {
            let is_room = chunks < GROUP_CHUNKS;
            chunks += page.chunks.len();
            is_room
        });
        let group: Vec<StagedPage> = group.collect();
        let Some(last) = group.last().map(|page| page.seq) else { return Ok(()) };
        let updates = group.into_iter().map(PageUpdate::of_staged).collect::<Result<Vec<_>>>()?;
        active
            .write(services, move |c, _| {
                Box::pin(async move {
                    storing::store(c, updates, now).await?;
                    Ok(db::staging::delete_to(c, site, id, last).await?)
                })
            })
            .await?;
    }
}

/// Ends a sync whose stage was merged, and its job.
pub(super) async fn finish(services: &Services, active: &ActiveSync) -> Result<CompletedSync> {
    let (ended, now) = (active.clone(), services.now());
    active
        .write(services, move |c, mut source| {
            Box::pin(async move {
                let totals = end_stage(c, &mut source).await?;
                source.status = SourceStatus::Indexed;
                sync::end(c, &ended, &mut source, now).await?;
                Ok(totals)
            })
        })
        .await
}

/// Ends the merged stage of an earlier job. The source stays busy with the job of `active`.
pub(super) async fn finish_earlier(services: &Services, active: &ActiveSync) -> Result<()> {
    active
        .write(services, move |c, mut source| {
            Box::pin(async move {
                end_stage(c, &mut source).await?;
                db::sources::update(c, &source).await?;
                Ok(())
            })
        })
        .await
}

async fn end_stage(c: &mut db::Conn, source: &mut Source) -> Result<CompletedSync> {
    db::staging::end(c, source.site_id, source.id).await?;
    storing::count(c, source).await
}

/// Deletes what an attempt at the sync of `active` staged without publishing it.
pub(super) async fn discard(services: &Services, active: &ActiveSync) -> Result<()> {
    loop {
        let is_clear = active
            .write(services, |c, source| Box::pin(async move { clear_stage(c, source.site_id, source.id).await }))
            .await?;
        if is_clear {
            return Ok(());
        }
    }
}

/// Deletes the visits and the stage that an ended sync left, unless the next sync has begun, which
/// deletes them itself.
#[boxed]
pub(super) async fn clear(services: &Services, site: SiteId, id: SourceId) -> Result<()> {
    // Most syncs leave nothing, and a write costs a commit.
    let mut reader = services.db.reader().await?;
    let is_clear = !db::crawl_visits::any(&mut reader, site, id).await?
        && db::staging::of_source(&mut reader, site, id).await?.is_none();
    drop(reader);
    if is_clear {
        return Ok(());
    }
    loop {
        let is_done = services
            .db
            .write(move |c| {
                Box::pin(async move {
                    match db::sources::by_id_locked(c, site, id).await? {
                        Some(source) if !source.status.is_busy() => clear_some(c, site, id).await,
                        _ => Ok(true),
                    }
                })
            })
            .await?;
        if is_done {
            return Ok(());
        }
    }
}

/// Deletes some of the visits and staged pages of a source. Returns whether none is left.
pub(super) async fn clear_some(c: &mut db::Conn, site: SiteId, id: SourceId) -> Result<bool> {
    let are_visits_gone = db::crawl_visits::delete_some(c, site, id, CLEARED_AT_ONCE).await?;
    Ok(clear_stage(c, site, id).await? && are_visits_gone)
}

/// Deletes some of the staged pages of a source, and the stage with the last ones. Returns whether none is left.
async fn clear_stage(c: &mut db::Conn, site: SiteId, id: SourceId) -> Result<bool> {
    let is_clear = db::staging::delete_some(c, site, id, CLEARED_AT_ONCE).await?;
    if is_clear {
        db::staging::end(c, site, id).await?;
    }
    Ok(is_clear)
}
