//! HTTP/1.1 as bytes: what a batch of requests contains, where responses end, which route a request
//! takes, and what a request is in HTTP/2.
//!
//! The room is pure and needs no socket; `httparse` reads the heads. Sending and receiving is the
//! business of `transport` and `engine`.

mod chunked;
mod request;
mod response;
mod route;
mod translate;

pub use request::{BadRequest, RequestHead, format_request, requests_in};
pub use response::{BadResponse, CollectedReply, ResponseEnd, ResponseParser};
pub use route::fold_route;
pub use translate::Translator;
