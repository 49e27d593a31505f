//! Why a TLS handshake failed, and what would cure it.

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use std::io;

/// Why a handshake failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsTrouble {
    /// The certificate has expired or is not valid yet.
    #[error(
        "the server's certificate {0}; renew it, or see this machine's clock (--insecure believes it all the same)"
    )]
    Time(String),
    /// The certificate is for another name.
    #[error(
        "the server's certificate is not for {wanted}{}; use the name in it as the URL's host, with --resolve where DNS does not know it",
        but_for(presented)
    )]
    Name {
        wanted: String,
        /// The names in the certificate.
        presented: Vec<String>,
    },
    /// The certificate has no trusted issuer.
    #[error(
        "nobody who is trusted has signed the server's certificate; name its issuer with --cacert FILE, or believe it with --insecure"
    )]
    Issuer,
    /// Something else is wrong with the certificate.
    #[error(
        "the server's certificate cannot be believed: {0} (--insecure believes it all the same)"
    )]
    Certificate(String),
    /// The server requires a client certificate.
    #[error("the server wants a certificate of the client's; show one with --cert and --key")]
    ClientCertificate,
    /// The server refuses the client certificate.
    #[error("the server refuses the certificate that was shown with --cert ({0})")]
    Refused(String),
    /// The server speaks older versions of TLS only.
    #[error(
        "the server speaks no version of TLS that is allowed; lower --tls-min if it says 1.3, else update the server"
    )]
    Version,
    /// The server and rustls share no cipher, key exchange or signature scheme.
    #[error(
        "the server has no cipher, key exchange or signature in common with this client ({0}); allow it modern ones"
    )]
    NothingInCommon(String),
    /// The server presents the certificate of a certificate authority.
    #[error(
        "the server shows a certificate that is an authority's own (CA:TRUE); make one for the server (openssl req -x509 -addext basicConstraints=critical,CA:FALSE), or believe it with --insecure"
    )]
    Authority,
    /// The server does not offer HTTP/2 in ALPN.
    #[error("the server does not speak HTTP/2 over TLS; leave --http2 out")]
    NoHttp2,
    /// The server offers only HTTP/2 in ALPN.
    #[error("the server speaks no HTTP/1.1 over TLS; add --http2")]
    NoHttp1,
    /// The port does not speak TLS.
    #[error(
        "this port does not speak TLS; write http:// in place of https://, or use the port that does"
    )]
    Plain,
    /// The server closed the connection during the handshake.
    #[error("the server hung up on the TLS handshake; does this port speak TLS?")]
    HungUp,
    /// Any other error of rustls.
    #[error("TLS: {0}")]
    Other(String),
}

/// Which client certificate was presented in the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The server did not ask for one.
    Unasked,
    /// The server asked for one, and there was none.
    Nothing,
    /// The server asked for one, and it was presented.
    Identity,
}

fn but_for(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(" but for {}", names.join(", "))
}

impl TlsTrouble {
    /// Recognises a server that does not speak TLS: such a server answers a handshake with something
    /// else, or closes the connection.
    pub fn without_tls(error: &io::Error) -> Option<TlsTrouble> {
        let inner = error.get_ref();
        match (error.kind(), inner.and_then(|inner| inner.downcast_ref())) {
            (_, Some(Error::InvalidMessage(_))) => Some(TlsTrouble::Plain),
            (io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset, _) => {
                Some(TlsTrouble::HungUp)
            }
            _ => None,
        }
    }

    /// The meaning of a TLS stream's error; `None` for an error of the kernel.
    pub fn of(
        error: &io::Error,
        wanted: &ServerName<'_>,
        shown: Shown,
        http2: bool,
    ) -> Option<TlsTrouble> {
        let tls = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Error>())?;
        Some(match tls {
            Error::InvalidCertificate(certificate) => of_certificate(certificate, wanted),
            Error::AlertReceived(AlertDescription::NoApplicationProtocol) if http2 => {
                TlsTrouble::NoHttp2
            }
            Error::AlertReceived(AlertDescription::NoApplicationProtocol) => TlsTrouble::NoHttp1,
            Error::AlertReceived(alert) => of_alert(*alert, shown),
            Error::PeerIncompatible(why) if is_about_versions(why) => TlsTrouble::Version,
            Error::PeerIncompatible(why) => TlsTrouble::NothingInCommon(format!("{why:?}")),
            other => TlsTrouble::Other(other.to_string()),
        })
    }
}

fn of_certificate(error: &CertificateError, wanted: &ServerName<'_>) -> TlsTrouble {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            TlsTrouble::Time("has expired".to_owned())
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsTrouble::Time("is not valid yet".to_owned())
        }
        CertificateError::NotValidForName => TlsTrouble::Name {
            wanted: wanted.to_str().into_owned(),
            presented: Vec::new(),
        },
        CertificateError::NotValidForNameContext { presented, .. } => TlsTrouble::Name {
            wanted: wanted.to_str().into_owned(),
            presented: presented.iter().map(|name| bare(name)).collect(),
        },
        // A bad signature comes from an issuer that has the name of a trusted one.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsTrouble::Issuer,
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => TlsTrouble::Authority,
        other => TlsTrouble::Certificate(other.to_string()),
    }
}

/// The bare name: rustls writes `DnsName("localhost")`.
fn bare(name: &str) -> String {
    let inner = name
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'));
    inner.unwrap_or(name).trim_matches('"').to_owned()
}

fn of_alert(alert: AlertDescription, shown: Shown) -> TlsTrouble {
    match (alert, shown) {
        (AlertDescription::CertificateRequired, Shown::Nothing | Shown::Unasked) => {
            TlsTrouble::ClientCertificate
        }
        (AlertDescription::ProtocolVersion, _) => TlsTrouble::Version,
        // TLS versions before 1.3 have no alert for a missing client certificate.
        (alert, Shown::Nothing) if is_about_client(alert) => TlsTrouble::ClientCertificate,
        (alert, Shown::Identity) if is_about_client(alert) => {
            TlsTrouble::Refused(format!("{alert:?}"))
        }
        (AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity, _) => {
            TlsTrouble::NothingInCommon(format!("alert {alert:?}"))
        }
        (other, _) => TlsTrouble::Other(format!("the server sent the alert {other:?}")),
    }
}

fn is_about_versions(why: &PeerIncompatible) -> bool {
    matches!(
        why,
        PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired
    )
}

/// Whether an alert is about the client's certificate, if the server asked for one.
fn is_about_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::HandshakeFailure
            | AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    )
}
