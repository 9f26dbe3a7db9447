//! Signing a webhook: the documented header to the byte, Standard Webhooks beside it.
//!
//! One secret string serves both. The documented header keys HMAC on the whole string as UTF-8,
//! since that is what the published `verify.ts` does; Standard Webhooks keys it on the bytes
//! that the Base64 after `whsec_` stands for, so that its public libraries verify us unchanged.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use helpbot_domain::text;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What every secret starts with.
const PREFIX: &str = "whsec_";
/// Key lengths that Standard Webhooks permits; ours are 32 bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A text that is no webhook secret; the text itself is kept out of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a secret is whsec_ and the Base64 of 24 to 64 bytes")]
pub struct SecretError;

/// A webhook's signing secret. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    text: String,
    key: Vec<u8>,
}

impl Secret {
    /// Reads `whsec_<Base64>`.
    ///
    /// # Errors
    /// When the prefix, the Base64 or the length is wrong.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let encoded = text.strip_prefix(PREFIX).ok_or(SecretError)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SecretError);
        }
        Ok(Self { text: text.to_owned(), key })
    }

    /// The value of `X-HelpBot-Signature`: `sha256=` and 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn page_signature(&self, body: &[u8]) -> String {
        let digest = mac(self.text.as_bytes(), &[body]);
        format!("sha256={}", text::hex(&digest))
    }

    /// One entry of `webhook-signature`: `v1,` and the Base64 of the digest of
    /// `id.timestamp.body`, with the timestamp in whole seconds.
    #[must_use]
    pub fn standard_signature(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let digest = mac(&self.key, &[id.as_bytes(), b".", timestamp_s.to_string().as_bytes(), b".", body]);
        format!("v1,{}", STANDARD.encode(digest))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(whsec_****)")
    }
}

/// The secrets that an endpoint's deliveries are signed with.
///
/// While a rotation overlaps there are two. The documented header has room for one signature,
/// so it keeps to `active`; `webhook-signature` carries both, and either verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// The one that receivers are told to use.
    pub active: Secret,
    /// The next one (staged) or the last one (promoted, overlap not over).
    pub overlapping: Option<Secret>,
}

impl Secrets {
    /// All of `webhook-signature`, the active secret's entry first.
    #[must_use]
    pub fn standard_signatures(&self, id: &str, timestamp_s: i64, body: &[u8]) -> String {
        let secrets = std::iter::once(&self.active).chain(&self.overlapping);
        let entries: Vec<String> = secrets.map(|secret| secret.standard_signature(id, timestamp_s, body)).collect();
        entries.join(" ")
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the test suite of the Standard Webhooks libraries.
    const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const STANDARD_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const STANDARD_BODY: &[u8] = b"{\"test\": 2432232314}";

    /// Bytes 0 to 31; the signatures were made with Python's `hmac`.
    const OWN_SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const OWN_BODY: &[u8] = b"{\"event\":\"conversation.created\",\"timestamp\":\"2024-01-15T10:30:00.000Z\",\
        \"data\":{\"conversationId\":\"conv_01h455vb4pex5vsknk084sn02q\"}}";

    fn secret(text: &str) -> Secret {
        Secret::parse(text).expect("a secret")
    }

    #[test]
    fn the_published_standard_webhooks_vector_holds() {
        let signature = secret(STANDARD_SECRET).standard_signature(STANDARD_ID, 1_614_265_330, STANDARD_BODY);

        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn the_documented_header_is_what_node_computes() {
        // crypto.createHmac("sha256", secret).update(body).digest("hex")
        assert_eq!(
            secret(STANDARD_SECRET).page_signature(STANDARD_BODY),
            "sha256=80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c"
        );
    }

    #[test]
    fn a_secret_of_ours_signs_both_ways() {
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
    fn an_overlap_carries_both_signatures_the_active_one_first() {
        let secrets = Secrets { active: secret(OWN_SECRET), overlapping: Some(secret(STANDARD_SECRET)) };

        let both = secrets.standard_signatures(STANDARD_ID, 1_614_265_330, STANDARD_BODY);

        let own = secret(OWN_SECRET).standard_signature(STANDARD_ID, 1_614_265_330, STANDARD_BODY);
        assert_eq!(both, format!("{own} v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_never_shown() {
        for text in ["", "whsec_", "whsec_AAAA", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "whsec_*"] {
            assert_eq!(Secret::parse(text), Err(SecretError), "{text:?}");
        }
        assert_eq!(format!("{:?}", secret(OWN_SECRET)), "Secret(whsec_****)");
    }
}
