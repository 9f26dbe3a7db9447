//! Following the sync of a source while it runs.

use std::time::Duration;

use futures_util::stream::{self, Stream};
use helpbot_domain::ids::{SiteId, SourceId};
use helpbot_domain::key::Scope;

use crate::runtime::global_ids;
use crate::sources::lookup;
use crate::{Error, Result, Services, Viewer};
use helpbot_domain::global_id::GlobalId;
use helpbot_domain::source::Source;

/// Interval at which the source is read. A sync stores its progress a few times per second, in any
/// process, so polling is the simplest way to see all of it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Returns the source: its current state, then each change of its status or report, until no sync
/// is queued or running. That state is the last item. The stream also ends when the source is
/// deleted.
///
/// # Errors
/// `Forbidden`; `NotFound`.
pub async fn watch(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: SourceId,
) -> Result<impl Stream<Item = Result<Source>> + Send + use<>> {
    viewer.require(Scope::ReadSources)?;
    let site = match named {
        Some(_) => viewer.site(named)?,
        None => global_ids::site_of(services, viewer, GlobalId::Source(id)).await?,
    };
    let first = one(services, viewer, site, id).await?.ok_or(Error::NotFound("Source"))?;
    let walk =
        ProgressStream { services: services.clone(), viewer: viewer.clone(), site, id, told: None, first: Some(first) };
    Ok(stream::unfold(walk, |mut walk| async move { Some((walk.next().await?, walk)) }))
}

async fn one(services: &Services, viewer: &Viewer, site: SiteId, id: SourceId) -> Result<Option<Source>> {
    Ok(lookup::by_ids(services, viewer, Some(site), &[id]).await?.pop())
}

struct ProgressStream {
    services: Services,
    viewer: Viewer,
    site: SiteId,
    id: SourceId,
    told: Option<Source>,
    first: Option<Source>,
}

impl ProgressStream {
    async fn next(&mut self) -> Option<Result<Source>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(self.tell(first)));
        }
        loop {
            // The last state was returned: the sync is over.
            self.told.as_ref().filter(|told| told.status.is_busy())?;
            tokio::time::sleep(LOOK_EVERY).await;
            match one(&self.services, &self.viewer, self.site, self.id).await {
                Ok(Some(now)) if self.is_news(&now) => return Some(Ok(self.tell(now))),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => {
                    self.told = None;
                    return Some(Err(error));
                }
            }
        }
    }

    fn is_news(&self, now: &Source) -> bool {
        self.told.as_ref().is_none_or(|told| (told.status, &told.crawl) != (now.status, &now.crawl))
    }

    fn tell(&mut self, now: Source) -> Source {
        self.told = Some(now.clone());
        now
    }
}
