//! The steps from an address to a connection that requests can go over.

use super::Address;
use super::http2::Multiplex;
use super::introduction::introduction;
use super::stream::{Socket, Stream};
use super::tls::{TlsClient, TlsError};
use crate::spec::{ProxyProtocol, RunSpec, Target};
use crate::units::Nanos;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream, UnixStream};

/// How long one step may take.
pub(super) const LIMIT: Nanos = Nanos::from_secs(5);

/// A connection, and what is spoken on it.
#[derive(Debug)]
pub enum Link {
    /// HTTP/1.1, whose bytes are the caller's business.
    Bytes(Stream),
    /// HTTP/2.
    Multiplex(Box<Multiplex>),
}

/// Opens connections to one target; workers share it.
#[derive(Debug, Clone)]
pub struct Dialer {
    /// Addresses of this machine to connect from, in turn; none: whichever the kernel takes.
    locals: Vec<IpAddr>,
    proxy_protocol: Option<ProxyProtocol>,
    pub(super) tls: Option<TlsClient>,
    pub(super) http2: bool,
}

impl Dialer {
    /// For a target of a run.
    ///
    /// # Errors
    /// [`TlsError`] when TLS cannot be spoken as asked.
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

    /// Whether connections begin with a TLS handshake.
    pub fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Opens a connection without Nagle's delay, and says who comes where that is wanted. `number`
    /// chooses among the addresses to connect from.
    ///
    /// # Errors
    /// What the kernel says, or `TimedOut` after five seconds.
    pub async fn connect(&self, address: &Address, number: usize) -> io::Result<Socket> {
        let local = number.checked_rem(self.locals.len());
        let local = local.map(|at| self.locals[at]);
        let (mut socket, ends) = match address {
            Address::Tcp(address) => {
                let stream = within(LIMIT, connect_from(local, *address)).await?;
                stream.set_nodelay(true)?;
                let ends = (stream.local_addr()?, *address);
                (Socket::Left(stream), Some(ends))
            }
            Address::Unix(path) => {
                let stream = within(LIMIT, UnixStream::connect(path)).await?;
                (Socket::Right(stream), None)
            }
        };
        if let Some(version) = self.proxy_protocol {
            let introduction = introduction(version, ends)?;
            within(LIMIT, socket.write_all(&introduction)).await?;
        }
        Ok(socket)
    }

    /// Makes the TLS handshake, where there is one.
    ///
    /// # Errors
    /// What the kernel says, what the handshake failed of, or `TimedOut` after five seconds.
    pub async fn secure(&self, socket: Socket) -> io::Result<Stream> {
        let Some(tls) = &self.tls else {
            return Ok(Stream::Clear(socket));
        };
        let stream = within(LIMIT, tls.handshake(socket)).await?;
        Ok(Stream::Tls(Box::new(stream), tls.clone()))
    }

    /// Exchanges what HTTP/2 wants to be exchanged before requests, where it is spoken.
    ///
    /// # Errors
    /// What the kernel says, that the server speaks no HTTP/2, or `TimedOut` after five seconds.
    pub async fn begin(&self, stream: Stream) -> io::Result<Link> {
        if !self.http2 {
            return Ok(Link::Bytes(stream));
        }
        let multiplex = within(LIMIT, Multiplex::open(stream)).await?;
        Ok(Link::Multiplex(Box::new(multiplex)))
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
    socket.bind(SocketAddr::new(local, 0)).map_err(from)?;
    socket.connect(address).await
}

async fn within<T>(limit: Nanos, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let outcome = tokio::time::timeout(limit.to_duration(), work).await;
    outcome.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
