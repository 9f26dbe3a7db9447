//! The subscription `sourceProgress`, which follows the sync of a source.

use async_graphql::{Context, ID, Result, Subscription};
use futures_util::{Stream, StreamExt};
use helpbot_api_macros::OutputObject;
use helpbot_services::sources::progress;

use super::Source;
use crate::schema::access::Access;
use crate::schema::ids;

/// The subscription that follows syncs.
#[derive(Default)]
pub struct SourceSubscription;

#[Subscription]
impl SourceSubscription {
    /// Returns the current state of a source, then a new state each time that its sync makes progress. The
    /// subscription ends after the state in which the sync has ended, or when the source is deleted.
    /// Requires the `READ_SOURCES` scope. Fails with `NOT_FOUND` when the source does not exist.
    async fn source_progress(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the source that is followed.")] source_id: ID,
        #[graphql(
            desc = "ID of the site. Defaults to the site that the API key belongs to. An operator key requires it."
        )]
        site_id: Option<ID>,
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

/// State of a source that the subscription `sourceProgress` returns.
#[derive(OutputObject)]
pub struct SourceProgress {
    /// The source in its current state. The field `lastSync` reports the progress.
    source: Source,
    /// Whether the sync has ended, so that no more states follow.
    is_finished: bool,
}
