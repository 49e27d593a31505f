//! The body of a reply, framed as Go does it: small bodies with their length, larger ones chunked.

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// Size of the buffer of Go's server, in bytes. Go sends a length only for bodies that fit into it.
const GO_BUFFER: usize = 2048;

/// All bytes of a reply at once.
pub(super) struct ReplyBody {
    bytes: Option<Bytes>,
    is_chunked: bool,
}

impl ReplyBody {
    pub(super) fn new(bytes: Bytes) -> ReplyBody {
        ReplyBody {
            is_chunked: bytes.len() > GO_BUFFER,
            bytes: Some(bytes).filter(|bytes| !bytes.is_empty()),
        }
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(
            self.get_mut()
                .bytes
                .take()
                .map(|bytes| Ok(Frame::data(bytes))),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    /// Without a known length hyper sends chunks.
    fn size_hint(&self) -> SizeHint {
        match &self.bytes {
            Some(_) if self.is_chunked => SizeHint::new(),
            Some(bytes) => SizeHint::with_exact(bytes.len() as u64),
            None => SizeHint::with_exact(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_over_two_kibibytes_do_not_tell_their_length() {
        let exact = |length| {
            ReplyBody::new(Bytes::from(vec![b'x'; length]))
                .size_hint()
                .exact()
        };
        assert_eq!(exact(0), Some(0));
        assert_eq!(exact(2048), Some(2048));
        assert_eq!(exact(2049), None);
    }
}
