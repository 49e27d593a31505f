//! The published schema is the one that follows from the types, and every result matches it.

use super::*;
use crate::measure::{RunResult, sample};
use crate::verdict::JudgedRun;
use boon::{Compiler, SchemaIndex, Schemas};
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// From the folder of golden files.
const PUBLISHED: &str = "../../docs/schema/run.schema.json";

/// The schema as the types have it, and the serializer: what is left out when there is none of it is
/// never null.
fn made() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "run.json of meshload".into());
    schema.insert(
        "description".to_owned(),
        "What one run found out. What ends in _ns is in nanoseconds; absent means not measured, 0 means zero. New names may come; these do not change meaning. docs/result-folder.md says what each is."
            .into(),
    );
    schema.insert("$id".to_owned(), "run.schema.json".into());
    let mut schema = schema.to_value();
    schema["properties"]["format"]["const"] = FORMAT.into();
    forbid_null(&mut schema);
    schema
}

fn forbid_null(schema: &mut Value) {
    let required = schema["required"].clone();
    let is_required = |name: &str| {
        let names = required.as_array();
        names.is_some_and(|names| names.iter().any(|one| one == name))
    };
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (_, property) in properties.iter_mut().filter(|(name, _)| !is_required(name)) {
            if let Some(kinds) = property.get_mut("type").and_then(Value::as_array_mut) {
                kinds.retain(|kind| kind != "null");
            }
            if let Some(kinds) = property.get_mut("anyOf").and_then(Value::as_array_mut) {
                kinds.retain(|kind| kind["type"] != "null");
            }
        }
    }
    match schema {
        Value::Object(parts) => parts.values_mut().for_each(forbid_null),
        Value::Array(parts) => parts.iter_mut().for_each(forbid_null),
        _ => {}
    }
}

/// The schema as it is published.
struct Published {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Published {
    fn read() -> Published {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let schema = serde_json::from_str(&sample::read_golden(PUBLISHED)).expect("JSON");
        compiler.add_resource("run", schema).expect("a schema");
        let index = compiler.compile("run", &mut schemas).expect("a schema");
        Published { schemas, index }
    }

    /// What is wrong with a document.
    fn trouble(&self, document: &Value) -> Option<String> {
        let outcome = self.schemas.validate(document, self.index);
        outcome.err().map(|error| error.to_string())
    }
}

fn written(result: &RunResult) -> Value {
    serde_json::from_slice(&run_to_json(&JudgedRun::judge(result.clone()))).expect("JSON")
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&made()).expect("text") + "\n";
    sample::assert_golden(PUBLISHED, &text);
}

#[test]
fn every_result_is_as_the_schema_says() {
    let schema = Published::read();
    for sample in sample::every() {
        let trouble = schema.trouble(&written(&sample.result));
        assert_eq!(trouble, None, "{}", sample.name);
    }
}

#[test]
fn what_is_no_result_is_refused() {
    let schema = Published::read();
    let whole = written(&sample::ordinary().result);
    for (place, wrong) in [
        ("/format", None),
        ("/requests/scheduled", None),
        ("/requests/completed", Some(Value::from("many"))),
        ("/requests/completed", Some(Value::from(-1))),
        ("/format", Some(Value::from("meshload.run/2"))),
        ("/service_ns", Some(Value::Null)),
        ("/loop", Some(Value::from("round"))),
        ("/verdict/level", Some(Value::from("FINE"))),
        ("/latency_ns/p99", Some(Value::Null)),
        ("/spec/load/offered", Some(Value::from(5))),
    ] {
        let mut broken = whole.clone();
        let (parent, name) = place.rsplit_once('/').expect("a place");
        let parent = broken.pointer_mut(parent).and_then(Value::as_object_mut);
        let parent = parent.expect("a place that is there");
        let before = parent.remove(name);
        assert!(before.is_some(), "{place} is there");
        parent.extend(wrong.clone().map(|wrong| (name.to_owned(), wrong)));
        assert!(schema.trouble(&broken).is_some(), "{place}: {wrong:?}");
    }
}
