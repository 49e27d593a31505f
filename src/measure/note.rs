//! Notes on a run that its user should know. A note has a code and fields for programs, and a sentence
//! for people.

use super::ErrorKind;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A note on a run. [`fmt::Display`] writes its sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Note {
    /// The first error of a kind, as the operating system or a library reported it.
    FirstError { kind: ErrorKind, cause: String },
    /// Connections went to the endpoint of `--connect-to` instead of the URL's.
    ConnectedTo { endpoint: String },
    /// An address of the target did not answer before the load and was not used.
    AddressNotUsed { address: String, cause: String },
    /// Connections were lost and opened again.
    Reconnects { reconnects: u64, requests: u64 },
    /// The TLS handshake before the load agreed on this version and cipher.
    Tls { agreed: String, verified: bool },
    /// Requests were sent over HTTP/2, with at most this many streams on a connection.
    Http2 { streams: usize },
    /// Headers that HTTP/2 does not have were left out of the requests.
    HeadersLeftOut { headers: Vec<String> },
    /// The server allowed fewer streams on a connection than were asked for.
    FewStreams { allowed: usize, asked: usize },
    /// The server ended HTTP/2 connections or streams.
    Http2Ended {
        goaways: u64,
        resets: u64,
        refused: u64,
    },
    /// `--dns-refresh` found the host at other addresses.
    Moved {
        host: String,
        addresses: Vec<String>,
    },
    /// `--dns-refresh` could not resolve a name.
    NotLookedUp { cause: String },
    /// The operating system refused something to a generator thread.
    System { cause: String },
    /// `--collect auto` found no cluster, so no figures of one were recorded.
    NotCollected {
        /// A stable name of the error for programs; absent in results of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        cause: String,
    },
    /// The collector ended without its figures.
    CollectorFailed {
        /// A stable name of the error for programs; absent in results of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
        cause: String,
    },
    /// A note of an older version, which wrote no codes, or of a newer one whose code is not known here.
    Text { text: String },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::FirstError { kind, cause } => write!(f, "first {} error: {cause}", kind.name()),
            Note::ConnectedTo { endpoint } => {
                write!(f, "connections went to {endpoint} (--connect-to)")
            }
            Note::AddressNotUsed { address, cause } => write!(f, "{address} is not used: {cause}"),
            Note::Reconnects {
                reconnects,
                requests,
            } => write!(
                f,
                "connections were lost and opened again {reconnects} times, for {requests} requests; that is in a latency only where no other connection was free"
            ),
            Note::Tls {
                agreed,
                verified: true,
            } => {
                write!(f, "{agreed}; certificates were verified")
            }
            Note::Tls {
                agreed,
                verified: false,
            } => {
                write!(f, "{agreed}; certificates were not verified (--insecure)")
            }
            Note::Http2 { streams } => write!(
                f,
                "requests were sent over HTTP/2, up to {streams} streams at a time on a connection"
            ),
            Note::HeadersLeftOut { headers } => write!(
                f,
                "HTTP/2 has no header {}: left out of the requests",
                headers.join(", ")
            ),
            Note::FewStreams { allowed, asked } => write!(
                f,
                "the server allowed as few as {allowed} streams on a connection; --streams asked for {asked}"
            ),
            Note::Http2Ended {
                goaways,
                resets,
                refused,
            } => write!(
                f,
                "the server ended {goaways} connections with GOAWAY and reset {resets} streams with RST_STREAM; {refused} requests that it refused without processing them were sent again, which counts in their latency"
            ),
            Note::Moved { host, addresses } => {
                write!(f, "--dns-refresh: {host} moved to {}", addresses.join(", "))
            }
            Note::NotLookedUp { cause } => write!(f, "--dns-refresh: {cause}"),
            Note::NotCollected { cause, .. } => {
                write!(f, "no cluster's figures are collected: {cause}")
            }
            Note::System { cause } | Note::CollectorFailed { cause, .. } => f.write_str(cause),
            Note::Text { text } => f.write_str(text),
        }
    }
}
