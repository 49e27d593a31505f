//! k8s_full_metrics.csv: what each pod used, with the study's columns.

use crate::files::table;
use crate::resources::{Category, Mesh, Part, PodUse, Quantity, Resources, use_of};
use crate::spec::RunSpec;

pub(super) const POD_COLUMNS: [&str; 21] = [
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

/// Writes k8s_full_metrics.csv: the study's columns, one row per pod. A pod's figures are weighted with
/// its presence (the share of the window in which it existed), so that rows add up to the figures of
/// other tables. Pods of the mesh have their CPU in `CPU_Total(m)` alone. KB means 1024 bytes. `spec`
/// is `None` for a collection without a load, which has neither rate nor arm.
pub fn pods_csv(resources: &Resources, spec: Option<&RunSpec>) -> Vec<u8> {
    table(&POD_COLUMNS, pod_rows(resources, spec).into_iter())
}

/// The rows of [`pods_csv`].
pub(super) fn pod_rows(resources: &Resources, spec: Option<&RunSpec>) -> Vec<Vec<String>> {
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
    pods.map(|pod| pod_row(pod, spec, &stamp, istio)).collect()
}

fn mesh(resources: &Resources, pod: &PodUse) -> Mesh {
    let known = resources.topology.pods.get(&pod.uid);
    known.map_or(Mesh::None, |known| known.mesh)
}

fn pod_row(pod: &PodUse, spec: Option<&RunSpec>, stamp: &str, istio: &str) -> Vec<String> {
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
