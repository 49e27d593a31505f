//! The figures of pods, added up by category and counted by source.

use super::figures::{CategoryUse, ContainerUse, Figure, PodUse, Quality};
use super::parts::{network_of, use_of_role};
use super::{Category, NotKnown, Quantity, Role, Source};
use std::collections::{BTreeMap, BTreeSet};

/// The number of figures that each source gave, by quantity.
pub(super) fn count_sources(pods: &[PodUse]) -> BTreeMap<Quantity, BTreeMap<Source, usize>> {
    let mut counts: BTreeMap<Quantity, BTreeMap<Source, usize>> = BTreeMap::new();
    for figure in pods.iter().flat_map(PodUse::all_figures) {
        if let Some(source) = figure.source {
            let by_source = counts.entry(figure.quantity).or_default();
            *by_source.entry(source).or_default() += 1;
        }
    }
    counts
}

/// The sums of each category that has pods, sorted by category.
pub(super) fn add_up_categories(pods: &[PodUse]) -> Vec<CategoryUse> {
    let mut by_category: BTreeMap<&Category, Vec<&PodUse>> = BTreeMap::new();
    for pod in pods {
        by_category.entry(&pod.category).or_default().push(pod);
    }
    by_category
        .into_iter()
        .map(|(category, pods)| add_up(category, &pods))
        .collect()
}

fn add_up(category: &Category, pods: &[&PodUse]) -> CategoryUse {
    let network = |quantity| network_of(pods.iter().copied(), quantity);
    let containers = || pods.iter().flat_map(|pod| &pod.containers);
    let throttling = containers().filter_map(ContainerUse::throttling);
    let counted = [Quantity::Cpu, Quantity::WorkingSet, Quantity::NetworkRx];
    let is_doubtful = |figure: &&Figure| {
        let has_little = figure.value.is_none() || figure.quality == Quality::LowCoverage;
        counted.contains(&figure.quantity) && has_little
    };
    let events = [Quantity::Restarts, Quantity::OomKills].into_iter();
    let (cpu, memory) = (sums(pods, Quantity::Cpu), sums(pods, Quantity::WorkingSet));
    CategoryUse {
        category: category.clone(),
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

/// The sums of one quantity by role, and for each role without a sum the reason.
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
