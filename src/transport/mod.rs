//! Connections: name resolution, connecting, TLS, and the streams of HTTP/2.
//!
//! The room deals in bytes. What they mean is the business of `wire`; when they are sent is that of
//! `engine`.

mod addresses;
mod descriptors;
mod dial;
mod http2;
mod probe;
mod probe_addresses;
mod proxy_header;
mod socket;
mod stream;
mod tls;

pub use addresses::{Address, AddressError, Addresses, look_up};
pub use descriptors::{DescriptorError, ensure_descriptors};
pub use dial::{Dialer, Link};
pub use http2::{Http2Link, ReadCounter};
pub use probe_addresses::NOT_IN_THE_CLEAR;
pub use stream::Stream;
pub use tls::{TlsError, speaks_tls};
