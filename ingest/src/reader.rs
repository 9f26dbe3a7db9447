//! Everything that a sync needs: use cases, HTTP client, turns of hosts, and threads for extraction.
//! The worker has one [`Reader`] and reads pages, files and crawls with it.

use std::path::PathBuf;
use std::time::Duration;

use helpbot_outbound::{Client, Conditional, FetchError, FetchLimits, FetchedPage};
use helpbot_services::sources::crawl_turns;
use helpbot_services::sources::page_sync::SyncedPage;
use helpbot_services::{Error, Result, Services};
use tokio::sync::Semaphore;
use url::Url;

use crate::crawl::plan;
use crate::politeness::{Hosts, Manners};
use crate::{pdf, refresh};

/// Maximum number of extractions at once. Each may use one core and, for the largest page, some 200 MB.
const EXTRACTIONS_AT_ONCE: usize = 4;

/// Maximum number of moves in a row without a redirect.
const MOVES_MAX: usize = 3;

/// Result of reading a source.
pub(crate) enum ReadOutcome {
    /// The pages for the index.
    Read {
        /// Title of the first page.
        title: Option<String>,
        /// At least one page.
        pages: Vec<SyncedPage>,
    },
    /// Nothing was read. The reason is for the owner.
    Failed(String),
}

/// Reads sources for the worker.
pub(crate) struct Reader {
    pub(crate) services: Services,
    client: Client,
    /// Program that reads PDF files when it is started with [`crate::pdf::CHILD_ARGUMENT`].
    pdf_program: PathBuf,
    pub(crate) manners: Manners,
    pub(crate) hosts: Hosts,
    /// Name on the turns at hosts, different for each reader.
    owner: String,
    extractions: Semaphore,
}

impl Reader {
    pub(crate) fn new(
        services: Services,
        client: Client,
        owner: String,
        pdf_program: PathBuf,
        manners: Manners,
    ) -> Self {
        let (hosts, extractions) = (Hosts::default(), Semaphore::new(EXTRACTIONS_AT_ONCE));
        Self { services, client, pdf_program, manners, hosts, owner, extractions }
    }

    /// Fetches a URL when it is the turn of its host, on this node and among all nodes. `delay` is the pause that the site asks for.
    pub(crate) async fn get(
        &self,
        url: &Url,
        conditional: Option<&Conditional>,
        limits: &FetchLimits,
        delay: Duration,
    ) -> Result<FetchedPage, FetchError> {
        let delay = delay.max(self.manners.delay);
        let host = self.hosts.of(url);
        let fetch = async {
            let turn = crawl_turns::wait(&self.services, &host.name, &self.owner).await;
            let fetched = self.client.get(url, conditional, limits).await;
            if let Some(turn) = turn {
                turn.end(&self.services, delay).await;
            }
            fetched
        };
        host.request(delay, fetch).await
    }

    /// Fetches a page. When the page sends its visitors to another page of the same site by a refresh, fetches
    /// that page and lists the first one among the redirects.
    pub(crate) async fn get_page(
        &self,
        url: &Url,
        conditional: Option<&Conditional>,
        delay: Duration,
    ) -> Result<FetchedPage, FetchError> {
        let mut fetched = self.get(url, conditional, &self.manners.page, delay).await?;
        for _ in 0..MOVES_MAX {
            let target = (200..300).contains(&fetched.status).then(|| refresh::moved_to(&fetched)).flatten();
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

    /// Runs an extraction on a thread that may block: a large page takes a second.
    pub(crate) async fn extract<T: Send + 'static>(
        &self,
        work: impl FnOnce(&pdf::Child) -> T + Send + 'static,
    ) -> Result<T> {
        let _permit = self.extractions.acquire().await.map_err(Error::internal)?;
        let child = pdf::Child { program: self.pdf_program.clone(), limits: pdf::Limits::default() };
        tokio::task::spawn_blocking(move || work(&child)).await.map_err(Error::internal)
    }
}
