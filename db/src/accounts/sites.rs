//! Sites and their counters.
//!
//! A site that was deleted is in the table until its rows are gone ([`deletion`](super::site_deletion)).
//! None of the finders here returns it.

use std::sync::Arc;

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::dialect::{ForUpdate, locked};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::load_page;
use crate::schema::{site_counters, sites};
use helpbot_domain::page::PageRequest;
use helpbot_domain::retention::DataRetention;
use helpbot_domain::site::Site;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sites)]
struct Row {
    id: String,
    name: String,
    owner_email: String,
    plan: String,
    credit_limit: i64,
    daily_credit_limit: Option<i64>,
    address_credit_limit: Option<i64>,
    conversation_days: Option<i64>,
    event_days: Option<i64>,
    delivery_days: Option<i64>,
    retention_changed_at_ms: Option<i64>,
    widget: String,
    widget_texts: String,
    answer_settings: String,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl TryFrom<Row> for Site {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Site {
            id: columns::parse(&row.id)?,
            name: row.name,
            owner_email: row.owner_email,
            plan: columns::parse(&row.plan)?,
            credit_limit: row.credit_limit,
            daily_credit_limit: row.daily_credit_limit,
            address_credit_limit: row.address_credit_limit,
            retention: DataRetention {
                conversation_days: row.conversation_days,
                event_days: row.event_days,
                delivery_days: row.delivery_days,
                changed_at: columns::ms(row.retention_changed_at_ms),
            },
            widget: columns::json(&row.widget)?,
            widget_texts: Arc::new(columns::json(&row.widget_texts)?),
            answer_settings: row.answer_settings,
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
        })
    }
}

/// The sites that were not deleted.
macro_rules! existing {
    () => {
        sites::table.filter(sites::deleted_at_ms.is_null())
    };
}

/// The columns of a site that an owner or operator can change.
#[derive(Insertable, AsChangeset)]
#[diesel(table_name = sites, treat_none_as_null = true)]
struct SiteChanges<'a> {
    name: &'a str,
    owner_email: &'a str,
    plan: &'static str,
    credit_limit: i64,
    daily_credit_limit: Option<i64>,
    address_credit_limit: Option<i64>,
    conversation_days: Option<i64>,
    event_days: Option<i64>,
    delivery_days: Option<i64>,
    retention_changed_at_ms: Option<i64>,
    widget: String,
    widget_texts: String,
    answer_settings: &'a str,
    updated_at_ms: i64,
}

impl<'a> SiteChanges<'a> {
    fn of(site: &'a Site) -> Self {
        Self {
            name: &site.name,
            owner_email: &site.owner_email,
            plan: site.plan.as_str(),
            credit_limit: site.credit_limit,
            daily_credit_limit: site.daily_credit_limit,
            address_credit_limit: site.address_credit_limit,
            conversation_days: site.retention.conversation_days,
            event_days: site.retention.event_days,
            delivery_days: site.retention.delivery_days,
            retention_changed_at_ms: site.retention.changed_at.map(Timestamp::as_ms),
            widget: columns::to_json(&site.widget),
            widget_texts: columns::to_json(&*site.widget_texts),
            answer_settings: &site.answer_settings,
            updated_at_ms: site.updated_at.as_ms(),
        }
    }
}

/// Stores a new site with an empty log.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, site: &Site) -> Result<()> {
    let id = site.id.to_string();
    on!(c, |c| {
        diesel::insert_into(sites::table)
            .values((sites::id.eq(&id), sites::created_at_ms.eq(site.created_at.as_ms()), SiteChanges::of(site)))
            .execute(c)
            .await
    })?;
    on!(c, |c| {
        diesel::insert_into(site_counters::table)
            .values((
                site_counters::site_id.eq(&id),
                site_counters::event_seq.eq(0_i64),
                site_counters::index_version.eq(0_i64),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns the sites with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, ids: &[SiteId]) -> Result<Vec<Site>> {
    let ids = columns::texts(ids);
    let rows: Vec<Row> = on!(c, |c| existing!().filter(sites::id.eq_any(&ids)).select(Row::as_select()).load(c).await)?;
    rows.into_iter().map(Site::try_from).collect()
}

/// Returns a site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, id: SiteId) -> Result<Option<Site>> {
    let id = id.to_string();
    // Does not use `by_ids`, because a statement with a list must be prepared for each length.
    let row: Option<Row> =
        on!(c, |c| existing!().filter(sites::id.eq(&id)).select(Row::as_select()).get_result(c).await.optional())?;
    row.map(Site::try_from).transpose()
}

/// Returns one page of all sites, ordered by ID.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, page: PageRequest<SiteId>) -> Result<Vec<Site>> {
    let rows: Vec<Row> = on!(c, |c| load_page!(c, existing!(), sites::id, page))?;
    rows.into_iter().map(Site::try_from).collect()
}

/// Returns the number of sites.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn) -> Result<i64> {
    Ok(on!(c, |c| existing!().count().get_result(c).await)?)
}

/// Returns up to `limit` sites after `after` in the order of their IDs whose owners have limited how long data is kept, and
/// have not changed that after `unchanged_since`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn with_retention(
    c: &mut Conn,
    after: Option<SiteId>,
    unchanged_since: Timestamp,
    limit: i64,
) -> Result<Vec<SiteId>> {
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let ids: Vec<String> = on!(c, |c| {
        existing!()
            .filter(sites::id.gt(&after))
            .filter(sites::retention_changed_at_ms.le(unchanged_since.as_ms()))
            .filter(
                sites::conversation_days
                    .is_not_null()
                    .or(sites::event_days.is_not_null())
                    .or(sites::delivery_days.is_not_null()),
            )
            .order(sites::id)
            .limit(limit)
            .select(sites::id)
            .load(c)
            .await
    })?;
    ids.iter().map(|id| columns::parse(id)).collect()
}

/// Updates everything that an owner or operator can change. Returns false when the site does not
/// exist.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, site: &Site) -> Result<bool> {
    let id = site.id.to_string();
    let changed = on!(c, |c| {
        diesel::update(sites::table.filter(sites::id.eq(&id))).set(SiteChanges::of(site)).execute(c).await
    })?;
    Ok(changed == 1)
}

/// Returns a site, locked against other writers until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id_locked(c: &mut Conn, id: SiteId) -> Result<Option<Site>> {
    let id = id.to_string();
    let row: Option<Row> = on!(c, |c| {
        let found = existing!().filter(sites::id.eq(&id)).select(Row::as_select());
        locked(ForUpdate, found).get_result(c).await.optional()
    })?;
    row.map(Site::try_from).transpose()
}

/// Deletes the row of a site with everything that belongs to it, also when the site was deleted
/// before. Returns false when there is no such row. Call it when few other rows are left, because it
/// is one transaction.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, id: SiteId) -> Result<bool> {
    let id = id.to_string();
    Ok(on!(c, |c| diesel::delete(sites::table.filter(sites::id.eq(&id))).execute(c).await)? == 1)
}

/// Returns the version of the site's index. It rises whenever a chunk is added, changed or deleted.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn index_version(c: &mut Conn, id: SiteId) -> Result<Option<i64>> {
    let id = id.to_string();
    Ok(on!(c, |c| {
        site_counters::table
            .filter(site_counters::site_id.eq(&id))
            .select(site_counters::index_version)
            .get_result(c)
            .await
            .optional()
    })?)
}

/// Returns the version of the site's index, and the oldest version that may still answer.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn index_versions(c: &mut Conn, id: SiteId) -> Result<Option<(i64, i64)>> {
    let id = id.to_string();
    Ok(on!(c, |c| {
        site_counters::table
            .filter(site_counters::site_id.eq(&id))
            .select((site_counters::index_version, site_counters::index_floor))
            .get_result(c)
            .await
            .optional()
    })?)
}

/// Raises the index version and keeps all older indexes from answering, because chunks were deleted
/// or changed.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn retire_older_indexes(c: &mut Conn, id: SiteId) -> Result<()> {
    raise(c, id, Raised::IndexAndFloor).await
}

/// Raises the index version because chunks have changed.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn bump_index_version(c: &mut Conn, id: SiteId) -> Result<()> {
    raise(c, id, Raised::Index).await
}

/// Raises the access version, because the plan or the blocked visitors of the site have changed.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn bump_access_version(c: &mut Conn, id: SiteId) -> Result<()> {
    raise(c, id, Raised::Access).await
}

/// The versions of a site that one statement raises.
enum Raised {
    Index,
    IndexAndFloor,
    Access,
}

async fn raise(c: &mut Conn, id: SiteId, raised: Raised) -> Result<()> {
    use site_counters::{access_version, index_floor, index_version};
    let id = id.to_string();
    on!(c, |c| {
        let counters = diesel::update(site_counters::table.filter(site_counters::site_id.eq(&id)));
        match raised {
            Raised::Index => counters.set(index_version.eq(index_version + 1)).execute(c).await,
            Raised::IndexAndFloor => {
                let set = (index_version.eq(index_version + 1), index_floor.eq(index_version + 1));
                counters.set(set).execute(c).await
            }
            Raised::Access => counters.set(access_version.eq(access_version + 1)).execute(c).await,
        }
    })?;
    Ok(())
}
