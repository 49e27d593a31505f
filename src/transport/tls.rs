//! TLS over a connection: trusted certificates, the client's own certificate, and failed handshakes.

mod hello;
mod trouble;

pub use hello::{is_tls_port, speaks_tls};
pub use trouble::TlsTrouble;

use super::socket::Socket;
use crate::spec::{TlsOptions, TlsVersion};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ResolvesClientCert, WantsClientCert};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, ConfigBuilder, DigitallySignedStruct, RootCertStore, SignatureScheme, version,
};
use rustls_platform_verifier::BuilderVerifierExt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use trouble::Shown;

/// Number of servers whose sessions are kept for resumption. For each, rustls keeps up to eight TLS 1.3
/// tickets and one TLS 1.2 session, which all connections share.
const SERVERS: usize = 8;

/// Why TLS cannot be set up as the flags ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A certificate or key file cannot be used.
    #[error("{flag}: {path}: {cause}; give a file in PEM form that is not encrypted")]
    File {
        flag: &'static str,
        path: String,
        cause: String,
    },
    /// The client's certificate and key do not belong together, or their kind is not supported.
    #[error("--cert: {0}; give a certificate and the key that was made with it")]
    Identity(String),
    /// The system has no usable root certificates.
    #[error("the system's certificates cannot be used: {0}; name some with --cacert")]
    Roots(String),
    /// The host cannot stand in a certificate.
    #[error("URL: `{0}` is no name that a certificate could have; use a DNS name or an address")]
    Name(String),
}

/// Makes handshakes for one target. Clones share the sessions for resumption.
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
    name: ServerName<'static>,
    /// Whether a server has asked for a client certificate.
    asked: Arc<AtomicBool>,
    /// Whether there is a client certificate.
    has_identity: bool,
    http2: bool,
}

impl TlsClient {
    /// The client for a host as certificates name it, and for one version of HTTP.
    ///
    /// # Errors
    /// [`TlsError`] with the flag and the cure.
    pub fn new(spec: &TlsOptions, host: &str, http2: bool) -> Result<TlsClient, TlsError> {
        // A trailing dot is for the resolver only; certificates omit it (RFC 6066 section 3).
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned());
        let name = name.map_err(|_| TlsError::Name(host.to_owned()))?;
        let asked = Arc::new(AtomicBool::new(false));
        let mut config = with_identity(with_trust(spec)?, spec, asked.clone())?;
        config.alpn_protocols = vec![protocol(http2).to_vec()];
        config.resumption = if spec.no_resumption {
            Resumption::disabled()
        } else {
            Resumption::in_memory_sessions(SERVERS)
        };
        Ok(TlsClient {
            connector: TlsConnector::from(Arc::new(config)),
            name,
            asked,
            has_identity: spec.cert.is_some(),
            http2,
        })
    }

    /// Makes a handshake.
    ///
    /// # Errors
    /// The kernel's error, or one that holds a [`TlsTrouble`].
    pub async fn handshake(&self, socket: Socket) -> io::Result<TlsStream<Socket>> {
        let handshake = self.connector.connect(self.name.clone(), socket);
        let stream = handshake
            .await
            .map_err(|error| match TlsTrouble::without_tls(&error) {
                Some(trouble) => io::Error::new(error.kind(), trouble),
                None => self.explained(error),
            })?;
        let agreed = stream.get_ref().1.alpn_protocol();
        // A server without ALPN speaks HTTP/1.1.
        if self.http2 && agreed != Some(protocol(true)) {
            return Err(io::Error::other(TlsTrouble::NoHttp2));
        }
        Ok(stream)
    }

    /// The host's name or address.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.name.to_str()
    }

    /// Whether there is a client certificate (`--cert`).
    pub fn has_identity(&self) -> bool {
        self.has_identity
    }

    /// Whether a server has asked for a client certificate.
    pub fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The error with a message that names the cure, where TLS is the reason.
    pub fn explained(&self, error: io::Error) -> io::Error {
        let shown = match (self.was_asked(), self.has_identity) {
            (false, _) => Shown::Unasked,
            (true, true) => Shown::Identity,
            (true, false) => Shown::Nothing,
        };
        match TlsTrouble::of(&error, &self.name, shown, self.http2) {
            Some(trouble) => io::Error::new(error.kind(), trouble),
            None => error,
        }
    }
}

/// The ALPN name of an HTTP version (RFC 7301, RFC 9113 section 3.2).
fn protocol(http2: bool) -> &'static [u8] {
    match http2 {
        true => b"h2",
        false => b"http/1.1",
    }
}

impl std::fmt::Debug for TlsClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("TlsClient").field(&self.name).finish()
    }
}

fn with_trust(spec: &TlsOptions) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = match spec.min {
        TlsVersion::V1_2 => &[&version::TLS12, &version::TLS13],
        TlsVersion::V1_3 => &[&version::TLS13],
    };
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder
        .with_protocol_versions(versions)
        .map_err(|error| TlsError::Roots(error.to_string()))?;
    if spec.insecure {
        let verifier = Arc::new(NoVerification(provider));
        return Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(verifier));
    }
    let Some(path) = &spec.ca else {
        return builder
            .with_platform_verifier()
            .map_err(|error| TlsError::Roots(error.to_string()));
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates("--cacert", path)? {
        roots
            .add(certificate)
            .map_err(|error| bad_file("--cacert", path, error.to_string()))?;
    }
    Ok(builder.with_root_certificates(roots))
}

fn with_identity(
    builder: ConfigBuilder<ClientConfig, WantsClientCert>,
    spec: &TlsOptions,
    asked: Arc<AtomicBool>,
) -> Result<ClientConfig, TlsError> {
    let identity = match (&spec.cert, &spec.key) {
        (Some(cert), Some(key)) => Some(Arc::new(identity(cert, key)?)),
        _ => None,
    };
    Ok(builder.with_client_cert_resolver(Arc::new(ClientIdentity { asked, identity })))
}

fn identity(cert: &Path, key: &Path) -> Result<CertifiedKey, TlsError> {
    let chain = certificates("--cert", cert)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| bad_pem("--key", key, &error))?;
    CertifiedKey::from_der(chain, key, &ring::default_provider())
        .map_err(|error| TlsError::Identity(error.to_string()))
}

fn certificates(flag: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect);
    let found: Vec<_> = read.map_err(|error| bad_pem(flag, path, &error))?;
    if found.is_empty() {
        return Err(bad_file(
            flag,
            path,
            "there is no certificate in it".to_owned(),
        ));
    }
    Ok(found)
}

fn bad_pem(flag: &'static str, path: &Path, error: &pem::Error) -> TlsError {
    let cause = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "there is nothing of the kind in it".to_owned(),
        pem::Error::MissingSectionEnd { .. } => "it is cut off".to_owned(),
        _ => "it is damaged".to_owned(),
    };
    bad_file(flag, path, cause)
}

fn bad_file(flag: &'static str, path: &Path, cause: String) -> TlsError {
    TlsError::File {
        flag,
        path: path.display().to_string(),
        cause,
    }
}

/// Presents the client certificate, if there is one, and records that a server asked for it.
#[derive(Debug)]
struct ClientIdentity {
    asked: Arc<AtomicBool>,
    identity: Option<Arc<CertifiedKey>>,
}

impl ResolvesClientCert for ClientIdentity {
    fn resolve(&self, _: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        let can_sign =
            |identity: &&Arc<CertifiedKey>| identity.key.choose_scheme(schemes).is_some();
        self.identity.as_ref().filter(can_sign).cloned()
    }

    fn has_certs(&self) -> bool {
        self.identity.is_some()
    }
}

/// Accepts a signature by a certificate that cannot be parsed, such as one of X.509 version 1, because
/// its key is unknown.
fn accept_unparsed(
    checked: Result<HandshakeSignatureValid, rustls::Error>,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    match checked {
        Err(rustls::Error::InvalidCertificate(
            CertificateError::Other(_) | CertificateError::BadEncoding,
        )) => Ok(HandshakeSignatureValid::assertion()),
        checked => checked,
    }
}

/// Accepts any certificate (`--insecure`) but still checks the handshake's signatures.
#[derive(Debug)]
struct NoVerification(Arc<CryptoProvider>);

impl ServerCertVerifier for NoVerification {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        accept_unparsed(verify_tls12_signature(message, cert, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        accept_unparsed(verify_tls13_signature(message, cert, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
