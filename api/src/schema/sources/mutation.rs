//! The mutations that add, change, sync and delete sources.

use async_graphql::{Context, ID, Object, Result};
use helpbot_domain as domain;
use helpbot_services as services;
use helpbot_services::sources;

use super::Source;
use super::options::{SyncSchedule, SyncScope};
use crate::schema::access::Access;
use crate::schema::enums::SourceKind;
use crate::schema::ids;
use crate::schema::mutation::{finish, input, payload};
use crate::schema::upload::Upload;

/// The mutations that manage sources.
#[derive(Default)]
pub struct SourceMutation;

input! {
    /// Arguments that `addSource` accepts.
    AddSourceInput {
        /// Address of the web page at which the syncs start. It must use http or https and can have at most
        /// 2,048 characters.
        url: String,
        /// Scope of the syncs, which says how far they follow links. Defaults to `PAGE`.
        scope: Option<SyncScope>,
        /// Highest number of pages that a sync fetches, 1 to 10,000. Defaults to 10,000.
        max_pages: Option<i32>,
        /// Highest number of links that a sync follows from the address to a page, 0 to 50. Defaults to 10.
        max_depth: Option<i32>,
        /// Interval between scheduled syncs. Defaults to `NONE`.
        schedule: Option<SyncSchedule>,
    }
}

payload! {
    /// Result that `addSource` returns.
    AddSourcePayload {
        /// The source with the address. A source that existed before is returned unchanged. It is null when
        /// the mutation failed.
        source: Option<Source>,
        /// Whether the source was added by this request. It is null when the mutation failed.
        is_new: Option<bool>,
    }
}

input! {
    /// Arguments that `uploadSource` accepts.
    UploadSourceInput {
        /// File in one of the formats PDF, DOCX, XLSX, PPTX, ODT, ODS, ODP, HTML, Markdown, plain text or
        /// CSV. It can have at most 20 MiB.
        file: Upload,
        /// Name of the source including the extension, which can have at most 200 characters. Defaults to
        /// the name of the uploaded file. A file source with this name is replaced.
        name: Option<String>,
    }
}

payload! {
    /// Result that `uploadSource` returns.
    UploadSourcePayload {
        /// The source that contains the file. It is null when the mutation failed.
        source: Option<Source>,
        /// Whether the source was added by this request. It is false when a source with this name was
        /// replaced, and null when the mutation failed.
        is_new: Option<bool>,
    }
}

input! {
    /// Arguments that `addTextSource` accepts.
    AddTextSourceInput {
        /// Title of the text, which must have 1 to 200 characters.
        title: String,
        /// Text in Markdown or plain text, which must have 1 to 100,000 characters. Questions with answers
        /// are extracted as FAQ entries.
        text: String,
    }
}

payload! {
    /// Result that `addTextSource` returns.
    AddTextSourcePayload {
        /// The source that contains the text. It is null when the mutation failed.
        source: Option<Source>,
        /// Whether the source was added by this request. It is false when a source with this title was
        /// replaced, and null when the mutation failed.
        is_new: Option<bool>,
    }
}

input! {
    /// Arguments that `updateSource` accepts. Fields that are absent stay unchanged.
    UpdateSourceInput {
        /// ID of the source that is changed. The source must be a web address.
        id: ID,
        /// New scope of the syncs, which says how far they follow links. It stays unchanged when it is absent
        /// or null.
        scope: Option<SyncScope>,
        /// Highest number of pages that a sync fetches, 1 to 10,000. It stays unchanged when it is absent or
        /// null.
        max_pages: Option<i32>,
        /// Highest number of links that a sync follows from the address to a page, 0 to 50. It stays unchanged
        /// when it is absent or null.
        max_depth: Option<i32>,
        /// New interval between scheduled syncs. It stays unchanged when it is absent or null.
        schedule: Option<SyncSchedule>,
    }
}

payload! {
    /// Result that `updateSource` returns.
    UpdateSourcePayload {
        /// The source after the change. It is null when the mutation failed.
        source: Option<Source>,
    }
}

input! {
    /// Arguments that `syncSource` accepts.
    SyncSourceInput {
        /// ID of the source that is synced. The source must be a web address or a file.
        source_id: ID,
        /// Kind that the source must have. When it is set and the source has another kind, the mutation
        /// fails. By default any kind with content to sync is accepted.
        kind: Option<SourceKind>,
    }
}

payload! {
    /// Result that `syncSource` returns.
    SyncSourcePayload {
        /// The source, whose status is `PENDING` or `SYNCING`. It is null when the mutation failed.
        source: Option<Source>,
    }
}

input! {
    /// Arguments that `cancelSync` accepts.
    CancelSyncInput {
        /// ID of the source whose sync is canceled.
        source_id: ID,
    }
}

payload! {
    /// Result that `cancelSync` returns.
    CancelSyncPayload {
        /// The source with the status that it had before the sync. A source that was never synced before has
        /// the status `FAILED`. It is null when the mutation failed.
        source: Option<Source>,
    }
}

input! {
    /// Arguments that `deleteSource` accepts.
    DeleteSourceInput {
        /// ID of the source that is deleted.
        id: ID,
    }
}

payload! {
    /// Result that `deleteSource` returns.
    DeleteSourcePayload {
        /// ID of the source that was deleted. It is null when the mutation failed.
        deleted_id: Option<ID>,
    }
}

#[Object]
impl SourceMutation {
    /// Adds a web address as a source and starts its first sync in the background. The field `status` and
    /// the subscription `sourceProgress` report its progress. Requires the `WRITE_SOURCES` scope and the
    /// Scale plan.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field or an address that may not be fetched, and with
    /// `LIMIT_REACHED` when the site has 1,000 sources.
    async fn add_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddSourceInput,
    ) -> Result<AddSourcePayload> {
        let access = Access::of(ctx);
        let options = options(input.scope, input.max_pages, input.max_depth, input.schedule);
        let added = sources::add_crawl(&access.services, &access.viewer, input.site(), &input.url, options).await;
        finish(added, |(row, is_new)| AddSourcePayload {
            source: node(access, row),
            is_new: Some(is_new),
            ..Default::default()
        })
    }

    /// Adds an uploaded file as a source, or replaces the source with the same name, and syncs it in the
    /// background. Requires the `WRITE_SOURCES` scope, the Scale plan and a multipart request to
    /// `/graphql/upload`.
    ///
    /// Fails with `BAD_USER_INPUT` when the file is missing or too large or its name is invalid, and with
    /// `LIMIT_REACHED` when the site has 1,000 sources.
    async fn upload_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UploadSourceInput,
    ) -> Result<UploadSourcePayload> {
        let access = Access::of(ctx);
        let added = upload(ctx, access, input).await;
        finish(added, |(row, is_new)| UploadSourcePayload {
            source: node(access, row),
            is_new: Some(is_new),
            ..Default::default()
        })
    }

    /// Adds a text as a source, or replaces the source with the same title, and syncs it in the background.
    /// Requires the `WRITE_SOURCES` scope and the Scale plan.
    ///
    /// Fails with `BAD_USER_INPUT` for an invalid field and with `LIMIT_REACHED` when the site has 1,000
    /// sources.
    async fn add_text_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: AddTextSourceInput,
    ) -> Result<AddTextSourcePayload> {
        let access = Access::of(ctx);
        let site = input.site();
        let added = sources::add_text(&access.services, &access.viewer, site, &input.title, &input.text).await;
        finish(added, |(row, is_new)| AddTextSourcePayload {
            source: node(access, row),
            is_new: Some(is_new),
            ..Default::default()
        })
    }

    /// Changes how far and how often a web address is synced. A sync starts at once when the change adds or
    /// removes pages. Requires the `WRITE_SOURCES` scope and the Scale plan.
    ///
    /// Fails with `NOT_FOUND` when the source does not exist, and with `BAD_USER_INPUT` for an invalid field
    /// or a source that is not a web address.
    async fn update_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: UpdateSourceInput,
    ) -> Result<UpdateSourcePayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.id));
        let options = options(input.scope, input.max_pages, input.max_depth, input.schedule);
        let changed = sources::update(&access.services, &access.viewer, site, id, options).await;
        finish(changed, |row| UpdateSourcePayload { source: node(access, row), ..Default::default() })
    }

    /// Starts a sync of a source in the background. The current content answers questions until the sync
    /// has succeeded. While a sync is waiting or running, no second one is started. Requires the
    /// `WRITE_SOURCES` scope and the Scale plan.
    ///
    /// Fails with `NOT_FOUND` when the source does not exist, and with `BAD_USER_INPUT` when the
    /// source is a text or contains written entries, or has another kind than `kind`.
    async fn sync_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: SyncSourceInput,
    ) -> Result<SyncSourcePayload> {
        let access = Access::of(ctx);
        let (site, id, kind) = (input.site(), ids::read(&input.source_id), input.kind.map(Into::into));
        let requested = sources::request_sync(&access.services, &access.viewer, site, id, kind).await;
        finish(requested, |row| SyncSourcePayload { source: node(access, row), ..Default::default() })
    }

    /// Cancels the waiting or running sync of a source. The content of the previous sync stays in use. A
    /// source that is not being synced, or whose new content is used already, is returned unchanged. Requires
    /// the `WRITE_SOURCES` scope and the Scale plan. Fails with `NOT_FOUND` when the source does not exist.
    async fn cancel_sync(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: CancelSyncInput,
    ) -> Result<CancelSyncPayload> {
        let access = Access::of(ctx);
        let (site, id) = (input.site(), ids::read(&input.source_id));
        let canceled = sources::cancel(&access.services, &access.viewer, site, id).await;
        finish(canceled, |row| CancelSyncPayload { source: node(access, row), ..Default::default() })
    }

    /// Deletes a source with its pages and FAQ entries, which are no longer used for answers. Requires the
    /// `WRITE_SOURCES` scope and the Scale plan. Fails with `NOT_FOUND` when the source does not exist.
    async fn delete_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The arguments that this mutation accepts.")] input: DeleteSourceInput,
    ) -> Result<DeleteSourcePayload> {
        let Access { services, viewer, .. } = Access::of(ctx);
        let deleted = sources::delete(services, viewer, input.site(), ids::read(&input.id)).await;
        finish(deleted, |()| DeleteSourcePayload { deleted_id: Some(input.id), ..Default::default() })
    }
}

async fn upload(
    ctx: &Context<'_>,
    access: &Access,
    input: UploadSourceInput,
) -> services::Result<(domain::source::Source, bool)> {
    let site = input.site();
    sources::may_add(&access.services, &access.viewer, site).await?;
    let (name, content) = input.file.read(ctx).await?;
    let name = input.name.unwrap_or(name);
    sources::add_file(&access.services, &access.viewer, site, &name, content).await
}

fn options(
    scope: Option<SyncScope>,
    max_pages: Option<i32>,
    max_depth: Option<i32>,
    schedule: Option<SyncSchedule>,
) -> sources::SourceOptionsPatch {
    sources::SourceOptionsPatch {
        scope: scope.map(Into::into),
        max_pages,
        max_depth,
        schedule: schedule.map(Into::into),
    }
}

fn node(access: &Access, row: domain::source::Source) -> Option<Source> {
    Some(Source { row, access: access.clone() })
}
