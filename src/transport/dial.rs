//! The steps from an address to a connection that requests can go over.

use super::Address;
use super::http2::Http2Link;
use super::proxy_header::proxy_header;
use super::socket::Socket;
use super::stream::Stream;
use super::tls::{TlsClient, TlsError};
use crate::spec::{ProxyProtocol, RunSpec, Target};
use crate::units::Nanos;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream, UnixStream};

/// Time limit of each step, such as the TLS handshake.
const LIMIT: Nanos = Nanos::from_secs(5);
const CONNECTING: &str = "opening a connection";

/// An open connection, by its protocol.
#[derive(Debug)]
pub enum Link {
    /// HTTP/1.1, which the caller writes and parses.
    Bytes(Stream),
    Http2(Box<Http2Link>),
}

/// Opens connections to one target. Clones share TLS sessions.
#[derive(Debug, Clone)]
pub struct Dialer {
    /// Local addresses to connect from, in turn. When empty, the kernel chooses.
    locals: Vec<IpAddr>,
    proxy_protocol: Option<ProxyProtocol>,
    pub(super) tls: Option<TlsClient>,
    pub(super) http2: bool,
}

impl Dialer {
    /// The dialer for a target of a run.
    ///
    /// # Errors
    /// [`TlsError`] when TLS cannot be set up as the flags ask.
    pub fn new(spec: &RunSpec, target: &Target) -> Result<Dialer, TlsError> {
        let http2 = spec.http.http2;
        let tls = match target.is_tls() {
            true => Some(TlsClient::new(&spec.tls, &target.host, http2)?),
            false => None,
        };
        Ok(Dialer {
            locals: spec.reach.local_addresses.clone(),
            proxy_protocol: spec.reach.proxy_protocol,
            tls,
            http2,
        })
    }

    /// Checks that every local address belongs to this machine.
    ///
    /// # Errors
    /// The first address that does not, with the kernel's error.
    pub(super) fn try_locals(&self) -> Result<(), (IpAddr, io::Error)> {
        for local in &self.locals {
            UdpSocket::bind((*local, 0)).map_err(|error| (*local, error))?;
        }
        Ok(())
    }

    /// Whether connections begin with a TLS handshake.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Opens a connection without Nagle's delay and sends the PROXY protocol header, if there is one.
    /// `turn` chooses among the local addresses of the server's family.
    ///
    /// # Errors
    /// The kernel's error, or `TimedOut` after five seconds.
    pub async fn connect(&self, address: &Address, turn: usize) -> io::Result<Socket> {
        let (mut socket, ends) = match address {
            Address::Tcp(address) => {
                let local = self.local(*address, turn)?;
                let stream = within(CONNECTING, connect_from(local, *address)).await?;
                stream.set_nodelay(true)?;
                let ends = (stream.local_addr()?, *address);
                (Socket::Left(stream), Some(ends))
            }
            Address::Unix(path) => {
                let stream = within(CONNECTING, UnixStream::connect(path)).await?;
                (Socket::Right(stream), None)
            }
        };
        if let Some(version) = self.proxy_protocol {
            let proxy_header = proxy_header(version, ends)?;
            within(CONNECTING, socket.write_all(&proxy_header)).await?;
        }
        Ok(socket)
    }

    /// The local address to connect from; `None` lets the kernel choose.
    fn local(&self, address: SocketAddr, turn: usize) -> io::Result<Option<IpAddr>> {
        let is_alike = |local: &&IpAddr| local.is_ipv4() == address.is_ipv4();
        let alike: Vec<_> = self.locals.iter().filter(is_alike).collect();
        match turn.checked_rem(alike.len()) {
            Some(at) => Ok(Some(*alike[at])),
            None if self.locals.is_empty() => Ok(None),
            None => {
                let family = if address.is_ipv4() { "4" } else { "6" };
                Err(io::Error::other(format!(
                    "no --local-address is of IPv{family}; add one"
                )))
            }
        }
    }

    /// Makes the TLS handshake of an https target.
    ///
    /// # Errors
    /// The kernel's error, the reason why the handshake failed, or `TimedOut` after five seconds.
    pub async fn secure(&self, socket: Socket) -> io::Result<Stream> {
        let Some(tls) = &self.tls else {
            return Ok(Stream::Clear(socket));
        };
        let stream = within("the TLS handshake", tls.handshake(socket)).await?;
        Ok(Stream::Tls(Box::new(stream), tls.clone()))
    }

    /// Prepares the connection for requests; with HTTP/2 that exchanges SETTINGS.
    ///
    /// # Errors
    /// The kernel's error, that the server does not speak HTTP/2, or `TimedOut` after five seconds.
    pub async fn begin(&self, stream: Stream) -> io::Result<Link> {
        if !self.http2 {
            return Ok(Link::Bytes(stream));
        }
        let link = within("the beginning of HTTP/2", Http2Link::open(stream)).await?;
        Ok(Link::Http2(Box::new(link)))
    }
}

async fn connect_from(local: Option<IpAddr>, address: SocketAddr) -> io::Result<TcpStream> {
    let Some(local) = local else {
        return TcpStream::connect(address).await;
    };
    let from = |error: io::Error| io::Error::new(error.kind(), format!("from {local}: {error}"));
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // Without this option a local port would be taken for all servers at once.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::new(local, 0)).map_err(from)?;
    socket.connect(address).await
}

async fn within<T>(step: &str, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let outcome = tokio::time::timeout(LIMIT.to_duration(), work).await;
    outcome.unwrap_or_else(|_| {
        let told = format!("{step} took more than {LIMIT}");
        Err(io::Error::new(io::ErrorKind::TimedOut, told))
    })
}
