//! The settings there are: names, defaults, and what each is for. The command line's help, the
//! environment, the file and `doctor` all follow this table.

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its key in `helpbot.toml`; `HELPBOT_` and the same in capitals is its variable.
    pub name: &'static str,
    /// What holds when nobody sets it.
    pub default: Option<&'static str>,
    /// Whether it is never shown.
    pub is_secret: bool,
    /// What it is for.
    pub help: &'static str,
}

const fn row(name: &'static str, default: Option<&'static str>, help: &'static str) -> Row {
    Row { name, default, is_secret: false, help }
}

const fn secret(name: &'static str, help: &'static str) -> Row {
    Row { name, default: None, is_secret: true, help }
}

/// All settings, in the order in which `doctor` shows them.
pub const TABLE: &[Row] = &[
    row("listen", Some("127.0.0.1:8080"), "address and port to serve on"),
    row("data", Some("./helpbot-data"), "directory of the database file and the secret key"),
    row("database", None, "sqlite:PATH or postgres://USER@HOST/NAME; helpbot.db in the data directory if absent"),
    row("public_url", None, "the address that visitors use, when a proxy stands in front"),
    row("allow_private", None, "hosts and networks that sources and webhooks may reach although they are private"),
    row(
        "trusted_proxies",
        None,
        "networks of proxies whose X-Forwarded-For is believed; if none is named, this machine; \"none\" for no proxy",
    ),
    row("llm_base_url", None, "an OpenAI-compatible server that writes answers, for example http://127.0.0.1:11434/v1"),
    row("llm_model", None, "the model's name on that server"),
    secret("llm_api_key", "the bearer token of that server"),
    row("embed_base_url", None, "an OpenAI-compatible server of embeddings, in place of the built-in English vectors"),
    row("embed_model", None, "the embedding model's name on that server"),
    secret("embed_api_key", "the bearer token of that server"),
    row(
        "embed_model_dir",
        None,
        "a folder of sentence-transformers whose model makes the vectors in this process, in place of such a server",
    ),
    secret("smtp_url", "the mail server: smtps://USER:PASSWORD@HOST:465 or smtp://HOST:587?tls=required"),
    row("smtp_from", None, "the sender of mail, for example HelpBot <help@shop.example>"),
    row(
        "ca_file",
        None,
        "PEM file of your own certificate authorities, trusted beside Mozilla's for pages, webhooks, model and mail servers",
    ),
    row("owner_email", Some("owner@helpbot.invalid"), "owner of the site that the first start makes"),
    secret("secret_key", "64 hexadecimal digits; secret.key in the data directory if absent"),
    row("max_connections", Some("4096"), "connections held at once"),
    row(
        "crawl_delay_ms",
        Some("200"),
        "pause between two requests to one host when sources are read; longer where the site asks",
    ),
    row("rate_limits", Some("on"), "on, or off where something in front of the server limits rates"),
    row("introspection", Some("on"), "on, or off so that nobody can ask /graphql for its schema"),
    row(
        "trusted_documents",
        None,
        "directory of *.graphql files that callers may ask for by documentId, sha256: and the hash of the file",
    ),
    row("only_trusted_documents", Some("off"), "on to execute no other GraphQL documents than those, over /graphql"),
    row("event_retention_days", Some("90"), "how long events are kept, and how old a cursor may be"),
    row("log", Some("info"), "which log lines are written, for example info,helpbot_ingest=debug"),
    row("log_format", Some("auto"), "auto (text on a terminal, else JSON), text or json"),
];

/// The row of that name.
pub fn row_of(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name)
}

/// The environment's name of a setting.
pub fn variable(name: &str) -> String {
    format!("HELPBOT_{}", name.to_ascii_uppercase())
}
