//! Migrations: creating and updating the tables. The SQL files are compiled in from `migrations/`.
//!
//! [`super::open`] picks a [`Step`] and runs it on a blocking thread, in [`sqlite`] or [`postgres`]. Migrations are never edited
//! after they landed.
//!
//! A program starts on a database that a newer program has migrated if the newer one says that it can: `installation.min_migration`
//! is the newest migration that a program must know ([`COMPATIBLE_SINCE`] of the program that migrated last). So the nodes of an
//! installation are upgraded one after the other, and the previous version can be started again.

mod postgres;
mod sqlite;

use crate::error::{Error, Result};

pub(super) use postgres::postgres;
pub(super) use sqlite::sqlite;

/// The newest migration that a program must know to work with the database as this program leaves it. A migration that drops or
/// renames something, or that gives a column another meaning, raises it to its own version. Added tables, columns that may be null or
/// have a default, and indexes do not.
const COMPATIBLE_SINCE: &str = "0242";
/// The migration that adds the column with the requirement. Before it, every newer database is refused.
const HAS_REQUIREMENT: &str = "0242";
/// Reads the requirement as a column `version`.
const REQUIREMENT: &str = "SELECT coalesce(min_migration, '') AS version FROM installation";

/// What to do with the migrations of a database.
#[derive(Debug)]
pub(super) enum Step {
    /// Apply the pending ones.
    Up,
    /// Apply all of them to a database without tables, and refuse another one with pending migrations.
    UpIfEmpty,
    /// Count the pending ones.
    Pending,
    /// Apply these to a database without tables.
    UpTo(Vec<String>),
    /// Revert all of them. Tests use this to prove each `down.sql`.
    Down,
}

/// Stores the requirement of this program.
fn store_requirement() -> String {
    format!("UPDATE installation SET min_migration = '{COMPATIBLE_SINCE}'")
}

/// Returns those of the `applied` migrations that this program knows. `required` is the newest migration that a program must know,
/// and is asked for only when there are others.
///
/// # Errors
/// `Schema` when a newer program has changed the database so that this one cannot work with it; errors of `required`.
fn known_among(
    applied: Vec<String>,
    known: &[String],
    required: impl FnOnce() -> Result<Option<String>>,
) -> Result<Vec<String>> {
    let (ours, others): (Vec<String>, Vec<String>) = applied.into_iter().partition(|version| known.contains(version));
    if others.is_empty() {
        return Ok(ours);
    }
    let is_compatible = ours.iter().any(|version| version == HAS_REQUIREMENT)
        && required()?.is_some_and(|required| known.contains(&required))
        && ours.len() == known.len();
    if is_compatible { Ok(ours) } else { Err(newer()) }
}

/// Returns whether a database with the migrations `applied` has to be brought to `wanted`.
///
/// # Errors
/// `Schema` when it has other tables already, or when a wanted migration is not among `known`.
fn must_apply(applied: &[String], wanted: &[String], known: &[String]) -> Result<bool> {
    if !wanted.iter().all(|version| known.contains(version)) {
        return Err(newer());
    }
    match applied {
        [] => Ok(true),
        applied if applied == wanted => Ok(false),
        _ => Err(Error::Schema(
            "the database already has tables, of another version of helpbot; use an empty database".into(),
        )),
    }
}

/// Refuses a database with pending migrations.
pub(super) fn refuse_pending(count: usize) -> Result<()> {
    if count == 0 {
        return Ok(());
    }
    let are = if count == 1 { "migration is" } else { "migrations are" };
    Err(Error::Schema(format!(
        "{count} {are} pending: run `helpbot migrate` (`helpbot serve --migrate` applies them at its start)"
    )))
}

fn newer() -> Error {
    Error::Schema(
        "the database was migrated by a newer version of helpbot, with which this version does not work; start that version".into(),
    )
}

fn schema(error: impl std::fmt::Display) -> Error {
    Error::Schema(format!("a migration failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_program_works_with_a_newer_database_if_it_knows_what_that_requires() {
        let known = versions(&["0001", HAS_REQUIREMENT]);
        let opened = |applied: &[&str], required: Option<&str>| {
            known_among(versions(applied), &known, || Ok(required.map(str::to_owned))).map(|ours| ours.len()).ok()
        };

        assert_eq!(opened(&["0001"], None), Some(1), "an older database");
        assert_eq!(opened(&["0001", HAS_REQUIREMENT, "9001"], Some(HAS_REQUIREMENT)), Some(2));
        assert_eq!(opened(&["0001", HAS_REQUIREMENT, "9001"], Some("9001")), None);
        assert_eq!(opened(&["0001", HAS_REQUIREMENT, "9001"], None), None);
        assert_eq!(opened(&["0001", "9001"], Some("0001")), None, "it says nothing yet");
    }
}
