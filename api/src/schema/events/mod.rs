//! Live events: one interface over the site's log, resumable by cursor.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, ID, Object, Result, Subscription};
use futures_util::{Stream, StreamExt};
use helpbot_domain::event::{Event, EventData};
use helpbot_services::runtime::events::{self, Watch};

use crate::error::Nullable;
use crate::gateway::Telling;
use crate::schema::access::Access;
use crate::schema::conversations::{Conversation, Message};
use crate::schema::enums::ConversationEventType;
use crate::schema::scalars::DateTime;
use crate::schema::{ids, loaders};

/// What can be watched.
#[derive(Default)]
pub struct EventSubscription;

#[Subscription]
impl EventSubscription {
    /// What happens in the conversations of a site, as it happens. The team sees all; a visitor,
    /// with the session token, the own session.
    ///
    /// Each event has a cursor. Whoever brings the last one back as `after` gets everything that
    /// happened since, then goes on live, without a gap and without a repeat.
    async fn conversation_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The site; the own one of the key if not said.")] site_id: Option<ID>,
        #[graphql(desc = "Everything after this cursor; from now on if not said.")] after: Option<String>,
        #[graphql(desc = "Only these kinds; all if not said.")] types: Option<Vec<ConversationEventType>>,
        #[graphql(desc = "Only this conversation.")] conversation_id: Option<ID>,
        #[graphql(desc = "Only this session.")] session_id: Option<String>,
    ) -> Result<impl Stream<Item = Result<ConversationEvent>> + use<>> {
        let access = Access::of(ctx).clone();
        let watch = Watch {
            site: ids::site(site_id.as_ref()),
            after,
            types: types.unwrap_or_default().into_iter().map(Into::into).collect(),
            conversation: conversation_id.as_ref().map(ids::read),
            session: session_id,
        };
        let stream = events::watch(&access.services, &access.viewer, watch).await?;
        let telling = ctx.data_opt::<Arc<Telling>>().cloned();
        Ok(stream.map(move |event| {
            let event = event?;
            if let Some(telling) = &telling {
                telling.begin(event.seq);
            }
            Ok(ConversationEvent { event, access: OnceLock::new(), of: access.clone() })
        }))
    }
}

/// Something that happened to a conversation.
pub struct ConversationEvent {
    event: Arc<Event>,
    // That of the subscription, whose loaders remember earlier events.
    of: Access,
    access: OnceLock<Access>,
}

impl ConversationEvent {
    /// With loaders of its own, made when something is loaded: most events of a crowd never are.
    fn access(&self) -> &Access {
        self.access.get_or_init(|| self.of.fresh())
    }
}

/// Something that happened to a conversation.
#[Object]
impl ConversationEvent {
    /// Its id, the same in webhooks and logs.
    async fn id(&self) -> ID {
        ids::id(self.event.id)
    }

    /// Its place in the log of the site, for `after`.
    async fn cursor(&self) -> String {
        events::cursor(&self.event)
    }

    /// What kind of thing happened.
    #[graphql(name = "type")]
    async fn event_type(&self) -> ConversationEventType {
        self.event.event_type.into()
    }

    /// When.
    async fn created_at(&self) -> DateTime {
        self.event.created_at.into()
    }

    /// The session of the visitor.
    async fn session_id(&self) -> &str {
        &self.event.session_id
    }

    /// The id of the conversation that it happened to.
    async fn conversation_id(&self) -> ID {
        ids::id(self.event.conversation_id)
    }

    /// The conversation as it is now; null when it has been deleted since.
    async fn conversation(&self) -> Nullable<Conversation> {
        let (site, id) = (self.event.site_id, self.event.conversation_id);
        let found = self.access().loaders.conversation(site, id).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(|row| Conversation { row, access: self.access().clone() }))
    }

    /// The message that was written; null for other kinds of events.
    async fn message(&self) -> Nullable<Message> {
        let Ok(EventData::Message { message_id, .. }) = serde_json::from_str(&self.event.data) else {
            return None;
        };
        let (site, id) = (self.event.site_id, self.event.conversation_id);
        let found = self.access().loaders.messages(site, id).await.map_err(loaders::failed);
        let message = found.map(|found| found.into_iter().find(|message| message.id == message_id));
        message.transpose().map(|found| found.map(Message::from))
    }
}
