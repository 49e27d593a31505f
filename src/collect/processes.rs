//! Samples of processes of this machine, from /proc and their cgroups: fresh at every look.

use super::collector::Introduction;
use super::sample_store::Book;
use crate::clock::RunClock;
use crate::readings::{self, is_loopback, is_wire};
use crate::resources::{
    Amounts, Category, Container, Mesh, Node, Owner, Pod, Point, Quantity, Role, Sample, Scope,
    Seen, Source,
};
use crate::spec::ProcessChoice;
use crate::units::Nanos;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Why there is no process to collect from.
#[derive(Debug, thiserror::Error)]
pub enum NoProcess {
    /// No process has this id.
    #[error("--collect process:{0}: there is no such process; see `ps`")]
    Pid(u32),
    /// No command line contains this text.
    #[error("--collect process:name={0}: no command line contains this; see `ps -ef`")]
    Name(String),
    /// A process of another user.
    #[error(
        "--collect process:{0}: its files in /proc may not be read: {1}; run as its user or as root"
    )]
    Refused(u32, std::io::Error),
}

/// The namespace under which local processes go.
pub const LOCAL: &str = "local";

/// Programs that are a mesh's proxy.
const PROXIES: [&str; 4] = ["envoy", "pilot-agent", "linkerd2-proxy", "ztunnel"];

/// Samples of processes.
pub struct Processes {
    choices: Vec<ProcessChoice>,
    clock: RunClock,
    node: String,
    ticks_per_second: u64,
    /// Those that are followed, by id, with the uid under which they are known.
    followed: RefCell<BTreeMap<u32, String>>,
    /// What was learnt.
    pub book: RefCell<Book>,
}

impl Processes {
    /// Finds the processes and takes a first sample of each.
    ///
    /// # Errors
    /// [`NoProcess`] for the first choice that finds none.
    pub fn find(choices: &[ProcessChoice], clock: RunClock) -> Result<Processes, NoProcess> {
        let name = rustix::system::uname()
            .nodename()
            .to_string_lossy()
            .into_owned();
        let processes = Processes {
            choices: choices.to_vec(),
            clock,
            node: name.clone(),
            ticks_per_second: rustix::param::clock_ticks_per_second(),
            followed: RefCell::default(),
            book: RefCell::default(),
        };
        for choice in choices {
            let found = processes.matching(choice);
            let first = found.first().copied().ok_or_else(|| match choice {
                ProcessChoice::Pid(pid) => NoProcess::Pid(*pid),
                ProcessChoice::Name(text) => NoProcess::Name(text.clone()),
            })?;
            fs::read(file(first, "stat")).map_err(|error| NoProcess::Refused(first, error))?;
        }
        let mut book = processes.book.borrow_mut();
        book.topology.scope = Scope {
            application: BTreeSet::from([LOCAL.to_owned()]),
            ..Scope::default()
        };
        book.topology.nodes.insert(
            name.clone(),
            Node {
                name,
                ..Node::default()
            },
        );
        let absent = [Quantity::Restarts, Quantity::OomKills];
        book.explain(&absent, "processes have none");
        let limits = [
            Quantity::CpuPeriods,
            Quantity::ThrottledPeriods,
            Quantity::ThrottledTime,
        ];
        book.explain(
            &limits,
            "its cgroup has no CPU limit, or its files cannot be read",
        );
        let pressure = [Quantity::PsiCpu, Quantity::PsiMemory, Quantity::PsiIo];
        book.explain(
            &pressure,
            "its cgroup has no pressure files (they need cgroup v2)",
        );
        let disks = [Quantity::DiskRead, Quantity::DiskWrite];
        book.explain(
            &disks,
            "/proc/PID/io may not be read: run as the process' user or as root",
        );
        drop(book);
        processes.look();
        Ok(processes)
    }

    /// What was found.
    pub fn introduction(&self) -> Introduction {
        let book = self.book.borrow();
        let names: Vec<&str> = book
            .topology
            .pods
            .values()
            .map(|pod| pod.name.as_str())
            .collect();
        Introduction {
            is_cluster: false,
            summary: format!(
                "collecting from {} processes: {}",
                names.len(),
                names.join(", ")
            ),
            notes: book.notes().to_vec(),
        }
    }

    /// Takes a sample of each; newcomers that match a name are followed from now on.
    pub fn look(&self) {
        let pids: BTreeSet<u32> = self
            .choices
            .iter()
            .flat_map(|choice| self.matching(choice))
            .collect();
        let now = self.clock.unix();
        let mut pods = Vec::new();
        for pid in pids {
            let Some(pod) = self.pod(pid, now) else {
                continue;
            };
            let samples = self.samples(pid, &pod);
            self.followed.borrow_mut().insert(pid, pod.uid.clone());
            self.book.borrow_mut().add(samples);
            pods.push(pod);
        }
        self.book.borrow_mut().topology.update(pods, now);
    }

    /// Processes of a choice; meshload itself is none of a name's, though its command line names it.
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

    fn pod(&self, pid: u32, now: Nanos) -> Option<Pod> {
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
            // An id can be given again, an id with its start cannot.
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
            // A command line may hold secrets; it does not belong into a result.
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

    fn samples(&self, pid: u32, pod: &Pod) -> Vec<Sample> {
        let now = self.clock.unix();
        let container = pod
            .containers
            .first()
            .map(|container| container.name.as_str());
        let sample = |container, (quantity, value): (Quantity, Option<u64>)| {
            Some(Sample {
                subject: pod.subject(container),
                quantity,
                source: Source::Proc,
                point: Point {
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
        let network = network.filter_map(|number| sample(None, number));
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

fn network_numbers(pid: u32) -> Vec<(Quantity, Option<u64>)> {
    let Ok(text) = fs::read(file(pid, "net/dev")) else {
        return Vec::new();
    };
    let interfaces = readings::net_dev(&text);
    let sum = |counts: fn(&str) -> bool, bytes: fn(&readings::InterfaceCounters) -> u64| {
        let chosen = interfaces
            .iter()
            .filter(|interface| counts(&interface.name));
        Some(chosen.map(bytes).fold(0, u64::saturating_add))
    };
    vec![
        (Quantity::NetworkRx, sum(is_wire, |one| one.rx_bytes)),
        (Quantity::NetworkTx, sum(is_wire, |one| one.tx_bytes)),
        (Quantity::LoopbackRx, sum(is_loopback, |one| one.rx_bytes)),
        (Quantity::LoopbackTx, sum(is_loopback, |one| one.tx_bytes)),
    ]
}

/// The cgroup of a process, version 2: its figures are of all processes in it.
struct Cgroup(Option<PathBuf>);

impl Cgroup {
    fn of(pid: u32) -> Cgroup {
        let text = fs::read(file(pid, "cgroup")).unwrap_or_default();
        let path = readings::cgroup_path(&text);
        // The root cgroup is the whole machine, which says nothing about a process.
        let path = path.filter(|path| path != "/");
        Cgroup(path.map(|path| PathBuf::from(format!("/sys/fs/cgroup{path}"))))
    }

    fn read(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.0.as_ref()?.join(name)).ok()
    }
}
