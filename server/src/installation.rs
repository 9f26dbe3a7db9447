//! Opens an installation: the settings, the secret key, the database, the clients and the use cases. The
//! server and every command start here. This file wires the parts together and contains no rules.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use helpbot_db::{DatabaseUrl, Db};
use helpbot_domain::ids::KeyId;
use helpbot_engine::Engine;
use helpbot_engine::engine::EngineSettings;
use helpbot_engine::model::{Embedder, ModelClient};
use helpbot_engine::openai::{ModelCalls, OpenAi, ServerSettings};
use helpbot_ingest::Manners;
use helpbot_ingest::worker::Worker;
use helpbot_outbound::{Client, Dial, LogMailer, Mailer, Policy, SmtpMailer, StreamLimits, UserAgent, check_url};
use helpbot_services::runtime::installation::InstallationCheck;
use helpbot_services::runtime::{self, randomness};
use helpbot_services::{Clock, ReplyMailSettings, Services, SystemClock, UrlPolicy, Viewer};
use url::Url;

use crate::error::StartError;
use crate::private_files;
use crate::settings::{self, EmbeddingModel, ModelServer, Settings};

/// Replacements for parts of the environment, for tests. The defaults are the real parts.
#[derive(Clone, Default)]
pub struct Parts {
    /// The clock. Defaults to that of the database server, or of the machine with SQLite.
    pub clock: Option<Arc<dyn Clock>>,
    /// Writes answers instead of the model server of the settings.
    pub model: Option<Arc<dyn ModelClient>>,
    /// Program that reads PDF files when it is started with [`helpbot_ingest::pdf::CHILD_ARGUMENT`]. Defaults
    /// to the running program.
    pub pdf_program: Option<PathBuf>,
    /// How host names of pages and webhooks are resolved and connected to.
    pub dial: Dial,
}

/// An opened installation. Cloning is cheap.
#[derive(Clone)]
pub struct Installation {
    /// The effective settings.
    pub settings: Arc<Settings>,
    /// The use cases.
    pub services: Services,
    /// HTTP client for pages.
    pub client: Client,
    /// HTTP client for webhooks.
    pub webhook_client: Client,
    /// Sends mail. Without a mail server, it logs that mail waits.
    pub mailer: Arc<dyn Mailer>,
    /// Requests to the model server that writes answers.
    pub answer_calls: Arc<ModelCalls>,
    /// Requests to the server of the embedding model.
    pub embedding_calls: Arc<ModelCalls>,
    pdf_program: PathBuf,
}

/// What to do about pending migrations when the database is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Migrations {
    /// Apply them.
    Apply,
    /// Apply them to a database without tables, and refuse another one that has some.
    OnlyNew,
    /// Refuse to open a database that has some.
    Require,
}

impl Installation {
    /// Opens an installation, and creates its directory, secret key and SQLite database when they are missing.
    ///
    /// # Errors
    /// Every [`StartError`] except `Listen` and `FirstSite`.
    pub async fn open(settings: Settings, parts: Parts, migrations: Migrations) -> Result<Self, StartError> {
        let secret_key = secret_key(&settings)?;
        create_database_file(&settings)?;
        let opened = match migrations {
            Migrations::Apply => Db::open(&settings.database).await,
            Migrations::OnlyNew => Db::open_or_create(&settings.database).await,
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
        let (answer_calls, embedding_calls) = (Arc::<ModelCalls>::default(), Arc::<ModelCalls>::default());
        let model = match (parts.model, &settings.model) {
            (Some(model), _) => Some(model),
            (None, Some(server)) => {
                let model = open_ai(server, StreamLimits::ANSWER, &settings)?;
                Some(Arc::new(model.counting(answer_calls.clone())) as Arc<dyn ModelClient>)
            }
            (None, None) => None,
        };
        let embedder = embedder(&settings, embedding_calls.clone()).await?;
        let engine = Engine::new(EngineSettings { model, embedder, ..EngineSettings::default() });
        let mut of_services = helpbot_services::Settings::new(secret_key);
        of_services.previous_secret_key = settings.previous_secret_key;
        of_services.hash_key = hash_key(&db, &of_services, &settings).await?;
        of_services.event_retention = Duration::from_secs(u64::from(settings.event_retention_days) * 86_400);
        of_services.handoff_mail_interval = Duration::from_secs(u64::from(settings.handoff_mail_interval_s));
        of_services.reply_mails = settings.smtp.as_ref().map(|_| ReplyMailSettings {
            delay: Duration::from_secs(u64::from(settings.reply_mail_delay_s)),
            inbound_domain: settings.inbound_mail_domain.clone(),
        });
        let clock = clock(parts.clock, &db).await.map_err(StartError::Installation)?;
        let services = Services::new(db, engine, clock, rule(pages), of_services);
        let services = services.with_webhook_policy(rule(webhooks));
        usable(runtime::installation::check(&services).await, &settings)?;
        let mailer = mailer(&settings)?;
        let pdf_program = match parts.pdf_program {
            Some(program) => program,
            None => std::env::current_exe().map_err(setting)?,
        };
        Ok(Self {
            settings: Arc::new(settings),
            services,
            client,
            webhook_client,
            mailer,
            answer_calls,
            embedding_calls,
            pdf_program,
        })
    }

    /// Makes the secret key that of an installation that has none. A server does so, and a command that creates the database.
    ///
    /// # Errors
    /// `WrongKey` when another node was faster; `Unfinished`; `Installation`.
    pub async fn adopt_key(&self) -> Result<(), StartError> {
        usable(runtime::installation::adopt_key(&self.services).await, &self.settings)
    }

    /// The identity of commands and of the server itself. Anyone who can read the database has all rights.
    pub fn operator(&self) -> Viewer {
        Viewer::operator(KeyId::from_uuid(randomness::uuid(self.services.now())))
    }

    /// A worker that syncs sources, with a lease owner of its own.
    pub fn worker(&self) -> Arc<Worker> {
        self.worker_named(self.lease_owner())
    }

    /// A worker that syncs sources, with this name on its leases.
    pub(crate) fn worker_named(&self, owner: String) -> Arc<Worker> {
        let delay = Duration::from_millis(u64::from(self.settings.crawl_delay_ms));
        let (services, client, program) = (self.services.clone(), self.client.clone(), self.pdf_program.clone());
        let manners = Manners { delay, ..Manners::default() };
        Worker::with_manners(services, client, owner, program, manners)
    }

    /// An HTTP client that connects only to the server at `base`, which the operator has named.
    ///
    /// # Errors
    /// `Setting` when the client cannot be created.
    pub fn client_of(&self, base: &Url) -> Result<Client, StartError> {
        operators_client(base, &self.settings)
    }

    /// A new, unique name for the leases of a worker.
    pub fn lease_owner(&self) -> String {
        format!("helpbot-{}", randomness::uuid(self.services.now()))
    }
}

/// Creates the data directory if the secret key or the database is in it.
pub(crate) fn create_data_directory(settings: &Settings) -> Result<(), StartError> {
    let needs_directory = settings.secret_key.is_none() || is_inside(&settings.data, &settings.database);
    if needs_directory {
        let created = private_files::create_directory(&settings.data);
        created.map_err(|cause| StartError::Data { path: settings.data.clone(), cause })?;
    }
    Ok(())
}

/// The secret key of the settings, or else of the data directory. Creates the directory when it is needed.
fn secret_key(settings: &Settings) -> Result<[u8; 32], StartError> {
    create_data_directory(settings)?;
    match settings.secret_key {
        Some(key) => Ok(key),
        None => Ok(settings::load_secret_key(&settings.data)?),
    }
}

/// The key with which client addresses are hashed. A wrong secret key is reported as such.
async fn hash_key(
    db: &Db,
    of_services: &helpbot_services::Settings,
    settings: &Settings,
) -> Result<[u8; 32], StartError> {
    match runtime::key_rotation::hash_key(db, of_services).await {
        Err(helpbot_services::Error::Conflict(_)) => {
            let own = runtime::installation::fingerprint(&of_services.secret_key);
            let stored = runtime::installation::stored_fingerprint(db).await.map_err(StartError::Installation)?;
            Err(StartError::WrongKey {
                database: settings.database.to_string(),
                stored: stored.unwrap_or_default(),
                own,
            })
        }
        other => other.map_err(StartError::Installation),
    }
}

/// The clock of the database server, so that all nodes agree on leases and due times.
async fn clock(given: Option<Arc<dyn Clock>>, db: &Db) -> helpbot_services::Result<Arc<dyn Clock>> {
    if let Some(clock) = given {
        return Ok(clock);
    }
    Ok(match runtime::installation::database_clock(db).await? {
        Some(clock) => clock,
        None => Arc::new(SystemClock),
    })
}

/// Refuses a database that is incomplete, and a secret key that is not that of the installation.
fn usable(checked: helpbot_services::Result<InstallationCheck>, settings: &Settings) -> Result<(), StartError> {
    match checked.map_err(StartError::Installation)? {
        InstallationCheck::Usable => Ok(()),
        InstallationCheck::Unfinished { copy } => {
            Err(StartError::Unfinished { database: settings.database.to_string(), copy })
        }
        InstallationCheck::WrongKey { stored, own } => {
            Err(StartError::WrongKey { database: settings.database.to_string(), stored, own })
        }
    }
}

/// Creates the file of an SQLite database in the data directory, so that only its owner can read it. Without this, SQLite
/// would create it with the permissions that the process gives to all files.
pub(crate) fn create_database_file(settings: &Settings) -> Result<(), StartError> {
    match &settings.database {
        DatabaseUrl::Sqlite(path) if is_inside(&settings.data, &settings.database) => {
            private_files::create_file(path).map_err(|cause| StartError::Data { path: settings.data.clone(), cause })
        }
        _ => Ok(()),
    }
}

fn is_inside(data: &std::path::Path, database: &DatabaseUrl) -> bool {
    matches!(database, DatabaseUrl::Sqlite(path) if path.starts_with(data))
}

/// The `User-Agent` header of outbound requests, with the public URL so that the operator can be found.
fn user_agent(settings: &Settings) -> Result<UserAgent, StartError> {
    let contact = settings.public_url.as_ref().map_or("self-hosted", |url| url.as_str());
    UserAgent::new(env!("CARGO_PKG_VERSION"), contact).map_err(setting)
}

/// The outbound `policy` in the form in which the use cases check an address.
fn rule(policy: Policy) -> UrlPolicy {
    Arc::new(move |url| check_url(url, &policy).map_err(|error| error.to_string()))
}

fn mailer(settings: &Settings) -> Result<Arc<dyn Mailer>, StartError> {
    match &settings.smtp {
        Some(smtp) => Ok(Arc::new(SmtpMailer::new(smtp).map_err(setting)?)),
        None => Ok(Arc::new(LogMailer)),
    }
}

/// An HTTP client for one server that the operator has named.
fn operators_client(base: &Url, settings: &Settings) -> Result<Client, StartError> {
    let dial = trusting(settings, Dial::default());
    Client::with_dial(Policy::operator(base), &user_agent(settings)?, dial).map_err(setting)
}

/// `dial` with the operator's certificate authorities added.
fn trusting(settings: &Settings, mut dial: Dial) -> Dial {
    dial.authorities.extend(settings.authorities.iter().cloned());
    dial
}

/// The embedding model of the settings, whose requests to a server are counted in `calls`. `None` when the built-in
/// embeddings are used.
///
/// # Errors
/// `Setting` when the folder contains no model that can be loaded.
pub(crate) async fn embedder(
    settings: &Settings,
    calls: Arc<ModelCalls>,
) -> Result<Option<Arc<dyn Embedder>>, StartError> {
    match &settings.embedder {
        Some(EmbeddingModel::Server(server)) => {
            let model = open_ai(server, StreamLimits::EMBEDDINGS, settings)?;
            Ok(Some(Arc::new(model.counting(calls)) as Arc<dyn Embedder>))
        }
        Some(EmbeddingModel::Folder(path)) => local_model(path).await.map(Some),
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
    Err(setting(settings::LOCAL_MODELS_NOT_BUILT))
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
