//! The notes of a conversation and the mutations that write and delete them.

use async_graphql::{Context, Description, ID, Object, Result};
use helpbot_domain::conversation as rules;
use helpbot_domain::triage;
use helpbot_services::conversations::notes;

use super::Conversation;
use super::mutation::node;
use crate::error::Nullable;
use crate::schema::access::Access;
use crate::schema::ids::{self, id};
use crate::schema::loaders;
use crate::schema::members::Member;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::page::{self, PageArgs, connection};
use crate::schema::scalars::DateTime;

/// The mutations of notes.
#[derive(Default)]
pub struct NoteMutation;

/// A note that a member wrote about a conversation, which visitors never see.
#[derive(Clone, Description)]
pub struct Note {
    pub(crate) row: triage::Note,
    pub(crate) access: Access,
}

connection! {
    /// A list of notes, which is sorted by the time of writing, oldest first.
    NoteConnection,
    /// An edge that connects the list to a note.
    NoteEdge, Note
}

#[Object(use_type_description)]
impl Note {
    /// Global ID of the note, which `node` accepts.
    pub async fn id(&self) -> ID {
        id(self.row.id)
    }

    /// Text of the note, which is plain text.
    async fn text(&self) -> &str {
        &self.row.text
    }

    /// Name that the author had at the time of writing. It is null for an API key that belongs to no member.
    async fn author_name(&self) -> Option<&str> {
        self.row.author_name.as_deref()
    }

    /// Member who wrote the note. It is null for an API key that belongs to no member, and when the member was
    /// removed.
    async fn author(&self) -> Nullable<Member> {
        let member = self.row.member_id?;
        let found = self.access.loaders.member(self.row.site_id, member).await.map_err(loaders::failed);
        found.transpose().map(|found| found.map(Member::from))
    }

    /// Time at which the note was written.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }
}

/// A page of the notes of a conversation.
pub(super) async fn list(access: &Access, of: &rules::Conversation, args: &PageArgs) -> Result<NoteConnection> {
    let (site, conversation) = (Some(of.site_id), of.id);
    let counted = access.clone();
    let count = async move { notes::total(&counted.services, &counted.viewer, site, conversation).await };
    let rows = |part| notes::list(&access.services, &access.viewer, site, conversation, part);
    let (page, total) = page::read(args, rows, count).await?;
    let node = |row: triage::Note| {
        let position = row.id.to_string();
        (Note { row, access: access.clone() }, position)
    };
    Ok(NoteConnection::new(page, total, node))
}

input! {
    /// Arguments that `addNote` accepts.
    AddNoteInput {
        /// ID of the conversation that the note is about.
        conversation_id: ID,
        /// Text of the note. It must have 1 to 4,000 characters, not counting spaces around it.
        text: String,
    }
}

payload! {
    /// Result that `addNote` returns.
    AddNotePayload {
        /// The note that was written. It is null when the mutation failed.
        note: Option<Note>,
        /// The conversation with the note. It is null when the mutation failed.
        conversation: Option<Conversation>,
    }
}

input! {
    /// Arguments that `deleteNote` accepts.
    DeleteNoteInput {
        /// ID of the note that is deleted.
        note_id: ID,
    }
}

payload! {
    /// Result that `deleteNote` returns.
    DeleteNotePayload {
        /// ID of the note that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

#[Object]
impl NoteMutation {
    /// Writes a note about a conversation, which only the team sees. Requires the `WRITE_CONVERSATIONS` scope.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, with `BAD_USER_INPUT` for an empty or too long
    /// text, and with `LIMIT_REACHED` when the conversation has 500 notes.
    async fn add_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddNoteInput,
    ) -> Result<AddNotePayload> {
        let access = Access::of(ctx);
        let (site, conversation) = (input.site(), ids::read(&input.conversation_id));
        let added = notes::add(&access.services, &access.viewer, site, conversation, &input.text).await;
        finish(added, |(conversation, row)| AddNotePayload {
            note: Some(Note { row, access: access.clone() }),
            conversation: node(access, conversation),
            ..Default::default()
        })
    }

    /// Deletes a note. Requires the `WRITE_CONVERSATIONS` scope; a member without the `ADMIN` scope can delete only
    /// their own notes. Fails with `NOT_FOUND` when the note does not exist. The request fails with `FORBIDDEN` for
    /// the note of somebody else.
    async fn delete_note(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteNoteInput,
    ) -> Result<DeleteNotePayload> {
        let access = Access::of(ctx);
        let (site, note) = (input.site(), ids::read(&input.note_id));
        let deleted = notes::delete(&access.services, &access.viewer, site, note).await;
        finish(deleted, |note| DeleteNotePayload { deleted_id: Some(id(note)), ..Default::default() })
    }
}
