//! Canned replies: the object, its list and its mutations.

use async_graphql::{Context, Description, ID, Object, Result};
use helpbot_domain::site::Site;
use helpbot_domain::triage;
use helpbot_services as services;
use helpbot_services::conversations::canned_replies::{self, CannedReplyPatch};

use crate::error::{Nullable, perhaps};
use crate::schema::access::Access;
use crate::schema::ids::{self, id};
use crate::schema::mutation::{finish, input, payload};
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// The mutations of canned replies.
#[derive(Default)]
pub struct CannedReplyMutation;

/// A text that members send often. Placeholders in it are filled in for a conversation.
#[derive(Clone, Description)]
pub struct CannedReply {
    pub(crate) row: triage::CannedReply,
    pub(crate) access: Access,
}

connection! {
    /// A list of canned replies, which is sorted by name.
    CannedReplyConnection,
    /// An edge that connects the list to a canned reply.
    CannedReplyEdge, CannedReply
}

#[Object(use_type_description)]
impl CannedReply {
    /// Global ID of the canned reply, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Short name, which is unique within the site.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Text as it was written, with placeholders: `{{visitor.email}}`, `{{conversation.question}}`, `{{agent.name}}` and
    /// `{{site.name}}`.
    async fn text(&self) -> &str {
        &self.row.text
    }

    /// Text for a conversation, with its placeholders filled in. What is not known of the visitor is left out, and
    /// unknown placeholders stay as they are. `{{agent.name}}` is the member of the API key, or the name of the site.
    /// Null when the conversation does not exist.
    async fn rendered_text(
        &self,
        #[graphql(desc = "ID of the conversation in which the text is used.")] conversation_id: ID,
    ) -> Nullable<String> {
        perhaps(async {
            let Access { services, viewer, .. } = &self.access;
            match canned_replies::rendered(services, viewer, &self.row, ids::read(&conversation_id)).await {
                Err(services::Error::NotFound(_)) => Ok(None),
                rendered => Ok(Some(rendered?)),
            }
        })
        .await
    }

    /// Time at which the canned reply was added.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// Time at which the canned reply last changed.
    async fn updated_at(&self) -> DateTime {
        self.row.updated_at.into()
    }
}

/// A page of the canned replies of a site.
pub(crate) async fn list(access: &Access, of: &Site, args: &PageArgs) -> Result<CannedReplyConnection> {
    let site = Some(of.id);
    let counted = access.clone();
    let count = async move { canned_replies::total(&counted.services, &counted.viewer, site).await };
    let rows = |part| canned_replies::list(&access.services, &access.viewer, site, part);
    let (page, total) = page::read(args, rows, count).await?;
    let node = |row: triage::CannedReply| {
        let position = row.name.clone();
        (CannedReply { row, access: access.clone() }, position)
    };
    Ok(CannedReplyConnection::new(page, total, node))
}

input! {
    /// Arguments that `addCannedReply` accepts.
    AddCannedReplyInput {
        /// Short name of the reply. It must have 1 to 60 characters and be unique within the site.
        name: String,
        /// Text of the reply, which can contain placeholders. It must have 1 to 4,000 characters.
        text: String,
    }
}

payload! {
    /// Result that `addCannedReply` returns.
    AddCannedReplyPayload {
        /// The canned reply that was added. It is null when the mutation failed.
        canned_reply: Option<CannedReply>,
    }
}

input! {
    /// Arguments that `updateCannedReply` accepts. Fields that are absent stay unchanged.
    UpdateCannedReplyInput {
        /// ID of the canned reply that is changed.
        canned_reply_id: ID,
        /// New name of the reply, 1 to 60 characters. The name stays unchanged when this field is absent.
        name: Option<String>,
        /// New text of the reply, 1 to 4,000 characters. The text stays unchanged when this field is absent.
        text: Option<String>,
    }
}

payload! {
    /// Result that `updateCannedReply` returns.
    UpdateCannedReplyPayload {
        /// The canned reply that was changed. It is null when the mutation failed.
        canned_reply: Option<CannedReply>,
    }
}

input! {
    /// Arguments that `deleteCannedReply` accepts.
    DeleteCannedReplyInput {
        /// ID of the canned reply that is deleted.
        canned_reply_id: ID,
    }
}

payload! {
    /// Result that `deleteCannedReply` returns.
    DeleteCannedReplyPayload {
        /// ID of the canned reply that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

#[Object]
impl CannedReplyMutation {
    /// Adds a canned reply. Requires the `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field, with `CONFLICT` when another canned reply has the name, and
    /// with `LIMIT_REACHED` when the site has 500 canned replies.
    async fn add_canned_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddCannedReplyInput,
    ) -> Result<AddCannedReplyPayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let added = canned_replies::add(&access.services, &access.viewer, site, &input.name, &input.text).await;
        finish(added, |row| AddCannedReplyPayload { canned_reply: Some(of(access, row)), ..Default::default() })
    }

    /// Changes the name or the text of a canned reply. Requires the `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `NOT_FOUND` when the canned reply does not exist, with `BAD_USER_INPUT` for an invalid field, and
    /// with `CONFLICT` when another canned reply has the name.
    async fn update_canned_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateCannedReplyInput,
    ) -> Result<UpdateCannedReplyPayload> {
        let access = Access::of(ctx);
        let (site, reply) = (input.site(), ids::read(&input.canned_reply_id));
        let patch = CannedReplyPatch { name: input.name, text: input.text };
        let changed = canned_replies::update(&access.services, &access.viewer, site, reply, patch).await;
        finish(changed, |row| UpdateCannedReplyPayload { canned_reply: Some(of(access, row)), ..Default::default() })
    }

    /// Deletes a canned reply. Requires the `WRITE_CONVERSATIONS` scope. Fails with `NOT_FOUND` when the canned reply
    /// does not exist.
    async fn delete_canned_reply(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteCannedReplyInput,
    ) -> Result<DeleteCannedReplyPayload> {
        let access = Access::of(ctx);
        let (site, reply) = (input.site(), ids::read(&input.canned_reply_id));
        let deleted = canned_replies::delete(&access.services, &access.viewer, site, reply).await;
        finish(deleted, |()| DeleteCannedReplyPayload { deleted_id: Some(id(reply)), ..Default::default() })
    }
}

fn of(access: &Access, row: triage::CannedReply) -> CannedReply {
    CannedReply { row, access: access.clone() }
}
