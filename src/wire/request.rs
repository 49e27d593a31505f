//! Requests as text: formats the fixed request of the flags, and splits the batches of scripts.

use std::mem::MaybeUninit;

/// Why a text is not a sequence of whole HTTP/1.1 requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    /// The text is empty.
    #[error("the request is empty: return the text that wrk.format() makes")]
    Empty,
    /// The text is not HTTP.
    #[error(
        "the text is not an HTTP/1.1 request ({0}): return what wrk.format() makes, \
         or several of them joined without anything between"
    )]
    Malformed(String),
    /// The text ends within a request.
    #[error("the request ends in the middle of its {0}: the server would wait for the rest")]
    Truncated(&'static str),
    /// There are several requests where one is expected.
    #[error(
        "a batch of {0} requests goes neither over HTTP/2 (have several in flight with --streams) nor over \
         connections for one request each (--no-keepalive): return one"
    )]
    Pipelined(usize),
    /// HTTP/2 cannot carry the request.
    #[error(
        "HTTP/2 cannot carry its Host or target ({0}): give a Host, and percent-encode the target"
    )]
    Untranslatable(String),
}

/// One request of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestHead<'a> {
    pub method: &'a str,
    /// The target as it is written; may be an absolute URL.
    pub target: &'a str,
}

impl RequestHead<'_> {
    /// Whether the response has no body, whatever its head says.
    pub fn is_head(&self) -> bool {
        self.method == "HEAD"
    }
}

/// Most headers of a request; scripts write far fewer.
pub(super) const MAX_HEADERS: usize = 128;

/// The requests in `batch`, one after the other.
pub fn requests_in(batch: &[u8]) -> impl Iterator<Item = Result<RequestHead<'_>, BadRequest>> {
    let mut rest = Some(batch);
    let mut is_first = true;
    std::iter::from_fn(move || {
        let text = rest.take()?;
        if text.is_empty() {
            return is_first.then_some(Err(BadRequest::Empty));
        }
        is_first = false;
        match first_request(text) {
            Ok((head, length)) => {
                rest = Some(&text[length..]);
                Some(Ok(head))
            }
            Err(error) => Some(Err(error)),
        }
    })
}

fn first_request(text: &[u8]) -> Result<(RequestHead<'_>, usize), BadRequest> {
    let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut []);
    let parsed = request
        .parse_with_uninit_headers(text, &mut headers)
        .map_err(|error| BadRequest::Malformed(error.to_string()))?;
    let httparse::Status::Complete(head_length) = parsed else {
        return Err(BadRequest::Truncated("head"));
    };
    let mut body_length = 0;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            body_length = std::str::from_utf8(header.value)
                .ok()
                .and_then(|value| value.trim().parse().ok())
                .ok_or_else(|| BadRequest::Malformed("Content-Length is not a number".into()))?;
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            body_length = chunked_length(&text[head_length..])?;
        }
    }
    let length = head_length
        .checked_add(body_length)
        .filter(|length| *length <= text.len())
        .ok_or(BadRequest::Truncated("body"))?;
    let head = RequestHead {
        method: request.method.unwrap_or_default(),
        target: request.path.unwrap_or_default(),
    };
    Ok((head, length))
}

fn chunked_length(body: &[u8]) -> Result<usize, BadRequest> {
    let mut decoder = super::chunked::ChunkedDecoder::default();
    match decoder.feed(body, &mut |_| {}) {
        Ok(length) if decoder.is_done() => Ok(length),
        Ok(_) => Err(BadRequest::Truncated("chunked body")),
        Err(_) => Err(BadRequest::Malformed("bad chunk".into())),
    }
}

/// The text of a request. `Host` comes first unless `headers` carries one; `Content-Length` is
/// added when there is a body.
pub fn format_request(
    method: &str,
    target: &str,
    host: &str,
    headers: &[(String, String)],
    body: Option<&[u8]>,
) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    let has = |wanted: &str| {
        let mut names = headers.iter().map(|(name, _)| name);
        names.any(|name| name.eq_ignore_ascii_case(wanted))
    };
    if !has("host") {
        text.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body.filter(|_| !has("content-length")) {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    bytes.extend_from_slice(body.unwrap_or_default());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn methods(batch: &[u8]) -> Result<Vec<String>, BadRequest> {
        requests_in(batch)
            .map(|head| head.map(|head| format!("{} {}", head.method, head.target)))
            .collect()
    }

    #[test]
    fn a_pipelined_batch_is_counted_bodies_and_all() {
        let batch = b"GET /a?x=1 HTTP/1.1\r\nHost: h\r\n\r\n\
            POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody\
            POST /c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\
            HEAD http://h/d HTTP/1.1\r\n\r\n";
        assert_eq!(
            methods(batch),
            Ok(["GET /a?x=1", "POST /b", "POST /c", "HEAD http://h/d"]
                .map(String::from)
                .to_vec())
        );
    }

    #[test]
    fn what_is_not_a_whole_request_says_why() {
        assert_eq!(methods(b""), Err(BadRequest::Empty));
        assert_eq!(
            methods(b"GET / HTTP/1.1\r\nHost: h\r\n"),
            Err(BadRequest::Truncated("head"))
        );
        assert_eq!(
            methods(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nbody"),
            Err(BadRequest::Truncated("body"))
        );
        assert!(matches!(
            methods(b"hello\r\n\r\n"),
            Err(BadRequest::Malformed(_))
        ));
        let huge = format!("GET / HTTP/1.1\r\nContent-Length: {}\r\n\r\n", usize::MAX);
        assert_eq!(methods(huge.as_bytes()), Err(BadRequest::Truncated("body")));
    }

    #[test]
    fn the_fixed_request_carries_host_headers_and_length() {
        let headers = [("X-Id".to_owned(), "7".to_owned())];
        assert_eq!(
            format_request("POST", "/p?q=1", "h:5000", &headers, Some(b"ab")),
            b"POST /p?q=1 HTTP/1.1\r\nHost: h:5000\r\nX-Id: 7\r\nContent-Length: 2\r\n\r\nab"
        );
        let headers = [("host".to_owned(), "other".to_owned())];
        assert_eq!(
            format_request("GET", "/", "h", &headers, None),
            b"GET / HTTP/1.1\r\nhost: other\r\n\r\n"
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for head in requests_in(&bytes) {
                let _ = head;
            }
        }
    }
}
