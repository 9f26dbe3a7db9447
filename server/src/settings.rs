//! What an installation sets: `helpbot.toml`, then `HELPBOT_*`, then flags, in rising precedence.
//!
//! Every setting is a row of [`table::TABLE`]; a layer is a map from its name to the text given.
//! [`Settings::resolve`] turns the winning texts into values, or names each that is wrong. So
//! that `doctor` can show where a value comes from, the winners are kept as [`Given`].

mod layers;
mod secret_key;
pub mod table;

use std::net::SocketAddr;
use std::path::PathBuf;

use helpbot_db::DatabaseUrl;
use helpbot_domain::text;
use helpbot_outbound::{AllowList, CertificateDer, SmtpSettings, authorities_from_pem};
use url::Url;

pub use layers::{Given, Layer, Layers, Origin};
pub use secret_key::{SecretKeyError, load as load_secret_key};

/// The settings that are in force.
#[derive(Clone)]
pub struct Settings {
    /// Where the server listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where files of the installation are.
    pub data: PathBuf,
    /// The state.
    pub database: DatabaseUrl,
    /// The address that visitors use, for what is printed to be pasted; that of `listen` if none.
    pub public_url: Option<Url>,
    /// Hosts and networks that sources and webhooks may reach although they are private.
    pub allow_private: AllowList,
    /// Networks of proxies whose `X-Forwarded-For` is believed, as written.
    pub trusted_proxies: Vec<String>,
    /// Who writes answers; without it they are extractive.
    pub model: Option<ModelServer>,
    /// Whose vectors stand in for the built-in table.
    pub embedder: Option<Embeddings>,
    /// Who sends mail; without it mail waits.
    pub smtp: Option<SmtpSettings>,
    /// The operator's own certificate authorities, trusted beside Mozilla's wherever we connect to.
    pub authorities: Vec<CertificateDer<'static>>,
    /// The owner of the site that the first start makes.
    pub owner_email: String,
    /// Signs and seals; the file in the data directory if none.
    pub secret_key: Option<[u8; 32]>,
    /// Connections held at once.
    pub max_connections: usize,
    /// The pause between two requests to one host when sources are read.
    pub crawl_delay_ms: u32,
    /// How long events are kept, in days.
    pub event_retention_days: u32,
    /// Whether callers are limited in what they ask a minute.
    pub has_rate_limits: bool,
    /// Whether the schema may be asked for.
    pub has_introspection: bool,
    /// Where the documents are that callers ask for by their id.
    pub trusted_documents: Option<PathBuf>,
    /// Whether no other document is executed.
    pub has_only_trusted_documents: bool,
    /// Which log lines are written, in the notation of tracing's `EnvFilter`.
    pub log: String,
    /// How they are written.
    pub log_format: LogFormat,
}

/// An OpenAI-compatible server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelServer {
    /// Up to and including the version: `http://127.0.0.1:11434/v1`.
    pub base_url: Url,
    /// The model's name there.
    pub model: String,
    /// Its bearer token.
    pub api_key: Option<String>,
}

/// Who makes vectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Embeddings {
    /// A model on a server.
    Server(ModelServer),
    /// A model in this process, out of a folder of sentence-transformers.
    Folder(PathBuf),
}

/// What is said where a folder is named and none can be read.
pub const NO_LOCAL_MODELS: &str =
    "this helpbot was built without local models: cargo build --release --features local-model";

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} ({origin}): {reason}")]
pub struct Problem {
    /// The setting.
    pub name: &'static str,
    /// Where it was set.
    pub origin: Origin,
    /// What is wrong with it; never shows a secret.
    pub reason: String,
}

impl Settings {
    /// The values of the winning texts.
    ///
    /// # Errors
    /// Every setting that cannot be used.
    pub fn resolve(layers: &Layers) -> Result<Self, Vec<Problem>> {
        let mut read = Reader { layers, problems: Vec::new() };
        let data = PathBuf::from(read.text("data"));
        let database = match read.optional("database") {
            Some(given) => {
                read.value("database", &given, |text| text.parse::<DatabaseUrl>().map_err(|e| e.to_string()))
            }
            None => Some(DatabaseUrl::Sqlite(data.join("helpbot.db"))),
        };
        let listen = read.parsed("listen", "an address and port such as 127.0.0.1:8080");
        let max_connections = read.parsed("max_connections", "a number");
        let crawl_delay_ms = read.parsed("crawl_delay_ms", "a number of milliseconds");
        let event_retention_days = read.parsed("event_retention_days", "a number of days");
        let authorities = read.authorities();
        let settings = Self {
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 0))),
            database: database.unwrap_or(DatabaseUrl::Sqlite(PathBuf::new())),
            public_url: read.url("public_url"),
            allow_private: read.allow_private(),
            trusted_proxies: read.list("trusted_proxies"),
            model: read.server("llm_base_url", "llm_model", "llm_api_key"),
            embedder: read.embeddings(),
            smtp: read.smtp(&authorities),
            authorities,
            owner_email: read.owner_email(),
            secret_key: read.secret_key(),
            max_connections: max_connections.unwrap_or(1),
            crawl_delay_ms: crawl_delay_ms.unwrap_or(1),
            event_retention_days: event_retention_days.unwrap_or(1),
            has_rate_limits: read.switch("rate_limits"),
            has_introspection: read.switch("introspection"),
            trusted_documents: read.optional("trusted_documents").map(|given| PathBuf::from(given.value)),
            has_only_trusted_documents: read.switch("only_trusted_documents"),
            log: read.text("log"),
            log_format: read.log_format(),
            data,
        };
        if read.problems.is_empty() { Ok(settings) } else { Err(read.problems) }
    }
}

/// Reads settings and collects what is wrong, so that all of it is told at once.
struct Reader<'a> {
    layers: &'a Layers,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn optional(&self, name: &'static str) -> Option<Given> {
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

    fn list(&self, name: &'static str) -> Vec<String> {
        let text = self.text(name);
        let entries = text.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
        entries.map(str::to_owned).collect()
    }

    fn value<T>(&mut self, name: &'static str, given: &Given, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        match read(&given.value) {
            Ok(value) => Some(value),
            Err(reason) => {
                self.problems.push(Problem { name, origin: given.origin, reason });
                None
            }
        }
    }

    fn parsed<T: std::str::FromStr>(&mut self, name: &'static str, wanted: &str) -> Option<T> {
        let given = self.optional(name)?;
        self.value(name, &given, |text| text.trim().parse().map_err(|_| format!("{text:?} is not {wanted}")))
    }

    fn url(&mut self, name: &'static str) -> Option<Url> {
        let given = self.optional(name)?;
        self.value(name, &given, |text| {
            let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
            url.ok_or_else(|| format!("{text:?} is not an http or https address"))
        })
    }

    fn allow_private(&mut self) -> AllowList {
        let list = self.optional("allow_private").and_then(|given| {
            self.value("allow_private", &given, |text| text.parse::<AllowList>().map_err(|error| error.to_string()))
        });
        list.unwrap_or_default()
    }

    /// A model server by the names of its address, its model and its key.
    fn server(&mut self, address: &'static str, name: &'static str, key: &'static str) -> Option<ModelServer> {
        let base_url = self.url(address)?;
        let model = self.text(name);
        if model.is_empty() {
            let origin = self.optional(address).map_or(Origin::Default, |given| given.origin);
            let reason = format!("{name} must name the model to use there");
            self.problems.push(Problem { name: address, origin, reason });
        }
        let api_key = self.optional(key).map(|given| given.value);
        Some(ModelServer { base_url, model, api_key })
    }

    /// The one file that is read here, so that `doctor` tells what is wrong with it.
    fn authorities(&mut self) -> Vec<CertificateDer<'static>> {
        let authorities = self.optional("ca_file").and_then(|given| {
            self.value("ca_file", &given, |path| {
                let pem = std::fs::read(path).map_err(|error| format!("cannot read {path}: {error}"))?;
                authorities_from_pem(&pem).map_err(|error| format!("{path}: {error}"))
            })
        });
        authorities.unwrap_or_default()
    }

    /// A server of embeddings, or a folder with a model, not both.
    fn embeddings(&mut self) -> Option<Embeddings> {
        let server = self.server("embed_base_url", "embed_model", "embed_api_key");
        let Some(given) = self.optional("embed_model_dir") else { return server.map(Embeddings::Server) };
        let has_server = self.optional("embed_base_url").is_some();
        self.value("embed_model_dir", &given, |path| {
            if has_server {
                Err("embed_base_url names a server of embeddings: only one can be in force".to_owned())
            } else if cfg!(feature = "local-model") {
                Ok(Embeddings::Folder(PathBuf::from(path)))
            } else {
                Err(NO_LOCAL_MODELS.to_owned())
            }
        })
    }

    fn smtp(&mut self, authorities: &[CertificateDer<'static>]) -> Option<SmtpSettings> {
        let given = self.optional("smtp_url")?;
        let from = self.text("smtp_from");
        let settings = SmtpSettings { url: given.value.clone(), from, authorities: authorities.to_vec() };
        // The value may hold a password: only the reason is told.
        self.value("smtp_url", &given, |_| {
            helpbot_outbound::SmtpMailer::new(&settings).map(|_| settings.clone()).map_err(|error| error.to_string())
        })
    }

    fn owner_email(&mut self) -> String {
        let given = self.optional("owner_email");
        let email = given.and_then(|given| {
            self.value("owner_email", &given, |text| text::email("owner_email", text).map_err(|e| e.to_string()))
        });
        email.unwrap_or_default()
    }

    fn secret_key(&mut self) -> Option<[u8; 32]> {
        let given = self.optional("secret_key")?;
        self.value("secret_key", &given, |text| {
            secret_key::from_hex(text).ok_or_else(|| "it must be 64 hexadecimal digits".to_owned())
        })
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
