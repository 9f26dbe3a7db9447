//! The subscription `conversationEvents`: the event log of a site as it grows, resumable by cursor.

use std::sync::Arc;

use async_graphql::{Context, ID, Result, Subscription};
use futures_util::Stream;
use helpbot_api_macros::followed;
use helpbot_services::runtime::events::{self, EventSubject, Watch};

use super::shared::SharedEvent;
use super::{ConversationEvent, FollowArgs};
use crate::gateway::audience::Audience;
use crate::schema::access::Access;
use crate::schema::enums::ConversationEventType;
use crate::schema::ids;

/// The subscription that follows the event log.
#[derive(Default)]
pub struct EventSubscription;

#[followed]
#[Subscription]
impl EventSubscription {
    /// Returns the events of a site's conversations as they happen. Requires the `READ_CONVERSATIONS` scope,
    /// or the `CHAT` scope with a session token, which limits the events to that session.
    ///
    /// Each event has a cursor. A client that passes the last cursor as `after` receives all events since
    /// then and continues live, without gaps and without duplicates. Fails with `CURSOR_EXPIRED` when the
    /// cursor is older than the oldest stored event.
    async fn conversation_events(
        &self,
        ctx: &Context<'_>,
        args: FollowArgs,
        #[graphql(desc = "Types of events to return. An empty list selects none. By default all types are returned.")]
        types: Option<Vec<ConversationEventType>>,
        #[graphql(desc = "ID of the conversation whose events are returned. Defaults to all conversations.")]
        conversation_id: Option<ID>,
        #[graphql(desc = "ID of the session whose events are returned. Defaults to all sessions.")] session_id: Option<
            String,
        >,
    ) -> Result<impl Stream<Item = Result<SharedEvent>> + use<>> {
        let access = Access::of(ctx).clone();
        let watch = Watch {
            types: types.map(|types| types.into_iter().map(Into::into).collect()),
            conversation: conversation_id.as_ref().map(ids::read),
            session: session_id,
            ..args.watch(EventSubject::Conversations)
        };
        let stream = events::watch(&access.services, &access.viewer, watch).await?;
        let audience = ctx.data_opt::<Arc<Audience>>().cloned();
        let shared = move |event| SharedEvent { event, audience: audience.clone() };
        Ok(super::reported(stream, move |event| ConversationEvent::new(event, access.clone()).map(&shared)))
    }
}
