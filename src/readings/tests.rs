//! Recordings of a real node must be read right, and no bytes at all may be a surprise.

use super::*;
use crate::units::Nanos;
use proptest::prelude::*;

const SUMMARY: &[u8] = include_bytes!("../../tests/fixtures/kubelet/summary.json");
const RESOURCE: &[u8] = include_bytes!("../../tests/fixtures/kubelet/resource.txt");
const CADVISOR: &[u8] = include_bytes!("../../tests/fixtures/kubelet/cadvisor.txt");
const EDGE: &[u8] = include_bytes!("../../tests/fixtures/kubelet/edge.txt");

#[test]
fn a_summary_of_a_real_kubelet() {
    let summary = parse_summary(SUMMARY).expect("a summary");
    assert_eq!(summary.unreadable, 0);
    let mut pods = summary.pods.iter();
    let frontend = pods
        .find(|pod| pod.name.starts_with("frontend"))
        .expect("frontend");
    assert_eq!(frontend.namespace, "default");
    let names: Vec<&str> = frontend
        .containers
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["hotel-reserv-frontend", "istio-proxy"]);
    let cpu = frontend.containers[0].cpu.expect("CPU");
    assert_eq!(cpu.usage, Some(170_405_391_127));
    // 2026-11-23T04:38:33Z
    assert_eq!(cpu.time, Some(Nanos(1_795_408_713_000_000_000)));
    assert_eq!(cpu.psi_some_total, Some(0));
    let network = frontend.network.as_ref().expect("network");
    assert_eq!(
        network.interfaces.len(),
        1,
        "the default interface is not counted twice"
    );
    assert_eq!(network.interfaces[0].rx_bytes, Some(5_896_635));
}

#[test]
fn what_a_summary_leaves_out_is_missing_and_not_zero() {
    let text = br#"{"pods":[{"podRef":{"name":"p","namespace":"n"},"containers":[{"name":"c","cpu":{"time":null},"memory":{}}]}]}"#;
    let summary = parse_summary(text).expect("a summary");
    let container = &summary.pods[0].containers[0];
    assert_eq!(container.start, None);
    assert_eq!(container.cpu, Some(Cpu::default()));
    assert_eq!(container.memory.expect("an empty block").rss, None);
    assert_eq!(container.io, None);
    assert_eq!(summary.pods[0].network, None);
}

#[test]
fn one_broken_pod_does_not_take_the_others_with_it() {
    let text = br#"{"pods":[{"podRef":{"name":7}},{"podRef":{"name":"p","namespace":"n"},"containers":null}]}"#;
    let summary = parse_summary(text).expect("a summary");
    assert_eq!((summary.pods.len(), summary.unreadable), (1, 1));
}

#[test]
fn pressure_is_the_kernels_number_of_microseconds() {
    let text = br#"{"pods":[{"podRef":{"name":"p","namespace":"n"},"containers":[{"name":"c","cpu":{"psi":{"some":{"total":5}}}}]}]}"#;
    let summary = parse_summary(text).expect("a summary");
    let cpu = summary.pods[0].containers[0].cpu.expect("CPU");
    assert_eq!(cpu.psi_some_total, Some(5_000));
}

#[test]
fn the_resource_metrics_of_a_real_kubelet() {
    let find = |name: &str, container: &str| {
        let mut lines = metric_lines(RESOURCE).filter(|sample| sample.name == name);
        lines
            .find(|sample| sample.label("container").as_deref() == Some(container))
            .expect("a line")
    };
    let cpu = find("container_cpu_usage_seconds_total", "hotel-reserv-frontend");
    assert_eq!(
        seconds_to_nanos(cpu.value),
        Some(170_405_391_127),
        "the same counter as in the summary"
    );
    assert_eq!(
        cpu.stamp,
        Some(Nanos(1_795_408_713_009_000_000)),
        "with milliseconds"
    );
    assert_eq!(cpu.label("namespace").as_deref(), Some("default"));
    assert_eq!(cpu.label("node"), None);
    let started = find("container_start_time_seconds", "istio-proxy");
    assert_eq!(started.stamp, None);
    assert!(seconds_to_nanos(started.value).is_some());
}

#[test]
fn cadvisors_text_of_a_real_kubelet() {
    let throttled: Vec<f64> = metric_lines(CADVISOR)
        .filter(|sample| sample.name == "container_cpu_cfs_throttled_periods_total")
        .filter(|sample| sample.label("container").as_deref() == Some("istio-proxy"))
        .map(|sample| sample.value)
        .collect();
    assert_eq!(throttled.len(), 1);
    let received = metric_lines(CADVISOR)
        .find(|sample| sample.name == "container_network_receive_bytes_total")
        .expect("network");
    assert_eq!(received.label("interface").as_deref(), Some("eth0"));
}

#[test]
fn labels_may_hold_anything() {
    let text = b"m{a=\"x} 1 2\",b=\"quo\\\"te\\n\\\\\"} 3.5 1000\n";
    let sample = metric_lines(text).next().expect("a line");
    assert_eq!(sample.label("a").as_deref(), Some("x} 1 2"));
    assert_eq!(sample.label("b").as_deref(), Some("quo\"te\n\\"));
    assert_eq!(
        (sample.value, sample.stamp),
        (3.5, Some(Nanos(1_000_000_000)))
    );
}

#[test]
fn comments_and_broken_lines_are_passed_over() {
    let text = b"# HELP m x\nm 1\nm{a=\"b\" 2\nm notanumber\nm 1 notastamp\n\xff\xfe 1\nm 4\n";
    let values: Vec<f64> = metric_lines(text).map(|sample| sample.value).collect();
    assert_eq!(values, [1.0, 4.0]);
}

#[test]
fn seconds_that_are_no_length_of_time_are_none() {
    assert_eq!(seconds_to_nanos(f64::NAN), None);
    assert_eq!(seconds_to_nanos(-1.0), None);
    assert_eq!(seconds_to_nanos(f64::INFINITY), None);
    assert_eq!(seconds_to_nanos(0.25), Some(250_000_000));
}

#[test]
fn one_cat_of_several_files_is_taken_apart() {
    let reading = edge_reading(EDGE);
    assert_eq!(reading.uptime, Some(Nanos(19_689_220_000_000)));
    assert_eq!(reading.cpu.usage, Some(195_875_342_452));
    assert_eq!(reading.cpu.throttled_periods, Some(75));
    assert_eq!(reading.cpu.throttled, Some(3_610_597_821));
    assert_eq!(reading.cgroup_version, Some(1));
    let interfaces = reading.interfaces.expect("the network");
    assert_eq!(interfaces[1].name, "eth0");
    assert_eq!(
        (interfaces[1].rx_bytes, interfaces[1].tx_bytes),
        (Some(5_896_635), Some(7_926_246))
    );
}

#[test]
fn version_2_has_its_usage_in_cpu_stat_in_microseconds() {
    let text = b"usage_usec 1500\nuser_usec 1\nnr_periods 10\nnr_throttled 2\nthrottled_usec 30\n8:0 rbytes=1 wbytes=2 rios=3\n8:16 rbytes=10 wbytes=20\n";
    let reading = edge_reading(text);
    assert_eq!(reading.cpu.usage, Some(1_500_000));
    assert_eq!(reading.cpu.throttled, Some(30_000));
    assert_eq!(reading.io.read_bytes, Some(11));
    assert_eq!(reading.io.write_bytes, Some(22));
    assert_eq!(reading.cgroup_version, Some(2));
    assert_eq!(
        reading.interfaces, None,
        "not printed is not the same as no interface"
    );
}

#[test]
fn a_number_that_was_cut_in_half_is_no_number() {
    let cut = &EDGE[..EDGE.len() - 5];
    assert_eq!(edge_reading(cut).cpu.usage, None);
    let in_the_network =
        b"Inter-|\n  eth0: 5896635   79677    0    0    0     0          0         0  7926";
    assert_eq!(edge_reading(in_the_network).interfaces, Some(Vec::new()));
    assert_eq!(
        edge_reading(b"  eth0: 5896635   79677    0    0    0     0\n").interfaces,
        None
    );
}

#[test]
fn wires_are_told_from_loopbacks_and_bridges() {
    assert!(is_wire("eth0") && is_wire("ens5") && is_wire("net1"));
    assert!(!is_wire("lo") && !is_wire("veth12") && !is_wire("cni0") && !is_wire("docker0"));
    assert!(is_loopback("lo") && !is_loopback("lo0x"));
}

#[test]
fn the_name_of_a_program_may_hold_parentheses_and_spaces() {
    let text = b"42 (a) b (c) S 1 1 1 0 -1 4194560 1 0 0 0 700 300 0 0 20 0 4 0 9876 1 1 1";
    let stat = process_stat(text).expect("a stat");
    assert_eq!(stat.name, "a) b (c");
    assert_eq!((stat.cpu_ticks, stat.start_ticks), (1000, 9876));
    assert_eq!(process_stat(b"42 (a) S 1"), None);
}

#[test]
fn memory_and_disks_of_a_process() {
    let status = process_status(b"Name:\tx\nVmRSS:\t    2048 kB\nRssAnon:\t 1024 kB\n");
    assert_eq!(
        (status.rss, status.rss_anonymous),
        (Some(2 << 20), Some(1 << 20))
    );
    assert_eq!(process_status(b"VmRSS: much\n"), ProcessStatus::default());
    let io = process_io(b"rchar: 9\nread_bytes: 4096\nwrite_bytes: 0\n");
    assert_eq!((io.read_bytes, io.write_bytes), (Some(4096), Some(0)));
}

#[test]
fn the_cgroup_of_a_process_and_its_pressure() {
    let text = b"2:cpu:/x\n0::/system.slice/hotel.service\n";
    assert_eq!(
        cgroup_path(text).as_deref(),
        Some("/system.slice/hotel.service")
    );
    assert_eq!(cgroup_path(b"0::/../../other\n"), None);
    let pressure = b"some avg10=0.00 avg60=0.00 avg300=0.00 total=123\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n";
    assert_eq!(pressure_some_total(pressure), Some(123_000));
}

#[test]
fn kubernetes_quantities() {
    let cases = [
        ("250m", 0.25),
        ("2", 2.0),
        ("12345n", 12345e-9),
        ("3u", 3e-6),
        ("64Mi", 67_108_864.0),
        ("1Gi", 1_073_741_824.0),
        ("5M", 5e6),
        ("1e3", 1e3),
        ("1.5k", 1500.0),
    ];
    for (text, value) in cases {
        let parsed = parse_quantity(text).expect(text);
        assert!((parsed - value).abs() <= value * 1e-12, "{text}: {parsed}");
    }
    for text in ["", "m", "1x", "1 m", "--1", "1e", "1e999"] {
        assert_eq!(parse_quantity(text), None, "{text}");
    }
}

#[test]
fn metrics_servers_pods() {
    let text = br#"{"items":[{"metadata":{"name":"p","namespace":"n"},"timestamp":"2026-11-23T04:38:33Z","window":"15s",
        "containers":[{"name":"c","usage":{"cpu":"250000000n","memory":"2Ki"}},{"name":"d","usage":{}}]}]}"#;
    let metrics = parse_pod_metrics(text).expect("a list");
    assert_eq!(metrics[0].cpu_nanocores, Some(250_000_000));
    assert_eq!(metrics[0].memory_bytes, Some(2048));
    assert_eq!(metrics[0].time, Some(Nanos(1_795_408_713_000_000_000)));
    assert_eq!(metrics[1].cpu_nanocores, None);
}

#[test]
fn what_is_no_answer_is_refused_and_says_where() {
    let error = parse_summary(&SUMMARY[..SUMMARY.len() / 2]).expect_err("half of it");
    assert!(error.to_string().contains("line"), "{error}");
    assert!(parse_pod_metrics(b"404 page not found").is_err());
}

/// Bytes that look a little like what the parsers want.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "eth0:",
        "usage_usec",
        "8:0",
        "rbytes=",
        "0.25",
        "18446744073709551616",
        "-1",
        "\n",
        " ",
        "{",
        "}",
        "\"",
        "\\",
        "=",
        "some ",
        "total=",
        "0::/",
        "VmRSS:",
        "kB",
        "(",
        ")",
        "NaN",
        "1e308",
        "#",
        "m{a=\"",
        "\u{e9}",
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        prop::collection::vec(words, 0..80).prop_map(|words| words.concat().into_bytes()),
    ]
}

proptest! {
    #[test]
    fn no_bytes_are_a_surprise(text in texts()) {
        for sample in metric_lines(&text) {
            let _ = (sample.label("a"), seconds_to_nanos(sample.value));
        }
        let _ = (parse_summary(&text), parse_pod_metrics(&text), edge_reading(&text));
        let _ = (net_dev(&text), uptime(&text), process_stat(&text), process_status(&text));
        let _ = (process_io(&text), cpu_stat(&text), cgroup_path(&text));
        let _ = (pressure_some_total(&text), parse_quantity(&String::from_utf8_lossy(&text)));
    }

    #[test]
    fn a_metric_comes_back_as_it_was_written(
        label in "[ -~]{0,20}", value in 0u64..1_000_000_000_000, stamp in 0u64..4_000_000_000_000,
    ) {
        let escaped = label.replace('\\', "\\\\").replace('"', "\\\"");
        let text = format!("name{{x=\"1\",l=\"{escaped}\"}} {value} {stamp}\n");
        let read = metric_lines(text.as_bytes()).next().expect("a line");
        let found = read.label("l");
        prop_assert_eq!(found.as_deref(), Some(label.as_str()));
        prop_assert_eq!(read.value, value as f64);
        prop_assert_eq!(read.stamp, Some(Nanos(stamp * 1_000_000)));
    }

    #[test]
    fn the_files_of_an_edge_are_told_apart_in_any_order(
        order in Just(vec![0usize, 1, 2, 3]).prop_shuffle(), up in 0u64..1_000_000_000, rx in any::<u64>(), tx in any::<u64>(),
        cpu in 0u64..10_000_000_000_000, disk in 0u64..1_000_000_000_000,
    ) {
        let files = [
            format!("{}.{:02} 1.00\n", up / 100, up % 100),
            format!("Inter-|   Receive\n face |bytes\n  eth0: {rx} 1 0 0 0 0 0 0 {tx} 1 0 0 0 0 0 0\n"),
            format!("usage_usec {cpu}\nnr_periods 0\n"),
            format!("8:0 rbytes={disk} wbytes=0\n"),
        ];
        let text: String = order.iter().map(|at| files[*at].as_str()).collect();
        let reading = edge_reading(text.as_bytes());
        prop_assert_eq!(reading.uptime, Some(Nanos(up * 10_000_000)));
        let interfaces = reading.interfaces.expect("the network");
        prop_assert_eq!((interfaces[0].rx_bytes, interfaces[0].tx_bytes), (Some(rx), Some(tx)));
        prop_assert_eq!(reading.cpu.usage, Some(cpu * 1000));
        prop_assert_eq!(reading.io.read_bytes, Some(disk));
    }
}
