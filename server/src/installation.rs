//! An installation, opened: its database, its keys and the use cases over them. The server and
//! every command begin here.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::ids::KeyId;
use helpbot_engine::Engine;
use helpbot_engine::engine::EngineSettings;
use helpbot_engine::model::{Embedder, ModelClient};
use helpbot_engine::openai::{OpenAi, ServerSettings};
use helpbot_ingest::Manners;
use helpbot_ingest::worker::Worker;
use helpbot_outbound::{Client, Dial, LogMailer, Mailer, Policy, SmtpMailer, StreamLimits, UserAgent, check_url};
use helpbot_services::runtime::randomness;
use helpbot_services::{Clock, Services, SystemClock, UrlPolicy, Viewer};
use url::Url;

use crate::error::StartError;
use crate::settings::{self, Embeddings, ModelServer, Settings};

/// What stands in for a part of the world, for tests. The default is the world itself.
#[derive(Clone)]
pub struct Parts {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Writes answers, in place of the server that the settings name.
    pub model: Option<Arc<dyn ModelClient>>,
    /// Reads PDF when started with [`helpbot_ingest::pdf::CHILD_ARGUMENT`]; this program if none.
    pub pdf_program: Option<PathBuf>,
    /// How pages and webhooks are dialled: who says where a name leads.
    pub dial: Dial,
}

impl Default for Parts {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), model: None, pdf_program: None, dial: Dial::default() }
    }
}

/// An opened installation; cheap to clone.
#[derive(Clone)]
pub struct Installation {
    /// What holds.
    pub settings: Arc<Settings>,
    /// The use cases.
    pub services: Services,
    /// Fetches pages.
    pub client: Client,
    /// Sends to webhooks.
    pub webhook_client: Client,
    /// Sends mail, or says in the log that it waits.
    pub mailer: Arc<dyn Mailer>,
    pdf_program: PathBuf,
}

/// How the database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Bring it up to date first.
    Apply,
    /// Refuse one that is not.
    Require,
}

impl Installation {
    /// Opens an installation; makes what is missing of it.
    ///
    /// # Errors
    /// Each [`StartError`] but those of listening and the first site.
    pub async fn open(settings: Settings, parts: Parts, migrations: Migrations) -> Result<Self, StartError> {
        let secret_key = secret_key(&settings)?;
        let opened = match migrations {
            Migrations::Apply => Db::open(&settings.database).await,
            Migrations::Require => Db::open_migrated(&settings.database).await,
        };
        let database = settings.database.to_string();
        let db = opened.map_err(|cause| StartError::Database { database, cause })?;
        let pages = Policy::web(settings.allow_private.clone());
        let webhooks = Policy::webhooks(settings.allow_private.clone());
        let agent = user_agent(&settings)?;
        let dial = trusting(&settings, parts.dial);
        let client = Client::with_dial(pages.clone(), &agent, dial.clone()).map_err(setting)?;
        let webhook_client = Client::with_dial(webhooks.clone(), &agent, dial).map_err(setting)?;
        let model = match (parts.model, &settings.model) {
            (Some(model), _) => Some(model),
            (None, Some(server)) => {
                Some(Arc::new(open_ai(server, StreamLimits::ANSWER, &settings)?) as Arc<dyn ModelClient>)
            }
            (None, None) => None,
        };
        let embedder = embedder(&settings).await?;
        let engine = Engine::new(EngineSettings { model, embedder, ..EngineSettings::default() });
        let mut of_services = helpbot_services::Settings::new(secret_key);
        of_services.event_retention = Duration::from_secs(u64::from(settings.event_retention_days) * 86_400);
        let services = Services::new(db, engine, parts.clock, rule(pages), of_services);
        let services = services.with_webhook_policy(rule(webhooks));
        let mailer = mailer(&settings)?;
        let pdf_program = match parts.pdf_program {
            Some(program) => program,
            None => std::env::current_exe().map_err(setting)?,
        };
        Ok(Self { settings: Arc::new(settings), services, client, webhook_client, mailer, pdf_program })
    }

    /// Who the program itself acts as: whoever can read its database may do anything.
    pub fn operator(&self) -> Viewer {
        Viewer::operator(KeyId::from_uuid(randomness::uuid(self.services.now())))
    }

    /// A worker that reads sources, under a name of its own.
    pub fn worker(&self) -> Arc<Worker> {
        let delay = Duration::from_millis(u64::from(self.settings.crawl_delay_ms));
        let (services, client, program) = (self.services.clone(), self.client.clone(), self.pdf_program.clone());
        let manners = Manners { delay, ..Manners::default() };
        Worker::with_manners(services, client, self.lease_owner(), program, manners)
    }

    /// A client that reaches the server at `base` and no other; for what the operator names.
    ///
    /// # Errors
    /// `Setting`.
    pub fn client_of(&self, base: &Url) -> Result<Client, StartError> {
        operators_client(base, &self.settings)
    }

    /// A name for leases that no other worker has.
    pub fn lease_owner(&self) -> String {
        format!("helpbot-{}", randomness::uuid(self.services.now()))
    }
}

/// The key that is set, or that of the data directory, which is made where it is needed.
fn secret_key(settings: &Settings) -> Result<[u8; 32], StartError> {
    let needs_directory = settings.secret_key.is_none() || is_inside(&settings.data, &settings.database);
    if needs_directory {
        let made = std::fs::create_dir_all(&settings.data);
        made.map_err(|cause| StartError::Data { path: settings.data.clone(), cause })?;
    }
    match settings.secret_key {
        Some(key) => Ok(key),
        None => Ok(settings::load_secret_key(&settings.data)?),
    }
}

fn is_inside(data: &std::path::Path, database: &DatabaseUrl) -> bool {
    matches!(database, DatabaseUrl::Sqlite(path) if path.starts_with(data))
}

/// The name that we go by when we fetch: with the address where an operator can be found.
fn user_agent(settings: &Settings) -> Result<UserAgent, StartError> {
    let contact = settings.public_url.as_ref().map_or("self-hosted", |url| url.as_str());
    UserAgent::new(env!("CARGO_PKG_VERSION"), contact).map_err(setting)
}

/// What `policy` says of an address, as the use cases ask it.
fn rule(policy: Policy) -> UrlPolicy {
    Arc::new(move |url| check_url(url, &policy).map_err(|error| error.to_string()))
}

fn mailer(settings: &Settings) -> Result<Arc<dyn Mailer>, StartError> {
    match &settings.smtp {
        Some(smtp) => Ok(Arc::new(SmtpMailer::new(smtp).map_err(setting)?)),
        None => Ok(Arc::new(LogMailer)),
    }
}

/// A client for one server that the operator names.
fn operators_client(base: &Url, settings: &Settings) -> Result<Client, StartError> {
    let dial = trusting(settings, Dial::default());
    Client::with_dial(Policy::operator(base), &user_agent(settings)?, dial).map_err(setting)
}

/// The same way of dialling, with the operator's authorities.
fn trusting(settings: &Settings, mut dial: Dial) -> Dial {
    dial.authorities.extend(settings.authorities.iter().cloned());
    dial
}

/// The embedding model that the settings name, ready to be asked; none where the built-in table
/// serves.
///
/// # Errors
/// `Setting`: the folder holds no model that can be read.
pub(crate) async fn embedder(settings: &Settings) -> Result<Option<Arc<dyn Embedder>>, StartError> {
    match &settings.embedder {
        Some(Embeddings::Server(server)) => {
            Ok(Some(Arc::new(open_ai(server, StreamLimits::EMBEDDINGS, settings)?) as Arc<dyn Embedder>))
        }
        Some(Embeddings::Folder(path)) => local_model(path).await.map(Some),
        None => Ok(None),
    }
}

#[cfg(feature = "local-model")]
async fn local_model(path: &Path) -> Result<Arc<dyn Embedder>, StartError> {
    use helpbot_engine::local::LocalModel;
    let path = path.to_path_buf();
    let read = tokio::task::spawn_blocking(move || LocalModel::load(&path)).await.map_err(setting)?;
    let model = read.map_err(|error| setting(format!("embed_model_dir: {error}")))?;
    Ok(Arc::new(model))
}

#[cfg(not(feature = "local-model"))]
async fn local_model(_: &Path) -> Result<Arc<dyn Embedder>, StartError> {
    Err(setting(settings::NO_LOCAL_MODELS))
}

fn open_ai(server: &ModelServer, limits: StreamLimits, settings: &Settings) -> Result<OpenAi, StartError> {
    let client = operators_client(&server.base_url, settings)?;
    let server = ServerSettings {
        base_url: server.base_url.clone(),
        api_key: server.api_key.clone(),
        model: server.model.clone(),
        limits,
    };
    Ok(OpenAi::new(client, server))
}

fn setting(error: impl std::fmt::Display) -> StartError {
    StartError::Setting(error.to_string())
}
