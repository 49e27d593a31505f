//! Histograms as text: HdrHistogram's V2 compressed encoding in base64, which its tools in all
//! languages read.

use crate::measure::{Histogram, fine};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

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
    let mut histogram: Histogram = Deserializer::new()
        .deserialize(&mut bytes.as_slice())
        .ok()?;
    histogram.auto(true);
    Some(histogram)
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
