//! A connected socket of either kind.

use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

/// A TCP connection, or one to a Unix socket.
pub type Socket = Either<TcpStream, UnixStream>;
