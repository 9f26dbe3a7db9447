//! What all nodes of an installation share: its secret key, its first site, and its clock.
//!
//! The server calls these functions while it starts. The fingerprint of the secret key is in the
//! database, so that a node or a restored backup with another key is noticed before it signs tokens
//! that other nodes refuse, or fails to read stored secrets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use helpbot_db::{self as db, Db};
use helpbot_domain::text;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::runtime::clock::DatabaseClock;
use crate::{Error, Result, Services, boxed};

/// Bytes of a fingerprint: enough to tell keys apart, and too few to say anything about the key.
const FINGERPRINT_BYTES: usize = 8;
/// Time that the creation of the first site may take until another node may do it.
const FIRST_START: Duration = Duration::from_secs(60);
/// Interval at which the clock is compared with that of the database.
const SYNCHRONIZE_EVERY: Duration = Duration::from_secs(10);

/// Whether a node may use the installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstallationCheck {
    /// It may: one of its secret keys is that of the installation, or the installation has none yet.
    Usable,
    /// A restore or a move fills the database and has not finished.
    Unfinished {
        /// What fills it.
        copy: String,
    },
    /// The secret key is not that of the installation.
    WrongKey {
        /// Fingerprint of the installation's key.
        stored: String,
        /// Fingerprint of the key that was checked.
        own: String,
    },
}

/// Returns the fingerprint of a secret key, in lower-case hex.
pub fn fingerprint(key: &[u8; 32]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts a key of any length");
    mac.update(b"helpbot installation key v1");
    text::hex(&mac.finalize().into_bytes()[..FINGERPRINT_BYTES])
}

/// Returns the fingerprint of the key of the installation. `None` when no server has started yet.
///
/// # Errors
/// Only errors of the database.
pub async fn stored_fingerprint(db: &Db) -> Result<Option<String>> {
    Ok(db::installation::key_fingerprint(&mut db.reader().await?).await?)
}

/// Compares the secret key of this node with that of the installation, which must be complete.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn check(services: &Services) -> Result<InstallationCheck> {
    let own = fingerprint(&services.settings.secret_key);
    let accepted: Vec<String> = services.settings.accepted_keys().map(fingerprint).collect();
    let mut reader = services.db.reader().await?;
    if let Some(copy) = db::copying::marks::unfinished(&mut reader).await? {
        return Ok(InstallationCheck::Unfinished { copy });
    }
    Ok(match db::installation::key_fingerprint(&mut reader).await? {
        Some(stored) if !accepted.contains(&stored) => InstallationCheck::WrongKey { stored, own },
        _ => InstallationCheck::Usable,
    })
}

/// Makes the secret key of this node that of the installation if it has none, and checks the installation.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn adopt_key(services: &Services) -> Result<InstallationCheck> {
    let before = check(services).await?;
    let is_missing = db::installation::key_fingerprint(&mut services.db.reader().await?).await?.is_none();
    if is_missing && before == InstallationCheck::Usable {
        let own = fingerprint(&services.settings.secret_key);
        services
            .db
            .write(move |c| {
                Box::pin(async move { Ok::<_, Error>(db::installation::set_key_fingerprint(c, &own).await?) })
            })
            .await?;
    }
    // Another node may have been faster, with another key.
    check(services).await
}

/// Reserves the creation of the first site for the node `owner`, for a minute. Returns `false` while
/// another node has the reservation.
///
/// # Errors
/// Only errors of the database.
#[boxed]
pub async fn claim_first_start(services: &Services, owner: &str) -> Result<bool> {
    let (owner, now) = (owner.to_owned(), services.now());
    let until = now.plus(FIRST_START);
    services
        .db
        .write(move |c| Box::pin(async move { Ok(db::installation::claim_first_start(c, &owner, now, until).await?) }))
        .await
}

/// Ends the reservation.
///
/// # Errors
/// Only errors of the database. The reservation then ends by itself.
#[boxed]
pub async fn end_first_start(services: &Services, owner: &str) -> Result<()> {
    let owner = owner.to_owned();
    services.db.write(move |c| Box::pin(async move { Ok(db::installation::end_first_start(c, &owner).await?) })).await
}

/// Returns a clock that shows the time of the database server and is compared with it every ten
/// seconds. `None` on SQLite, whose clock is that of this machine.
///
/// # Errors
/// Only errors of the database.
pub async fn database_clock(db: &Db) -> Result<Option<Arc<DatabaseClock>>> {
    let Some((now, asked)) = ask(db).await? else { return Ok(None) };
    let clock = Arc::new(DatabaseClock::at(now, asked));
    let (kept, db) = (Arc::downgrade(&clock), db.clone());
    // Ends with the last user of the clock.
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SYNCHRONIZE_EVERY).await;
            let Some(clock) = kept.upgrade() else { return };
            match ask(&db).await {
                Ok(Some((now, asked))) => clock.set(now, asked),
                Ok(None) => return,
                // The clock goes on by itself until the database is back.
                Err(error) => tracing::debug!(error = error.detail(), "the clock of the database cannot be read"),
            }
        }
    });
    Ok(Some(clock))
}

/// Returns the time of the database, and when that time was: in the middle of the request.
async fn ask(db: &Db) -> Result<Option<(helpbot_domain::Timestamp, Instant)>> {
    let mut c = db.reader().await?;
    let begun = Instant::now();
    let now = db::installation::clock(&mut c).await?;
    Ok(now.map(|now| (now, begun + begun.elapsed() / 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_tells_keys_apart_and_stays_the_same() {
        let (one, two) = (fingerprint(&[1; 32]), fingerprint(&[2; 32]));

        assert_eq!(one.len(), 2 * FINGERPRINT_BYTES);
        assert_ne!(one, two);
        assert_eq!(one, fingerprint(&[1; 32]));
    }
}
