//! The audit log: who changed what on a site. An entry is stored in the transaction of its change.
//!
//! [`recorded`] runs the code of a change. The first [`Db::write`](crate::Db::write) inside it that succeeds stores the
//! entry in its own transaction, so the entry and the change are committed together. A change that fails or writes
//! nothing leaves no entry.

use std::sync::{Arc, Mutex, PoisonError};

use diesel::prelude::*;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use helpbot_domain::Timestamp;
use helpbot_domain::audit::{AuditEntry, AuditFilter};
use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use uuid::Uuid;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{delete_oldest, load_page};
use crate::schema::audit_entries as entries;

tokio::task_local! {
    /// The entry of the change that the current task makes.
    static PENDING: PendingEntry;
}

/// An entry that waits for the transaction of its change.
#[derive(Clone)]
pub(crate) struct PendingEntry(Arc<Mutex<Option<(SiteId, AuditEntry)>>>);

impl PendingEntry {
    /// Runs the work of a transaction, which the writer carries out in another task than that of the change.
    pub(crate) async fn during<F: Future>(&self, work: F) -> F::Output {
        PENDING.scope(self.clone(), work).await
    }

    /// Stores the entry, unless an earlier transaction of the change has stored it.
    pub(crate) fn store<'c>(&self, c: &'c mut Conn) -> BoxFuture<'c, Result<()>> {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some((site, entry)) => async move { insert(c, site, &entry).await }.boxed(),
            None => std::future::ready(Ok(())).boxed(),
        }
    }
}

/// Runs the code of a change of a site. `entry` is stored with the first transaction that it commits.
pub async fn recorded<F: Future>(site: SiteId, entry: AuditEntry, work: F) -> F::Output {
    PENDING.scope(PendingEntry(Arc::new(Mutex::new(Some((site, entry))))), work).await
}

/// Names the object of the change that the current task makes: one that it creates, which the request cannot name. Has no
/// effect outside of [`recorded`]. It may be called before the transaction or inside it.
pub fn name_object(id: &impl ToString) {
    let _ = PENDING.try_with(|pending| {
        if let Some((_, entry)) = pending.0.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            entry.object_id = Some(id.to_string());
        }
    });
}

/// Returns the entry of the change that the current task makes.
pub(crate) fn pending() -> Option<PendingEntry> {
    PENDING.try_with(Clone::clone).ok()
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = entries)]
struct Row {
    id: String,
    action: String,
    key_kind: String,
    key_id: String,
    member_id: Option<String>,
    member_name: Option<String>,
    object_id: Option<String>,
    address: Option<String>,
    user_agent: Option<String>,
    created_at_ms: i64,
}

impl TryFrom<Row> for AuditEntry {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(AuditEntry {
            id: columns::parse(&row.id)?,
            action: row.action,
            key_kind: columns::named(&row.key_kind)?,
            key_id: columns::parse(&row.key_id)?,
            member_id: columns::parse_opt(row.member_id.as_deref())?,
            member_name: row.member_name,
            object_id: row.object_id,
            address: row.address,
            user_agent: row.user_agent,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores an entry of a site.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, site: SiteId, new: &AuditEntry) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(entries::table)
            .values((
                entries::site_id.eq(site.to_string()),
                entries::id.eq(new.id.to_string()),
                entries::action.eq(&new.action),
                entries::key_kind.eq(new.key_kind.as_str()),
                entries::key_id.eq(new.key_id.to_string()),
                entries::member_id.eq(new.member_id.map(|id| id.to_string())),
                entries::member_name.eq(&new.member_name),
                entries::object_id.eq(&new.object_id),
                entries::address.eq(&new.address),
                entries::user_agent.eq(&new.user_agent),
                entries::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// The entries of a site that a filter selects, for the backend `$backend`.
macro_rules! selected {
    ($backend:ty, $site:expr, $filter:expr) => {{
        let filter: &AuditFilter = $filter;
        let mut rows = entries::table.filter(entries::site_id.eq($site.to_string())).into_boxed::<$backend>();
        if let Some(action) = &filter.action {
            rows = rows.filter(entries::action.eq(action.clone()));
        }
        if let Some(member) = filter.member_id {
            rows = rows.filter(entries::member_id.eq(member.to_string()));
        }
        if let Some(key) = filter.key_id {
            rows = rows.filter(entries::key_id.eq(key.to_string()));
        }
        if let Some(from) = filter.from {
            rows = rows.filter(entries::created_at_ms.ge(from.as_ms()));
        }
        if let Some(before) = filter.before {
            rows = rows.filter(entries::created_at_ms.lt(before.as_ms()));
        }
        rows
    }};
}

/// Returns one page of the entries of a site that a filter selects, newest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    filter: &AuditFilter,
    page: PageRequest<Uuid>,
) -> Result<Vec<AuditEntry>> {
    // IDs rise with time, and the list falls.
    let page = PageRequest { is_backward: !page.is_backward, ..page };
    let rows: Vec<Row> = on!(c, <B> |c| load_page!(c, selected!(B, site, filter), entries::id, page))?;
    rows.into_iter().map(AuditEntry::try_from).collect()
}

/// Returns the number of entries of a site that a filter selects.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, filter: &AuditFilter) -> Result<i64> {
    Ok(on!(c, <B> |c| selected!(B, site, filter).count().get_result(c).await)?)
}

/// Deletes about `limit` entries of all sites that were created before `before`, oldest first, and returns their number.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_before(c: &mut Conn, before: Timestamp, limit: i64) -> Result<usize> {
    Ok(delete_oldest!(c, entries, before, limit))
}
