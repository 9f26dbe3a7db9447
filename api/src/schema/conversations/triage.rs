//! The mutation of the priority and the tags of a conversation, and the tags of a site.

use async_graphql::{Context, ID, Object, Result};
use helpbot_api_macros::OutputObject;
use helpbot_services::conversations::triage::{self, TriagePatch};

use super::Conversation;
use super::mutation::node;
use crate::schema::access::Access;
use crate::schema::enums::ConversationPriority;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};

/// The mutation that sorts conversations.
#[derive(Default)]
pub struct TriageMutation;

/// A tag of conversations with the number of conversations that have it.
#[derive(OutputObject)]
pub struct ConversationTag {
    /// Name of the tag, which is in lower case.
    pub name: String,
    /// Number of conversations of the site that have the tag.
    pub count: i32,
}

input! {
    /// Arguments that `updateConversation` accepts. Fields that are absent change nothing.
    UpdateConversationInput {
        /// ID of the conversation that is changed.
        conversation_id: ID,
        /// Priority of the conversation. The priority stays unchanged when this field is absent.
        priority: Option<ConversationPriority>,
        /// Tags to add, each with 1 to 40 characters and without commas. They are stored in lower case. By default
        /// no tags are added.
        add_tags: Option<Vec<String>>,
        /// Tags to remove. A tag that the conversation does not have is ignored. By default no tags are removed.
        remove_tags: Option<Vec<String>>,
    }
}

payload! {
    /// Result that `updateConversation` returns.
    UpdateConversationPayload {
        /// The conversation with its priority and tags. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

#[Object]
impl TriageMutation {
    /// Changes the priority and the tags of a conversation, which only the team sees. Requires the
    /// `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` for an invalid tag, and
    /// with `LIMIT_REACHED` when the conversation would have more than 20 tags.
    async fn update_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateConversationInput,
    ) -> Result<UpdateConversationPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let patch = TriagePatch {
            priority: input.priority.map(Into::into),
            add_tags: input.add_tags.unwrap_or_default(),
            remove_tags: input.remove_tags.unwrap_or_default(),
        };
        let changed = triage::update(&access.services, &access.viewer, site, id, patch).await;
        finish(changed, |row| UpdateConversationPayload {
            conversation: node(&access.fresh(), row),
            ..Default::default()
        })
    }
}
