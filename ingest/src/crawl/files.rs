//! Files of a site for crawlers (robots.txt, sitemaps), stored from one crawl to the next, so that the server only
//! has to confirm that they have not changed. `ground` decides what is stored of them.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use helpbot_outbound::{Conditional, FetchError, FetchLimits, FetchedPage};
use helpbot_services::sources::sync::CrawlFile;
use url::Url;

use crate::reader::Reader;

/// Maximum size stored for one source: sitemaps with some 40,000 URLs. Larger files are fetched each time.
const KEPT_MAX_BYTES: usize = 4 * 1024 * 1024;

/// Files of the site of one source.
#[derive(Default)]
pub(super) struct Files {
    /// From the previous crawl, by URL.
    known: HashMap<String, CrawlFile>,
    /// For the next crawl, by URL.
    kept: BTreeMap<String, CrawlFile>,
    kept_bytes: usize,
}

/// Result of a request for such a file.
pub(super) enum FileResponse {
    /// It has not changed. Contains what was stored.
    Same(String),
    /// Any other response.
    New(Box<FetchedPage>),
}

impl Files {
    pub(super) fn of(known: Vec<CrawlFile>) -> Self {
        let known = known.into_iter().map(|file| (file.url.clone(), file)).collect();
        Self { known, ..Self::default() }
    }

    /// Fetches a file, or returns what was stored when it has not changed.
    pub(super) async fn get(
        &mut self,
        reader: &Reader,
        url: &Url,
        limits: &FetchLimits,
        delay: Duration,
    ) -> Result<FileResponse, FetchError> {
        let known = self.known.get(url.as_str()).cloned();
        let conditional = known
            .as_ref()
            .map(|file| Conditional { etag: file.etag.clone(), last_modified: file.last_modified.clone() });
        let fetched = reader.get(url, conditional.as_ref(), limits, delay).await?;
        match known {
            // After a redirect, "not modified" applies to another file than the stored one.
            Some(file) if fetched.status == 304 && fetched.redirects.is_empty() => {
                let content = file.content.clone();
                self.keep(file);
                Ok(FileResponse::Same(content))
            }
            _ if fetched.status == 304 => Ok(FileResponse::New(Box::new(reader.get(url, None, limits, delay).await?))),
            _ => Ok(FileResponse::New(Box::new(fetched))),
        }
    }

    /// Stores the content when the server can be asked later whether it has changed.
    pub(super) fn learn(&mut self, url: &Url, fetched: &FetchedPage, content: String) {
        let (etag, last_modified) = (fetched.etag.clone(), fetched.last_modified.clone());
        let has_validator = etag.is_some() || last_modified.is_some();
        // PostgreSQL cannot store this character.
        if has_validator && fetched.redirects.is_empty() && !content.contains('\0') {
            self.keep(CrawlFile { url: url.to_string(), etag, last_modified, content });
        }
    }

    fn keep(&mut self, file: CrawlFile) {
        if self.kept_bytes + file.content.len() <= KEPT_MAX_BYTES {
            self.kept_bytes += file.content.len();
            self.kept.insert(file.url.clone(), file);
        }
    }

    /// Returns the files to store. `None` when nothing has changed.
    pub(super) fn end(self) -> Option<Vec<CrawlFile>> {
        let is_same = self.known.len() == self.kept.len()
            && self.kept.iter().all(|(url, file)| self.known.get(url) == Some(file));
        (!is_same).then(|| self.kept.into_values().collect())
    }
}
