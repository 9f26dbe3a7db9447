//! TLS for outgoing connections: ring, Mozilla's roots compiled in, TLS 1.2 and 1.3.
//!
//! Built by hand and handed to the client, so that neither a process-wide provider nor the
//! machine's certificate store changes what is trusted. An operator with servers of their own
//! can add their own authority.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, Error, RootCertStore};

use crate::client::SetupError;

/// Certificates of authorities in a PEM file, in order; other kinds of PEM are passed over.
///
/// # Errors
/// `Authority` when the text is damaged, or holds no certificate or one that is none inside.
pub fn authorities_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let authorities = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let authorities = authorities.ok().filter(|found| !found.is_empty()).ok_or(SetupError::Authority)?;
    roots(&authorities)?;
    Ok(authorities)
}

/// Mozilla's roots and the operator's.
fn roots(authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, SetupError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    for authority in authorities {
        roots.add(authority.clone()).map_err(|_| SetupError::Authority)?;
    }
    Ok(roots)
}

/// The configuration for every client; HTTP/2 is offered, HTTP/1.1 taken.
///
/// # Errors
/// `Authority` when one of `authorities` is no certificate; `Tls` when the provider cannot do
/// the protocol versions asked for.
pub(crate) fn client_config(authorities: &[CertificateDer<'static>]) -> Result<ClientConfig, SetupError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(SetupError::Tls)?
        .with_root_certificates(roots(authorities)?)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// What a site owner can do something about, of the many ways a handshake fails.
pub(crate) fn explain(error: &Error) -> &'static str {
    let Error::InvalidCertificate(certificate) = error else {
        return match error {
            Error::AlertReceived(_) => "the server refused the TLS handshake",
            Error::InvalidMessage(_) => "the server does not speak TLS on this port",
            _ => "the TLS handshake failed",
        };
    };
    match certificate {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "the certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "the certificate is for another host name"
        }
        CertificateError::UnknownIssuer => "the certificate's issuer is not trusted, or an intermediate is missing",
        CertificateError::Revoked => "the certificate is revoked",
        _ => "the certificate is not valid",
    }
}
