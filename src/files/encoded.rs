//! Histograms as text: HdrHistogram's compressed V2 encoding in base64, which its libraries read in all
//! languages.

use crate::measure::{Histogram, fine};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::ZlibDecoder;
use hdrhistogram::serialization::{
    Deserializer as HistogramDeserializer, Serializer as HistogramSerializer, V2DeflateSerializer,
};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};
use std::io::Read;

/// The largest size of an uncompressed histogram: three times that of a full one of meshload's.
const MAX_BYTES: u64 = 1 << 20;
/// The largest value of a histogram in nanoseconds: two days. meshload records no time above one day.
const MAX_TIME: u64 = 2 * 86_400 * 1_000_000_000;
/// The largest count of a histogram. Sums of such counts over a result fit into 64 bits.
const MAX_COUNT: u64 = 1 << 53;

/// Encodes a histogram.
pub fn encode(histogram: &Histogram) -> String {
    let mut bytes = Vec::new();
    // Cannot fail: the serializer writes to memory, and the counts fit.
    let _ = V2DeflateSerializer::new().serialize(histogram, &mut bytes);
    STANDARD.encode(bytes)
}

/// Decodes a histogram; an empty text is an empty histogram. `None` for text that is no histogram, or one
/// that no run of meshload can have: a header of a few bytes could ask for gigabytes of memory.
pub fn decode(text: &str) -> Option<Histogram> {
    if text.is_empty() {
        return Some(fine());
    }
    let plain = inflated(&STANDARD.decode(text).ok()?)?;
    if !is_ours(&plain) {
        return None;
    }
    let mut histogram: Histogram = HistogramDeserializer::new()
        .deserialize(&mut plain.as_slice())
        .ok()?;
    histogram.auto(true);
    (histogram.len() <= MAX_COUNT).then_some(histogram)
}

/// Removes the compression. The bytes are a cookie and a length of four bytes each, and zlib data.
fn inflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let (cookie, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first_chunk()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    if u32::from_be_bytes(*cookie) != 0x1c84_9314 {
        return None;
    }
    let mut plain = Vec::new();
    let inside = ZlibDecoder::new(rest.get(..length)?);
    inside.take(MAX_BYTES).read_to_end(&mut plain).ok()?;
    Some(plain)
}

/// Whether the header asks for no more memory than a histogram of meshload's. The header is a cookie, the
/// length of the counts, an offset and the significant digits, in four bytes each; then the lowest value,
/// the highest value and a ratio, in eight bytes each.
fn is_ours(plain: &[u8]) -> bool {
    let Some((header, counts)) = plain.split_first_chunk::<40>() else {
        return false;
    };
    let number = |at: usize, length: usize| {
        let bytes = header[at..at + length].iter();
        bytes.fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    number(4, 4) == counts.len() as u64
        && (1..=3).contains(&number(12, 4))
        && number(16, 8) == 1
        && number(24, 8) <= MAX_TIME
        // These bytes encode i64::MIN, which the crate would negate; that overflows.
        && !counts.windows(9).any(|bytes| bytes == [0xff; 9])
}

/// Encodes a histogram for run.json, with an empty text for an empty histogram.
pub fn text(histogram: &Histogram) -> String {
    if histogram.is_empty() {
        return String::new();
    }
    encode(histogram)
}

/// For `#[serde(with = "encoded")]`.
pub fn serialize<S: Serializer>(histogram: &Histogram, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(histogram))
}

/// For `#[serde(with = "encoded")]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Histogram, D::Error> {
    let text = String::deserialize(deserializer)?;
    decode(&text).ok_or_else(|| D::Error::custom("not an encoded histogram"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::record;
    use crate::units::Nanos;
    use flate2::Compression;
    use flate2::write::ZlibEncoder;
    use hdrhistogram::serialization::V2Serializer;
    use std::io::Write;

    /// A histogram's bytes before they are compressed.
    fn plain() -> Vec<u8> {
        let mut histogram = fine();
        for time in [1, 1_000_000, u64::MAX] {
            record(&mut histogram, Nanos(time));
        }
        let mut bytes = Vec::new();
        let written = V2Serializer::new().serialize(&histogram, &mut bytes);
        written.expect("a histogram");
        bytes
    }

    fn text(plain: &[u8]) -> String {
        let mut inside = ZlibEncoder::new(Vec::new(), Compression::fast());
        inside.write_all(plain).expect("memory");
        let inside = inside.finish().expect("memory");
        let mut bytes = 0x1c84_9314_u32.to_be_bytes().to_vec();
        bytes.extend((inside.len() as u32).to_be_bytes());
        bytes.extend(inside);
        STANDARD.encode(bytes)
    }

    #[test]
    fn histograms_that_no_run_can_have_are_refused() {
        let plain = plain();
        assert_eq!(decode(&text(&plain)).expect("ours").len(), 3);
        let with = |at: usize, bytes: &[u8]| {
            let mut plain = plain.clone();
            plain[at..at + bytes.len()].copy_from_slice(bytes);
            text(&plain)
        };
        for (what, text) in [
            ("four gigabytes of counts", with(4, &[0xff; 4])),
            ("five digits", with(12, &5_u32.to_be_bytes())),
            ("half of all numbers to begin with", with(16, &[0x40; 8])),
            ("values of 584 years", with(24, &[0xff; 8])),
            ("a count that cannot be turned round", with(40, &[0xff; 9])),
            ("nothing", text(&[])),
            ("what inflates without end", text(&vec![0; 64 << 20])),
        ] {
            assert_eq!(decode(&text), None, "{what}");
        }
        assert_eq!(decode(&STANDARD.encode(&plain)), None, "not compressed");
    }

    #[test]
    fn counts_whose_sums_would_not_fit_are_refused() {
        let mut histogram = fine();
        histogram.record_n(1, MAX_COUNT).expect("a count");
        assert_eq!(decode(&encode(&histogram)).as_ref(), Some(&histogram));
        histogram.record_n(2, 1).expect("a count");
        assert_eq!(decode(&encode(&histogram)), None);
    }
}
