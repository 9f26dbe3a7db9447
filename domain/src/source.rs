//! Sources: their kinds, states and transitions, and the normal form of URLs.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{DocumentId, SiteId, SourceId};
use crate::{Invalid, Timestamp};

/// Maximum length of a URL in characters, as documented in the REST contract.
pub const URL_MAX_CHARS: usize = 2048;

/// The kind of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A page or web site that is fetched repeatedly.
    Url,
    /// An uploaded file.
    File,
    /// Entries that were typed by hand.
    Text,
}

impl SourceKind {
    /// Returns the name as stored and as REST shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceKind::Url => "url",
            SourceKind::File => "file",
            SourceKind::Text => "text",
        }
    }
}

/// The state of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceStatus {
    /// The source is waiting for a worker.
    Pending,
    /// A sync is running.
    Scraping,
    /// The source was synced, and answers come from it.
    Indexed,
    /// The last sync failed. Answers still come from the previous sync.
    Failed,
}

impl SourceStatus {
    /// Returns the name as stored and as REST shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceStatus::Pending => "pending",
            SourceStatus::Scraping => "scraping",
            SourceStatus::Indexed => "indexed",
            SourceStatus::Failed => "failed",
        }
    }

    /// Returns whether a sync is running or scheduled.
    pub const fn is_busy(self) -> bool {
        matches!(self, SourceStatus::Pending | SourceStatus::Scraping)
    }

    /// Returns whether a source may change from this state to `next`.
    pub const fn may_become(self, next: SourceStatus) -> bool {
        use SourceStatus::{Failed, Indexed, Pending, Scraping};
        matches!(
            (self, next),
            // A pending source becomes indexed when its sync is canceled.
            (Pending, Scraping | Indexed | Failed)
                | (Scraping, Indexed | Failed | Scraping | Pending)
                | (Indexed | Failed, Pending | Scraping)
        )
    }
}

/// Conditions that select the sources of a list. A source must meet all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceFilter {
    /// Only sources with one of these states. `None` means all.
    pub statuses: Option<Vec<SourceStatus>>,
    /// Only sources of these kinds. `None` means all.
    pub kinds: Option<Vec<SourceKind>>,
}

/// The result of a visit to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageOutcome {
    /// The page was fetched and its content was read.
    Fetched,
    /// The page has not changed since the previous visit.
    Unchanged,
    /// The page was skipped for the given reason.
    Skipped,
    /// The page could not be fetched or read for the given reason.
    Failed,
}

impl PageOutcome {
    /// Returns the stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            PageOutcome::Fetched => "fetched",
            PageOutcome::Unchanged => "unchanged",
            PageOutcome::Skipped => "skipped",
            PageOutcome::Failed => "failed",
        }
    }
}

/// A web site, file or text that answers come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Site that the source belongs to.
    pub site_id: SiteId,
    /// ID of the source.
    pub id: SourceId,
    /// Kind of the source.
    pub kind: SourceKind,
    /// Normalized URL, or the name under which a file is stored. Unique per site and kind.
    pub url: String,
    /// Title that the last sync found.
    pub title: Option<String>,
    /// State of the source.
    pub status: SourceStatus,
    /// Reason of the last failure, written for the site's owner.
    pub error: Option<String>,
    /// Number of pages that answers come from.
    pub document_count: i64,
    /// Number of chunks in those pages.
    pub chunk_count: i64,
    /// Sync options, as JSON that `services` and `ingest` parse.
    pub options: String,
    /// Time of the next scheduled sync.
    pub next_scrape_at: Option<Timestamp>,
    /// Time at which the last sync finished.
    pub last_scraped_at: Option<Timestamp>,
    /// Time at which the source was added.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Report of the last or current sync, as JSON that `services` parses.
    pub crawl: Option<String>,
}

/// A page of a web site, or a file, that belongs to a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Site that the page belongs to.
    pub site_id: SiteId,
    /// ID of the page.
    pub id: DocumentId,
    /// Source that the page belongs to.
    pub source_id: SourceId,
    /// URL of the page, or name of the file.
    pub url: String,
    /// Title of the page.
    pub title: Option<String>,
    /// Language of the page.
    pub language: Option<String>,
    /// Result of the last visit.
    pub outcome: PageOutcome,
    /// Reason why the page was skipped or failed.
    pub reason: Option<String>,
    /// `ETag` of the last response, for conditional requests.
    pub etag: Option<String>,
    /// `Last-Modified` of the last response, for conditional requests.
    pub last_modified: Option<String>,
    /// SHA-256 of the extracted content, in lower-case hex. `None` until content was extracted.
    pub content_hash: Option<String>,
    /// Number of chunks of this page in the index.
    pub chunk_count: i64,
    /// Number of consecutive visits that did not find the page.
    pub misses: i32,
    /// Time of the last visit.
    pub fetched_at: Timestamp,
}

/// Parses a URL and returns it in its normal form: http or https, without credentials, fragment and
/// default port, and with a lower-case host without a trailing dot. `outbound` decides whether the
/// host may be contacted.
///
/// # Errors
/// Names the field `url` and what is wrong with it.
pub fn normal_url(text: &str) -> Result<Url, Invalid> {
    let refused = |message: &str| Invalid::new("url", message);
    let text = text.trim();
    if text.is_empty() {
        return Err(refused("Missing url"));
    }
    if text.chars().count() > URL_MAX_CHARS {
        return Err(refused("url must be at most 2048 characters"));
    }
    let mut url = Url::parse(text).map_err(|_| refused("url is not a valid URL"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("url must start with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("url must not contain a user name or password"));
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
    if host.is_empty() {
        return Err(refused("url must contain a host"));
    }
    url.set_host(Some(&host)).map_err(|_| refused("url is not a valid URL"))?;
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notations_of_one_url_have_one_normal_form() {
        let spellings = ["HTTPS://Example.com:443/faq#a", " https://example.com./faq ", "https://example.com/faq"];

        for spelling in spellings {
            assert_eq!(normal_url(spelling).map(String::from).as_deref(), Ok("https://example.com/faq"), "{spelling}");
        }
    }

    #[test]
    fn invalid_urls_are_rejected_with_the_reason() {
        for (text, reason) in [
            ("", "Missing url"),
            ("faq.html", "url is not a valid URL"),
            ("ftp://example.com/", "url must start with http:// or https://"),
            ("https://ann:pw@example.com/", "url must not contain a user name or password"),
        ] {
            assert_eq!(normal_url(text), Err(Invalid::new("url", reason)));
        }
    }

    #[test]
    fn an_indexed_source_can_be_synced_again() {
        assert!(SourceStatus::Indexed.may_become(SourceStatus::Pending));
        assert!(!SourceStatus::Indexed.may_become(SourceStatus::Failed));
        assert!(SourceStatus::Scraping.may_become(SourceStatus::Indexed));
        assert!(SourceStatus::Pending.may_become(SourceStatus::Indexed), "canceled");
    }
}
