//! HTTP/1.1 as bytes: what a batch of requests contains, where responses end, which route a request
//! takes, and what a request is in HTTP/2.
//!
//! Pure. Bytes are understood without a socket; `httparse` reads the heads. Ends where bytes are
//! sent or received: that is `transport`'s and `engine`'s business.

mod chunked;
mod request;
mod response;
mod route;
mod translate;

pub use request::{BadRequest, RequestHead, format_request, requests_in};
pub use response::{BadResponse, Collected, ResponseEnd, ResponseParser};
pub use route::fold_route;
pub use translate::Translator;
