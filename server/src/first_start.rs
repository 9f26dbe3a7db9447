//! The first start: a site that answers about HelpBot itself, and keys to talk to it, so that
//! something works before anything is configured.

use std::path::PathBuf;

use helpbot_domain::ids::SiteId;
use helpbot_domain::key::KeyKind;
use helpbot_services::accounts::keys::NewKey;
use helpbot_services::accounts::sites::NewSite;
use helpbot_services::accounts::{keys, sites};
use helpbot_services::{Result, sources};

use crate::installation::Installation;
use crate::settings::Settings;

/// The product's own FAQ, which the first site answers from.
const FAQ: &str = include_str!("../../docs/faq.md");
const FAQ_NAME: &str = "helpbot-faq.md";
const SITE_NAME: &str = "My site";
/// In the data directory: the widget key of the first site, for the demo page. It is no secret,
/// since it stands in every page that has the widget.
const DEMO_KEY_FILE: &str = "demo-widget.key";

/// What the first start made; the keys can never be read again.
pub(crate) struct FirstSite {
    pub site: SiteId,
    pub widget_key: String,
    pub secret_key: String,
    pub operator_key: String,
}

/// Makes the first site with its source and keys; none when there is a site already.
///
/// # Errors
/// Those of the use cases.
pub(crate) async fn prepare(installation: &Installation) -> Result<Option<FirstSite>> {
    let (services, operator) = (&installation.services, installation.operator());
    if sites::count(services, &operator).await? > 0 {
        return Ok(None);
    }
    let owner_email = installation.settings.owner_email.clone();
    let new = NewSite { name: SITE_NAME.to_owned(), owner_email, plan: None, credit_limit: None };
    let site = sites::create(services, &operator, new).await?.id;
    sources::add_file(services, &operator, Some(site), FAQ_NAME, FAQ.into()).await?;
    let key = |kind, name: &str| {
        let name = name.to_owned();
        NewKey { kind, name, scopes: Vec::new(), origins: Vec::new(), expires_at: None }
    };
    let (_, widget_key) =
        keys::create(services, &operator, Some(site), key(KeyKind::Widget, "First widget key")).await?;
    let (_, secret_key) =
        keys::create(services, &operator, Some(site), key(KeyKind::Secret, "First secret key")).await?;
    let (_, operator_key) = keys::create_operator(services, "First operator key").await?;
    keep_demo_key(&installation.settings, &widget_key);
    Ok(Some(FirstSite { site, widget_key, secret_key, operator_key }))
}

/// The widget key that the demo page uses; none when the first start was elsewhere.
pub(crate) fn demo_key(settings: &Settings) -> Option<String> {
    let text = std::fs::read_to_string(demo_key_file(settings)).ok()?;
    let key = text.trim();
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain.then(|| key.to_owned())
}

fn keep_demo_key(settings: &Settings, key: &str) {
    if let Err(error) = std::fs::write(demo_key_file(settings), format!("{key}\n")) {
        tracing::warn!(%error, "the demo page will have no chat: its key could not be kept");
    }
}

fn demo_key_file(settings: &Settings) -> PathBuf {
    settings.data.join(DEMO_KEY_FILE)
}
