//! What services used, read from the study's table of pods (k8s_full_metrics.csv).

use super::file_names::PODS_CSV;
use super::step_id::StepId;
use super::sums::OLD_CPU;
use crate::compare::{Saturation, ServiceFigures};
use crate::files::{BadTable, CsvRow, CsvTable, finite};
use crate::resources::{Category, NotKnown, Part, sum_of};
use std::collections::{BTreeMap, BTreeSet};

/// What services used, by step.
pub(super) type ServicesByStep = BTreeMap<StepId, Vec<ServiceFigures>>;

/// Adds up what the pods of each service used, step by step.
///
/// # Errors
/// [`BadTable`] for a table that is cut short, or lacks a needed column.
pub(super) fn services(bytes: &[u8]) -> Result<ServicesByStep, BadTable> {
    let table = CsvTable::read(PODS_CSV, bytes)?;
    let mut found = ServicesByStep::new();
    for row in table.rows() {
        let pod = pod(&row)?;
        let services = found.entry(StepId::of_pod(&row)?).or_default();
        let same = services.iter_mut().find(|one| {
            one.service == pod.service
                && one.namespace == pod.namespace
                && one.category == pod.category
        });
        match same {
            Some(service) => add(service, &pod),
            None => services.push(pod),
        }
    }
    mark_missing_services(&mut found);
    Ok(found)
}

/// Adds a service without figures to each step that lacks a service of the application which other
/// steps have. That service was not measured there, and a sum without it would be too small.
fn mark_missing_services(steps: &mut ServicesByStep) {
    let is_own = |one: &&ServiceFigures| one.category == Category::Application;
    let name = |one: &ServiceFigures| (one.namespace.clone(), one.service.clone());
    let all = steps.values().flatten().filter(is_own).map(name);
    let all: BTreeSet<(String, String)> = all.collect();
    for services in steps.values_mut() {
        let here: BTreeSet<_> = services.iter().filter(is_own).map(name).collect();
        let missing = all.difference(&here).cloned();
        services.extend(missing.map(|(namespace, service)| ServiceFigures {
            category: Category::Application,
            cpu_m: cpu_by_part(None, None, not_in_table(&service)),
            namespace,
            service,
            memory_bytes: None,
            network_rx_bytes_per_s: None,
            network_tx_bytes_per_s: None,
            has_own_network: true,
            saturation: Saturation::default(),
        }));
    }
}

fn not_in_table(service: &str) -> NotKnown {
    NotKnown::NotInTable {
        of: service.to_owned(),
    }
}

/// CPU by part in thousandths of a core. The app's part is the total without the sidecar; `why` is the
/// reason of the parts that are missing.
fn cpu_by_part(
    total: Option<f64>,
    sidecar: Option<f64>,
    why: NotKnown,
) -> BTreeMap<Part, Result<f64, NotKnown>> {
    let app = total.zip(sidecar).map(|(total, sidecar)| total - sidecar);
    let total = app.and(total);
    let parts = [
        (Part::App, app),
        (Part::Sidecar, sidecar),
        (Part::Total, total),
    ];
    parts
        .map(|(part, used)| (part, used.ok_or_else(|| why.clone())))
        .into()
}

/// The figures of one row of the table of pods, as if the pod were the whole service.
fn pod(row: &CsvRow<'_>) -> Result<ServiceFigures, BadTable> {
    const KIB: f64 = 1024.0;
    let number = |name: &str| row.get(name).and_then(finite);
    let total = number("CPU_Total(m)").or_else(|| number(OLD_CPU));
    let sidecar = number("CPU_Sidecar(m)").or(total.map(|_| 0.0));
    let network = [number("Net_RX(KB/s)"), number("Net_TX(KB/s)")];
    // The study wrote 0 in both directions when its command failed. A pod that serves requests has
    // traffic, so two zeros mean that the value is missing.
    let network = match network {
        [Some(0.0), Some(0.0)] => [None, None],
        both => both,
    };
    let category = Category::from(row.need("Category")?.to_owned());
    let service = row.need("Service")?.to_owned();
    let why = not_in_table(&service);
    let cpu_m = match category {
        // The study counts a gateway's only container as a sidecar.
        Category::IstioControlPlane => {
            let part = Part::of_mesh_service(&service);
            let total = total.ok_or(why);
            BTreeMap::from([(part, total.clone()), (Part::Total, total)])
        }
        _ => cpu_by_part(total, sidecar, why),
    };
    Ok(ServiceFigures {
        category,
        namespace: row.need("Namespace")?.to_owned(),
        service,
        cpu_m,
        memory_bytes: number("Memory_WorkingSet(Mi)").map(|mib| mib * KIB * KIB),
        network_rx_bytes_per_s: network[0].map(|kib| kib * KIB),
        network_tx_bytes_per_s: network[1].map(|kib| kib * KIB),
        has_own_network: true,
        saturation: Saturation::default(),
    })
}

/// Adds a pod's figures to those of its service. A sum with a missing part is missing.
fn add(service: &mut ServiceFigures, pod: &ServiceFigures) {
    let sum = |one: &mut Option<f64>, other: Option<f64>| {
        *one = one.zip(other).map(|(one, other)| one + other);
    };
    for (part, used) in &mut service.cpu_m {
        let sum = sum_of([used.as_ref().copied(), pod.cpu(*part)]);
        *used = sum.map_err(NotKnown::clone);
    }
    sum(&mut service.memory_bytes, pod.memory_bytes);
    sum(
        &mut service.network_rx_bytes_per_s,
        pod.network_rx_bytes_per_s,
    );
    sum(
        &mut service.network_tx_bytes_per_s,
        pod.network_tx_bytes_per_s,
    );
}
