//! Samples of processes of this machine, from /proc and their cgroups: fresh in every round.
//!
//! Each process is a workload of the topology, in the form of a pod with one container.

use super::error::ProcessError;
use super::info::CollectorInfo;
use super::sample_store::{MissingReasons, SampleStore};
use crate::clock::TimeSource;
use crate::readings::{self, network_sums};
use crate::resources::{
    Amounts, Category, Container, Mesh, Node, Owner, Pod, Quantity, Role, Sample, SamplePoint,
    Scope, Seen, Source,
};
use crate::spec::ProcessChoice;
use crate::units::Nanos;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// The namespace of the workloads that are local processes.
const LOCAL: &str = "local";

/// Programs that are the proxy of a mesh.
const PROXIES: [&str; 4] = ["envoy", "pilot-agent", "linkerd2-proxy", "ztunnel"];

/// Samples of processes.
pub struct Processes {
    choices: Vec<ProcessChoice>,
    clock: TimeSource,
    node: String,
    ticks_per_second: u64,
    /// What was collected.
    pub store: RefCell<SampleStore>,
}

impl Processes {
    /// Finds the processes and takes a first sample of each.
    ///
    /// # Errors
    /// [`ProcessError`] for the first choice that finds none.
    pub fn find(choices: &[ProcessChoice], clock: TimeSource) -> Result<Processes, ProcessError> {
        let name = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let processes = Processes {
            choices: choices.to_vec(),
            clock,
            node: name.clone(),
            ticks_per_second: rustix::param::clock_ticks_per_second(),
            store: RefCell::default(),
        };
        for choice in choices {
            let found = processes.matching(choice);
            let first = found.first().copied().ok_or_else(|| match choice {
                ProcessChoice::Pid(pid) => ProcessError::Pid(*pid),
                ProcessChoice::Name(text) => ProcessError::Name(text.clone()),
            })?;
            fs::read(file(first, "stat")).map_err(|error| ProcessError::Refused(first, error))?;
        }
        let mut store = processes.store.borrow_mut();
        store.topology.scope = Scope {
            application: BTreeSet::from([LOCAL.to_owned()]),
            ..Scope::default()
        };
        store.topology.nodes.insert(
            name.clone(),
            Node {
                name,
                ..Node::default()
            },
        );
        let absent = [Quantity::Restarts, Quantity::OomKills];
        store.explain(&absent, "processes have none");
        store.explain_groups(&MissingReasons {
            throttling: "its cgroup has no CPU limit, or its files cannot be read",
            pressure: "its cgroup has no pressure files (they need cgroup v2)",
            disks: "/proc/PID/io may not be read: run as the process' user or as root",
        });
        drop(store);
        processes.poll();
        Ok(processes)
    }

    /// What was found.
    pub fn info(&self) -> CollectorInfo {
        let store = self.store.borrow();
        let names: Vec<&str> = store
            .topology
            .pods
            .values()
            .map(|pod| pod.name.as_str())
            .collect();
        CollectorInfo {
            is_cluster: false,
            summary: format!(
                "collecting from {} processes: {}",
                names.len(),
                names.join(", ")
            ),
            notes: store.notes().to_vec(),
        }
    }

    /// Takes a sample of each process. New processes that match a name are followed from now on.
    pub fn poll(&self) {
        let pids: BTreeSet<u32> = self
            .choices
            .iter()
            .flat_map(|choice| self.matching(choice))
            .collect();
        let now = self.clock.unix();
        let mut workloads = Vec::new();
        for pid in pids {
            let Some(workload) = self.workload(pid, now) else {
                continue;
            };
            let samples = self.samples(pid, &workload);
            self.store.borrow_mut().add(samples);
            workloads.push(workload);
        }
        self.store.borrow_mut().topology.update(workloads, now);
    }

    /// The processes of a choice. meshload itself is left out of those with a name, although its own
    /// command line contains that name.
    fn matching(&self, choice: &ProcessChoice) -> Vec<u32> {
        match choice {
            ProcessChoice::Pid(pid) => {
                let exists = fs::exists(file(*pid, "stat")).unwrap_or(false);
                exists.then_some(*pid).into_iter().collect()
            }
            ProcessChoice::Name(text) => {
                let own = std::process::id();
                let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
                let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
                pids.filter(|pid| *pid != own && command_line(*pid).contains(text.as_str()))
                    .collect()
            }
        }
    }

    /// A process in the form of a pod with one container: see the header of `resources/topology.rs`.
    fn workload(&self, pid: u32, now: Nanos) -> Option<Pod> {
        let stat = readings::process_stat(&fs::read(file(pid, "stat")).ok()?)?;
        let role = if PROXIES.contains(&stat.name.as_str()) {
            Role::Sidecar
        } else {
            Role::App
        };
        let own_network = fs::read_link(file(pid, "ns/net")).ok();
        let host_network =
            own_network.is_none() || own_network == fs::read_link("/proc/self/ns/net").ok();
        let name = format!("{}-{pid}", stat.name);
        Some(Pod {
            node: self.node.clone(),
            namespace: LOCAL.to_owned(),
            // Process ids are reused; an id together with its start is not.
            uid: format!("{pid}@{}", stat.start_ticks),
            service: stat.name.clone(),
            owner: Owner {
                kind: "Process".to_owned(),
                name: stat.name.clone(),
            },
            category: Category::Application,
            mesh: Mesh::None,
            host_network,
            phase: "Running".to_owned(),
            ready: true,
            // A command line may hold secrets, so it is not kept in the result.
            labels: BTreeMap::new(),
            containers: vec![Container {
                name: stat.name,
                role,
                image: String::new(),
                image_id: None,
                requests: Amounts::default(),
                limits: Amounts::default(),
                native_sidecar: false,
                running: true,
                restarts: 0,
                last_exit: None,
                started: None,
            }],
            seen: Seen {
                from: self.started(stat.start_ticks).unwrap_or(now),
                to: None,
            },
            name,
        })
    }

    /// When a process was started, from the ticks since the machine was.
    fn started(&self, start_ticks: u64) -> Option<Nanos> {
        let uptime = readings::uptime(&fs::read("/proc/uptime").ok()?)?;
        let since_boot = self.ticks_to_nanos(start_ticks)?;
        let age = uptime.0.checked_sub(since_boot)?;
        self.clock.unix().0.checked_sub(age).map(Nanos)
    }

    fn ticks_to_nanos(&self, ticks: u64) -> Option<u64> {
        ticks.checked_mul(1_000_000_000 / self.ticks_per_second.max(1))
    }

    fn samples(&self, pid: u32, workload: &Pod) -> Vec<Sample> {
        let now = self.clock.unix();
        let container = workload
            .containers
            .first()
            .map(|container| container.name.as_str());
        let sample = |container, (quantity, value): (Quantity, Option<u64>)| {
            Some(Sample {
                subject: workload.subject(container),
                quantity,
                source: Source::Proc,
                point: SamplePoint {
                    stamp: now,
                    received: now,
                    value: value?,
                    epoch: None,
                },
            })
        };
        let own = self.own_numbers(pid).into_iter();
        let own = own.filter_map(|number| sample(container, number));
        let network = network_numbers(pid).into_iter();
        let network = network.filter_map(|(quantity, bytes)| sample(None, (quantity, Some(bytes))));
        own.chain(network).collect()
    }

    fn own_numbers(&self, pid: u32) -> Vec<(Quantity, Option<u64>)> {
        let read = |name: &str| fs::read(file(pid, name)).ok();
        let stat = read("stat").and_then(|text| readings::process_stat(&text));
        let status = read("status").map(|text| readings::process_status(&text));
        let io = read("io").map(|text| readings::process_io(&text));
        let cgroup = Cgroup::of(pid);
        let cpu = cgroup
            .read("cpu.stat")
            .map(|text| readings::cpu_stat(&text));
        let pressure = |name: &str| readings::pressure_some_total(&cgroup.read(name)?);
        vec![
            (
                Quantity::Cpu,
                stat.and_then(|stat| self.ticks_to_nanos(stat.cpu_ticks)),
            ),
            (
                Quantity::WorkingSet,
                status.as_ref().and_then(|status| status.rss),
            ),
            (
                Quantity::Rss,
                status.as_ref().and_then(|status| status.rss_anonymous),
            ),
            (Quantity::DiskRead, io.as_ref().and_then(|io| io.read_bytes)),
            (
                Quantity::DiskWrite,
                io.as_ref().and_then(|io| io.write_bytes),
            ),
            (
                Quantity::CpuPeriods,
                cpu.as_ref().and_then(|cpu| cpu.periods),
            ),
            (
                Quantity::ThrottledPeriods,
                cpu.as_ref().and_then(|cpu| cpu.throttled_periods),
            ),
            (
                Quantity::ThrottledTime,
                cpu.as_ref().and_then(|cpu| cpu.throttled),
            ),
            (Quantity::PsiCpu, pressure("cpu.pressure")),
            (Quantity::PsiMemory, pressure("memory.pressure")),
            (Quantity::PsiIo, pressure("io.pressure")),
        ]
    }
}

fn file(pid: u32, name: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/{name}"))
}

fn command_line(pid: u32) -> String {
    let raw = fs::read(file(pid, "cmdline")).unwrap_or_default();
    let words = raw.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(String::from_utf8_lossy).collect();
    words.join(" ")
}

fn network_numbers(pid: u32) -> Vec<(Quantity, u64)> {
    match fs::read(file(pid, "net/dev")) {
        Ok(text) => network_sums(&readings::net_dev(&text), Some(0)),
        Err(_) => Vec::new(),
    }
}

/// The cgroup of a process, version 2: its figures are of all processes in it.
struct Cgroup(Option<PathBuf>);

impl Cgroup {
    fn of(pid: u32) -> Cgroup {
        let text = fs::read(file(pid, "cgroup")).unwrap_or_default();
        let path = readings::cgroup_path(&text);
        // Figures of the root cgroup are those of the whole machine, not of a process.
        let path = path.filter(|path| path != "/");
        Cgroup(path.map(|path| PathBuf::from(format!("/sys/fs/cgroup{path}"))))
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.0.as_ref()?.join(name)).ok()
    }
}
