//! Samples and topology in, the resources that every pod and container used in the window out.

use super::categories::{add_up_categories, count_sources};
use super::cross_check::{edges_and_series, pod_and_containers};
use super::figures::{
    CollectorUse, ContainerUse, Figure, NodeClock, PodUse, Quality, Resources, Spans,
};
use super::quantity::SampleKind;
use super::time_axis::TimeAxis;
use super::window::{counter, events, gauge};
use super::{Container, Pod, Quantity, SampleLog, Source, Span, Subject, Topology};
use std::collections::BTreeMap;

/// The share of a pod's time in the window that samples must cover. A figure with less is marked as
/// [`Quality::LowCoverage`].
const COVERAGE_NEEDED: f64 = 0.5;

/// Makes figures of samples, pod by pod.
struct Reducer<'a> {
    log: &'a SampleLog,
    axis: &'a TimeAxis<'a>,
    reasons: &'a BTreeMap<Quantity, String>,
    notes: Vec<String>,
    /// Containers that are known not to have run and count as 0, as `namespace/pod/container`.
    did_not_run: Vec<String>,
    /// The share of the window that samples of the current pod must cover. It is less than
    /// [`COVERAGE_NEEDED`] for a pod that was there for a part of the window only.
    coverage_needed: f64,
}

/// Makes the figures of all pods that existed in the window. `reasons` says for a quantity why no source
/// could give it; a missing figure then has this reason. The fields `collector` and `gaps` of the result
/// are left empty, because only the collector knows them.
pub fn reduce(
    log: &SampleLog,
    topology: &Topology,
    spans: Spans,
    clocks: Vec<NodeClock>,
    reasons: &BTreeMap<Quantity, String>,
) -> Resources {
    let axis = TimeAxis {
        spans,
        clocks: &clocks,
    };
    let mut reducer = Reducer {
        log,
        axis: &axis,
        reasons,
        notes: Vec::new(),
        did_not_run: Vec::new(),
        coverage_needed: COVERAGE_NEEDED,
    };
    let pods = topology.pods.values();
    let mut pods: Vec<PodUse> = pods.filter_map(|pod| reducer.pod(pod)).collect();
    pods.sort_by(|one, other| (&one.namespace, &one.pod).cmp(&(&other.namespace, &other.pod)));
    let mut notes = reducer.notes;
    if !reducer.did_not_run.is_empty() {
        let names = reducer.did_not_run.join(", ");
        notes.push(format!("did not run, and counts as 0: {names}"));
    }
    Resources {
        spans,
        topology: topology.clone(),
        sources: count_sources(&pods),
        categories: add_up_categories(&pods),
        pods,
        clocks,
        collector: CollectorUse::default(),
        gaps: Vec::new(),
        notes,
    }
}

impl Reducer<'_> {
    /// The figures of a pod. `None` for a pod that did not exist in the window, and for one that finished
    /// before a sample of it was taken.
    fn pod(&mut self, pod: &Pod) -> Option<PodUse> {
        let presence = self.presence(pod);
        if presence <= 0.0 {
            return None;
        }
        self.coverage_needed = COVERAGE_NEEDED * presence;
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
        let of_pod = self.figure_of(&subject, Quantity::Cpu, Quantity::Cpu, Source::StatsSummary);
        let note = pod_and_containers(&subject, of_pod, &containers);
        self.notes.extend(note);
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

    /// The share of the window in which the pod existed, in 0..=1.
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

    /// The figure of the best source that covers enough of the window, or else of the source that covers
    /// the most of it.
    fn figure(&mut self, subject: &Subject, quantity: Quantity) -> Figure {
        let smoothed = (quantity == Quantity::Cpu).then_some(Quantity::CpuUsage);
        let candidates: Vec<Figure> = Source::BEST_FIRST
            .into_iter()
            .flat_map(|source| [Some(quantity), smoothed].map(|raw| (source, raw)))
            .filter_map(|(source, raw)| self.figure_of(subject, quantity, raw?, source))
            .collect();
        self.notes.extend(edges_and_series(subject, &candidates));
        let well_covered = candidates
            .iter()
            .find(|figure| figure.coverage >= self.coverage_needed);
        let most_covered = || {
            let by_coverage = |one: &&Figure, other: &&Figure| {
                // The sources are sorted, best first. Of two equals `min_by` takes the first one, and
                // `max_by` would take the last one.
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

    /// The figure that one source gives; `None` where it has too few samples for one. `raw` is the
    /// quantity of the samples, which differs from that of the figure for CPU use that was already
    /// averaged by its source.
    fn figure_of(
        &self,
        subject: &Subject,
        quantity: Quantity,
        raw: Quantity,
        source: Source,
    ) -> Option<Figure> {
        let points = self.log.points(subject, raw, source);
        let values = self.axis.place(subject, source, points);
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
                () if coverage < self.coverage_needed => Quality::LowCoverage,
                () => Quality::Good,
            },
        };
        match raw.kind() {
            SampleKind::Counter => {
                let over = counter(&values, window, load)?;
                let per_second = over.increase / over.covered as f64 * 1e9;
                let value = raw.in_unit(per_second);
                Some(figure(value, share(over.covered), over.breaks))
            }
            SampleKind::Gauge => {
                let over = gauge(&values, window, load)?;
                let value = raw.in_unit(over.mean);
                Some(Figure {
                    max: Some(raw.in_unit(over.max as f64)),
                    last: Some(raw.in_unit(over.last as f64)),
                    ..figure(value, share(over.covered), 0)
                })
            }
            SampleKind::Events => Some(figure(events(&values, window)? as f64, 1.0, 0)),
        }
    }
}

/// Whether a container was running, or had run before, when it was last seen. The containers of a finished
/// pod have run.
fn did_run(pod: &Pod, container: &Container) -> bool {
    container.running
        || container.started.is_some()
        || container.restarts > 0
        || container.last_exit.is_some()
        || pod.is_finished()
}

/// The figure of a container that did not run: 0 in place of a missing value.
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
