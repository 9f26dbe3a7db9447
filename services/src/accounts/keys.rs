//! API keys: created, shown once, listed without their secret, and revoked with immediate effect.

use helpbot_db as db;
use helpbot_domain::ids::{KeyId, SiteId};
use helpbot_domain::key::{self, Key, KeyKind, Scope};
use helpbot_domain::{Invalid, Timestamp, text};

use crate::accounts::{access, audit_log};
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

const NAME_MAX_CHARS: usize = 80;
/// Maximum number of keys of a site that are not revoked. A rotation needs two of a kind; the limit
/// bounds a runaway script.
const KEYS_MAX: usize = 50;
const ORIGINS_MAX: usize = 20;

/// Input for a new key.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// Widget or secret. Keys of members and operators are created elsewhere.
    pub kind: KeyKind,
    /// Name for the key, for its owner.
    pub name: String,
    /// Scopes of the key. `None` means all that its kind allows.
    pub scopes: Option<Vec<Scope>>,
    /// Web origins that the key is bound to, for example `https://shop.example`. Empty means any.
    pub origins: Vec<String>,
    /// Time at which the key expires. `None` means never.
    pub expires_at: Option<Timestamp>,
}

/// Creates a key and returns it with its secret, which cannot be read again.
///
/// # Errors
/// `Forbidden`; `LimitReached`; `Invalid` names the field.
#[boxed]
pub async fn create(services: &Services, viewer: &Viewer, named: Option<SiteId>, new: NewKey) -> Result<(Key, String)> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    if !matches!(new.kind, KeyKind::Widget | KeyKind::Secret) {
        return Err(Invalid::new("kind", "kind must be WIDGET or SECRET.").into());
    }
    if new.scopes.as_ref().is_some_and(Vec::is_empty) {
        return Err(
            Invalid::new("scopes", "scopes must contain at least one scope. Leave it out for all scopes.").into()
        );
    }
    // A key must not create a key with more scopes than its own.
    if let Some(scope) = wanted(&new).into_iter().find(|scope| !viewer.has(*scope)) {
        return Err(Error::Forbidden(format!(
            "The API key cannot grant the scope {scope}, because it does not have it."
        )));
    }
    let (key, secret) = make(services, Some(site), new)?;
    let stored = key.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
                let all = db::keys::list(c, site).await?;
                // Sign-ins have a limit of their own and expire.
                let open = all.iter().filter(|key| key.revoked_at.is_none() && key.kind != KeyKind::SignIn).count();
                if open >= KEYS_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {KEYS_MAX} keys. Revoke one first."
                    )));
                }
                audit_log::created(&stored.id);
                Ok(db::keys::insert(c, &stored).await?)
            })
        })
        .await?;
    Ok((key, secret))
}

/// Returns the keys of the site, oldest first, including revoked ones.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<Key>> {
    viewer.require(Scope::Admin)?;
    Ok(db::keys::list(&mut services.db.reader().await?, viewer.site(named)?).await?)
}

/// Returns the keys of the site with these IDs, including revoked ones. Unknown IDs are left out.
///
/// # Errors
/// `Forbidden`.
#[boxed]
pub async fn by_ids(services: &Services, viewer: &Viewer, named: Option<SiteId>, ids: &[KeyId]) -> Result<Vec<Key>> {
    // A site has few keys, so one query reads them all.
    let found = list(services, viewer, named).await?;
    Ok(found.into_iter().filter(|key| ids.contains(&key.id)).collect())
}

/// Changes of a key. `None` leaves a value unchanged.
#[derive(Debug, Clone, Default)]
pub struct KeyPatch {
    /// Name for the key, for its owner.
    pub name: Option<String>,
    /// Web origins that the key is bound to. Empty means any.
    pub origins: Option<Vec<String>>,
    /// Time at which the key expires. `Some(None)` means never.
    pub expires_at: Option<Option<Timestamp>>,
}

/// Changes a key. The change applies to requests at once; open connections of the key end.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` for a revoked key and for a sign-in; `Invalid` names the field.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: KeyId,
    patch: KeyPatch,
) -> Result<Key> {
    viewer.require(Scope::Admin)?;
    let (site, now) = (viewer.site(named)?, services.now());
    let name = patch.name.map(|name| text::bounded("name", &name, NAME_MAX_CHARS)).transpose()?;
    let origins = patch.origins.map(|origins| normal_origins(&origins)).transpose()?;
    if let Some(expires_at) = patch.expires_at {
        require_future(expires_at, now)?;
    }
    let key = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let found = db::keys::list(c, site).await?.into_iter().find(|key| key.id == id);
                let mut key = found.ok_or(Error::NotFound("API key"))?;
                if key.kind == KeyKind::SignIn {
                    return Err(Error::Conflict("A sign-in cannot be changed. Revoke it instead.".into()));
                }
                if key.revoked_at.is_some() {
                    return Err(Error::Conflict("The API key is revoked. Create a new key.".into()));
                }
                key.name = name.unwrap_or(key.name);
                key.origins = origins.unwrap_or(key.origins);
                key.expires_at = patch.expires_at.unwrap_or(key.expires_at);
                db::keys::update(c, &key).await?;
                Ok::<_, Error>(key)
            })
        })
        .await?;
    services.keys.forget(&key);
    Ok(key)
}

/// Revokes a key. Requests and open connections that use it end within a second.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn revoke(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: KeyId) -> Result<Key> {
    viewer.require(Scope::Admin)?;
    let (site, now) = (viewer.site(named)?, services.now());
    let revoked = services.db.write(move |c| {
        Box::pin(async move { db::keys::revoke(c, site, id, now).await?.ok_or(Error::NotFound("API key")) })
    });
    let key: Key = revoked.await?;
    services.keys.forget(&key);
    Ok(key)
}

/// Creates an operator key. For the command line and the first start, whose users can read the
/// database anyway.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn create_operator(services: &Services, name: &str) -> Result<(Key, String)> {
    let new =
        NewKey { kind: KeyKind::Operator, name: name.to_owned(), scopes: None, origins: Vec::new(), expires_at: None };
    let (key, secret) = make(services, None, new)?;
    let stored = key.clone();
    services.db.write(move |c| Box::pin(async move { Ok::<_, Error>(db::keys::insert(c, &stored).await?) })).await?;
    Ok((key, secret))
}

pub(crate) fn make(services: &Services, site_id: Option<SiteId>, new: NewKey) -> Result<(Key, String)> {
    let now = services.now();
    require_future(new.expires_at, now)?;
    let secret = key::from_random(new.kind, &randomness::bytes());
    let key = Key {
        id: KeyId::from_uuid(randomness::uuid(now)),
        site_id,
        kind: new.kind,
        name: text::bounded("name", &new.name, NAME_MAX_CHARS)?,
        hash: access::hash(&secret),
        last4: secret[secret.len() - 4..].to_owned(),
        scopes: new.scopes.unwrap_or_default(),
        origins: normal_origins(&new.origins)?,
        member_id: None,
        expires_at: new.expires_at,
        revoked_at: None,
        last_used_at: None,
        created_at: now,
    };
    Ok((key, secret))
}

fn require_future(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    if expires_at.is_some_and(|at| at <= now) {
        return Err(Invalid::new("expiresAt", "expiresAt must be in the future.").into());
    }
    Ok(())
}

fn normal_origins(given: &[String]) -> Result<Vec<String>> {
    if given.len() > ORIGINS_MAX {
        return Err(Invalid::new("origins", format!("A key can be bound to at most {ORIGINS_MAX} origins.")).into());
    }
    given.iter().map(|origin| normal_origin(origin)).collect()
}

fn wanted(new: &NewKey) -> Vec<Scope> {
    match (&new.scopes, new.kind) {
        (Some(scopes), _) => scopes.clone(),
        (None, KeyKind::Widget) => Scope::WIDGET.to_vec(),
        (None, _) => Scope::ALL.to_vec(),
    }
}

/// Normalizes an origin to the form that browsers send: scheme, host, and the port unless it is the
/// default.
fn normal_origin(text: &str) -> Result<String> {
    let refused = || {
        Error::from(Invalid::new("origins", format!("{text:?} is not an origin. Use the form https://shop.example.")))
    };
    let url = url::Url::parse(text.trim()).map_err(|_| refused())?;
    let is_bare = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && is_bare && url.username().is_empty() {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(refused())
    }
}
