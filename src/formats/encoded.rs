//! Histograms as text: HdrHistogram's V2 compressed encoding in base64, which its tools in all
//! languages read.

use crate::measure::{Histogram, fine};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};
use std::io::Read;

/// More than any histogram takes, in bytes.
const MOST: u32 = 64 << 20;

/// The text of a histogram.
pub fn encode(histogram: &Histogram) -> String {
    let mut bytes = Vec::new();
    // Cannot fail: it writes to memory, and the counts fit.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    STANDARD.encode(bytes)
}

/// The histogram of a text; an empty text is an empty histogram.
pub fn decode(text: &str) -> Option<Histogram> {
    if text.is_empty() {
        return Some(fine());
    }
    let bytes = STANDARD.decode(text).ok()?;
    // The decoder sets aside whatever a damaged header asks for.
    declared_length(&bytes).filter(|length| *length <= MOST)?;
    let mut histogram: Histogram = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .ok()?;
    histogram.auto(true);
    Some(histogram)
}

/// How many bytes the counts take, by the header inside of the compressed part.
fn declared_length(bytes: &[u8]) -> Option<u32> {
    // Outside: a mark and the compressed length. Inside: a mark and the length of the counts.
    let mut header = [0; 8];
    let mut inside = ZlibDecoder::new(bytes.get(8..)?);
    inside.read_exact(&mut header).ok()?;
    let [_, _, _, _, length @ ..] = header;
    Some(u32::from_be_bytes(length))
}

/// For `#[serde(with = ...)]`.
pub mod text {
    use super::Histogram;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        histogram: &Histogram,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        if histogram.is_empty() {
            return serializer.serialize_str("");
        }
        serializer.serialize_str(&super::encode(histogram))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Histogram, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::decode(&text).ok_or_else(|| serde::de::Error::custom("not an encoded histogram"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use std::io::Write;

    #[test]
    fn a_header_that_asks_for_more_than_a_histogram_takes_is_believed_by_nobody() {
        let mut histogram = fine();
        histogram.record(5).expect("a value");
        let text = encode(&histogram);
        let bytes = STANDARD.decode(&text).expect("base64");
        assert!(declared_length(&bytes).is_some_and(|length| length < 100));
        assert_eq!(decode(&text).map(|decoded| decoded.len()), Some(1));
        let mut inside = Vec::new();
        let mut read = ZlibDecoder::new(&bytes[8..]);
        read.read_to_end(&mut inside).expect("deflated");
        inside[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
        let mut packed = ZlibEncoder::new(bytes[..8].to_vec(), Compression::fast());
        packed.write_all(&inside).expect("packed");
        let damaged = packed.finish().expect("packed");
        assert_eq!(declared_length(&damaged), Some(u32::MAX));
        assert!(decode(&STANDARD.encode(damaged)).is_none());
    }
}
