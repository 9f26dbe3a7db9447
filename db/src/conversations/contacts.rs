//! Contacts of a site.

use diesel::prelude::*;
use helpbot_domain::contact::Contact;
use helpbot_domain::ids::{ContactId, SiteId};
use helpbot_domain::page::PageRequest;
use helpbot_domain::{Timestamp, text};

use crate::columns;
use crate::connection::conn::{Conn, on};
use crate::connection::dialect::{ForUpdate, locked, lower};
use crate::connection::run::RunQueryDsl;
use crate::error::{Error, Result};
use crate::paging::{edge, load_by_ids};
use crate::schema::contacts;

#[derive(Queryable, Selectable)]
#[diesel(table_name = contacts)]
struct Row {
    site_id: String,
    id: String,
    external_id: String,
    name: Option<String>,
    email: Option<String>,
    attributes: String,
    created_at_ms: i64,
    updated_at_ms: i64,
}

impl TryFrom<Row> for Contact {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Contact {
            site_id: columns::parse(&row.site_id)?,
            id: columns::parse(&row.id)?,
            external_id: row.external_id,
            name: row.name,
            email: row.email,
            attributes: columns::json(&row.attributes)?,
            created_at: Timestamp::from_ms(row.created_at_ms),
            updated_at: Timestamp::from_ms(row.updated_at_ms),
        })
    }
}

/// Stores a contact. Returns false when the ID or the external ID is taken.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn add(c: &mut Conn, new: &Contact) -> Result<bool> {
    let count = on!(c, |c| {
        diesel::insert_into(contacts::table)
            .values((
                contacts::site_id.eq(new.site_id.to_string()),
                contacts::id.eq(new.id.to_string()),
                contacts::external_id.eq(&new.external_id),
                contacts::name.eq(&new.name),
                contacts::email.eq(&new.email),
                contacts::attributes.eq(columns::to_json(&new.attributes)),
                contacts::search_text.eq(new.search_text()),
                contacts::created_at_ms.eq(new.created_at.as_ms()),
                contacts::updated_at_ms.eq(new.updated_at.as_ms()),
            ))
            .on_conflict_do_nothing()
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Changes the values of a contact. Returns false when the site has no such contact.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn update(c: &mut Conn, changed: &Contact) -> Result<bool> {
    let (site, id) = (changed.site_id.to_string(), changed.id.to_string());
    let count = on!(c, |c| {
        let row = contacts::table.filter(contacts::site_id.eq(&site)).filter(contacts::id.eq(&id));
        let values = (
            contacts::name.eq(&changed.name),
            contacts::email.eq(&changed.email),
            contacts::attributes.eq(columns::to_json(&changed.attributes)),
            contacts::search_text.eq(changed.search_text()),
            contacts::updated_at_ms.eq(changed.updated_at.as_ms()),
        );
        diesel::update(row).set(values).execute(c).await
    })?;
    Ok(count == 1)
}

/// Returns the contact with this external ID, locked until the transaction ends.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_external_id_locked(c: &mut Conn, site: SiteId, external_id: &str) -> Result<Option<Contact>> {
    let site = site.to_string();
    let row: Option<Row> = on!(c, |c| {
        let found = contacts::table.filter(contacts::site_id.eq(&site)).filter(contacts::external_id.eq(external_id));
        locked(ForUpdate, found.select(Row::as_select())).get_result(c).await.optional()
    })?;
    row.map(Contact::try_from).transpose()
}

/// Returns the contacts of the site with these IDs, in no particular order. Missing ones are left out.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn by_ids(c: &mut Conn, site: SiteId, ids: &[ContactId]) -> Result<Vec<Contact>> {
    load_by_ids!(c, Contact, contacts, site, ids)
}

macro_rules! filtered {
    ($backend:ty, $site:expr, $words:expr) => {{
        let words: Option<&str> = $words;
        let rows = contacts::table.into_boxed::<$backend>().filter(contacts::site_id.eq($site.to_string()));
        match words {
            None => rows,
            Some(words) => {
                rows.filter(contacts::search_text.like(columns::containing(&text::folded(words))).escape('\\'))
            }
        }
    }};
}

/// Returns one page of the contacts whose name, e-mail address or external ID contains `words`, newest first.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn list(
    c: &mut Conn,
    site: SiteId,
    words: Option<&str>,
    page: PageRequest<ContactId>,
) -> Result<Vec<Contact>> {
    // The newest contact comes first, so the direction of the keys is the opposite of that of the list.
    let keys = PageRequest { is_backward: !page.is_backward, ..page };
    let edge = edge(&keys);
    let rows: Vec<Row> = on!(c, <B> |c| {
        let rows = filtered!(B, site, words).limit(keys.limit).select(Row::as_select());
        match keys.is_backward {
            true => rows.filter(contacts::id.lt(&edge)).order(contacts::id.desc()).load(c).await,
            false => rows.filter(contacts::id.gt(&edge)).order(contacts::id.asc()).load(c).await,
        }
    })?;
    rows.into_iter().map(Contact::try_from).collect()
}

/// Returns the number of contacts whose name, e-mail address or external ID contains `words`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn count(c: &mut Conn, site: SiteId, words: Option<&str>) -> Result<i64> {
    Ok(on!(c, <B> |c| filtered!(B, site, words).count().get_result(c).await)?)
}

/// Deletes a contact. Its sessions are erased before. Returns false when the site has no such contact.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete(c: &mut Conn, site: SiteId, id: ContactId) -> Result<bool> {
    let (site, id) = (site.to_string(), id.to_string());
    let count = on!(c, |c| {
        diesel::delete(contacts::table.filter(contacts::site_id.eq(&site)).filter(contacts::id.eq(&id)))
            .execute(c)
            .await
    })?;
    Ok(count == 1)
}

/// Deletes the contacts with an e-mail address, which is in lower case. Their sessions are erased before.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn delete_of_email(c: &mut Conn, site: SiteId, email: &str) -> Result<()> {
    let site = site.to_string();
    on!(c, |c| {
        let of_site = contacts::table.filter(contacts::site_id.eq(&site));
        let found = of_site.filter(lower(contacts::email.assume_not_null()).eq(email));
        diesel::delete(found).execute(c).await
    })?;
    Ok(())
}
