//! Lists of pods, nodes and namespaces, which become the topology.

use super::sample_store::SampleStore;
use crate::kube::{CallError, Calls, list_all};
use crate::manifests::{AMBIENT_LABEL, node, pod};
use crate::resources::{Node, Pod, Quantity, Sample, SamplePoint, Scope, Source};
use crate::spec::CollectSpec;
use crate::units::Nanos;
use k8s_openapi::api::core::v1 as api;
use kube::Client;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// How often a container ended, as far as the lists showed. A status holds the reason of the last end
/// only, so kills are counted list by list.
#[derive(Debug, Clone, Copy)]
struct Ends {
    restarts: u64,
    kills: u64,
}

/// Lists the pods that are collected.
pub struct PodList {
    scope: Scope,
    /// Whether pods may be listed across namespaces.
    everywhere: Cell<bool>,
    /// By uid of the pod and name of the container.
    ends: RefCell<BTreeMap<(String, String), Ends>>,
}

impl PodList {
    /// Lists the pods of the scope that was asked for; `default_namespace` is the application's when
    /// none was named.
    pub fn new(spec: &CollectSpec, default_namespace: &str) -> PodList {
        let mut application: std::collections::BTreeSet<String> =
            spec.namespaces.iter().cloned().collect();
        if application.is_empty() {
            application.insert(default_namespace.to_owned());
        }
        PodList {
            scope: Scope {
                application,
                all_namespaces: spec.all_namespaces,
                ambient: Default::default(),
            },
            everywhere: Cell::new(true),
            ends: RefCell::default(),
        }
    }

    /// Makes the first list, after a look at the namespaces that an ambient mesh serves.
    ///
    /// # Errors
    /// [`CallError`] when not even the application's pods can be listed.
    pub async fn first(
        &self,
        calls: &Calls,
        client: &Client,
        store: &RefCell<SampleStore>,
    ) -> Result<(), CallError> {
        let mut scope = self.scope.clone();
        match list_all::<api::Namespace>(calls, client, "/api/v1/namespaces").await {
            Ok(namespaces) => {
                let is_ambient = |one: &api::Namespace| {
                    let labels = one.metadata.labels.as_ref();
                    labels.and_then(|labels| labels.get(AMBIENT_LABEL)).is_some_and(|mode| mode == "ambient")
                };
                let ambient = namespaces.into_iter().filter(is_ambient);
                scope.ambient = ambient.filter_map(|one| one.metadata.name).collect();
            }
            Err(error) => store.borrow_mut().note(format!(
                "namespaces cannot be listed ({error}), so pods of an ambient mesh are not recognised as such"
            )),
        }
        store.borrow_mut().topology.scope = scope;
        self.again(calls, client, store).await
    }

    /// Lists the pods anew and brings the topology up to date.
    ///
    /// # Errors
    /// [`CallError`]; the topology then stays as it was.
    pub async fn again(
        &self,
        calls: &Calls,
        client: &Client,
        store: &RefCell<SampleStore>,
    ) -> Result<(), CallError> {
        let described = self.pods(calls, client, store).await?;
        let now = calls.now();
        let mut store = store.borrow_mut();
        let scope = store.topology.scope.clone();
        let pods = described
            .into_iter()
            .filter_map(|one| pod(one, &scope, now));
        let pods: Vec<Pod> = pods.filter(|pod| scope.contains(&pod.namespace)).collect();
        let events: Vec<Sample> = pods.iter().flat_map(|pod| self.events(pod, now)).collect();
        store.topology.update(pods, now);
        store.add(events);
        Ok(())
    }

    async fn pods(
        &self,
        calls: &Calls,
        client: &Client,
        store: &RefCell<SampleStore>,
    ) -> Result<Vec<api::Pod>, CallError> {
        if self.everywhere.get() {
            match list_all(calls, client, "/api/v1/pods").await {
                Err(error) if error.is_forbidden() => {
                    self.everywhere.set(false);
                    store.borrow_mut().note(
                        "pods may not be listed across namespaces, so the mesh's own pods may be missing".to_owned(),
                    );
                }
                outcome => return outcome,
            }
        }
        let mut pods = Vec::new();
        for namespace in &self.scope.application {
            pods.extend(
                list_all(
                    calls,
                    client,
                    &format!("/api/v1/namespaces/{namespace}/pods"),
                )
                .await?,
            );
        }
        for namespace in Scope::MESH_NAMESPACES {
            // Most clusters have one of these at most, and the account may not be allowed to see it.
            let path = format!("/api/v1/namespaces/{namespace}/pods");
            pods.extend(list_all(calls, client, &path).await.unwrap_or_default());
        }
        Ok(pods)
    }

    /// The cluster's nodes.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn nodes(&self, calls: &Calls, client: &Client) -> Result<Vec<Node>, CallError> {
        let nodes = list_all::<api::Node>(calls, client, "/api/v1/nodes").await?;
        Ok(nodes.into_iter().filter_map(node).collect())
    }

    /// Restarts and kills of a pod's containers, as counters.
    fn events(&self, pod: &Pod, now: Nanos) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut ends = self.ends.borrow_mut();
        for container in &pod.containers {
            let restarts = container.restarts;
            let key = (pod.uid.clone(), container.name.clone());
            let known = ends.entry(key).or_insert(Ends { restarts, kills: 0 });
            if restarts > known.restarts && container.last_exit.as_deref() == Some("OOMKilled") {
                known.kills += 1;
            }
            known.restarts = restarts;
            for (quantity, value) in [
                (Quantity::Restarts, restarts),
                (Quantity::OomKills, known.kills),
            ] {
                samples.push(Sample {
                    subject: pod.subject(Some(&container.name)),
                    quantity,
                    source: Source::PodList,
                    point: SamplePoint {
                        stamp: now,
                        received: now,
                        value,
                        epoch: None,
                    },
                });
            }
        }
        samples
    }
}
