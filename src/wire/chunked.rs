//! A state machine that decodes chunked bodies, in pieces of any size, and finds their end.

/// Reads `size[;extension]\r\n data \r\n ... 0\r\n [trailers] \r\n` in pieces of any size.
#[derive(Debug, Clone, Default)]
pub struct ChunkedDecoder {
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size; only a digit may follow.
    #[default]
    SizeStart,
    Size(u64),
    Extension(u64),
    SizeEnd(u64),
    Data(u64),
    DataCr,
    DataLf,
    /// At the start of a trailer line, or of the empty line that ends the body.
    TrailerStart,
    Trailer,
    EndLf,
    Done,
}

/// The bytes are not a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadChunk;

impl ChunkedDecoder {
    /// Whether the body has ended.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Consumes bytes until the body or `input` ends and passes the data to `sink`. Returns how many bytes
    /// belonged to the body.
    ///
    /// # Errors
    /// [`BadChunk`] when the bytes cannot be a chunked body.
    pub fn feed(&mut self, input: &[u8], sink: &mut impl FnMut(&[u8])) -> Result<usize, BadChunk> {
        let mut at = 0;
        while at < input.len() && self.state != State::Done {
            if let State::Data(left) = self.state {
                let here = left.min((input.len() - at) as u64) as usize;
                sink(&input[at..at + here]);
                at += here;
                self.state = match left - here as u64 {
                    0 => State::DataCr,
                    left => State::Data(left),
                };
            } else {
                self.state = step(self.state, input[at])?;
                at += 1;
            }
        }
        Ok(at)
    }
}

fn step(state: State, byte: u8) -> Result<State, BadChunk> {
    Ok(match (state, byte) {
        (State::SizeStart | State::Size(_), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
            let size = if let State::Size(size) = state {
                size
            } else {
                0
            };
            let digit = u64::from((byte as char).to_digit(16).ok_or(BadChunk)?);
            let size = size
                .checked_mul(16)
                .and_then(|size| size.checked_add(digit));
            State::Size(size.ok_or(BadChunk)?)
        }
        (State::Size(size), b';' | b' ' | b'\t') => State::Extension(size),
        (State::Size(size) | State::Extension(size), b'\r') => State::SizeEnd(size),
        (State::Extension(size), byte) if byte != b'\n' => State::Extension(size),
        (State::SizeEnd(0), b'\n') => State::TrailerStart,
        (State::SizeEnd(size), b'\n') => State::Data(size),
        (State::DataCr, b'\r') => State::DataLf,
        (State::DataLf, b'\n') => State::SizeStart,
        (State::TrailerStart, b'\r') => State::EndLf,
        (State::EndLf, b'\n') => State::Done,
        (State::TrailerStart, byte) if byte != b'\n' => State::Trailer,
        (State::Trailer, b'\n') => State::TrailerStart,
        (State::Trailer, _) => State::Trailer,
        _ => return Err(BadChunk),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(input: &[u8]) -> Result<(Vec<u8>, usize, bool), BadChunk> {
        let mut decoder = ChunkedDecoder::default();
        let mut data = Vec::new();
        let eaten = decoder.feed(input, &mut |piece| data.extend_from_slice(piece))?;
        Ok((data, eaten, decoder.is_done()))
    }

    #[test]
    fn extensions_and_trailers_are_passed_over() {
        let body = b"4;name=value\r\nWiki\r\nA \r\npedia in c\r\n0\r\nExpires: never\r\n\r\nnext";
        let (data, eaten, done) = decode(body).expect("a body");
        assert_eq!(data, b"Wikipedia in c");
        assert_eq!(&body[eaten..], b"next");
        assert!(done);
    }

    #[test]
    fn what_is_not_chunked_is_refused() {
        for body in [
            &b"\r\n"[..],
            b"x\r\n",
            b"2\r\nabc",
            b"1\nx",
            b"11111111111111111\r\n",
            b"0\r\n\n",
        ] {
            assert_eq!(
                decode(body),
                Err(BadChunk),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
    }
}
