//! The resource use of pods as a table for the terminal.

use crate::resources::{CategoryUse, Quality, Resources, Role};
use crate::units::show_bytes;
use std::fmt::Write;

/// The number of gaps that are listed. A cluster that stops answering makes one per kind of call.
const GAPS: usize = 8;

/// Writes the use by category and role, restarts, the collector's own cost, gaps and notes.
pub fn resources_text(resources: &Resources) -> String {
    let mut text = String::new();
    let window = resources.spans.window().length() as f64 / 1e9;
    let _ = writeln!(text, "  Resources over {window:.1}s by category and role");
    let _ = writeln!(
        text,
        "    {:<20} {:<14} {:>4} {:>11} {:>12} {:>11} {:>11}",
        "category", "role", "pods", "CPU (m)", "memory", "rx/s", "tx/s"
    );
    for category in &resources.categories {
        category_lines(&mut text, category);
    }
    let doubtful: usize = resources.categories.iter().map(|one| one.doubtful).sum();
    if doubtful > 0 {
        let _ = writeln!(
            text,
            "    {doubtful} figures are missing or speak for less than half of the window: see resources_window.csv"
        );
    }
    if resources.pods.iter().any(|pod| !pod.has_own_network()) {
        let _ = writeln!(
            text,
            "    pods on their node's network are left out of rx and tx"
        );
    }
    restarts(&mut text, resources);
    let cost = &resources.collector;
    let share = cost.cpu_seconds / cost.seconds.max(1e-9) * 100.0;
    let _ = write!(text, "    collector: {share:.2}% of a core");
    if cost.calls > 0 {
        let _ = write!(
            text,
            ", {} calls ({} failed), {} received, call median {:.1}ms, longest {:.1}ms",
            cost.calls,
            cost.failed,
            show_bytes(cost.bytes as f64),
            cost.call_p50_ms,
            cost.call_max_ms
        );
    }
    text.push('\n');
    for gap in resources.gaps.iter().take(GAPS) {
        let seconds = |nanos: i64| nanos as f64 / 1e9;
        let _ = writeln!(
            text,
            "    gap: {} from {:.1}s to {:.1}s ({} calls): {}",
            gap.what,
            seconds(gap.from_ns),
            seconds(gap.to_ns),
            gap.calls,
            gap.reason
        );
    }
    if resources.gaps.len() > GAPS {
        let more = resources.gaps.len() - GAPS;
        let _ = writeln!(
            text,
            "    and {more} more gaps: see run.json or collect.json"
        );
    }
    for note in &resources.notes {
        let _ = writeln!(text, "    note: {note}");
    }
    text
}

fn category_lines(text: &mut String, category: &CategoryUse) {
    let roles = category
        .cpu_m
        .keys()
        .chain(category.working_set_bytes.keys());
    let mut roles: Vec<Role> = roles.copied().collect();
    roles.sort();
    roles.dedup();
    let per_second = |bytes: Option<f64>| bytes.map_or("-".to_owned(), show_bytes);
    for (number, role) in roles.iter().enumerate() {
        let cpu = category.cpu_m.get(role);
        let memory = category.working_set_bytes.get(role);
        // Network belongs to pods, not to roles: it stands in the category's first line.
        let (name, pods, rx, tx) = if number == 0 {
            (
                category.category.to_string(),
                category.pods.to_string(),
                per_second(category.network_rx_bytes_per_s),
                per_second(category.network_tx_bytes_per_s),
            )
        } else {
            Default::default()
        };
        let line = format!(
            "    {name:<20} {:<14} {pods:>4} {:>11} {:>12} {rx:>11} {tx:>11}",
            role.name(),
            cpu.map_or("-".to_owned(), |cpu| format!("{cpu:.1}")),
            memory.map_or("-".to_owned(), |bytes| show_bytes(*bytes)),
        );
        let _ = writeln!(text, "{}", line.trim_end());
    }
    if roles.is_empty() {
        let _ = writeln!(
            text,
            "    {:<20} no figures of its {} pods",
            category.category, category.pods
        );
    }
    for why in &category.not_known {
        let _ = writeln!(text, "    {:<20} {why}", "");
    }
}

fn restarts(text: &mut String, resources: &Resources) {
    for pod in &resources.pods {
        for container in &pod.containers {
            let restarted = |quality: &Quality| *quality == Quality::Restarted;
            if container
                .figures
                .iter()
                .any(|figure| restarted(&figure.quality))
            {
                let _ = writeln!(
                    text,
                    "    restarted in the window: {}/{}/{}",
                    pod.namespace, pod.pod, container.name
                );
            }
        }
    }
}
