//! What a failed handshake means, and what would cure it.

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};
use std::io;

/// Why a server is not spoken to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsTrouble {
    /// Too old, or not yet valid.
    #[error(
        "the server's certificate {0}; renew it, or see this machine's clock (--insecure believes it all the same)"
    )]
    Time(String),
    /// It is another's.
    #[error(
        "the server's certificate is not for {wanted}{}; use the name in it as the URL's host, with --resolve where DNS does not know it",
        but_for(presented)
    )]
    Name {
        /// The URL's host.
        wanted: String,
        /// For whom it is.
        presented: Vec<String>,
    },
    /// Nobody vouches for it.
    #[error(
        "nobody who is trusted has signed the server's certificate; name its issuer with --cacert FILE, or believe it with --insecure"
    )]
    Issuer,
    /// Something else is wrong with it.
    #[error(
        "the server's certificate cannot be believed: {0} (--insecure believes it all the same)"
    )]
    Certificate(String),
    /// It wants to know who asks.
    #[error("the server wants a certificate of the client's; show one with --cert and --key")]
    ClientCertificate,
    /// It does not like who asks.
    #[error("the server refuses the certificate that was shown with --cert ({0})")]
    Refused(String),
    /// It speaks older versions only.
    #[error(
        "the server speaks no version of TLS that is allowed; lower --tls-min if it says 1.3, else update the server"
    )]
    Version,
    /// It wants ciphers, groups or signatures that are not spoken here.
    #[error(
        "the server has no cipher, key exchange or signature in common with this client ({0}); allow it modern ones"
    )]
    NothingInCommon(String),
    /// It shows the certificate of an authority.
    #[error(
        "the server shows a certificate that is an authority's own (CA:TRUE); make one for the server (openssl req -x509 -addext basicConstraints=critical,CA:FALSE), or believe it with --insecure"
    )]
    Authority,
    /// It speaks an older HTTP.
    #[error("the server does not speak HTTP/2 over TLS; leave --http2 out")]
    NoHttp2,
    /// It speaks a newer HTTP only.
    #[error("the server speaks no HTTP/1.1 over TLS; add --http2")]
    NoHttp1,
    /// It speaks something else.
    #[error(
        "this port does not speak TLS; write http:// in place of https://, or use the port that does"
    )]
    Plain,
    /// It says nothing.
    #[error("the server hung up on the TLS handshake; does this port speak TLS?")]
    HungUp,
    /// Anything else.
    #[error("TLS: {0}")]
    Other(String),
}

/// What the client has shown of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nobody has asked for anything.
    Unasked,
    /// A certificate was asked for, and there was none.
    Nothing,
    /// A certificate was asked for and shown.
    Identity,
}

fn but_for(names: &[String]) -> String {
    if names.is_empty() {
        return String::new();
    }
    format!(" but for {}", names.join(", "))
}

impl TlsTrouble {
    /// What only a handshake can fail of: servers of other protocols answer it with nonsense, or hang up
    /// on what is nonsense to them.
    pub fn of_stranger(error: &io::Error) -> Option<TlsTrouble> {
        let inner = error.get_ref();
        match (error.kind(), inner.and_then(|inner| inner.downcast_ref())) {
            (_, Some(Error::InvalidMessage(_))) => Some(TlsTrouble::Plain),
            (io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset, _) => {
                Some(TlsTrouble::HungUp)
            }
            _ => None,
        }
    }

    /// What an error of a TLS stream means; `None` when it is the kernel's alone.
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
        // A bad signature is that of an issuer who is called like one that is trusted.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => TlsTrouble::Issuer,
        other if format!("{other:?}").contains("CaUsedAsEndEntity") => TlsTrouble::Authority,
        other => TlsTrouble::Certificate(other.to_string()),
    }
}

/// A name as people write it: rustls says `DnsName("localhost")`.
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
        // Before TLS 1.3 there was no alert of its own for it.
        (alert, Shown::Nothing) if is_about_us(alert) => TlsTrouble::ClientCertificate,
        (alert, Shown::Identity) if is_about_us(alert) => TlsTrouble::Refused(format!("{alert:?}")),
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

/// Servers that have asked for a certificate say with these what they think of the answer.
fn is_about_us(alert: AlertDescription) -> bool {
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
