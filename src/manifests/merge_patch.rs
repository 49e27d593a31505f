//! JSON merge patches (RFC 7396) that undo a change.

use serde_json::{Map, Value};

/// Metadata that the API server maintains itself and that are not restored.
const SERVERS_OWN: [&str; 7] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "uid",
    "creationTimestamp",
    "selfLink",
    "deletionTimestamp",
];

/// The merge patch that makes `before` out of `after`; `None` when they are the same.
pub fn reverse_patch(before: &Value, after: &Value) -> Option<Value> {
    let strip = |object: &Value| {
        let mut object = object.clone();
        if let Some(fields) = object.as_object_mut() {
            fields.remove("status");
            if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
                metadata.retain(|name, _| !SERVERS_OWN.contains(&name.as_str()));
            }
        }
        object
    };
    difference(&strip(after), &strip(before))
}

/// The merge patch from one value to another. A list is one value.
fn difference(from: &Value, to: &Value) -> Option<Value> {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return (from != to).then(|| to.clone());
    };
    let mut patch = Map::new();
    for name in from.keys().filter(|name| !to.contains_key(*name)) {
        patch.insert(name.clone(), Value::Null);
    }
    for (name, value) in to {
        let change = match from.get(name) {
            Some(old) => difference(old, value),
            None => Some(value.clone()),
        };
        if let Some(change) = change {
            patch.insert(name.clone(), change);
        }
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    /// RFC 7396.
    fn merged(target: Value, patch: &Value) -> Value {
        let Value::Object(patch) = patch else {
            return patch.clone();
        };
        let mut fields = match target {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        for (name, value) in patch {
            if value.is_null() {
                fields.remove(name);
            } else {
                let old = fields.remove(name).unwrap_or_default();
                fields.insert(name.clone(), merged(old, value));
            }
        }
        Value::Object(fields)
    }

    fn objects() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            (0..3i64).prop_map(Value::from),
            prop::collection::vec(0..3i64, 0..3).prop_map(Value::from),
        ];
        let tree = leaf.prop_recursive(3, 20, 4, |inner| {
            prop::collection::btree_map("[a-d]", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect()))
        });
        prop::collection::btree_map("[a-d]", tree, 0..4)
            .prop_map(|fields| Value::Object(fields.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn what_was_changed_comes_back(before in objects(), after in objects()) {
            match reverse_patch(&before, &after) {
                None => prop_assert_eq!(before, after),
                Some(patch) => prop_assert_eq!(merged(after, &patch), before),
            }
        }
    }

    #[test]
    fn what_the_server_keeps_is_left_to_it() {
        let before = json!({ "metadata": { "labels": { "a": "1" }, "resourceVersion": "7" }, "status": { "phase": "Active" } });
        let after = json!({ "metadata": { "labels": { "a": "1", "istio-injection": "enabled" }, "resourceVersion": "9", "managedFields": [1] } });
        let patch = reverse_patch(&before, &after).expect("a change");
        assert_eq!(
            patch,
            json!({ "metadata": { "labels": { "istio-injection": null } } })
        );
        assert_eq!(reverse_patch(&before, &before), None);
    }
}
