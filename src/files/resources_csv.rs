//! Tables of resource use: raw samples, series over time, and figures of the measured window. A missing
//! value is an empty cell with a reason beside it, never 0.

use super::csv_table::table;
use crate::resources::{
    Figure, PodUse, Quantity, Resources, Sample, SampleLog, SamplePoint, Source, Subject, Topology,
    series,
};
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

/// Writes resources.csv: a row per value over time, and a row per missing figure of the window. Times are
/// seconds since the start of the load.
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

/// Node, namespace, pod, container and role of a subject.
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

/// Every figure of the window with node, namespace, pod, container and role.
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

/// Writes resources_window.csv: a row per figure of the measured window.
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

/// Writes samples.csv: every value as its source gave it, so that all figures can be computed again.
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

/// Reads a samples.csv.
///
/// # Errors
/// A sentence with the first line that cannot be read, and the reason.
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
        point: SamplePoint {
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
