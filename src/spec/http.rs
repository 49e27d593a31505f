//! Which HTTP is spoken, and how long a connection is kept.

use super::BadSpec;
use serde::{Deserialize, Serialize};

/// More than any server allows.
const MOST_STREAMS: usize = 1_024;

/// HTTP's version and its use of connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct HttpSpec {
    /// HTTP/2: agreed on in the handshake of `https://`, taken for granted on `http://`.
    pub http2: bool,
    /// Requests that one HTTP/2 connection carries at a time, from 1 to 1024.
    pub streams: usize,
    /// Requests after which a connection is closed and another one opened; none: it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_connection: Option<u64>,
    /// A connection for every request, and a header that says so.
    pub no_keepalive: bool,
}

impl Default for HttpSpec {
    fn default() -> HttpSpec {
        HttpSpec {
            http2: false,
            streams: 1,
            requests_per_connection: None,
            no_keepalive: false,
        }
    }
}

impl HttpSpec {
    /// Requests that a connection carries before it is closed.
    pub fn quota(&self) -> Option<u64> {
        match self.no_keepalive {
            true => Some(1),
            false => self.requests_per_connection,
        }
    }

    /// Checks what no single flag can know; `pipeline` is what HTTP/1.1 has in place of streams.
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
                HttpSpec {
                    streams: 0,
                    ..HttpSpec::default()
                },
                1,
                "--streams: no requests",
            ),
            (
                HttpSpec {
                    streams: 2,
                    ..HttpSpec::default()
                },
                1,
                "add --http2",
            ),
            (
                HttpSpec {
                    streams: 5_000,
                    http2: true,
                    ..HttpSpec::default()
                },
                1,
                "at most 1024",
            ),
            (
                HttpSpec {
                    http2: true,
                    ..HttpSpec::default()
                },
                2,
                "use --streams",
            ),
            (
                HttpSpec {
                    requests_per_connection: Some(0),
                    ..HttpSpec::default()
                },
                1,
                "--requests-per-connection: no requests",
            ),
            (
                HttpSpec {
                    requests_per_connection: Some(9),
                    no_keepalive: true,
                    ..HttpSpec::default()
                },
                1,
                "leave one of them out",
            ),
        ];
        for (http, pipeline, told) in cases {
            let bad = http.validate(pipeline).expect_err(told).to_string();
            assert!(bad.contains(told), "{bad}");
        }
        assert_eq!(HttpSpec::default().validate(8), Ok(()));
    }

    #[test]
    fn without_keep_alive_a_connection_carries_one_request() {
        let http = HttpSpec {
            no_keepalive: true,
            ..HttpSpec::default()
        };
        assert_eq!(http.quota(), Some(1));
        assert_eq!(HttpSpec::default().quota(), None);
    }
}
