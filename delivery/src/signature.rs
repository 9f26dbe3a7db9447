//! Webhook signatures: the documented header and the header of Standard Webhooks.
//!
//! One secret serves both. The documented header uses the whole secret string as the HMAC key, as
//! the published `verify.ts` does. Standard Webhooks uses the bytes that the Base64 after `whsec_`
//! decodes to, so that its public libraries verify our requests unchanged.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use helpbot_domain::text;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Prefix of every secret.
const PREFIX: &str = "whsec_";
/// Key lengths that Standard Webhooks permits. Our keys have 32 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The text is not a webhook secret. The message does not contain the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret must be whsec_ followed by the Base64 of 24 to 64 bytes")]
pub struct SigningKeyError;

/// A signing secret of a webhook. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    text: String,
    key: Vec<u8>,
}

impl SigningKey {
    /// Parses `whsec_<Base64>`.
    ///
    /// # Errors
    /// Fails when the prefix, the Base64 or the length is wrong.
    pub fn parse(text: &str) -> Result<Self, SigningKeyError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SigningKeyError)?;
        let key = STANDARD.decode(encoded).map_err(|_| SigningKeyError)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SigningKeyError);
        }
        Ok(Self { text: text.to_owned(), key })
    }

    /// Returns the value of `X-HelpBot-Signature`: `sha256=` and 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn page_signature(&self, body: &[u8]) -> String {
        let digest = mac(self.text.as_bytes(), &[body]);
        format!("sha256={}", text::hex(&digest))
    }

    /// Returns one entry of `webhook-signature`: `v1,` and the Base64 of the HMAC of
    /// `id.timestamp.body`, with the timestamp in whole seconds.
    #[must_use]
    pub fn standard_signature(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let digest = mac(&self.key, &[id.as_bytes(), b".", timestamp_s.to_string().as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(digest))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SigningKey(whsec_****)")
    }
}

/// The secrets that sign the deliveries of an endpoint.
///
/// There are two while secrets are rotated. The documented header has room for one signature and
/// uses `active`; `webhook-signature` contains both, and either verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKeys {
    /// The secret that receivers are asked to use.
    pub active: SigningKey,
    /// The next secret while it is staged, or the previous one until the overlap ends.
    pub overlapping: Option<SigningKey>,
}

impl SigningKeys {
    /// Returns the value of `webhook-signature`. The entry of the active secret comes first.
    #[must_use]
    pub fn standard_signatures(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let secrets = std::iter::once(&self.active).chain(&self.overlapping);
        let entries: Vec<String> = secrets.map(|secret| secret.standard_signature(id, timestamp_s, body)).collect();
        entries.join(" ")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values from the test suite of the Standard Webhooks libraries.
    const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const STANDARD_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const STANDARD_BODY: &[u8] = b"{\"test\": 2432232314}";

    /// The key consists of the bytes 0 to 31. The signatures were made with Python's `hmac`.
    const OWN_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OWN_BODY: &[u8] = b"{\"event\":\"conversation.created\",\"timestamp\":\"2024-01-15T10:30:00.000Z\",\
        \"data\":{\"conversationId\":\"conv_01h455vb4pex5vsknk084sn02q\"}}";

    fn secret(text: &str) -> SigningKey {
        SigningKey::parse(text).expect("a secret")
    }

    #[test]
    fn the_published_test_vector_of_standard_webhooks_is_reproduced() {
        let signature = secret(STANDARD_SECRET).standard_signature(STANDARD_ID, 1_614_265_330, STANDARD_BODY);

        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_documented_header_matches_a_signature_made_with_node() {
        // crypto.createHmac("sha256", secret).update(body).digest("hex")
        assert_eq!(
            secret(STANDARD_SECRET).page_signature(STANDARD_BODY),
            "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"
        );
    }

    #[test]
    fn one_secret_makes_both_signatures() {
        let secret = secret(OWN_SECRET);

        assert_eq!(
            secret.page_signature(OWN_BODY),
            "sha256=68b51b13b280a00cc9772b9cca1a944b39b0b56baed8e27a3d3885e0a3dee2ce"
        );
        assert_eq!(
            secret.standard_signature("evt_01h455vb4pex5vsknk084sn02r", 1_705_314_600, OWN_BODY),
            "v1,n4KGJbzlAosWe10V0kh97htK640kZP8XAbEd21VNMsA="
        );
    }

    #[test]
    fn during_a_rotation_both_secrets_sign_and_the_active_one_comes_first() {
        let secrets = SigningKeys { active: secret(OWN_SECRET), overlapping: Some(secret(STANDARD_SECRET)) };

        let both = secrets.standard_signatures(STANDARD_ID, 1_614_265_330, STANDARD_BODY);

        let own = secret(OWN_SECRET).standard_signature(STANDARD_ID, 1_614_265_330, STANDARD_BODY);
        assert_eq!(both, format!("{own} v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn invalid_secrets_are_rejected_and_secrets_are_never_shown() {
        for text in ["", "whsec_", "whsec_AAAA", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_*"] {
            assert_eq!(SigningKey::parse(text), Err(SigningKeyError), "{text:?}");
        }
        assert_eq!(format!("{:?}", secret(OWN_SECRET)), "SigningKey(whsec_****)");
    }
}
