//! The mutations that send a conversation by e-mail, to an address that the visitor has confirmed.

use async_graphql::{Context, ID, Object, Result};
use helpbot_services::conversations::{transcript_codes, transcripts};

use super::Conversation;
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::scalars::DateTime;

/// The mutations that send transcripts and confirm their addresses.
#[derive(Default)]
pub struct TranscriptMutation;

input! {
    /// Arguments that `sendTranscript` accepts.
    SendTranscriptInput {
        /// ID of the conversation that is sent.
        conversation_id: ID,
        /// E-mail address that receives the transcript. Defaults to the address that the visitor left in
        /// the conversation. A visitor must have confirmed the address with `confirmTranscriptCode`.
        email: Option<String>,
    }
}

payload! {
    /// Result that `sendTranscript` returns.
    SendTranscriptPayload {
        /// The conversation that will be sent. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `requestTranscriptCode` accepts.
    RequestTranscriptCodeInput {
        /// ID of a conversation that belongs to the visitor's session.
        conversation_id: ID,
        /// E-mail address that receives the code.
        email: String,
    }
}

payload! {
    /// Result that `requestTranscriptCode` returns.
    RequestTranscriptCodePayload {
        /// Time at which the code expires, 15 minutes after the request. It is null when the mutation
        /// failed.
        expires_at: Option<DateTime>,
    }
}

input! {
    /// Arguments that `confirmTranscriptCode` accepts.
    ConfirmTranscriptCodeInput {
        /// ID of a conversation that belongs to the visitor's session.
        conversation_id: ID,
        /// E-mail address that received the code.
        email: String,
        /// Code from the mail, six digits. White space is ignored.
        code: String,
    }
}

payload! {
    /// Result that `confirmTranscriptCode` returns.
    ConfirmTranscriptCodePayload {
        /// The conversation, which `sendTranscript` can send to the address now. It is null when the mutation
        /// failed.
        conversation: Option<Conversation>,
    }
}

#[Object]
impl TranscriptMutation {
    /// Mails a code of six digits, with which the visitor proves that an e-mail address is theirs. A new code
    /// for an address replaces the earlier one. Requires the `CHAT` scope and the session token of the
    /// conversation.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` for an invalid
    /// address, and with `LIMIT_REACHED` after 5 codes in a day for one session or one mailbox, 20 for one
    /// client address or 500 for the site. Spellings of an address that differ in case, dots or a tag after
    /// `+` count as one mailbox.
    async fn request_transcript_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: RequestTranscriptCodeInput,
    ) -> Result<RequestTranscriptCodePayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let requested = transcript_codes::issue(services, viewer, site, id, &input.email).await;
        finish(requested, |expires_at| RequestTranscriptCodePayload {
            expires_at: Some(expires_at.into()),
            ..Default::default()
        })
    }

    /// Confirms an e-mail address with the code that was mailed to it. `sendTranscript` accepts the address
    /// for all conversations of the session from then on. Requires the `CHAT` scope and the session token of
    /// the conversation.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` when the code is
    /// wrong or has expired, and with `LIMIT_REACHED` after 5 attempts.
    async fn confirm_transcript_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ConfirmTranscriptCodeInput,
    ) -> Result<ConfirmTranscriptCodePayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let (services, viewer) = (&access.services, &access.viewer);
        let confirmed = transcript_codes::confirm(services, viewer, site, id, &input.email, &input.code).await;
        finish(confirmed, |row| ConfirmTranscriptCodePayload {
            conversation: Some(Conversation { row, access: access.clone() }),
            ..Default::default()
        })
    }

    /// Sends a transcript of a conversation by e-mail. The transcript contains the messages that exist
    /// when the mail is sent. Requires the `WRITE_CONVERSATIONS` scope, or the `CHAT` scope with the
    /// session token of the conversation and an address that was confirmed with `confirmTranscriptCode`.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` when there is no
    /// valid address or the visitor has not confirmed it, and with `LIMIT_REACHED` after 3 transcripts of a
    /// conversation, or in a day 5 to one mailbox, 10 of one session, 20 of one client address or 1,000 of
    /// the site.
    async fn send_transcript(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SendTranscriptInput,
    ) -> Result<SendTranscriptPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let sent = transcripts::mail(&access.services, &access.viewer, site, id, input.email.as_deref()).await;
        finish(sent, |row| SendTranscriptPayload {
            conversation: Some(Conversation { row, access: access.clone() }),
            ..Default::default()
        })
    }
}
