//! The mutations that write, import and delete FAQ entries and add phrasings to them.

use async_graphql::{ComplexObject, Context, Enum, ID, MaybeUndefined, Object, Result};
use helpbot_domain::Invalid;
use helpbot_domain::ids::ConversationId;
use helpbot_services as services;
use helpbot_services::knowledge::entries::table::Format;
use helpbot_services::knowledge::entries::transfer::{self, Imported};
use helpbot_services::knowledge::entries::{self, Entry, EntryPatch, NewEntry, Promotion};
use helpbot_services::knowledge::topics as answered;

use super::FaqEntry;
use crate::error::{Nullable, nullable};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::schema::mutation::{changed, finish, input, payload};
use crate::schema::topics::{self, TopicQuestion};
use crate::schema::upload::Upload;

/// The mutations that manage FAQ entries.
#[derive(Default)]
pub struct EntryMutation;

input! {
    /// Arguments that `addFaqEntry` accepts.
    AddFaqEntryInput {
        /// Question, which must have 1 to 500 characters.
        question: String,
        /// Answer in restricted Markdown, which must have 1 to 20,000 characters.
        answer: String,
        /// Other ways to ask the question, at most 100, each with 1 to 500 characters. Defaults to an empty list.
        #[graphql(default)]
        phrasings: Vec<String>,
        /// Address at which visitors can read more. By default the entry has no address.
        url: Option<String>,
    }
}

payload! {
    /// Result that `addFaqEntry` returns.
    AddFaqEntryPayload {
        /// The FAQ entry that was added. It is null when the mutation failed.
        entry: Option<FaqEntry>,
    }
}

input! {
    /// Arguments that `updateFaqEntry` accepts. Fields that are absent stay unchanged.
    UpdateFaqEntryInput {
        /// ID of the FAQ entry that is changed.
        id: ID,
        /// New question, which must have 1 to 500 characters. It stays unchanged when it is absent or null.
        question: Option<String>,
        /// New answer in restricted Markdown, which must have 1 to 20,000 characters. It stays unchanged when
        /// it is absent or null.
        answer: Option<String>,
        /// New phrasings, which replace those that the entry has: at most 100, each with 1 to 500 characters. They
        /// stay unchanged when the field is absent or null.
        phrasings: Option<Vec<String>>,
        /// New address at which visitors can read more. Null removes it. It stays unchanged when it is absent.
        url: MaybeUndefined<String>,
    }
}

payload! {
    /// Result that `updateFaqEntry` returns.
    UpdateFaqEntryPayload {
        /// The FAQ entry after the change. It is null when the mutation failed.
        entry: Option<FaqEntry>,
    }
}

input! {
    /// Arguments that `addPhrasing` accepts.
    AddPhrasingInput {
        /// ID of the FAQ entry that gets the phrasing.
        entry_id: ID,
        /// Another way to ask the question, for example the words of a visitor. It must have 1 to 500
        /// characters.
        phrasing: String,
    }
}

payload! {
    /// Result that `addPhrasing` returns.
    AddPhrasingPayload {
        /// The FAQ entry with its phrasings. It is null when the mutation failed.
        entry: Option<FaqEntry>,
    }
}

input! {
    /// Arguments that `deleteFaqEntry` accepts.
    DeleteFaqEntryInput {
        /// ID of the FAQ entry that is deleted.
        id: ID,
    }
}

payload! {
    /// Result that `deleteFaqEntry` returns.
    DeleteFaqEntryPayload {
        /// ID of the FAQ entry that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

input! {
    /// Arguments that `importFaqEntries` accepts.
    ImportFaqEntriesInput {
        /// File with the FAQ entries. It must be encoded in UTF-8 and can have at most 20 MiB and 50,000
        /// entries.
        file: Upload,
        /// Format of the file. Defaults to the format that belongs to the extension of the file name:
        /// `.csv`, `.tsv` or `.jsonl`.
        format: Option<EntryFormat>,
    }
}

payload! {
    /// Result that `importFaqEntries` returns. When the mutation failed, nothing was changed.
    ImportFaqEntriesPayload {
        /// Number of FAQ entries that were added. It is null when the mutation failed.
        added: Option<i32>,
        /// Number of FAQ entries that existed and were changed. It is null when the mutation failed.
        updated: Option<i32>,
        /// Number of rows that match an existing FAQ entry and changed nothing. It is null when the mutation failed.
        unchanged: Option<i32>,
    }
}

/// Format of a file with FAQ entries. The columns of a table and the fields of an object are named
/// `id`, `question`, `answer`, `url`, `phrasings` and `categories`.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Format")]
pub enum EntryFormat {
    /// The file contains comma-separated or tab-separated values and begins with a header row. A cell
    /// with several phrasings or categories has one per line.
    Csv,
    /// The file contains one JSON object per line.
    JsonLines,
}

input! {
    /// Arguments that `promoteToFaq` accepts.
    PromoteToFaqInput {
        /// ID of the conversation whose question becomes an FAQ entry.
        conversation_id: ID,
        /// Answer in restricted Markdown, which must have 1 to 20,000 characters. Defaults to the last message that a
        /// member wrote in the conversation, and is required when no member wrote one.
        answer: Option<String>,
        /// Question of the FAQ entry, which must have 1 to 500 characters. Defaults to the question of the conversation.
        question: Option<String>,
    }
}

payload! {
    /// Result that `promoteToFaq` returns.
    #[graphql(complex)]
    PromoteToFaqPayload {
        /// The FAQ entry that was added. It is null when the mutation failed.
        entry: Option<FaqEntry>,
        #[graphql(skip)]
        promoted: Option<ConversationId>,
    }
}

#[ComplexObject]
impl PromoteToFaqPayload {
    /// Unanswered questions of the same topic that the new FAQ entry answers, most frequent first. It is
    /// null when the mutation failed. Requires the `READ_CONVERSATIONS` scope.
    async fn answered_now(&self) -> Nullable<Vec<TopicQuestion>> {
        let (FaqEntry { row, access }, conversation) = (self.entry.as_ref()?, self.promoted?);
        let site = row.site_id;
        nullable(async {
            let found = answered::answered_by(&access.services, &access.viewer, Some(site), conversation, row).await?;
            Ok(topics::questions(access, site, found))
        })
        .await
    }
}

#[Object]
impl EntryMutation {
    /// Adds an FAQ entry, which HelpBot uses for answers at once. Requires the `WRITE_SOURCES` scope.
    /// Fails with `BAD_USER_INPUT` for an invalid field.
    async fn add_faq_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddFaqEntryInput,
    ) -> Result<AddFaqEntryPayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let new =
            NewEntry { question: input.question, answer: input.answer, phrasings: input.phrasings, url: input.url };
        let added = entries::add(&access.services, &access.viewer, site, new).await;
        finish(added, |row| AddFaqEntryPayload { entry: node(access, row), ..Default::default() })
    }

    /// Changes an FAQ entry. Of an entry that was extracted from a page, only the phrasings can be changed.
    /// Requires the `WRITE_SOURCES` scope.
    ///
    /// Fails with `NOT_FOUND` when the entry does not exist, with `CONFLICT` for another change of an entry that
    /// was extracted from a page, and with `BAD_USER_INPUT` for an invalid field.
    async fn update_faq_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateFaqEntryInput,
    ) -> Result<UpdateFaqEntryPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let UpdateFaqEntryInput { question, answer, phrasings, url, .. } = input;
        let patch = EntryPatch { question, answer, phrasings, url: changed(url) };
        let changed = entries::update(&access.services, &access.viewer, site, id, patch).await;
        finish(changed, |row| UpdateFaqEntryPayload { entry: node(access, row), ..Default::default() })
    }

    /// Adds another way to ask the question of an FAQ entry. The entry may come from a page or may have
    /// been written by hand. A phrasing that the entry already has changes nothing. Requires the
    /// `WRITE_SOURCES` scope.
    ///
    /// Fails with `NOT_FOUND` when the entry does not exist, with `BAD_USER_INPUT` for an invalid field,
    /// and with `LIMIT_REACHED` when the entry has 100 phrasings.
    async fn add_phrasing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddPhrasingInput,
    ) -> Result<AddPhrasingPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.entry_id));
        let changed = entries::add_phrasing(&access.services, &access.viewer, site, id, &input.phrasing).await;
        finish(changed, |row| AddPhrasingPayload { entry: node(access, row), ..Default::default() })
    }

    /// Deletes an FAQ entry that was written by hand. Requires the `WRITE_SOURCES` scope. Fails with
    /// `NOT_FOUND` when the entry does not exist and with `CONFLICT` when it was extracted from a page.
    async fn delete_faq_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteFaqEntryInput,
    ) -> Result<DeleteFaqEntryPayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = entries::delete(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(deleted, |()| DeleteFaqEntryPayload { deleted_id: Some(input.id), ..Default::default() })
    }

    /// Imports FAQ entries from a file: adds new entries and changes existing ones. The import changes
    /// nothing when a row is invalid. Requires the `WRITE_SOURCES` scope and a multipart request to
    /// `/graphql/upload`.
    ///
    /// Fails with `BAD_USER_INPUT` when the file is missing, cannot be read or contains invalid rows.
    async fn import_faq_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: ImportFaqEntriesInput,
    ) -> Result<ImportFaqEntriesPayload> {
        let imported = import(ctx, Access::of(ctx), input).await;
        finish(imported, |Imported { added, updated, unchanged }| {
            let [added, updated, unchanged] = [added, updated, unchanged].map(count).map(Some);
            ImportFaqEntriesPayload { added, updated, unchanged, ..Default::default() }
        })
    }

    /// Adds an FAQ entry with the question of a conversation. The question and the answer are given in the input or taken
    /// from the conversation. Requires the `WRITE_SOURCES` scope and permission to read the conversation.
    ///
    /// Fails with `NOT_FOUND` when the conversation does not exist, and with `BAD_USER_INPUT` when
    /// `answer` is absent and no member replied in the conversation, or when the question has more than 500
    /// characters.
    async fn promote_to_faq(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: PromoteToFaqInput,
    ) -> Result<PromoteToFaqPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.conversation_id));
        let promotion = Promotion { question: input.question, answer: input.answer };
        let added = entries::promote(&access.services, &access.viewer, site, id, promotion).await;
        finish(added, |row| PromoteToFaqPayload { entry: node(access, row), promoted: Some(id), ..Default::default() })
    }
}

async fn import(ctx: &Context<'_>, access: &Access, input: ImportFaqEntriesInput) -> services::Result<Imported> {
    let site = input.site();
    entries::may_write(&access.services, &access.viewer, site).await?;
    let (name, content) = input.file.read(ctx).await?;
    let format = input.format.map(Format::from).or_else(|| Format::of_name(&name));
    let unknown =
        "The format of the file is unknown. Set format, or use a file name that ends in .csv, .tsv or .jsonl.";
    let format = format.ok_or_else(|| Invalid::new("format", unknown))?;
    transfer::import(&access.services, &access.viewer, site, format, content).await
}

fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

fn node(access: &Access, row: Entry) -> Option<FaqEntry> {
    Some(FaqEntry { row, access: access.clone() })
}
