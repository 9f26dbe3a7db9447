//! Contacts: people whom the site's own server names in identity tokens, and the secrets that sign these tokens.

use std::collections::BTreeMap;

use crate::ids::{ContactId, IdentitySecretId, SiteId};
use crate::webhook::SealedSecret;
use crate::{Invalid, Timestamp, text};

/// Maximum length of the ID that the site's own server gives a person, in characters.
const EXTERNAL_ID_MAX_CHARS: usize = 200;
/// Maximum length of a name in characters.
const NAME_MAX_CHARS: usize = 200;
/// Maximum number of attributes of a contact: an agent reads all of them beside a conversation.
const ATTRIBUTES_MAX: usize = 20;
/// Maximum length of the name of an attribute in characters.
const ATTRIBUTE_NAME_MAX_CHARS: usize = 40;
/// Maximum length of the value of an attribute in characters.
const ATTRIBUTE_VALUE_MAX_CHARS: usize = 300;
/// Number of identity secrets that a site can have: the current one, and the next or the previous one during a rotation.
pub const SECRETS_MAX: usize = 2;

/// A person who is known to the site's own server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The site.
    pub site_id: SiteId,
    /// The ID.
    pub id: ContactId,
    /// The ID that the site's own server gives the person.
    pub external_id: String,
    /// The name.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// What else the site's own server says about the person, by name.
    pub attributes: BTreeMap<String, String>,
    /// Time at which the person was first identified.
    pub created_at: Timestamp,
    /// Time at which the values last changed.
    pub updated_at: Timestamp,
}

/// What an identity token says about a person. The outer `None` leaves a value as it is, the inner one removes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactClaims {
    /// The ID that the site's own server gives the person.
    pub external_id: String,
    /// The name.
    pub name: Option<Option<String>>,
    /// The e-mail address.
    pub email: Option<Option<String>>,
    /// Attributes by name.
    pub attributes: BTreeMap<String, Option<String>>,
}

/// A secret with which the site's own server signs identity tokens. Tokens name it by its ID (`kid`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentitySecret {
    /// The site.
    pub site_id: SiteId,
    /// The ID.
    pub id: IdentitySecretId,
    /// The secret, encrypted.
    pub secret: SealedSecret,
    /// Time at which the secret was created.
    pub created_at: Timestamp,
}

impl ContactClaims {
    /// Returns the claims with spaces removed around the values.
    ///
    /// # Errors
    /// Names `field` and says which claim is not valid.
    pub fn checked(self, field: &'static str) -> Result<Self, Invalid> {
        let refused = |message: String| Invalid::new(field, message);
        let external_id = self.external_id.trim().to_owned();
        if !is_plain(&external_id, EXTERNAL_ID_MAX_CHARS) || external_id.is_empty() {
            return Err(refused(format!("The claim sub must have 1 to {EXTERNAL_ID_MAX_CHARS} characters.")));
        }
        let name = self.name.map(|name| name.map(|name| text::one_line(&name)).filter(|name| !name.is_empty()));
        if name.iter().flatten().any(|name| !is_plain(name, NAME_MAX_CHARS)) {
            return Err(refused(format!("The claim name can have at most {NAME_MAX_CHARS} characters.")));
        }
        let email = |email: String| {
            text::email(field, &email).map_err(|_| refused("The claim email is not a valid e-mail address.".into()))
        };
        let email = self.email.map(|given| given.map(email).transpose()).transpose()?;
        let is_valid = |(name, value): (&String, &Option<String>)| {
            let is_name = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
            (1..=ATTRIBUTE_NAME_MAX_CHARS).contains(&name.len())
                && name.chars().all(is_name)
                && value.as_ref().is_none_or(|value| is_plain(value, ATTRIBUTE_VALUE_MAX_CHARS))
        };
        if self.attributes.len() > ATTRIBUTES_MAX || !self.attributes.iter().all(is_valid) {
            return Err(refused(format!(
                "The claim attributes can have at most {ATTRIBUTES_MAX} values of {ATTRIBUTE_VALUE_MAX_CHARS} characters, \
                 whose names have at most {ATTRIBUTE_NAME_MAX_CHARS} letters, digits and the characters _ - and ."
            )));
        }
        Ok(Self { external_id, name, email, attributes: self.attributes })
    }
}

impl Contact {
    /// Returns the contact after an identity token with these claims, which were checked. Values beyond the limit of
    /// attributes are left out.
    #[must_use]
    pub fn with(&self, claims: &ContactClaims, now: Timestamp) -> Self {
        let mut changed = self.clone();
        if let Some(name) = &claims.name {
            changed.name.clone_from(name);
        }
        if let Some(email) = &claims.email {
            changed.email.clone_from(email);
        }
        for (name, value) in &claims.attributes {
            match value {
                None => drop(changed.attributes.remove(name)),
                Some(value) if changed.attributes.len() < ATTRIBUTES_MAX || changed.attributes.contains_key(name) => {
                    changed.attributes.insert(name.clone(), value.clone());
                }
                Some(_) => {}
            }
        }
        if changed != *self {
            changed.updated_at = now;
        }
        changed
    }

    /// The texts that a search looks in, without differences of case. Values are separated, so that nothing is found
    /// across two of them.
    pub fn search_text(&self) -> String {
        let parts = [Some(&self.external_id), self.name.as_ref(), self.email.as_ref()];
        text::folded(&parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n"))
    }
}

/// Whether a text has at most `max_chars` characters and no control characters.
fn is_plain(text: &str, max_chars: usize) -> bool {
    text.chars().count() <= max_chars && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_000);

    fn contact() -> Contact {
        Contact {
            site_id: SiteId::from_uuid(Uuid::from_u128(1)),
            id: ContactId::from_uuid(Uuid::from_u128(2)),
            external_id: "42".into(),
            name: Some("Ann".into()),
            email: None,
            attributes: BTreeMap::from([("plan".into(), "gold".into())]),
            created_at: Timestamp::from_ms(0),
            updated_at: Timestamp::from_ms(0),
        }
    }

    fn claims() -> ContactClaims {
        ContactClaims { external_id: " 42 ".into(), ..ContactClaims::default() }
    }

    #[test]
    fn claims_change_what_they_name() {
        let new = ContactClaims {
            name: Some(None),
            email: Some(Some(" ann@example.com ".into())),
            attributes: BTreeMap::from([("plan".into(), None), ("seats".into(), Some("3".into()))]),
            ..claims()
        };
        let changed = contact().with(&new.checked("token").expect("valid claims"), NOW);

        assert_eq!((changed.name, changed.email.as_deref()), (None, Some("ann@example.com")));
        assert_eq!(changed.attributes, BTreeMap::from([("seats".to_owned(), "3".to_owned())]));
        assert_eq!(changed.updated_at, NOW);
        assert_eq!(contact().with(&claims(), NOW), contact(), "absent claims change nothing");
    }

    #[test]
    fn claims_beyond_the_limits_are_refused() {
        let many = (0..=ATTRIBUTES_MAX).map(|number| (format!("a{number}"), Some("x".to_owned()))).collect();
        let one = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), Some(value.to_owned()))]);
        for wrong in [
            ContactClaims { external_id: "  ".into(), ..claims() },
            ContactClaims { external_id: "x".repeat(201), ..claims() },
            ContactClaims { external_id: "a\0b".into(), ..claims() },
            ContactClaims { name: Some(Some("x".repeat(201))), ..claims() },
            ContactClaims { email: Some(Some("ann".into())), ..claims() },
            ContactClaims { attributes: many, ..claims() },
            ContactClaims { attributes: one("", "x"), ..claims() },
            ContactClaims { attributes: one("<b>", "x"), ..claims() },
            ContactClaims { attributes: one("plan", &"x".repeat(301)), ..claims() },
        ] {
            assert_eq!(wrong.clone().checked("token").map_err(|invalid| invalid.field), Err("token"), "{wrong:?}");
        }
    }

    #[test]
    fn a_contact_keeps_a_limited_number_of_attributes() {
        let mut known = contact();
        for round in 0..3 {
            let some = (0..10).map(|number| (format!("a{round}-{number}"), Some("x".to_owned()))).collect();
            known = known.with(&ContactClaims { attributes: some, ..claims() }, NOW);
        }

        assert_eq!(known.attributes.len(), ATTRIBUTES_MAX);
        assert_eq!(known.attributes["plan"], "gold");
    }
}
