//! `helpbot key …`

use clap::{Subcommand, ValueEnum};
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_domain::key::{KeyKind, Scope};
use helpbot_services::Key;
use helpbot_services::accounts::keys::{self, NewKey};
use serde_json::{Value, json};

use super::context::{self, Context};
use super::failure::Failure;
use super::output;

#[derive(Debug, Subcommand)]
pub(super) enum KeyCommand {
    /// Make a key; it is shown once
    Create {
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
        /// For pages, for servers, or for the operator of the installation
        #[arg(long)]
        kind: Kind,
        /// As its maker calls it
        #[arg(long, default_value = "Command line")]
        name: String,
        /// What it may do, for example read_sources,write_sources [default: all of its kind]
        #[arg(long, value_delimiter = ',')]
        scopes: Vec<Scope>,
        /// Pages that it is bound to, for example https://shop.example
        #[arg(long, value_delimiter = ',', value_name = "ORIGIN")]
        origins: Vec<String>,
        /// When it ends, for example 2027-01-01T00:00:00Z
        #[arg(long, value_name = "TIME", value_parser = moment)]
        expires: Option<Timestamp>,
    },
    /// List the keys of a site, without their secrets
    List {
        /// The site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
    },
    /// End a key at once
    Revoke {
        /// The key's id
        key: KeyId,
        /// Its site [default: the only one]
        #[arg(long)]
        site: Option<SiteId>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Widget,
    Secret,
    Operator,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text).ok_or_else(|| "a time such as 2027-01-01T00:00:00Z is wanted".to_owned())
}

pub(super) async fn run(context: &Context, command: KeyCommand) -> Result<(), Failure> {
    let installation = context.open().await?;
    let (services, operator) = (&installation.services, installation.operator());
    match command {
        KeyCommand::Create { kind: Kind::Operator, name, .. } => {
            let (key, secret) = keys::create_operator(services, &name).await?;
            created(context, &key, &secret)
        }
        KeyCommand::Create { site, kind, name, scopes, origins, expires } => {
            let site = context::site(&installation, site).await?;
            let kind = if kind == Kind::Widget { KeyKind::Widget } else { KeyKind::Secret };
            let new = NewKey { kind, name, scopes, origins, expires_at: expires };
            let (key, secret) = keys::create(services, &operator, Some(site.id), new).await?;
            created(context, &key, &secret)
        }
        KeyCommand::List { site } => {
            let site = context::site(&installation, site).await?;
            list(context, &keys::list(services, &operator, Some(site.id)).await?)
        }
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

fn created(context: &Context, key: &Key, secret: &str) -> Result<(), Failure> {
    if context.is_json {
        let mut value = shown(key);
        value["key"] = secret.into();
        return output::json(&value);
    }
    output::text(&format!("{secret}\n"))?;
    output::progress(&format!("{} was made. This is the only time that it is shown.", key.id));
    Ok(())
}

fn list(context: &Context, all: &[Key]) -> Result<(), Failure> {
    if context.is_json {
        return output::json(&json!({ "keys": all.iter().map(shown).collect::<Vec<_>>() }));
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|key| {
            let state = match (key.revoked_at, key.expires_at) {
                (Some(at), _) => format!("revoked {at}"),
                (None, Some(at)) => format!("until {at}"),
                (None, None) => "open".to_owned(),
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
