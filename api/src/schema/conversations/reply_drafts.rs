//! Drafts of replies, which members ask for, change and send: the input and the result of the mutation.

use async_graphql::ID;
use helpbot_api_macros::OutputObject;
use helpbot_domain::ids::SiteId;
use helpbot_services::conversations::reply_drafts;

use super::Citation;
use crate::schema::access::Access;
use crate::schema::mutation::{input, payload};
use crate::schema::plain::PlainList;

/// A text that answers the last messages of a visitor from the content of the site. It was not sent.
#[derive(OutputObject)]
pub struct ReplyDraft {
    /// Text as restricted Markdown, ready for a member to change and send.
    text: String,
    /// Messages of the visitor that the text answers, oldest first. There are at most three, each cut at 1,000 characters.
    questions: Vec<String>,
    /// Passages that the text is based on, in the order of the text and without duplicates.
    citations: PlainList<Citation>,
}

input! {
    /// Arguments that `draftReply` accepts.
    DraftReplyInput {
        /// ID of the conversation that needs a reply.
        conversation_id: ID,
    }
}

payload! {
    /// Result that `draftReply` returns.
    DraftReplyPayload {
        /// The draft. It is null when HelpBot does not know an answer, and when the mutation failed.
        draft: Option<ReplyDraft>,
    }
}

impl ReplyDraft {
    /// The draft of a conversation of `site_id`.
    pub(super) fn new(access: &Access, site_id: SiteId, draft: reply_drafts::ReplyDraft) -> Self {
        let citation = |row| Citation { row, site_id, access: access.clone() };
        Self {
            text: draft.text,
            questions: draft.questions,
            citations: draft.citations.into_iter().map(citation).collect(),
        }
    }
}
