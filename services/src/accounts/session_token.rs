//! Session tokens: they prove that a visitor's session belongs to the visitor.
//!
//! A token is `st_` followed by the base64url encoding of an HMAC, the time of issue, the ID of the
//! token and the session ID. The HMAC covers the site and all of them, so every node that has the
//! installation's secret key can verify a token. The table `sessions` contains the ID of the token
//! of each session; `access` refuses a token whose session was erased.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use helpbot_domain::Timestamp;
use helpbot_domain::ids::SiteId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use uuid::Uuid;

use crate::accounts::viewer::ProvedSession;

const PREFIX: &str = "st_";
/// A visitor who returns after this time begins a new session.
const LIFETIME: Duration = Duration::from_secs(30 * 86_400);
const MAC_BYTES: usize = 32;
const TIME_BYTES: usize = 8;
const ID_BYTES: usize = 16;

/// Returns a token for a session of a site.
pub fn issue(key: &[u8; 32], site: SiteId, session: &ProvedSession, now: Timestamp) -> String {
    let content = [&now.as_ms().to_be_bytes(), session.token_id.as_bytes().as_slice(), session.id.as_bytes()].concat();
    let mut bytes = mac(key, site, &content).finalize().into_bytes().to_vec();
    bytes.extend_from_slice(&content);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the session that `token` proves. `None` when the token is forged, expired or from
/// another site.
pub fn session(key: &[u8; 32], site: SiteId, token: &str, now: Timestamp) -> Option<ProvedSession> {
    let bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
    let (proof, content) = bytes.split_at_checked(MAC_BYTES)?;
    mac(key, site, content).verify_slice(proof).ok()?;
    let (issued, rest) = content.split_at_checked(TIME_BYTES)?;
    let (token_id, session) = rest.split_at_checked(ID_BYTES)?;
    let session = std::str::from_utf8(session).ok()?;
    let issued = Timestamp::from_ms(i64::from_be_bytes(issued.try_into().ok()?));
    let is_valid = now <= issued.plus(LIFETIME);
    is_valid.then_some(ProvedSession { id: session.to_owned(), token_id: Uuid::from_slice(token_id).ok()? })
}

fn mac(key: &[u8; 32], site: SiteId, content: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts a key of any length");
    mac.update(b"helpbot session token v2\0");
    mac.update(site.uuid().as_bytes());
    mac.update(content);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn proved() -> ProvedSession {
        ProvedSession { id: "visitor 7".into(), token_id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_token_proves_its_session_on_its_site_for_a_month() {
        let (site, other) = (SiteId::from_uuid(Uuid::from_u128(1)), SiteId::from_uuid(Uuid::from_u128(2)));
        let now = Timestamp::from_ms(1_000);

        let token = issue(&KEY, site, &proved(), now);

        assert_eq!(session(&KEY, site, &token, now), Some(proved()));
        assert_eq!(session(&KEY, other, &token, now), None);
        assert_eq!(session(&[8; 32], site, &token, now), None);
        assert_eq!(session(&KEY, site, &token, now.plus(LIFETIME + Duration::from_millis(1))), None);
    }

    #[test]
    fn a_changed_token_proves_nothing() {
        let site = SiteId::from_uuid(Uuid::from_u128(1));
        let token = issue(&KEY, site, &proved(), Timestamp::from_ms(0));

        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(session(&KEY, site, &changed, Timestamp::from_ms(0)), None, "{changed}");
        }
    }
}
