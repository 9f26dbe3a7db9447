//! The secret key in a backup, sealed with a passphrase.
//!
//! The passphrase is stretched with PBKDF2-HMAC-SHA-256 (RFC 8018), and the result seals the key like every other
//! stored secret ([`sealer`]).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{BackupError, Result};
use crate::runtime::randomness;
use crate::runtime::sealer::{self, Purpose};

/// Minimum length of a passphrase. Even four random words are longer.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
/// Rounds of a new seal, as OWASP recommends for this function: about half a second of an attacker's processor for
/// each guess.
const ROUNDS: u32 = 600_000;
/// Maximum number of rounds that are accepted, so that a forged backup cannot occupy the processor for long.
const ROUNDS_MAX: u32 = 10_000_000;
const SALT_BYTES: usize = 16;

/// A secret key that a passphrase opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SealedKey {
    salt: String,
    rounds: u32,
    sealed: String,
}

impl SealedKey {
    /// Seals a key, bound to its fingerprint.
    ///
    /// # Errors
    /// `ShortPassphrase`.
    pub(super) fn seal(key: &[u8; 32], fingerprint: &str, passphrase: &str) -> Result<Self> {
        Self::seal_in(key, fingerprint, passphrase, ROUNDS)
    }

    fn seal_in(key: &[u8; 32], fingerprint: &str, passphrase: &str, rounds: u32) -> Result<Self> {
        if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
            return Err(BackupError::ShortPassphrase);
        }
        let salt = &randomness::bytes()[..SALT_BYTES];
        let stretched = stretched(passphrase.as_bytes(), salt, rounds);
        let sealed = sealer::seal(&stretched, Purpose::BackupKey, fingerprint.as_bytes(), &STANDARD.encode(key));
        Ok(Self { salt: STANDARD.encode(salt), rounds, sealed: STANDARD.encode(sealed) })
    }

    /// Opens the key.
    ///
    /// # Errors
    /// `WrongPassphrase`; `Damaged` when the seal is not one that this program writes.
    pub(super) fn open(&self, fingerprint: &str, passphrase: &str) -> Result<[u8; 32]> {
        let damaged = || BackupError::Damaged("the sealed secret key cannot be parsed".into());
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| damaged());
        if !(1..=ROUNDS_MAX).contains(&self.rounds) {
            return Err(damaged());
        }
        let stretched = stretched(passphrase.as_bytes(), &bytes(&self.salt)?, self.rounds);
        let opened = sealer::open(&stretched, Purpose::BackupKey, fingerprint.as_bytes(), &bytes(&self.sealed)?)
            .ok_or(BackupError::WrongPassphrase)?;
        bytes(&opened)?.try_into().map_err(|_| damaged())
    }
}

/// The first block of PBKDF2-HMAC-SHA-256.
fn stretched(passphrase: &[u8], salt: &[u8], rounds: u32) -> [u8; 32] {
    let keyed = Hmac::<Sha256>::new_from_slice(passphrase).expect("HMAC accepts a key of any length");
    let of = |bytes: &[u8]| -> [u8; 32] { keyed.clone().chain_update(bytes).finalize().into_bytes().into() };
    let mut last = of(&[salt, &1_u32.to_be_bytes()].concat());
    let mut block = last;
    for _ in 1..rounds {
        last = of(&last);
        for (sum, byte) in block.iter_mut().zip(last) {
            *sum ^= byte;
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use helpbot_domain::text;

    use super::*;

    #[test]
    fn a_passphrase_is_stretched_as_the_standard_says() {
        let once = stretched(b"password", b"salt", 1);
        let often = stretched(b"password", b"salt", 4096);

        assert_eq!(text::hex(&once), "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
        assert_eq!(text::hex(&often), "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
    }

    #[test]
    fn only_its_passphrase_opens_a_key_and_only_with_its_fingerprint() {
        let sealed = SealedKey::seal_in(&[7; 32], "one", "correct horse battery", 2).expect("sealed");

        assert_eq!(sealed.open("one", "correct horse battery").expect("opened"), [7; 32]);
        assert!(matches!(sealed.open("one", "another passphrase"), Err(BackupError::WrongPassphrase)));
        assert!(matches!(sealed.open("two", "correct horse battery"), Err(BackupError::WrongPassphrase)));
        assert!(matches!(SealedKey::seal_in(&[7; 32], "one", "short", 2), Err(BackupError::ShortPassphrase)));
        let endless = SealedKey { rounds: u32::MAX, ..sealed };
        assert!(matches!(endless.open("one", "correct horse battery"), Err(BackupError::Damaged(_))));
    }
}
