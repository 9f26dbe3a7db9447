//! The mutations that dismiss and restore topics.

use async_graphql::{Context, ID, Object, Result};
use helpbot_services::knowledge::topics;

use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};

/// The mutations that manage topics.
#[derive(Default)]
pub struct TopicMutation;

input! {
    /// Arguments that `dismissTopic` accepts.
    DismissTopicInput {
        /// ID of a conversation whose question belongs to the topic.
        conversation_id: ID,
    }
}

payload! {
    /// Result that `dismissTopic` returns.
    DismissTopicPayload {
        /// ID of the conversation that named the topic. It is null when the mutation failed.
        conversation_id: Option<ID>,
    }
}

input! {
    /// Arguments that `restoreTopic` accepts.
    RestoreTopicInput {
        /// ID of a conversation whose question belongs to the topic.
        conversation_id: ID,
    }
}

payload! {
    /// Result that `restoreTopic` returns.
    RestoreTopicPayload {
        /// ID of the conversation that named the topic. It is null when the mutation failed.
        conversation_id: Option<ID>,
    }
}

#[Object]
impl TopicMutation {
    /// Dismisses the topic of a question: lists of topics leave it out until it is restored, also when its
    /// questions are asked again. Requires the `WRITE_CONVERSATIONS`, `READ_CONVERSATIONS` and
    /// `READ_ANALYTICS` scopes and the Growth plan.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, and with `LIMIT_REACHED` when the site has
    /// 10,000 dismissed topics.
    async fn dismiss_topic(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DismissTopicInput,
    ) -> Result<DismissTopicPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let conversation = ids::read(&input.conversation_id);
        let dismissed = topics::set_dismissed(services, viewer, input.site(), conversation, true).await;
        finish(dismissed, |()| DismissTopicPayload {
            conversation_id: Some(input.conversation_id),
            ..Default::default()
        })
    }

    /// Restores a topic that was dismissed. A topic that is not dismissed stays as it is. Requires the
    /// `WRITE_CONVERSATIONS`, `READ_CONVERSATIONS` and `READ_ANALYTICS` scopes and the Growth plan. Fails with
    /// `NOT_FOUND` when the conversation does not exist.
    async fn restore_topic(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RestoreTopicInput,
    ) -> Result<RestoreTopicPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let conversation = ids::read(&input.conversation_id);
        let restored = topics::set_dismissed(services, viewer, input.site(), conversation, false).await;
        finish(restored, |()| RestoreTopicPayload {
            conversation_id: Some(input.conversation_id),
            ..Default::default()
        })
    }
}
