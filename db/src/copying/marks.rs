//! The mark of a database that a restore or a move fills and has not finished.

use diesel::prelude::*;

use crate::connection::conn::{Conn, on};
use crate::connection::run::RunQueryDsl;
use crate::error::Result;
use crate::schema::installation;

/// Returns the name of the copy that fills this database and has not finished. `None` when the database
/// can be used.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn unfinished(c: &mut Conn) -> Result<Option<String>> {
    let found: Option<Option<String>> =
        on!(c, |c| installation::table.select(installation::unfinished_copy).get_result(c).await.optional())?;
    Ok(found.flatten())
}

/// Marks the database as filled by the copy `name`.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn begin(c: &mut Conn, name: &str) -> Result<()> {
    on!(c, |c| {
        diesel::update(installation::table).set(installation::unfinished_copy.eq(Some(name))).execute(c).await
    })?;
    Ok(())
}

/// Removes the mark and makes the copy an installation whose secret key has this fingerprint. `hash_key_sealed` is
/// that of the source.
///
/// # Errors
/// Returns an error when the query fails.
pub async fn finish(c: &mut Conn, key_fingerprint: &str, hash_key_sealed: Option<&[u8]>) -> Result<()> {
    let values = (
        installation::unfinished_copy.eq(None::<String>),
        installation::key_fingerprint.eq(Some(key_fingerprint)),
        installation::hash_key_sealed.eq(hash_key_sealed),
        installation::first_start_owner.eq(None::<String>),
        installation::first_start_until_ms.eq(None::<i64>),
    );
    on!(c, |c| diesel::update(installation::table).set(values).execute(c).await)?;
    Ok(())
}
