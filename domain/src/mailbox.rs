//! The mailbox behind an e-mail address, so that limits cannot be avoided by spelling an address in
//! another way. `services` counts mails by it. It is never an address to which mail is sent.

/// Domains of Gmail, which all lead to the same mailbox.
const GMAIL: [&str; 2] = ["gmail.com", "googlemail.com"];

/// Returns a text that is the same for all spellings of an e-mail address that usually lead to one
/// mailbox: upper and lower case, a tag after `+`, dots in the local part, and the forms of an
/// international domain name.
///
/// Some mail servers treat these spellings as different mailboxes. They then share a limit, which is
/// harmless.
#[must_use]
pub fn of(email: &str) -> String {
    let email = email.trim().to_lowercase();
    let Some((local, domain)) = email.rsplit_once('@') else { return email };
    let domain = ascii(domain.trim_end_matches('.'));
    let domain = domain.as_str();
    let domain = if GMAIL.contains(&domain) { GMAIL[0] } else { domain };
    // An address that consists of a tag alone keeps it.
    let without_tag = local.split('+').next().filter(|local| !local.is_empty()).unwrap_or(local);
    format!("{}@{domain}", without_tag.replace('.', ""))
}

/// The form of a domain that the domain name system uses (UTS #46, "xn--bcher-kva.example"). A text that
/// is not a domain stays as it is.
fn ascii(domain: &str) -> String {
    url::Host::parse(domain).map_or_else(|_| domain.to_owned(), |host| host.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_of_an_address_have_one_mailbox() {
        for spelling in [
            "bob@example.com",
            " BOB@Example.COM ",
            "b.ob@example.com",
            "bob+shop@example.com",
            "B.o.b+a+b@example.com.",
        ] {
            assert_eq!(of(spelling), "bob@example.com", "{spelling}");
        }
        assert_eq!(of("b.ob@googlemail.com"), of("bob+1@gmail.com"));
        assert_eq!(of("bob@bücher.example"), of("bob@XN--BCHER-KVA.example"));
        assert_eq!(of("bob@\u{ff47}mail.com"), of("bob@gmail.com"));
    }

    #[test]
    fn different_people_have_different_mailboxes() {
        assert_ne!(of("bob@example.com"), of("bob@example.org"));
        assert_ne!(of("bob@example.com"), of("rob@example.com"));
        assert_eq!(of("+tag@example.com"), "+tag@example.com");
    }
}
