//! The mutations that preview, cancel and publish changes.

use async_graphql::{Context, ID, InputObject, Object, Result};
use helpbot_domain::Invalid;
use helpbot_services as services;
use helpbot_services::knowledge::entries::{EntryPatch, NewEntry};
use helpbot_services::knowledge::previews::{self, NewChange};

use super::ChangePreview;
use crate::schema::access::Access;
use crate::schema::entries::FaqEntry;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};

/// The mutations that manage change previews.
#[derive(Default)]
pub struct PreviewMutation;

/// A new FAQ entry that would be added.
#[derive(InputObject)]
pub struct PreviewNewEntryInput {
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

/// Other words of an FAQ entry. Fields that are absent or null leave the entry unchanged.
#[derive(InputObject)]
pub struct PreviewEntryChangeInput {
    /// ID that identifies the FAQ entry.
    id: ID,
    /// New question, which must have 1 to 500 characters. It stays unchanged when it is absent or null.
    question: Option<String>,
    /// New answer in restricted Markdown, which must have 1 to 20,000 characters. It stays unchanged when it
    /// is absent or null.
    answer: Option<String>,
    /// New phrasings, which replace those that the entry has. They stay unchanged when the field is absent or
    /// null.
    phrasings: Option<Vec<String>>,
}

/// A new way to ask the question of an FAQ entry.
#[derive(InputObject)]
pub struct PreviewPhrasingInput {
    /// ID that identifies the FAQ entry.
    entry_id: ID,
    /// Another way to ask the question, which must have 1 to 500 characters.
    phrasing: String,
}

input! {
    /// Arguments that `previewChange` accepts. Exactly one change must be given.
    PreviewChangeInput {
        /// FAQ entry that would be added. By default no entry is added.
        add_entry: Option<PreviewNewEntryInput>,
        /// FAQ entry that would get other words. By default no entry is changed.
        update_entry: Option<PreviewEntryChangeInput>,
        /// Phrasing that would be added to an FAQ entry. By default no phrasing is added.
        add_phrasing: Option<PreviewPhrasingInput>,
        /// ID of the FAQ entry that would be deleted. By default no entry is deleted.
        delete_entry_id: Option<ID>,
        /// ID of the source that would be deleted. By default no source is deleted.
        delete_source_id: Option<ID>,
        /// Share of answers that would have to be correct, 0 to 1. By default the share stays unchanged.
        target_precision: Option<f64>,
    }
}

payload! {
    /// Result that `previewChange` returns.
    PreviewChangePayload {
        /// The preview, which runs in the background. `Site.changePreview` returns its progress. It is null
        /// when the mutation failed.
        preview: Option<ChangePreview>,
    }
}

input! {
    /// Arguments that `cancelPreview` accepts.
    CancelPreviewInput {
        /// ID of the preview that is canceled.
        id: ID,
    }
}

payload! {
    /// Result that `cancelPreview` returns.
    CancelPreviewPayload {
        /// The preview. It is null when the mutation failed.
        preview: Option<ChangePreview>,
    }
}

input! {
    /// Arguments that `publishChange` accepts.
    PublishChangeInput {
        /// ID of the preview whose change is published.
        preview_id: ID,
    }
}

payload! {
    /// Result that `publishChange` returns.
    PublishChangePayload {
        /// The preview of the change. It is null when the mutation failed.
        preview: Option<ChangePreview>,
        /// FAQ entry that was added or changed. It is null when the mutation failed, and for other changes.
        entry: Option<FaqEntry>,
    }
}

impl PreviewChangeInput {
    /// The change that the input describes.
    fn change(self) -> services::Result<NewChange> {
        let changes = [
            self.add_entry.map(|new| {
                let PreviewNewEntryInput { question, answer, phrasings, url } = new;
                NewChange::AddEntry(NewEntry { question, answer, phrasings, url })
            }),
            self.update_entry.map(|change| {
                let PreviewEntryChangeInput { id, question, answer, phrasings } = change;
                NewChange::UpdateEntry(ids::read(&id), EntryPatch { question, answer, phrasings, url: None })
            }),
            self.add_phrasing.map(|new| NewChange::AddPhrasing(ids::read(&new.entry_id), new.phrasing)),
            self.delete_entry_id.map(|id| NewChange::DeleteEntry(ids::read(&id))),
            self.delete_source_id.map(|id| NewChange::DeleteSource(ids::read(&id))),
            self.target_precision.map(NewChange::TargetPrecision),
        ];
        let mut changes = changes.into_iter().flatten();
        match (changes.next(), changes.next()) {
            (Some(change), None) => Ok(change),
            _ => Err(Invalid::new("input", "Exactly one change must be given.").into()),
        }
    }
}

#[Object]
impl PreviewMutation {
    /// Begins the preview of a change: the last 10,000 questions of visitors are asked against the content as
    /// it would be. Nothing is changed, and no credits are used. A preview of the site that still runs is
    /// canceled. Requires the `READ_CONVERSATIONS` scope, and the `WRITE_SOURCES` scope or, for
    /// `targetPrecision`, the `WRITE_CONFIG` scope.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field or when not exactly one change is given, with
    /// `NOT_FOUND` when the entry or the source does not exist, and with `CONFLICT` for a change that cannot
    /// be made, such as new words for an entry of a page.
    async fn preview_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: PreviewChangeInput,
    ) -> Result<PreviewChangePayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let begun = async { previews::begin(&access.services, &access.viewer, site, input.change()?).await };
        finish(begun.await, |row| PreviewChangePayload {
            preview: Some(ChangePreview { row, access: access.clone() }),
            ..Default::default()
        })
    }

    /// Cancels a preview that is running. A preview that has ended stays as it is. Requires the
    /// `READ_CONVERSATIONS` and `WRITE_SOURCES` scopes. Fails with `NOT_FOUND` when the preview does not exist.
    async fn cancel_preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: CancelPreviewInput,
    ) -> Result<CancelPreviewPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let canceled = previews::cancel(&access.services, &access.viewer, site, id).await;
        finish(canceled, |row| CancelPreviewPayload {
            preview: Some(ChangePreview { row, access: access.clone() }),
            ..Default::default()
        })
    }

    /// Makes the change of a preview, exactly as it was previewed. Requires the `READ_CONVERSATIONS` scope and
    /// the scope of the change.
    ///
    /// Fails with `NOT_FOUND` when the preview does not exist, and with `CONFLICT` when it is not ready, or
    /// when the content or the settings of the site have changed since the preview. Nothing is changed then.
    async fn publish_change(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: PublishChangeInput,
    ) -> Result<PublishChangePayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.preview_id));
        let published = previews::publish(&access.services, &access.viewer, site, id).await;
        finish(published, |published| PublishChangePayload {
            preview: Some(ChangePreview { row: published.preview, access: access.clone() }),
            entry: published.entry.map(|row| FaqEntry { row, access: access.clone() }),
            ..Default::default()
        })
    }
}
