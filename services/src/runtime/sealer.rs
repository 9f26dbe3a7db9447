//! Encryption of secrets that are stored in the database, with a key that is not in the database.
//!
//! Each [`Purpose`] uses its own key, derived from the installation's secret key with HMAC-SHA-256.
//! Sealed bytes are bound to a context, for example the ID of the row, so that they cannot be
//! opened after being copied to another row. Format: version byte 1, a random nonce of 24 bytes,
//! then XChaCha20-Poly1305. A nonce of this length can be random for any number of messages.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::runtime::randomness;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;

/// What the sealed bytes are for. The text separates the derived keys and must never change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// Signing secrets of webhooks.
    WebhookSecret,
    /// Stored responses of requests with an idempotency key.
    IdempotentResponse,
    /// The secret key in a backup, sealed with a passphrase.
    BackupKey,
    /// Secrets that sign identity tokens.
    IdentitySecret,
    /// The key with which client addresses and mailboxes are hashed.
    HashKey,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Purpose::WebhookSecret => b"helpbot webhook secrets v1",
            Purpose::IdempotentResponse => b"helpbot kept answers v1",
            Purpose::BackupKey => b"helpbot backup key v1",
            Purpose::IdentitySecret => b"helpbot identity secrets v1",
            Purpose::HashKey => b"helpbot hash key v1",
        }
    }
}

/// Encrypts `text` with a key derived from `secret_key`, bound to `context`.
pub(crate) fn seal(secret_key: &[u8; 32], purpose: Purpose, context: &[u8], text: &str) -> Vec<u8> {
    let random = randomness::bytes();
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&random[..NONCE_BYTES]);
    let sealed = cipher(secret_key, purpose)
        .encrypt(&XNonce::from(nonce), Payload { msg: text.as_bytes(), aad: context })
        .expect("the text is shorter than the cipher's limit of 256 GiB");
    [&[VERSION], nonce.as_slice(), &sealed].concat()
}

/// Decrypts bytes that [`seal`] returned. Returns `None` when the key, the purpose or the context
/// is another one, or the bytes were changed.
pub(crate) fn open(secret_key: &[u8; 32], purpose: Purpose, context: &[u8], sealed: &[u8]) -> Option<String> {
    let (&VERSION, rest) = sealed.split_first()? else { return None };
    let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let payload = Payload { msg: sealed, aad: context };
    String::from_utf8(cipher(secret_key, purpose).decrypt(&XNonce::from(nonce), payload).ok()?).ok()
}

fn cipher(secret_key: &[u8; 32], purpose: Purpose) -> XChaCha20Poly1305 {
    let mut mac =
        <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(secret_key).expect("HMAC accepts a key of any length");
    mac.update(purpose.label());
    let key: [u8; 32] = mac.finalize().into_bytes().into();
    XChaCha20Poly1305::new(&key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn sealed_text_opens_only_with_its_key_purpose_and_context() {
        let sealed = seal(&KEY, Purpose::WebhookSecret, b"row 1", "whsec_x");

        assert_eq!(open(&KEY, Purpose::WebhookSecret, b"row 1", &sealed).as_deref(), Some("whsec_x"));
        assert_eq!(open(&[8; 32], Purpose::WebhookSecret, b"row 1", &sealed), None);
        assert_eq!(open(&KEY, Purpose::IdempotentResponse, b"row 1", &sealed), None);
        assert_eq!(open(&KEY, Purpose::WebhookSecret, b"row 2", &sealed), None);
    }

    #[test]
    fn any_change_of_the_sealed_bytes_is_detected() {
        let sealed = seal(&KEY, Purpose::WebhookSecret, b"row 1", "whsec_x");

        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(open(&KEY, Purpose::WebhookSecret, b"row 1", &changed), None, "byte {at}");
        }
        assert_eq!(open(&KEY, Purpose::WebhookSecret, b"row 1", &sealed[..9]), None);
        assert_eq!(open(&KEY, Purpose::WebhookSecret, b"row 1", &[]), None);
    }
}
