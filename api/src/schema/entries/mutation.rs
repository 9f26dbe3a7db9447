//! Writing entries and adding phrasings.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, Result, SimpleObject};
use helpbot_domain::Invalid;
use helpbot_domain::ids::ConversationId;
use helpbot_services as services;
use helpbot_services::knowledge::entries::table::Format;
use helpbot_services::knowledge::entries::transfer::{self, Imported};
use helpbot_services::knowledge::entries::{self, Entry, NewEntry};
use helpbot_services::knowledge::topics as answered;

use super::FaqEntry;
use crate::error::{Nullable, UserError, expected, nullable};
use crate::schema::access::Access;
use crate::schema::topics::{self, TopicQuestion};
use crate::schema::{ids, page};
use crate::uploads::Upload;

/// Changing entries.
#[derive(Default)]
pub struct EntryMutation;

/// A new entry.
#[derive(InputObject)]
pub struct AddFaqEntryInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The question, 1 to 500 characters.
    question: String,
    /// The answer: restricted Markdown, 1 to 20000 characters.
    answer: String,
    /// Other ways to ask it, at most 100.
    #[graphql(default)]
    phrasings: Vec<String>,
    /// Where visitors can read more.
    url: Option<String>,
}

/// The entry, or why there is none.
#[derive(Default, SimpleObject)]
pub struct AddFaqEntryPayload {
    /// The entry; it answers from now on.
    entry: Option<FaqEntry>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A change of an entry; what is absent stays as it is.
#[derive(InputObject)]
pub struct UpdateFaqEntryInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
    /// The question, 1 to 500 characters.
    question: Option<String>,
    /// The answer: restricted Markdown, 1 to 20000 characters.
    answer: Option<String>,
}

/// The changed entry, or why it was not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateFaqEntryPayload {
    /// The entry as it is now.
    entry: Option<FaqEntry>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// Another way to ask a question.
#[derive(InputObject)]
pub struct AddPhrasingInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Of which entry.
    entry_id: ID,
    /// The other way, 1 to 500 characters; for example what a visitor typed.
    phrasing: String,
}

/// The entry with the phrasing, or why it was not added.
#[derive(Default, SimpleObject)]
pub struct AddPhrasingPayload {
    /// The entry as it is now.
    entry: Option<FaqEntry>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The entry to delete.
#[derive(InputObject)]
pub struct DeleteFaqEntryInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The id of the deleted entry, or why it was not deleted.
#[derive(Default, SimpleObject)]
pub struct DeleteFaqEntryPayload {
    /// The id that is gone.
    deleted_id: Option<ID>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A file of entries.
#[derive(InputObject)]
pub struct ImportFaqEntriesInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The file, in UTF-8, at most 20 MiB and 50,000 entries.
    file: Upload,
    /// How it is written; told by its name (.csv, .tsv, .jsonl) if not said.
    format: Option<EntryFormat>,
}

/// What an import did, or why it did nothing.
#[derive(Default, SimpleObject)]
pub struct ImportFaqEntriesPayload {
    /// Entries that are new.
    added: i32,
    /// Entries that were there and are different now.
    updated: i32,
    /// Rows that were there as they are.
    unchanged: i32,
    /// What was refused; then nothing was changed.
    user_errors: Vec<UserError>,
}

/// How a file of entries is written. Columns or fields: `id`, `question`, `answer`, `url`,
/// `phrasings`, `categories`.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Format")]
pub enum EntryFormat {
    /// Comma-separated values with a head; of several phrasings or categories one stands on each
    /// line of the cell.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// The conversation to make an entry of.
#[derive(InputObject)]
pub struct PromoteToFaqInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Whose question it is.
    conversation_id: ID,
    /// The answer; the last one that a member wrote in the conversation if not said.
    answer: Option<String>,
}

/// The entry, or why there is none.
#[derive(Default, SimpleObject)]
#[graphql(complex)]
pub struct PromoteToFaqPayload {
    /// The entry; it answers from now on.
    entry: Option<FaqEntry>,
    /// What was refused.
    user_errors: Vec<UserError>,
    #[graphql(skip)]
    promoted: Option<ConversationId>,
}

#[ComplexObject]
impl PromoteToFaqPayload {
    /// The unanswered questions of the same topic that the entry answers now, most asked first;
    /// null when there is no entry. Needs the right to read conversations.
    #[graphql(complexity = "1 + page::WORDINGS * child_complexity")]
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
    /// Adds a question with its answer; it answers from now on.
    async fn add_faq_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddFaqEntryInput,
    ) -> Result<AddFaqEntryPayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        let new =
            NewEntry { question: input.question, answer: input.answer, phrasings: input.phrasings, url: input.url };
        Ok(match entries::add(&access.services, &access.viewer, site, new).await {
            Ok(row) => AddFaqEntryPayload { entry: node(access, row), ..Default::default() },
            Err(error) => AddFaqEntryPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Changes an entry that the owner wrote.
    async fn update_faq_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to change.")] input: UpdateFaqEntryInput,
    ) -> Result<UpdateFaqEntryPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        let (question, answer) = (input.question.as_deref(), input.answer.as_deref());
        Ok(match entries::update(&access.services, &access.viewer, site, id, question, answer).await {
            Ok(row) => UpdateFaqEntryPayload { entry: node(access, row), ..Default::default() },
            Err(error) => UpdateFaqEntryPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Adds another way to ask the question of an entry, wherever the entry comes from.
    async fn add_phrasing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddPhrasingInput,
    ) -> Result<AddPhrasingPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.entry_id));
        Ok(match entries::add_phrasing(&access.services, &access.viewer, site, id, &input.phrasing).await {
            Ok(row) => AddPhrasingPayload { entry: node(access, row), ..Default::default() },
            Err(error) => AddPhrasingPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Deletes an entry that the owner wrote.
    async fn delete_faq_entry(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteFaqEntryInput,
    ) -> Result<DeleteFaqEntryPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match entries::delete(&access.services, &access.viewer, site, id).await {
            Ok(()) => DeleteFaqEntryPayload { deleted_id: Some(input.id), ..Default::default() },
            Err(error) => DeleteFaqEntryPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Adds the entries of a file to those that the owner writes, and changes those that are
    /// there: all of them or, when a row is refused, none. Send it to `/graphql/upload`.
    async fn import_faq_entries(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to take in.")] input: ImportFaqEntriesInput,
    ) -> Result<ImportFaqEntriesPayload> {
        let imported = import(ctx, Access::of(ctx), input).await;
        Ok(match imported {
            Ok(Imported { added, updated, unchanged }) => {
                let [added, updated, unchanged] = [added, updated, unchanged].map(count);
                ImportFaqEntriesPayload { added, updated, unchanged, user_errors: Vec::new() }
            }
            Err(error) => ImportFaqEntriesPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Makes an entry of the question of a conversation, with an answer of the owner or of the
    /// member who answered it.
    async fn promote_to_faq(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to make an entry of.")] input: PromoteToFaqInput,
    ) -> Result<PromoteToFaqPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.conversation_id));
        Ok(match entries::promote(&access.services, &access.viewer, site, id, input.answer).await {
            Ok(row) => PromoteToFaqPayload { entry: node(access, row), promoted: Some(id), ..Default::default() },
            Err(error) => PromoteToFaqPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}

async fn import(ctx: &Context<'_>, access: &Access, input: ImportFaqEntriesInput) -> services::Result<Imported> {
    let site = ids::site(input.site_id.as_ref());
    entries::may_write(&access.services, &access.viewer, site).await?;
    let (name, content) = input.file.read(ctx).await?;
    let format = input.format.map(Format::from).or_else(|| Format::of_name(&name));
    let format =
        format.ok_or_else(|| Invalid::new("format", "Say the format: the name of the file does not tell it"))?;
    transfer::import(&access.services, &access.viewer, site, format, content).await
}

fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}

fn node(access: &Access, row: Entry) -> Option<FaqEntry> {
    Some(FaqEntry { row, access: access.clone() })
}
