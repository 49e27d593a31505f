//! Bytes in, ends of responses out; no sockets.

use super::*;
use proptest::prelude::*;

/// Feeds `pieces` one after the other and gives the status of each response that ended, with its body.
fn read(pieces: &[&[u8]], to_head: bool) -> Result<Vec<(u16, bool, Vec<u8>)>, BadResponse> {
    let mut parser = ResponseParser::new(true);
    let mut responses = Vec::new();
    for piece in pieces {
        let mut rest = *piece;
        while !rest.is_empty() {
            let (eaten, end) = parser.feed(rest, to_head)?;
            rest = &rest[eaten..];
            if let Some(end) = end {
                responses.push((end.status, end.keep_alive, parser.collected().body.clone()));
            } else {
                assert!(rest.is_empty(), "an unfinished response eats everything");
            }
        }
    }
    if let Some(end) = parser.close()? {
        responses.push((end.status, end.keep_alive, parser.collected().body.clone()));
    }
    Ok(responses)
}

const CONVERSATION: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello\
    HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
    HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n\
    HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n\
    4\r\nwiki\r\n5;a=b\r\npedia\r\n0\r\nX: y\r\n\r\n\
    HTTP/1.1 204 No Content\r\n\r\n\
    HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n\
    HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno";

fn expected() -> Vec<(u16, bool, Vec<u8>)> {
    vec![
        (200, true, b"hello".to_vec()),
        (404, true, vec![]),
        (200, true, b"wikipedia".to_vec()),
        (204, true, vec![]),
        (304, true, vec![]),
        (500, false, b"no".to_vec()),
    ]
}

#[test]
fn a_conversation_is_read_whole_and_byte_by_byte() {
    assert_eq!(read(&[CONVERSATION], false), Ok(expected()));
    let bytes: Vec<&[u8]> = CONVERSATION.chunks(1).collect();
    assert_eq!(read(&bytes, false), Ok(expected()));
}

#[test]
fn a_conversation_is_read_under_every_split_in_two() {
    for cut in 0..=CONVERSATION.len() {
        let (left, right) = CONVERSATION.split_at(cut);
        assert_eq!(read(&[left, right], false), Ok(expected()), "cut at {cut}");
    }
}

#[test]
fn replies_to_head_have_no_body() {
    let replies = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let ends = vec![(200, true, vec![]), (200, true, vec![])];
    assert_eq!(read(&[replies], true), Ok(ends));
}

#[test]
fn http_1_0_closes_unless_it_says_otherwise() {
    let reply = b"HTTP/1.0 200 OK\r\n\r\nuntil the end";
    assert_eq!(
        read(&[reply], false),
        Ok(vec![(200, false, b"until the end".to_vec())])
    );
    let kept = b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(read(&[kept], false), Ok(vec![(200, true, b"x".to_vec())]));
}

#[test]
fn a_close_in_the_middle_is_an_error_and_between_replies_is_not() {
    assert_eq!(
        read(&[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"], false),
        Err(BadResponse::Truncated)
    );
    assert_eq!(
        read(&[b"HTTP/1.1 200 OK\r\nCont"], false),
        Err(BadResponse::Truncated)
    );
    assert_eq!(read(&[], false), Ok(vec![]));
}

#[test]
fn contradictions_and_garbage_are_refused() {
    for reply in [
        &b"hello world\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ] {
        assert!(
            read(&[reply], false).is_err(),
            "{}",
            String::from_utf8_lossy(reply)
        );
    }
}

#[test]
fn a_head_of_more_than_64_kib_is_refused_however_it_arrives() {
    let mut reply = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
    reply.resize(70_000, b'x');
    assert_eq!(read(&[&reply], false), Err(BadResponse::HeadTooLong));
    let pieces: Vec<&[u8]> = reply.chunks(1000).collect();
    assert_eq!(read(&pieces, false), Err(BadResponse::HeadTooLong));
    reply.extend_from_slice(b"\r\n\r\n");
    assert_eq!(read(&[&reply], false), Err(BadResponse::HeadTooLong));
}

#[test]
fn nothing_is_kept_of_a_body_unless_asked() {
    let mut parser = ResponseParser::new(false);
    let reply = b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello";
    assert!(matches!(parser.feed(reply, false), Ok((_, Some(_)))));
    assert_eq!(parser.collected(), &CollectedReply::default());
}

proptest! {
    #[test]
    fn every_way_of_cutting_gives_the_same_replies(cuts in proptest::collection::vec(0..CONVERSATION.len(), 0..12)) {
        let mut cuts = cuts;
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts {
            pieces.push(&CONVERSATION[from..cut]);
            from = cut;
        }
        pieces.push(&CONVERSATION[from..]);
        prop_assert_eq!(read(&pieces, false), Ok(expected()));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), to_head: bool) {
        let mut parser = ResponseParser::new(true);
        let mut reply = b"HTTP/1.1 200 OK\r\n".to_vec();
        reply.extend_from_slice(&bytes);
        for input in [&bytes, &reply] {
            let mut rest = &input[..];
            while let Ok((eaten, end)) = parser.feed(rest, to_head) {
                rest = &rest[eaten..];
                if rest.is_empty() || (eaten == 0 && end.is_none()) {
                    break;
                }
            }
            parser = ResponseParser::new(true);
        }
    }
}
