//! `helpbot doctor` and `helpbot migrate`. The first shows the effective settings with their purposes and checks
//! the database, the secret key, mail, the embedding model and the listen address. It changes nothing. The second
//! applies pending migrations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use helpbot_db::{DatabaseUrl, Db};
use helpbot_services::accounts::sites;
use helpbot_services::runtime::mail;
use serde_json::{Value, json};

use super::context::CommandContext;
use super::failure::CommandFailure;
use super::output::{self, counted};
use crate::installation::{self, Migrations};
use crate::private_files;
use crate::settings::definitions::{SETTINGS, variable};
use crate::settings::{EmbeddingModel, SettingOrigin, Settings};
use crate::{Installation, Parts};

/// Number of sites whose owner's e-mail address is checked.
const CHECKED_SITES: i64 = 500;
/// Size of the file that `test_write` writes. A server needs several times that for its write-ahead log.
const TEST_WRITE_BYTES: usize = 1024 * 1024;
/// Ending of addresses that no mail can reach (RFC 2606). The first start uses one for the owner.
const UNREACHABLE: &str = ".invalid";

/// The result of one check. docs/operating.md documents its form in JSON.
struct Finding {
    /// What was checked.
    check: &'static str,
    level: FindingLevel,
    text: String,
}

/// What a finding means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FindingLevel {
    /// The checked part works.
    Good,
    /// The checked part works, but its behavior may be unexpected.
    Note,
    /// The checked part does not work.
    Bad,
}

impl Finding {
    fn good(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, level: FindingLevel::Good, text: text.into() }
    }

    fn note(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, level: FindingLevel::Note, text: text.into() }
    }

    fn bad(check: &'static str, text: impl Into<String>) -> Self {
        Self { check, level: FindingLevel::Bad, text: text.into() }
    }
}

/// Checks the installation and prints the settings and findings. Fails when something does not work.
pub(super) async fn run(context: &CommandContext) -> Result<(), CommandFailure> {
    let unknown = context.layers.unknown_variables.iter();
    let mut findings: Vec<Finding> = unknown
        .map(|name| Finding::note("settings", format!("the environment variable {name} matches no setting")))
        .collect();
    match &context.settings {
        Ok(settings) => examine(settings, &mut findings).await,
        Err(problems) => findings.extend(problems.iter().map(|problem| Finding::bad("settings", problem.to_string()))),
    }
    if context.is_json {
        output::json(&json!({ "settings": settings_json(context), "findings": findings_json(&findings) }))?;
    } else {
        print(context, &findings)?;
    }
    let is_well = !findings.iter().any(|finding| finding.level == FindingLevel::Bad);
    if is_well { Ok(()) } else { Err(CommandFailure::silent()) }
}

async fn examine(settings: &Settings, findings: &mut Vec<Finding>) {
    findings.extend(database(settings).await);
    if !settings.data.is_dir() {
        let path = settings.data.display();
        findings.push(Finding::note("files", format!("{path} does not exist yet; the first start creates it")));
    } else {
        findings.extend(permissions(settings));
        findings.push(test_write(&settings.data));
    }
    if settings.smtp.is_none() {
        findings.push(Finding::note("mail", "smtp_url is not set: mail waits until it is"));
    }
    if settings.model.is_none() {
        findings.push(Finding::good("model", "llm_base_url is not set: answers quote the site's pages"));
    }
    if let Some(EmbeddingModel::Folder(path)) = &settings.embedder {
        findings.push(match installation::embedder(settings, Arc::default()).await {
            Ok(model) => {
                let name = model.as_deref().map_or("", |model| model.model());
                Finding::good("model", format!("{} contains a usable embedding model: {name}", path.display()))
            }
            Err(error) => Finding::bad("model", error.to_string()),
        });
    }
    if !settings.allow_private.is_empty() {
        findings.push(Finding::note(
            "network",
            format!("sources and webhooks may connect to private addresses: {}", settings.allow_private),
        ));
    }
    match tokio::net::TcpListener::bind(settings.listen).await {
        Ok(_) => findings.push(Finding::good("network", format!("the address {} is free", settings.listen))),
        Err(error) => findings.push(Finding::note(
            "network",
            format!("cannot listen on {} ({error}); a running helpbot may use it", settings.listen),
        )),
    }
}

async fn database(settings: &Settings) -> Vec<Finding> {
    let url = &settings.database;
    if matches!(url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return vec![Finding::note("database", format!("{url} does not exist yet; the first start creates it"))];
    }
    let pending = match Db::pending_migrations(url).await {
        Ok(pending) => pending,
        Err(error) => return vec![Finding::bad("database", format!("{url}: {error}"))],
    };
    if pending > 0 {
        return vec![Finding::bad(
            "database",
            format!("{url}: {}; run `helpbot migrate`", counted(pending, "pending migration")),
        )];
    }
    // No question is asked here, and the embedding model is checked separately.
    let settings = Settings { embedder: None, ..settings.clone() };
    let installation = Installation::open(settings, Parts::default(), Migrations::Require).await;
    let installation = match installation {
        Err(error) => return vec![Finding::bad("database", error.to_string())],
        Ok(installation) => installation,
    };
    let mut findings = Vec::new();
    if let Err(error) = content(url, &installation, &mut findings).await {
        findings.push(Finding::bad(
            "database",
            format!(
                "{url} cannot be read: {}; if it is damaged, stop the server and restore the last backup",
                error.detail()
            ),
        ));
    }
    findings
}

/// Checks the SQLite file for damage, which takes as long as reading it, then the owners' e-mail addresses
/// and the mail that waits.
async fn content(
    url: &DatabaseUrl,
    installation: &Installation,
    findings: &mut Vec<Finding>,
) -> helpbot_services::Result<()> {
    let (services, operator) = (&installation.services, installation.operator());
    let damage = services.damage().await?;
    if !damage.is_empty() {
        findings.push(Finding::bad(
            "database",
            format!(
                "{url} is damaged: {}; stop the server, keep a copy of the file and restore the last backup",
                damage.join("; ")
            ),
        ));
        return Ok(());
    }
    if let Err(error) = services.ready().await {
        findings.push(Finding::bad(
            "database",
            format!("{url} does not accept writes: {}; check its free space and its permissions", error.detail()),
        ));
    }
    let count = sites::count(services, &operator).await?;
    findings.push(Finding::good(
        "database",
        format!("{url} is reachable, up to date and undamaged; it has {}", counted(count, "site")),
    ));
    for site in sites::list(services, &operator, helpbot_domain::page::PageRequest::first(CHECKED_SITES)).await? {
        if site.owner_email.ends_with(UNREACHABLE) {
            findings.push(Finding::note("sites", format!(
                "mail to {}, the owner of {}, cannot be delivered; run `helpbot site update {} --owner-email YOU@EXAMPLE`",
                site.owner_email, site.name, site.id
            )));
        }
    }
    let waiting = mail::waiting_of_all(services, &operator).await?;
    if let Some(oldest) = waiting.first() {
        let why = oldest.last_error.as_deref().unwrap_or("not attempted yet");
        findings.push(Finding::note(
            "mail",
            format!(
                "{} in the queue, the oldest since {} ({why}); `helpbot mail list` shows them",
                counted(waiting.len(), "mail"),
                oldest.created_at
            ),
        ));
    }
    Ok(())
}

/// Checks that other users cannot read the secret key and the database. In a private directory, the permissions of the
/// files do not matter.
fn permissions(settings: &Settings) -> Vec<Finding> {
    let data = settings.data.display();
    match private_files::is_accessible_to_others(&settings.data) {
        Err(error) => return vec![Finding::bad("files", format!("{data}: {error}"))],
        Ok(false) if cfg!(unix) => return vec![Finding::good("files", format!("only its owner can access {data}"))],
        Ok(false) => return vec![Finding::note("files", format!("make sure that no other user can read {data}"))],
        Ok(true) => {}
    }
    let mut findings = vec![Finding::note("files", format!("other users can access {data}; run `chmod 700 {data}`"))];
    for path in private_paths(settings) {
        match private_files::is_accessible_to_others(&path) {
            Ok(true) => findings
                .push(Finding::bad("files", format!("other users can read {0}; run `chmod 600 {0}`", path.display()))),
            Ok(false) => findings.push(Finding::good("files", format!("only its owner can read {}", path.display()))),
            Err(error) => findings.push(Finding::bad("files", format!("{}: {error}", path.display()))),
        }
    }
    findings
}

/// The files of an installation that only their owner may read, as far as they exist. A missing key file is reported
/// unless the key is a setting.
fn private_paths(settings: &Settings) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if settings.secret_key.is_none() {
        paths.push(settings.data.join("secret.key"));
    }
    if let DatabaseUrl::Sqlite(file) = &settings.database {
        let with = |ending: &str| PathBuf::from(format!("{}{ending}", file.display()));
        paths.extend(["", "-wal", "-shm"].map(with).into_iter().filter(|path| path.exists()));
    }
    paths
}

/// Checks that the data directory accepts a file of [`TEST_WRITE_BYTES`], which fails on a full or read-only disk.
fn test_write(data: &Path) -> Finding {
    let path = data.join(format!("doctor-{}.tmp", std::process::id()));
    let written = private_files::write(&path, &" ".repeat(TEST_WRITE_BYTES));
    let removed = std::fs::remove_file(&path);
    match written.and(removed) {
        Ok(()) => Finding::good("files", format!("{} accepts new files", data.display())),
        Err(error) => Finding::bad(
            "files",
            format!("cannot write to {}: {error}; check the free space and the permissions", data.display()),
        ),
    }
}

/// Every setting with its value and its origin, in the order of [`SETTINGS`]. Secret values are not shown.
fn settings_rows(context: &CommandContext) -> Vec<(&'static str, Option<String>, Option<SettingOrigin>)> {
    let row = |row: &crate::settings::definitions::SettingDefinition| match context.layers.get(row.name) {
        None => (row.name, None, None),
        Some(given) if row.is_secret => (row.name, Some("(set)".to_owned()), Some(given.origin)),
        Some(given) if row.name == "database" => {
            // A database URL may contain a password.
            let shown = given.value.parse::<DatabaseUrl>().map_or_else(|_| "(not valid)".into(), |u| u.to_string());
            (row.name, Some(shown), Some(given.origin))
        }
        Some(given) => (row.name, Some(given.value), Some(given.origin)),
    };
    SETTINGS.iter().map(row).collect()
}

fn settings_json(context: &CommandContext) -> Value {
    let rows = SETTINGS.iter().zip(settings_rows(context)).map(|(setting, (name, value, origin))| {
        let origin = origin.map(|origin| origin.to_string());
        (name.to_owned(), json!({ "value": value, "origin": origin, "purpose": setting.help }))
    });
    Value::Object(rows.collect())
}

fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let entry = |finding: &Finding| {
        let level = match finding.level {
            FindingLevel::Good => "good",
            FindingLevel::Note => "note",
            FindingLevel::Bad => "bad",
        };
        json!({ "level": level, "check": finding.check, "text": finding.text })
    };
    findings.iter().map(entry).collect()
}

fn print(context: &CommandContext, findings: &[Finding]) -> Result<(), CommandFailure> {
    let rows: Vec<Vec<String>> = settings_rows(context)
        .into_iter()
        .map(|(name, value, origin)| {
            let origin = origin.map_or_else(|| format!("not set; {}", variable(name)), |origin| origin.to_string());
            vec![name.to_owned(), value.unwrap_or_else(|| "-".to_owned()), origin]
        })
        .collect();
    if let Some(file) = &context.file {
        output::text(&format!("Settings file: {}\n\n", file.display()))?;
    }
    let purposes: Vec<&str> = SETTINGS.iter().map(|setting| setting.help).collect();
    output::table_with_notes(&["SETTING", "VALUE", "FROM"], &rows, &purposes)?;
    let lines: String = findings
        .iter()
        .map(|Finding { level, text, .. }| match level {
            FindingLevel::Good => format!(
                "ok     {text}
"
            ),
            FindingLevel::Note => format!(
                "note   {text}
"
            ),
            FindingLevel::Bad => format!(
                "WRONG  {text}
"
            ),
        })
        .collect();
    output::text(&format!("\n{lines}"))
}

/// Applies the pending migrations.
pub(super) async fn migrate(context: &CommandContext) -> Result<(), CommandFailure> {
    let settings = context.settings()?;
    if matches!(&settings.database, DatabaseUrl::Sqlite(path) if path.starts_with(&settings.data)) {
        private_files::create_directory(&settings.data)
            .map_err(|cause| crate::StartError::Data { path: settings.data.clone(), cause })?;
        installation::create_database_file(settings)?;
    }
    let database = settings.database.to_string();
    let applied = Db::migrate(&settings.database).await;
    let applied = applied.map_err(|cause| crate::StartError::Database { database: database.clone(), cause })?;
    match context.is_json {
        true => output::json(&json!({ "database": database, "applied": applied })),
        false => output::text(&format!("{database} is up to date ({} applied)\n", counted(applied, "migration"))),
    }
}
