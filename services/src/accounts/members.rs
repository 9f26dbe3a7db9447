//! Members: the people of a site's team who answer visitors. Each member has keys of their own, so
//! that an inbox shows who wrote: a member key, or the keys of sign-ins by mail.
//!
//! A member is added with a key, or invited by mail. An invited member is listed with the others, and joins with the
//! first sign-in. While a site has an owner, only owners and the operator add, change and remove owners, and the last
//! owner stays.

use helpbot_db as db;
use helpbot_domain::ids::{MemberId, SiteId};
use helpbot_domain::key::{Key, KeyKind, Role, Scope};
use helpbot_domain::{Invalid, Together as _, text};

use crate::accounts::keys::{self, NewKey};
use crate::accounts::{audit_log, sign_in_links};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::webhooks::outbox;
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
    let member = checked(services, viewer, named, name, email, role)?;
    let new = NewKey {
        kind: KeyKind::Member,
        name: member.name.clone(),
        scopes: Some(role.scopes().to_vec()),
        origins: Vec::new(),
        expires_at: None,
    };
    let (mut key, secret) = keys::make(services, Some(member.site_id), new)?;
    key.member_id = Some(member.id);
    let (stored, viewer) = (member.clone(), viewer.clone());
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                insert(c, &viewer, &stored).await?;
                Ok::<_, Error>(db::keys::insert(c, &key).await?)
            })
        })
        .await?;
    Ok((member, secret))
}

/// Adds a member without a key, and mails the member an invitation, which expires after 7 days.
///
/// # Errors
/// `Forbidden`; `Conflict` when the installation sends no mail; `LimitReached`; `Invalid` names the field, also when
/// another member has the e-mail address.
#[boxed]
pub async fn invite(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    name: &str,
    email: &str,
    role: Role,
) -> Result<Member> {
    let mut member = checked(services, viewer, named, name, email, role)?;
    sign_in_links::require_mail(services)?;
    member.invitation_expires_at = Some(services.now().plus(sign_in_links::INVITATION_LIFETIME));
    let link = sign_in_links::new_link(services, &member, None);
    let (stored, viewer) = (member.clone(), viewer.clone());
    services
        .db
        .write(move |c| {
            Box::pin(async move {
                insert(c, &viewer, &stored).await?;
                sign_in_links::invite(c, &link).await
            })
        })
        .await?;
    outbox::wake(services);
    Ok(member)
}

/// Mails an invited member a new invitation. The earlier one ends.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` when the member has joined, or the installation sends no mail; `LimitReached`.
#[boxed]
pub async fn invite_again(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: MemberId) -> Result<Member> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    let (of_link, viewer) = (services.clone(), viewer.clone());
    let expires_at = services.now().plus(sign_in_links::INVITATION_LIFETIME);
    let member = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let all = locked_list(c, site).await?;
                let mut member = all.iter().find(|member| member.id == id).cloned().ok_or(Error::NotFound("Member"))?;
                if member.invitation_expires_at.is_none() {
                    return Err(Error::Conflict("The member has joined already.".into()));
                }
                require_rights(&viewer, &all, &[member.role])?;
                sign_in_links::require_mail(&of_link)?;
                member.invitation_expires_at = Some(expires_at);
                db::members::update(c, &member).await?;
                sign_in_links::invite(c, &sign_in_links::new_link(&of_link, &member, None)).await?;
                Ok(member)
            })
        })
        .await?;
    outbox::wake(services);
    Ok(member)
}

/// Checks the viewer and the values of a new member.
fn checked(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    name: &str,
    email: &str,
    role: Role,
) -> Result<Member> {
    viewer.require(Scope::Admin)?;
    let (site_id, now) = (viewer.site(named)?, services.now());
    let (name, email) = (text::required("name", name, NAME_MAX_CHARS), text::email("email", email)).together()?;
    let id = MemberId::from_uuid(randomness::uuid(now));
    Ok(Member { site_id, id, name, email, role, created_at: now, invitation_expires_at: None })
}

/// Stores a new member inside the caller's transaction.
async fn insert(c: &mut db::Conn, viewer: &Viewer, new: &Member) -> Result<()> {
    let all = locked_list(c, new.site_id).await?;
    require_rights(viewer, &all, &[new.role])?;
    if all.len() >= MEMBERS_MAX {
        return Err(Error::LimitReached(format!("A site can have at most {MEMBERS_MAX} members. Remove one first.")));
    }
    if !db::members::insert(c, new).await? {
        return Err(taken().into());
    }
    audit_log::created(&new.id);
    Ok(())
}

/// Returns the members of a site, which is locked until the transaction ends.
async fn locked_list(c: &mut db::Conn, site: SiteId) -> Result<Vec<Member>> {
    db::sites::by_id_locked(c, site).await?.ok_or(Error::NotFound("Site"))?;
    Ok(db::members::list(c, site).await?)
}

fn is_owner(member: &Member) -> bool {
    member.role == Role::Owner && member.invitation_expires_at.is_none()
}

/// Checks that the viewer may manage members with these roles. A site without an owner has nobody to ask, so every
/// viewer who administers it may name the first one.
fn require_rights(viewer: &Viewer, all: &[Member], roles: &[Role]) -> Result<()> {
    let of_viewer = viewer.member.as_ref().and_then(|own| all.iter().find(|member| member.id == own.id));
    let may_manage_owners = viewer.is_operator() || of_viewer.is_some_and(is_owner) || !all.iter().any(is_owner);
    match roles.contains(&Role::Owner) && !may_manage_owners {
        true => Err(Error::Forbidden("Only an owner may add, change or remove an owner.".into())),
        false => Ok(()),
    }
}

/// Checks that a site with an owner keeps one without `leaving`.
fn require_other_owner(all: &[Member], leaving: &Member) -> Result<()> {
    match is_owner(leaving) && all.iter().filter(|member| is_owner(member)).count() == 1 {
        true => Err(Error::Conflict("A site keeps at least one owner. Make another member an owner first.".into())),
        false => Ok(()),
    }
}

/// Changes of a member. `None` leaves a value unchanged.
#[derive(Debug, Clone, Default)]
pub struct MemberPatch {
    /// Name that visitors see.
    pub name: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Role, which replaces the scopes of the member's keys and sign-ins.
    pub role: Option<Role>,
}

/// Changes a member. A new role applies to the member's keys at once; their open connections end.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` for the last owner; `Invalid` names the field, also when another member has the
/// e-mail address.
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
    let texts = (
        patch.name.map(|name| text::required("name", &name, NAME_MAX_CHARS)).transpose(),
        patch.email.map(|email| text::email("email", &email)).transpose(),
    );
    let (name, email) = texts.together()?;
    let (viewer, now) = (viewer.clone(), services.now());
    let (member, keys) = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let all = locked_list(c, site).await?;
                let known = all.iter().find(|member| member.id == id).ok_or(Error::NotFound("Member"))?;
                let role = patch.role.unwrap_or(known.role);
                require_rights(&viewer, &all, &[known.role, role])?;
                if role != Role::Owner {
                    require_other_owner(&all, known)?;
                }
                let mut member = Member { role, name: name.unwrap_or_else(|| known.name.clone()), ..known.clone() };
                if let Some(email) = email {
                    if all.iter().any(|other| other.id != id && other.email == email) {
                        return Err(taken().into());
                    }
                    // A link that was mailed to the earlier address must not sign in anymore.
                    db::sign_in_links::end_of_member(c, site, id, now).await?;
                    member.email = email;
                }
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

pub(super) async fn keys_of(c: &mut db::Conn, site: SiteId, member: MemberId) -> Result<Vec<Key>> {
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

/// Removes a member and revokes their keys. An invitation that was not accepted ends. Their messages stay.
///
/// # Errors
/// `Forbidden`; `NotFound`; `Conflict` for the last owner.
#[boxed]
pub async fn remove(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: MemberId) -> Result<()> {
    viewer.require(Scope::Admin)?;
    let (site, now, viewer) = (viewer.site(named)?, services.now(), viewer.clone());
    let revoked = services
        .db
        .write(move |c| {
            Box::pin(async move {
                let all = locked_list(c, site).await?;
                let known = all.iter().find(|member| member.id == id).ok_or(Error::NotFound("Member"))?;
                require_rights(&viewer, &all, &[known.role])?;
                require_other_owner(&all, known)?;
                db::members::delete(c, site, id).await?;
                let revoked = keys_of(c, site, id).await?;
                for key in &revoked {
                    db::keys::revoke(c, site, key.id, now).await?;
                }
                Ok::<_, Error>(revoked)
            })
        })
        .await?;
    revoked.iter().for_each(|key| services.keys.forget(key));
    Ok(())
}
