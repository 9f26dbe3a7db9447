//! What a site says about crawling it (robots.txt, sitemaps), kept from one crawl to the next, so
//! that the server is only asked whether it has changed. What is kept is what `ground` made of it.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use helpbot_outbound::{Conditional, FetchError, FetchLimits, FetchedPage};
use helpbot_services::sources::sync::CrawlFile;
use url::Url;

use crate::reader::Reader;

/// What is kept of one source: a sitemap of 10,000 addresses. Larger ones are fetched whole.
const KEPT_MAX_BYTES: usize = 1024 * 1024;

/// The files of one source's site.
#[derive(Default)]
pub(super) struct Files {
    /// From the crawl before, by address.
    known: HashMap<String, CrawlFile>,
    /// For the crawl after, by address.
    kept: BTreeMap<String, CrawlFile>,
    kept_bytes: usize,
}

/// What a request for such a file gave.
pub(super) enum Answer {
    /// It has not changed: what was kept of it.
    Same(String),
    /// Anything else.
    New(Box<FetchedPage>),
}

impl Files {
    pub(super) fn of(known: Vec<CrawlFile>) -> Self {
        let known = known.into_iter().map(|file| (file.url.clone(), file)).collect();
        Self { known, ..Self::default() }
    }

    /// Fetches a file, or hears that it has not changed.
    pub(super) async fn get(
        &mut self,
        reader: &Reader,
        url: &Url,
        limits: &FetchLimits,
        delay: Duration,
    ) -> Result<Answer, FetchError> {
        let known = self.known.get(url.as_str()).cloned();
        let conditional = known
            .as_ref()
            .map(|file| Conditional { etag: file.etag.clone(), last_modified: file.last_modified.clone() });
        let fetched = reader.get(url, conditional.as_ref(), limits, delay).await?;
        match known {
            // Elsewhere, it is said of another file than the one that is known.
            Some(file) if fetched.status == 304 && fetched.redirects.is_empty() => {
                let content = file.content.clone();
                self.keep(file);
                Ok(Answer::Same(content))
            }
            _ if fetched.status == 304 => Ok(Answer::New(Box::new(reader.get(url, None, limits, delay).await?))),
            _ => Ok(Answer::New(Box::new(fetched))),
        }
    }

    /// Keeps what `fetched` said, where its server can be asked later whether that has changed.
    pub(super) fn learn(&mut self, url: &Url, fetched: &FetchedPage, content: String) {
        let (etag, last_modified) = (fetched.etag.clone(), fetched.last_modified.clone());
        let has_validator = etag.is_some() || last_modified.is_some();
        // The one character that PostgreSQL cannot store.
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

    /// All that is to be kept; none when that is what is kept already.
    pub(super) fn end(self) -> Option<Vec<CrawlFile>> {
        let is_same = self.known.len() == self.kept.len()
            && self.kept.iter().all(|(url, file)| self.known.get(url) == Some(file));
        (!is_same).then(|| self.kept.into_values().collect())
    }
}
