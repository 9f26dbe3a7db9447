//! Evaluation cases: saved questions that a site must be able to answer.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::{CaseId, SiteId};

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_by_ids, load_page};
use crate::schema::evaluation_cases as cases;
use helpbot_domain::evaluation::Case;
use helpbot_domain::page::PageRequest;

#[derive(Queryable, Selectable)]
#[diesel(table_name = cases)]
struct Row {
    site_id: String,
    id: String,
    question: String,
    expected_source_id: Option<String>,
    expected_url: Option<String>,
    expected_question: Option<String>,
    created_at_ms: i64,
}

impl TryFrom<Row> for Case {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Case {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            question: row.question,
            expected_source_id: columns::parse_opt(row.expected_source_id.as_deref())?,
            expected_url: row.expected_url,
            expected_question: row.expected_question,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a new case.
///
/// # Errors
/// `Conflict` when the ID is taken.
pub async fn insert(c: &mut Conn, new: &Case) -> Result<()> {
    on!(c, |c| {
        diesel::insert_into(cases::table)
            .values((
                cases::site_id.eq(new.site_id.to_string()),
                cases::id.eq(new.id.to_string()),
                cases::question.eq(&new.question),
                cases::expected_source_id.eq(new.expected_source_id.map(|id| id.to_string())),
                cases::expected_url.eq(&new.expected_url),
                cases::expected_question.eq(&new.expected_question),
                cases::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .execute(c)
            .await
    })?;
    Ok(())
}

/// Returns one page of the site's cases, oldest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId, page: PageRequest<CaseId>) -> Result<Vec<Case>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| load_page!(c, cases::table.filter(cases::site_id.eq(&site)), cases::id, page))?;
    rows.into_iter().map(Case::try_from).collect()
}

/// Returns the cases of the site with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[CaseId]) -> Result<Vec<Case>> {
    load_by_ids!(c, Case, cases, site, ids)
}

/// Returns the number of cases of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| cases::table.filter(cases::site_id.eq(&site)).count().get_result(c).await)?)
}

/// Deletes a case. Returns false when the site has no such case.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: CaseId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(cases::table.filter(cases::site_id.eq(&site)).filter(cases::id.eq(&id))).execute(c).await
    })?;
    Ok(count == 1)
}
