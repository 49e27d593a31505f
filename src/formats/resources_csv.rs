//! Tables of what was used: the samples as they came, the series over time, the window's figures,
//! and the study's own table. A missing value is an empty cell with a reason beside it, never 0.

use super::csv_rows::table;
use crate::resources::{
    Category, Figure, Mesh, Part, PodUse, Point, Quantity, Resources, Sample, SampleLog, Source,
    Subject, Topology, series, use_of,
};
use crate::spec::RunSpec;
use crate::units::Nanos;

const SERIES_COLUMNS: [&str; 12] = [
    "time_s",
    "node",
    "namespace",
    "pod",
    "container",
    "role",
    "quantity",
    "value",
    "unit",
    "source",
    "sample_time_s",
    "quality",
];

/// resources.csv: a row per sample and a row per missing figure; times since the load began.
pub fn resources_csv(log: &SampleLog, resources: &Resources) -> Vec<u8> {
    let topology = &resources.topology;
    let rows = series(log, resources.spans, &resources.clocks);
    let rows = rows.into_iter().map(|row| {
        let quality = if row.value.is_some() {
            "good"
        } else {
            "restarted"
        };
        let [node, namespace, pod, container, role] = names(topology, row.subject);
        vec![
            seconds(row.received_ns),
            node,
            namespace,
            pod,
            container,
            role,
            row.quantity.name().to_owned(),
            optional(row.value),
            row.quantity.unit().name().to_owned(),
            row.source.name().to_owned(),
            seconds(row.sampled_ns),
            quality.to_owned(),
        ]
    });
    let missing = figures(resources).filter(|(_, figure)| figure.value.is_none());
    let missing = missing.map(|(names, figure)| {
        let [node, namespace, pod, container, role] = names;
        vec![
            String::new(),
            node,
            namespace,
            pod,
            container,
            role,
            figure.quantity.name().to_owned(),
            String::new(),
            figure.unit.name().to_owned(),
            String::new(),
            String::new(),
            figure.quality.text(),
        ]
    });
    table(&SERIES_COLUMNS, rows.chain(missing))
}

fn names(topology: &Topology, subject: &Subject) -> [String; 5] {
    let pod = topology.pods.get(&subject.uid);
    let container = subject.container.clone().unwrap_or_default();
    let role = pod.and_then(|pod| {
        let mut containers = pod.containers.iter();
        containers.find(|one| one.name == container)
    });
    [
        subject.node.clone(),
        subject.namespace.clone(),
        subject.pod.clone(),
        container,
        role.map_or(String::new(), |one| one.role.name().to_owned()),
    ]
}

/// Every figure with its names.
fn figures(resources: &Resources) -> impl Iterator<Item = ([String; 5], &Figure)> {
    resources.pods.iter().flat_map(|pod| {
        let names = |container: &str, role: &str| {
            [
                pod.node.clone(),
                pod.namespace.clone(),
                pod.pod.clone(),
                container.to_owned(),
                role.to_owned(),
            ]
        };
        let of_containers = pod.containers.iter().flat_map(move |container| {
            let names = names(&container.name, container.role.name());
            container
                .figures
                .iter()
                .map(move |figure| (names.clone(), figure))
        });
        let of_pod = pod
            .figures
            .iter()
            .map(move |figure| (names("", ""), figure));
        of_containers.chain(of_pod)
    })
}

const WINDOW_COLUMNS: [&str; 16] = [
    "node",
    "namespace",
    "service",
    "pod",
    "container",
    "role",
    "category",
    "quantity",
    "value",
    "max",
    "last",
    "unit",
    "source",
    "coverage",
    "presence",
    "quality",
];

/// resources_window.csv: a row per figure of the measured window.
pub fn resources_window_csv(resources: &Resources) -> Vec<u8> {
    let rows = resources.pods.iter().flat_map(|pod| {
        let of_containers = pod.containers.iter().flat_map(move |container| {
            let (name, role) = (container.name.as_str(), container.role.name());
            let rows = container.figures.iter();
            rows.map(move |figure| window_row(pod, name, role, figure))
        });
        let of_pod = pod.figures.iter();
        let of_pod = of_pod.map(move |figure| window_row(pod, "", "", figure));
        of_containers.chain(of_pod)
    });
    table(&WINDOW_COLUMNS, rows)
}

fn window_row(pod: &PodUse, container: &str, role: &str, figure: &Figure) -> Vec<String> {
    vec![
        pod.node.clone(),
        pod.namespace.clone(),
        pod.service.clone(),
        pod.pod.clone(),
        container.to_owned(),
        role.to_owned(),
        pod.category.to_string(),
        figure.quantity.name().to_owned(),
        optional(figure.value),
        optional(figure.max),
        optional(figure.last),
        figure.unit.name().to_owned(),
        figure
            .source
            .map_or(String::new(), |source| source.name().to_owned()),
        format!("{:.3}", figure.coverage),
        format!("{:.3}", pod.presence),
        figure.quality.text(),
    ]
}

pub(super) const STUDY_COLUMNS: [&str; 21] = [
    "Timestamp",
    "RPS",
    "Namespace",
    "Category",
    "Service",
    "Pod",
    "Node",
    "CPU_Total(m)",
    "CPU_App(m)",
    "CPU_Sidecar(m)",
    "Memory_WorkingSet(Mi)",
    "Memory_RSS(Mi)",
    "Net_RX(KB/s)",
    "Net_TX(KB/s)",
    "Disk_Read(KB/s)",
    "Disk_Write(KB/s)",
    "System_Mem_BW",
    "System_LLC_Metric",
    "Istio_Enabled",
    "Arm",
    "Repetition",
];

/// k8s_full_metrics.csv: the study's columns, a row per pod, each weighted with the share of the
/// window in which it was there, so that the rows add up to the figures of other tables. What the
/// mesh's own pods used is in `CPU_Total(m)` alone. KB = 1024 bytes. A collection without a load has
/// no run, and so neither rate nor arm.
pub fn study_csv(resources: &Resources, spec: Option<&RunSpec>) -> Vec<u8> {
    table(&STUDY_COLUMNS, study_rows(resources, spec).into_iter())
}

/// The rows of [`study_csv`].
pub fn study_rows(resources: &Resources, spec: Option<&RunSpec>) -> Vec<Vec<String>> {
    let is_meshed = |pod: &PodUse| mesh(resources, pod) != Mesh::None;
    let mut application = resources
        .pods
        .iter()
        .filter(|pod| pod.category == Category::Application);
    let istio = if application.any(is_meshed) {
        "True"
    } else {
        "False"
    };
    let stamp = jiff::Timestamp::from_nanosecond(i128::from(resources.spans.window_start.0));
    let stamp = stamp.map_or(String::new(), |at| {
        at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    });
    let pods = resources.pods.iter();
    pods.map(|pod| study_row(pod, spec, &stamp, istio))
        .collect()
}

fn mesh(resources: &Resources, pod: &PodUse) -> Mesh {
    let known = resources.topology.pods.get(&pod.uid);
    known.map_or(Mesh::None, |known| known.mesh)
}

fn study_row(pod: &PodUse, spec: Option<&RunSpec>, stamp: &str, istio: &str) -> Vec<String> {
    const KIB: f64 = 1024.0;
    let scaled = |value: Option<f64>, by: f64| {
        value.map_or(String::new(), |value| format!("{:.3}", value / by))
    };
    let label = spec.and_then(|spec| spec.step.as_ref());
    let rate = spec.and_then(RunSpec::fixed_rate);
    let used = |part, quantity| use_of([pod], part, quantity).ok();
    let sum = |quantity| used(Part::Total, quantity);
    let network = |quantity| {
        let figure = pod.figure(quantity).filter(|_| pod.has_own_network());
        figure.map(|value| value * pod.presence)
    };
    vec![
        stamp.to_owned(),
        rate.map_or(String::new(), |rate| rate.to_string()),
        pod.namespace.clone(),
        pod.category.to_string(),
        pod.service.clone(),
        pod.pod.clone(),
        pod.node.clone(),
        scaled(sum(Quantity::Cpu), 1.0),
        scaled(used(Part::App, Quantity::Cpu), 1.0),
        scaled(used(Part::Sidecar, Quantity::Cpu), 1.0),
        scaled(sum(Quantity::WorkingSet), KIB * KIB),
        scaled(sum(Quantity::Rss), KIB * KIB),
        scaled(network(Quantity::NetworkRx), KIB),
        scaled(network(Quantity::NetworkTx), KIB),
        scaled(sum(Quantity::DiskRead), KIB),
        scaled(sum(Quantity::DiskWrite), KIB),
        String::new(),
        String::new(),
        istio.to_owned(),
        label.map_or(String::new(), |label| label.arm.clone()),
        label.map_or(String::new(), |label| label.repetition.to_string()),
    ]
}

const SAMPLE_COLUMNS: [&str; 11] = [
    "received_unix_ns",
    "stamp_unix_ns",
    "node",
    "namespace",
    "pod",
    "uid",
    "container",
    "quantity",
    "value",
    "source",
    "started_unix_ns",
];

/// samples.csv: every number as its source gave it, so that the figures can be made again.
pub fn samples_csv(log: &SampleLog) -> Vec<u8> {
    let rows = log.samples().map(|sample| {
        let Sample {
            subject,
            quantity,
            source,
            point,
        } = sample;
        vec![
            point.received.0.to_string(),
            point.stamp.0.to_string(),
            subject.node,
            subject.namespace,
            subject.pod,
            subject.uid,
            subject.container.unwrap_or_default(),
            quantity.name().to_owned(),
            point.value.to_string(),
            source.name().to_owned(),
            point
                .epoch
                .map_or(String::new(), |epoch| epoch.0.to_string()),
        ]
    });
    table(&SAMPLE_COLUMNS, rows)
}

/// The samples of a samples.csv.
///
/// # Errors
/// The line that cannot be read, and why.
pub fn samples_from_csv(bytes: &[u8]) -> Result<SampleLog, String> {
    let mut reader = csv::Reader::from_reader(bytes);
    let mut log = SampleLog::default();
    for (number, record) in reader.records().enumerate() {
        let line = number + 2;
        let record = record.map_err(|error| format!("line {line}: {error}"))?;
        let sample = sample(&record).ok_or_else(|| format!("line {line} is not a sample"))?;
        log.push(sample);
    }
    Ok(log)
}

fn sample(record: &csv::StringRecord) -> Option<Sample> {
    let text = |at: usize| record.get(at).map(str::to_owned);
    let nanos = |at: usize| record.get(at)?.parse().ok().map(Nanos);
    let container = text(6)?;
    Some(Sample {
        subject: Subject {
            node: text(2)?,
            namespace: text(3)?,
            pod: text(4)?,
            uid: text(5)?,
            container: (!container.is_empty()).then_some(container),
        },
        quantity: Quantity::of_name(record.get(7)?)?,
        source: Source::of_name(record.get(9)?)?,
        point: Point {
            received: nanos(0)?,
            stamp: nanos(1)?,
            value: record.get(8)?.parse().ok()?,
            epoch: nanos(10),
        },
    })
}

fn seconds(nanos: i64) -> String {
    format!("{:.6}", nanos as f64 / 1e9)
}

fn optional(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| format!("{value:.6}"))
}
