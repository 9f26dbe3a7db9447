//! `helpbot doctor` and `helpbot migrate`. The first shows the effective settings and checks the database,
//! the secret key, mail, the embedding model and the listen address. It changes nothing. The second applies
//! pending migrations.

use std::path::Path;

use helpbot_db::{DatabaseUrl, Db};
use helpbot_services::accounts::sites;
use helpbot_services::runtime::mail;
use serde_json::{Value, json};

use super::context::CommandContext;
use super::failure::CommandFailure;
use super::output::{self, counted};
use crate::installation::{self, Migrations};
use crate::settings::definitions::{SETTINGS, variable};
use crate::settings::{EmbeddingModel, SettingOrigin, Settings};
use crate::{Installation, Parts};

/// Number of sites whose owner's e-mail address is checked.
const CHECKED_SITES: i64 = 500;
/// Ending of addresses that no mail can reach (RFC 2606). The first start uses one for the owner.
const UNREACHABLE: &str = ".invalid";

/// The result of one check.
enum Finding {
    /// The checked part works.
    Good(String),
    /// The checked part works, but its behavior may be unexpected.
    Note(String),
    /// The checked part does not work.
    Bad(String),
}

/// Checks the installation and prints the settings and findings. Fails when something does not work.
pub(super) async fn run(context: &CommandContext) -> Result<(), CommandFailure> {
    let mut findings: Vec<Finding> =
        context.layers.unknown_variables.iter().map(|name| Finding::Note(format!("{name} is not a setting"))).collect();
    match &context.settings {
        Ok(settings) => examine(settings, &mut findings).await,
        Err(problems) => findings.extend(problems.iter().map(|problem| Finding::Bad(problem.to_string()))),
    }
    if context.is_json {
        output::json(&json!({ "settings": settings_json(context), "findings": findings_json(&findings) }))?;
    } else {
        print(context, &findings)?;
    }
    let is_well = !findings.iter().any(|finding| matches!(finding, Finding::Bad(_)));
    if is_well { Ok(()) } else { Err(CommandFailure::silent()) }
}

async fn examine(settings: &Settings, findings: &mut Vec<Finding>) {
    findings.extend(database(settings).await);
    if !settings.data.is_dir() {
        let path = settings.data.display();
        findings.push(Finding::Note(format!("{path} does not exist yet; the first start creates it")));
    } else if settings.secret_key.is_none() {
        findings.push(secret_key(&settings.data));
    }
    if settings.smtp.is_none() {
        findings.push(Finding::Note("smtp_url is not set: mail waits until it is".into()));
    }
    if settings.model.is_none() {
        findings.push(Finding::Good("llm_base_url is not set: answers quote the site's pages".into()));
    }
    if let Some(EmbeddingModel::Folder(path)) = &settings.embedder {
        findings.push(match installation::embedder(settings).await {
            Ok(model) => {
                let name = model.as_deref().map_or("", |model| model.model());
                Finding::Good(format!("{} contains a usable embedding model: {name}", path.display()))
            }
            Err(error) => Finding::Bad(error.to_string()),
        });
    }
    if !settings.allow_private.is_empty() {
        findings.push(Finding::Note(format!(
            "sources and webhooks may connect to private addresses: {}",
            settings.allow_private
        )));
    }
    match tokio::net::TcpListener::bind(settings.listen).await {
        Ok(_) => findings.push(Finding::Good(format!("the address {} is free", settings.listen))),
        Err(error) => findings.push(Finding::Note(format!(
            "cannot listen on {} ({error}); a running helpbot may use it",
            settings.listen
        ))),
    }
}

async fn database(settings: &Settings) -> Vec<Finding> {
    let url = &settings.database;
    if matches!(url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return vec![Finding::Note(format!("{url} does not exist yet; the first start creates it"))];
    }
    let pending = match Db::pending_migrations(url).await {
        Ok(pending) => pending,
        Err(error) => return vec![Finding::Bad(format!("{url}: {error}"))],
    };
    if pending > 0 {
        return vec![Finding::Bad(format!("{url}: {}; run `helpbot migrate`", counted(pending, "pending migration")))];
    }
    // No question is asked here, and the embedding model is checked separately.
    let settings = Settings { embedder: None, ..settings.clone() };
    let installation = Installation::open(settings, Parts::default(), Migrations::Require).await;
    let installation = match installation {
        Err(error) => return vec![Finding::Bad(error.to_string())],
        Ok(installation) => installation,
    };
    let mut findings = Vec::new();
    if let Err(error) = content(url, &installation, &mut findings).await {
        findings.push(Finding::Bad(format!("{url}: {error}")));
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
        findings.push(Finding::Bad(format!("{url} is damaged: {}", damage.join("; "))));
        return Ok(());
    }
    let count = sites::count(services, &operator).await?;
    findings.push(Finding::Good(format!(
        "{url} is reachable, up to date and undamaged; it has {}",
        counted(count, "site")
    )));
    for site in sites::list(services, &operator, helpbot_domain::page::PageRequest::first(CHECKED_SITES)).await? {
        if site.owner_email.ends_with(UNREACHABLE) {
            findings.push(Finding::Note(format!(
                "mail to {}, the owner of {}, cannot be delivered; run `helpbot site update {} --owner-email YOU@EXAMPLE`",
                site.owner_email, site.name, site.id
            )));
        }
    }
    let waiting = mail::waiting_of_all(services, &operator).await?;
    if let Some(oldest) = waiting.first() {
        let why = oldest.last_error.as_deref().unwrap_or("not attempted yet");
        findings.push(Finding::Note(format!(
            "{} in the queue, the oldest since {} ({why}); `helpbot mail list` shows them",
            counted(waiting.len(), "mail"),
            oldest.created_at
        )));
    }
    Ok(())
}

#[cfg(unix)]
fn secret_key(data: &Path) -> Finding {
    use std::os::unix::fs::PermissionsExt;
    let path = data.join("secret.key");
    match std::fs::metadata(&path) {
        Ok(file) if file.permissions().mode() & 0o077 != 0 => {
            Finding::Bad(format!("{} can be read by other users; run `chmod 600` on it", path.display()))
        }
        Ok(_) => Finding::Good(format!("only its owner can read {}", path.display())),
        Err(error) => Finding::Bad(format!("{}: {error}", path.display())),
    }
}

#[cfg(not(unix))]
fn secret_key(data: &Path) -> Finding {
    Finding::Note(format!("make sure that no other user can read {}", data.join("secret.key").display()))
}

/// Every setting with its value and its origin. Secret values are not shown.
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
    let rows = settings_rows(context).into_iter();
    let entry = |(name, value, origin): (&str, Option<String>, Option<SettingOrigin>)| {
        (name.to_owned(), json!({ "value": value, "origin": origin.map(|origin| origin.to_string()) }))
    };
    Value::Object(rows.map(entry).collect())
}

fn findings_json(findings: &[Finding]) -> Vec<Value> {
    let entry = |finding: &Finding| match finding {
        Finding::Good(text) => json!({ "level": "good", "text": text }),
        Finding::Note(text) => json!({ "level": "note", "text": text }),
        Finding::Bad(text) => json!({ "level": "bad", "text": text }),
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
    output::table(&["SETTING", "VALUE", "FROM"], &rows)?;
    let lines: String = findings
        .iter()
        .map(|finding| match finding {
            Finding::Good(text) => format!("ok     {text}\n"),
            Finding::Note(text) => format!("note   {text}\n"),
            Finding::Bad(text) => format!("WRONG  {text}\n"),
        })
        .collect();
    output::text(&format!("\n{lines}"))
}

/// Applies the pending migrations.
pub(super) async fn migrate(context: &CommandContext) -> Result<(), CommandFailure> {
    let settings = context.settings()?;
    if matches!(&settings.database, DatabaseUrl::Sqlite(path) if path.starts_with(&settings.data)) {
        std::fs::create_dir_all(&settings.data)
            .map_err(|cause| crate::StartError::Data { path: settings.data.clone(), cause })?;
    }
    let database = settings.database.to_string();
    let applied = Db::migrate(&settings.database).await;
    let applied = applied.map_err(|cause| crate::StartError::Database { database: database.clone(), cause })?;
    match context.is_json {
        true => output::json(&json!({ "database": database, "applied": applied })),
        false => output::text(&format!("{database} is up to date ({} applied)\n", counted(applied, "migration"))),
    }
}
