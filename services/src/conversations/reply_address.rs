//! Reply addresses: the address that a mail to a visitor names for answers. It contains the ID of the conversation and
//! a signature, so that only those who received a mail of the conversation can write into it by mail.
//!
//! Mail programs change the case of addresses, and the part before `@` has at most 64 characters. Therefore the
//! signature is hexadecimal and has 80 bits, which cannot be guessed over a network.

use helpbot_domain::ids::ConversationId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// How the part before `@` begins.
const PREFIX: &str = "reply+";
/// How the text of a conversation's ID begins.
const ID_PREFIX: &str = "conv_";
/// Number of characters of an ID without its prefix.
const ID_CHARS: usize = 26;
/// Number of bytes of the signature.
const SIGNATURE_BYTES: usize = 10;

/// Returns the address that answers to a conversation are sent to.
pub(crate) fn of(key: &[u8; 32], conversation: ConversationId, domain: &str) -> String {
    let id = conversation.to_string();
    let id = id.strip_prefix(ID_PREFIX).unwrap_or(&id);
    format!("{PREFIX}{id}{}@{domain}", signature(key, conversation))
}

/// Returns the conversation of a reply address. `None` when it is not one, or when its signature is wrong.
pub(crate) fn conversation(key: &[u8; 32], address: &str) -> Option<ConversationId> {
    let address = address.trim().to_ascii_lowercase();
    let (local, _) = address.split_once('@')?;
    let (id, signed) = local.strip_prefix(PREFIX)?.split_at_checked(ID_CHARS)?;
    let id: ConversationId = format!("{ID_PREFIX}{id}").parse().ok()?;
    is_signature(key, id, signed).then_some(id)
}

fn signature(key: &[u8; 32], conversation: ConversationId) -> String {
    let digest = mac(key, conversation).finalize().into_bytes();
    digest[..SIGNATURE_BYTES].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_signature(key: &[u8; 32], conversation: ConversationId, given: &str) -> bool {
    let digits: Option<Vec<u8>> = (0..given.len())
        .step_by(2)
        .map(|at| given.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()))
        .collect();
    let is_long_enough = given.len() == 2 * SIGNATURE_BYTES;
    is_long_enough && digits.is_some_and(|digits| mac(key, conversation).verify_truncated_left(&digits).is_ok())
}

fn mac(key: &[u8; 32], conversation: ConversationId) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC accepts a key of any length");
    mac.update(b"helpbot reply address v1\0");
    mac.update(conversation.uuid().as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    #[test]
    fn a_reply_address_names_its_conversation_in_any_case() {
        let id = ConversationId::from_uuid(Uuid::from_u128(0x019c_0000_0000_7000_8000_0000_0000_0001));

        let address = of(&KEY, id, "reply.shop.example");

        assert!(address.split('@').next().is_some_and(|local| local.len() <= 64), "{address}");
        for written in [address.clone(), address.to_uppercase(), format!(" {address} ")] {
            assert_eq!(conversation(&KEY, &written), Some(id), "{written}");
        }
        assert_eq!(conversation(&[8; 32], &address), None);
    }

    #[test]
    fn a_changed_address_names_nothing() {
        let id = ConversationId::from_uuid(Uuid::from_u128(0x019c_0000_0000_7000_8000_0000_0000_0001));
        let address = of(&KEY, id, "reply.shop.example");
        let local = address.split('@').next().expect("a local part").len();

        for at in 0..local {
            let mut bytes = address.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(bytes).expect("it is ASCII");
            assert_eq!(conversation(&KEY, &changed), None, "{changed}");
        }
        for other in ["", "@", "reply+@shop.example", "owner@shop.example", "reply+äöüäöüäöüäöüäöü@x"] {
            assert_eq!(conversation(&KEY, other), None, "{other}");
        }
    }
}
