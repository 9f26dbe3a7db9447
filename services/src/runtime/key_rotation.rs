//! Rotation of the secret key of an installation.
//!
//! While a key is rotated, all nodes know two keys: they sign and seal with the current one and accept both
//! ([`crate::Settings::accepted_keys`]). [`rotate`] then seals the stored secrets with the current key, and last
//! makes it the key of the installation, whose fingerprint is in the database. It may be interrupted and repeated at any
//! time: a secret that the current key opens is left as it is.
//!
//! Session tokens, reply addresses and stored responses are not changed. Those of the previous key are valid as long as
//! nodes accept it. Hashes of client addresses and mailboxes cannot be computed again, so they keep the first key of
//! the installation ([`hash_key`]), which is then stored, sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helpbot_db::{self as db, Db};
use helpbot_domain::ids::{IdentitySecretId, SiteId, WebhookId};
use helpbot_domain::webhook::Webhook;

use crate::accounts::identity_secrets;
use crate::runtime::installation::fingerprint;
use crate::runtime::sealer::{self, Purpose};
use crate::webhooks::sealing;
use crate::{Error, Result, Services, Settings, boxed};

/// Number of webhooks or identity secrets in a transaction, which takes some milliseconds.
const BATCH: i64 = 50;
/// What the sealed key for hashes is bound to.
const HASH_KEY_CONTEXT: &[u8] = b"installation";

/// What a rotation has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RotationReport {
    /// Webhooks and identity secrets that were sealed with the current key.
    pub sealed: u64,
    /// Webhooks and identity secrets that the current key opened already.
    pub unchanged: u64,
}

/// Returns the key with which this installation hashes client addresses and mailboxes: the one that is stored, or else
/// the key of `settings` that the installation was written with.
///
/// # Errors
/// `Conflict` when no key of `settings` opens the stored one; errors of the database.
#[boxed]
pub async fn hash_key(db: &Db, settings: &Settings) -> Result<[u8; 32]> {
    let mut reader = db.reader().await?;
    if let Some(sealed) = db::installation::hash_key(&mut reader).await? {
        return open_hash_key(settings, &sealed);
    }
    let stored = db::installation::key_fingerprint(&mut reader).await?;
    let is_stored = |key: &&[u8; 32]| stored.as_ref().is_none_or(|stored| *stored == fingerprint(key));
    Ok(*settings.accepted_keys().find(is_stored).unwrap_or(&settings.secret_key))
}

fn open_hash_key(settings: &Settings, sealed: &[u8]) -> Result<[u8; 32]> {
    let open = |key| sealer::open(key, Purpose::HashKey, HASH_KEY_CONTEXT, sealed);
    let opened = settings.accepted_keys().find_map(open).and_then(|text| STANDARD.decode(text).ok()?.try_into().ok());
    opened.ok_or_else(|| Error::Conflict("no secret key opens the stored key for hashes".into()))
}

/// Seals the stored secrets with the current key and makes it the key of the installation. `on_progress` receives
/// the report after each batch.
///
/// # Errors
/// `Conflict` when a secret opens with neither key, or when the installation has another key; errors of the database.
#[boxed]
pub async fn rotate(
    services: &Services,
    mut on_progress: Box<dyn FnMut(RotationReport) + Send + Sync>,
) -> Result<RotationReport> {
    let mut report = RotationReport::default();
    let mut after: Option<(SiteId, WebhookId)> = None;
    loop {
        let batch = db::webhooks::ids_after(&mut services.db.reader().await?, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = Some(*last);
        let settings = services.settings.clone();
        let sealed = services.db.write(move |c| Box::pin(async move { seal_again(c, &settings, batch).await })).await?;
        report.sealed += sealed.sealed;
        report.unchanged += sealed.unchanged;
        on_progress(report);
    }
    let mut after: Option<(SiteId, IdentitySecretId)> = None;
    loop {
        let batch = db::identity_secrets::after(&mut services.db.reader().await?, after, BATCH).await?;
        let Some(last) = batch.last() else { break };
        after = Some((last.site_id, last.id));
        for secret in batch {
            match identity_secrets::sealed_again(&services.settings, &secret)? {
                Some(sealed) => {
                    let (site, id) = (secret.site_id, secret.id);
                    let write = services.db.write(move |c| {
                        Box::pin(
                            async move { Ok::<_, Error>(db::identity_secrets::reseal(c, site, id, &sealed).await?) },
                        )
                    });
                    write.await?;
                    report.sealed += 1;
                }
                None => report.unchanged += 1,
            }
        }
        on_progress(report);
    }
    finish(services).await?;
    Ok(report)
}

async fn seal_again(c: &mut db::Conn, settings: &Settings, batch: Vec<(SiteId, WebhookId)>) -> Result<RotationReport> {
    let mut report = RotationReport::default();
    for (site, id) in batch {
        // A webhook that was deleted meanwhile has no secret.
        let Some(mut webhook) = db::webhooks::by_id_locked(c, site, id).await? else { continue };
        match seal_webhook(settings, &mut webhook)? {
            true => {
                db::webhooks::update(c, &webhook).await?;
                report.sealed += 1;
            }
            false => report.unchanged += 1,
        }
    }
    Ok(report)
}

/// Seals the secrets of a webhook with the current key. Returns whether they had another one.
fn seal_webhook(settings: &Settings, webhook: &mut Webhook) -> Result<bool> {
    let (site, id, key) = (webhook.site_id, webhook.id, &settings.secret_key);
    let overlap = webhook.overlap.as_mut().map(|overlap| &mut overlap.secret);
    let mut is_changed = false;
    for secret in std::iter::once(&mut webhook.secret).chain(overlap) {
        if sealing::open(key, site, id, secret).is_some() {
            continue;
        }
        let text = settings.accepted_keys().find_map(|key| sealing::open(key, site, id, secret));
        let text = text.ok_or_else(|| {
            Error::Conflict(format!(
                "The secret of the webhook {id} opens neither with secret_key nor with previous_secret_key."
            ))
        })?;
        *secret = sealing::seal(key, site, id, &text);
        is_changed = true;
    }
    Ok(is_changed)
}

/// Makes the current key that of the installation.
async fn finish(services: &Services) -> Result<()> {
    let settings = &services.settings;
    let new = fingerprint(&settings.secret_key);
    let stored = db::installation::key_fingerprint(&mut services.db.reader().await?).await?;
    let Some(old) = stored.filter(|old| *old != new) else { return Ok(()) };
    let hash_key = hash_key(&services.db, settings).await?;
    let sealed = sealer::seal(&settings.secret_key, Purpose::HashKey, HASH_KEY_CONTEXT, &STANDARD.encode(hash_key));
    let write = services.db.write(move |c| {
        Box::pin(async move { Ok::<_, Error>(db::installation::rotate(c, &old, &new, &sealed).await?) })
    });
    match write.await? {
        true => Ok(()),
        false => Err(Error::Conflict("The key of the installation was changed by another program. Try again.".into())),
    }
}
