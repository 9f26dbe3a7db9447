//! Contacts: visitors whom the site's own server names in an identity token.
//!
//! A token makes the session that the request proves one of the contact's sessions. A session always belongs to one contact:
//! when another person signs in in the same browser, a new session must begin, so that nobody reads what the other one
//! wrote.

use std::collections::BTreeMap;

use helpbot_db as db;
use helpbot_domain::Timestamp;
use helpbot_domain::contact::{Contact, ContactClaims};
use helpbot_domain::ids::{ContactId, SiteId};
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use helpbot_domain::site::Site;
use helpbot_domain::visit::{SessionOrder, SessionQuery};

use crate::accounts::viewer::ProvedSession;
use crate::accounts::{access, identity_secrets, identity_token, sites};
use crate::conversations::listing::{require_list, searched};
use crate::conversations::{erasure, visits};
use crate::runtime::lookups::find_by_ids;
use crate::runtime::randomness;
use crate::{Error, Result, Services, Viewer, boxed};

/// Number of sessions that are read at once while a contact is erased.
const SESSIONS: i64 = 50;

/// Makes the session that the viewer proves one of the contact that `token` names, which is added or changed. Returns the
/// session.
///
/// # Errors
/// `Forbidden`; `VisitorBlocked`; `NotFound` without a session token; `Invalid` when the identity token proves nothing;
/// `Conflict` when the session belongs to another contact.
#[boxed]
pub async fn identify(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    token: &str,
) -> Result<ProvedSession> {
    let (site, session) = visits::own_session(services, viewer, named).await?;
    let now = services.now();
    let secrets = identity_secrets::accepted(services, site).await?;
    let claims = identity_token::claims(token, site, &secrets, now)?;
    let proved = session.clone();
    let stored = services.db.write(move |c| Box::pin(async move { store(c, site, &proved, &claims, now).await }));
    stored.await?;
    Ok(session)
}

async fn store(
    c: &mut db::Conn,
    site: SiteId,
    session: &ProvedSession,
    claims: &ContactClaims,
    now: Timestamp,
) -> Result<()> {
    let contact = put(c, site, claims, now).await?;
    if db::visits::set_contact(c, site, &session.id, session.token_id, contact).await? {
        return Ok(());
    }
    match db::sessions::is_proved_by(c, site, &session.id, session.token_id).await? {
        true => Err(Error::Conflict("The session belongs to another contact. Begin a new session.".into())),
        false => Err(access::INVALID_TOKEN),
    }
}

/// Adds the contact that the claims name, or changes it. Returns its ID.
async fn put(c: &mut db::Conn, site: SiteId, claims: &ContactClaims, now: Timestamp) -> Result<ContactId> {
    let new = Contact {
        site_id: site,
        id: ContactId::from_uuid(randomness::uuid(now)),
        external_id: claims.external_id.clone(),
        name: None,
        email: None,
        attributes: BTreeMap::new(),
        created_at: now,
        updated_at: now,
    }
    .with(claims, now);
    // Of two first requests at the same time, one adds the contact, and the other one then finds it. A contact that is
    // erased in between is added by the second attempt.
    for _ in 0..2 {
        if db::contacts::add(c, &new).await? {
            return Ok(new.id);
        }
        if let Some(known) = db::contacts::by_external_id_locked(c, site, &claims.external_id).await? {
            let changed = known.with(claims, now);
            if changed != known {
                db::contacts::update(c, &changed).await?;
            }
            return Ok(known.id);
        }
    }
    Err(Error::internal("a contact was erased twice while it was identified"))
}

find_by_ids! {
    /// Returns the contacts of the site with these IDs. Unknown IDs are left out.
    by_ids, ReadConversations, ContactId => Contact, db::contacts::by_ids
}

/// Returns one page of the contacts whose name, e-mail address or external ID contains `words`, newest first.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    site: &Site,
    words: Option<&str>,
    page: PageRequest<ContactId>,
) -> Result<Vec<Contact>> {
    require_list(viewer, site)?;
    let words = words.and_then(searched);
    Ok(db::contacts::list(&mut services.db.reader_of(site.id).await?, site.id, words.as_deref(), page).await?)
}

/// Returns the number of contacts in the list.
///
/// # Errors
/// `Forbidden`; `PlanRequired`.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, site: &Site, words: Option<&str>) -> Result<i64> {
    require_list(viewer, site)?;
    let words = words.and_then(searched);
    Ok(db::contacts::count(&mut services.db.reader_of(site.id).await?, site.id, words.as_deref()).await?)
}

/// Erases a contact with everything that is stored about its sessions. Returns the number of conversations. When it is
/// interrupted, repeating it continues.
///
/// # Errors
/// `Forbidden`; `NotFound`.
#[boxed]
pub async fn erase(services: &Services, viewer: &Viewer, named: Option<SiteId>, id: ContactId) -> Result<usize> {
    viewer.require(Scope::Admin)?;
    let site = sites::get(services, viewer, named).await?.id;
    if db::contacts::by_ids(&mut services.db.reader().await?, site, &[id]).await?.is_empty() {
        return Err(Error::NotFound("Contact"));
    }
    let query = SessionQuery { contact: Some(id), ..SessionQuery::default() };
    let mut conversations = 0;
    loop {
        let mut c = services.db.reader_of(site).await?;
        let found = db::visits::list(&mut c, site, &query, SessionOrder::CreatedAsc, None, SESSIONS).await?;
        drop(c);
        if found.is_empty() && delete(services, site, id).await? {
            break;
        }
        for session in found {
            conversations += erasure::erase_session(services, viewer, Some(site), &session.session_id).await?;
        }
    }
    tracing::info!(%site, contact = %id, conversations, "a contact was erased");
    Ok(conversations)
}

/// Deletes a contact without sessions. Returns false when a session was added meanwhile.
async fn delete(services: &Services, site: SiteId, id: ContactId) -> Result<bool> {
    let deleted = services.db.write(move |c| {
        Box::pin(async move {
            // Deleting comes first, because it waits for those who add a session at this moment.
            db::contacts::delete(c, site, id).await?;
            let query = SessionQuery { contact: Some(id), ..SessionQuery::default() };
            match db::visits::count(c, site, &query).await? {
                0 => Ok(()),
                _ => Err(Error::Conflict("The contact has a new session.".into())),
            }
        })
    });
    match deleted.await {
        Ok(()) => Ok(true),
        Err(Error::Conflict(_)) => Ok(false),
        Err(other) => Err(other),
    }
}
