//! Header lines of requests: pairs of name and value in memory, `Name: value` on the command line
//! and in plans (`#[serde(with = "header")]`).

use http::{HeaderName, HeaderValue};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// Reads a header line; spaces around name and value do not count.
///
/// # Errors
/// What is wrong with it, and how it is written.
pub fn parse(typed: &str) -> Result<(String, String), String> {
    let bad = || {
        let typed = typed.escape_debug();
        format!("`{typed}` is no header; write it as 'Name: value'")
    };
    let (name, value) = typed.split_once(':').ok_or_else(bad)?;
    let (name, value) = (name.trim(), value.trim());
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad())?;
    HeaderValue::from_str(value).map_err(|_| bad())?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Writes headers as a list of lines.
///
/// # Errors
/// The serializer's.
pub fn serialize<S: Serializer>(
    headers: &[(String, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let lines = headers.iter();
    serializer.collect_seq(lines.map(|(name, value)| format!("{name}: {value}")))
}

/// Reads headers from a list of lines.
///
/// # Errors
/// The first line that is no header.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<(String, String)>, D::Error> {
    let lines = Vec::<String>::deserialize(from)?;
    let headers = lines
        .iter()
        .map(|line| parse(line).map_err(D::Error::custom));
    headers.collect()
}
