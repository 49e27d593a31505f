//! What can be changed: namespaces with their labels, deployments that are started anew, and objects
//! of which nothing but their JSON is known. And memcached, behind a forwarded port.

use super::cluster::{Cluster, Container, Pod, list};
use super::exec::accept;
use super::{Reply, State, found, refusal};
use futures_util::{SinkExt, StreamExt};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Method, Request, Response};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_tungstenite::tungstenite::Message;

/// Kinds and the paths of their objects, as the discovery documents have them.
fn kinds(path: &str) -> Option<Value> {
    let kind = |name: &str, kind: &str, namespaced: bool| json!({ "name": name, "kind": kind, "namespaced": namespaced, "singularName": "", "verbs": ["get"] });
    let kinds = match path {
        "/api/v1" => vec![
            kind("namespaces/status", "Namespace", false),
            kind("namespaces", "Namespace", false),
            kind("configmaps", "ConfigMap", true),
        ],
        "/apis/apps/v1" => vec![
            kind("deployments/scale", "Scale", true),
            kind("deployments", "Deployment", true),
        ],
        _ => return None,
    };
    Some(json!({ "kind": "APIResourceList", "groupVersion": "", "resources": kinds }))
}

/// Answers GETs of single objects, of discovery and of workloads.
pub fn get(cluster: &Cluster, path: &str) -> Option<Response<Reply>> {
    if let Some(kinds) = kinds(path) {
        return Some(found(&kinds));
    }
    if let Some(rest) = path.strip_prefix("/apis/apps/v1/namespaces/") {
        let (namespace, kind) = rest.split_once('/')?;
        let items = match kind {
            "deployments" => deployments(cluster, namespace),
            "statefulsets" | "daemonsets" => Vec::new(),
            _ => return object(cluster, path).map(|object| found(&object)),
        };
        return Some(found(&list("List", items)));
    }
    object(cluster, path).map(|object| found(&object))
}

fn object(cluster: &Cluster, path: &str) -> Option<Value> {
    if let Some(name) = namespace_of(path) {
        let (_, labels) = cluster.namespaces.iter().find(|(known, _)| known == name)?;
        return Some(json!({ "metadata": { "name": name, "labels": labels } }));
    }
    cluster.objects.get(path).cloned()
}

fn namespace_of(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/api/v1/namespaces/")?;
    (!name.contains('/')).then_some(name)
}

fn app_of(pod: &Pod) -> Option<String> {
    let (kind, name) = pod.owner.as_ref()?;
    (*kind == "ReplicaSet").then(|| {
        let (app, _) = name.rsplit_once('-').expect("a hash");
        app.to_owned()
    })
}

fn deployments(cluster: &Cluster, namespace: &str) -> Vec<Value> {
    let pods = cluster.pods.iter().filter(|pod| pod.namespace == namespace);
    let names: BTreeSet<String> = pods.filter_map(app_of).collect();
    let deployment = |name: String| {
        json!({
            "metadata": { "name": name, "namespace": namespace, "generation": 1 }, "spec": { "replicas": 1 },
            "status": { "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "availableReplicas": 1 },
        })
    };
    names.into_iter().map(deployment).collect()
}

/// Answers PATCH and DELETE.
pub async fn change(state: &Arc<State>, request: Request<Incoming>, now: u64) -> Response<Reply> {
    let path = request.uri().path().to_owned();
    let is_trial = request
        .uri()
        .query()
        .unwrap_or_default()
        .contains("dryRun=All");
    let method = request.method().clone();
    let body = request.into_body().collect().await.expect("a body");
    let body: Value = serde_json::from_slice(&body.to_bytes()).expect("JSON");
    let mut cluster = state.cluster.lock().expect("not poisoned");
    if method == Method::DELETE {
        return match cluster.objects.remove(&path) {
            Some(object) => found(&object),
            None => refusal(404, "not found"),
        };
    }
    let deployment = path
        .strip_prefix("/apis/apps/v1/namespaces/")
        .and_then(|rest| rest.split_once("/deployments/"));
    if let Some((namespace, app)) = deployment {
        let (namespace, app) = (namespace.to_owned(), app.to_owned());
        restart(&mut cluster, &namespace, &app, now);
        return found(&json!({ "metadata": { "name": app } }));
    }
    let before = object(&cluster, &path).unwrap_or(json!({}));
    let after = merged(before, &body);
    if is_trial {
        return found(&after);
    }
    match namespace_of(&path) {
        Some(name) => {
            let name = name.to_owned();
            let mut known = cluster.namespaces.iter_mut();
            let Some((_, labels)) = known.find(|(known, _)| *known == name) else {
                return refusal(404, "namespaces not found");
            };
            *labels = after["metadata"]["labels"].clone();
        }
        None => {
            cluster.objects.insert(path, after.clone());
        }
    }
    found(&after)
}

/// A JSON merge patch, RFC 7396.
fn merged(target: Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut fields = match target {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (name, value) in patch {
        match value {
            Value::Null => drop(fields.remove(name)),
            value => {
                let old = fields.remove(name).unwrap_or_default();
                fields.insert(name.clone(), merged(old, value));
            }
        }
    }
    Value::Object(fields)
}

/// New pods, with a sidecar where the namespace's label says so.
fn restart(cluster: &mut Cluster, namespace: &str, app: &str, now: u64) {
    let mut namespaces = cluster.namespaces.iter();
    let labels = namespaces.find(|(name, _)| name == namespace);
    let injects = labels.is_some_and(|(_, labels)| labels["istio-injection"] == "enabled");
    cluster.restarts += 1;
    let number = cluster.restarts;
    let ours = |pod: &&mut Pod| pod.namespace == namespace && app_of(pod).as_deref() == Some(app);
    for pod in cluster.pods.iter_mut().filter(ours) {
        pod.uid = format!("uid-of-{app}-{number}");
        pod.name = format!("{app}-5c6db6bd8d-{number}");
        pod.started = now;
        pod.containers.retain(|one| one.name != "istio-proxy");
        if injects {
            pod.containers
                .push(Container::new("istio-proxy", 50.0, now));
        }
        for container in &mut pod.containers {
            container.started = now;
        }
    }
}

/// A forwarded port behind which `flush_all` is answered: channel 0 carries data, 1 errors; each
/// begins with the port's number.
pub fn forward(cluster: &Cluster, request: Request<Incoming>) -> Response<Reply> {
    accept(cluster, request, |mut socket| async move {
        for channel in [0, 1] {
            let hello = [&[channel], &11211u16.to_le_bytes()[..]].concat();
            let _ = socket.send(Message::Binary(hello.into())).await;
        }
        while let Some(Ok(message)) = socket.next().await {
            if message.into_data().ends_with(b"flush_all\r\n") {
                let _ = socket
                    .send(Message::Binary(b"\0OK\r\n".to_vec().into()))
                    .await;
            }
        }
    })
}
