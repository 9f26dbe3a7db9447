//! Keyed hashes of network addresses and mailboxes. Limits and blocks recognize a client by its hash, so
//! their tables contain no address of a visitor, and the hash cannot be reversed without the secret key of
//! the installation.

use std::net::IpAddr;

use helpbot_domain::client_address::subscriber;
use helpbot_domain::ids::SiteId;
use helpbot_domain::{mailbox, text};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the hash that are stored. 16 are enough to tell all addresses apart.
const STORED_BYTES: usize = 16;

/// Returns the keyed hash of a client address, which differs between sites.
pub(crate) fn of(secret_key: &[u8; 32], site: SiteId, address: IpAddr) -> String {
    hashed(secret_key, b"helpbot client address v1\0", site, &subscriber(address).to_string())
}

/// Returns the keyed hash of the mailbox behind an e-mail address, which differs between sites.
pub(crate) fn of_mailbox(secret_key: &[u8; 32], site: SiteId, email: &str) -> String {
    hashed(secret_key, b"helpbot mailbox v1\0", site, &mailbox::of(email))
}

fn hashed(secret_key: &[u8; 32], purpose: &[u8], site: SiteId, subject: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret_key).expect("HMAC accepts a key of any length");
    for part in [purpose, site.uuid().as_bytes(), subject.as_bytes()] {
        mac.update(part);
    }
    text::hex(&mac.finalize().into_bytes()[..STORED_BYTES])
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_hash_of_a_mailbox_is_the_same_for_each_spelling() {
        let site = |number| SiteId::from_uuid(Uuid::from_u128(number));
        let hash = |number, email| of_mailbox(&[7; 32], site(number), email);

        assert_eq!(hash(1, "b.ob+1@example.com"), hash(1, "BOB@example.com"));
        assert_ne!(hash(1, "bob@example.com"), hash(1, "rob@example.com"));
        assert_ne!(hash(1, "bob@example.com"), hash(2, "bob@example.com"));
    }

    #[test]
    fn a_hash_is_that_of_one_subscriber_of_one_site() {
        let site = |number| SiteId::from_uuid(Uuid::from_u128(number));
        let hash = |site, address: &str| of(&[7; 32], site, address.parse().expect("an address"));

        assert_eq!(hash(site(1), "192.0.2.1"), hash(site(1), "::ffff:192.0.2.1"));
        assert_eq!(hash(site(1), "2001:db8::1"), hash(site(1), "2001:db8::2"));
        assert_ne!(hash(site(1), "192.0.2.1"), hash(site(1), "192.0.2.2"));
        assert_ne!(hash(site(1), "192.0.2.1"), hash(site(2), "192.0.2.1"));
        assert_ne!(of(&[8; 32], site(1), IpAddr::from([192, 0, 2, 1])), hash(site(1), "192.0.2.1"));
    }
}
