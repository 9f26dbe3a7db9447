//! Members: the people of a site's team who answer visitors. Each member has a key of their own, so
//! that an inbox shows who wrote.

use helpbot_db as db;
use helpbot_domain::ids::{MemberId, SiteId};
use helpbot_domain::key::{Key, KeyKind, Role, Scope};
use helpbot_domain::{Invalid, Together as _, text};

use crate::accounts::keys::{self, NewKey};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};
use helpbot_domain::member::Member;

const NAME_MAX_CHARS: usize = 80;
/// Maximum number of members of a site: more than a help desk has, and few enough to list at once.
const MEMBERS_MAX: usize = 200;

/// Adds a member and returns it with its key, which cannot be read again.
///
/// # Errors
/// `Forbidden`; `LimitReached`; `Invalid` names the field, also when another member has the e-mail
/// address.
#[boxed]
pub async fn add(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    name: &str,
    email: &str,
    role: Role,
) -> Result<(Member, String)> {
    viewer.require(Scope::Admin)?;
    let (site_id, now) = (viewer.site(named)?, services.now());
    let (name, email) = (text::required("name", name, NAME_MAX_CHARS), text::email("email", email)).together()?;
    let member = Member { site_id, id: MemberId::from_uuid(randomness::uuid(now)), name, email, role, created_at: now };
    let new = NewKey {
        kind: KeyKind::Member,
        name: member.name.clone(),
        scopes: Some(role.scopes().to_vec()),
        origins: Vec::new(),
        expires_at: None,
    };
    let (mut key, secret) = keys::make(services, Some(site_id), new)?;
    key.member_id = Some(member.id);
    let stored = member.clone();
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                db::sites::by_id_locked(c, site_id).await?.ok_or(Error::NotFound("Site"))?;
                if db::members::list(c, site_id).await?.len() >= MEMBERS_MAX {
                    return Err(Error::LimitReached(format!(
                        "A site can have at most {MEMBERS_MAX} members. Remove one first."
                    )));
                }
                if !db::members::insert(c, &stored).await? {
                    return Err(taken().into());
                }
                Ok(db::keys::insert(c, &key).await?)
            })
        })
        .await?;
    Ok((member, secret))
}

/// Changes of a member. `None` leaves a value unchanged.
#[derive(Debug, Clone, Default)]
pub struct MemberPatch {
    /// Name that visitors see.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Role, which replaces the scopes of the member's keys.
    pub role: Option<Role>,
}

/// Changes a member. A new role applies to the member's keys at once; their open connections end.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Invalid` names the field, also when another member has the e-mail
/// address.
#[boxed]
pub async fn update(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    id: MemberId,
    patch: MemberPatch,
) -> Result<Member> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let checked = (
        patch.name.map(|name| text::required("name", &name, NAME_MAX_CHARS)).transpose(),
        patch.email.map(|email| text::email("email", &email)).transpose(),
    );
    let (name, email) = checked.together()?;
    let (member, keys) = services
        .db
        .write(move |c| {
            Box::pin(async move {
                db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
                let all = db::members::list(c, site).await?;
                let mut member = all.iter().find(|member| member.id == id).cloned().ok_or(Error::NotFound("Member"))?;
                if let Some(email) = email {
                    if all.iter().any(|other| other.id != id && other.email == email) {
                        return Err(taken().into());
                    }
                    member.email = email;
                }
                member.name = name.unwrap_or(member.name);
                member.role = patch.role.unwrap_or(member.role);
                db::members::update(c, &member).await?;
                let mut keys = Vec::new();
                if patch.role.is_some() {
                    keys = keys_of(c, site, id).await?;
                    for key in &mut keys {
                        key.scopes = member.role.scopes().to_vec();
                        db::keys::update(c, key).await?;
                    }
                }
                Ok::<_, Error>((member, keys))
            })
        })
        .await?;
    keys.iter().for_each(|key| services.keys.forget(key));
    Ok(member)
}

fn taken() -> Invalid {
    Invalid::new("email", "A member with this e-mail address already exists.")
}

async fn keys_of(c: &mut db::Conn, site: SiteId, member: MemberId) -> Result<Vec<Key>> {
    let keys = db::keys::list(c, site).await?;
    Ok(keys.into_iter().filter(|key| key.member_id == Some(member)).collect())
}

/// Returns the members of the site in the order in which they were added.
///
/// # Errors
/// `Forbidden` without the scope to read conversations.
#[boxed]
pub async fn list(services: &Services, viewer: &Viewer, named: Option<SiteId>) -> Result<Vec<Member>> {
    viewer.require(Scope::ReadConversations)?;
    Ok(db::members::list(&mut services.db.reader().await?, viewer.site(named)?).await?)
}

find_by_ids! {
    /// Returns the members with these IDs. Unknown IDs are left out.
    by_ids, ReadConversations, MemberId => Member, db::members::by_ids
}

/// Removes a member and revokes their keys. Their messages stay.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn remove(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: MemberId) -> Result<()> {
    viewer.require(Scope::Admin)?;
    let (site, now) = (viewer.site(named)?, services.now());
    let revoked = services
        .db
        .write(move |c| {
            Box::pin(async move {
                if !db::members::delete(c, site, id).await? {
                    return Err(Error::NotFound("Member"));
                }
                let revoked = keys_of(c, site, id).await?;
                for key in &revoked {
                    db::keys::revoke(c, site, key.id, now).await?;
                }
                Ok(revoked)
            })
        })
        .await?;
    revoked.iter().for_each(|key| services.keys.forget(key));
    Ok(())
}
