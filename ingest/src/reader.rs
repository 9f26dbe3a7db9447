//! What reading a source takes: the use cases to load from and store to, the client, the hosts'
//! turns, and threads to extract on. The worker has one; a page, a file and a crawl are read
//! with it.

use std::path::PathBuf;
use std::time::Duration;

use helpbot_outbound::{Client, Conditional, FetchError, FetchLimits, FetchedPage};
use helpbot_services::sources::page_sync::SyncedPage;
use helpbot_services::{Error, Result, Services};
use tokio::sync::Semaphore;
use url::Url;

use crate::crawl::plan;
use crate::politeness::{Hosts, Manners};
use crate::{content, pdf};

/// Extractions at a time: each may use a core and, for the largest page, some 200 MB.
const EXTRACTIONS_AT_ONCE: usize = 4;

/// How often a page may move its visitors on in a row.
const MOVES_MAX: usize = 3;

/// What reading a source gave.
pub(crate) enum Outcome {
    /// Its pages, for the index.
    Read {
        /// The title of the first page.
        title: Option<String>,
        /// At least one.
        pages: Vec<SyncedPage>,
    },
    /// Nothing, for this reason, which its owner reads.
    Failed(String),
}

/// The means of reading.
pub(crate) struct Reader {
    pub(crate) services: Services,
    client: Client,
    /// Answers [`crate::pdf::CHILD_ARGUMENT`].
    pdf_program: PathBuf,
    pub(crate) manners: Manners,
    pub(crate) hosts: Hosts,
    extractions: Semaphore,
}

impl Reader {
    pub(crate) fn new(services: Services, client: Client, pdf_program: PathBuf, manners: Manners) -> Self {
        let (hosts, extractions) = (Hosts::default(), Semaphore::new(EXTRACTIONS_AT_ONCE));
        Self { services, client, pdf_program, manners, hosts, extractions }
    }

    /// Fetches when it is the host's turn. `delay` is what the site asks for between requests.
    pub(crate) async fn get(
        &self,
        url: &Url,
        conditional: Option<&Conditional>,
        limits: &FetchLimits,
        delay: Duration,
    ) -> Result<FetchedPage, FetchError> {
        let delay = delay.max(self.manners.delay);
        self.hosts.of(url).request(delay, self.client.get(url, conditional, limits)).await
    }

    /// Fetches a page, and the page that it moves its visitors on to without a redirect, if that is on the
    /// same site. Such moves are listed among the redirects.
    pub(crate) async fn get_page(
        &self,
        url: &Url,
        conditional: Option<&Conditional>,
        delay: Duration,
    ) -> Result<FetchedPage, FetchError> {
        let mut fetched = self.get(url, conditional, &self.manners.page, delay).await?;
        for _ in 0..MOVES_MAX {
            let target = (200..300).contains(&fetched.status).then(|| content::moved_to(&fetched)).flatten();
            let Some(target) = target.filter(|target| plan::is_same_site(&fetched.final_url, target)) else { break };
            if fetched.redirects.contains(&target) || target == *url {
                break;
            }
            let mut next = self.get(&target, None, &self.manners.page, delay).await?;
            let mut redirects = std::mem::take(&mut fetched.redirects);
            redirects.push(fetched.final_url);
            redirects.append(&mut next.redirects);
            next.redirects = redirects;
            fetched = next;
        }
        Ok(fetched)
    }

    /// Runs extraction off the threads that answer: a big page takes a second.
    pub(crate) async fn extract<T: Send + 'static>(
        &self,
        work: impl FnOnce(&pdf::Child) -> T + Send + 'static,
    ) -> Result<T> {
        let _permit = self.extractions.acquire().await.map_err(Error::internal)?;
        let child = pdf::Child { program: self.pdf_program.clone(), limits: pdf::Limits::default() };
        tokio::task::spawn_blocking(move || work(&child)).await.map_err(Error::internal)
    }
}
