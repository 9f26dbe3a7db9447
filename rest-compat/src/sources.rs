//! The routes below /sources: the pages, files and texts that answers come from.

use axum::http::Method;
use helpbot_api::Permission;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::endpoint::{Endpoint, EndpointDoc, InvalidInput};
use crate::request::text;

const TAG: &str = "Sources";

/// A web address, an uploaded file or a text that answers come from.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    /// ID of the source. It is a TypeID.
    #[schema(examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: String,
    /// Address of the source. For a file or a text, this is its name.
    #[schema(examples("https://example.com/faq"))]
    url: String,
    /// Kind of the source. It is `url`, `file` or `text`.
    r#type: SourceType,
    /// State of the last sync. It is `pending`, `scraping`, `indexed` or `failed`.
    status: SourceStatus,
    /// Number of pages or entries that the last sync found.
    #[schema(minimum = 0, examples(12))]
    document_count: i64,
    /// Reason why the last sync failed. Null when it did not fail.
    #[schema(required = true, examples("The page answered 404"))]
    error: Option<String>,
    /// Time when the last sync was completed. Null before the first one.
    #[schema(required = true, format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    last_scraped_at: Option<String>,
    /// Time when the source was added.
    #[schema(format = DateTime, examples("2026-11-22T10:15:00.000Z"))]
    created_at: String,
    /// Time when the source last changed.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    updated_at: String,
}

/// The kind of a source, which decides how it is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(examples("url"))]
pub(crate) enum SourceType {
    /// The source is a web page and the pages that it links to.
    #[serde(alias = "URL")]
    Url,
    /// The source is an uploaded file.
    #[serde(alias = "FILE")]
    File,
    /// The source is a text that the owner wrote.
    #[serde(alias = "TEXT")]
    Text,
}

/// The state that the last sync of a source is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(examples("indexed"))]
pub(crate) enum SourceStatus {
    /// The source waits for its first sync.
    #[serde(alias = "PENDING")]
    Pending,
    /// A sync is running.
    #[serde(alias = "SYNCING")]
    Scraping,
    /// The last sync succeeded, and answers come from the source.
    #[serde(alias = "INDEXED")]
    Indexed,
    /// The last sync failed. Answers still come from the previous sync.
    #[serde(alias = "FAILED")]
    Failed,
}

/// GET /sources
pub(crate) struct ListSources;

/// A request without any input except the key.
#[derive(Deserialize, ToSchema)]
#[schema(as = Nothing)]
pub(crate) struct NoInput {}

/// All sources that the site has.
#[derive(Serialize, ToSchema)]
pub(crate) struct SourceList {
    /// All sources that the site has, oldest first.
    sources: Vec<Source>,
}

#[derive(Deserialize)]
pub(crate) struct SourcesData {
    sources: SourceConnection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourceConnection {
    nodes: Vec<Source>,
    page_info: SourcePageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SourcePageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl Endpoint for ListSources {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/sources";
    const OPERATION: (&'static str, &'static str) = ("ListSources", include_str!("../operations/list_sources.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "listSources",
        summary: "List the sources",
        description: "Returns all sources of the site in one response. Requires the Scale plan.",
        success: "The response contains all sources.",
        errors: &[(403, "The plan of the site does not include sources, or the key has no permission to read them.")],
    };
    type Request = NoInput;
    type Data = SourcesData;
    type Answer = SourceList;

    fn variables(_: &NoInput) -> Result<Value, InvalidInput> {
        Ok(json!({"after": null}))
    }

    fn next_page(data: &SourcesData) -> Option<Value> {
        let page = &data.sources.page_info;
        let after = page.end_cursor.as_ref().filter(|_| page.has_next_page)?;
        Some(json!({"after": after}))
    }

    fn append(data: &mut SourcesData, page: SourcesData) {
        data.sources.nodes.extend(page.sources.nodes);
        data.sources.page_info = page.sources.page_info;
    }

    fn answer(_: &NoInput, data: SourcesData) -> SourceList {
        SourceList { sources: data.sources.nodes }
    }
}

/// POST /sources
pub(crate) struct AddSource;

/// The address of a source to add.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SourceRequest {
    /// Address that starts with http or https, on a public host, at most 2048 characters.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, max_length = 2048, pattern = "^[Hh][Tt][Tt][Pp][Ss]?://.", examples("https://example.com/faq"))]
    url: Option<String>,
}

/// The added source, and what happens next.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedSource {
    /// The source that has this address.
    source: Source,
    /// Sentence that describes what happens next.
    #[schema(examples("Source added. Poll GET /api/v1/sources to see when it is indexed."))]
    message: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AddedSourceData {
    source: Source,
    is_new: bool,
}

impl Endpoint for AddSource {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/sources";
    const OPERATION: (&'static str, &'static str) = ("AddSource", include_str!("../operations/add_source.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "addSource",
        summary: "Add a source",
        description: "Adds a web address and syncs it in the background. An address that was added before returns the existing source. Requires the Scale plan.",
        success: "The response contains the source. A new source has the status `pending`.",
        errors: &[
            (400, "The address is missing, malformed or not allowed."),
            (403, "The plan of the site does not include sources, or the key has no permission to change them."),
        ],
    };
    type Request = SourceRequest;
    type Data = AddedSourceData;
    type Answer = AddedSource;

    fn variables(request: &SourceRequest) -> Result<Value, InvalidInput> {
        Ok(json!({"input": {"url": request.url.as_deref().unwrap_or_default()}}))
    }

    fn answer(_: &SourceRequest, data: AddedSourceData) -> AddedSource {
        let message = match data.is_new {
            true => "Source added. Poll GET /api/v1/sources to see when it is indexed.",
            false => "This source was added before.",
        };
        AddedSource { source: data.source, message }
    }
}

/// DELETE /sources
pub(crate) struct DeleteSource;

/// The source to delete.
#[derive(Deserialize, ToSchema)]
#[schema(as = SourceId)]
pub(crate) struct DeleteSourceRequest {
    /// ID of the source, as returned by GET /sources.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, pattern = r"\S", examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: Option<String>,
}

/// Confirmation that the object was deleted.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    /// The value is always true.
    #[schema(examples(true))]
    deleted: bool,
}

impl Deleted {
    /// The object was deleted.
    pub const YES: Self = Self { deleted: true };
}

/// The deleted object, of which REST returns nothing.
#[derive(Deserialize)]
pub(crate) struct DeletedData {}

impl Endpoint for DeleteSource {
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/sources";
    const OPERATION: (&'static str, &'static str) =
        ("DeleteSource", include_str!("../operations/delete_source.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "deleteSource",
        summary: "Delete a source",
        description: "Deletes the source and everything that was extracted from it. Requires the Scale plan.",
        success: "The source was deleted.",
        errors: &[
            (400, "The ID is missing."),
            (403, "The plan of the site does not include sources, or the key has no permission to change them."),
            (404, "The site has no source with this ID."),
        ],
    };
    type Request = DeleteSourceRequest;
    type Data = DeletedData;
    type Answer = Deleted;

    fn variables(request: &DeleteSourceRequest) -> Result<Value, InvalidInput> {
        id_input(&request.id, Permission::WriteSources, "Missing id query parameter")
    }

    fn answer(_: &DeleteSourceRequest, _: DeletedData) -> Deleted {
        Deleted::YES
    }
}

/// The route `POST /sources/rescrape`.
pub(crate) struct RescrapeSource;

/// The source to sync.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RescrapeRequest {
    /// ID of the source, as returned by GET /sources.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, pattern = r"\S", examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    source_id: Option<String>,
}

/// A source that is being synced.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Rescraping)]
pub(crate) struct RescrapeAnswer {
    /// ID of the source. It is a TypeID.
    #[schema(examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    source_id: String,
    /// Address of the source, as it was added.
    #[schema(examples("https://example.com/faq"))]
    url: String,
    /// The value is always `scraping`.
    status: SourceStatus,
    /// Sentence that describes what happens next.
    #[schema(examples("The source is being synced. Poll GET /api/v1/sources to see when it is indexed."))]
    message: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct RescrapeData {
    source: RescrapeNode,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RescrapeNode {
    source_id: String,
    url: String,
}

impl Endpoint for RescrapeSource {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/sources/rescrape";
    const OPERATION: (&'static str, &'static str) = ("SyncSource", include_str!("../operations/sync_source.graphql"));
    const DOC: EndpointDoc = EndpointDoc {
        tag: TAG,
        id: "rescrapeSource",
        summary: "Sync a source",
        description: "Syncs the source in the background. Until the sync has succeeded, answers come from the previous one. Requires the Scale plan.",
        success: "The sync was started, or was running already.",
        errors: &[
            (400, "The ID is missing, or the source is a file."),
            (403, "The plan of the site does not include sources, or the key has no permission to change them."),
            (404, "The site has no source with this ID."),
        ],
    };
    type Request = RescrapeRequest;
    type Data = RescrapeData;
    type Answer = RescrapeAnswer;

    fn variables(request: &RescrapeRequest) -> Result<Value, InvalidInput> {
        match request.source_id.as_deref().map(str::trim) {
            None | Some("") => Err(InvalidInput::new(Permission::WriteSources, "Missing sourceId")),
            Some(id) => Ok(json!({"input": {"sourceId": id, "kind": "URL"}})),
        }
    }

    fn answer(_: &RescrapeRequest, data: RescrapeData) -> RescrapeAnswer {
        RescrapeAnswer {
            source_id: data.source.source_id,
            url: data.source.url,
            status: SourceStatus::Scraping,
            message: "The source is being synced. Poll GET /api/v1/sources to see when it is indexed.",
        }
    }
}

/// The variables of an operation that takes an ID.
///
/// # Errors
/// `InvalidInput` with the message `missing` when the ID is missing.
pub(crate) fn id_input(id: &Option<String>, permission: Permission, missing: &str) -> Result<Value, InvalidInput> {
    match id.as_deref().map(str::trim) {
        None | Some("") => Err(InvalidInput::new(permission, missing)),
        Some(id) => Ok(json!({"input": {"id": id}})),
    }
}
