//! `helpbot key`: creates, lists and revokes API keys, including operator keys.

use clap::{Subcommand, ValueEnum};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_domain::key::{Key, KeyKind, Scope};
use helpbot_services::Services;
use helpbot_services::accounts::keys::{self, NewKey};
use helpbot_services::runtime::key_rotation::{self, RotationReport};
use serde_json::{Value, json};

use super::context::{self, CommandContext};
use super::failure::CommandFailure;
use super::output::{self, counted};

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Create an API key. The key is shown only once.
    Create {
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
        /// Kind of the key: widget for web pages, secret for servers, operator for the whole installation.
        #[arg(long)]
        kind: KeyKindArg,
        /// Name of the key.
        #[arg(long, default_value = "Command line")]
        name: String,
        /// Scopes of the key, for example read_sources,write_sources. Defaults to all scopes of its kind.
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// Web origins that may use the key, for example https://shop.example. Defaults to all origins for widget keys.
        #[arg(long, value_delimiter = ',', value_name = "ORIGIN")]
        origins: Vec<String>,
        /// Time at which the key expires, for example 2027-01-01T00:00:00Z. Defaults to never.
        #[arg(long, value_name = "TIME", value_parser = timestamp)]
        expires: Option<Timestamp>,
    },
    /// List the keys of a site without their secrets.
    List {
        /// ID of the site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// Make the secret key of the settings that of the installation, and encrypt stored secrets with it. All nodes must
    /// have both keys, in secret_key and previous_secret_key.
    RotateSecret,
    /// Revoke a key immediately.
    Revoke {
        /// ID of the key.
        key: KeyId,
        /// ID of the key's site. May be left out when there is only one site.
        #[arg(long)]
        site: Option<SiteId>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeyKindArg {
    Widget,
    Secret,
    Operator,
}

/// Parses the value of `--expires`.
fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text).ok_or_else(|| "expected a time such as 2027-01-01T00:00:00Z".to_owned())
}

pub(super) async fn run(context: &CommandContext, command: KeyCommand) -> Result<(), CommandFailure> {
    let installation = context.open().await?;
    let (services, operator) = (&installation.services, installation.operator());
    match command {
        KeyCommand::Create { kind: KeyKindArg::Operator, name, .. } => {
            let (key, secret) = keys::create_operator(services, &name).await?;
            created(context, &key, &secret)
        }
        KeyCommand::Create { site, kind, name, scopes, origins, expires } => {
            let site = context::site(&installation, site).await?;
            let kind = if kind == KeyKindArg::Widget { KeyKind::Widget } else { KeyKind::Secret };
            let scopes = Some(scopes).filter(|scopes| !scopes.is_empty());
            let new = NewKey { kind, name, scopes, origins, expires_at: expires };
            let (key, secret) = keys::create(services, &operator, Some(site.id), new).await?;
            created(context, &key, &secret)
        }
        KeyCommand::List { site } => {
            let site = context::site(&installation, site).await?;
            list(context, &keys::list(services, &operator, Some(site.id)).await?)
        }
        KeyCommand::RotateSecret => rotate_secret(context, services).await,
        KeyCommand::Revoke { key, site } => {
            let site = context::site(&installation, site).await?;
            let key = keys::revoke(services, &operator, Some(site.id), key).await?;
            match context.is_json {
                true => output::json(&shown(&key)),
                false => output::text(&format!("Revoked {}\n", key.id)),
            }
        }
    }
}

async fn rotate_secret(context: &CommandContext, services: &Services) -> Result<(), CommandFailure> {
    if context.settings()?.previous_secret_key.is_none() {
        return Err(CommandFailure::usage("set previous_secret_key to the key that secret_key replaces"));
    }
    let on_progress = |RotationReport { sealed, unchanged }| {
        output::progress(&format!("{} done", counted(sealed + unchanged, "secret")));
    };
    let RotationReport { sealed, unchanged } = key_rotation::rotate(services, Box::new(on_progress)).await?;
    match context.is_json {
        true => output::json(&json!({ "sealed": sealed, "unchanged": unchanged })),
        false => output::text(&format!(
            "The new secret key is that of the installation. It encrypts the secrets of {}.\nKeep previous_secret_key for 30 \
             days: until then, visitors return with session tokens of the previous key.\n",
            counted(sealed + unchanged, "secret")
        )),
    }
}

fn created(context: &CommandContext, key: &Key, secret: &str) -> Result<(), CommandFailure> {
    if context.is_json {
        let mut value = shown(key);
        value["key"] = secret.into();
        return output::json(&value);
    }
    output::text(&format!("{secret}\n"))?;
    output::progress(&format!("Created {}. The key is not shown again.", key.id));
    Ok(())
}

fn list(context: &CommandContext, all: &[Key]) -> Result<(), CommandFailure> {
    if context.is_json {
        return output::json(&json!({ "keys": all.iter().map(shown).collect::<Vec<_>>() }));
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|key| {
            let state = match (key.revoked_at, key.expires_at) {
                (Some(at), _) => format!("revoked {at}"),
                (None, Some(at)) => format!("expires {at}"),
                (None, None) => "active".to_owned(),
            };
            let used = key.last_used_at.map_or_else(|| "never".to_owned(), |at| at.to_string());
            let shown = format!("{}…{}", key.kind.prefix(), key.last4);
            vec![key.id.to_string(), shown, state, used, key.name.clone()]
        })
        .collect();
    output::table(&["ID", "KEY", "STATE", "LAST USED", "NAME"], &rows)
}

fn shown(key: &Key) -> Value {
    json!({
        "id": key.id,
        "site": key.site_id,
        "kind": key.kind,
        "name": key.name,
        "last4": key.last4,
        "scopes": key.scopes,
        "origins": key.origins,
        "expiresAt": key.expires_at,
        "revokedAt": key.revoked_at,
        "lastUsedAt": key.last_used_at,
        "createdAt": key.created_at,
    })
}
