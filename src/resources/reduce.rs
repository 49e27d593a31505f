//! Samples and topology -> what every pod and container used in the window.

use super::figures::{
    CategoryUse, CollectorUse, ContainerUse, Figure, NodeClock, PodUse, Quality, Resources, Spans,
};
use super::parts::{network_of, use_of_role};
use super::quantity::Kind;
use super::window::{Mark, counter, events, gauge};
use super::{
    Category, Container, NotKnown, Pod, Point, Quantity, Role, SampleLog, Source, Span, Subject,
    Topology,
};
use std::collections::{BTreeMap, BTreeSet};

/// Below this share of the window a figure is marked: it speaks for less than half of it.
const LITTLE: f64 = 0.5;
/// Two sources of one figure that differ by more than this are worth a word.
const DISAGREEMENT: f64 = 0.05;

/// A pod and its containers are measured at different moments, over different stretches.
const POD_DISAGREEMENT: f64 = 0.15;
/// In thousandths of a core: within what the samples' own times can shift.
const SMALL: f64 = 10.0;

/// Where the samples' times are put on the run's axis.
pub(super) struct Axis<'a> {
    pub spans: Spans,
    pub clocks: &'a [NodeClock],
}

impl Axis<'_> {
    /// Points with their times from the beginning of the load.
    pub fn marks(&self, subject: &Subject, source: Source, points: &[Point]) -> Vec<Mark> {
        let clock = self.clocks.iter().find(|clock| clock.node == subject.node);
        let clock = clock.filter(|_| source.is_stamped_by_node());
        let ours = |stamp| clock.map_or(stamp, |clock| clock.offset.to_ours(stamp));
        let mark = |point: &Point| Mark {
            at: self.spans.relative(ours(point.stamp)),
            value: point.value,
            epoch: point.epoch,
        };
        points.iter().map(mark).collect()
    }
}

/// What a pod's or container's figures are made from.
struct Reading<'a> {
    log: &'a SampleLog,
    axis: &'a Axis<'a>,
    reasons: &'a BTreeMap<Quantity, String>,
    notes: Vec<String>,
    /// Containers that are known not to have run, and count as 0.
    did_not_run: Vec<String>,
    /// Share of the window that samples must bracket: half of the time in which the pod at hand was
    /// there.
    enough: f64,
}

/// Makes the figures. `reasons` says for each quantity why it may be missing.
pub fn reduce(
    log: &SampleLog,
    topology: &Topology,
    spans: Spans,
    clocks: Vec<NodeClock>,
    reasons: &BTreeMap<Quantity, String>,
) -> Resources {
    let axis = Axis {
        spans,
        clocks: &clocks,
    };
    let mut reading = Reading {
        log,
        axis: &axis,
        reasons,
        notes: Vec::new(),
        did_not_run: Vec::new(),
        enough: LITTLE,
    };
    let pods = topology.pods.values();
    let mut pods: Vec<PodUse> = pods.filter_map(|pod| reading.pod(pod)).collect();
    pods.sort_by(|one, other| (&one.namespace, &one.pod).cmp(&(&other.namespace, &other.pod)));
    let mut notes = reading.notes;
    if !reading.did_not_run.is_empty() {
        let names = reading.did_not_run.join(", ");
        notes.push(format!("did not run, and counts as 0: {names}"));
    }
    Resources {
        spans,
        topology: topology.clone(),
        sources: sources(&pods),
        categories: categories(&pods),
        pods,
        clocks,
        collector: CollectorUse::default(),
        gaps: Vec::new(),
        notes,
    }
}

impl Reading<'_> {
    /// `None` for a pod that was not there in the window, and for one that has done its work before
    /// a sample of it could be taken.
    fn pod(&mut self, pod: &Pod) -> Option<PodUse> {
        let presence = self.presence(pod);
        if presence <= 0.0 {
            return None;
        }
        self.enough = LITTLE * presence;
        let containers = pod.containers.iter().map(|one| self.container(pod, one));
        let containers: Vec<ContainerUse> = containers.collect();
        let subject = pod.subject(None);
        let has_samples = |one: &ContainerUse| {
            one.figure(Quantity::Cpu)
                .is_some_and(|cpu| cpu.value.is_some())
        };
        if pod.is_finished() && !containers.iter().any(has_samples) {
            let Pod {
                namespace, name, ..
            } = pod;
            self.notes.push(format!(
                "{namespace}/{name} finished without a sample: what it used is in no figure"
            ));
            return None;
        }
        self.compare_with_pod(&subject, &containers);
        let ran = pod.containers.iter().any(|one| did_run(pod, one));
        let mut figures = Quantity::OF_PODS.map(|quantity| {
            let figure = self.figure(&subject, quantity);
            if ran { figure } else { zero_if_missing(figure) }
        });
        if pod.host_network {
            for figure in figures.iter_mut().filter(|figure| figure.value.is_some()) {
                figure.quality = Quality::HostNetwork;
            }
        }
        Some(PodUse {
            uid: pod.uid.clone(),
            node: pod.node.clone(),
            namespace: pod.namespace.clone(),
            pod: pod.name.clone(),
            service: pod.service.clone(),
            category: pod.category.clone(),
            presence,
            containers,
            figures: figures.to_vec(),
        })
    }

    fn container(&mut self, pod: &Pod, container: &Container) -> ContainerUse {
        let subject = pod.subject(Some(&container.name));
        let mut figures = Quantity::OF_CONTAINERS.map(|quantity| self.figure(&subject, quantity));
        if !did_run(pod, container) {
            let name = format!("{}/{}/{}", pod.namespace, pod.name, container.name);
            self.did_not_run.push(name);
            figures = figures.map(zero_if_missing);
        }
        if !container.running {
            let missing = figures.iter_mut().filter(|figure| figure.value.is_none());
            let why = "the container was not running when last seen";
            missing.for_each(|figure| figure.quality = Quality::Missing(why.to_owned()));
        }
        ContainerUse {
            name: container.name.clone(),
            role: container.role,
            figures: figures.to_vec(),
        }
    }

    fn presence(&self, pod: &Pod) -> f64 {
        let window = self.axis.spans.window();
        let there = Span {
            start: self.axis.spans.relative(pod.seen.from),
            end: pod
                .seen
                .to
                .map_or(i64::MAX, |to| self.axis.spans.relative(to)),
        };
        there.within(window).length() as f64 / window.length().max(1) as f64
    }

    /// The best source's figure: the first of good coverage, else the one with the most.
    fn figure(&mut self, subject: &Subject, quantity: Quantity) -> Figure {
        let smoothed = (quantity == Quantity::Cpu).then_some(Quantity::CpuUsage);
        let candidates: Vec<Figure> = Source::BEST_FIRST
            .into_iter()
            .flat_map(|source| [Some(quantity), smoothed].map(|raw| (source, raw)))
            .filter_map(|(source, raw)| self.figure_of(subject, quantity, raw?, source))
            .collect();
        self.compare(subject, &candidates);
        let well_covered = candidates
            .iter()
            .find(|figure| figure.coverage >= self.enough);
        let most_covered = || {
            let by_coverage = |one: &&Figure, other: &&Figure| {
                // The earlier of two equals is the better source; `max_by` would take the later.
                other.coverage.total_cmp(&one.coverage)
            };
            candidates.iter().min_by(by_coverage)
        };
        well_covered
            .or_else(most_covered)
            .cloned()
            .unwrap_or_else(|| self.missing(quantity))
    }

    fn missing(&self, quantity: Quantity) -> Figure {
        let why = self.reasons.get(&quantity).cloned();
        let why = why.unwrap_or_else(|| {
            "no source gave two samples of it between the beginning and the end of the load"
                .to_owned()
        });
        Figure {
            quantity,
            unit: quantity.unit(),
            value: None,
            max: None,
            last: None,
            source: None,
            coverage: 0.0,
            quality: Quality::Missing(why),
        }
    }

    fn figure_of(
        &self,
        subject: &Subject,
        quantity: Quantity,
        raw: Quantity,
        source: Source,
    ) -> Option<Figure> {
        let points = self.log.points(subject, raw, source);
        let marks = self.axis.marks(subject, source, points);
        let (window, load) = (self.axis.spans.window(), self.axis.spans.load());
        let share = |covered: i64| covered as f64 / window.length().max(1) as f64;
        let figure = |value: f64, coverage: f64, breaks: usize| Figure {
            quantity,
            unit: quantity.unit(),
            value: Some(value),
            max: None,
            last: None,
            source: Some(source),
            coverage,
            quality: match () {
                () if raw == Quantity::CpuUsage => Quality::Smoothed,
                () if breaks > 0 => Quality::Restarted,
                () if coverage < self.enough => Quality::LowCoverage,
                () => Quality::Good,
            },
        };
        match raw.kind() {
            Kind::Counter => {
                let over = counter(&marks, window, load)?;
                let per_second = over.increase / over.covered as f64 * 1e9;
                let value = raw.in_unit(per_second);
                Some(figure(value, share(over.covered), over.breaks))
            }
            Kind::Gauge => {
                let over = gauge(&marks, window, load)?;
                let value = raw.in_unit(over.mean);
                Some(Figure {
                    max: Some(raw.in_unit(over.max as f64)),
                    last: Some(raw.in_unit(over.last as f64)),
                    ..figure(value, share(over.covered), 0)
                })
            }
            Kind::Events => Some(figure(events(&marks, window)? as f64, 1.0, 0)),
        }
    }

    /// The containers' CPU is held against that of the pod's own control group, which goes on
    /// counting when a container is started anew. It also counts what runs in no container.
    fn compare_with_pod(&mut self, subject: &Subject, containers: &[ContainerUse]) {
        let of_pod = self.figure_of(subject, Quantity::Cpu, Quantity::Cpu, Source::StatsSummary);
        let figures = containers.iter().map(|one| one.figure(Quantity::Cpu));
        let covered = |figure: &Figure| figure.coverage >= LITTLE;
        let sum = figures
            .map(|figure| figure.filter(|one| covered(one))?.value)
            .sum::<Option<f64>>();
        let (Some(of_pod), Some(sum)) = (of_pod.filter(covered), sum) else {
            return;
        };
        let value = of_pod.value.unwrap_or_default();
        // Whole-second stamps are worth 4 %, the pause container and commands a little more.
        if (value - sum).abs() > (POD_DISAGREEMENT * value.max(sum)).max(SMALL) {
            self.notes.push(format!(
                "{}/{}: the containers' CPU adds up to {sum:.1} m, the pod's own count says {value:.1} m",
                subject.namespace, subject.pod
            ));
        }
    }

    /// CPU read at the window's edges is held against the kubelet's own series.
    fn compare(&mut self, subject: &Subject, candidates: &[Figure]) {
        let is_edge = |figure: &&Figure| figure.source == Some(Source::Exec);
        let edge = candidates.iter().find(is_edge);
        let series = candidates
            .iter()
            .find(|figure| !is_edge(figure) && figure.coverage >= LITTLE);
        let (Some(edge), Some(series)) = (edge, series) else {
            return;
        };
        let (Some(one), Some(other)) = (edge.value, series.value) else {
            return;
        };
        let far = (one - other).abs() > (DISAGREEMENT * one.max(other)).max(SMALL);
        if edge.quantity == Quantity::Cpu && far {
            self.notes.push(format!(
                "{}/{}/{}: CPU read at the window's edges is {one:.1} m, the kubelet's series says {other:.1} m",
                subject.namespace,
                subject.pod,
                subject.container.as_deref().unwrap_or_default(),
            ));
        }
    }
}

fn sources(pods: &[PodUse]) -> BTreeMap<Quantity, BTreeMap<Source, usize>> {
    let mut counts: BTreeMap<Quantity, BTreeMap<Source, usize>> = BTreeMap::new();
    for figure in pods.iter().flat_map(PodUse::all_figures) {
        if let Some(source) = figure.source {
            *counts
                .entry(figure.quantity)
                .or_default()
                .entry(source)
                .or_default() += 1;
        }
    }
    counts
}

fn categories(pods: &[PodUse]) -> Vec<CategoryUse> {
    let mut kinds: BTreeMap<&Category, Vec<&PodUse>> = BTreeMap::new();
    for pod in pods {
        kinds.entry(&pod.category).or_default().push(pod);
    }
    kinds
        .into_iter()
        .map(|(kind, pods)| category(kind, &pods))
        .collect()
}

fn category(kind: &Category, pods: &[&PodUse]) -> CategoryUse {
    let network = |quantity| network_of(pods.iter().copied(), quantity);
    let containers = || pods.iter().flat_map(|pod| &pod.containers);
    let throttling = containers().filter_map(ContainerUse::throttling);
    let counted = [Quantity::Cpu, Quantity::WorkingSet, Quantity::NetworkRx];
    let is_doubtful = |figure: &&Figure| {
        let is_thin = figure.value.is_none() || figure.quality == Quality::LowCoverage;
        counted.contains(&figure.quantity) && is_thin
    };
    let events = [Quantity::Restarts, Quantity::OomKills].into_iter();
    let (cpu, memory) = (sums(pods, Quantity::Cpu), sums(pods, Quantity::WorkingSet));
    CategoryUse {
        category: kind.clone(),
        pods: pods.len(),
        cpu_m: cpu.by_role,
        working_set_bytes: memory.by_role,
        not_known: cpu.not_known.into_iter().chain(memory.not_known).collect(),
        network_rx_bytes_per_s: network(Quantity::NetworkRx),
        network_tx_bytes_per_s: network(Quantity::NetworkTx),
        most_throttled: throttling.max_by(f64::total_cmp),
        restarts: events
            .flat_map(|quantity| containers().filter_map(move |one| one.figure(quantity)?.value))
            .sum(),
        doubtful: pods
            .iter()
            .flat_map(|pod| pod.all_figures())
            .filter(is_doubtful)
            .count(),
    }
}

/// Sums by role, and why there is none of some roles.
#[derive(Default)]
struct Sums {
    by_role: BTreeMap<Role, f64>,
    not_known: Vec<NotKnown>,
}

fn sums(pods: &[&PodUse], quantity: Quantity) -> Sums {
    let containers = pods.iter().flat_map(|pod| &pod.containers);
    let roles: BTreeSet<Role> = containers.map(|container| container.role).collect();
    let mut sums = Sums::default();
    for role in roles {
        match use_of_role(pods.iter().copied(), role, quantity) {
            Ok(sum) => drop(sums.by_role.insert(role, sum)),
            Err(why) => sums.not_known.push(why),
        }
    }
    sums
}

/// Whether a container was running, or had been, when it was last seen. A pod that has done its work
/// ran its containers.
fn did_run(pod: &Pod, container: &Container) -> bool {
    container.running
        || container.started.is_some()
        || container.restarts > 0
        || container.last_exit.is_some()
        || pod.is_finished()
}

/// The figure of a container that did not run.
fn zero_if_missing(figure: Figure) -> Figure {
    if figure.value.is_some() {
        return figure;
    }
    Figure {
        value: Some(0.0),
        quality: Quality::DidNotRun,
        ..figure
    }
}
