//! The only code that modifies a cluster. Every undo step is handed to the caller, which persists it,
//! before the change is made, so that the cluster can be restored even after this process was killed.

use super::flush::flush;
use super::membership::{Membership, MembershipError};
use super::rollout::{restart, unfinished};
use super::undo::Undo;
use crate::clock::TimeSource;
use crate::kube::{
    Access, AccessError, CallError, Calls, ObjectName, ObjectPath, list_all, server_version,
};
use crate::manifests::{AMBIENT_LABEL, pod, reverse_patch};
use crate::resources::{Pod, Scope};
use crate::spec::ClusterAccess;
use crate::units::Nanos;
use k8s_openapi::api::core::v1 as api;
use kube::Client;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tokio::runtime::LocalRuntime;

/// Why the cluster could not be changed.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// There is no way into the cluster.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// A call failed.
    #[error("{what}: {error}; {}", error.cure())]
    Call {
        /// What was tried, such as `changing Deployment hotel/frontend`.
        what: String,
        /// How it failed.
        error: CallError,
    },
    /// The undo step could not be persisted, so nothing was changed.
    #[error("{0}")]
    Keep(String),
    /// Some workloads did not become ready in time.
    #[error("after {} these are not ready: {}; see `kubectl -n {namespace} describe`", after, waiting.join(", "))]
    NotReady {
        /// How long the wait was.
        after: Nanos,
        /// The namespace of the workloads.
        namespace: String,
        /// The workloads and pods that are not ready.
        waiting: Vec<String>,
    },
    /// The namespace or its pods are not what the arm says.
    #[error(transparent)]
    Membership(#[from] MembershipError),
    /// A signal ended the wait for pods.
    #[error("interrupted while waiting for pods")]
    Interrupted,
    /// A text is not YAML, or not a manifest.
    #[error("{0}")]
    Manifest(String),
    /// The operating system refused a runtime.
    #[error("no runtime: {0}")]
    Runtime(#[from] std::io::Error),
}

/// The longest wait for pods: images have to be fetched, and services have to start.
const ROLLOUT_LIMIT: Nanos = Nanos::from_secs(600);
/// Interval at which the state of a rollout is asked for.
const ROLLOUT_POLL: Nanos = Nanos::SECOND;

/// Labels of a namespace that put its pods into a mesh.
const MESH_LABELS: [&str; 3] = ["istio-injection", "istio.io/rev", AMBIENT_LABEL];

/// Persists an undo step before the change is made that it undoes; steps are undone last to first.
pub type UndoKeeper<'a> = &'a mut dyn FnMut(Undo) -> Result<(), String>;

/// A connection to a cluster, through which it is changed.
pub struct Operator {
    runtime: LocalRuntime,
    clock: TimeSource,
    calls: Calls,
    client: Client,
    /// The namespace that the kubeconfig names.
    pub default_namespace: String,
}

fn failed(what: impl Into<String>) -> impl FnOnce(CallError) -> OperatorError {
    let what = what.into();
    move |error| OperatorError::Call { what, error }
}

impl Operator {
    /// Connects to the API server, which must answer.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn connect(access: &ClusterAccess) -> Result<Operator, OperatorError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build_local(Default::default())?;
        let clock = TimeSource::machine();
        let calls = Calls::new(clock.clone());
        let (client, default_namespace) = runtime.block_on(async {
            let access = Access::find(access).await?;
            let client = access.client()?;
            server_version(&calls, &client, &access.url).await?;
            Ok::<_, AccessError>((client, access.default_namespace))
        })?;
        Ok(Operator {
            runtime,
            clock,
            calls,
            client,
            default_namespace,
        })
    }

    /// Puts a namespace into the mesh or takes it out, restarts its pods and waits for them. The
    /// namespace then carries `labels`; when there are none, Istio's label for sidecars. Gives notes of
    /// what was done.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn switch(
        &self,
        namespace: &str,
        labels: &BTreeMap<String, String>,
        into_mesh: bool,
        keep: UndoKeeper<'_>,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<Vec<String>, OperatorError> {
        let mut wanted: serde_json::Map<String, Value> = MESH_LABELS
            .iter()
            .map(|label| ((*label).to_owned(), Value::Null))
            .collect();
        if into_mesh && labels.is_empty() {
            wanted.insert("istio-injection".to_owned(), "enabled".into());
        }
        wanted.extend(
            labels
                .iter()
                .map(|(name, value)| (name.clone(), json!(value))),
        );
        let patch = json!({ "metadata": { "labels": wanted } });
        // Undone last to first: the labels, and then the pods.
        let restart = Undo::Restart {
            namespace: namespace.to_owned(),
        };
        self.runtime.block_on(async {
            let object = ObjectName::namespace(namespace);
            let mut is_kept = false;
            let changed = self
                .merge(&object, &patch, &mut |undo| {
                    if !is_kept {
                        keep(restart.clone())?;
                        is_kept = true;
                    }
                    keep(undo)
                })
                .await?;
            if !changed {
                return Ok(vec![format!(
                    "namespace {namespace} carries its labels already"
                )]);
            }
            let mut notes = vec![format!("labels of namespace {namespace} set")];
            notes.push(self.roll(namespace, is_interrupted).await?);
            Ok(notes)
        })
    }

    async fn roll(
        &self,
        namespace: &str,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<String, OperatorError> {
        let now = self.clock.unix();
        let stamp = jiff::Timestamp::from_nanosecond(i128::from(now.0));
        let stamp = stamp.map_or_else(|_| now.0.to_string(), |at| at.to_string());
        let restarted = restart(&self.calls, &self.client, namespace, &stamp).await;
        let restarted = restarted.map_err(failed(format!("restarting {namespace}")))?;
        self.await_rollout(namespace, is_interrupted).await?;
        Ok(format!("restarted {}", restarted.join(", ")))
    }

    async fn await_rollout(
        &self,
        namespace: &str,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<(), OperatorError> {
        let until = self.clock.now() + ROLLOUT_LIMIT;
        let mut waiting = vec!["not known".to_owned()];
        while self.clock.now() < until {
            // A question that fails is asked again at the next poll.
            if let Ok(now) = unfinished(&self.calls, &self.client, namespace).await {
                waiting = now;
            }
            if waiting.is_empty() {
                return Ok(());
            }
            if is_interrupted() {
                return Err(OperatorError::Interrupted);
            }
            self.clock
                .coarse_wait(self.clock.now() + ROLLOUT_POLL)
                .await;
        }
        Err(OperatorError::NotReady {
            after: ROLLOUT_LIMIT,
            namespace: namespace.to_owned(),
            waiting,
        })
    }

    /// Waits until every workload of the namespace has its new pods and the old ones are gone.
    ///
    /// # Errors
    /// [`OperatorError::NotReady`] after ten minutes.
    pub fn settle(
        &self,
        namespace: &str,
        is_interrupted: &dyn Fn() -> bool,
    ) -> Result<(), OperatorError> {
        self.runtime
            .block_on(self.await_rollout(namespace, is_interrupted))
    }

    /// Applies a merge patch to an object. True when that changed anything.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn patch(
        &self,
        object: &ObjectName,
        patch: &Value,
        keep: UndoKeeper<'_>,
    ) -> Result<bool, OperatorError> {
        self.runtime.block_on(self.merge(object, patch, keep))
    }

    async fn merge(
        &self,
        object: &ObjectName,
        patch: &Value,
        keep: UndoKeeper<'_>,
    ) -> Result<bool, OperatorError> {
        let what = || failed(format!("changing {object}"));
        let place = ObjectPath::find(&self.calls, &self.client, object).await;
        let place = place.map_err(what())?;
        let before = place.get().await.map_err(what())?;
        let Some(before) = before else {
            let error = CallError::Status {
                status: 404,
                message: "it is not there".to_owned(),
            };
            return Err(what()(error));
        };
        let after = place.merge(patch, true).await.map_err(what())?;
        let Some(back) = reverse_patch(&before, &after) else {
            return Ok(false);
        };
        keep(Undo::Merge {
            object: object.clone(),
            patch: back,
        })
        .map_err(OperatorError::Keep)?;
        place.merge(patch, false).await.map_err(what())?;
        Ok(true)
    }

    /// Applies the manifests of a YAML text. Gives a note per object.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn apply(
        &self,
        yaml: &str,
        default_namespace: &str,
        keep: UndoKeeper<'_>,
    ) -> Result<Vec<String>, OperatorError> {
        let manifests: Vec<Value> = serde_saphyr::from_multiple(yaml)
            .map_err(|error| OperatorError::Manifest(error.to_string()))?;
        self.runtime.block_on(async {
            let mut notes = Vec::new();
            for manifest in manifests.iter().filter(|one| !one.is_null()) {
                let object = named(manifest, default_namespace)?;
                notes.push(self.apply_one(&object, manifest, keep).await?);
            }
            Ok(notes)
        })
    }

    async fn apply_one(
        &self,
        object: &ObjectName,
        manifest: &Value,
        keep: UndoKeeper<'_>,
    ) -> Result<String, OperatorError> {
        let what = || failed(format!("applying {object}"));
        let place = ObjectPath::find(&self.calls, &self.client, object).await;
        let place = place.map_err(what())?;
        let undo = match place.get().await.map_err(what())? {
            None => Undo::Delete {
                object: object.clone(),
            },
            Some(before) => {
                let after = place.apply(manifest, true).await.map_err(what())?;
                let Some(patch) = reverse_patch(&before, &after) else {
                    return Ok(format!("{object} is as it should be"));
                };
                Undo::Merge {
                    object: object.clone(),
                    patch,
                }
            }
        };
        keep(undo).map_err(OperatorError::Keep)?;
        place.apply(manifest, false).await.map_err(what())?;
        Ok(format!("{object} applied"))
    }

    /// Undoes one change.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn undo(&self, undo: &Undo) -> Result<(), OperatorError> {
        self.runtime.block_on(async {
            match undo {
                Undo::Restart { namespace } => {
                    // Restoring is not interrupted by a signal.
                    self.roll(namespace, &|| false).await.map(|_| ())
                }
                Undo::Delete { object } => {
                    let what = || failed(format!("deleting {object}"));
                    let place = ObjectPath::find(&self.calls, &self.client, object).await;
                    place.map_err(what())?.delete().await.map_err(what())
                }
                Undo::Merge { object, patch } => {
                    let what = || failed(format!("restoring {object}"));
                    let place = ObjectPath::find(&self.calls, &self.client, object).await;
                    let merged = place.map_err(what())?.merge(patch, false).await;
                    merged.map(|_| ()).map_err(what())
                }
            }
        })
    }

    /// The labels of a namespace.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn labels(&self, namespace: &str) -> Result<BTreeMap<String, String>, OperatorError> {
        // The collector's rights include listing; getting a single namespace would need another.
        let listed = list_all::<api::Namespace>(&self.calls, &self.client, "/api/v1/namespaces");
        let listed = self.runtime.block_on(listed);
        let listed = listed.map_err(failed(format!("reading namespace {namespace}")))?;
        let ours = |one: &api::Namespace| one.metadata.name.as_deref() == Some(namespace);
        let found = listed.into_iter().find(ours);
        Ok(found
            .and_then(|one| one.metadata.labels)
            .unwrap_or_default())
    }

    /// The pods of a namespace that have not finished.
    ///
    /// # Errors
    /// [`OperatorError`] with the cure.
    pub fn pods(&self, namespace: &str) -> Result<Vec<Pod>, OperatorError> {
        // Without the right to list namespaces, pods of an ambient mesh are not recognised.
        let labels = self.labels(namespace).unwrap_or_default();
        let is_ambient = labels
            .get(AMBIENT_LABEL)
            .is_some_and(|mode| mode == "ambient");
        let ours = std::iter::once(namespace.to_owned());
        let scope = Scope {
            application: ours.clone().collect(),
            all_namespaces: false,
            ambient: ours.filter(|_| is_ambient).collect(),
        };
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let pods = self
            .runtime
            .block_on(list_all::<api::Pod>(&self.calls, &self.client, &path));
        let pods = pods.map_err(failed(format!("listing the pods of {namespace}")))?;
        let now = self.clock.unix();
        let pods = pods.into_iter().filter_map(|one| pod(one, &scope, now));
        Ok(pods.filter(|pod| !pod.is_finished()).collect())
    }

    /// Checks that a namespace and its pods are what an arm says. Gives a note of what was seen.
    ///
    /// # Errors
    /// [`OperatorError::Membership`] when they are not.
    pub fn verify(&self, wanted: Membership<'_>) -> Result<Option<String>, OperatorError> {
        wanted.check_labels(&self.labels(wanted.namespace)?)?;
        let Some(meshed) = wanted.meshed else {
            return Ok(None);
        };
        let pods = self.pods(wanted.namespace)?;
        Ok(Some(wanted.check_pods(&pods, meshed)?))
    }

    /// Empties every memcached pod of the namespace. Gives a note for each, or why it was not emptied.
    ///
    /// # Errors
    /// [`OperatorError`] when the pods cannot be listed.
    pub fn flush_caches(
        &self,
        namespace: &str,
    ) -> Result<Vec<Result<String, String>>, OperatorError> {
        let pods = self.pods(namespace)?;
        let caches = pods.iter().filter(|pod| pod.is_memcached());
        Ok(caches
            .map(|pod| {
                let flushed = flush(&self.calls, &self.client, pod);
                match self.runtime.block_on(flushed) {
                    Ok(how) => Ok(format!("{} emptied {how}", pod.name)),
                    Err(reason) => Err(format!("{} not emptied: {reason}", pod.name)),
                }
            })
            .collect())
    }
}

fn named(manifest: &Value, default_namespace: &str) -> Result<ObjectName, OperatorError> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = &manifest["metadata"];
    let name = ObjectName {
        api_version: text(&manifest["apiVersion"]),
        kind: text(&manifest["kind"]),
        namespace: match text(&metadata["namespace"]) {
            namespace if namespace.is_empty() => default_namespace.to_owned(),
            namespace => namespace,
        },
        name: text(&metadata["name"]),
    };
    if name.api_version.is_empty() || name.kind.is_empty() || name.name.is_empty() {
        let message = "a manifest needs apiVersion, kind and metadata.name".to_owned();
        return Err(OperatorError::Manifest(message));
    }
    Ok(name)
}
