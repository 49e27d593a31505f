//! HTTP/1.1 as bytes: what a batch of requests contains, where responses end, which route a request takes.
//!
//! Pure. Bytes are understood without a socket; `httparse` reads the heads. Ends where bytes are
//! sent or received: that is `transport`'s and `engine`'s business.

mod chunked;
mod request;
mod response;
mod route;

pub use request::{BadRequest, RequestHead, format_request, requests_in};
pub use response::{BadResponse, Collected, ResponseEnd, ResponseParser};
pub use route::fold_route;
