//! /sources: what the answers come from.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::endpoint::{Doc, Endpoint, Variables};
use crate::request::text;

const TAG: &str = "Sources";

/// A page, file or text that answers come from.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Source {
    /// Its id.
    #[schema(examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: String,
    /// Its address; of a file or text, its name.
    #[schema(examples("https://example.com/faq"))]
    url: String,
    /// What it is.
    r#type: SourceType,
    /// How far its reading is.
    status: SourceStatus,
    /// Pages or entries read from it.
    #[schema(minimum = 0, examples(12))]
    document_count: i64,
    /// Why the last reading failed; null when it did not.
    #[schema(required = true, examples("The page answered 404"))]
    error: Option<String>,
    /// When it was last read to its end; null before the first time.
    #[schema(required = true, format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    last_scraped_at: Option<String>,
    /// When it was added.
    #[schema(format = DateTime, examples("2026-11-22T10:15:00.000Z"))]
    created_at: String,
    /// When it last changed.
    #[schema(format = DateTime, examples("2026-11-22T10:15:30.000Z"))]
    updated_at: String,
}

/// The kind of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(examples("url"))]
pub(crate) enum SourceType {
    /// A page, and what it links to.
    #[serde(alias = "URL")]
    Url,
    /// An uploaded file.
    #[serde(alias = "FILE")]
    File,
    /// A text written by the owner.
    #[serde(alias = "TEXT")]
    Text,
}

/// How far the reading of a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(examples("indexed"))]
pub(crate) enum SourceStatus {
    /// Waits to be read.
    #[serde(alias = "PENDING")]
    Pending,
    /// Is being read.
    #[serde(alias = "SCRAPING")]
    Scraping,
    /// Was read; answers come from it.
    #[serde(alias = "INDEXED")]
    Indexed,
    /// Could not be read; what was read before still serves.
    #[serde(alias = "FAILED")]
    Failed,
}

/// GET /sources
pub(crate) struct ListSources;

/// Nothing beside the key.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Nothing {}

/// All sources of the site.
#[derive(Serialize, ToSchema)]
pub(crate) struct SourceList {
    /// Oldest first.
    sources: Vec<Source>,
}

#[derive(Deserialize)]
pub(crate) struct SitesSources {
    sources: Connection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Connection {
    nodes: Vec<Source>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl Endpoint for ListSources {
    const METHOD: Method = Method::GET;
    const PATH: &'static str = "/sources";
    const OPERATION: (&'static str, &'static str) = ("ListSources", include_str!("../operations/list_sources.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "listSources",
        summary: "List the sources",
        description: "All of the site, in one piece. Needs the Scale plan.",
        success: "The sources.",
        errors: &[(403, "The site is not on the Scale plan, or the key may not read sources.")],
    };
    type Request = Nothing;
    type Data = SitesSources;
    type Answer = SourceList;

    fn variables(_: &Nothing) -> Variables {
        json!({"after": null}).into()
    }

    fn next_page(data: &SitesSources) -> Option<Value> {
        let page = &data.sources.page_info;
        let after = page.end_cursor.as_ref().filter(|_| page.has_next_page)?;
        Some(json!({"after": after}))
    }

    fn append(data: &mut SitesSources, page: SitesSources) {
        data.sources.nodes.extend(page.sources.nodes);
        data.sources.page_info = page.sources.page_info;
    }

    fn answer(_: &Nothing, data: SitesSources) -> SourceList {
        SourceList { sources: data.sources.nodes }
    }
}

/// POST /sources
pub(crate) struct AddSource;

/// A page to read.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SourceRequest {
    /// Its http or https address, on a public host, at most 2048 characters.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, max_length = 2048, pattern = "^[Hh][Tt][Tt][Pp][Ss]?://.", examples("https://example.com/faq"))]
    url: Option<String>,
}

/// A source and what to expect.
#[derive(Serialize, ToSchema)]
pub(crate) struct AddedSource {
    /// The source.
    source: Source,
    /// What happens next.
    #[schema(examples("Source added. Poll GET /api/v1/sources to see when it is indexed."))]
    message: &'static str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Added {
    source: Source,
    is_new: bool,
}

impl Endpoint for AddSource {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/sources";
    const OPERATION: (&'static str, &'static str) = ("AddSource", include_str!("../operations/add_source.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "addSource",
        summary: "Add a source",
        description: "The page is read in the background. An address that is there already gives the source that has it. Needs the Scale plan.",
        success: "The source, with status pending when it is new.",
        errors: &[
            (400, "The address is missing, malformed or not allowed."),
            (403, "The site is not on the Scale plan, or the key may not change sources."),
        ],
    };
    type Request = SourceRequest;
    type Data = Added;
    type Answer = AddedSource;

    fn variables(request: &SourceRequest) -> Variables {
        json!({"input": {"url": request.url.as_deref().unwrap_or_default()}}).into()
    }

    fn answer(_: &SourceRequest, data: Added) -> AddedSource {
        let message = match data.is_new {
            true => "Source added. Poll GET /api/v1/sources to see when it is indexed.",
            false => "This source was added before.",
        };
        AddedSource { source: data.source, message }
    }
}

/// DELETE /sources
pub(crate) struct DeleteSource;

/// Which source.
#[derive(Deserialize, ToSchema)]
pub(crate) struct SourceId {
    /// The id of the source.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, pattern = r"\S", examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    id: Option<String>,
}

/// That it is gone.
#[derive(Serialize, ToSchema)]
pub(crate) struct Deleted {
    /// Always true.
    #[schema(examples(true))]
    deleted: bool,
}

impl Deleted {
    /// It is.
    pub const YES: Self = Self { deleted: true };
}

/// What was deleted, of which REST tells nothing.
#[derive(Deserialize)]
pub(crate) struct Gone {}

impl Endpoint for DeleteSource {
    const METHOD: Method = Method::DELETE;
    const PATH: &'static str = "/sources";
    const OPERATION: (&'static str, &'static str) =
        ("DeleteSource", include_str!("../operations/delete_source.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "deleteSource",
        summary: "Delete a source",
        description: "With all that was read from it. Needs the Scale plan.",
        success: "It is deleted.",
        errors: &[
            (400, "The id is missing."),
            (403, "The site is not on the Scale plan, or the key may not change sources."),
            (404, "The site has no such source."),
        ],
    };
    type Request = SourceId;
    type Data = Gone;
    type Answer = Deleted;

    fn variables(request: &SourceId) -> Variables {
        id_input(&request.id, "Missing id query parameter")
    }

    fn answer(_: &SourceId, _: Gone) -> Deleted {
        Deleted::YES
    }
}

/// POST /sources/rescrape
pub(crate) struct RescrapeSource;

/// Which source.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RescrapeRequest {
    /// The id of the source.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required = true, pattern = r"\S", examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    source_id: Option<String>,
}

/// A source that is read again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Rescraping {
    /// Its id.
    #[schema(examples("src_01hzx5k3q8e9v7r2m4n6p8s0t1"))]
    source_id: String,
    /// Its address.
    #[schema(examples("https://example.com/faq"))]
    url: String,
    /// Always `scraping`.
    status: SourceStatus,
    /// What happens next.
    #[schema(examples("The source is being read again. Poll GET /api/v1/sources to see when it is indexed."))]
    message: &'static str,
}

#[derive(Deserialize)]
pub(crate) struct Rescraped {
    source: RescrapedSource,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RescrapedSource {
    source_id: String,
    url: String,
}

impl Endpoint for RescrapeSource {
    const METHOD: Method = Method::POST;
    const PATH: &'static str = "/sources/rescrape";
    const OPERATION: (&'static str, &'static str) =
        ("RescrapeSource", include_str!("../operations/rescrape_source.graphql"));
    const DOC: Doc = Doc {
        tag: TAG,
        id: "rescrapeSource",
        summary: "Read a source again",
        description: "In the background; until it is done, and when it fails, answers come from what was read before. Needs the Scale plan.",
        success: "It is being read again, or was already.",
        errors: &[
            (400, "The id is missing, or the source is a file."),
            (403, "The site is not on the Scale plan, or the key may not change sources."),
            (404, "The site has no such source."),
        ],
    };
    type Request = RescrapeRequest;
    type Data = Rescraped;
    type Answer = Rescraping;

    fn variables(request: &RescrapeRequest) -> Variables {
        id_input(&request.source_id, "Missing sourceId")
    }

    fn answer(_: &RescrapeRequest, data: Rescraped) -> Rescraping {
        Rescraping {
            source_id: data.source.source_id,
            url: data.source.url,
            status: SourceStatus::Scraping,
            message: "The source is being read again. Poll GET /api/v1/sources to see when it is indexed.",
        }
    }
}

/// The input of an operation that takes an id; without one, an id that no thing has.
pub(crate) fn id_input(id: &Option<String>, missing: &str) -> Variables {
    match id.as_deref().map(str::trim) {
        None | Some("") => Variables::misfit(json!({"input": {"id": ""}}), missing),
        Some(id) => json!({"input": {"id": id}}).into(),
    }
}
