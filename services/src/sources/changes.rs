//! Changing and deleting sources, and requesting another sync of one.

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::event::EventType;
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::source::{Source, SourceKind};
use helpbot_domain::{Invalid, Timestamp};

use crate::runtime::content_events::{self, ContentEvent};
use crate::runtime::job_kinds::SYNC;
use crate::runtime::jobs;
use crate::sources::options::{SourceOptions, SourceOptionsPatch};
use crate::sources::rights::writable;
use crate::sources::{queue, schedule};
use crate::{Error, Result, Services, Viewer, boxed};

/// Requests a sync of a URL or a file. `kind` limits the request to sources of that kind. Does
/// nothing while a sync is queued or running.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Invalid` for a source of another kind or a text, which
/// cannot be synced.
#[boxed]
pub async fn request_sync(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: SourceId,
    kind: Option<SourceKind>,
) -> Result<Source> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    change_source(services, site, id, move |c, mut source| {
        Box::pin(async move {
            if let Some(reason) = sync_refusal(source.kind, kind) {
                return Err(Invalid::new("sourceId", reason).into());
            }
            let before = source.status;
            queue::enqueue(c, &mut source, now).await?;
            if source.status != before {
                updated(c, &source, now).await?;
            }
            Ok(source)
        })
    })
    .await
}

/// Why a text or written entries cannot be synced.
const WRITTEN: &str = "Texts and written entries cannot be synced again. Add the text again to replace it.";

/// Returns why a source of this kind cannot be synced. The first text is part of the REST contract.
fn sync_refusal(kind: SourceKind, required: Option<SourceKind>) -> Option<&'static str> {
    match required {
        Some(SourceKind::Url) if kind != SourceKind::Url => Some("Only URL sources can be re-scraped"),
        Some(SourceKind::File) if kind != SourceKind::File => Some("The source is not a file."),
        _ if kind == SourceKind::Text => Some(WRITTEN),
        _ => None,
    }
}

/// Changes the scope, the limits or the schedule of a URL. If that changes which pages belong to
/// the source, it is synced at once.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`; `Invalid` for limits out of range, and for a file or
/// text.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: SourceId,
    change: SourceOptionsPatch,
) -> Result<Source> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    change_source(services, site, id, move |c, mut source| {
        Box::pin(async move {
            if source.kind != SourceKind::Url {
                return Err(Invalid::new("id", "Only URL sources have a scope and a schedule.").into());
            }
            let before = SourceOptions::of(&source);
            let after = change.apply(before)?;
            source.options = after.stored();
            if after.schedule != before.schedule {
                source.next_scrape_at = schedule::next(&after, now);
            }
            source.updated_at = now;
            db::sources::update(c, &source).await?;
            if !after.reads_as(&before) {
                queue::restart(c, &mut source, now).await?;
            }
            updated(c, &source, now).await?;
            Ok(source)
        })
    })
    .await
}

/// Deletes a source. Its content no longer answers.
///
/// # Errors
/// `Forbidden`; `PlanRequired`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: SourceId) -> Result<()> {
    let (site, now) = (writable(services, viewer, named).await?.id, services.now());
    services.db.write(move |c| Box::pin(async move { delete_in(c, site, id, now).await })).await
}

/// Deletes a source inside a transaction. It raises the index version once.
pub(crate) async fn delete_in(c: &mut db::Conn, site: SiteId, id: SourceId, now: Timestamp) -> Result<()> {
    if !db::sources::delete(c, site, id).await? {
        return Err(Error::NotFound("Source"));
    }
    db::jobs::cancel(c, site, SYNC, &id.to_string()).await?;
    db::sites::retire_older_indexes(c, site).await?;
    content_events::append(c, site, now, vec![ContentEvent::of_source(EventType::SourceDeleted, id)]).await
}

/// Appends the event about a change of a source.
pub(super) async fn updated(c: &mut db::Conn, source: &Source, now: Timestamp) -> Result<()> {
    let event = ContentEvent::of_source(EventType::SourceUpdated, source.id);
    content_events::append(c, source.site_id, now, vec![event]).await
}

/// Loads a source for writing, applies a change, which stores what it changes, and wakes the workers, because
/// the change may have queued a sync.
async fn change_source(
    services: &Services,
    site: SiteId,
    id: SourceId,
    apply: impl for<'c> FnOnce(&'c mut db::Conn, Source) -> BoxFuture<'c, Result<Source>> + Send + 'static,
) -> Result<Source> {
    let source = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let source = db::sources::by_id_locked(c, site, id).await?.ok_or(Error::NotFound("Source"))?;
                apply(c, source).await
            })
        })
        .await?;
    jobs::wake(services);
    Ok(source)
}
