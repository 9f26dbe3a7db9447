//! Events: the changes in the conversations of a site, and those of its entries and sources ([`content`]), as its event
//! log contains them.
//!
//! [`subscription`] follows the log; [`shared`] resolves an event once for many subscriptions. Each event
//! gets loaders of its own, so that it is resolved with the current state and not with what earlier
//! events loaded.

pub mod content;
mod shared;
pub mod subscription;

use std::future::ready;
use std::sync::{Arc, OnceLock};

use async_graphql::{Description, ID, Object, Result};
use futures_util::{Stream, StreamExt};
use helpbot_domain::event::{Event, EventData};
use helpbot_domain::ids::ConversationId;
use helpbot_domain::key::Scope;
use helpbot_services as services;
use helpbot_services::conversations::messages;
use helpbot_services::runtime::events::{self, EventSubject, Watch};

use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::conversations::{Conversation, Message};
use crate::schema::enums::ConversationEventType;
use crate::schema::members::Member;
use crate::schema::scalars::DateTime;
use crate::schema::{ids, loaders};

/// The arguments of a subscription to the event log of a site. The attribute `followed` adds them to the schema.
pub(crate) struct FollowArgs {
    /// ID of the site. Defaults to the site of the key.
    pub site_id: Option<ID>,
    /// Cursor of the event after which the subscription starts. By default it starts with the next event.
    pub after: Option<String>,
}

impl FollowArgs {
    /// What to watch: all events about `subject`.
    fn watch(self, subject: EventSubject) -> Watch {
        Watch { site: ids::site(self.site_id.as_ref()), subject, after: self.after, ..Watch::default() }
    }
}

/// The events of the log that `object` turns into objects of the schema. It returns `None` for the others.
fn reported<T>(
    log: impl Stream<Item = services::Result<Arc<Event>>>,
    object: impl Fn(Arc<Event>) -> Option<T>,
) -> impl Stream<Item = Result<T>> {
    log.filter_map(move |event| {
        ready(match event {
            Ok(event) => object(event).map(Ok),
            Err(error) => Some(Err(error.into())),
        })
    })
}

/// An event in the event log of a site, which reports a change of a conversation.
#[derive(Description)]
pub struct ConversationEvent {
    event: Arc<Event>,
    event_type: ConversationEventType,
    conversation_id: ConversationId,
    // The access of the subscription. Its loaders hold what earlier events loaded.
    of: Access,
    access: OnceLock<Access>,
}

impl ConversationEvent {
    /// `None` for an event that is not about a conversation.
    fn new(event: Arc<Event>, of: Access) -> Option<Self> {
        let event_type = ConversationEventType::of(event.event_type)?;
        let conversation_id = event.conversation_id?;
        Some(Self { event, event_type, conversation_id, of, access: OnceLock::new() })
    }

    /// Access with loaders of its own. They are created when a field first loads something, because
    /// most events need none.
    fn access(&self) -> &Access {
        self.access.get_or_init(|| self.of.fresh())
    }
}

#[Object(use_type_description)]
impl ConversationEvent {
    /// ID that identifies the event. Webhooks and logs use the same ID.
    async fn id(&self) -> ID {
        ids::id(self.event.id)
    }

    /// Cursor of the event, which the argument `after` accepts.
    async fn cursor(&self) -> String {
        events::cursor(&self.event)
    }

    /// Type of the event, which says what happened.
    #[graphql(name = "type")]
    async fn event_type(&self) -> ConversationEventType {
        self.event_type
    }

    /// Time at which the event happened.
    async fn created_at(&self) -> DateTime {
        self.event.created_at.into()
    }

    /// ID of the session that the conversation belongs to. It is empty when the session was erased.
    async fn session_id(&self) -> &str {
        &self.event.session_id
    }

    /// ID of the conversation that changed.
    async fn conversation_id(&self) -> ID {
        ids::id(self.conversation_id)
    }

    /// Conversation that changed, in its current state. It is null when the conversation was erased.
    async fn conversation(&self) -> Nullable<Conversation> {
        let (site, id) = (self.event.site_id, self.conversation_id);
        let found = self.access().loaders.conversation(site, id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Conversation { row, access: self.access().clone() }))
    }

    /// Member who acted: who wrote, assigned, returned, resolved, reopened, changed or noted. It is null for
    /// visitors, for API keys that belong to no member, and when the member was removed. Requires the
    /// `READ_CONVERSATIONS` scope.
    async fn actor(&self) -> Nullable<Member> {
        perhaps(async {
            let Access { services, viewer, .. } = self.access();
            viewer.require(Scope::ReadConversations)?;
            let Some(member) = events::actor(services, viewer, &self.event).await? else { return Ok(None) };
            let found = self.access().loaders.member(self.event.site_id, member).await.map_err(loaders::failed)?;
            Ok(found.map(Member::from))
        })
        .await
    }

    /// Message that was written. It is null for types other than `MESSAGE_CREATED`.
    async fn message(&self) -> Nullable<Message> {
        let Ok(EventData::Message { message_id, .. }) = serde_json::from_str(&self.event.data) else {
            return None;
        };
        let Access { services, viewer, .. } = self.access();
        let (site, id) = (Some(self.event.site_id), self.conversation_id);
        perhaps(async {
            let found = messages::by_id(services, viewer, site, id, message_id).await?;
            Ok(found.map(|row| Message::new(row, Some(self.access()))))
        })
        .await
    }
}
