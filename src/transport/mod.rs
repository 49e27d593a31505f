//! One connection: resolving names, connecting, TLS, and what goes over it: bytes, or HTTP/2's streams.
//!
//! Ends at bytes: what they mean is `wire`'s business, when they are sent is `engine`'s.

mod addresses;
mod descriptors;
mod dial;
mod http2;
mod introduction;
mod probe;
mod stream;
mod tls;

pub use addresses::{Address, AddressError, Addresses, look_up, resolve};
pub use descriptors::{DescriptorError, ensure_descriptors};
pub use dial::{Dialer, Link};
pub use http2::{Metered, Multiplex};
pub use stream::Stream;
pub use tls::{TlsError, is_wont_to_speak_tls, speaks_tls};
