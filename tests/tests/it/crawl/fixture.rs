//! The use cases with a database of their own and a clock that the test moves, and workers that a test can start, kill and
//! watch.

use helpbot_db::staging::{self, StagedSync};
use helpbot_domain::chunk::{Chunk, StoredChunk};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use helpbot_db::chunks;
use helpbot_db::sites as site_rows;
use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_domain::source::{Document, PageOutcome, Source};
use helpbot_engine::Engine;
use helpbot_engine::engine::EngineSettings;
use helpbot_engine::model::{Embedder, ModelError};
use helpbot_ingest::Manners;
use helpbot_ingest::worker::Worker;
use helpbot_outbound::{Client, Policy, UserAgent};
use helpbot_services::accounts::sites::{self, NewSite};
use helpbot_services::runtime::clock::{Clock as _, ManualClock};
use helpbot_services::runtime::job_kinds::SYNC;
use helpbot_services::runtime::jobs;
use helpbot_services::runtime::randomness;
use helpbot_services::sources::options::SourceScope;
use helpbot_services::sources::{self, SourceOptionsPatch};
use helpbot_services::{Services, Settings, Viewer};
use helpbot_tests::database::TestDatabase;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use url::Url;

/// 2026-03-15T12:00:00Z.
const BEGIN: Timestamp = Timestamp::from_ms(1_773_576_000_000);

/// The longest that a test's work takes: 10,000 pages, on a machine that does other things too.
const WORK: Duration = Duration::from_secs(1_800);
const A_CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);

/// An embedding model that remembers what it was asked to embed.
#[derive(Default)]
pub struct Embedded(Mutex<Vec<String>>);

impl Embedded {
    /// The texts since the last look, in order.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Embedder for Embedded {
    fn model(&self) -> &str {
        "counting"
    }

    fn embed(&self, _model: &str, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        let vectors = texts.iter().map(|_| vec![1.0, 0.0]).collect();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(texts);
        async { Ok(vectors) }.boxed()
    }
}

pub struct CrawlFixture {
    pub embedded: Arc<Embedded>,
    pub services: Services,
    pub operator: Viewer,
    pub site: SiteId,
    clock: Arc<ManualClock>,
    db: Db,
    workers: AtomicU32,
    database: DatabaseUrl,
    data: TempDir,
}

impl CrawlFixture {
    pub async fn over(database: &TestDatabase) -> Self {
        let db = Db::open(database.url()).await.expect("an empty database opens");
        let clock = Arc::new(ManualClock::at(BEGIN));
        let embedded: Arc<Embedded> = Arc::default();
        let embedder: Option<Arc<dyn Embedder>> = Some(embedded.clone());
        let engine = Engine::new(EngineSettings { embedder, ..EngineSettings::default() });
        let settings = Settings::new([7; 32]);
        let services = Services::new(db.clone(), engine, clock.clone(), Arc::new(|_: &Url| Ok(())), settings);
        let operator = Viewer::operator(KeyId::from_uuid(randomness::uuid(BEGIN)));
        let new = NewSite { name: "Shop".into(), owner_email: "o@example.com".into(), plan: None, credit_limit: None };
        let site = sites::create(&services, &operator, new).await.expect("a site").id;
        let (database, data) = (database.url().clone(), tempfile::tempdir().expect("a temporary directory"));
        Self { embedded, services, operator, site, clock, db, workers: AtomicU32::default(), database, data }
    }

    /// Starts the product's own program on this database, with the system's clock.
    pub fn program(&self, arguments: &[&str]) -> Child {
        let database = match &self.database {
            DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            DatabaseUrl::Postgres(url) => url.as_str().to_owned(),
        };
        let site = self.site.to_string();
        let mut command = Command::new(helpbot_tests::helpbot_binary());
        command.args(arguments).args(["--site", &site, "--database", &database, "--data"]).arg(self.data.path());
        command.env_clear().env("HELPBOT_ALLOW_PRIVATE", "127.0.0.1").env("HELPBOT_CRAWL_DELAY_MS", "0");
        command.kill_on_drop(true).spawn().expect("the program was built and starts")
    }

    /// Moves on with each change of what the site answers from.
    pub async fn index_version(&self) -> i64 {
        let mut c = self.db.reader().await.expect("a reader");
        site_rows::index_versions(&mut c, self.site).await.expect("versions").expect("the site is there").0
    }

    pub fn pass(&self, time: Duration) {
        self.clock.set(self.clock.now().plus(time));
    }

    /// A worker that does not wait between requests.
    pub fn worker(&self) -> Arc<Worker> {
        self.worker_with(Manners { delay: Duration::ZERO, ..Manners::default() })
    }

    pub fn worker_with(&self, manners: Manners) -> Arc<Worker> {
        let policy = Policy::web("127.0.0.1".parse().expect("an address"));
        let agent = UserAgent::new("0", "https://example.com").expect("plain text");
        let client = Client::new(policy, &agent).expect("a client");
        let name = format!("worker-{}", self.workers.fetch_add(1, Ordering::Relaxed));
        Worker::with_manners(self.services.clone(), client, name, helpbot_tests::helpbot_binary(), manners)
    }

    /// Does all work that is due.
    pub async fn work(&self) {
        self.work_with(Manners { delay: Duration::ZERO, ..Manners::default() }).await;
    }

    /// The same with these manners.
    pub async fn work_with(&self, manners: Manners) {
        let work = self.worker_with(manners).work_off();
        tokio::time::timeout(WORK, work).await.unwrap_or_else(|_| panic!("the work did not end within {WORK:?}"));
    }

    /// Makes the one job of a worker that died free, as time does. (The program's lease is of the
    /// system's time, from which that of the test is far.)
    pub async fn end_lease(&self) {
        self.pass(A_CENTURY);
        let job = jobs::claim(&self.services, &[SYNC], "time", 1).await.expect("jobs").pop().expect("one job");
        self.clock.set(BEGIN);
        let freed = jobs::retry(&self.services, job.id, "time", Duration::ZERO, "its lease ran out").await;
        assert!(freed.expect("a job is put back"));
    }

    pub async fn cancel(&self, source: &Source) -> Source {
        let cancelled = sources::cancel(&self.services, &self.operator, Some(self.site), source.id).await;
        cancelled.expect("the source is there")
    }

    pub async fn add(&self, url: &Url, wishes: SourceOptionsPatch) -> Source {
        let added = sources::add_crawl(&self.services, &self.operator, Some(self.site), url.as_str(), wishes).await;
        added.expect("a source").0
    }

    pub async fn add_site(&self, url: &Url) -> Source {
        self.add(url, SourceOptionsPatch { scope: Some(SourceScope::Site), ..SourceOptionsPatch::default() }).await
    }

    pub async fn rescrape(&self, source: &Source) {
        let asked = sources::request_sync(&self.services, &self.operator, Some(self.site), source.id, None).await;
        asked.expect("another reading");
    }

    pub async fn source(&self, source: &Source) -> Source {
        let found = sources::by_ids(&self.services, &self.operator, Some(self.site), &[source.id]).await;
        found.expect("the source is read").pop().expect("the source is there")
    }

    pub async fn pages(&self, source: &Source) -> Vec<Document> {
        sources::pages(&self.services, &self.operator, source, None, helpbot_domain::page::PageRequest::first(10_000))
            .await
            .expect("pages")
    }

    /// The paths of the report by their outcome.
    pub async fn report(&self, source: &Source) -> BTreeMap<&'static str, BTreeSet<String>> {
        let mut report: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for page in self.pages(source).await {
            report.entry(page.outcome.as_str()).or_default().insert(path(&page.url));
        }
        report
    }

    /// What the report says of one path: outcome, reason, chunks.
    pub async fn row(&self, source: &Source, wanted: &str) -> (PageOutcome, Option<String>, i64) {
        let pages = self.pages(source).await;
        let page = pages.into_iter().find(|page| path(&page.url) == wanted);
        page.map(|page| (page.outcome, page.reason, page.chunk_count)).unwrap_or_else(|| panic!("no row for {wanted}"))
    }

    /// The stage of a source, if its sync has one.
    pub async fn staged(&self, source: &Source) -> Option<StagedSync> {
        let mut c = self.db.reader().await.expect("a reader");
        staging::of_source(&mut c, source.site_id, source.id).await.expect("the stage is read")
    }

    /// Another site in the same database.
    pub async fn other_site(&self) -> SiteId {
        let new = NewSite { name: "Other".into(), owner_email: "o@example.com".into(), plan: None, credit_limit: None };
        sites::create(&self.services, &self.operator, new).await.expect("a site").id
    }

    /// All chunks of a site as sorted texts: address, question, headings and text of each.
    pub async fn texts(&self, site: SiteId) -> Vec<String> {
        const PAGE: i64 = 5_000;
        let (mut texts, mut after) = (Vec::new(), None);
        loop {
            let mut c = self.db.reader().await.expect("a reader");
            let page = chunks::of_site(&mut c, site, after, PAGE).await.expect("chunks");
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            let text = |chunk: StoredChunk| {
                let Chunk { url, question, heading, text, .. } = chunk.chunk;
                format!("{url:?} {question:?} {heading:?} {text}")
            };
            texts.extend(page.into_iter().map(text));
        }
        texts.sort();
        texts
    }

    /// All chunks of the site by id.
    pub async fn chunks(&self) -> BTreeMap<String, StoredChunk> {
        let mut c = self.db.reader().await.expect("a reader");
        let all = chunks::of_site(&mut c, self.site, None, 100_000).await.expect("chunks");
        all.into_iter().map(|chunk| (chunk.id.to_string(), chunk)).collect()
    }
}

fn path(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned())
}
