//! Signing secrets of webhooks: generated here and stored sealed.
//!
//! A sealed secret is bound to its endpoint, so that a row that is copied to another endpoint cannot
//! be opened. See [`sealer`] for the encryption.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use helpbot_domain::ids::{SiteId, WebhookId};
use helpbot_domain::webhook::SealedSecret;

use crate::runtime::randomness;
use crate::runtime::sealer::{self, Purpose};

const PREFIX: &str = "whsec_";
const SHOWN_CHARS: usize = 4;

/// Returns a new secret: `whsec_` and 32 random bytes in Base64.
pub(super) fn generate() -> String {
    format!("{PREFIX}{}", STANDARD.encode(randomness::bytes()))
}

/// Seals the secret of an endpoint.
pub(crate) fn seal(key: &[u8; 32], site: SiteId, webhook: WebhookId, secret: &str) -> SealedSecret {
    let bytes = sealer::seal(key, Purpose::WebhookSecret, &context(site, webhook), secret);
    SealedSecret { bytes, last4: secret[secret.len() - SHOWN_CHARS..].to_owned() }
}

/// Opens a sealed secret. Returns `None` when it was sealed with another secret key.
pub(crate) fn open(key: &[u8; 32], site: SiteId, webhook: WebhookId, sealed: &SealedSecret) -> Option<String> {
    sealer::open(key, Purpose::WebhookSecret, &context(site, webhook), &sealed.bytes)
}

fn context(site: SiteId, webhook: WebhookId) -> Vec<u8> {
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
    fn a_secret_is_32_random_bytes_and_never_repeats() {
        let secret = generate();

        let encoded = secret.strip_prefix("whsec_").expect("the documented prefix");
        assert_eq!(STANDARD.decode(encoded).map(|key| key.len()), Ok(32));
        assert_ne!(secret, generate());
    }

    #[test]
    fn a_sealed_secret_opens_only_for_its_endpoint_with_its_key() {
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
    fn any_change_of_the_sealed_bytes_is_detected() {
        let ((site, webhook), secret) = (ids(), generate());
        let sealed = seal(&KEY, site, webhook, &secret);

        for at in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[at] ^= 1;
            assert_eq!(open(&KEY, site, webhook, &changed), None, "byte {at}");
        }
        assert_eq!(open(&KEY, site, webhook, &SealedSecret { bytes: Vec::new(), ..sealed }), None);
    }
}
