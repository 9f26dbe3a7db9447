//! Following the reading of a source.

use async_graphql::{Context, ID, Result, SimpleObject, Subscription};
use futures_util::{Stream, StreamExt};
use helpbot_services::sources::progress;

use super::Source;
use crate::schema::access::Access;
use crate::schema::ids;

/// What can be followed of a source.
#[derive(Default)]
pub struct SourceSubscription;

#[Subscription]
impl SourceSubscription {
    /// The source as it is now, then whenever its reading has come further, until it has ended:
    /// that state is the last. Ends also when the source is deleted.
    async fn source_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] source_id: ID,
        #[graphql(desc = "The site; the own one of the key if not said.")] site_id: Option<ID>,
    ) -> Result<impl Stream<Item = Result<SourceProgress>> + use<>> {
        let access = Access::of(ctx).clone();
        let (site, id) = (ids::site(site_id.as_ref()), ids::read(&source_id));
        let states = progress::watch(&access.services, &access.viewer, site, id).await?;
        Ok(states.map(move |state| {
            let row = state?;
            Ok(SourceProgress { is_finished: !row.status.is_busy(), source: Source { row, access: access.fresh() } })
        }))
    }
}

/// A state of a source that is being read.
#[derive(SimpleObject)]
pub struct SourceProgress {
    /// The source; `crawlReport` says how far its reading is.
    source: Source,
    /// Whether nothing more comes.
    is_finished: bool,
}
