//! The first start creates a site that answers questions about HelpBot itself, and one key of each kind, so
//! that everything works before anything is configured. `cli::serve` calls it, and `running` reads the widget
//! key for the demo page.

use std::path::PathBuf;
use std::time::Duration;

use helpbot_domain::ids::SiteId;
use helpbot_domain::key::KeyKind;
use helpbot_services::accounts::keys::NewKey;
use helpbot_services::accounts::sites::NewSite;
use helpbot_services::accounts::{keys, sites};
use helpbot_services::runtime::installation;
use helpbot_services::{Result, sources};

use crate::error::StartError;
use crate::installation::Installation;
use crate::private_files;
use crate::settings::Settings;

/// HelpBot's own FAQ, the source of the first site.
const FAQ: &str = include_str!("../../docs/faq.md");
const FAQ_NAME: &str = "helpbot-faq.md";
const SITE_NAME: &str = "My site";
/// Time between two looks at the first site that another node creates.
const WAIT: Duration = Duration::from_millis(200);
/// File in the data directory with the widget key of the first site, for the demo page. A widget key is not
/// secret, because every page with the widget contains it.
const DEMO_KEY_FILE: &str = "demo-widget.key";

/// The first site and its keys. The keys cannot be read again later.
pub(crate) struct FirstSite {
    pub site: SiteId,
    pub widget_key: String,
    pub secret_key: String,
    pub operator_key: String,
}

/// Creates the first site with its source and keys. `None` when a site exists. Of several nodes that start at
/// the same time, one creates it, and the others wait for it.
///
/// # Errors
/// The errors of the use cases.
pub(crate) async fn create(node: &Installation) -> Result<Option<FirstSite>> {
    let (services, operator, owner) = (&node.services, node.operator(), node.lease_owner());
    loop {
        if sites::count(services, &operator).await? > 0 {
            return Ok(None);
        }
        if installation::claim_first_start(services, &owner).await? {
            break;
        }
        tokio::time::sleep(WAIT).await;
    }
    // The node that had the claim before may have ended it after the sites were counted.
    let created = match sites::count(services, &operator).await? {
        0 => create_claimed(node).await.map(Some),
        _ => Ok(None),
    };
    // Keys that were created are returned in any case, because they cannot be read again.
    if let Err(error) = installation::end_first_start(services, &owner).await {
        tracing::warn!(error = error.detail(), "the reservation of the first start ends by itself in a minute");
    }
    created
}

async fn create_claimed(installation: &Installation) -> Result<FirstSite> {
    let (services, operator) = (&installation.services, installation.operator());
    let owner_email = installation.settings.owner_email.clone();
    let new = NewSite { name: SITE_NAME.to_owned(), owner_email, plan: None, credit_limit: None };
    let site = sites::create(services, &operator, new).await?.id;
    sources::add_file(services, &operator, Some(site), FAQ_NAME, FAQ.into()).await?;
    let key = |kind, name: &str| {
        let name = name.to_owned();
        NewKey { kind, name, scopes: None, origins: Vec::new(), expires_at: None }
    };
    let (_, widget_key) =
        keys::create(services, &operator, Some(site), key(KeyKind::Widget, "First widget key")).await?;
    let (_, secret_key) =
        keys::create(services, &operator, Some(site), key(KeyKind::Secret, "First secret key")).await?;
    let (_, operator_key) = keys::create_operator(services, "First operator key").await?;
    save_demo_key(&installation.settings, &widget_key);
    Ok(FirstSite { site, widget_key, secret_key, operator_key })
}

/// File in the data directory with the keys of the first start, when they are not printed on a terminal.
const KEYS_FILE: &str = "first-keys.txt";

/// Writes the keys of the first start to a file that only its owner can read, and returns its path.
///
/// # Errors
/// `Data` when the file cannot be written.
pub(crate) fn write_keys(settings: &Settings, text: &str) -> std::result::Result<PathBuf, StartError> {
    let path = settings.data.join(KEYS_FILE);
    let written = private_files::create_directory(&settings.data).and_then(|()| private_files::write(&path, text));
    written.map(|()| path.clone()).map_err(|cause| StartError::Data { path, cause })
}

/// The widget key of the demo page. `None` when this data directory did not see the first start.
pub(crate) fn demo_key(settings: &Settings) -> Option<String> {
    let text = std::fs::read_to_string(demo_key_file(settings)).ok()?;
    let key = text.trim();
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_plain.then(|| key.to_owned())
}

fn save_demo_key(settings: &Settings, key: &str) {
    if let Err(error) = std::fs::write(demo_key_file(settings), format!("{key}\n")) {
        tracing::warn!(%error, "cannot save the widget key of the demo page, which therefore has no chat");
    }
}

fn demo_key_file(settings: &Settings) -> PathBuf {
    settings.data.join(DEMO_KEY_FILE)
}
