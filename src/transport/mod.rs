//! One connection: resolving names, connecting, TLS, and a byte stream over it.
//!
//! Ends at bytes: what they mean is `wire`'s business, when they are sent is `engine`'s.

mod addresses;
mod descriptors;
mod stream;
mod tls;

pub use addresses::{AddressError, Addresses, resolve};
pub use descriptors::{DescriptorError, ensure_descriptors};
pub use stream::{Stream, connect, secure};
pub use tls::{TlsClient, TlsError, TlsTrouble, is_wont_to_speak_tls, speaks_tls};
