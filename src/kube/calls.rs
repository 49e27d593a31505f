//! Calls to the API server and to kubelets. Each has a deadline and a size limit, at most eight are
//! under way at a time, none is repeated, and all are counted.

use crate::clock::TimeSource;
use crate::measure::{Histogram, coarse};
use crate::resources::ClockOffset;
use crate::units::Nanos;
use http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use kube::Client;
use kube::client::Body;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::future::Future;
use tokio::sync::Semaphore;

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The server answered with an error.
    #[error("{status}{}", if message.is_empty() { String::new() } else { format!(" ({message})") })]
    Status {
        status: u16,
        /// The message in its body.
        message: String,
    },
    /// No answer came within this time.
    #[error("no answer within {0}")]
    Deadline(Nanos),
    /// There was no connection, or it broke.
    #[error("{0}")]
    Connection(String),
    /// The answer is larger than the limit.
    #[error("the answer is larger than {} MiB", SIZE_LIMIT >> 20)]
    TooLarge,
    /// The answer is not what this path gives.
    #[error("the answer cannot be read: {0}")]
    Unreadable(String),
}

impl CallError {
    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            CallError::Status { status: 401, .. } => {
                "the credentials are not accepted or have expired: log in again, or choose another --context"
            }
            CallError::Status { status: 403, .. } => {
                "the account lacks a right: docs/rbac.yaml has the least that is needed"
            }
            CallError::Status { status: 404, .. } => "this cluster does not serve it",
            CallError::Status { status: 429, .. } => {
                "the server asks for patience: use a longer --collect-interval"
            }
            CallError::Status { .. } => "see the server's own log",
            CallError::Deadline(_) | CallError::Connection(_) => {
                "check the address, the network and that the server is up"
            }
            CallError::TooLarge | CallError::Unreadable(_) => {
                "check that the address is that of a Kubernetes API server"
            }
        }
    }

    /// Whether the server refused because the account lacks a right.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, CallError::Status { status: 403, .. })
    }
}

/// The answer to a call.
pub struct Answer {
    pub body: Vec<u8>,
    /// When all of it was here: nanoseconds since 1970, on the collector's clock.
    pub received: Nanos,
    /// What its `Date` header says about the clock of the server that made it.
    pub clock: Option<ClockOffset>,
}

/// Counts of the calls made so far.
#[derive(Debug, Clone)]
pub struct CallCounts {
    /// Calls that have ended.
    pub calls: u64,
    /// Calls without a good answer.
    pub failed: u64,
    /// Bytes of all bodies received.
    pub bytes: u64,
    /// Durations of the calls, in nanoseconds.
    pub times: Histogram,
}

impl Default for CallCounts {
    fn default() -> CallCounts {
        CallCounts {
            calls: 0,
            failed: 0,
            bytes: 0,
            times: coarse(),
        }
    }
}

/// The largest body: fifty pods make 2 MB of cAdvisor's text, a thousand make 40 MB.
const SIZE_LIMIT: usize = 64 << 20;
/// A kubelet answers in some 50 ms; a call that takes this long has failed.
const DEADLINE: Nanos = Nanos::from_secs(5);
const JSON: &str = "application/json";
/// Calls in flight at any time: enough for a window's edge, too few to be a load of its own.
const AT_A_TIME: usize = 8;

/// Makes calls, and counts them.
pub struct Calls {
    clock: TimeSource,
    places: Semaphore,
    counts: RefCell<CallCounts>,
}

impl Calls {
    /// Calls by the time of `clock`; none was made yet.
    pub fn new(clock: TimeSource) -> Calls {
        Calls {
            clock,
            places: Semaphore::new(AT_A_TIME),
            counts: RefCell::default(),
        }
    }

    /// A copy of the counts so far.
    pub fn counts(&self) -> CallCounts {
        self.counts.borrow().clone()
    }

    /// Nanoseconds since 1970, on the collector's clock.
    pub fn now(&self) -> Nanos {
        self.clock.unix()
    }

    /// GETs a path.
    ///
    /// # Errors
    /// [`CallError`]; an answer that is not 2xx is one.
    pub async fn get(&self, client: &Client, path: &str) -> Result<Answer, CallError> {
        self.send(client, Method::GET, path, JSON, Vec::new()).await
    }

    /// GETs a path and reads its JSON.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn get_json<T: DeserializeOwned>(
        &self,
        client: &Client,
        path: &str,
    ) -> Result<T, CallError> {
        read_json(&self.get(client, path).await?.body)
    }

    /// POSTs JSON to a path and reads the JSON that comes back.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn post_json<T: DeserializeOwned>(
        &self,
        client: &Client,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, CallError> {
        let answer = self.change(client, Method::POST, path, JSON, body).await?;
        read_json(&answer.body)
    }

    /// Sends JSON of this media type to a path, to change something there.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn change(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        media_type: &str,
        body: &serde_json::Value,
    ) -> Result<Answer, CallError> {
        let body = body.to_string().into_bytes();
        self.send(client, method, path, media_type, body).await
    }

    /// Makes a call of any kind in its turn and within the deadline; `size` gives the bytes that its
    /// answer brought.
    ///
    /// # Errors
    /// Those of `call`, or [`CallError::Deadline`].
    pub async fn within_deadline<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
        size: impl Fn(&T) -> usize,
    ) -> Result<T, CallError> {
        // Never closed, so always granted.
        let _place = self.places.acquire().await;
        let began = self.clock.now();
        let outcome = tokio::select! {
            outcome = call => outcome,
            () = self.clock.coarse_wait(began + DEADLINE) => Err(CallError::Deadline(DEADLINE)),
        };
        let mut counts = self.counts.borrow_mut();
        counts.calls += 1;
        // Cannot fail: the histogram grows.
        let _ = counts.times.record((self.clock.now() - began).0);
        match &outcome {
            Ok(answer) => counts.bytes += size(answer) as u64,
            Err(_) => counts.failed += 1,
        }
        outcome
    }

    async fn send(
        &self,
        client: &Client,
        method: Method,
        path: &str,
        media_type: &str,
        body: Vec<u8>,
    ) -> Result<Answer, CallError> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, media_type)
            .body(Body::from(body))
            .map_err(|error| CallError::Unreadable(error.to_string()))?;
        self.within_deadline(self.exchange(client, request), |answer| answer.body.len())
            .await
    }

    async fn exchange(&self, client: &Client, request: Request<Body>) -> Result<Answer, CallError> {
        let sent = self.clock.unix();
        let response = client.send(request).await.map_err(connection_error)?;
        let date = response.headers().get(header::DATE).and_then(http_date);
        let status = response.status();
        let body = Limited::new(response.into_body(), SIZE_LIMIT)
            .collect()
            .await;
        let body = body.map_err(body_error)?.to_bytes().to_vec();
        let received = self.clock.unix();
        if !status.is_success() {
            return Err(refusal(status, &body));
        }
        Ok(Answer {
            body,
            received,
            clock: date.map(|date| ClockOffset::of_date(sent, received, date)),
        })
    }
}

/// Reads the JSON of an answer.
///
/// # Errors
/// [`CallError::Unreadable`].
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::Unreadable(error.to_string()))
}

fn http_date(value: &header::HeaderValue) -> Option<Nanos> {
    let date = jiff::fmt::rfc2822::parse(value.to_str().ok()?).ok()?;
    let nanos = date.timestamp().as_nanosecond();
    u64::try_from(nanos).ok().map(Nanos)
}

fn refusal(status: StatusCode, body: &[u8]) -> CallError {
    #[derive(Deserialize)]
    struct Status {
        message: String,
    }
    let message = match serde_json::from_slice::<Status>(body) {
        Ok(status) => status.message,
        Err(_) => String::from_utf8_lossy(body)
            .trim()
            .chars()
            .take(200)
            .collect(),
    };
    CallError::Status {
        status: status.as_u16(),
        message,
    }
}

/// An error with its whole chain of causes: the outermost says only that something went wrong.
pub fn connection_error(error: kube::Error) -> CallError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    CallError::Connection(text)
}

fn body_error(error: Box<dyn std::error::Error + Send + Sync>) -> CallError {
    if error.is::<LengthLimitError>() {
        CallError::TooLarge
    } else {
        CallError::Connection(format!("the answer broke off: {error}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_their_cure() {
        let status = |status| CallError::Status {
            status,
            message: "no".to_owned(),
        };
        assert!(status(401).cure().contains("log in"));
        assert!(status(403).cure().contains("docs/rbac.yaml"));
        assert!(status(429).cure().contains("--collect-interval"));
        assert!(
            CallError::Deadline(Nanos::from_secs(5))
                .cure()
                .contains("check the address")
        );
    }
}
