//! Resource use by service: charts of the services that use most, and a table of all.

use super::chart::{Axis, BarPart, Bars, Chart, Content, Panel};
use super::table::{Cell, Table};
use crate::compare::{ArmSteps, ServiceFigures};
use crate::resources::{Category, Part, sum_of};
use crate::statistics::mean_over_blocks;
use crate::units::{Rate, show_bytes};
use std::collections::{BTreeMap, BTreeSet};

/// The number of services in a chart; the table has all of them.
const TOP: usize = 8;
const MIB: f64 = 1024.0 * 1024.0;

/// The parts of a bar: the name of each, and its value for a service.
type Parts<'a> = [(&'static str, &'a dyn Fn(&ServiceUse) -> Option<f64>)];

/// Draws CPU, memory and network at a rate, with a bar per service and arm.
pub fn services_charts(arms: &[ArmSteps], rate: Rate) -> [Chart; 3] {
    let mib = |bytes: Option<f64>| bytes.map(|bytes| bytes / MIB);
    let chart = |name: &str, what: &str, unit: &str, parts: &Parts<'_>| Chart {
        name: name.to_owned(),
        title: format!("{what} by service at {rate}/s"),
        caption: format!(
            "Mean over repetitions, sidecars included; the {TOP} services that use most, all of them in the table."
        ),
        x: Axis::linear(unit),
        panels: vec![Panel {
            content: Content::Bars(top(arms, rate, parts)),
            ..Panel::of_lines(Axis::linear(""), Vec::new())
        }],
    };
    [
        chart(
            "services_cpu",
            "CPU",
            "CPU (m)",
            &[
                ("app", &|one| one.app),
                ("sidecar", &|one| one.sidecar),
                ("mesh", &|one| one.mesh),
            ],
        ),
        chart(
            "services_memory",
            "Memory",
            "working set (MiB)",
            &[("working set", &|one| mib(one.memory))],
        ),
        chart(
            "services_network",
            "Network",
            "MiB/s",
            &[
                ("received", &|one| mib(one.rx)),
                ("sent", &|one| mib(one.tx)),
            ],
        ),
    ]
}

/// The bars of the [`TOP`] services that use most in any arm.
fn top(arms: &[ArmSteps], rate: Rate, parts: &Parts<'_>) -> Bars {
    let used: Vec<BTreeMap<String, ServiceUse>> =
        arms.iter().map(|arm| services_at(arm, rate)).collect();
    let mut most: BTreeMap<&String, f64> = BTreeMap::new();
    for (name, service) in used.iter().flatten() {
        let sum = parts.iter().filter_map(|(_, of)| of(service)).sum::<f64>();
        let known = most.entry(name).or_default();
        *known = known.max(sum);
    }
    let mut names: Vec<(&String, f64)> = most.into_iter().collect();
    names.sort_by(|one, other| other.1.total_cmp(&one.1));
    names.truncate(TOP);
    let bars = || {
        let pairs = names
            .iter()
            .flat_map(|(name, _)| arms.iter().zip(&used).map(move |pair| (*name, pair)));
        pairs.map(|(name, (arm, used))| (name, arm, used.get(name)))
    };
    let asked = parts;
    let parts = parts.iter().enumerate().map(|(hue, (part, of))| BarPart {
        name: (*part).to_owned(),
        hue,
        values: bars().map(|(.., service)| service.and_then(of)).collect(),
    });
    let has_some = |part: &BarPart| part.values.iter().flatten().any(|value| *value > 0.0);
    let of_bar = |name: &String, arm: &ArmSteps, service: Option<&ServiceUse>| {
        let mut text = match arms.len() {
            1 => name.clone(),
            _ => format!("{name}, {}", arm.name),
        };
        // Without these words a missing part would look like a use of 0.
        if service.is_none_or(|service| asked.iter().any(|(_, of)| of(service).is_none())) {
            text += " (not measured)";
        }
        text
    };
    Bars {
        names: bars()
            .map(|(name, arm, service)| of_bar(name, arm, service))
            .collect(),
        parts: parts.filter(has_some).collect(),
    }
}

/// The figures of a service as means over the repetitions of a rate.
#[derive(Default)]
struct ServiceUse {
    category: String,
    app: Option<f64>,
    sidecar: Option<f64>,
    /// CPU of the mesh's own parts: node proxies, waypoints, gateways and control plane.
    mesh: Option<f64>,
    memory: Option<f64>,
    rx: Option<f64>,
    tx: Option<f64>,
    per_request: Option<f64>,
    throttled: Option<f64>,
    waited: [Option<f64>; 3],
}

/// A service's category, and its figures with the achieved rate of each step.
type Group<'a> = (String, Vec<(f64, &'a ServiceFigures)>);

fn services_at(arm: &ArmSteps, rate: Rate) -> BTreeMap<String, ServiceUse> {
    // INVALID steps measured the generator.
    let steps = arm.set().at(rate).valid();
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    let is_one_namespace = namespaces(arm).len() < 2;
    for step in steps.iter() {
        for service in &step.figures.services {
            let name = match service.category {
                Category::Application if is_one_namespace => service.service.clone(),
                _ => format!("{}/{}", service.namespace, service.service),
            };
            let group = groups.entry(name).or_default();
            group.0 = service.category.to_string();
            group.1.push((step.achieved, service));
        }
    }
    let groups = groups.into_iter();
    groups
        .map(|(name, (category, services))| (name, use_of(category, &services)))
        .collect()
}

/// The application's namespaces.
fn namespaces(arm: &ArmSteps) -> BTreeSet<&str> {
    let services = arm.steps.iter().flat_map(|step| &step.services);
    let own = services.filter(|service| service.category == Category::Application);
    own.map(|service| service.namespace.as_str()).collect()
}

fn use_of(category: String, services: &[(f64, &ServiceFigures)]) -> ServiceUse {
    let mean = |of: &dyn Fn(f64, &ServiceFigures) -> Option<f64>| {
        let values = services
            .iter()
            .filter_map(|(achieved, service)| of(*achieved, service));
        Some(mean_over_blocks(&values.collect::<Vec<_>>())?.value)
    };
    let most = |of: &dyn Fn(&ServiceFigures) -> Option<f64>| {
        let values = services.iter().filter_map(|(_, service)| of(service));
        values.max_by(f64::total_cmp)
    };
    ServiceUse {
        category,
        app: mean(&|_, service| service.cpu(Part::App).ok()),
        sidecar: mean(&|_, service| service.cpu(Part::Sidecar).ok()),
        mesh: mean(&|_, service| {
            let parts = Part::ALL.into_iter().filter(|part| part.is_of_mesh());
            sum_of(parts.map(|part| service.cpu(part))).ok()
        }),
        memory: mean(&|_, service| service.memory_bytes),
        rx: mean(&|_, service| service.network_rx_bytes_per_s),
        tx: mean(&|_, service| service.network_tx_bytes_per_s),
        per_request: mean(&|achieved, service| {
            let cpu = service.cpu(Part::Total).ok()?;
            (achieved > 0.0).then(|| cpu / achieved)
        }),
        throttled: most(&|service| service.saturation.throttled.get(&Part::Total).copied()),
        waited: [
            most(&|service| service.saturation.waited_for_cpu),
            most(&|service| service.saturation.waited_for_memory),
            most(&|service| service.saturation.waited_for_io),
        ],
    }
}

/// A row per arm, rate and service.
pub fn services_table(arms: &[ArmSteps]) -> Table {
    let mut table = Table::new(
        "Services",
        "Means over repetitions. Throttled: largest share of scheduler periods in which a container was stopped at its CPU limit. Waited: largest share of the time in which a task of a container waited (PSI).",
        &[
            "arm",
            "rate/s",
            "category",
            "service",
            "CPU app (m)",
            "CPU sidecar (m)",
            "CPU mesh (m)",
            "CPU per request (ms)",
            "memory",
            "rx/s",
            "tx/s",
            "throttled",
            "waited for CPU",
            "for memory",
            "for I/O",
        ],
    );
    let plain = |value: f64| format!("{value:.1}");
    let percent = |value: f64| format!("{:.2}%", value * 100.0);
    for arm in arms {
        for rate in arm.set().rates() {
            for (name, used) in services_at(arm, rate) {
                table.rows.push(vec![
                    arm.name.as_str().into(),
                    Cell::number(rate.as_f64(), rate.to_string()),
                    used.category.into(),
                    name.into(),
                    Cell::maybe(used.app, plain),
                    Cell::maybe(used.sidecar, plain),
                    Cell::maybe(used.mesh, plain),
                    Cell::maybe(used.per_request, |value| format!("{value:.3}")),
                    Cell::maybe(used.memory, show_bytes),
                    Cell::maybe(used.rx, show_bytes),
                    Cell::maybe(used.tx, show_bytes),
                    Cell::maybe(used.throttled, percent),
                    Cell::maybe(used.waited[0], percent),
                    Cell::maybe(used.waited[1], percent),
                    Cell::maybe(used.waited[2], percent),
                ]);
            }
        }
    }
    table
}
