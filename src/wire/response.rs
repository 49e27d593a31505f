//! A parser that finds the ends of responses in bytes that arrive in pieces of any size.
//!
//! Bodies are kept only for scripts that want them, so a long response costs no memory. An incomplete
//! head is stashed until the rest arrives.

use super::chunked::ChunkedDecoder;
use super::translate::is_http2;
use std::mem::MaybeUninit;

/// The longest head that is accepted, in bytes.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 256;

/// Why bytes are not a response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadResponse {
    /// The head is not HTTP/1.
    #[error("the reply is not HTTP/1: {0}")]
    Malformed(String),
    /// The bytes are HTTP/2.
    #[error("the reply is HTTP/2; add --http2")]
    Http2,
    /// The head is longer than the parser accepts.
    #[error("the reply's head exceeds 64 KiB")]
    HeadTooLong,
    /// The framing headers contradict each other.
    #[error("the reply's {0} cannot be understood")]
    Framing(&'static str),
    /// The connection ended within the response.
    #[error("the connection was closed in the middle of a reply")]
    Truncated,
}

/// The end of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseEnd {
    pub status: u16,
    /// Whether another request may follow on the connection.
    pub keep_alive: bool,
}

/// Headers and body of a response, for scripts with a `response()`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CollectedReply {
    /// Header names and values as received, in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, without its transfer encoding.
    pub body: Vec<u8>,
}

#[derive(Debug, Clone, Default)]
enum Body {
    /// Between responses, or within a head.
    #[default]
    Head,
    Length(u64),
    Chunked(ChunkedDecoder),
    UntilClose,
}

/// Finds the ends of the responses on one connection.
#[derive(Debug, Clone, Default)]
pub struct ResponseParser {
    body: Body,
    end: Option<ResponseEnd>,
    partial_head: Vec<u8>,
    collect: bool,
    collected: CollectedReply,
}

impl ResponseParser {
    /// A parser at the start of a response. With `collect` it keeps headers and bodies.
    pub fn new(collect: bool) -> ResponseParser {
        ResponseParser {
            collect,
            ..ResponseParser::default()
        }
    }

    /// Whether no byte of a response has been seen since the last one ended. Only a fuzz
    /// target calls it, which checks the state of the parser after every response.
    pub fn is_between_responses(&self) -> bool {
        matches!(self.body, Body::Head) && self.partial_head.is_empty()
    }

    /// Headers and body of the response that has just ended.
    pub fn collected(&self) -> &CollectedReply {
        &self.collected
    }

    /// Consumes bytes up to the end of one response. Returns how many were consumed and, when the
    /// response is complete, its end. `to_head`: the response answers a HEAD request.
    ///
    /// # Errors
    /// [`BadResponse`]; the connection is then of no further use.
    pub fn feed(
        &mut self,
        input: &[u8],
        to_head: bool,
    ) -> Result<(usize, Option<ResponseEnd>), BadResponse> {
        let mut at = 0;
        if let Body::Head = self.body {
            match self.feed_head(input, to_head)? {
                Some(eaten) => at = eaten,
                None => return Ok((input.len(), None)),
            }
        }
        let (eaten, over) = self.feed_body(&input[at..])?;
        Ok((at + eaten, if over { self.finish() } else { None }))
    }

    /// Tells the parser that the connection was closed. Returns the end of a response whose body lasts
    /// until the close; `None` between responses.
    ///
    /// # Errors
    /// [`BadResponse::Truncated`] inside a response.
    pub fn close(&mut self) -> Result<Option<ResponseEnd>, BadResponse> {
        match self.body {
            Body::UntilClose => Ok(self.finish()),
            Body::Head if self.partial_head.is_empty() => Ok(None),
            _ => Err(BadResponse::Truncated),
        }
    }

    fn finish(&mut self) -> Option<ResponseEnd> {
        self.body = Body::Head;
        self.end.take()
    }

    /// Consumes a head and informational ones before it. `None`: the head is incomplete, and all bytes
    /// are consumed.
    fn feed_head(&mut self, input: &[u8], to_head: bool) -> Result<Option<usize>, BadResponse> {
        if self.partial_head.is_empty() {
            return match self.parse_heads(input, to_head)? {
                (eaten, true) => Ok(Some(eaten)),
                (eaten, false) => {
                    self.partial_head.extend_from_slice(&input[eaten..]);
                    self.check_head_length()
                }
            };
        }
        // The head is parsed again only when the blank line has arrived; otherwise a head that arrives
        // byte by byte would cost the square of its length.
        let before = self.partial_head.len();
        let searched_from = before.saturating_sub(3);
        self.partial_head.extend_from_slice(input);
        if !ends_a_head(&self.partial_head[searched_from..]) {
            return self.check_head_length();
        }
        let head = std::mem::take(&mut self.partial_head);
        let (eaten, complete) = self.parse_heads(&head, to_head)?;
        if complete {
            // The stash holds no complete head, so the end lies in the new bytes.
            return Ok(Some(eaten.saturating_sub(before)));
        }
        self.partial_head.extend_from_slice(&head[eaten..]);
        self.check_head_length()
    }

    fn check_head_length(&self) -> Result<Option<usize>, BadResponse> {
        if self.partial_head.len() > MAX_HEAD {
            return Err(BadResponse::HeadTooLong);
        }
        Ok(None)
    }

    /// Parses heads until one is final. Returns the bytes used and whether a final one was found.
    fn parse_heads(&mut self, bytes: &[u8], to_head: bool) -> Result<(usize, bool), BadResponse> {
        let mut at = 0;
        loop {
            let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
            let mut response = httparse::Response::new(&mut []);
            let parsed = httparse::ParserConfig::default()
                .parse_response_with_uninit_headers(&mut response, &bytes[at..], &mut headers)
                .map_err(|error| match is_http2(&bytes[at..]) {
                    true => BadResponse::Http2,
                    false => BadResponse::Malformed(error.to_string()),
                })?;
            let httparse::Status::Complete(length) = parsed else {
                return Ok((at, false));
            };
            if length > MAX_HEAD {
                return Err(BadResponse::HeadTooLong);
            }
            at += length;
            let status = response.code.unwrap_or_default();
            // 100 Continue and 103 Early Hints announce the real head; 101 ends HTTP altogether.
            if (100..200).contains(&status) && status != 101 {
                continue;
            }
            self.begin_body(&response, to_head)?;
            return Ok((at, true));
        }
    }

    fn begin_body(
        &mut self,
        response: &httparse::Response<'_, '_>,
        to_head: bool,
    ) -> Result<(), BadResponse> {
        let status = response.code.unwrap_or_default();
        if status == 101 {
            return Err(BadResponse::Framing("switch to another protocol"));
        }
        let framing = Framing::of(response.headers)?;
        let mut keep_alive = match response.version {
            Some(0) => framing.keep_alive,
            _ => !framing.close,
        };
        let has_no_body = to_head || status == 204 || status == 304;
        self.body = match framing {
            _ if has_no_body => Body::Length(0),
            Framing { chunked: true, .. } => Body::Chunked(ChunkedDecoder::default()),
            Framing {
                length: Some(length),
                ..
            } => Body::Length(length),
            _ => {
                keep_alive = false;
                Body::UntilClose
            }
        };
        self.end = Some(ResponseEnd { status, keep_alive });
        if self.collect {
            self.collected.body.clear();
            self.collected.headers.clear();
            let headers = response.headers.iter();
            let owned = headers.map(|header| (header.name.to_owned(), header.value.to_vec()));
            self.collected.headers.extend(owned);
        }
        Ok(())
    }

    /// Consumes body bytes. Returns how many, and whether the body is complete.
    fn feed_body(&mut self, input: &[u8]) -> Result<(usize, bool), BadResponse> {
        let collected = &mut self.collected.body;
        let collect = self.collect;
        let mut keep = |piece: &[u8]| {
            if collect {
                collected.extend_from_slice(piece);
            }
        };
        match &mut self.body {
            Body::Head => Ok((0, false)),
            Body::Length(left) => {
                let here = (*left).min(input.len() as u64) as usize;
                keep(&input[..here]);
                *left -= here as u64;
                Ok((here, *left == 0))
            }
            Body::Chunked(decoder) => {
                let eaten = decoder
                    .feed(input, &mut keep)
                    .map_err(|_| BadResponse::Framing("chunked body"))?;
                Ok((eaten, decoder.is_done()))
            }
            Body::UntilClose => {
                keep(input);
                Ok((input.len(), false))
            }
        }
    }
}

fn ends_a_head(bytes: &[u8]) -> bool {
    // httparse accepts bare line feeds, so they end a head as well.
    bytes.windows(2).any(|pair| pair == b"\n\n") || bytes.windows(3).any(|three| three == b"\n\r\n")
}

/// The framing of the body and the fate of the connection, according to the headers.
#[derive(Debug, Clone, Copy, Default)]
struct Framing {
    length: Option<u64>,
    chunked: bool,
    close: bool,
    keep_alive: bool,
}

impl Framing {
    fn of(headers: &[httparse::Header<'_>]) -> Result<Framing, BadResponse> {
        let mut framing = Framing::default();
        for header in headers {
            // The length is compared first, because most headers are none of these three.
            match header.name.len() {
                14 if header.name.eq_ignore_ascii_case("content-length") => {
                    let length =
                        number(header.value).ok_or(BadResponse::Framing("Content-Length"))?;
                    if framing.length.is_some_and(|former| former != length) {
                        return Err(BadResponse::Framing("Content-Length, given twice,"));
                    }
                    framing.length = Some(length);
                }
                17 if header.name.eq_ignore_ascii_case("transfer-encoding") => {
                    framing.chunked = has_token(header.value, "chunked");
                }
                10 if header.name.eq_ignore_ascii_case("connection") => {
                    framing.close |= has_token(header.value, "close");
                    framing.keep_alive |= has_token(header.value, "keep-alive");
                }
                _ => {}
            }
        }
        Ok(framing)
    }
}

fn number(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?.trim();
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| all_digits)
}

fn has_token(value: &[u8], token: &str) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|part| part.trim_ascii().eq_ignore_ascii_case(token.as_bytes()))
}

#[cfg(test)]
mod tests;
