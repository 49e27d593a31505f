//! Quantities in files that users write, spelt as on the command line:
//! `#[serde(with = "units::text")]`.

use super::{BadQuantity, Nanos, Rate, parse_duration, parse_rate};
use serde::{Deserialize, Deserializer, Serializer};

/// A quantity that has a spelling.
pub trait Spelled: Sized + std::fmt::Display {
    /// Parses the spelling.
    ///
    /// # Errors
    /// [`BadQuantity`] with the correct spelling.
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

/// Writes a quantity as users type it.
///
/// # Errors
/// Errors of the serializer.
pub fn serialize<T: Spelled, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads a quantity from a text or from a bare number.
///
/// # Errors
/// A [`BadQuantity`] with the correct spelling, as an error of the deserializer.
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

/// Optional quantities: `#[serde(with = "units::text::optional")]`.
pub mod optional {
    use super::{Deserializer, Serializer, Spelled};

    /// Writes a quantity as users type it.
    ///
    /// # Errors
    /// Errors of the serializer.
    pub fn serialize<T: Spelled, S: Serializer>(
        value: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Reads a quantity. The field needs `#[serde(default)]` to be left out.
    ///
    /// # Errors
    /// A [`super::BadQuantity`] with the correct spelling, as an error of the deserializer.
    pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<T>, D::Error> {
        super::deserialize(from).map(Some)
    }
}
