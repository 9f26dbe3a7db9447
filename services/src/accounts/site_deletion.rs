//! Deleting a site. It disappears for everyone in one short transaction, which also queues a batch job
//! that deletes its rows. A site can have millions of them, and one transaction over all of them would
//! stop the writes of all other sites.

use futures_util::future::BoxFuture;
use helpbot_db as db;
use helpbot_domain::ids::SiteId;
use serde::{Deserialize, Serialize};

use crate::accounts::sites;
use crate::runtime::batches::{self, Batch, BatchWork};
use crate::runtime::job_kinds::DELETE_SITE;
use crate::runtime::jobs::{self, NewJob};
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::job::Job;

/// Payload of a [`DELETE_SITE`] job: the next step. Step 0 deletes the site's other jobs, and each
/// further step one table of [`db::site_deletion::TABLES`].
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SiteDeletion {
    step: usize,
}

/// Deletes a site and everything that belongs to it, and returns the batch job that deletes its rows.
/// The site cannot be used anymore when this returns. Only for operators.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, id: SiteId) -> Result<Job> {
    sites::require_operator(viewer)?;
    let keys = db::keys::list(&mut services.db.reader().await?, id).await?;
    let now = services.now();
    let job = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let rows = db::site_deletion::mark(c, id, now).await?.ok_or(Error::NotFound("Site"))?;
                let mut job = NewJob::new(id, DELETE_SITE, None, &SiteDeletion::default()).into_job(now);
                job.total_rows = Some(rows);
                db::jobs::insert(c, &job).await?;
                Ok::<_, Error>(job)
            })
        })
        .await?;
    keys.iter().for_each(|key| services.keys.forget(key));
    services.indexes.forget(id);
    services.topics.forget(id);
    services.sites.forget(&id);
    jobs::wake(services);
    Ok(job)
}

/// Removes what this process remembers of a site whose rows are gone.
pub(crate) fn ended(services: &Services, site: SiteId) {
    services.indexes.forget(site);
    services.topics.forget(site);
    services.bus.forget(site);
}

impl BatchWork for SiteDeletion {
    fn batch<'c>(&'c mut self, c: &'c mut db::Conn, site: SiteId) -> BoxFuture<'c, Result<Batch>> {
        Box::pin(async move {
            let Some(table) = self.step.checked_sub(1) else {
                if db::jobs::delete_all_except(c, site, DELETE_SITE, batches::ROWS).await? == 0 {
                    self.step = 1;
                }
                return Ok(Batch { rows: 0, is_last: false });
            };
            match db::site_deletion::delete_rows(c, site, table, batches::ROWS).await? {
                None => {
                    // Rows that a request added in the meantime go with the row of the site, and so does
                    // this job.
                    db::sites::delete(c, site).await?;
                    Ok(Batch { rows: 0, is_last: true })
                }
                Some(deleted) => {
                    self.step += usize::from(deleted.count == 0);
                    Ok(Batch { rows: deleted.estimated, is_last: false })
                }
            }
        })
    }
}
