//! What reading a source takes: the use cases to load from and store to, the client, the hosts'
//! turns, and threads to extract on. The worker has one; a page, a file and a crawl are read
//! with it.

use std::path::PathBuf;
use std::time::Duration;

use helpbot_outbound::{Client, Conditional, FetchError, Fetched, Limits};
use helpbot_services::sources::reading::PageReading;
use helpbot_services::{Error, Result, Services};
use tokio::sync::Semaphore;
use url::Url;

use crate::pdf;
use crate::politeness::{Hosts, Manners};

/// Extractions at a time: each may use a core and, for the largest page, some 200 MB.
const EXTRACTIONS_AT_ONCE: usize = 4;

/// What reading a source gave.
pub(crate) enum Outcome {
    /// Its pages, for the index.
    Read {
        /// The title of the first page.
        title: Option<String>,
        /// At least one.
        pages: Vec<PageReading>,
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
        limits: &Limits,
        delay: Duration,
    ) -> Result<Fetched, FetchError> {
        let delay = delay.max(self.manners.delay);
        self.hosts.of(url).request(delay, self.client.get(url, conditional, limits)).await
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
