//! Notes on pods and containers whose CPU use differs between two sources that measure the same thing.

use super::figures::{ContainerUse, Figure};
use super::{Quantity, Source, Subject};

/// The share of the window that samples must cover for a figure to be compared.
const COVERAGE_NEEDED: f64 = 0.5;
/// The relative difference from which on two sources of one container disagree.
const SOURCE_TOLERANCE: f64 = 0.05;
/// The relative difference from which on a pod disagrees with its containers. It is wider, because they
/// are measured at different moments and in whole seconds, which alone accounts for 4 %.
const POD_TOLERANCE: f64 = 0.15;
/// The difference in millicores up to which two figures agree in any case, because the times of samples
/// are not known more exactly.
const SMALLEST_DIFFERENCE: f64 = 10.0;

fn differ(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() > (tolerance * one.max(other)).max(SMALLEST_DIFFERENCE)
}

fn is_covered(figure: &Figure) -> bool {
    figure.coverage >= COVERAGE_NEEDED
}

/// Compares the sum of the containers' CPU with that of the pod's own control group. The latter goes on
/// counting when a container is restarted, and also counts what runs in no container.
pub(super) fn pod_and_containers(
    subject: &Subject,
    of_pod: Option<Figure>,
    containers: &[ContainerUse],
) -> Option<String> {
    let figures = containers.iter().map(|one| one.figure(Quantity::Cpu));
    let sum = figures
        .map(|figure| figure.filter(|one| is_covered(one))?.value)
        .sum::<Option<f64>>()?;
    let value = of_pod.filter(is_covered)?.value?;
    differ(value, sum, POD_TOLERANCE).then(|| {
        format!(
            "{}/{}: the containers' CPU adds up to {sum:.1} m, the pod's own count says {value:.1} m",
            subject.namespace, subject.pod
        )
    })
}

/// Compares a container's CPU as it was read at the edges of the window with the best other source.
pub(super) fn edges_and_series(subject: &Subject, candidates: &[Figure]) -> Option<String> {
    let is_edge = |figure: &&Figure| figure.source == Some(Source::Exec);
    let edge = candidates.iter().find(is_edge)?;
    let mut others = candidates.iter().filter(|figure| !is_edge(figure));
    let series = others.find(|figure| is_covered(figure))?;
    let (one, other) = (edge.value?, series.value?);
    let disagrees = edge.quantity == Quantity::Cpu && differ(one, other, SOURCE_TOLERANCE);
    disagrees.then(|| {
        format!(
            "{}/{}/{}: CPU read at the window's edges is {one:.1} m, the kubelet's series says {other:.1} m",
            subject.namespace,
            subject.pod,
            subject.container.as_deref().unwrap_or_default(),
        )
    })
}
