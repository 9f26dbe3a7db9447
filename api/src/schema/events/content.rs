//! The subscription `contentEvents`: what happens to the entries and sources of a site, resumable by cursor.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result, Subscription};
use futures_util::Stream;
use helpbot_api_macros::followed;
use helpbot_domain::event::{ContentEventData, Event};
use helpbot_services::runtime::events::{self, EventSubject, Watch};

use super::FollowArgs;
use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::entries::FaqEntry;
use crate::schema::enums::ContentEventType;
use crate::schema::scalars::DateTime;
use crate::schema::sources::Source;
use crate::schema::{ids, loaders};

/// The subscription that follows entries and sources.
#[derive(Default)]
pub struct ContentSubscription;

/// An event in the event log of a site, which reports a change of an FAQ entry or a source.
#[derive(Description)]
pub struct ContentEvent {
    event: Arc<Event>,
    event_type: ContentEventType,
    data: ContentEventData,
    // With loaders of its own, so that the event shows the current state.
    access: Access,
}

impl ContentEvent {
    /// `None` for an event that is not about an entry or a source.
    fn new(event: Arc<Event>, of: &Access) -> Option<Self> {
        let event_type = ContentEventType::of(event.event_type)?;
        let data = serde_json::from_str(&event.data).ok()?;
        Some(Self { event, event_type, data, access: of.fresh() })
    }
}

#[Object(use_type_description)]
impl ContentEvent {
    /// ID that identifies the event. Logs use the same ID.
    async fn id(&self) -> ID {
        ids::id(self.event.id)
    }

    /// Cursor of the event, which the argument `after` accepts.
    async fn cursor(&self) -> String {
        events::cursor(&self.event)
    }

    /// Type of the event, which says what happened.
    #[graphql(name = "type")]
    async fn event_type(&self) -> ContentEventType {
        self.event_type
    }

    /// Time at which the event happened.
    async fn created_at(&self) -> DateTime {
        self.event.created_at.into()
    }

    /// ID of the FAQ entry that changed. It is null for an event about a source.
    async fn entry_id(&self) -> Option<ID> {
        self.data.entry_id.map(ids::id)
    }

    /// FAQ entry that changed, in its current state. It is null for an event about a source, and when the entry was
    /// deleted.
    async fn entry(&self) -> Nullable<FaqEntry> {
        let entry = self.data.entry_id?;
        perhaps(async {
            let found = self.access.loaders.chunk(self.event.site_id, entry).await.map_err(loaders::failed)?;
            let found = found.filter(|row| row.chunk.question.is_some());
            Ok(found.map(|row| FaqEntry { row, access: self.access.clone() }))
        })
        .await
    }

    /// ID of the source that changed, or that contains the FAQ entry.
    async fn source_id(&self) -> ID {
        ids::id(self.data.source_id)
    }

    /// Source that changed, or that contains the FAQ entry, in its current state. It is null when the source was
    /// deleted.
    async fn source(&self) -> Nullable<Source> {
        perhaps(async {
            let (site, source) = (self.event.site_id, self.data.source_id);
            let found = self.access.loaders.source(site, source).await.map_err(loaders::failed)?;
            Ok(found.map(|row| Source { row, access: self.access.clone() }))
        })
        .await
    }
}

#[followed]
#[Subscription]
impl ContentSubscription {
    /// Returns what happens to the FAQ entries and sources of a site, so that a list of them stays true. A sync has one
    /// event for all entries that it changes. Requires the `READ_SOURCES` scope.
    ///
    /// The events are in the same event log as those of `conversationEvents`, and their cursors continue either
    /// subscription. Fails with `CURSOR_EXPIRED` when the cursor is older than the oldest stored event.
    async fn content_events(
        &self,
        ctx: &Context<'_>,
        args: FollowArgs,
        #[graphql(desc = "Types of events to return. An empty list selects none. By default all types are returned.")]
        types: Option<Vec<ContentEventType>>,
    ) -> Result<impl Stream<Item = Result<ContentEvent>> + use<>> {
        let access = Access::of(ctx).clone();
        let watch = Watch {
            types: types.map(|types| types.into_iter().map(Into::into).collect()),
            ..args.watch(EventSubject::Content)
        };
        let stream = events::watch(&access.services, &access.viewer, watch).await?;
        Ok(super::reported(stream, move |event| ContentEvent::new(event, &access)))
    }
}
