//! Adding, changing, re-reading and deleting sources, and cancelling their readings.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use helpbot_services::{self as services, sources};

use super::Source;
use super::options::{SourceSchedule, SourceScope};
use crate::error::{UserError, expected};
use crate::schema::access::Access;
use crate::schema::ids;
use crate::uploads::Upload;

/// Changing sources.
#[derive(Default)]
pub struct SourceMutation;

/// A new source.
#[derive(InputObject)]
pub struct AddSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The address of the page: http or https, at most 2048 characters.
    url: String,
    /// How far to read from there; that page alone if not said.
    scope: Option<SourceScope>,
    /// At most so many pages: 1 to 500, which holds if not said.
    max_pages: Option<i32>,
    /// At most so many links from the address to a page: 0 to 50; 10 if not said.
    max_depth: Option<i32>,
    /// How often to read it again; only when asked if not said.
    schedule: Option<SourceSchedule>,
}

/// A file that is to be a source.
#[derive(InputObject)]
pub struct UploadSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// The file: PDF, DOCX, HTML, Markdown, text or CSV, at most 20 MiB.
    file: Upload,
    /// What to call it, with its extension, at most 200 characters; as its sender calls it if not
    /// said.
    name: Option<String>,
}

/// The source that the file is, or why there is none.
#[derive(Default, SimpleObject)]
pub struct UploadSourcePayload {
    /// The source; one of that name was replaced and is read again.
    source: Option<Source>,
    /// Whether there was none of that name.
    is_new: bool,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// A text that is to be a source.
#[derive(InputObject)]
pub struct AddTextSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// What it is called, 1 to 200 characters.
    title: String,
    /// The text, plain or Markdown, 1 to 100000 characters; questions in it are found.
    text: String,
}

/// The source that the text is, or why there is none.
#[derive(Default, SimpleObject)]
pub struct AddTextSourcePayload {
    /// The source; one of that title was replaced and is read again.
    source: Option<Source>,
    /// Whether there was none of that title.
    is_new: bool,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// What is to be different at a source; what is not said stays.
#[derive(InputObject)]
pub struct UpdateSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
    /// How far to read from its address.
    scope: Option<SourceScope>,
    /// At most so many pages: 1 to 500.
    max_pages: Option<i32>,
    /// At most so many links from the address to a page: 0 to 50.
    max_depth: Option<i32>,
    /// How often to read it again.
    schedule: Option<SourceSchedule>,
}

/// The changed source, or why it was not changed.
#[derive(Default, SimpleObject)]
pub struct UpdateSourcePayload {
    /// The source; waiting to be read again when other pages belong to it now.
    source: Option<Source>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The source, or why there is none.
#[derive(Default, SimpleObject)]
pub struct AddSourcePayload {
    /// The source; one that was there already is given as it is.
    source: Option<Source>,
    /// Whether it was added by this call.
    is_new: bool,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The source to read again.
#[derive(InputObject)]
pub struct RescrapeSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The source that will be read again, or why not.
#[derive(Default, SimpleObject)]
pub struct RescrapeSourcePayload {
    /// The source, waiting or being read.
    source: Option<Source>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The stored file to read again.
#[derive(InputObject)]
pub struct RereadSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The source that will be read again, or why not.
#[derive(Default, SimpleObject)]
pub struct RereadSourcePayload {
    /// The source, waiting or being read.
    source: Option<Source>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The source whose reading to cancel.
#[derive(InputObject)]
pub struct CancelReadingInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The source that is not read any more, or why not.
#[derive(Default, SimpleObject)]
pub struct CancelReadingPayload {
    /// The source in the state before; one that was never read has failed.
    source: Option<Source>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

/// The source to delete.
#[derive(InputObject)]
pub struct DeleteSourceInput {
    /// The site; the own one of the key if not said.
    site_id: Option<ID>,
    /// Which one.
    id: ID,
}

/// The id of the deleted source, or why it was not deleted.
#[derive(Default, SimpleObject)]
pub struct DeleteSourcePayload {
    /// The id that is gone.
    deleted_id: Option<ID>,
    /// What was refused.
    user_errors: Vec<UserError>,
}

#[Object]
impl SourceMutation {
    /// Adds an address and reads it in the background; follow it through `status`.
    async fn add_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddSourceInput,
    ) -> Result<AddSourcePayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        let wishes = change(input.scope, input.max_pages, input.max_depth, input.schedule);
        Ok(match sources::add_crawl(&access.services, &access.viewer, site, &input.url, wishes).await {
            Ok((row, is_new)) => {
                AddSourcePayload { source: Some(Source { row, access: access.clone() }), is_new, ..Default::default() }
            }
            Err(error) => AddSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Adds a file, or replaces the one of that name, and reads it in the background. Send it to
    /// `/graphql/upload`.
    async fn upload_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: UploadSourceInput,
    ) -> Result<UploadSourcePayload> {
        let access = Access::of(ctx);
        Ok(match upload(ctx, access, input).await {
            Ok((row, is_new)) => UploadSourcePayload {
                source: Some(Source { row, access: access.clone() }),
                is_new,
                ..Default::default()
            },
            Err(error) => UploadSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Adds a text, or replaces the one of that title, and reads it in the background.
    async fn add_text_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to add.")] input: AddTextSourceInput,
    ) -> Result<AddTextSourcePayload> {
        let access = Access::of(ctx);
        let site = ids::site(input.site_id.as_ref());
        Ok(match sources::add_text(&access.services, &access.viewer, site, &input.title, &input.text).await {
            Ok((row, is_new)) => AddTextSourcePayload {
                source: Some(Source { row, access: access.clone() }),
                is_new,
                ..Default::default()
            },
            Err(error) => AddTextSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Changes how far and how often an address is read. When other pages belong to it then, it
    /// is read again at once.
    async fn update_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The source, and what is to be different.")] input: UpdateSourceInput,
    ) -> Result<UpdateSourcePayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        let change = change(input.scope, input.max_pages, input.max_depth, input.schedule);
        Ok(match sources::update(&access.services, &access.viewer, site, id, change).await {
            Ok(row) => {
                UpdateSourcePayload { source: Some(Source { row, access: access.clone() }), ..Default::default() }
            }
            Err(error) => UpdateSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Reads a source again in the background. What is indexed answers until that has succeeded.
    async fn rescrape_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RescrapeSourceInput,
    ) -> Result<RescrapeSourcePayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match sources::rescrape(&access.services, &access.viewer, site, id).await {
            Ok(row) => {
                RescrapeSourcePayload { source: Some(Source { row, access: access.clone() }), ..Default::default() }
            }
            Err(error) => RescrapeSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Reads a stored file again in the background, without another upload.
    async fn reread_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: RereadSourceInput,
    ) -> Result<RereadSourcePayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match sources::reread(&access.services, &access.viewer, site, id).await {
            Ok(row) => {
                RereadSourcePayload { source: Some(Source { row, access: access.clone() }), ..Default::default() }
            }
            Err(error) => RereadSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Cancels the reading that a source waits for or is in. What was indexed before answers on. A
    /// source that is not being read is given as it is.
    async fn cancel_reading(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: CancelReadingInput,
    ) -> Result<CancelReadingPayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match sources::cancel(&access.services, &access.viewer, site, id).await {
            Ok(row) => {
                CancelReadingPayload { source: Some(Source { row, access: access.clone() }), ..Default::default() }
            }
            Err(error) => CancelReadingPayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }

    /// Deletes a source; no answer comes from it any more.
    async fn delete_source(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which one.")] input: DeleteSourceInput,
    ) -> Result<DeleteSourcePayload> {
        let access = Access::of(ctx);
        let (site, id) = (ids::site(input.site_id.as_ref()), ids::read(&input.id));
        Ok(match sources::delete(&access.services, &access.viewer, site, id).await {
            Ok(()) => DeleteSourcePayload { deleted_id: Some(input.id), ..Default::default() },
            Err(error) => DeleteSourcePayload { user_errors: vec![expected(error)?], ..Default::default() },
        })
    }
}

async fn upload(
    ctx: &Context<'_>,
    access: &Access,
    input: UploadSourceInput,
) -> services::Result<(services::Source, bool)> {
    let site = ids::site(input.site_id.as_ref());
    sources::may_add(&access.services, &access.viewer, site).await?;
    let (name, content) = input.file.read(ctx).await?;
    let name = input.name.unwrap_or(name);
    sources::add_file(&access.services, &access.viewer, site, &name, content).await
}

fn change(
    scope: Option<SourceScope>,
    max_pages: Option<i32>,
    max_depth: Option<i32>,
    schedule: Option<SourceSchedule>,
) -> sources::Change {
    sources::Change { scope: scope.map(Into::into), max_pages, max_depth, schedule: schedule.map(Into::into) }
}
