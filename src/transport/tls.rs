//! TLS over a connection: whom to trust, what to show, and what a failed handshake means.

mod hello;
mod trouble;

pub use hello::{is_tls_port, speaks_tls};
pub use trouble::TlsTrouble;

use super::socket::Socket;
use crate::spec::{TlsSpec, TlsVersion};
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

/// Servers whose sessions are remembered; of each, rustls keeps up to eight tickets of TLS 1.3 and one
/// session of TLS 1.2, which all connections share.
const SERVERS: usize = 8;

/// Why no handshake could even be tried.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be used.
    #[error("{flag}: {path}: {cause}; give a file in PEM form that is not encrypted")]
    File {
        /// The flag.
        flag: &'static str,
        /// The file.
        path: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The certificate and the key do not belong together, or are of a kind that nobody speaks.
    #[error("--cert: {0}; give a certificate and the key that was made with it")]
    Identity(String),
    /// The system has no certificates to trust.
    #[error("the system's certificates cannot be used: {0}; name some with --cacert")]
    Roots(String),
    /// TLS needs a name or an address.
    #[error("URL: `{0}` is no name that a certificate could have; use a DNS name or an address")]
    Name(String),
}

/// Makes handshakes for one target; workers share it and the tickets of earlier sessions.
#[derive(Clone)]
pub struct TlsClient {
    connector: TlsConnector,
    name: ServerName<'static>,
    /// The server has asked for a certificate of the client's, and there was none.
    asked: Arc<AtomicBool>,
    /// There is a certificate to show.
    has_identity: bool,
    http2: bool,
}

impl TlsClient {
    /// For a host by its name, as certificates know it, and for one version of HTTP.
    ///
    /// # Errors
    /// [`TlsError`] with the flag and the cure.
    pub fn new(spec: &TlsSpec, host: &str, http2: bool) -> Result<TlsClient, TlsError> {
        // A name's last dot is the resolver's; certificates know nothing of it (RFC 6066 section 3).
        let name = ServerName::try_from(host.trim_end_matches('.').to_owned());
        let name = name.map_err(|_| TlsError::Name(host.to_owned()))?;
        let asked = Arc::new(AtomicBool::new(false));
        let mut config = with_identity(trusting(spec)?, spec, asked.clone())?;
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
    /// What the kernel says, or a [`TlsTrouble`] inside of the error.
    pub async fn handshake(&self, socket: Socket) -> io::Result<TlsStream<Socket>> {
        let handshake = self.connector.connect(self.name.clone(), socket);
        let stream = handshake
            .await
            .map_err(|error| match TlsTrouble::of_stranger(&error) {
                Some(trouble) => io::Error::new(error.kind(), trouble),
                None => self.explained(error),
            })?;
        let agreed = stream.get_ref().1.alpn_protocol();
        // Who knows nothing of such agreements speaks HTTP/1.1.
        if self.http2 && agreed != Some(protocol(true)) {
            return Err(io::Error::other(TlsTrouble::NoHttp2));
        }
        Ok(stream)
    }

    /// The host's name or address.
    pub fn name(&self) -> std::borrow::Cow<'_, str> {
        self.name.to_str()
    }

    /// Whether there is a certificate to show.
    pub fn has_identity(&self) -> bool {
        self.has_identity
    }

    /// Whether a server has asked for a certificate of the client's.
    pub fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// An error of the connection in words that name the cure, where TLS is the reason.
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

/// What HTTP's versions are called in a handshake (RFC 7301, RFC 9113 section 3.2).
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

fn trusting(spec: &TlsSpec) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, TlsError> {
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
        let nobody = Arc::new(NoVerification(provider));
        return Ok(builder.dangerous().with_custom_certificate_verifier(nobody));
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
    spec: &TlsSpec,
    asked: Arc<AtomicBool>,
) -> Result<ClientConfig, TlsError> {
    let identity = match (&spec.cert, &spec.key) {
        (Some(cert), Some(key)) => Some(Arc::new(identity(cert, key)?)),
        _ => None,
    };
    Ok(builder.with_client_cert_resolver(Arc::new(WhoAsks { asked, identity })))
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

/// Shows a certificate, where there is one, and remembers that one was asked for.
#[derive(Debug)]
struct WhoAsks {
    asked: Arc<AtomicBool>,
    identity: Option<Arc<CertifiedKey>>,
}

impl ResolvesClientCert for WhoAsks {
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

/// A certificate that cannot be read, such as one of X.509's version 1, has no key that a signature
/// could be checked with.
fn believe_unread(
    checked: Result<HandshakeSignatureValid, rustls::Error>,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    match checked {
        Err(rustls::Error::InvalidCertificate(
            CertificateError::Other(_) | CertificateError::BadEncoding,
        )) => Ok(HandshakeSignatureValid::assertion()),
        checked => checked,
    }
}

/// Believes whoever answers (`--insecure`), but not that a signature is right which is not.
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
        believe_unread(verify_tls12_signature(message, cert, signature, algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        believe_unread(verify_tls13_signature(message, cert, signature, algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
