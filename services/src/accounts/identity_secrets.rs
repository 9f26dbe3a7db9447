//! Identity secrets: with them the site's own server signs identity tokens ([`identity_token`](super::identity_token)).
//!
//! A site has at most two, so that one can be replaced without a moment in which tokens are refused: create the next one,
//! let the server sign with it, and delete the previous one. Each is stored sealed and bound to its row.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use helpbot_db as db;
use helpbot_domain::contact::{IdentitySecret, SECRETS_MAX};
use helpbot_domain::ids::{IdentitySecretId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::webhook::SealedSecret;

use crate::accounts::sites;
use crate::runtime::randomness;
use crate::runtime::sealer::{self, Purpose};
use crate::{Error, Result, Services, Settings, Viewer, boxed};

const PREFIX: &str = "ids_";
const SHOWN_CHARS: usize = 4;

/// Creates a secret and returns it with its text, which is not shown again: `ids_` and 32 random bytes in base64url. The
/// whole text is the key of the signature.
///
/// # Errors
/// `Forbidden`; `NotFound`; `LimitReached` when the site has two secrets.
#[boxed]
pub async fn create(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<(IdentitySecret, String)> {
    viewer.require(Scope::Admin)?;
    let site = sites::get(services, viewer, named).await?.id;
    let now = services.now();
    let id = IdentitySecretId::from_uuid(randomness::uuid(now));
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(randomness::bytes()));
    let secret = seal(&services.settings.secret_key, site, id, &text);
    let new = IdentitySecret { site_id: site, id, secret, created_at: now };
    let stored = services.db.write(move |c| {
        Box::pin(async move {
            // Lock the site, so that of two concurrent creations the second one counts the first.
            db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
            if db::identity_secrets::list(c, site).await?.len() >= SECRETS_MAX {
                return Err(Error::LimitReached(format!(
                    "A site can have at most {SECRETS_MAX} identity secrets. Delete one first."
                )));
            }
            db::identity_secrets::insert(c, &new).await?;
            Ok(new)
        })
    });
    Ok((stored.await?, text))
}

/// Returns the secrets of a site, oldest first. They stay sealed.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<IdentitySecret>> {
    viewer.require(Scope::Admin)?;
    Ok(db::identity_secrets::list(&mut services.db.reader().await?, viewer.site(named)?).await?)
}

/// Deletes a secret. Tokens that it signed are refused from now on. Contacts that they named stay.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn delete(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: IdentitySecretId) -> Result<()> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let deleted = services.db.write(move |c| {
        Box::pin(async move {
            let is_deleted = db::identity_secrets::delete(c, site, id).await?;
            if is_deleted { Ok(()) } else { Err(Error::NotFound("Identity secret")) }
        })
    });
    deleted.await
}

/// Returns the texts of the secrets whose signatures a site accepts.
///
/// # Errors
/// Errors of the database. A secret that no key of the installation opens is left out and logged.
pub(crate) async fn accepted(services: &Services, site: SiteId) -> Result<Vec<(IdentitySecretId, String)>> {
    let stored = db::identity_secrets::list(&mut services.db.reader().await?, site).await?;
    let opened = |secret: IdentitySecret| {
        let text = open(&services.settings, &secret);
        if text.is_none() {
            tracing::error!(%site, secret = %secret.id, "no secret key of the installation opens an identity secret");
        }
        text.map(|text| (secret.id, text))
    };
    Ok(stored.into_iter().filter_map(opened).collect())
}

fn seal(key: &[u8; 32], site: SiteId, id: IdentitySecretId, text: &str) -> SealedSecret {
    let bytes = sealer::seal(key, Purpose::IdentitySecret, &context(site, id), text);
    SealedSecret { bytes, last4: text[text.len() - SHOWN_CHARS..].to_owned() }
}

fn open(settings: &Settings, secret: &IdentitySecret) -> Option<String> {
    settings.accepted_keys().find_map(|key| open_with(key, secret))
}

fn open_with(key: &[u8; 32], secret: &IdentitySecret) -> Option<String> {
    let context = context(secret.site_id, secret.id);
    sealer::open(key, Purpose::IdentitySecret, &context, &secret.secret.bytes)
}

/// Returns the secret sealed with the current key of the installation. `None` when it is so already.
///
/// # Errors
/// `Conflict` when no key of the installation opens the secret.
pub(crate) fn sealed_again(settings: &Settings, secret: &IdentitySecret) -> Result<Option<SealedSecret>> {
    if open_with(&settings.secret_key, secret).is_some() {
        return Ok(None);
    }
    let text = open(settings, secret).ok_or_else(|| {
        let id = secret.id;
        Error::Conflict(format!("The identity secret {id} opens neither with secret_key nor with previous_secret_key."))
    })?;
    Ok(Some(seal(&settings.secret_key, secret.site_id, secret.id, &text)))
}

fn context(site: SiteId, id: IdentitySecretId) -> Vec<u8> {
    [site.uuid().into_bytes(), id.uuid().into_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use helpbot_domain::Timestamp;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_secret_opens_with_the_current_and_the_previous_key_and_is_sealed_again_once() {
        let (site, id) = (SiteId::from_uuid(Uuid::from_u128(1)), IdentitySecretId::from_uuid(Uuid::from_u128(2)));
        let sealed = seal(&[1; 32], site, id, "ids_text");
        let secret = IdentitySecret { site_id: site, id, secret: sealed, created_at: Timestamp::from_ms(0) };
        let rotating = Settings { previous_secret_key: Some([1; 32]), ..Settings::new([2; 32]) };

        assert_eq!(open(&rotating, &secret).as_deref(), Some("ids_text"));
        let again = sealed_again(&rotating, &secret).expect("it opens").expect("it had the previous key");
        let secret = IdentitySecret { secret: again, ..secret };

        assert_eq!(secret.secret.last4, "text");
        assert_eq!(open_with(&[2; 32], &secret).as_deref(), Some("ids_text"));
        assert_eq!(sealed_again(&rotating, &secret).expect("it opens"), None);
        assert!(sealed_again(&Settings::new([3; 32]), &secret).is_err());
        let copied = IdentitySecret { id: IdentitySecretId::from_uuid(Uuid::from_u128(3)), ..secret };
        assert_eq!(open(&rotating, &copied), None, "a secret is bound to its row");
    }
}
