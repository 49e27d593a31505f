//! Counters read inside the containers at the edges of the window, free of the kubelet's delay.

use super::sample_store::Book;
use crate::clock::RunClock;
use crate::kube::{CallError, Calls, Printed, exec};
use crate::readings::{EDGE_COMMAND, EdgeReading, edge_reading, is_loopback, is_wire};
use crate::resources::{Category, Pod, Point, Quantity, Role, Sample, Source, Subject};
use crate::units::Nanos;
use futures_util::future::join_all;
use kube::Client;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

/// Reads edges.
#[derive(Default)]
pub struct Edges {
    /// Why no command may be run anywhere.
    forbidden: RefCell<Option<String>>,
    /// Namespaces in which the account may run none.
    refusing: RefCell<BTreeSet<String>>,
    /// Containers in which there is nothing to run.
    barren: RefCell<BTreeSet<Subject>>,
    /// Per node, a moment of its uptime and the same moment on our clock. `/proc/uptime` is the same
    /// in all containers of a node, so the reads of a node share one measure of time.
    anchors: RefCell<BTreeMap<String, (Nanos, Nanos)>>,
    cgroup_version: Cell<Option<u8>>,
}

impl Edges {
    /// No command is to be run, and why.
    pub fn forbid(&self, reason: &str, book: &RefCell<Book>) {
        let quantities = [Quantity::LoopbackRx, Quantity::LoopbackTx];
        let text =
            format!("only a command in the pod sees its loopback, and none may be run: {reason}");
        book.borrow_mut().explain(&quantities, &text);
        *self.forbidden.borrow_mut() = Some(reason.to_owned());
    }

    /// Whether commands may be run.
    pub fn may_run(&self) -> bool {
        self.forbidden.borrow().is_none()
    }

    /// Why no command may be run, and the version of control groups that the first one found.
    pub fn state(&self) -> (Option<String>, Option<u8>) {
        (self.forbidden.borrow().clone(), self.cgroup_version.get())
    }

    /// Runs the command once, in one container after the other, until one shows whether it may be
    /// run at all.
    pub async fn probe(
        &self,
        calls: &Calls,
        client: &Client,
        clock: &RunClock,
        book: &RefCell<Book>,
    ) {
        let subjects = self.subjects(&book.borrow());
        let mut refusal = "no container has a `cat`".to_owned();
        for subject in subjects {
            // Rights are given by namespace.
            if self.refusing.borrow().contains(&subject.namespace) {
                continue;
            }
            match exec(calls, client, clock, &subject, &EDGE_COMMAND).await {
                Ok(printed) => {
                    let reading = edge_reading(&printed.stdout);
                    self.cgroup_version.set(reading.cgroup_version);
                    return;
                }
                Err(CallError::Unreadable(_)) => {
                    self.barren.borrow_mut().insert(subject);
                }
                Err(error) => {
                    let (namespace, cure) = (subject.namespace, exec_cure(&error));
                    let is_of_account = error.is_forbidden() && !is_kubectl_proxy(&error);
                    refusal = error.to_string();
                    let place = if is_of_account {
                        format!(" of {namespace}")
                    } else {
                        String::new()
                    };
                    book.borrow_mut().note(format!(
                        "no command can be run in pods{place} ({error}), so their loopback is not seen; {cure}"
                    ));
                    if !is_of_account {
                        break;
                    }
                    self.refusing.borrow_mut().insert(namespace);
                }
            }
        }
        self.forbid(&refusal, book);
    }

    /// Reads every container now.
    pub async fn read(
        &self,
        calls: &Calls,
        client: &Client,
        clock: &RunClock,
        book: &RefCell<Book>,
    ) {
        if !self.may_run() {
            return;
        }
        let subjects = self.subjects(&book.borrow());
        let reads = subjects.into_iter().map(|subject| async move {
            let what = format!(
                "exec {}/{}",
                subject.pod,
                subject.container.as_deref().unwrap_or_default()
            );
            match exec(calls, client, clock, &subject, &EDGE_COMMAND).await {
                Ok(printed) => {
                    book.borrow_mut().heard(&what, clock.unix());
                    self.take(&subject, &printed, book);
                }
                Err(error) => {
                    if matches!(error, CallError::Unreadable(_)) {
                        self.barren.borrow_mut().insert(subject);
                    }
                    book.borrow_mut().missed(&what, &error, clock.unix());
                }
            }
        });
        join_all(reads).await;
    }

    /// Running containers of the application and the mesh in which a command may be run.
    fn subjects(&self, book: &Book) -> Vec<Subject> {
        let (barren, refusing) = (self.barren.borrow(), self.refusing.borrow());
        let counts = |pod: &&Pod| {
            let ours = [Category::Application, Category::IstioControlPlane];
            ours.contains(&pod.category) && !refusing.contains(&pod.namespace)
        };
        let pods = book.topology.running().filter(counts);
        pods.flat_map(|pod| {
            let running = pod
                .containers
                .iter()
                .filter(|container| container.running && container.role != Role::System);
            running.map(|container| pod.subject(Some(&container.name)))
        })
        .filter(|subject| !barren.contains(subject))
        .collect()
    }

    fn take(&self, subject: &Subject, printed: &Printed, book: &RefCell<Book>) {
        let reading = edge_reading(&printed.stdout);
        let stamp = self.stamp(&subject.node, reading.uptime, printed.at);
        let mut book = book.borrow_mut();
        let pod = book.topology.pods.get(&subject.uid);
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
            point: Point {
                stamp,
                received: printed.at,
                value,
                epoch,
            },
        };
        let own = of_container(&reading).into_iter();
        let own = own.map(|number| sample(subject, epoch, number));
        // The containers of a pod share one network, and one of their answers is enough.
        let before = book.log.points(&of_pod, Quantity::NetworkRx, Source::Exec);
        let is_news = before.last().is_none_or(|point| point.stamp < stamp);
        let shared = of_network(&reading).into_iter().filter(|_| is_news);
        let shared = shared.map(|number| sample(&of_pod, None, number));
        let samples: Vec<Sample> = own.chain(shared).collect();
        book.add(samples);
    }

    fn stamp(&self, node: &str, uptime: Option<Nanos>, at: Nanos) -> Nanos {
        let Some(uptime) = uptime else { return at };
        let mut anchors = self.anchors.borrow_mut();
        let (then, ours) = *anchors.entry(node.to_owned()).or_insert((uptime, at));
        Nanos((ours.0 + uptime.0).saturating_sub(then.0))
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

fn of_network(reading: &EdgeReading) -> Vec<(Quantity, u64)> {
    let Some(interfaces) = &reading.interfaces else {
        return Vec::new();
    };
    let sums = |counts: fn(&str) -> bool| {
        let chosen = interfaces
            .iter()
            .filter(|interface| counts(&interface.name));
        chosen.fold((0u64, 0u64), |(rx, tx), interface| {
            (
                rx.saturating_add(interface.rx_bytes),
                tx.saturating_add(interface.tx_bytes),
            )
        })
    };
    let (rx, tx) = sums(is_wire);
    let (loopback_rx, loopback_tx) = sums(is_loopback);
    vec![
        (Quantity::NetworkRx, rx),
        (Quantity::NetworkTx, tx),
        (Quantity::LoopbackRx, loopback_rx),
        (Quantity::LoopbackTx, loopback_tx),
    ]
}

/// An account that lacks the right is told so in a sentence; the proxy says one word.
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
pub(super) fn exec_cure(error: &CallError) -> &'static str {
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
