//! Trusted documents: GraphQL documents that requests name by their ID, and the forms of an ID.

use crate::Timestamp;
use crate::ids::SiteId;

/// Precedes the hash in the ID of a document, as the specification of GraphQL over HTTP recommends.
const HASH_PREFIX: &str = "sha256:";
/// Hexadecimal digits of a SHA-256 hash.
const HASH_DIGITS: usize = 64;

/// A document that the team of a site registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustedDocument {
    /// The site.
    pub site_id: SiteId,
    /// ID of the document within the site, in its [normal form](normal_id).
    pub id: String,
    /// Text of the document.
    pub body: String,
    /// Time at which it was registered.
    pub created_at: Timestamp,
}

/// The form in which IDs are compared: a SHA-256 hash has its prefix and lowercase digits, every other ID
/// is as it was given. Clients send a hash with and without the prefix.
pub fn normal_id(id: &str) -> String {
    let digits = id.strip_prefix(HASH_PREFIX).unwrap_or(id);
    match digits.len() == HASH_DIGITS && digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        true => format!("{HASH_PREFIX}{}", digits.to_ascii_lowercase()),
        false => id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_hash_are_one_id_and_other_ids_are_themselves() {
        let digits = "0123456789abcdef".repeat(4);
        let normal = format!("sha256:{digits}");

        for form in [digits.clone(), digits.to_uppercase(), normal.clone(), format!("sha256:{}", digits.to_uppercase())]
        {
            assert_eq!(normal_id(&form), normal);
        }
        for other in ["Site", "sha256:Site", &digits[1..], &format!("SHA256:{digits}"), ""] {
            assert_eq!(normal_id(other), other);
        }
    }
}
