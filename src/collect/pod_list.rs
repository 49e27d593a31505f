//! Who is there: lists of pods, nodes and namespaces.

use super::sample_store::Book;
use crate::kube::{CallError, Calls, list_all as all};
use crate::manifests::{AMBIENT_LABEL, node, pod};
use crate::resources::{Node, Pod, Point, Quantity, Sample, Scope, Source};
use crate::spec::CollectSpec;
use crate::units::Nanos;
use k8s_openapi::api::core::v1 as api;
use kube::Client;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Lists pods.
pub struct Listing {
    scope: Scope,
    /// Whether pods may be listed across namespaces.
    everywhere: Cell<bool>,
    /// Containers that the kernel killed, by pod and container: their status tells only the last.
    kills: RefCell<BTreeMap<(String, String), (u64, u64)>>,
}

impl Listing {
    /// Lists what was asked for; `default_namespace` is the application's when none was named.
    pub fn new(spec: &CollectSpec, default_namespace: &str) -> Listing {
        let mut application: std::collections::BTreeSet<String> =
            spec.namespaces.iter().cloned().collect();
        if application.is_empty() {
            application.insert(default_namespace.to_owned());
        }
        Listing {
            scope: Scope {
                application,
                all_namespaces: spec.all_namespaces,
                ambient: Default::default(),
            },
            everywhere: Cell::new(true),
            kills: RefCell::default(),
        }
    }

    /// The first list, with what the namespaces say about the mesh.
    ///
    /// # Errors
    /// [`CallError`] when not even the application's pods can be listed.
    pub async fn first(
        &self,
        calls: &Calls,
        client: &Client,
        book: &RefCell<Book>,
    ) -> Result<(), CallError> {
        let mut scope = self.scope.clone();
        match all::<api::Namespace>(calls, client, "/api/v1/namespaces").await {
            Ok(namespaces) => {
                let is_ambient = |one: &api::Namespace| {
                    let labels = one.metadata.labels.as_ref();
                    labels.and_then(|labels| labels.get(AMBIENT_LABEL)).is_some_and(|mode| mode == "ambient")
                };
                let ambient = namespaces.into_iter().filter(is_ambient);
                scope.ambient = ambient.filter_map(|one| one.metadata.name).collect();
            }
            Err(error) => book.borrow_mut().note(format!(
                "namespaces cannot be listed ({error}), so pods of an ambient mesh are not recognised as such"
            )),
        }
        book.borrow_mut().topology.scope = scope;
        self.again(calls, client, book).await
    }

    /// The list as it is now.
    ///
    /// # Errors
    /// [`CallError`]; the topology then stays as it was.
    pub async fn again(
        &self,
        calls: &Calls,
        client: &Client,
        book: &RefCell<Book>,
    ) -> Result<(), CallError> {
        let described = self.pods(calls, client, book).await?;
        let now = calls.now();
        let mut book = book.borrow_mut();
        let scope = book.topology.scope.clone();
        let pods = described
            .into_iter()
            .filter_map(|one| pod(one, &scope, now));
        let pods: Vec<Pod> = pods.filter(|pod| scope.contains(&pod.namespace)).collect();
        let events: Vec<Sample> = pods.iter().flat_map(|pod| self.events(pod, now)).collect();
        book.topology.update(pods, now);
        book.add(events);
        Ok(())
    }

    async fn pods(
        &self,
        calls: &Calls,
        client: &Client,
        book: &RefCell<Book>,
    ) -> Result<Vec<api::Pod>, CallError> {
        if self.everywhere.get() {
            match all(calls, client, "/api/v1/pods").await {
                Err(error) if error.is_forbidden() => {
                    self.everywhere.set(false);
                    book.borrow_mut().note(
                        "pods may not be listed across namespaces, so the mesh's own pods may be missing".to_owned(),
                    );
                }
                outcome => return outcome,
            }
        }
        let mut pods = Vec::new();
        for namespace in &self.scope.application {
            pods.extend(
                all(
                    calls,
                    client,
                    &format!("/api/v1/namespaces/{namespace}/pods"),
                )
                .await?,
            );
        }
        for namespace in Scope::MESH_NAMESPACES {
            // Most clusters have none or one of them, and the account may not see it.
            let path = format!("/api/v1/namespaces/{namespace}/pods");
            pods.extend(all(calls, client, &path).await.unwrap_or_default());
        }
        Ok(pods)
    }

    /// Nodes, as far as the account may see them.
    ///
    /// # Errors
    /// [`CallError`]
    pub async fn nodes(&self, calls: &Calls, client: &Client) -> Result<Vec<Node>, CallError> {
        let nodes = all::<api::Node>(calls, client, "/api/v1/nodes").await?;
        Ok(nodes.into_iter().filter_map(node).collect())
    }

    /// Restarts and kills, as counters. A status tells why a container ended the last time only, so
    /// kills are counted as restarts go by.
    fn events(&self, pod: &Pod, now: Nanos) -> Vec<Sample> {
        let mut samples = Vec::new();
        let mut kills = self.kills.borrow_mut();
        for container in &pod.containers {
            let known = kills.entry((pod.uid.clone(), container.name.clone()));
            let (restarts, killed) = known.or_insert((container.restarts, 0));
            if container.restarts > *restarts && container.last_exit.as_deref() == Some("OOMKilled")
            {
                *killed += 1;
            }
            *restarts = container.restarts;
            for (quantity, value) in [
                (Quantity::Restarts, container.restarts),
                (Quantity::OomKills, *killed),
            ] {
                samples.push(Sample {
                    subject: pod.subject(Some(&container.name)),
                    quantity,
                    source: Source::PodList,
                    point: Point {
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
