//! The definition of every setting: its name, its default and its purpose. The environment, the settings file
//! and `helpbot doctor` use this table.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct SettingDefinition {
    /// Key in `helpbot.toml`. The environment variable is `HELPBOT_` and the name in upper case.
    pub name: &'static str,
    /// Default value, if there is one.
    pub default: Option<&'static str>,
    /// Whether the value is secret and therefore never shown.
    pub is_secret: bool,
    /// What the setting does.
    pub help: &'static str,
}

const fn setting(name: &'static str, default: Option<&'static str>, help: &'static str) -> SettingDefinition {
    SettingDefinition { name, default, is_secret: false, help }
}

const fn secret(name: &'static str, help: &'static str) -> SettingDefinition {
    SettingDefinition { name, default: None, is_secret: true, help }
}

/// All settings, in the order in which `helpbot doctor` shows them.
pub const SETTINGS: &[SettingDefinition] = &[
    setting("listen", Some("127.0.0.1:8080"), "address and port to listen on"),
    setting(
        "metrics_listen",
        Some("127.0.0.1:9464"),
        "address and port of the page /metrics, which visitors must not reach; off for no metrics",
    ),
    setting("data", Some("./helpbot-data"), "directory for the database file and the secret key"),
    setting("database", None, "sqlite:PATH or postgres://USER@HOST/NAME; defaults to helpbot.db in the data directory"),
    setting(
        "database_connections",
        Some("16"),
        "maximum number of connections to PostgreSQL, at least 2; half of them read",
    ),
    setting(
        "database_pooler",
        Some("none"),
        "none, or transaction behind a pooler such as PgBouncer with pool_mode = transaction",
    ),
    setting("database_statement_timeout_ms", Some("20000"), "milliseconds after which PostgreSQL cancels a statement"),
    setting(
        "database_lock_timeout_ms",
        Some("5000"),
        "milliseconds after which PostgreSQL cancels a statement that waits for a lock",
    ),
    setting("database_start_wait_s", Some("60"), "seconds for which `helpbot serve` waits for PostgreSQL at its start"),
    setting(
        "migrate",
        Some("auto"),
        "whether `helpbot serve` applies pending migrations: on, off, or auto, which means on with SQLite, and with PostgreSQL only in a database without tables",
    ),
    setting(
        "drain_s",
        None,
        "seconds for which a server still serves requests after SIGTERM while /readyz returns 503, so that a proxy uses other nodes; defaults to 5 with PostgreSQL and to 0 with SQLite",
    ),
    setting("public_url", None, "URL that visitors use when the server is behind a proxy"),
    setting("allow_private", None, "private hosts and networks that sources and webhooks may connect to"),
    setting(
        "trusted_proxies",
        None,
        "networks of the proxies whose X-Forwarded-For header is trusted; defaults to this machine; \"none\" trusts no proxy",
    ),
    setting(
        "llm_base_url",
        None,
        "base URL of an OpenAI-compatible server that writes answers, for example http://127.0.0.1:11434/v1",
    ),
    setting("llm_model", None, "name of the model at llm_base_url"),
    secret("llm_api_key", "bearer token for llm_base_url"),
    setting(
        "embed_base_url",
        None,
        "base URL of an OpenAI-compatible server whose embeddings replace the built-in ones",
    ),
    setting("embed_model", None, "name of the embedding model at embed_base_url"),
    secret("embed_api_key", "bearer token for embed_base_url"),
    setting(
        "embed_model_dir",
        None,
        "sentence-transformers folder with an embedding model that runs in this process, instead of embed_base_url",
    ),
    secret("smtp_url", "mail server, for example smtps://USER:PASSWORD@HOST:465 or smtp://HOST:587?tls=required"),
    setting(
        "smtp_plaintext_password",
        Some("off"),
        "on to allow an smtp_url whose password is sent without TLS, through a network that you trust",
    ),
    setting(
        "handoff_mail_interval_s",
        Some("600"),
        "seconds between two mails to an owner about visitors who ask for a human; the first one is sent at once",
    ),
    setting(
        "reply_mail_delay_s",
        Some("60"),
        "seconds between a message of the team and its mail to a visitor who is not there; further messages come in the same mail",
    ),
    setting(
        "inbound_mail_domain",
        None,
        "domain of the addresses to which visitors answer mails, for example reply.shop.example",
    ),
    secret(
        "inbound_mail_secret",
        "at least 16 characters, which POST /inbound/mail requires as bearer token or password",
    ),
    setting("smtp_from", None, "sender of mail, for example HelpBot <help@shop.example>"),
    setting(
        "ca_file",
        None,
        "PEM file with certificate authorities that are trusted in addition to Mozilla's for all outbound connections",
    ),
    setting("owner_email", Some("owner@helpbot.invalid"), "e-mail address of the owner of the first site"),
    secret("secret_key", "64 hexadecimal digits; defaults to secret.key in the data directory"),
    secret(
        "previous_secret_key",
        "64 hexadecimal digits of a key that is accepted as well while the secret key is rotated",
    ),
    setting("max_connections", Some("4096"), "maximum number of open connections"),
    setting(
        "max_connections_per_address",
        Some("1024"),
        "maximum number of open connections from one IPv4 address or IPv6 /64; trusted proxies have no limit",
    ),
    setting(
        "crawl_delay_ms",
        Some("200"),
        "pause in milliseconds between two requests to the same host during a sync; a site's robots.txt may ask for more",
    ),
    setting("demo", None, "on or off for the page /demo; defaults to on, and to off when public_url is set"),
    setting("rate_limits", Some("on"), "on, or off when a proxy limits rates"),
    setting("max_cost_widget", Some("2000"), "maximum cost of one GraphQL operation with a widget key"),
    setting("max_cost_secret", Some("10000"), "maximum cost of one GraphQL operation with a secret key"),
    setting("max_cost_member", Some("10000"), "maximum cost of one GraphQL operation with the key of a member"),
    setting("max_cost_operator", Some("10000"), "maximum cost of one GraphQL operation with the key of an operator"),
    setting(
        "cors_headers",
        None,
        "request headers that pages of other origins may send to /graphql in addition to those of common clients",
    ),
    setting("introspection", Some("on"), "on, or off to refuse schema queries at /graphql"),
    setting(
        "trusted_documents",
        None,
        "directory of *.graphql files and of manifests (*.json) of Relay, Apollo or graphql-codegen, whose documents clients may execute by documentId",
    ),
    setting(
        "only_trusted_documents",
        Some("off"),
        "on to refuse all GraphQL documents at /graphql except those of trusted_documents, the widget and the dashboard",
    ),
    setting("event_retention_days", Some("90"), "days after which events are deleted, and the maximum age of a cursor"),
    setting("access_log", Some("on"), "on, or off to log no line for each request, for example when a proxy logs them"),
    setting("log", Some("info"), "log filter, for example info,helpbot_ingest=debug"),
    setting("log_format", Some("auto"), "auto (text on a terminal, JSON otherwise), text or json"),
];

/// The definition of a setting by its name.
pub fn definition(name: &str) -> Option<&'static SettingDefinition> {
    SETTINGS.iter().find(|row| row.name == name)
}

/// The environment variable of a setting.
pub fn variable(name: &str) -> String {
    format!("HELPBOT_{}", name.to_ascii_uppercase())
}
