//! Restarting the pods of a namespace, and whether the new ones are ready and the old ones gone.

use crate::kube::{CallError, Calls, list_all, read_json};
use http::Method;
use kube::Client;
use serde_json::{Value, json};

/// Kinds whose pods can be restarted.
const KINDS: [&str; 3] = ["deployments", "statefulsets", "daemonsets"];

/// Restarts every pod of the namespace's deployments, stateful sets and daemon sets, as `kubectl rollout
/// restart` does. `stamp` must differ from that of the last restart. Gives the names of the workloads.
///
/// # Errors
/// [`CallError`]
pub async fn restart(
    calls: &Calls,
    client: &Client,
    namespace: &str,
    stamp: &str,
) -> Result<Vec<String>, CallError> {
    let mut restarted = Vec::new();
    for (kind, object) in workloads(calls, client, namespace).await? {
        let name = text(&object["metadata"]["name"]);
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{kind}/{name}");
        let patch = json!({ "spec": { "template": { "metadata": { "annotations": {
            "kubectl.kubernetes.io/restartedAt": stamp,
        } } } } });
        const MERGE: &str = "application/merge-patch+json";
        let answer = calls
            .change(client, Method::PATCH, &path, MERGE, &patch)
            .await?;
        let _: Value = read_json(&answer.body)?;
        restarted.push(format!("{kind}/{name}"));
    }
    Ok(restarted)
}

/// Every workload of the namespace, with its kind.
async fn workloads(
    calls: &Calls,
    client: &Client,
    namespace: &str,
) -> Result<Vec<(&'static str, Value)>, CallError> {
    let mut found = Vec::new();
    for kind in KINDS {
        let path = format!("/apis/apps/v1/namespaces/{namespace}/{kind}");
        let objects: Vec<Value> = list_all(calls, client, &path).await?;
        found.extend(objects.into_iter().map(|object| (kind, object)));
    }
    Ok(found)
}

/// What a rollout still waits for: workloads whose pods are not all new and ready, and pods that are
/// being deleted.
///
/// # Errors
/// [`CallError`]
pub async fn unfinished(
    calls: &Calls,
    client: &Client,
    namespace: &str,
) -> Result<Vec<String>, CallError> {
    let mut waiting = Vec::new();
    for (kind, object) in workloads(calls, client, namespace).await? {
        if !is_rolled_out(kind, &object) {
            waiting.push(format!("{kind}/{}", text(&object["metadata"]["name"])));
        }
    }
    let path = format!("/api/v1/namespaces/{namespace}/pods");
    let pods: Vec<Value> = list_all(calls, client, &path).await?;
    let going = pods
        .iter()
        .filter(|pod| !pod["metadata"]["deletionTimestamp"].is_null());
    waiting.extend(going.map(|pod| format!("pod {} (going)", text(&pod["metadata"]["name"]))));
    Ok(waiting)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The same conditions as `kubectl rollout status`.
fn is_rolled_out(kind: &str, object: &Value) -> bool {
    let count = |place: &Value| place.as_u64().unwrap_or_default();
    let status = &object["status"];
    if count(&status["observedGeneration"]) < count(&object["metadata"]["generation"]) {
        return false;
    }
    let wanted = object["spec"]["replicas"].as_u64().unwrap_or(1);
    match kind {
        "daemonsets" => {
            let wanted = count(&status["desiredNumberScheduled"]);
            count(&status["updatedNumberScheduled"]) >= wanted
                && count(&status["numberAvailable"]) >= wanted
        }
        "statefulsets" => {
            count(&status["readyReplicas"]) >= wanted && count(&status["updatedReplicas"]) >= wanted
        }
        _ => {
            let total = count(&status["replicas"]);
            count(&status["updatedReplicas"]) >= wanted
                && total <= count(&status["updatedReplicas"])
                && count(&status["availableReplicas"]) >= wanted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(generation: u64, replicas: u64, updated: u64, available: u64) -> Value {
        json!({
            "metadata": { "generation": 3 }, "spec": { "replicas": 2 },
            "status": { "observedGeneration": generation, "replicas": replicas, "updatedReplicas": updated, "availableReplicas": available },
        })
    }

    #[test]
    fn a_rollout_is_over_when_all_are_new_and_none_is_old() {
        assert!(is_rolled_out("deployments", &deployment(3, 2, 2, 2)));
        // Not seen yet; one still old; one not yet ready.
        assert!(!is_rolled_out("deployments", &deployment(2, 2, 2, 2)));
        assert!(!is_rolled_out("deployments", &deployment(3, 3, 2, 2)));
        assert!(!is_rolled_out("deployments", &deployment(3, 2, 2, 1)));
        let set = |ready: u64| json!({ "spec": { "replicas": 1 }, "status": { "updatedReplicas": 1, "readyReplicas": ready } });
        assert!(is_rolled_out("statefulsets", &set(1)));
        assert!(!is_rolled_out("statefulsets", &set(0)));
        let daemons = |available: u64| json!({ "status": { "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": available } });
        assert!(is_rolled_out("daemonsets", &daemons(3)));
        assert!(!is_rolled_out("daemonsets", &daemons(2)));
        // Scaled to nothing is there at once.
        assert!(is_rolled_out(
            "deployments",
            &json!({ "spec": { "replicas": 0 } })
        ));
    }
}
