//! TLS to PostgreSQL through rustls: libpq's six modes, a private authority, and client
//! certificates.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error as TlsError, RootCertStore, SignatureScheme,
    SupportedProtocolVersion,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};
use tokio_rustls::TlsConnector;

use super::parameters::TlsMode;

/// Value of `sslrootcert` for the authorities that browsers trust.
const SYSTEM: &str = "system";
/// Protocol name that a server expects with `sslnegotiation=direct`.
const ALPN: &[u8] = b"postgresql";

/// Files and limits of TLS connections.
pub(super) struct TlsFiles {
    /// Authorities of the server's certificate. `None` means Mozilla's and those of the settings.
    pub root: Option<PathBuf>,
    /// Certificate chain of the client.
    pub certificate: Option<PathBuf>,
    /// Private key of the client.
    pub key: Option<PathBuf>,
    /// Protocol versions.
    pub versions: Vec<&'static SupportedProtocolVersion>,
}

/// Returns the protocol versions between two limits, each of which may be missing.
///
/// # Errors
/// When a limit is not a version, or no version remains. rustls has no version below TLS 1.2.
pub(super) fn versions(min: Option<&str>, max: Option<&str>) -> Result<Vec<&'static SupportedProtocolVersion>, String> {
    const NAMES: [&str; 4] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    let place = |text: Option<&str>, default| match text {
        None => Ok(default),
        Some(text) => NAMES.iter().position(|name| *name == text).ok_or_else(|| format!("{text:?} is no TLS version")),
    };
    let (min, max) = (place(min, 2)?, place(max, 3)?);
    let known: [(usize, &'static SupportedProtocolVersion); 2] = [(2, &TLS12), (3, &TLS13)];
    let found: Vec<_> = known.into_iter().filter(|(place, _)| (min..=max).contains(place)).map(|(_, v)| v).collect();
    if found.is_empty() { Err("no TLS version of at least 1.2 is allowed".into()) } else { Ok(found) }
}

/// Creates the TLS configuration. `None` when connections are never encrypted.
///
/// As in libpq, `require` verifies the certificate only when `sslrootcert` names authorities.
///
/// # Errors
/// A sentence for the operator that names the file.
pub(super) fn client_config(
    mode: TlsMode,
    files: &TlsFiles,
    authorities: &[CertificateDer<'static>],
) -> Result<Option<Arc<ClientConfig>>, String> {
    if mode == TlsMode::Disable {
        return Ok(None);
    }
    let provider = Arc::new(ring::default_provider());
    let verifies = mode >= TlsMode::VerifyCa || (mode == TlsMode::Require && files.root.is_some());
    let verifier: Arc<dyn ServerCertVerifier> = if verifies {
        let roots = Arc::new(roots(files.root.as_deref(), authorities)?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
        let verifier = verifier.map_err(|error| format!("the certificate authorities cannot be used: {error}"))?;
        if mode == TlsMode::VerifyFull {
            verifier
        } else {
            Arc::new(LenientVerifier { provider: Arc::clone(&provider), chain: Some(verifier) })
        }
    } else {
        Arc::new(LenientVerifier { provider: Arc::clone(&provider), chain: None })
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&files.versions)
        .map_err(|error| format!("the TLS versions cannot be used: {error}"))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match (&files.certificate, &files.key) {
        (None, None) => builder.with_no_client_auth(),
        (Some(certificate), Some(key)) => {
            let chain = certificates(certificate)?;
            let key_der = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
            builder.with_client_auth_cert(chain, key_der).map_err(|error| unreadable(key, &error))?
        }
        (Some(_), None) => return Err("sslcert is set without sslkey".into()),
        (None, Some(_)) => return Err("sslkey is set without sslcert".into()),
    };
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Some(Arc::new(config)))
}

fn roots(file: Option<&Path>, authorities: &[CertificateDer<'static>]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let named = file.filter(|path| *path != Path::new(SYSTEM));
    let own = match named {
        Some(path) => certificates(path)?,
        None => {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            authorities.to_vec()
        }
    };
    for authority in own {
        roots.add(authority).map_err(|error| format!("a certificate authority cannot be used: {error}"))?;
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let found = read.map_err(|error| unreadable(path, &error))?;
    if found.is_empty() { Err(format!("{} contains no certificate", path.display())) } else { Ok(found) }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("cannot use {}: {error}", path.display())
}

/// Accepts certificates that are not for the name of the server (`verify-ca`), or all certificates: the connection is
/// then encrypted, but the server is not authenticated (`prefer`, and `require` without `sslrootcert`). The server must
/// always have the key of its certificate.
#[derive(Debug)]
struct LenientVerifier {
    provider: Arc<CryptoProvider>,
    /// Verifies the chain of the certificate. `None` accepts every certificate.
    chain: Option<Arc<WebPkiServerVerifier>>,
}

impl ServerCertVerifier for LenientVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, TlsError> {
        let Some(chain) = &self.chain else { return Ok(ServerCertVerified::assertion()) };
        match chain.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
            // The name is the last thing that is checked, so everything else was in order.
            Err(TlsError::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Encrypts one connection.
pub(super) struct Encryption {
    pub config: Arc<ClientConfig>,
    /// Name that the server's certificate must have.
    pub name: ServerName<'static>,
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> TlsConnect<S> for Encryption {
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = BoxFuture<'static, io::Result<Encrypted<S>>>;

    fn connect(self, stream: S) -> Self::Future {
        async move {
            let stream = TlsConnector::from(self.config).connect(self.name, stream).await?;
            Ok(Encrypted(Box::new(stream)))
        }
        .boxed()
    }
}

/// An encrypted connection.
pub(super) struct Encrypted<S>(Box<tokio_rustls::client::TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> TlsStream for Encrypted<S> {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}
