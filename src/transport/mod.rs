//! One connection: resolving names, connecting, TLS, and what goes over it: bytes, or HTTP/2's streams.
//!
//! Ends at bytes: what they mean is `wire`'s business, when they are sent is `engine`'s.

mod addresses;
mod descriptors;
mod dial;
mod http2;
mod probe;
mod proxy_header;
mod socket;
mod stream;
mod survey;
mod tls;

pub use addresses::{Address, AddressError, Addresses, look_up};
pub use descriptors::{DescriptorError, ensure_descriptors};
pub use dial::{Dialer, Link};
pub use http2::{Http2Link, Metered};
pub use stream::Stream;
pub use survey::NOT_IN_THE_CLEAR;
pub use tls::{TlsError, speaks_tls};
