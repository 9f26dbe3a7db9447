//! The settings of mail. Those of received mail belong together: an address that visitors answer to needs a way in, and the way
//! in needs a secret.

use helpbot_outbound::{CertificateDer, SmtpMailer, SmtpSettings};
use url::Host;

use super::SettingsReader;

/// Minimum number of characters of the secret.
const SECRET_MIN_CHARS: usize = 16;

impl SettingsReader<'_> {
    /// The domain of the addresses that visitors answer to.
    pub(super) fn inbound_domain(&mut self) -> Option<String> {
        let given = self.optional("inbound_mail_domain")?;
        let has_secret = self.optional("inbound_mail_secret").is_some();
        self.value("inbound_mail_domain", &given, |text| match Host::parse(text) {
            _ if !has_secret => Err("inbound_mail_secret must be set too".to_owned()),
            Ok(Host::Domain(domain)) if domain.contains('.') => Ok(domain),
            _ => Err(format!("{text:?} is not a domain")),
        })
    }

    /// The secret of those who hand over received mails.
    pub(super) fn inbound_secret(&mut self) -> Option<String> {
        let given = self.optional("inbound_mail_secret")?;
        let has_domain = self.optional("inbound_mail_domain").is_some();
        // The value is secret, so only the reason is reported.
        self.value("inbound_mail_secret", &given, |text| match text.chars().count() {
            _ if !has_domain => Err("inbound_mail_domain must be set too".to_owned()),
            SECRET_MIN_CHARS.. => Ok(text.to_owned()),
            _ => Err(format!("must have at least {SECRET_MIN_CHARS} characters")),
        })
    }

    /// The server that sends mail.
    pub(super) fn smtp(&mut self, authorities: &[CertificateDer<'static>]) -> Option<SmtpSettings> {
        let given = self.optional("smtp_url")?;
        let from = self.text("smtp_from");
        let may_send_password_unencrypted = self.switch_off("smtp_plaintext_password");
        let url = given.value.clone();
        let settings = SmtpSettings { url, from, may_send_password_unencrypted, authorities: authorities.to_vec() };
        // The value may contain a password, so only the reason is reported.
        self.value("smtp_url", &given, |_| {
            SmtpMailer::new(&settings).map(|_| settings.clone()).map_err(|error| error.to_string())
        })
    }
}
