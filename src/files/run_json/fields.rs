//! The blocks of run.json that are a list of a tally's counters or clocks: how they are written, read and
//! described follows from [`Tally::COUNTERS`] and [`Tally::CLOCKS`].

use crate::files::encoded::{decode, text};
use crate::measure::{Distribution, Histogram, Tally, TallyField};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The value of every counter of a tally, by its name.
pub struct Counters(pub [u64; Tally::COUNTERS.len()]);

impl Counters {
    /// The counters of a tally as run.json has them.
    pub fn of(tally: &Tally) -> Counters {
        Counters(tally.counters())
    }

    /// Puts the counters into a tally that is read back.
    pub fn put_into(self, tally: &mut Tally) {
        for (place, count) in tally.counters_mut().into_iter().zip(self.0) {
            *place = count;
        }
    }
}

impl Serialize for Counters {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = Tally::COUNTERS.iter().map(|field| field.name);
        serializer.collect_map(names.zip(self.0))
    }
}

impl<'de> Deserialize<'de> for Counters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Counters, D::Error> {
        let mut block = Map::deserialize(deserializer)?;
        let mut counts = [0; Tally::COUNTERS.len()];
        for (count, field) in counts.iter_mut().zip(Tally::COUNTERS) {
            if let Some(value) = take(&mut block, field)? {
                let wrong = || D::Error::custom(format!("`{}` is not a count", field.name));
                *count = value.as_u64().ok_or_else(wrong)?;
            }
        }
        Ok(Counters(counts))
    }
}

/// The whole histogram of every clock of a tally, by its name.
pub struct Histograms([Histogram; Tally::CLOCKS.len()]);

impl Histograms {
    /// The histograms of a tally as run.json has them.
    pub fn of(tally: &Tally) -> Histograms {
        Histograms(tally.clocks().map(Histogram::clone))
    }

    /// Puts the histograms into a tally that is read back.
    pub fn put_into(self, tally: &mut Tally) {
        for (place, histogram) in tally.clocks_mut().into_iter().zip(self.0) {
            *place = histogram;
        }
    }
}

impl Serialize for Histograms {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let names = Tally::CLOCKS.iter().map(|field| field.name);
        serializer.collect_map(names.zip(self.0.iter().map(text)))
    }
}

impl<'de> Deserialize<'de> for Histograms {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Histograms, D::Error> {
        let mut block = Map::deserialize(deserializer)?;
        let mut histograms = Tally::default().clocks().map(Histogram::clone);
        for (histogram, field) in histograms.iter_mut().zip(Tally::CLOCKS) {
            if let Some(value) = take(&mut block, field)? {
                let wrong = || D::Error::custom(format!("`{}` is not a histogram", field.name));
                *histogram = value.as_str().and_then(decode).ok_or_else(wrong)?;
            }
        }
        Ok(Histograms(histograms))
    }
}

/// The value of a field; `None` where a file from before the field lacks it.
fn take<E: Error>(block: &mut Map<String, Value>, field: &TallyField) -> Result<Option<Value>, E> {
    let value = block.remove(field.name);
    if value.is_none() && field.since.is_none() {
        return Err(E::missing_field(field.name));
    }
    Ok(value)
}

/// The percentiles of each clock that has measured something. They are written for other programs: a
/// result is rebuilt from the histograms.
#[derive(Default)]
pub struct Figures(Vec<(&'static str, Distribution)>);

impl Figures {
    /// The figures of a tally as run.json has them.
    pub fn of(tally: &Tally) -> Figures {
        let clocks = Tally::CLOCKS.iter().zip(tally.clocks());
        let figures = clocks.filter_map(|(field, clock)| Some((field.figures?, clock)));
        let measured = figures.filter_map(|(name, clock)| Some((name, Distribution::of(clock)?)));
        Figures(measured.collect())
    }
}

impl Serialize for Figures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, figures)| (name, figures)))
    }
}

/// The schemas of the blocks.
#[cfg(test)]
mod schemas {
    use super::{Counters, Distribution, Figures, Histograms, Tally, TallyField};
    use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
    use serde_json::{Map, Value, json};
    use std::borrow::Cow;

    /// An object with these fields, each described by its part of the schema.
    fn object(fields: &[TallyField], describe: impl Fn(&TallyField) -> Value) -> Schema {
        let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
        let described = fields
            .iter()
            .map(|field| (field.name.to_owned(), describe(field)));
        let properties: Map<String, Value> = described.collect();
        json_schema!({ "type": "object", "properties": properties, "required": names })
    }

    impl JsonSchema for Counters {
        fn schema_name() -> Cow<'static, str> {
            "Counters".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            object(Tally::COUNTERS, |field| {
                let mut schema = json!({ "type": "integer", "format": "uint64", "minimum": 0 });
                if field.since.is_some() {
                    schema["default"] = json!(0);
                }
                schema
            })
        }
    }

    impl JsonSchema for Histograms {
        fn schema_name() -> Cow<'static, str> {
            "Histograms".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            object(Tally::CLOCKS, |field| match field.since {
                Some(since) => json!({
                    "type": "string",
                    "default": "",
                    "description": format!("Absent in results from before there was {since}."),
                }),
                None => json!({ "type": "string" }),
            })
        }
    }

    impl JsonSchema for Figures {
        fn schema_name() -> Cow<'static, str> {
            "Figures".into()
        }

        fn json_schema(generator: &mut SchemaGenerator) -> Schema {
            let names = Tally::CLOCKS.iter().filter_map(|field| field.figures);
            let figures = generator.subschema_for::<Distribution>().to_value();
            let described = names.map(|name| (name.to_owned(), json!({ "anyOf": [figures] })));
            let properties: Map<String, Value> = described.collect();
            json_schema!({ "type": "object", "properties": properties })
        }
    }
}
