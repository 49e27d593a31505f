//! Quantities as people type them, in files that people write: `#[serde(with = "units::text")]`.

use super::{BadQuantity, Nanos, Rate, parse_duration, parse_rate};
use serde::{Deserialize, Deserializer, Serializer};

/// A quantity that has a spelling.
pub trait Spelled: Sized + std::fmt::Display {
    /// Reads it.
    ///
    /// # Errors
    /// [`BadQuantity`] with the cure.
    fn read(typed: &str) -> Result<Self, BadQuantity>;
}

impl Spelled for Nanos {
    fn read(typed: &str) -> Result<Nanos, BadQuantity> {
        parse_duration(typed)
    }
}

impl Spelled for Rate {
    fn read(typed: &str) -> Result<Rate, BadQuantity> {
        parse_rate(typed)
    }
}

/// Writes it as it is typed.
///
/// # Errors
/// The serializer's.
pub fn serialize<T: Spelled, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads it, from a text or from a bare number.
///
/// # Errors
/// What cannot be read, with the cure.
pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Typed {
        Number(f64),
        Text(String),
    }
    let typed = match Typed::deserialize(from)? {
        Typed::Number(number) => number.to_string(),
        Typed::Text(text) => text,
    };
    T::read(&typed).map_err(serde::de::Error::custom)
}

/// The same for what may be left out: `#[serde(with = "units::text::optional")]`.
pub mod optional {
    use super::{Deserializer, Serializer, Spelled};

    /// Writes it as it is typed.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<T: Spelled, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads it; a field that is left out needs `#[serde(default)]`.
    ///
    /// # Errors
    /// What cannot be read, with the cure.
    pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        super::deserialize(from).map(Some)
    }
}
