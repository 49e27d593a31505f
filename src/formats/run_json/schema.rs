//! The published schema: made from the types, and true of every result.

use super::*;
use crate::judge::verdict;
use crate::measure::sample;
use jsonschema::Validator;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// The schema as the types have it.
fn made() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".to_owned(), "run.json of meshload".into());
    schema.insert(
        "description".to_owned(),
        "What one run found out. Times end in _ns and are nanoseconds; absent means not measured, 0 means zero. New names may come; these do not change meaning. docs/result-folder.md says what each is."
            .into(),
    );
    schema.to_value()
}

fn published() -> Validator {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/run.schema.json");
    let text = std::fs::read_to_string(path).expect("the schema");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    jsonschema::validator_for(&schema).expect("a schema")
}

#[track_caller]
fn assert_valid(validator: &Validator, document: &Value, name: &str) {
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

fn written(result: &RunResult) -> Value {
    serde_json::from_slice(&run_to_json(result, &verdict(result))).expect("JSON")
}

#[test]
fn the_published_schema_is_that_of_the_types() {
    let text = serde_json::to_string_pretty(&made()).expect("text") + "\n";
    sample::assert_golden("../../docs/schema/run.schema.json", &text);
}

#[test]
fn every_result_is_as_the_schema_says() {
    let validator = published();
    for sample in sample::every() {
        assert_valid(&validator, &written(&sample.result), sample.name);
    }
}

#[test]
fn what_is_no_result_is_refused() {
    let validator = published();
    let whole = written(&sample::ordinary().result);
    for (place, wrong) in [
        ("/format", None),
        ("/requests/scheduled", None),
        ("/requests/completed", Some(Value::from("many"))),
        ("/requests/completed", Some(Value::from(-1))),
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
        assert!(!validator.is_valid(&broken), "{place}: {wrong:?}");
    }
}
