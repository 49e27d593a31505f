//! Translates requests from HTTP/1.1 text to HTTP/2 (RFC 9113 section 8.3).

use super::chunked::ChunkedDecoder;
use super::request::{BadRequest, MAX_HEADERS};
use bytes::Bytes;
use http::header::{HOST, TE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use std::collections::BTreeSet;
use std::mem::MaybeUninit;

/// Headers about the connection, for which HTTP/2 has frames (RFC 9113 section 8.2.2).
const OF_THE_CONNECTION: [&str; 6] = [
    "connection",
    "http2-settings",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// An HTTP/2 request and its body.
type Translated = (Request<()>, Bytes);

/// Translates requests. A text that equals the one before is not parsed again.
#[derive(Debug)]
pub struct Translator {
    scheme: String,
    last: Option<(Vec<u8>, Translated)>,
    left_out: BTreeSet<String>,
}

impl Translator {
    /// A translator for targets of this scheme.
    pub fn new(scheme: &str) -> Translator {
        Translator {
            scheme: scheme.to_owned(),
            last: None,
            left_out: BTreeSet::new(),
        }
    }

    /// Translates one whole request.
    ///
    /// # Errors
    /// [`BadRequest`] when the text is not a request, or when HTTP/2 cannot carry it.
    pub fn translate(&mut self, text: &[u8]) -> Result<Translated, BadRequest> {
        if let Some((_, translated)) = self.last.as_ref().filter(|(known, _)| known == text) {
            return Ok(translated.clone());
        }
        let translated = self.read(text)?;
        self.last = Some((text.to_vec(), translated.clone()));
        Ok(translated)
    }

    /// Names of the headers that were left out so far, because HTTP/2 does not have them.
    pub fn left_out(&self) -> impl Iterator<Item = &str> {
        self.left_out.iter().map(String::as_str)
    }

    fn read(&mut self, text: &[u8]) -> Result<Translated, BadRequest> {
        let bad = |why: String| BadRequest::Malformed(why);
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut head = httparse::Request::new(&mut []);
        let parsed = head.parse_with_uninit_headers(text, &mut headers);
        let length = match parsed.map_err(|error| bad(error.to_string()))? {
            httparse::Status::Complete(length) => length,
            httparse::Status::Partial => return Err(BadRequest::Truncated("head")),
        };
        let mut fields = HeaderMap::with_capacity(head.headers.len());
        let mut is_chunked = false;
        for header in head.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes());
            let name = name.map_err(|error| bad(error.to_string()))?;
            if self.is_left_out(&name, header.value) {
                is_chunked |= name == http::header::TRANSFER_ENCODING;
                continue;
            }
            let value = HeaderValue::from_bytes(header.value);
            fields.append(name, value.map_err(|error| bad(error.to_string()))?);
        }
        let authority = fields.remove(HOST);
        let no_host = || BadRequest::Untranslatable("it has no Host".to_owned());
        let authority = authority.ok_or_else(no_host)?;
        let uri = self.uri(head.path.unwrap_or("/"), authority.as_bytes())?;
        let method = Method::from_bytes(head.method.unwrap_or_default().as_bytes());
        let mut request = Request::new(());
        *request.method_mut() = method.map_err(|error| bad(error.to_string()))?;
        *request.uri_mut() = uri;
        *request.headers_mut() = fields;
        Ok((request, body(&text[length..], is_chunked)?))
    }

    fn is_left_out(&mut self, name: &HeaderName, value: &[u8]) -> bool {
        let is_of_the_connection = OF_THE_CONNECTION.contains(&name.as_str())
            || (name == TE && !value.eq_ignore_ascii_case(b"trailers"));
        if is_of_the_connection {
            self.left_out.insert(name.as_str().to_owned());
        }
        is_of_the_connection
    }

    /// Authority and path of the request, whose target may be an absolute URL.
    fn uri(&self, target: &str, authority: &[u8]) -> Result<Uri, BadRequest> {
        let bad = |error: http::Error| BadRequest::Untranslatable(error.to_string());
        let target: Uri = target
            .parse()
            .map_err(|error: http::uri::InvalidUri| bad(error.into()))?;
        let path = target.path_and_query().map_or("/", |path| path.as_str());
        Uri::builder()
            .scheme(self.scheme.as_str())
            .authority(authority)
            .path_and_query(path)
            .build()
            .map_err(bad)
    }
}

fn body(text: &[u8], is_chunked: bool) -> Result<Bytes, BadRequest> {
    if !is_chunked {
        return Ok(Bytes::copy_from_slice(text));
    }
    let mut body = Vec::new();
    let mut decoder = ChunkedDecoder::default();
    decoder
        .feed(text, &mut |piece| body.extend_from_slice(piece))
        .map_err(|_| BadRequest::Malformed("bad chunk".to_owned()))?;
    Ok(body.into())
}

/// Whether bytes are the beginning of a server's HTTP/2: a SETTINGS frame on stream 0 (RFC 9113
/// section 3.4).
pub(super) fn is_http2(reply: &[u8]) -> bool {
    matches!(reply, [0, 0, _, 4, 0, 0, 0, 0, 0, ..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn translated(text: &str) -> (Request<()>, Bytes) {
        let mut translator = Translator::new("https");
        translator.translate(text.as_bytes()).expect("a request")
    }

    #[test]
    fn head_and_body_keep_their_meaning() {
        let text = "POST /p?q=1 HTTP/1.1\r\nHost: h:8443\r\nX-Id: 7\r\nx-id: 8\r\nContent-Length: 4\r\n\r\nbody";
        let (request, body) = translated(text);
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.uri(), "https://h:8443/p?q=1");
        let ids: Vec<_> = request.headers().get_all("x-id").iter().collect();
        assert_eq!(ids, ["7", "8"]);
        assert_eq!(
            request.headers().get("content-length").expect("a length"),
            "4"
        );
        assert_eq!(request.headers().get(HOST), None, "it is the authority");
        assert_eq!(body, "body");
    }

    #[test]
    fn a_target_that_is_a_url_gives_its_path() {
        let (request, _) = translated("GET http://other/a?b HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(request.uri(), "https://h/a?b");
    }

    #[test]
    fn headers_of_the_connection_are_left_out_and_named() {
        let mut translator = Translator::new("http");
        let text = "POST / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nTE: gzip\r\nKeep-Alive: 5\r\n\
                    Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
        let (request, body) = translator.translate(text.as_bytes()).expect("a request");
        assert!(request.headers().is_empty(), "{:?}", request.headers());
        assert_eq!(body, "hi");
        let names: Vec<_> = translator.left_out().collect();
        assert_eq!(
            names,
            ["connection", "keep-alive", "te", "transfer-encoding"]
        );
        let (request, _) = translated("GET / HTTP/1.1\r\nHost: h\r\nTE: trailers\r\n\r\n");
        assert_eq!(request.headers().get(TE).expect("allowed"), "trailers");
    }

    #[test]
    fn the_same_text_again_is_the_same_request_and_another_is_not() {
        let mut translator = Translator::new("http");
        for path in ["/a", "/a", "/b", "/a"] {
            let text = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
            let (request, _) = translator.translate(text.as_bytes()).expect("a request");
            assert_eq!(request.uri().path(), path);
        }
    }

    #[test]
    fn what_cannot_be_said_in_http2_says_why() {
        let mut translator = Translator::new("http");
        for (text, why) in [
            ("GET / HTTP/1.1\r\n\r\n", "no Host"),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "Host or target"),
            ("GET / HTTP/1.1\r\nHost: h\r\n", "head"),
        ] {
            let bad = translator.translate(text.as_bytes()).expect_err(text);
            assert!(bad.to_string().contains(why), "{bad}");
        }
    }

    #[test]
    fn a_servers_settings_are_known_by_their_look() {
        assert!(is_http2(&[0, 0, 18, 4, 0, 0, 0, 0, 0, 0, 3]));
        assert!(!is_http2(b"HTTP/1.1 200 OK"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Translator::new("http").translate(&bytes);
        }
    }
}
