//! What the kubelets of the played cluster serve: the same cache through every endpoint, as real
//! ones do, and what `cat` prints in a container: the truth at that moment.

use super::cluster::{Cgroups, Cluster, Container, Pod, rfc3339};
use serde_json::{Value, json};
use std::fmt::Write;

fn key(pod: &Pod, container: &Container) -> String {
    format!("{}/{}", pod.uid, container.name)
}

/// A clock of a node that shows `now` on ours.
fn on_node(cluster: &Cluster, now: u64) -> u64 {
    now.saturating_add_signed(cluster.clock_ahead_ms * 1_000_000)
}

/// `/metrics/resource`.
pub fn resource(cluster: &Cluster, node: &str, now: u64) -> String {
    let mut text = String::from("# HELP container_cpu_usage_seconds_total x\n");
    for pod in cluster.pods.iter().filter(|pod| pod.node == node) {
        for container in &pod.containers {
            let at = cluster
                .measured(&key(pod, container), now)
                .max(container.started);
            let labels = format!(
                "{{container=\"{}\",namespace=\"{}\",pod=\"{}\"}}",
                container.name, pod.namespace, pod.name
            );
            let stamp = on_node(cluster, at) / 1_000_000;
            let cpu = container.cpu(at) as f64 / 1e9;
            let started = container.started as f64 / 1e9;
            let _ = writeln!(
                text,
                "container_cpu_usage_seconds_total{labels} {cpu} {stamp}"
            );
            let _ = writeln!(
                text,
                "container_memory_working_set_bytes{labels} {} {stamp}",
                container.memory_bytes
            );
            let _ = writeln!(text, "container_start_time_seconds{labels} {started}");
        }
    }
    text
}

/// `/metrics/cadvisor`.
pub fn cadvisor(cluster: &Cluster, node: &str, now: u64) -> String {
    let mut text = String::from("# TYPE container_cpu_usage_seconds_total counter\n");
    for pod in cluster.pods.iter().filter(|pod| pod.node == node) {
        for container in &pod.containers {
            let at = cluster
                .measured(&key(pod, container), now)
                .max(container.started);
            let stamp = on_node(cluster, at) / 1_000_000;
            let labels = format!(
                "{{container=\"{}\",id=\"/kubepods/x\",image=\"\",name=\"\",namespace=\"{}\",pod=\"{}\"}}",
                container.name, pod.namespace, pod.name
            );
            let mut line = |name: &str, value: f64| {
                let _ = writeln!(text, "container_{name}{labels} {value} {stamp}");
            };
            line("cpu_usage_seconds_total", container.cpu(at) as f64 / 1e9);
            line("memory_working_set_bytes", container.memory_bytes as f64);
            if cluster.has_rss {
                line("memory_rss", container.memory_bytes as f64 / 2.0);
            }
            line("fs_writes_bytes_total", pod.bytes(1000.0, at) as f64);
            if let Some((periods, throttled)) = container.periods(at) {
                line("cpu_cfs_periods_total", periods as f64);
                line("cpu_cfs_throttled_periods_total", throttled as f64);
            }
        }
        if cluster.has_network {
            let at = cluster.measured(&pod.uid, now);
            let stamp = on_node(cluster, at) / 1_000_000;
            let bytes = pod.bytes(pod.wire, at);
            for direction in ["receive", "transmit"] {
                let _ = writeln!(
                    text,
                    "container_network_{direction}_bytes_total{{container=\"\",interface=\"eth0\",namespace=\"{}\",pod=\"{}\"}} {bytes} {stamp}",
                    pod.namespace, pod.name
                );
            }
        }
    }
    text
}

/// `/stats/summary`.
pub fn summary(cluster: &Cluster, node: &str, now: u64) -> Value {
    let pods = cluster.pods.iter().filter(|pod| pod.node == node);
    let pods = pods.map(|pod| {
        let containers = pod.containers.iter().map(|container| {
            let at = cluster.measured(&key(pod, container), now).max(container.started);
            let time = rfc3339(on_node(cluster, at));
            let mut memory = json!({ "time": time, "workingSetBytes": container.memory_bytes });
            if cluster.has_rss {
                memory["rssBytes"] = json!(container.memory_bytes / 2);
            }
            json!({
                "name": container.name, "startTime": rfc3339(container.started),
                "cpu": { "time": time, "usageNanoCores": 1, "usageCoreNanoSeconds": container.cpu(at) },
                "memory": memory,
            })
        });
        let mut described = json!({
            "podRef": { "name": pod.name, "namespace": pod.namespace, "uid": pod.uid },
            "startTime": rfc3339(pod.started), "containers": containers.collect::<Vec<_>>(),
        });
        if cluster.has_network {
            let at = cluster.measured(&pod.uid, now);
            let bytes = pod.bytes(pod.wire, at);
            described["network"] = json!({
                "time": rfc3339(on_node(cluster, at)), "name": "eth0", "rxBytes": bytes, "txBytes": bytes,
                "interfaces": [{ "name": "eth0", "rxBytes": bytes, "txBytes": bytes }],
            });
        }
        described
    });
    json!({ "node": { "nodeName": node }, "pods": pods.collect::<Vec<_>>() })
}

/// metrics-server's pods.
pub fn metrics_server(cluster: &Cluster, now: u64) -> Value {
    let pods = cluster.pods.iter().map(|pod| {
        let containers = pod.containers.iter().map(|container| {
            json!({ "name": container.name, "usage": {
                "cpu": format!("{}n", (container.millicores * 1e6) as u64),
                "memory": format!("{}Ki", container.memory_bytes / 1024),
            } })
        });
        json!({
            "metadata": { "name": pod.name, "namespace": pod.namespace },
            "timestamp": rfc3339(on_node(cluster, now)), "window": "15s",
            "containers": containers.collect::<Vec<_>>(),
        })
    });
    json!({ "kind": "PodMetricsList", "items": pods.collect::<Vec<_>>() })
}

/// What `cat FILE...` prints in a container at `now`, and what it complains about.
pub fn cat(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    files: &[String],
    now: u64,
) -> (String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    for file in files {
        match contents(cluster, pod, container, file, now) {
            Some(text) => out.push_str(&text),
            None => {
                let _ = writeln!(err, "cat: can't open '{file}': No such file or directory");
            }
        }
    }
    (out, err)
}

fn contents(
    cluster: &Cluster,
    pod: &Pod,
    container: &Container,
    file: &str,
    now: u64,
) -> Option<String> {
    let v2 = cluster.cgroups == Cgroups::V2;
    let (periods, throttled) = container.periods(now).unwrap_or((0, 0));
    match file {
        "/proc/uptime" => {
            // The machine was started long ago, at a whole second of the epoch.
            let up = (now - 1_700_000_000_000_000_000) / 10_000_000;
            Some(format!("{}.{:02} 7.00\n", up / 100, up % 100))
        }
        "/proc/net/dev" => {
            let line = |name: &str, bytes: u64| {
                format!("{name:>6}: {bytes} 1 0 0 0 0 0 0 {bytes} 1 0 0 0 0 0 0\n")
            };
            let head = "Inter-|   Receive  |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes\n";
            Some(format!(
                "{head}{}{}",
                line("lo", pod.bytes(pod.loopback, now)),
                line("eth0", pod.bytes(pod.wire, now))
            ))
        }
        "/sys/fs/cgroup/cpu.stat" if v2 => Some(format!(
            "usage_usec {}\nuser_usec 1\nsystem_usec 1\nnr_periods {periods}\nnr_throttled {throttled}\nthrottled_usec {}\n",
            container.cpu(now) / 1000,
            throttled * 50_000
        )),
        "/sys/fs/cgroup/io.stat" if v2 => {
            Some("8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n".to_owned())
        }
        "/sys/fs/cgroup/cpuacct/cpuacct.usage" if !v2 => Some(format!("{}\n", container.cpu(now))),
        "/sys/fs/cgroup/cpu/cpu.stat" if !v2 => Some(format!(
            "nr_periods {periods}\nnr_throttled {throttled}\nthrottled_time {}\n",
            throttled * 50_000_000
        )),
        _ => None,
    }
}
