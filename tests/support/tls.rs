//! Certificates of the test's own, and a server that speaks TLS in front of another.

use rcgen::{CertificateParams, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, version};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// An issuer and what it has signed, as PEM files in a folder.
pub struct Pki {
    home: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Pki {
    /// A new issuer, which is in ca.pem.
    pub fn new() -> Pki {
        let home = tempfile::tempdir().expect("a folder");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "an issuer of a test");
        let cert = params.self_signed(&key).expect("a certificate");
        std::fs::write(home.path().join("ca.pem"), cert.pem()).expect("written");
        Pki {
            issuer: Issuer::new(params, key),
            home,
        }
    }

    /// The issuer's own certificate.
    pub fn ca(&self) -> PathBuf {
        self.home.path().join("ca.pem")
    }

    /// A certificate for these names, or addresses, and its key.
    pub fn identity(&self, name: &str, names: &[&str]) -> Identity {
        self.signed(name, names, |_| {})
    }

    /// One that is no longer valid.
    pub fn expired(&self, names: &[&str]) -> Identity {
        self.signed("expired", names, |params| {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        })
    }

    fn signed(
        &self,
        name: &str,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("parameters");
        change(&mut params);
        let key = KeyPair::generate().expect("a key");
        let cert = params.signed_by(&key, &self.issuer).expect("a certificate");
        let place = |ending: &str| self.home.path().join(format!("{name}.{ending}"));
        let identity = Identity {
            cert: place("pem"),
            key: place("key"),
        };
        std::fs::write(&identity.cert, cert.pem()).expect("written");
        std::fs::write(&identity.key, key.serialize_pem()).expect("written");
        identity
    }
}

/// What a front asks of its clients.
#[derive(Default)]
pub struct Front<'a> {
    /// Clients must show a certificate of this issuer.
    pub wants: Option<&'a Path>,
    /// Nothing newer than TLS 1.2.
    pub is_old: bool,
    /// What it speaks inside, where it says so.
    pub protocols: Vec<String>,
}

/// A server that speaks TLS and hands everything on; ends with the test's process.
pub struct TlsFront {
    pub port: u16,
    handshakes: Arc<AtomicU64>,
    resumed: Arc<AtomicU64>,
}

impl TlsFront {
    /// In front of a server at this address.
    pub fn start(identity: &Identity, front: &Front<'_>, behind: SocketAddr) -> TlsFront {
        let acceptor = TlsAcceptor::from(Arc::new(config(identity, front)));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (handshakes, resumed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let counts = (handshakes.clone(), resumed.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(serve(listener, acceptor, behind, counts));
        });
        TlsFront {
            port,
            handshakes,
            resumed,
        }
    }

    /// Handshakes that were made, and those of them that took up an earlier session.
    pub fn handshakes(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (read(&self.handshakes), read(&self.resumed))
    }
}

fn config(identity: &Identity, front: &Front<'_>) -> ServerConfig {
    let read = CertificateDer::pem_file_iter(&identity.cert).expect("certificates");
    let chain = read.map(|one| one.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_file(&identity.key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions: &[&rustls::SupportedProtocolVersion] = if front.is_old {
        &[&version::TLS12]
    } else {
        &[&version::TLS12, &version::TLS13]
    };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .expect("versions");
    let builder = match front.wants {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            let ca = CertificateDer::from_pem_file(ca).expect("a certificate");
            roots.add(ca).expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        }
    };
    let mut config = builder.with_single_cert(chain, key).expect("an identity");
    let protocols = front.protocols.iter().map(|one| one.clone().into_bytes());
    config.alpn_protocols = protocols.collect();
    config
}

async fn serve(
    listener: std::net::TcpListener,
    acceptor: TlsAcceptor,
    behind: SocketAddr,
    (handshakes, resumed): (Arc<AtomicU64>, Arc<AtomicU64>),
) {
    listener.set_nonblocking(true).expect("non-blocking");
    let listener = TcpListener::from_std(listener).expect("a listener");
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, handshakes, resumed) =
            (acceptor.clone(), handshakes.clone(), resumed.clone());
        tokio::spawn(async move {
            // A client that goes away, or is refused, is no failure of a test's.
            let _ = stream.set_nodelay(true);
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            handshakes.fetch_add(1, Ordering::SeqCst);
            let kind = stream.get_ref().1.handshake_kind();
            let is_resumed = kind == Some(rustls::HandshakeKind::Resumed);
            resumed.fetch_add(u64::from(is_resumed), Ordering::SeqCst);
            if let Ok(mut behind) = TcpStream::connect(behind).await {
                let _ = behind.set_nodelay(true);
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut behind).await;
            }
        });
    }
}
