//! Bytes of a server.

use meshload::wire::{CollectedReply, ResponseEnd, ResponseParser};

/// What a parser made of a conversation.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    /// Ends of responses, with headers and bodies where they are collected.
    ended: Vec<(ResponseEnd, CollectedReply)>,
    /// Something was no response. Which error it was depends on the pieces: a head that came in
    /// several is only looked at when it is whole.
    is_bad: bool,
    /// What came of the body that was not over.
    rest: Vec<u8>,
    /// Bytes up to the end of the last response.
    used: usize,
}

/// Feeds `bytes` in pieces of these lengths, over and over; bit n of `to_head` says whether response
/// n answers a HEAD request.
fn hear(bytes: &[u8], lengths: &[usize], to_head: u8, collect: bool) -> Heard {
    let mut parser = ResponseParser::new(collect);
    let mut heard = Heard::default();
    let mut at: usize = 0;
    for length in lengths.iter().cycle() {
        if at == bytes.len() {
            break;
        }
        let end = at.saturating_add(*length).min(bytes.len());
        while at < end {
            let is_to_head = to_head >> (heard.ended.len() % 8) & 1 == 1;
            let Ok((eaten, ended)) = parser.feed(&bytes[at..end], is_to_head) else {
                heard.is_bad = true;
                return heard;
            };
            at += eaten;
            match ended {
                Some(ended) => {
                    assert!(eaten > 0, "a response of no bytes");
                    assert!(parser.is_between_responses());
                    heard.ended.push((ended, parser.collected().clone()));
                    heard.used = at;
                }
                None => assert_eq!(at, end, "an unfinished response eats everything"),
            }
        }
    }
    if !parser.is_between_responses() {
        heard.rest = parser.collected().body.clone();
    }
    match parser.close() {
        // Between responses, or after one that only announced another (100, 103).
        Ok(None) => assert!(heard.rest.is_empty()),
        Ok(Some(ended)) => {
            assert!(!ended.keep_alive);
            heard.ended.push((ended, parser.collected().clone()));
            heard.used = at;
            heard.rest.clear();
        }
        Err(_) => heard.is_bad = true,
    }
    heard
}

/// Two lengths of pieces from one byte.
fn lengths(cut: u8) -> [usize; 2] {
    [usize::from(cut & 15) + 1, usize::from(cut >> 4) + 1]
}

/// HTTP/1.1 responses: where the bytes are cut into pieces, and whether they are kept, changes
/// nothing. Bytes: which replies are to HEAD, how to cut, the conversation.
pub fn response(bytes: &[u8]) {
    let [to_head, cut, wire @ ..] = bytes else {
        return;
    };
    let whole = hear(wire, &[usize::MAX], *to_head, true);
    for lengths in [&[1][..], &lengths(*cut)] {
        let mut split = hear(wire, lengths, *to_head, true);
        // A head that is known to be bad at once is known to be bad later, with less or more kept.
        if whole.is_bad {
            split.rest.clone_from(&whole.rest);
        }
        assert_eq!(split, whole, "in pieces of {lengths:?}");
    }
    let uncollected = hear(wire, &[usize::MAX], *to_head, false);
    let ends = |heard: &Heard| heard.ended.iter().map(|one| one.0).collect::<Vec<_>>();
    assert_eq!(ends(&uncollected), ends(&whole));
}

const CHUNKED_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// A chunked body, taken apart in the plainest way.
#[derive(Debug, PartialEq)]
enum Body {
    /// The data, and how many bytes stood for it.
    Over(Vec<u8>, usize),
    /// What there is of it so far.
    Open(Vec<u8>),
    Bad,
}

fn reference(bytes: &[u8]) -> Body {
    let mut data = Vec::new();
    let mut rest = bytes;
    loop {
        // size [extension] CR LF
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let mut size: u64 = 0;
        for digit in &rest[..digits] {
            let digit = (*digit as char).to_digit(16).unwrap_or_default();
            match size.checked_mul(16) {
                Some(shifted) => size = shifted + u64::from(digit),
                None => return Body::Bad,
            }
        }
        rest = &rest[digits..];
        match rest.first() {
            None => return Body::Open(data),
            _ if digits == 0 => return Body::Bad,
            Some(b'\r' | b';' | b' ' | b'\t') => {}
            Some(_) => return Body::Bad,
        }
        let line = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let Some(line) = line else {
            return Body::Open(data);
        };
        match rest[line..] {
            [b'\r', b'\n', ..] => rest = &rest[line + 2..],
            [b'\r'] => return Body::Open(data),
            _ => return Body::Bad,
        }
        if size == 0 {
            break;
        }
        let here = size.min(rest.len() as u64) as usize;
        data.extend_from_slice(&rest[..here]);
        rest = &rest[here..];
        match rest {
            [b'\r', b'\n', after @ ..] => rest = after,
            [] | [b'\r'] => return Body::Open(data),
            _ => return Body::Bad,
        }
    }
    // Trailers, each up to a line feed, and an empty line.
    loop {
        match rest {
            [b'\r', b'\n', after @ ..] => return Body::Over(data, bytes.len() - after.len()),
            [] | [b'\r'] => return Body::Open(data),
            [b'\r' | b'\n', ..] => return Body::Bad,
            _ => {}
        }
        match rest.iter().position(|byte| *byte == b'\n') {
            Some(end) => rest = &rest[end + 1..],
            None => return Body::Open(data),
        }
    }
}

/// The first body after a chunked head, as the parser reads it.
fn body(encoded: &[u8], lengths: &[usize]) -> Body {
    let mut parser = ResponseParser::new(true);
    let head = parser.feed(CHUNKED_HEAD, false);
    assert_eq!(head, Ok((CHUNKED_HEAD.len(), None)));
    let mut at: usize = 0;
    for length in lengths.iter().cycle() {
        let end = at.saturating_add(*length).min(encoded.len());
        match parser.feed(&encoded[at..end], false) {
            Err(_) => return Body::Bad,
            Ok((eaten, Some(_))) => {
                return Body::Over(parser.collected().body.clone(), at + eaten);
            }
            Ok((eaten, None)) => assert_eq!(at + eaten, end),
        }
        at = end;
        if at == encoded.len() {
            break;
        }
    }
    Body::Open(parser.collected().body.clone())
}

/// Chunked bodies: any bytes are read as a plain decoder reads them, and what is written in chunks
/// comes back. Bytes: how to cut, the body.
pub fn chunked(bytes: &[u8]) {
    let [cut, encoded @ ..] = bytes else {
        return;
    };
    let wanted = reference(encoded);
    let lengths = lengths(*cut);
    for lengths in [&[usize::MAX][..], &[1], &lengths] {
        assert_eq!(body(encoded, lengths), wanted, "in pieces of {lengths:?}");
    }

    let data = encoded;
    let mut written = Vec::new();
    for (number, piece) in data.chunks(lengths[0]).enumerate() {
        let extension = if number % 2 == 1 { ";name=\"a b\"" } else { "" };
        written.extend_from_slice(format!("{:x}{extension}\r\n", piece.len()).as_bytes());
        written.extend_from_slice(piece);
        written.extend_from_slice(b"\r\n");
    }
    written.extend_from_slice(b"0\r\nExpires: never\r\n\r\n");
    let wanted = Body::Over(data.to_vec(), written.len());
    assert_eq!(body(&written, &[lengths[1]]), wanted);
    written.extend_from_slice(b"HTTP/1.1");
    assert_eq!(body(&written, &[usize::MAX]), wanted);
}
