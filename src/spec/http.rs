//! The options of HTTP: its version, and the number of requests per connection.

use super::BadSpec;
use clap::Args;
use serde::{Deserialize, Serialize};

/// The largest number of streams; servers allow fewer.
const MOST_STREAMS: usize = 1_024;

/// The options of HTTP. They are flags of every command that sends requests, keys of a plan's
/// `[http]`, and a part of run.json.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[command(next_help_heading = "HTTP")]
#[serde(deny_unknown_fields, default)]
pub struct HttpOptions {
    /// Speak HTTP/2: agreed on in the handshake of https://, taken for granted on http://
    #[arg(long)]
    pub http2: bool,
    /// Requests that one HTTP/2 connection carries at a time, from 1 to 1024
    #[arg(long, value_name = "N", default_value_t = HttpOptions::default().streams)]
    pub streams: usize,
    /// Close a connection after so many requests; the next one is opened when a request is due on
    /// it, and on that request's time
    #[arg(long, value_name = "N")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_connection: Option<u64>,
    /// Open a connection for every request
    #[arg(long)]
    pub no_keepalive: bool,
}

impl Default for HttpOptions {
    fn default() -> HttpOptions {
        HttpOptions {
            http2: false,
            streams: 1,
            requests_per_connection: None,
            no_keepalive: false,
        }
    }
}

impl HttpOptions {
    /// Requests that a connection carries before it is closed.
    pub fn quota(&self) -> Option<u64> {
        match self.no_keepalive {
            true => Some(1),
            false => self.requests_per_connection,
        }
    }

    /// Checks that the options can be carried out together; `pipeline` is what HTTP/1.1 has in place of streams.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn validate(&self, pipeline: usize) -> Result<(), BadSpec> {
        let bad = |flag, message: &str, cure: &str| Err(BadSpec::new(flag, message, cure));
        if self.streams == 0 {
            return bad("--streams", "no requests in flight", "use at least 1");
        }
        if self.streams > MOST_STREAMS {
            let message = format!("{} is too many", self.streams);
            return bad(
                "--streams",
                &message,
                &format!("use at most {MOST_STREAMS}"),
            );
        }
        if self.streams > 1 && !self.http2 {
            let cure = "add --http2, or use --pipeline";
            return bad("--streams", "HTTP/1.1 has no streams", cure);
        }
        if pipeline > 1 && self.http2 {
            return bad("--pipeline", "HTTP/2 pipelines nothing", "use --streams");
        }
        if self.requests_per_connection == Some(0) {
            return bad("--requests-per-connection", "no requests", "use at least 1");
        }
        if self.no_keepalive && self.requests_per_connection.is_some() {
            let message =
                "closes after every request, so --requests-per-connection would say nothing";
            return bad("--no-keepalive", message, "leave one of them out");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_contradicts_itself_names_the_flag_and_the_cure() {
        let cases = [
            (
                HttpOptions {
                    streams: 0,
                    ..HttpOptions::default()
                },
                1,
                "--streams: no requests",
            ),
            (
                HttpOptions {
                    streams: 2,
                    ..HttpOptions::default()
                },
                1,
                "add --http2",
            ),
            (
                HttpOptions {
                    streams: 5_000,
                    http2: true,
                    ..HttpOptions::default()
                },
                1,
                "at most 1024",
            ),
            (
                HttpOptions {
                    http2: true,
                    ..HttpOptions::default()
                },
                2,
                "use --streams",
            ),
            (
                HttpOptions {
                    requests_per_connection: Some(0),
                    ..HttpOptions::default()
                },
                1,
                "--requests-per-connection: no requests",
            ),
            (
                HttpOptions {
                    requests_per_connection: Some(9),
                    no_keepalive: true,
                    ..HttpOptions::default()
                },
                1,
                "leave one of them out",
            ),
        ];
        for (http, pipeline, told) in cases {
            let bad = http.validate(pipeline).expect_err(told).to_string();
            assert!(bad.contains(told), "{bad}");
        }
        assert_eq!(HttpOptions::default().validate(8), Ok(()));
    }

    #[test]
    fn without_keep_alive_a_connection_carries_one_request() {
        let http = HttpOptions {
            no_keepalive: true,
            ..HttpOptions::default()
        };
        assert_eq!(http.quota(), Some(1));
        assert_eq!(HttpOptions::default().quota(), None);
    }
}
