//! The settings of an installation. They come from `helpbot.toml`, from `HELPBOT_*` environment variables and
//! from flags; later ones take precedence.
//!
//! Every setting is defined in [`definitions::SETTINGS`]. A layer is a map from the name of a setting to its
//! text. [`Settings::resolve`] parses the text with the highest precedence for each setting, or reports every
//! one that is not valid. A [`SettingValue`] also has its origin, which `helpbot doctor` shows.

mod database;
pub mod definitions;
mod layers;
mod mail;
mod secret_key;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderName;
use helpbot_api::limits::CostLimits;
use helpbot_db::DatabaseUrl;
use helpbot_domain::text;
use helpbot_outbound::{AllowList, CertificateDer, SmtpSettings, authorities_from_pem};
use url::Url;

pub use database::StartMigrations;
pub use layers::PASSPHRASE_VARIABLE;
pub use layers::{SettingOrigin, SettingValue, SettingsLayer, SettingsLayers};
pub use secret_key::{SecretKeyError, load as load_secret_key, read as read_secret_key, store as store_secret_key};

/// The effective settings.
#[derive(Clone)]
pub struct Settings {
    /// Address that the server listens on. Port 0 takes a free port.
    pub listen: SocketAddr,
    /// Address of the metrics. When absent, no metrics are served.
    pub metrics_listen: Option<MetricsAddress>,
    /// Directory for the files of the installation.
    pub data: PathBuf,
    /// The database.
    pub database: DatabaseUrl,
    /// What a server does with pending migrations at its start.
    pub migrate: StartMigrations,
    /// How long a server waits for PostgreSQL at its start.
    pub database_start_wait: Duration,
    /// How long a server still serves requests after SIGTERM, while it reports that it is not ready.
    pub drain: Duration,
    /// URL that visitors use. Defaults to the address that the server listens on.
    pub public_url: Option<Url>,
    /// Private hosts and networks that sources and webhooks may connect to.
    pub allow_private: AllowList,
    /// Networks of the proxies whose `X-Forwarded-For` header is trusted, as written in the settings.
    pub trusted_proxies: Vec<String>,
    /// Model server that writes answers. When absent, answers quote the site's pages.
    pub model: Option<ModelServer>,
    /// Embedding model that replaces the built-in embeddings.
    pub embedder: Option<EmbeddingModel>,
    /// Mail server. When absent, mail waits.
    pub smtp: Option<SmtpSettings>,
    /// Certificate authorities that are trusted in addition to Mozilla's for all outbound connections.
    pub authorities: Vec<CertificateDer<'static>>,
    /// E-mail address of the owner of the first site.
    pub owner_email: String,
    /// Key that signs session tokens and encrypts secrets. Defaults to the key file in the data directory.
    pub secret_key: Option<[u8; 32]>,
    /// Another key that is accepted, during a rotation.
    pub previous_secret_key: Option<[u8; 32]>,
    /// Maximum number of open connections.
    pub max_connections: usize,
    /// Maximum number of open connections from one IPv4 address or IPv6 /64. Trusted proxies have no limit.
    pub max_connections_per_address: usize,
    /// Pause in milliseconds between two requests to the same host during a sync.
    pub crawl_delay_ms: u32,
    /// Number of days after which events are deleted.
    pub event_retention_days: u32,
    /// Number of seconds between two mails to an owner about handoffs.
    pub handoff_mail_interval_s: u32,
    /// Number of seconds between a message of the team and its mail to a visitor who is not there.
    pub reply_mail_delay_s: u32,
    /// Domain of the addresses to which visitors answer mails. When absent, the installation receives no mail.
    pub inbound_mail_domain: Option<String>,
    /// Secret of those who hand over received mails.
    pub inbound_mail_secret: Option<String>,
    /// Whether the page `/demo` is served.
    pub has_demo: bool,
    /// Whether requests are rate limited.
    pub has_rate_limits: bool,
    /// Maximum cost of one GraphQL operation by the kind of key.
    pub costs: CostLimits,
    /// Additional request headers that pages of other origins may send to GraphQL.
    pub cors_headers: Vec<HeaderName>,
    /// Whether clients may query the schema.
    pub has_introspection: bool,
    /// Directory of the GraphQL documents and manifests that clients may execute by their ID.
    pub trusted_documents: Option<PathBuf>,
    /// Whether all other documents are refused, except those of the widget and the dashboard.
    pub has_only_trusted_documents: bool,
    /// Whether each request is logged.
    pub has_access_log: bool,
    /// Log filter in the syntax of tracing's `EnvFilter`.
    pub log: String,
    /// Format of log lines.
    pub log_format: LogFormat,
}

/// Address that the metrics are served on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAddress {
    /// The default. A server starts without metrics when another process uses it, for example a second server.
    Default(SocketAddr),
    /// The address of the setting. A server does not start without it.
    Set(SocketAddr),
}

/// An OpenAI-compatible server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelServer {
    /// Base URL including the version, for example `http://127.0.0.1:11434/v1`.
    pub base_url: Url,
    /// Name of the model at `base_url`.
    pub model: String,
    /// Bearer token for the server.
    pub api_key: Option<String>,
}

/// Embedding model that replaces the built-in embeddings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EmbeddingModel {
    /// A model on a server.
    Server(ModelServer),
    /// A model that runs in this process, from a sentence-transformers folder.
    Folder(PathBuf),
}

/// Message when a model folder is set and the program was built without local models.
pub const LOCAL_MODELS_NOT_BUILT: &str =
    "this program was built without local models; build it with `cargo build --release --features local-model`";

/// Format of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Auto,
    /// One line of text for each event.
    Text,
    /// One JSON object for each event.
    Json,
}

/// A setting that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} ({origin}): {reason}")]
pub struct SettingProblem {
    /// Name of the setting.
    pub name: &'static str,
    /// Origin of the value.
    pub origin: SettingOrigin,
    /// Why the value is not valid. Never contains a secret.
    pub reason: String,
}

impl Settings {
    /// Parses the settings.
    ///
    /// # Errors
    /// All settings that are not valid.
    pub fn resolve(layers: &SettingsLayers) -> Result<Self, Vec<SettingProblem>> {
        let mut read = SettingsReader { layers, problems: Vec::new() };
        let data = PathBuf::from(read.text("data"));
        let listen = read.parsed("listen", "an address and port such as 127.0.0.1:8080");
        let max_connections = read.parsed("max_connections", "a number");
        let max_connections_per_address = read.parsed("max_connections_per_address", "a number");
        let crawl_delay_ms = read.parsed("crawl_delay_ms", "a number of milliseconds");
        let event_retention_days = read.parsed("event_retention_days", "a number of days");
        let handoff_mail_interval_s = read.parsed("handoff_mail_interval_s", "a number of seconds");
        let reply_mail_delay_s = read.parsed("reply_mail_delay_s", "a number of seconds");
        let authorities = read.authorities();
        let database = read.database(&data, &authorities);
        let (migrate, drain) = (read.migrate(&database), read.drain(&database));
        let settings = Self {
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            metrics_listen: read.metrics_address(),
            database,
            migrate,
            database_start_wait: read.seconds("database_start_wait_s"),
            drain,
            public_url: read.url("public_url"),
            allow_private: read.allow_private(),
            trusted_proxies: read.list("trusted_proxies"),
            model: read.server("llm_base_url", "llm_model", "llm_api_key"),
            embedder: read.embeddings(),
            smtp: read.smtp(&authorities),
            authorities,
            owner_email: read.owner_email(),
            secret_key: read.secret_key("secret_key"),
            previous_secret_key: read.secret_key("previous_secret_key"),
            max_connections: max_connections.unwrap_or(1),
            max_connections_per_address: max_connections_per_address.unwrap_or(1),
            crawl_delay_ms: crawl_delay_ms.unwrap_or(1),
            event_retention_days: event_retention_days.unwrap_or(1),
            handoff_mail_interval_s: handoff_mail_interval_s.unwrap_or(1),
            reply_mail_delay_s: reply_mail_delay_s.unwrap_or(1),
            inbound_mail_domain: read.inbound_domain(),
            inbound_mail_secret: read.inbound_secret(),
            has_demo: read.demo(),
            has_rate_limits: read.switch("rate_limits"),
            costs: read.costs(),
            cors_headers: read.header_names("cors_headers"),
            has_introspection: read.switch("introspection"),
            trusted_documents: read.optional("trusted_documents").map(|given| PathBuf::from(given.value)),
            has_only_trusted_documents: read.switch("only_trusted_documents"),
            has_access_log: read.switch("access_log"),
            log: read.text("log"),
            log_format: read.log_format(),
            data,
        };
        if read.problems.is_empty() { Ok(settings) } else { Err(read.problems) }
    }
}

/// Parses settings and collects all problems, so that they are reported together.
struct SettingsReader<'a> {
    layers: &'a SettingsLayers,
    problems: Vec<SettingProblem>,
}

impl SettingsReader<'_> {
    fn optional(&self, name: &'static str) -> Option<SettingValue> {
        self.layers.get(name)
    }

    fn text(&self, name: &'static str) -> String {
        self.optional(name).map(|given| given.value).unwrap_or_default()
    }

    fn switch(&mut self, name: &'static str) -> bool {
        let given = self.optional(name);
        let read = |text: &str| match text {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err("must be on or off".to_owned()),
        };
        given.and_then(|given| self.value(name, &given, read)).unwrap_or(true)
    }

    /// Like [`Self::switch`], for a setting that is off when its value is not valid.
    fn switch_off(&mut self, name: &'static str) -> bool {
        self.optional(name).is_some() && self.switch(name)
    }

    /// Whether the demo page is served. An installation with a public URL does not need it, unless it asks for it.
    fn demo(&mut self) -> bool {
        match self.optional("demo") {
            Some(_) => self.switch("demo"),
            None => self.optional("public_url").is_none(),
        }
    }

    /// Names of HTTP headers, separated by commas or spaces.
    fn header_names(&mut self, name: &'static str) -> Vec<HeaderName> {
        let given = self.optional(name);
        let read = |text: &str| {
            let names = text.split([',', ' ']).map(str::trim).filter(|name| !name.is_empty());
            names.map(|name| name.parse().map_err(|_| format!("{name:?} is not the name of a header"))).collect()
        };
        given.and_then(|given| self.value(name, &given, read)).unwrap_or_default()
    }

    fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.text(name);
        let entries = text.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(str::to_owned).collect()
    }

    fn value<T>(
        &mut self,
        name: &'static str,
        given: &SettingValue,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        match read(&given.value) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.problems.push(SettingProblem { name, origin: given.origin, reason });
                None
            }
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &'static str, wanted: &str) -> Option<T> {
        let given = self.optional(name)?;
        self.value(name, &given, |text| text.trim().parse().map_err(|_| format!("{text:?} is not {wanted}")))
    }

    /// The address of the metrics.
    fn metrics_address(&mut self) -> Option<MetricsAddress> {
        let given = self.optional("metrics_listen").filter(|given| given.value.trim() != "off")?;
        let address = self.parsed("metrics_listen", "an address and port such as 127.0.0.1:9464, or off")?;
        let is_default = given.origin == SettingOrigin::Default;
        Some(if is_default { MetricsAddress::Default(address) } else { MetricsAddress::Set(address) })
    }

    fn costs(&mut self) -> CostLimits {
        let default = CostLimits::default();
        let mut cost = |name, default| self.parsed(name, "a number of points").unwrap_or(default);
        CostLimits {
            widget: cost("max_cost_widget", default.widget),
            secret: cost("max_cost_secret", default.secret),
            member: cost("max_cost_member", default.member),
            operator: cost("max_cost_operator", default.operator),
        }
    }

    fn url(&mut self, name: &'static str) -> Option<Url> {
        let given = self.optional(name)?;
        self.value(name, &given, |text| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            url.ok_or_else(|| format!("{text:?} is not an http or https URL"))
        })
    }

    fn allow_private(&mut self) -> AllowList {
        let list = self.optional("allow_private").and_then(|given| {
            self.value("allow_private", &given, |text| text.parse::<AllowList>().map_err(|error| error.to_string()))
        });
        list.unwrap_or_default()
    }

    /// A model server, by the names of the settings for its URL, its model and its API key.
    fn server(&mut self, address: &'static str, name: &'static str, key: &'static str) -> Option<ModelServer> {
        let base_url = self.url(address)?;
        let model = self.text(name);
        if model.is_empty() {
            let origin = self.optional(address).map_or(SettingOrigin::Default, |given| given.origin);
            let reason = format!("{name} must name the model to use at {address}");
            self.problems.push(SettingProblem { name: address, origin, reason });
        }
        let api_key = self.optional(key).map(|given| given.value);
        Some(ModelServer { base_url, model, api_key })
    }

    /// The certificate authorities. Their file is read here, so that `doctor` reports problems with it.
    fn authorities(&mut self) -> Vec<CertificateDer<'static>> {
        let authorities = self.optional("ca_file").and_then(|given| {
            self.value("ca_file", &given, |path| {
                let pem = std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
                authorities_from_pem(&pem).map_err(|error| format!("{path}: {error}"))
            })
        });
        authorities.unwrap_or_default()
    }

    /// The embedding model: on a server or in a folder, but not both.
    fn embeddings(&mut self) -> Option<EmbeddingModel> {
        let server = self.server("embed_base_url", "embed_model", "embed_api_key");
        let Some(given) = self.optional("embed_model_dir") else { return server.map(EmbeddingModel::Server) };
        let has_server = self.optional("embed_base_url").is_some();
        self.value("embed_model_dir", &given, |path| {
            if has_server {
                Err("embed_base_url is set too; only one of them can be used".to_owned())
            } else if cfg!(feature = "local-model") {
                Ok(EmbeddingModel::Folder(PathBuf::from(path)))
            } else {
                Err(LOCAL_MODELS_NOT_BUILT.to_owned())
            }
        })
    }

    fn owner_email(&mut self) -> String {
        let given = self.optional("owner_email");
        let email = given.and_then(|given| {
            self.value("owner_email", &given, |text| text::email("owner_email", text).map_err(|e| e.to_string()))
        });
        email.unwrap_or_default()
    }

    fn log_format(&mut self) -> LogFormat {
        let given = self.optional("log_format");
        let format = given.and_then(|given| {
            self.value("log_format", &given, |text| match text {
                "auto" => Ok(LogFormat::Auto),
                "text" => Ok(LogFormat::Text),
                "json" => Ok(LogFormat::Json),
                other => Err(format!("{other:?} is not auto, text or json")),
            })
        });
        format.unwrap_or(LogFormat::Auto)
    }
}

#[cfg(test)]
mod tests;
