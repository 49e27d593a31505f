//! The flags that say which HTTP is spoken, and how long a connection is kept.

use crate::spec::HttpSpec;
use clap::Args;

#[derive(Debug, Args)]
#[command(next_help_heading = "HTTP")]
pub(super) struct HttpArgs {
    /// Speak HTTP/2: agreed on in the handshake of https://, taken for granted on http://
    #[arg(long)]
    http2: bool,
    /// Requests that one HTTP/2 connection carries at a time
    #[arg(long, value_name = "N", default_value_t = 1)]
    streams: usize,
    /// Close a connection after so many requests; the next one is opened when a request
    /// is due on it, and on that request's time
    #[arg(long, value_name = "N")]
    requests_per_connection: Option<u64>,
    /// Open a connection for every request
    #[arg(long)]
    no_keepalive: bool,
}

impl HttpArgs {
    pub(super) fn into_spec(self) -> HttpSpec {
        HttpSpec {
            http2: self.http2,
            streams: self.streams,
            requests_per_connection: self.requests_per_connection,
            no_keepalive: self.no_keepalive,
        }
    }
}
