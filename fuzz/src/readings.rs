//! What kubelets, kernels and cgroups say.

use meshload::readings::{
    cgroup_path, cpu_stat, edge_reading, metric_lines as exposed, net_dev, parse_pod_metrics,
    parse_quantity, parse_summary, pressure_some_total, process_io, process_stat, process_status,
    seconds_to_nanos, uptime,
};

/// The kubelet's summary and metrics-server's list: every pod is read, or counted as unreadable.
pub fn summary(bytes: &[u8]) {
    let _ = parse_pod_metrics(bytes);
    let _ = parse_quantity(&String::from_utf8_lossy(bytes));
    let Ok(summary) = parse_summary(bytes) else {
        return;
    };
    // What stands under names that nobody asked for may be worse than the summary.
    let value: serde_json::Value = serde_json::from_slice(bytes).unwrap_or_default();
    if value.is_object() {
        let pods = value["pods"].as_array().map_or(0, Vec::len);
        assert_eq!(summary.pods.len() + summary.unreadable, pods);
    }
}

/// Prometheus' text: names are names, and a line that is written comes back. Bytes: a value, the
/// text.
pub fn exposition(bytes: &[u8]) {
    let Some((value, text)) = bytes.split_first_chunk::<8>() else {
        return;
    };
    let mut found = 0;
    for sample in exposed(text) {
        assert!(!sample.name.is_empty());
        assert!(
            !sample
                .name
                .contains(|c: char| c == '{' || c.is_whitespace())
        );
        for name in ["", "container", "pod", "interface"] {
            let _ = sample.label(name);
        }
        let _ = seconds_to_nanos(sample.value);
        found += 1;
    }
    assert!(found <= text.split(|byte| *byte == b'\n').count());

    let label = String::from_utf8_lossy(text);
    let escaped = label.replace('\\', "\\\\").replace('"', "\\\"");
    let escaped = escaped.replace('\n', "\\n");
    let (value, stamp) = (
        f64::from_le_bytes(*value),
        u32::from_le_bytes([value[0], value[2], value[4], value[6]]),
    );
    let line =
        format!("# TYPE m counter\nm{{a=\"}}\",b=\"{escaped}\",c=\"\"}} {value:e} {stamp}\n");
    let mut samples = exposed(line.as_bytes());
    let sample = samples.next().expect("the line that was written");
    assert!(samples.next().is_none());
    assert_eq!(sample.name, "m");
    assert_eq!(sample.label("a").as_deref(), Some("}"));
    assert_eq!(sample.label("b").as_deref(), Some(label.as_ref()));
    assert_eq!(sample.label("c").as_deref(), Some(""));
    assert!(sample.value == value || value.is_nan() && sample.value.is_nan());
    assert_eq!(
        sample.stamp.map(|at| at.0),
        Some(u64::from(stamp) * 1_000_000)
    );
}

/// Files of /proc and of cgroups, one by one and several after the other: a last line without its
/// end is none.
pub fn node_files(bytes: &[u8]) {
    let _ = (net_dev(bytes), uptime(bytes), process_stat(bytes));
    let _ = (process_status(bytes), process_io(bytes));
    let _ = (cpu_stat(bytes), pressure_some_total(bytes));
    if let Some(path) = cgroup_path(bytes) {
        assert!(path.starts_with('/') && !path.contains(".."));
    }
    let reading = edge_reading(bytes);
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    let whole_lines = end.map_or(&[][..], |end| &bytes[..=end]);
    assert_eq!(edge_reading(whole_lines), reading);
}
