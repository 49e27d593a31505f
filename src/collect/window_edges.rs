//! Counters read inside the containers at the edges of the window, free of the kubelet's delay.

use super::sample_store::{LOOPBACK, SampleStore};
use crate::kube::{CallError, Calls, Printed, exec};
use crate::readings::{EDGE_COMMAND, EdgeReading, edge_reading, network_sums};
use crate::resources::{Category, Pod, Quantity, Role, Sample, SamplePoint, Source, Subject};
use crate::units::Nanos;
use futures_util::future::join_all;
use kube::Client;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// Reads the edges of the window.
#[derive(Default)]
pub struct WindowEdgeReader {
    /// Why no command may be run anywhere.
    forbidden: RefCell<Option<String>>,
    /// Namespaces in which the account may not run commands.
    exec_forbidden: RefCell<BTreeSet<String>>,
    /// Containers whose image has no `cat`.
    no_cat: RefCell<BTreeSet<Subject>>,
    /// The first reading of each node.
    anchors: RefCell<BTreeMap<String, Anchor>>,
    cgroup_version: Cell<Option<u8>>,
}

/// A moment of a node's uptime and the same moment on the collector's clock. `/proc/uptime` is the
/// same in all containers of a node, so the readings of a node share one measure of time.
#[derive(Clone, Copy)]
struct Anchor {
    uptime: Nanos,
    ours: Nanos,
}

/// Whether commands can be run in containers.
pub struct ExecState {
    /// Why none can be run, if so.
    pub refusal: Option<String>,
    /// The version of control groups that the first command found.
    pub cgroup_version: Option<u8>,
}

impl WindowEdgeReader {
    /// Runs no commands from now on, for this reason.
    pub fn forbid(&self, reason: &str, store: &RefCell<SampleStore>) {
        let text =
            format!("only a command in the pod sees its loopback, and none may be run: {reason}");
        store.borrow_mut().explain(&LOOPBACK, &text);
        *self.forbidden.borrow_mut() = Some(reason.to_owned());
    }

    /// Whether commands may be run.
    pub fn may_run(&self) -> bool {
        self.forbidden.borrow().is_none()
    }

    /// Whether commands can be run, and what the first of them found.
    pub fn state(&self) -> ExecState {
        ExecState {
            refusal: self.forbidden.borrow().clone(),
            cgroup_version: self.cgroup_version.get(),
        }
    }

    /// Runs the command in one container after the other, until one shows whether it may be run at
    /// all.
    pub async fn probe(&self, calls: &Calls, client: &Client, store: &RefCell<SampleStore>) {
        let subjects = self.subjects(&store.borrow());
        let mut refusal = "no container has a `cat`".to_owned();
        for subject in subjects {
            // Rights are given by namespace.
            if self.exec_forbidden.borrow().contains(&subject.namespace) {
                continue;
            }
            match exec(calls, client, &subject, &EDGE_COMMAND).await {
                Ok(printed) => {
                    let reading = edge_reading(&printed.stdout);
                    self.cgroup_version.set(reading.cgroup_version);
                    return;
                }
                Err(CallError::Unreadable(_)) => {
                    self.no_cat.borrow_mut().insert(subject);
                }
                Err(error) => {
                    refusal = error.to_string();
                    store.borrow_mut().note(refusal_note(&subject, &error));
                    if !is_of_account(&error) {
                        break;
                    }
                    self.exec_forbidden.borrow_mut().insert(subject.namespace);
                }
            }
        }
        self.forbid(&refusal, store);
    }

    /// Reads the counters of every container now.
    pub async fn read(&self, calls: &Calls, client: &Client, store: &RefCell<SampleStore>) {
        if !self.may_run() {
            return;
        }
        let subjects = self.subjects(&store.borrow());
        let reads = subjects.into_iter().map(|subject| async move {
            let container = subject.container.as_deref().unwrap_or_default();
            let what = format!("exec {}/{container}", subject.pod);
            match exec(calls, client, &subject, &EDGE_COMMAND).await {
                Ok(printed) => {
                    store.borrow_mut().record_success(&what, calls.now());
                    self.take(&subject, &printed, store);
                }
                Err(error) => {
                    store
                        .borrow_mut()
                        .record_failure(&what, &error, calls.now());
                    if matches!(error, CallError::Unreadable(_)) {
                        self.no_cat.borrow_mut().insert(subject);
                    }
                }
            }
        });
        join_all(reads).await;
    }

    /// Running containers of the application and the mesh in which a command may be run.
    fn subjects(&self, store: &SampleStore) -> Vec<Subject> {
        let (no_cat, exec_forbidden) = (self.no_cat.borrow(), self.exec_forbidden.borrow());
        let counts = |pod: &&Pod| {
            let wanted = [Category::Application, Category::IstioControlPlane];
            wanted.contains(&pod.category) && !exec_forbidden.contains(&pod.namespace)
        };
        let pods = store.topology.running().filter(counts);
        pods.flat_map(|pod| {
            let running = pod
                .containers
                .iter()
                .filter(|container| container.running && container.role != Role::System);
            running.map(|container| pod.subject(Some(&container.name)))
        })
        .filter(|subject| !no_cat.contains(subject))
        .collect()
    }

    /// Adds the samples of one container's reading.
    fn take(&self, subject: &Subject, printed: &Printed, store: &RefCell<SampleStore>) {
        let reading = edge_reading(&printed.stdout);
        let stamp = self.stamp(&subject.node, reading.uptime, printed.at);
        let mut store = store.borrow_mut();
        let pod = store.topology.pods.get(&subject.uid);
        let container = pod.and_then(|pod| {
            let name = subject.container.as_deref();
            pod.containers
                .iter()
                .find(|one| Some(one.name.as_str()) == name)
        });
        let epoch = container.and_then(|container| container.started);
        let of_pod = Subject {
            container: None,
            ..subject.clone()
        };
        let sample = |subject: &Subject, epoch, (quantity, value)| Sample {
            subject: subject.clone(),
            quantity,
            source: Source::Exec,
            point: SamplePoint {
                stamp,
                received: printed.at,
                value,
                epoch,
            },
        };
        let own = of_container(&reading).into_iter();
        let own = own.map(|number| sample(subject, epoch, number));
        // The containers of a pod share one network, so the first reading of each edge is enough.
        let before = store.log.points(&of_pod, Quantity::NetworkRx, Source::Exec);
        let is_news = before.last().is_none_or(|point| point.stamp < stamp);
        let interfaces = reading.interfaces.as_deref().filter(|_| is_news);
        let shared = interfaces.map(|all| network_sums(all, Some(0)));
        let shared = shared.into_iter().flatten();
        let shared = shared.map(|number| sample(&of_pod, None, number));
        let samples: Vec<Sample> = own.chain(shared).collect();
        store.add(samples);
    }

    /// When a reading was taken: by the node's uptime since its first reading, else by the middle of
    /// the call, `at`.
    fn stamp(&self, node: &str, uptime: Option<Nanos>, at: Nanos) -> Nanos {
        let Some(uptime) = uptime else { return at };
        let mut anchors = self.anchors.borrow_mut();
        let now = Anchor { uptime, ours: at };
        let first = *anchors.entry(node.to_owned()).or_insert(now);
        Nanos((first.ours.0 + uptime.0).saturating_sub(first.uptime.0))
    }
}

fn of_container(reading: &EdgeReading) -> Vec<(Quantity, u64)> {
    let cpu = &reading.cpu;
    [
        (Quantity::Cpu, cpu.usage),
        (Quantity::CpuPeriods, cpu.periods),
        (Quantity::ThrottledPeriods, cpu.throttled_periods),
        (Quantity::ThrottledTime, cpu.throttled),
        (Quantity::DiskRead, reading.io.read_bytes),
        (Quantity::DiskWrite, reading.io.write_bytes),
    ]
    .into_iter()
    .filter_map(|(quantity, value)| Some((quantity, value?)))
    .collect()
}

/// Whether the account lacks the right: another namespace may give it. A proxy refuses everywhere.
fn is_of_account(error: &CallError) -> bool {
    error.is_forbidden() && !is_kubectl_proxy(error)
}

fn refusal_note(subject: &Subject, error: &CallError) -> String {
    let place = if is_of_account(error) {
        format!(" of {}", subject.namespace)
    } else {
        String::new()
    };
    let cure = exec_cure(error);
    format!("no command can be run in pods{place} ({error}), so their loopback is not seen; {cure}")
}

/// The API server gives a sentence as the reason of a 403; `kubectl proxy` gives one word.
fn is_kubectl_proxy(error: &CallError) -> bool {
    match error {
        CallError::Status {
            status: 403,
            message,
        } => message.trim().is_empty() || message == "Forbidden",
        _ => false,
    }
}

/// What to do about commands that are refused.
fn exec_cure(error: &CallError) -> &'static str {
    match error {
        error if is_kubectl_proxy(error) => {
            "a `kubectl proxy` refuses exec: use a kubeconfig, or start it with --reject-paths='^$'"
        }
        CallError::Status { status: 403, .. } => {
            "the account needs `get` (and from Kubernetes 1.35 on `create`) on pods/exec: see docs/rbac.yaml"
        }
        other => other.cure(),
    }
}
