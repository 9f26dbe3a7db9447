//! `helpbot doctor` and `helpbot migrate`: what is in force, what is wrong, and the tables.

use std::path::Path;

use helpbot_db::{DatabaseUrl, Db};
use helpbot_services::accounts::sites;
use helpbot_services::runtime::mail;
use serde_json::{Value, json};

use super::context::Context;
use super::failure::Failure;
use super::output;
use crate::installation::{self, Migrations};
use crate::settings::table::{TABLE, variable};
use crate::settings::{Embeddings, Origin, Settings};
use crate::{Installation, Parts};

/// Sites whose owners' addresses are looked at.
const SITES_LOOKED_AT: i64 = 500;
/// No mail can be sent below this name (RFC 2606): the owner that the first start makes up.
const NOWHERE: &str = ".invalid";

/// How a look at one part went.
enum Finding {
    Good(String),
    /// Works, but somebody may be surprised.
    Note(String),
    /// Does not work.
    Bad(String),
}

pub(super) async fn run(context: &Context) -> Result<(), Failure> {
    let mut findings: Vec<Finding> =
        context.layers.unknown_variables.iter().map(|name| Finding::Note(format!("{name} is no setting"))).collect();
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
    if is_well { Ok(()) } else { Err(Failure::silent()) }
}

async fn examine(settings: &Settings, findings: &mut Vec<Finding>) {
    findings.extend(database(settings).await);
    if !settings.data.is_dir() {
        let path = settings.data.display();
        findings.push(Finding::Note(format!("{path} is not there yet; the first start makes it")));
    } else if settings.secret_key.is_none() {
        findings.push(secret_key(&settings.data));
    }
    if settings.smtp.is_none() {
        findings.push(Finding::Note("no smtp_url: mail about handoffs waits until there is one".into()));
    }
    if settings.model.is_none() {
        findings.push(Finding::Good("no llm_base_url: answers are the site's own words".into()));
    }
    if let Some(Embeddings::Folder(path)) = &settings.embedder {
        findings.push(match installation::embedder(settings).await {
            Ok(model) => {
                let name = model.as_deref().map_or("", |model| model.model());
                Finding::Good(format!("{} holds a model that can be run: {name}", path.display()))
            }
            Err(error) => Finding::Bad(error.to_string()),
        });
    }
    if !settings.allow_private.is_empty() {
        findings.push(Finding::Note(format!("sources may reach private addresses: {}", settings.allow_private)));
    }
    match tokio::net::TcpListener::bind(settings.listen).await {
        Ok(_) => findings.push(Finding::Good(format!("{} is free to listen on", settings.listen))),
        Err(error) => findings.push(Finding::Note(format!(
            "{} cannot be listened on ({error}); a running helpbot may have it",
            settings.listen
        ))),
    }
}

async fn database(settings: &Settings) -> Vec<Finding> {
    let url = &settings.database;
    if matches!(url, DatabaseUrl::Sqlite(path) if !path.exists()) {
        return vec![Finding::Note(format!("{url} is not there yet; the first start makes it"))];
    }
    let pending = match Db::pending_migrations(url).await {
        Ok(pending) => pending,
        Err(error) => return vec![Finding::Bad(format!("{url}: {error}"))],
    };
    if pending > 0 {
        return vec![Finding::Bad(format!("{url}: {pending} migrations are missing: run `helpbot migrate`"))];
    }
    // No question is asked: a model that cannot be read is told of by itself.
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

/// Whether the file is whole, which takes as long as reading it; whether its sites' owners can be
/// written to, and what waits to be.
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
    findings.push(Finding::Good(format!("{url} answers, is up to date and undamaged; {count} sites")));
    for site in sites::list(services, &operator, helpbot_services::Part::first(SITES_LOOKED_AT)).await? {
        if site.owner_email.ends_with(NOWHERE) {
            findings.push(Finding::Note(format!(
                "no mail reaches {}, the owner of {}: `helpbot site update {} --owner-email YOU@EXAMPLE`",
                site.owner_email, site.name, site.id
            )));
        }
    }
    let waiting = mail::waiting_of_all(services, &operator).await?;
    if let Some(oldest) = waiting.first() {
        let why = oldest.last_error.as_deref().unwrap_or("not tried yet");
        findings.push(Finding::Note(format!(
            "{} mails wait, the oldest since {} ({why}): `helpbot mail list`",
            waiting.len(),
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
            Finding::Bad(format!("{} can be read by others: chmod 600 it", path.display()))
        }
        Ok(_) => Finding::Good(format!("{} is readable by its owner alone", path.display())),
        Err(error) => Finding::Bad(format!("{}: {error}", path.display())),
    }
}

#[cfg(not(unix))]
fn secret_key(data: &Path) -> Finding {
    Finding::Note(format!("make sure that nobody else can read {}", data.join("secret.key").display()))
}

/// Every setting: its value (never a secret's), where it was set.
fn settings_rows(context: &Context) -> Vec<(&'static str, Option<String>, Option<Origin>)> {
    let row = |row: &crate::settings::table::Row| match context.layers.get(row.name) {
        None => (row.name, None, None),
        Some(given) if row.is_secret => (row.name, Some("(set)".to_owned()), Some(given.origin)),
        Some(given) if row.name == "database" => {
            // An address may hold a password.
            let shown =
                given.value.parse::<DatabaseUrl>().map_or_else(|_| "(not understood)".into(), |u| u.to_string());
            (row.name, Some(shown), Some(given.origin))
        }
        Some(given) => (row.name, Some(given.value), Some(given.origin)),
    };
    TABLE.iter().map(row).collect()
}

fn settings_json(context: &Context) -> Value {
    let rows = settings_rows(context).into_iter();
    let entry = |(name, value, origin): (&str, Option<String>, Option<Origin>)| {
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

fn print(context: &Context, findings: &[Finding]) -> Result<(), Failure> {
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

pub(super) async fn migrate(context: &Context) -> Result<(), Failure> {
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
        false => output::text(&format!("{database} is up to date ({applied} migrations applied)\n")),
    }
}
