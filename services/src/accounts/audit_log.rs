//! The audit log of a site: who changed what, when and from where.
//!
//! The schema runs each mutation of a team inside [`recorded`], so no use case records itself. The first transaction that
//! the mutation commits stores the entry. A use case that creates an object names it with [`created`]. An entry contains
//! no text of a visitor, no secret and no changed value.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use helpbot_db as db;
use helpbot_domain::audit::{AuditEntry, AuditFilter};
use helpbot_domain::ids::SiteId;
use helpbot_domain::key::Scope;
use helpbot_domain::page::PageRequest;
use uuid::Uuid;

use crate::runtime::{batches, randomness};
use crate::{Result, Services, Viewer, boxed};

/// How long entries are kept: a year, so that a change is found in the next yearly review.
pub const RETENTION: Duration = Duration::from_secs(365 * 86_400);

/// Number of places that an ID has for entries of the same millisecond.
const PLACES: u32 = 1 << 18;
/// Number of entries that this process has made.
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Runs the code of a change that `viewer` makes on a site, and records it. `object` is the ID of the object that the
/// request names.
///
/// A change that fails or writes nothing is not recorded.
pub async fn recorded<F: Future>(
    services: &Services,
    viewer: &Viewer,
    site: SiteId,
    action: &str,
    object: Option<String>,
    work: F,
) -> F::Output {
    let entry = AuditEntry { object_id: object, ..entry(services, viewer, action) };
    db::audit_log::recorded(site, entry, work).await
}

/// Names the object that the current change creates.
pub(crate) fn created(id: &impl ToString) {
    db::audit_log::name_object(id);
}

/// Returns the entry of a change that `viewer` makes now.
pub(crate) fn entry(services: &Services, viewer: &Viewer, action: &str) -> AuditEntry {
    let now = services.now();
    let member = viewer.member.as_ref();
    AuditEntry {
        // Entries of the same millisecond are in the order in which this process made them.
        id: randomness::uuid_at(now, COUNT.fetch_add(1, Ordering::Relaxed) % PLACES),
        action: action.to_owned(),
        key_kind: viewer.kind,
        key_id: viewer.key_id,
        member_id: member.map(|member| member.id),
        member_name: member.map(|member| member.name.clone()),
        object_id: None,
        address: viewer.address.map(|address| address.to_canonical().to_string()),
        user_agent: viewer.user_agent.as_deref().map(str::to_owned),
        created_at: now,
    }
}

/// Returns one page of the entries of a site that a filter selects, newest first.
///
/// # Errors
/// `Forbidden` without the scope to administer the site.
#[boxed]
pub async fn list(
    services: &Services,
    viewer: &Viewer,
    named: Option<SiteId>,
    filter: &AuditFilter,
    page: PageRequest<Uuid>,
) -> Result<Vec<AuditEntry>> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    Ok(db::audit_log::list(&mut services.db.reader().await?, site, filter, page).await?)
}

/// Returns the number of entries of a site that a filter selects.
///
/// # Errors
/// `Forbidden` without the scope to administer the site.
#[boxed]
pub async fn total(services: &Services, viewer: &Viewer, named: Option<SiteId>, filter: &AuditFilter) -> Result<i64> {
    viewer.require(Scope::Admin)?;
    let site = viewer.site(named)?;
    Ok(db::audit_log::count(&mut services.db.reader().await?, site, filter).await?)
}

/// Deletes entries that are older than [`RETENTION`]. Returns their number.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn delete_expired(services: &Services) -> Result<usize> {
    let before = services.now().minus(RETENTION);
    batches::delete_before(services, "deletion of expired audit entries", before, |c, before, limit| {
        Box::pin(db::audit_log::delete_before(c, before, limit))
    })
    .await
}
