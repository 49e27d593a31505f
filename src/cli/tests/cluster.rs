//! The flags of the collector and the way to a cluster.

use super::*;

#[test]
fn nothing_is_collected_unless_asked_for() {
    let request = with(&[]);
    assert_eq!(request.spec.collect.from, CollectFrom::None);
    let from = |typed: &str| with(&["--collect", typed]).spec.collect.from;
    assert_eq!(from("kube"), CollectFrom::Kube);
    assert_eq!(from("auto"), CollectFrom::Auto);
    let processes = vec![
        ProcessChoice::Pid(12),
        ProcessChoice::Name("front end".to_owned()),
    ];
    assert_eq!(
        from("process:12,name=front end"),
        CollectFrom::Process(processes)
    );
}

#[test]
fn the_way_to_a_cluster() {
    let flags = [
        "--context",
        "study",
        "-n",
        "hotel",
        "-n",
        "db",
        "--kubelet",
        "direct",
        "--no-exec",
        "--collect-interval",
        "5s",
    ];
    let collect = with(&flags).spec.collect;
    assert_eq!(collect.access.context.as_deref(), Some("study"));
    assert_eq!(collect.namespaces, ["hotel", "db"]);
    assert_eq!(collect.access.kubelet, KubeletRoute::Direct);
    assert!(!collect.exec && !collect.all_namespaces);
    assert_eq!(collect.interval, Nanos::from_secs(5));
    let proxy = with(&["--kube-url", "http://127.0.0.1:8001/"]).spec.collect;
    assert_eq!(proxy.access.url.as_deref(), Some("http://127.0.0.1:8001"));
}

#[test]
fn what_cannot_be_collected_from_is_refused_with_the_cure() {
    let refused = |flags: &[&str]| refusal(&[&["-R", "1"], flags, &[URL]].concat());
    assert!(refused(&["--collect", "docker"]).contains("process:PID"));
    assert!(refused(&["--collect", "process:frontend"]).contains("name=frontend"));
    assert!(refused(&["--collect", "process:0"]).contains("process id"));
    assert!(refused(&["--collect", "process:name="]).contains("name=frontend"));
    assert!(refused(&["--kube-url", "https://h:6443"]).contains("--kubeconfig"));
    assert!(refused(&["--kube-url", "http://h", "--context", "c"]).contains("either"));
    assert!(refused(&["--kube-url", "http://h", "--kubelet", "direct"]).contains("kubeconfig"));
    assert!(refused(&["--collect-interval", "1ms"]).contains("at least 100ms"));
}
