//! Previews: what visitors would get if a change was published, before it is.
//!
//! The owner describes a change of an entry, of a source or of the answer settings. A job
//! ([`replaying`]) builds the index as it would be, replays the last real questions of visitors
//! against both indexes and stores the questions on which the change has an effect. Then the owner
//! publishes exactly what was previewed: when the site's content has changed meanwhile, nothing is
//! published. A site has one running preview, and previews are kept for a day. Their questions
//! contain no addresses and no long numbers ([`masking`]), and erasing a session deletes them.

mod changes;
mod masking;
mod replaying;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::change_preview::PreviewStatus;
use helpbot_domain::ids::{PreviewId, SiteId};
use helpbot_domain::job::Job;
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;

use crate::accounts::sites;
use crate::knowledge::entries::Entry;
use crate::runtime::job_kinds::{PREVIEW, PreviewJob};
use crate::runtime::job_runner::{Backoff, JobEnd, JobHandler, JobRunner};
use crate::runtime::jobs::{self, NewJob};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

pub use changes::NewChange;
pub use helpbot_domain::change_preview::{
    ChangePreview, EffectCounts, PreviewEffect, PreviewedAnswer, PreviewedQuestion,
};

/// How long a preview is kept.
const KEPT: Duration = Duration::from_secs(86_400);
/// Maximum number of questions of one effect that are stored, most asked first.
const STORED_MAX: i64 = 1_000;
/// Waiting times after a failure, which is one of the database.
const BACKOFF: Backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_secs(60) };
/// Number of starts after which a preview fails.
const ATTEMPTS_MAX: i32 = 3;

/// Begins the preview of a change. A preview of the site that still runs is canceled.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` for a change that cannot be made; `Invalid` names the field.
#[boxed]
pub async fn begin(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    change: NewChange,
) -> Result<ChangePreview> {
    viewer.require(Scope::ReadConversations)?;
    viewer.require(change.scope())?;
    let (site, now) = (sites::get(services, viewer, named).await?, services.now());
    let change = change.checked(services, site.id).await?;
    let preview = ChangePreview {
        site_id: site.id,
        id: PreviewId::from_uuid(randomness::uuid(now)),
        change,
        content: None,
        status: PreviewStatus::Running,
        done_questions: 0,
        total_questions: None,
        counts: EffectCounts::default(),
        created_at: now,
    };
    let (stored, id) = (preview.clone(), preview.id);
    let job = NewJob::new(site.id, PREVIEW, Some(id.to_string()), &PreviewJob { preview_id: id });
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                forget_old(c, stored.site_id, now).await?;
                db::change_previews::cancel_running(c, stored.site_id).await?;
                db::change_previews::insert(c, &stored).await?;
                job.enqueue(c, now).await.map(drop)
            })
        })
        .await?;
    jobs::wake(services);
    Ok(preview)
}

/// Deletes previews that are older than a day. They show questions of visitors.
pub(crate) async fn forget_old(c: &mut db::Conn, site: SiteId, now: Timestamp) -> Result<()> {
    db::change_previews::delete_before(c, site, now.minus(KEPT)).await?;
    Ok(())
}

find_by_ids! {
    /// Returns the previews of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadConversations, PreviewId => ChangePreview, db::change_previews::by_ids
}

/// Returns one page of the questions on which a change would have an effect: lost ones first, then
/// changed and gained ones, each by how often they were asked. Of each effect, the 1,000 most asked
/// ones are stored.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn questions(
    services: &Services,
    viewer: &Viewer,
    preview: &ChangePreview,
    effect: Option<PreviewEffect>,
    page: PageRequest<i64>,
) -> Result<Vec<PreviewedQuestion>> {
    viewer.require(Scope::ReadConversations)?;
    let site = viewer.site(Some(preview.site_id))?;
    Ok(db::change_previews::questions(&mut services.db.reader().await?, site, preview.id, effect, page).await?)
}

/// Number of questions that [`questions`] lists.
pub fn listed_count(counts: EffectCounts, effect: Option<PreviewEffect>) -> i64 {
    let of = |effect: PreviewEffect| match effect {
        PreviewEffect::Gained => counts.gained,
        PreviewEffect::Lost => counts.lost,
        PreviewEffect::Changed => counts.changed,
    };
    let listed = PreviewEffect::ALL.into_iter().filter(|listed| effect.is_none_or(|effect| effect == *listed));
    listed.map(|effect| of(effect).min(STORED_MAX)).sum()
}

/// Cancels a preview that runs. One that has ended stays as it is.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn cancel(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: PreviewId,
) -> Result<ChangePreview> {
    viewer.require(Scope::ReadConversations)?;
    viewer.require(Scope::WriteSources)?;
    let site = viewer.site(named)?;
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                let (from, to) = (PreviewStatus::Running, PreviewStatus::Canceled);
                db::change_previews::change_status(c, site, id, from, to).await?;
                let found = db::change_previews::by_id(c, site, id).await?;
                found.ok_or(Error::NotFound("Preview"))
            })
        })
        .await
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The preview.
    pub preview: ChangePreview,
    /// The entry that was added or changed. `None` for other changes.
    pub entry: Option<Entry>,
}

/// Makes the change of a preview, exactly as it was previewed.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` when the preview is not ready, or when the content or the
/// settings of the site have changed since.
#[boxed]
pub async fn publish(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: PreviewId) -> Result<Published> {
    let (site, now) = (viewer.site(named)?, services.now());
    let preview = by_ids(services, viewer, Some(site), &[id]).await?.pop().ok_or(Error::NotFound("Preview"))?;
    viewer.require(changes::scope(&preview.change))?;
    let published = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let (from, to) = (PreviewStatus::Ready, PreviewStatus::Published);
                if !db::change_previews::change_status(c, site, id, from, to).await? {
                    return Err(Error::Conflict("Only a preview that is ready can be published, and only once.".into()));
                }
                let (entry, raised) = changes::make(c, site, &preview.change, now).await?;
                let content = preview.content.clone().ok_or_else(|| Error::internal("a ready preview has no content"))?;
                // The change holds the row with the version until the commit, so that nothing comes in between.
                let version = db::sites::index_version(c, site).await?.ok_or(Error::NotFound("Site"))?;
                let is_same = version == content.index_version + raised && entry.answer_settings == content.answer_settings;
                if !is_same {
                    return Err(Error::Conflict(
                        "The content or the settings of the site have changed since the preview. Preview the change again."
                            .into(),
                    ));
                }
                Ok(Published { preview: ChangePreview { status: to, ..preview }, entry: entry.entry })
            })
        })
        .await;
    services.access_changed(site);
    published
}

/// The runner of the jobs that replay questions.
pub(crate) fn runner(services: Services, owner: String) -> Arc<JobRunner> {
    let handler = Arc::new(PreviewHandler { services: services.clone() });
    JobRunner::new(services, handler, owner, 1, BACKOFF)
}

struct PreviewHandler {
    services: Services,
}

impl JobHandler for PreviewHandler {
    fn kinds(&self) -> &'static [&'static str] {
        &[PREVIEW]
    }

    fn work<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<JobEnd>> {
        Box::pin(async move {
            let PreviewJob { preview_id } = jobs::payload(job)?;
            let done = replaying::replay(&self.services, job.site_id, preview_id).await;
            if let Err(error) = &done
                && job.attempts < ATTEMPTS_MAX
                && !matches!(error, Error::NotFound(_) | Error::Conflict(_))
            {
                return done.map(|()| JobEnd::Done);
            }
            if let Err(error) = done {
                tracing::warn!(site = %job.site_id, error = error.detail(), "a preview failed");
                replaying::fail(&self.services, job.site_id, preview_id).await?;
            }
            Ok(JobEnd::Done)
        })
    }
}
