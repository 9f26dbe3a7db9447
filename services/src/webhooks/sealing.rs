//! Webhook secrets at rest: sealed with a key that is not in the database.
//!
//! A sealed secret is bound to its endpoint, so that a row copied onto another opens nothing.
//! Form: version 1, 24 bytes of nonce, XChaCha20-Poly1305. The long nonce may be drawn at random
//! for any number of secrets.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use helpbot_db::webhooks::SealedSecret;
use helpbot_domain::ids::{SiteId, WebhookId};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::runtime::randomness;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const PREFIX: &str = "whsec_";
const SHOWN_CHARS: usize = 4;

/// A new secret: `whsec_` and the Base64 of 32 random bytes.
pub(super) fn generate() -> String {
    format!("{PREFIX}{}", STANDARD.encode(randomness::bytes()))
}

/// Seals `secret` for an endpoint with the installation's key.
pub(super) fn seal(key: &[u8; 32], site: SiteId, webhook: WebhookId, secret: &str) -> SealedSecret {
    let random = randomness::bytes();
    let mut nonce = [0; NONCE_BYTES];
    nonce.copy_from_slice(&random[..NONCE_BYTES]);
    let aad = bound_to(site, webhook);
    let sealed = cipher(key)
        .encrypt(&XNonce::from(nonce), Payload { msg: secret.as_bytes(), aad: &aad })
        .expect("a short text is within the cipher's limit");
    let bytes = [&[VERSION], nonce.as_slice(), &sealed].concat();
    SealedSecret { bytes, last4: secret[secret.len() - SHOWN_CHARS..].to_owned() }
}

/// The secret again; none when the installation's key is not the one that sealed it.
pub(crate) fn open(key: &[u8; 32], site: SiteId, webhook: WebhookId, sealed: &SealedSecret) -> Option<String> {
    let (VERSION, rest) = sealed.bytes.split_first().map(|(version, rest)| (*version, rest))? else { return None };
    let (nonce, sealed) = rest.split_at_checked(NONCE_BYTES)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
    let aad = bound_to(site, webhook);
    let opened = cipher(key).decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: &aad }).ok()?;
    String::from_utf8(opened).ok()
}

/// A key of its own for this purpose: the installation's also signs session tokens.
fn cipher(key: &[u8; 32]) -> XChaCha20Poly1305 {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(b"helpbot webhook secrets v1");
    let key: [u8; 32] = mac.finalize().into_bytes().into();
    XChaCha20Poly1305::new(&key.into())
}

fn bound_to(site: SiteId, webhook: WebhookId) -> Vec<u8> {
    [site.uuid().into_bytes(), webhook.uuid().into_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const KEY: [u8; 32] = [7; 32];

    fn ids() -> (SiteId, WebhookId) {
        (SiteId::from_uuid(Uuid::from_u128(1)), WebhookId::from_uuid(Uuid::from_u128(2)))
    }

    #[test]
    fn a_secret_is_32_random_bytes_and_never_the_same() {
        let secret = generate();

        let encoded = secret.strip_prefix("whsec_").expect("the documented prefix");
        assert_eq!(STANDARD.decode(encoded).map(|key| key.len()), Ok(32));
        assert_ne!(secret, generate());
    }

    #[test]
    fn a_sealed_secret_opens_for_its_endpoint_with_its_key_alone() {
        let ((site, webhook), secret) = (ids(), generate());
        let sealed = seal(&KEY, site, webhook, &secret);

        assert_eq!(open(&KEY, site, webhook, &sealed).as_ref(), Some(&secret));
        assert_eq!(sealed.last4, secret[secret.len() - 4..]);
        assert_eq!(open(&[8; 32], site, webhook, &sealed), None);
        assert_eq!(open(&KEY, site, WebhookId::from_uuid(Uuid::from_u128(3)), &sealed), None);
        let text = String::from_utf8_lossy(&sealed.bytes).into_owned();
        assert!(!text.contains("whsec_"));
    }

    #[test]
    fn any_change_of_the_sealed_bytes_is_noticed() {
        let ((site, webhook), secret) = (ids(), generate());
        let sealed = seal(&KEY, site, webhook, &secret);

        for at in 0..sealed.bytes.len() {
            let mut touched = sealed.clone();
            touched.bytes[at] ^= 1;
            assert_eq!(open(&KEY, site, webhook, &touched), None, "byte {at}");
        }
        assert_eq!(open(&KEY, site, webhook, &SealedSecret { bytes: Vec::new(), ..sealed }), None);
    }
}
