//! TLS of outgoing connections: ring, Mozilla's root certificates compiled in, TLS 1.2 and 1.3.
//!
//! The configuration is built here and passed to the client, so that neither a process-wide
//! provider nor the certificate store of the machine changes what is trusted. Operators can add
//! their own certificate authority.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::error::SetupError;

/// Returns the certificates of a PEM file, in order. Other kinds of PEM data are skipped.
///
/// # Errors
/// `Authority` when the text is damaged or contains no valid certificate.
pub fn authorities_from_pem(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let authorities = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let authorities = authorities.ok().filter(|found| !found.is_empty()).ok_or(SetupError::Authority)?;
    roots(&authorities)?;
    Ok(authorities)
}

/// Returns Mozilla's root certificates and those of the operator.
fn roots(authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, SetupError> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    for authority in authorities {
        roots.add(authority.clone()).map_err(|_| SetupError::Authority)?;
    }
    Ok(roots)
}

/// Returns the configuration of every client. It offers HTTP/2 and accepts HTTP/1.1.
///
/// # Errors
/// `Authority` when one of `authorities` is not a valid certificate; `Tls` when the provider does
/// not support the protocol versions.
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
