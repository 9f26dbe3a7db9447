//! Sources of answers: their kinds, states and legal moves, and the normal form of addresses.

use serde::{Deserialize, Serialize};
use url::Url;

use crate::ids::{DocumentId, SiteId, SourceId};
use crate::{Invalid, Timestamp};

/// The longest address (the documented REST contract).
pub const URL_MAX_CHARS: usize = 2048;

/// Where a source's text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A page or site, fetched and fetched again.
    Url,
    /// An uploaded file.
    File,
    /// Entries typed by hand.
    Text,
}

impl SourceKind {
    /// The name as stored and as REST shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceKind::Url => "url",
            SourceKind::File => "file",
            SourceKind::Text => "text",
        }
    }
}

/// How far a source has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceStatus {
    /// Waiting for a worker.
    Pending,
    /// Being read.
    Scraping,
    /// Read; answers come from it.
    Indexed,
    /// Not read, for the reason it carries; what was indexed before still answers.
    Failed,
}

impl SourceStatus {
    /// The name as stored and as REST shows it.
    pub const fn as_str(self) -> &'static str {
        match self {
            SourceStatus::Pending => "pending",
            SourceStatus::Scraping => "scraping",
            SourceStatus::Indexed => "indexed",
            SourceStatus::Failed => "failed",
        }
    }

    /// Whether a worker has it or will have it soon.
    pub const fn is_busy(self) -> bool {
        matches!(self, SourceStatus::Pending | SourceStatus::Scraping)
    }

    /// Whether a source may go from this state to `next`.
    pub const fn may_become(self, next: SourceStatus) -> bool {
        use SourceStatus::{Failed, Indexed, Pending, Scraping};
        matches!(
            (self, next),
            // From waiting straight to read: the reading was cancelled.
            (Pending, Scraping | Indexed | Failed)
                | (Scraping, Indexed | Failed | Scraping | Pending)
                | (Indexed | Failed, Pending | Scraping)
        )
    }
}

/// What came of a visit to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PageOutcome {
    /// Fetched and read.
    Fetched,
    /// The same as at the visit before.
    Unchanged,
    /// Left out, for the reason it carries.
    Skipped,
    /// Not to be had or not to be read, for the reason it carries.
    Failed,
}

impl PageOutcome {
    /// The name as stored.
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
#[derive(Debug, Clone, PartialEq, Eq)]
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

/// A URL in its normal form: http or https, no user, no fragment, no default port, lower
/// case host without a trailing dot. Whether the host may be reached is `outbound`'s to say.
///
/// # Errors
/// Names `url` and what is wrong with it.
pub fn normal_url(text: &str) -> Result<Url, Invalid> {
    let refused = |message: &str| Invalid::new("url", message);
    let text = text.trim();
    if text.is_empty() {
        return Err(refused("Missing url"));
    }
    if text.chars().count() > URL_MAX_CHARS {
        return Err(refused("url must be at most 2048 characters"));
    }
    let mut url = Url::parse(text).map_err(|_| refused("url is not a valid address"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused("url must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("url must not carry a user name or password"));
    }
    let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_owned();
    if host.is_empty() {
        return Err(refused("url has no host"));
    }
    url.set_host(Some(&host)).map_err(|_| refused("url is not a valid address"))?;
    url.set_fragment(None);
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_have_one_normal_form() {
        let spellings = ["HTTPS://Example.com:443/faq#a", " https://example.com./faq ", "https://example.com/faq"];

        for spelling in spellings {
            assert_eq!(normal_url(spelling).map(String::from).as_deref(), Ok("https://example.com/faq"), "{spelling}");
        }
    }

    #[test]
    fn addresses_that_are_none_are_refused_with_the_reason() {
        for (text, reason) in [
            ("", "Missing url"),
            ("faq.html", "url is not a valid address"),
            ("ftp://example.com/", "url must begin with http:// or https://"),
            ("https://ann:pw@example.com/", "url must not carry a user name or password"),
        ] {
            assert_eq!(normal_url(text), Err(Invalid::new("url", reason)));
        }
    }

    #[test]
    fn an_indexed_source_goes_through_scraping_again() {
        assert!(SourceStatus::Indexed.may_become(SourceStatus::Pending));
        assert!(!SourceStatus::Indexed.may_become(SourceStatus::Failed));
        assert!(SourceStatus::Scraping.may_become(SourceStatus::Indexed));
        assert!(SourceStatus::Pending.may_become(SourceStatus::Indexed), "cancelled");
    }
}
