//! Pods that come and go, and the categories of namespaces.

use super::*;

#[test]
fn a_pod_that_comes_back_under_its_name_is_another_pod() {
    let mut topology = frontend();
    let mut second = pod("uid-1", vec![container("app", Role::App)]);
    second.name = "frontend-0".to_owned();
    second.seen.from = Nanos(BEGIN + 5);
    topology.update(vec![second], Nanos(BEGIN + 9));
    assert_eq!(topology.pods["uid-0"].seen.to, Some(Nanos(BEGIN + 9)));
    let still_there = topology.pods.values().filter(|pod| pod.seen.to.is_none());
    let uids: Vec<&str> = still_there.map(|pod| pod.uid.as_str()).collect();
    assert_eq!(uids, ["uid-1"]);
}

#[test]
fn namespaces_are_sorted_into_the_studys_categories() {
    let scope = frontend().scope;
    assert_eq!(scope.category("default").to_string(), "application");
    assert_eq!(
        scope.category("istio-system").to_string(),
        "istio-control-plane"
    );
    assert_eq!(
        scope.category("kube-system").to_string(),
        "kubernetes-system"
    );
    assert_eq!(scope.category("monitoring").to_string(), "monitoring");
    assert!(scope.contains("istio-system") && !scope.contains("kube-system"));
}
