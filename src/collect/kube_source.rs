//! Samples from a cluster: which endpoints serve, and what they are asked in each round.

use super::error::ClusterError;
use super::info::CollectorInfo;
use super::pod_list::PodList;
use super::sample_store::{LOOPBACK, MissingReasons, SampleStore};
use super::tasks::Tasks;
use super::window_edges::{ExecState, WindowEdgeReader};
use crate::clock::TimeSource;
use crate::kube::{Access, Answer, CallCounts, CallError, Calls, server_version};
use crate::readings::{MetricsEndpoint, samples_of};
use crate::resources::{Mesh, Node, Pod, Quantity, Source, Subject};
use crate::spec::CollectSpec;
use crate::units::Nanos;
use kube::Client;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The list of pods and cAdvisor's text are large and change slowly: they are asked for in every
/// fifth round.
const SLOW_ROUND: u64 = 5;

/// Samples from a cluster.
pub struct KubeSource {
    access: Access,
    client: Client,
    clock: TimeSource,
    calls: Calls,
    pods: PodList,
    edges: WindowEdgeReader,
    /// Clients of the kubelets that are asked at their own port, by node.
    kubelets: RefCell<BTreeMap<String, Client>>,
    /// Endpoints that are asked: those that did not refuse for good at the start.
    endpoints: RefCell<BTreeSet<MetricsEndpoint>>,
    /// Calls without an answer so far; they are not made a second time meanwhile.
    under_way: RefCell<BTreeSet<String>>,
    /// What was collected.
    pub store: RefCell<SampleStore>,
}

impl KubeSource {
    /// Reaches the cluster, lists its pods, and asks every endpoint once.
    ///
    /// # Errors
    /// [`ClusterError`] with the cure.
    pub async fn find(spec: &CollectSpec, clock: TimeSource) -> Result<KubeSource, ClusterError> {
        let access = Access::find(&spec.access).await?;
        let client = access.client()?;
        let calls = Calls::new(clock.clone());
        server_version(&calls, &client, &access.url).await?;
        let pods = PodList::new(spec, &access.default_namespace);
        let source = KubeSource {
            access,
            client,
            clock,
            calls,
            pods,
            edges: WindowEdgeReader::default(),
            kubelets: RefCell::default(),
            endpoints: RefCell::new(MetricsEndpoint::ALL.into()),
            under_way: RefCell::default(),
            store: RefCell::default(),
        };
        let (calls, client, store) = (&source.calls, &source.client, &source.store);
        let listed = source.pods.first(calls, client, store).await;
        listed.map_err(ClusterError::Pods)?;
        source.find_nodes().await;
        source.expect_pods()?;
        source.ask_everything().await?;
        if spec.exec {
            source.edges.probe(calls, client, store).await;
        } else {
            source.edges.forbid("--no-exec", store);
        }
        Ok(source)
    }

    fn expect_pods(&self) -> Result<(), ClusterError> {
        let store = self.store.borrow();
        let scope = &store.topology.scope;
        let counts =
            |namespace: &str| scope.all_namespaces || scope.application.contains(namespace);
        if store.topology.running().any(|pod| counts(&pod.namespace)) {
            return Ok(());
        }
        let names = scope.application.iter().cloned().collect();
        Err(ClusterError::NoPods(names))
    }

    async fn find_nodes(&self) {
        match self.pods.nodes(&self.calls, &self.client).await {
            Ok(nodes) => {
                for node in nodes {
                    self.find_kubelet(&node);
                    let mut store = self.store.borrow_mut();
                    store.topology.nodes.insert(node.name.clone(), node);
                }
            }
            Err(error) => self.note(format!("nodes cannot be listed: {error}")),
        }
    }

    fn find_kubelet(&self, node: &Node) {
        let address = node.address.as_deref().unwrap_or(&node.name);
        let port = node.kubelet_port.unwrap_or(10250);
        match self.access.kubelet_client(address, port) {
            Some(Ok(client)) => {
                self.kubelets.borrow_mut().insert(node.name.clone(), client);
            }
            Some(Err(error)) => self.note(format!("{}: {error}", node.name)),
            None => {}
        }
    }

    fn note(&self, note: String) {
        self.store.borrow_mut().note(note);
    }

    /// Nodes that run pods of the scope.
    fn nodes(&self) -> Vec<String> {
        let store = self.store.borrow();
        store
            .topology
            .busy_nodes()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Asks every kubelet for everything once. Endpoints that no node serves are not asked again;
    /// metrics-server is the last resort.
    async fn ask_everything(&self) -> Result<(), ClusterError> {
        let mut refused = None;
        for endpoint in MetricsEndpoint::OF_KUBELETS {
            let mut serves = false;
            for node in self.nodes() {
                match self.ask(endpoint, &node).await {
                    Ok(()) => serves = true,
                    Err(error) => {
                        // A failure that may pass does not rule the endpoint out.
                        serves |= !is_for_good(&error);
                        refused = Some((endpoint.path(), error));
                    }
                }
            }
            if !serves {
                self.endpoints.borrow_mut().remove(&endpoint);
            }
        }
        if self.store.borrow().has(Quantity::Cpu) {
            let mut endpoints = self.endpoints.borrow_mut();
            endpoints.remove(&MetricsEndpoint::MetricsServer);
            drop(endpoints);
            self.explain_missing();
            return Ok(());
        }
        let answer = self.ask(MetricsEndpoint::MetricsServer, "").await;
        if answer.is_ok() && self.store.borrow().has(Quantity::CpuUsage) {
            self.note("no kubelet can be asked, so CPU and memory come from metrics-server: smoothed, and nothing else".to_owned());
            return Ok(());
        }
        Err(ClusterError::NoSource { refused })
    }

    /// Keeps the reasons for what no source of this cluster has.
    fn explain_missing(&self) {
        let mut store = self.store.borrow_mut();
        let mut nodes = store.topology.nodes.values();
        let is_docker = nodes.any(|node| node.runtime.starts_with("docker"));
        let runtime = if is_docker {
            "the kubelet gives none (cri-dockerd reports none: use containerd)"
        } else {
            "the kubelet gives none"
        };
        for quantity in [Quantity::NetworkRx, Quantity::NetworkTx, Quantity::Rss] {
            if !store.has(quantity) {
                store.explain(&[quantity], runtime);
            }
        }
        if is_docker {
            store.note(
                "with cri-dockerd a container's working set is its whole memory, caches included"
                    .to_owned(),
            );
        }
        store.explain(
            &LOOPBACK,
            "only a command in the pod sees its loopback, and none could be run",
        );
        store.explain_groups(&MissingReasons {
            throttling: "no CPU limit, or no source that counts throttling",
            pressure: "the kubelet gives none (it needs cgroup v2 and Kubernetes 1.34)",
            disks: "neither the kubelet nor a command in the container gives it",
        });
    }

    /// Asks for what is due in this round, each call in a task of its own, so that one that hangs does
    /// not hold up the others.
    pub fn poll(self: &Rc<Self>, round: u64, tasks: &mut Tasks) {
        let is_slow_round = round.is_multiple_of(SLOW_ROUND);
        if is_slow_round {
            self.ask_in_task("pods".to_owned(), tasks, |source| async move {
                source.list_pods().await;
            });
        }
        let endpoints = self.endpoints.borrow().clone();
        for endpoint in endpoints
            .into_iter()
            .filter(|endpoint| is_slow_round || !endpoint.is_slow())
        {
            let nodes = if endpoint == MetricsEndpoint::MetricsServer {
                vec![String::new()]
            } else {
                self.nodes()
            };
            for node in nodes {
                let what = what(endpoint, &node);
                self.ask_in_task(what, tasks, move |source| async move {
                    // A failure is recorded as an outage.
                    let _ = source.ask(endpoint, &node).await;
                });
            }
        }
    }

    fn ask_in_task<F: Future<Output = ()> + 'static>(
        self: &Rc<Self>,
        what: String,
        tasks: &mut Tasks,
        work: impl FnOnce(Rc<Self>) -> F + 'static,
    ) {
        if !self.under_way.borrow_mut().insert(what.clone()) {
            return;
        }
        let source = self.clone();
        let hold = self.clock.busy();
        tasks.spawn_local(async move {
            work(source.clone()).await;
            source.under_way.borrow_mut().remove(&what);
            hold
        });
    }

    async fn ask(&self, endpoint: MetricsEndpoint, node: &str) -> Result<(), CallError> {
        let outcome = match self.fetch(endpoint, node).await {
            Ok(answer) => self.take(endpoint, node, &answer),
            Err(error) => Err(error),
        };
        let mut store = self.store.borrow_mut();
        store.record(&what(endpoint, node), &outcome, self.clock.unix());
        outcome
    }

    async fn fetch(&self, endpoint: MetricsEndpoint, node: &str) -> Result<Answer, CallError> {
        if endpoint == MetricsEndpoint::MetricsServer {
            return self.calls.get(&self.client, endpoint.path()).await;
        }
        let kubelet = self.kubelets.borrow().get(node).cloned();
        match kubelet {
            Some(kubelet) => self.calls.get(&kubelet, endpoint.path()).await,
            None => {
                let path = format!("/api/v1/nodes/{node}/proxy{}", endpoint.path());
                self.calls.get(&self.client, &path).await
            }
        }
    }

    fn take(
        &self,
        endpoint: MetricsEndpoint,
        node: &str,
        answer: &Answer,
    ) -> Result<(), CallError> {
        let mut store = self.store.borrow_mut();
        if let (Some(clock), false) = (answer.clock, node.is_empty()) {
            store.learn_clock(node, clock);
        }
        let found = samples_of(endpoint, &answer.body, answer.received, &store.topology);
        let found = found.map_err(|error| CallError::Unreadable(error.to_string()))?;
        if let Some(newest) = found.newest {
            store.learn_newest(node, newest, answer.received);
        }
        store.add(found.samples);
        Ok(())
    }

    /// Finds nodes that have joined since the last list.
    async fn find_new_nodes(&self) {
        let known: BTreeSet<String> = {
            let store = self.store.borrow();
            store.topology.nodes.keys().cloned().collect()
        };
        // Without the right to list nodes none is known, and asking again does not help.
        if !known.is_empty() && self.nodes().iter().any(|node| !known.contains(node)) {
            self.find_nodes().await;
        }
    }

    async fn list_pods(&self) {
        let listed = self.pods.again(&self.calls, &self.client, &self.store);
        let outcome = listed.await;
        self.find_new_nodes().await;
        let mut store = self.store.borrow_mut();
        store.record("pods", &outcome, self.clock.unix());
    }

    /// Reads the counters of every container at this moment, and lists the pods anew.
    pub fn read_edge_in_task(self: &Rc<Self>, tasks: &mut Tasks) {
        let source = self.clone();
        let hold = self.clock.busy();
        tasks.spawn_local(async move {
            let KubeSource {
                calls,
                client,
                store,
                ..
            } = &*source;
            tokio::join!(source.list_pods(), source.edges.read(calls, client, store));
            hold
        });
    }

    /// Whether every container has a sample that was taken after the window's end, in nanoseconds
    /// since 1970. Where commands can be run, the network was read at that edge.
    pub fn is_settled(&self, window_end: Nanos) -> bool {
        let store = self.store.borrow();
        let kubelet = [
            Source::MetricsResource,
            Source::StatsSummary,
            Source::MetricsCadvisor,
        ];
        let reaches = |subject: &Subject, quantity| {
            let series = kubelet.map(|source| store.log.points(subject, quantity, source).last());
            let mut last = series.into_iter().flatten().peekable();
            // Series without any sample do not delay the end.
            last.peek().is_none()
                || last.any(|point| store.on_our_clock(&subject.node, point.stamp) >= window_end)
        };
        store.topology.running().all(|pod| {
            let running = pod.containers.iter().filter(|container| container.running);
            let has_network =
                self.edges.may_run() || reaches(&pod.subject(None), Quantity::NetworkRx);
            has_network
                && running
                    .map(|container| pod.subject(Some(&container.name)))
                    .all(|subject| reaches(&subject, Quantity::Cpu))
        })
    }

    /// The sources that are asked.
    pub fn serving(&self) -> BTreeSet<Source> {
        let endpoints = self.endpoints.borrow();
        endpoints.iter().map(|endpoint| endpoint.source()).collect()
    }

    /// Whether commands can be run in containers.
    pub fn exec_state(&self) -> ExecState {
        self.edges.state()
    }

    /// Calls made so far.
    pub fn counts(&self) -> CallCounts {
        self.calls.counts()
    }

    /// What was found.
    pub fn info(&self) -> CollectorInfo {
        let store = self.store.borrow();
        let topology = &store.topology;
        let pods = topology.running().count();
        let in_mesh = |pod: &&Pod| pod.mesh != Mesh::None;
        let meshed = topology.running().filter(in_mesh).count();
        let nodes = topology.busy_nodes().len();
        let endpoints = self.endpoints.borrow();
        let mut sources: Vec<&str> = endpoints.iter().map(|one| one.source().name()).collect();
        if self.edges.may_run() {
            sources.push(Source::Exec.name());
        }
        CollectorInfo {
            is_cluster: true,
            summary: format!(
                "collecting from {}: {pods} pods ({meshed} in the mesh) on {nodes} nodes, by {}",
                self.access.url.trim_end_matches('/'),
                sources.join(", ")
            ),
            notes: store.notes().to_vec(),
        }
    }
}

/// What a call asks for, as outages name it.
fn what(endpoint: MetricsEndpoint, node: &str) -> String {
    format!("{node} {}", endpoint.path()).trim().to_owned()
}

/// Refused, or not there: asking again will not help.
fn is_for_good(error: &CallError) -> bool {
    matches!(
        error,
        CallError::Status {
            status: 401 | 403 | 404 | 405,
            ..
        }
    )
}
