//! Quantities in files that users write, spelt as on the command line:
//! `#[serde(with = "units::text")]`.

use super::{BadQuantity, Nanos, Rate, parse_duration, parse_rate};
use serde::{Deserialize, Deserializer, Serializer};
use std::fmt::Display;
use std::str::FromStr;

impl FromStr for Nanos {
    type Err = BadQuantity;

    fn from_str(typed: &str) -> Result<Nanos, BadQuantity> {
        parse_duration(typed)
    }
}

impl FromStr for Rate {
    type Err = BadQuantity;

    fn from_str(typed: &str) -> Result<Rate, BadQuantity> {
        parse_rate(typed)
    }
}

/// Gives types that are written as text everywhere, with `FromStr` and `Display`, that text as
/// their serde form.
macro_rules! serde_as_text {
    ($($type:ty),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use serde_as_text;

/// Writes a quantity as users type it.
///
/// # Errors
/// Errors of the serializer.
pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// Reads a quantity from a text or from a bare number.
///
/// # Errors
/// A [`BadQuantity`] with the correct spelling, as an error of the deserializer.
pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
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
    typed.parse().map_err(serde::de::Error::custom)
}

/// Optional quantities: `#[serde(with = "units::text::optional")]`.
pub mod optional {
    use super::{Deserializer, Display, FromStr, Serializer};

    /// Writes a quantity as users type it.
    ///
    /// # Errors
    /// Errors of the serializer.
    pub fn serialize<T: Display, S: Serializer>(
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
    pub fn deserialize<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        super::deserialize(from).map(Some)
    }
}
