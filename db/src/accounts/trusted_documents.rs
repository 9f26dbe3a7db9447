//! GraphQL documents that the teams of sites registered.

use diesel::prelude::*;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use helpbot_domain::page::PageRequest;
use helpbot_domain::trusted_document::TrustedDocument;

use crate::columns;
use crate::connection::conn::Conn;
use crate::connection::conn::on;
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{load_one, load_page};
use crate::schema::trusted_documents;

#[derive(Queryable, Selectable)]
#[diesel(table_name = trusted_documents)]
struct Row {
    site_id: String,
    id: String,
    body: String,
    created_at_ms: i64,
}

impl TryFrom<Row> for TrustedDocument {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(TrustedDocument {
            site_id: columns::parse(&row.site_id)?,
            id: row.id,
            body: row.body,
            created_at: Timestamp::from_ms(row.created_at_ms),
        })
    }
}

/// Stores a document. Returns false when the site has one with this ID.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn insert(c: &mut Conn, new: &TrustedDocument) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(trusted_documents::table)
            .values((
                trusted_documents::site_id.eq(new.site_id.to_string()),
                trusted_documents::id.eq(&new.id),
                trusted_documents::body.eq(&new.body),
                trusted_documents::created_at_ms.eq(new.created_at.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Returns a document of the site.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_id(c: &mut Conn, site: SiteId, id: &str) -> Result<Option<TrustedDocument>> {
    let site = site.to_string();
    load_one!(
        c,
        TrustedDocument,
        trusted_documents::table.filter(trusted_documents::site_id.eq(&site)).filter(trusted_documents::id.eq(id))
    )
}

/// Returns one page of the site's documents, sorted by ID.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(c: &mut Conn, site: SiteId, page: PageRequest<String>) -> Result<Vec<TrustedDocument>> {
    let site = site.to_string();
    let rows: Vec<Row> = on!(c, |c| load_page!(
        c,
        trusted_documents::table.filter(trusted_documents::site_id.eq(&site)),
        trusted_documents::id,
        page
    ))?;
    rows.into_iter().map(TrustedDocument::try_from).collect()
}

/// Returns the number of the site's documents.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId) -> Result<i64> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        trusted_documents::table.filter(trusted_documents::site_id.eq(&site)).count().get_result(c).await
    })?)
}

/// Deletes documents of the site. Returns their number; IDs that the site does not have are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, ids: &[String]) -> Result<usize> {
    let site = site.to_string();
    Ok(on!(c, |c| {
        diesel::delete(
            trusted_documents::table
                .filter(trusted_documents::site_id.eq(&site))
                .filter(trusted_documents::id.eq_any(ids)),
        )
        .execute(c)
        .await
    })?)
}
