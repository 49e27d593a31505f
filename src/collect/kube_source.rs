//! Samples from a cluster: which endpoints serve, and what is asked of them at each look.

use super::collector::Introduction;
use super::pod_list::Listing;
use super::sample_store::Book;
use super::window_edges::Edges;
use crate::clock::RunClock;
use crate::kube::{Access, AccessError, Answer, CallCounts, CallError, Calls, server_version};
use crate::readings::{MetricsEndpoint, samples_of};
use crate::resources::{Mesh, Node, Quantity, Source, Subject};
use crate::spec::CollectSpec;
use crate::units::Nanos;
use kube::Client;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use tokio::task::JoinSet;

/// Why a cluster gives nothing to collect.
#[derive(Debug, thiserror::Error)]
pub enum NoCluster {
    /// It cannot be reached.
    #[error("{}; {}", self.problem(), self.cure())]
    Access(#[from] AccessError),
    /// Its pods cannot be listed.
    #[error("{}; {}", self.problem(), self.cure())]
    Pods {
        /// What the server said.
        error: CallError,
    },
    /// Nothing runs where the application should be.
    #[error("{}; {}", self.problem(), self.cure())]
    NoPods(String),
    /// No kubelet and no metrics-server gives figures.
    #[error("{}; {}", self.problem(), self.cure())]
    NoSource {
        /// What the last of them said.
        reason: String,
        /// What to do.
        cure: &'static str,
    },
}

impl NoCluster {
    /// What is wrong.
    pub fn problem(&self) -> String {
        let problem = match self {
            NoCluster::Access(error) => error.problem(),
            NoCluster::Pods { error } => format!("pods cannot be listed: {error}"),
            NoCluster::NoPods(namespaces) => format!("no pod runs in namespace {namespaces}"),
            NoCluster::NoSource { reason, .. } => format!("no figures can be had: {reason}"),
        };
        format!("--collect kube: {problem}")
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            NoCluster::Access(error) => error.cure(),
            NoCluster::Pods { error } => error.cure(),
            NoCluster::NoPods(_) => "name the application's with -n, or use --all-namespaces",
            NoCluster::NoSource { cure, .. } => cure,
        }
    }
}

/// The list of pods and cAdvisor's text are large and change slowly.
const SLOW: u64 = 5;

/// Samples from a cluster.
pub struct KubeSource {
    access: Access,
    client: Client,
    clock: RunClock,
    calls: Calls,
    listing: Listing,
    edges: Edges,
    kubelets: RefCell<BTreeMap<String, Client>>,
    /// What is asked: everything that was not refused for good when it was first asked for.
    endpoints: RefCell<BTreeSet<MetricsEndpoint>>,
    /// What has been asked and not answered yet; it is not asked again meanwhile.
    asked: RefCell<BTreeSet<String>>,
    /// What was learnt.
    pub book: RefCell<Book>,
}

impl KubeSource {
    /// Reaches the cluster, sees who is there, and asks every source once.
    ///
    /// # Errors
    /// [`NoCluster`] with the cure.
    pub async fn find(spec: &CollectSpec, clock: RunClock) -> Result<KubeSource, NoCluster> {
        let access = Access::find(&spec.access).await?;
        let client = access.client()?;
        let calls = Calls::new(clock);
        server_version(&calls, &client, &access.url).await?;
        let listing = Listing::new(spec, &access.default_namespace);
        let source = KubeSource {
            access,
            client,
            clock,
            calls,
            listing,
            edges: Edges::default(),
            kubelets: RefCell::default(),
            endpoints: RefCell::new(MetricsEndpoint::ALL.into()),
            asked: RefCell::default(),
            book: RefCell::default(),
        };
        let list = source
            .listing
            .first(&source.calls, &source.client, &source.book);
        list.await.map_err(|error| NoCluster::Pods { error })?;
        source.find_nodes().await;
        source.expect_pods()?;
        source.ask_everything().await?;
        if spec.exec {
            let edges = &source.edges;
            edges
                .probe(&source.calls, &source.client, &clock, &source.book)
                .await;
        } else {
            source.edges.forbid("--no-exec", &source.book);
        }
        Ok(source)
    }

    fn expect_pods(&self) -> Result<(), NoCluster> {
        let book = self.book.borrow();
        let scope = &book.topology.scope;
        let counts =
            |namespace: &str| scope.all_namespaces || scope.application.contains(namespace);
        if book.topology.running().any(|pod| counts(&pod.namespace)) {
            return Ok(());
        }
        let names: Vec<&str> = scope.application.iter().map(String::as_str).collect();
        Err(NoCluster::NoPods(names.join(", ")))
    }

    async fn find_nodes(&self) {
        match self.listing.nodes(&self.calls, &self.client).await {
            Ok(nodes) => {
                for node in nodes {
                    self.find_kubelet(&node);
                    let mut book = self.book.borrow_mut();
                    book.topology.nodes.insert(node.name.clone(), node);
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
        self.book.borrow_mut().note(note);
    }

    fn nodes(&self) -> Vec<String> {
        let book = self.book.borrow();
        book.topology
            .busy_nodes()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Asks every kubelet for everything once. What no node serves is not asked for again, and why
    /// is kept; metrics-server is the last resort.
    async fn ask_everything(&self) -> Result<(), NoCluster> {
        let mut last = None;
        for endpoint in MetricsEndpoint::OF_KUBELETS {
            let mut serves = false;
            for node in self.nodes() {
                match self.ask(endpoint, &node).await {
                    // A hiccup is not a refusal.
                    Ok(()) => serves = true,
                    Err(error) => {
                        serves |= !is_for_good(&error);
                        last = Some((endpoint, error));
                    }
                }
            }
            if !serves {
                self.endpoints.borrow_mut().remove(&endpoint);
            }
        }
        if self.book.borrow().has(Quantity::Cpu) {
            self.endpoints
                .borrow_mut()
                .remove(&MetricsEndpoint::MetricsServer);
            self.explain_missing();
            return Ok(());
        }
        let metrics_server = self.ask(MetricsEndpoint::MetricsServer, "").await;
        match (metrics_server, last) {
            (Ok(()), _) if self.book.borrow().has(Quantity::CpuUsage) => {
                self.note("no kubelet can be asked, so CPU and memory come from metrics-server: smoothed, and nothing else".to_owned());
                Ok(())
            }
            (_, Some((endpoint, error))) => Err(NoCluster::NoSource {
                reason: format!("{}: {error}", endpoint.path()),
                cure: error.cure(),
            }),
            (_, None) => Err(NoCluster::NoSource {
                reason: "no node runs a pod".to_owned(),
                cure: "start the application first",
            }),
        }
    }

    /// What no source has is missing for a reason.
    fn explain_missing(&self) {
        let mut book = self.book.borrow_mut();
        let runtimes: BTreeSet<String> = book
            .topology
            .nodes
            .values()
            .map(|node| node.runtime.clone())
            .collect();
        let is_docker = runtimes.iter().any(|runtime| runtime.starts_with("docker"));
        let runtime = if is_docker {
            "the kubelet gives none (cri-dockerd reports none: use containerd)"
        } else {
            "the kubelet gives none"
        };
        for quantity in [Quantity::NetworkRx, Quantity::NetworkTx, Quantity::Rss] {
            if !book.has(quantity) {
                book.explain(&[quantity], runtime);
            }
        }
        if is_docker {
            book.note(
                "with cri-dockerd a container's working set is its whole memory, caches included"
                    .to_owned(),
            );
        }
        let loopback = [Quantity::LoopbackRx, Quantity::LoopbackTx];
        book.explain(
            &loopback,
            "only a command in the pod sees its loopback, and none could be run",
        );
        let limits = [
            Quantity::CpuPeriods,
            Quantity::ThrottledPeriods,
            Quantity::ThrottledTime,
        ];
        book.explain(&limits, "no CPU limit, or no source that counts throttling");
        let disks = [Quantity::DiskRead, Quantity::DiskWrite];
        book.explain(
            &disks,
            "neither the kubelet nor a command in the container gives it",
        );
        let pressure = [Quantity::PsiCpu, Quantity::PsiMemory, Quantity::PsiIo];
        book.explain(
            &pressure,
            "the kubelet gives none (it needs cgroup v2 and Kubernetes 1.34)",
        );
    }

    /// Asks what is due at this look, each in a task of its own: one that hangs holds no other.
    pub fn look(self: &Rc<Self>, number: u64, tasks: &mut JoinSet<()>) {
        let is_slow_turn = number.is_multiple_of(SLOW);
        if is_slow_turn {
            self.ask_in_task("pods".to_owned(), tasks, |source| async move {
                source.list_pods().await;
            });
        }
        let endpoints = self.endpoints.borrow().clone();
        for endpoint in endpoints
            .into_iter()
            .filter(|endpoint| is_slow_turn || !endpoint.is_slow())
        {
            let nodes = if endpoint == MetricsEndpoint::MetricsServer {
                vec![String::new()]
            } else {
                self.nodes()
            };
            for node in nodes {
                let what = what(endpoint, &node);
                self.ask_in_task(what, tasks, move |source| async move {
                    // A failure is written down as a gap.
                    let _ = source.ask(endpoint, &node).await;
                });
            }
        }
    }

    fn ask_in_task<F: Future<Output = ()> + 'static>(
        self: &Rc<Self>,
        what: String,
        tasks: &mut JoinSet<()>,
        work: impl FnOnce(Rc<Self>) -> F + 'static,
    ) {
        if !self.asked.borrow_mut().insert(what.clone()) {
            return;
        }
        let source = self.clone();
        tasks.spawn_local(async move {
            work(source.clone()).await;
            source.asked.borrow_mut().remove(&what);
        });
    }

    async fn ask(&self, endpoint: MetricsEndpoint, node: &str) -> Result<(), CallError> {
        let what = what(endpoint, node);
        let outcome = match self.fetch(endpoint, node).await {
            Ok(answer) => self.take(endpoint, node, &answer),
            Err(error) => Err(error),
        };
        let now = self.clock.unix();
        let mut book = self.book.borrow_mut();
        match &outcome {
            Ok(()) => book.heard(&what, now),
            Err(error) => book.missed(&what, error, now),
        }
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
        let mut book = self.book.borrow_mut();
        if let (Some(clock), false) = (answer.clock, node.is_empty()) {
            book.learn_clock(node, clock);
        }
        let samples = samples_of(endpoint, &answer.body, answer.received, &book.topology)
            .map_err(|error| CallError::Unreadable(error.to_string()))?;
        if let Some(newest) = samples.newest {
            book.learn_newest(node, newest, answer.received);
        }
        book.add(samples.samples);
        Ok(())
    }

    /// Nodes that have joined since the last list.
    async fn meet_nodes(&self) {
        let known: BTreeSet<String> = {
            let book = self.book.borrow();
            book.topology.nodes.keys().cloned().collect()
        };
        // Without the right to list nodes none is known, and asking again does not help.
        if !known.is_empty() && self.nodes().iter().any(|node| !known.contains(node)) {
            self.find_nodes().await;
        }
    }

    async fn list_pods(&self) {
        let outcome = self
            .listing
            .again(&self.calls, &self.client, &self.book)
            .await;
        self.meet_nodes().await;
        let now = self.clock.unix();
        let mut book = self.book.borrow_mut();
        match outcome {
            Ok(()) => book.heard("pods", now),
            Err(error) => book.missed("pods", &error, now),
        }
    }

    /// Reads the counters of every container at this moment, after a fresh look at who is there.
    pub async fn read_edge(&self) {
        let (calls, client, clock, book) = (&self.calls, &self.client, &self.clock, &self.book);
        tokio::join!(
            self.list_pods(),
            self.edges.read(calls, client, clock, book)
        );
    }

    /// Whether every container has a sample that was taken after the window's end. The network has
    /// been read at the edge where commands can be run.
    pub fn is_settled(&self, window_end: Nanos) -> bool {
        let book = self.book.borrow();
        let kubelet = [
            Source::MetricsResource,
            Source::StatsSummary,
            Source::MetricsCadvisor,
        ];
        let reaches = |subject: &Subject, quantity| {
            let series = kubelet.map(|source| book.log.points(subject, quantity, source).last());
            let mut last = series.into_iter().flatten().peekable();
            // Who was never heard of is not waited for.
            last.peek().is_none()
                || last.any(|point| book.on_our_clock(&subject.node, point.stamp) >= window_end)
        };
        book.topology.running().all(|pod| {
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

    /// Why no command can be run in containers, if so, and the version of control groups that one
    /// found.
    pub fn exec_state(&self) -> (Option<String>, Option<u8>) {
        self.edges.state()
    }

    /// Calls made so far.
    pub fn counts(&self) -> CallCounts {
        self.calls.counts()
    }

    /// What was found.
    pub fn introduction(&self) -> Introduction {
        let book = self.book.borrow();
        let pods = book.topology.running().count();
        let meshed = book
            .topology
            .running()
            .filter(|pod| pod.mesh != Mesh::None)
            .count();
        let nodes = book.topology.busy_nodes().len();
        let mut sources: Vec<&str> = self
            .endpoints
            .borrow()
            .iter()
            .map(|one| one.source().name())
            .collect();
        if self.edges.may_run() {
            sources.push(Source::Exec.name());
        }
        Introduction {
            is_cluster: true,
            summary: format!(
                "collecting from {}: {pods} pods ({meshed} in the mesh) on {nodes} nodes, by {}",
                self.access.url.trim_end_matches('/'),
                sources.join(", ")
            ),
            notes: book.notes().to_vec(),
        }
    }
}

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
