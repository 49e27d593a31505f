//! The preflight: a look at the cluster before anything is measured, at the account's rights, the
//! sources that answer, and how the mesh is set up.

use super::error::ClusterError;
use super::kube_source::KubeSource;
use crate::clock::TimeSource;
use crate::findings::{Check, Finding, topology_findings};
use crate::kube::{Access, AccessError, CallError, Calls, list_all, server_version};
use crate::resources::{Quantity, Source};
use crate::spec::{CollectSpec, KubeletRoute};
use kube::Client;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A right that a collection makes use of, and what is lost without it.
struct Right {
    verb: &'static str,
    group: &'static str,
    resource: &'static str,
    subresource: &'static str,
    /// Whether it is asked about in each namespace of the application, not for the whole cluster.
    is_namespaced: bool,
    is_needed: bool,
    otherwise: &'static str,
}

const LISTS: [Right; 3] = [
    Right {
        verb: "list",
        group: "",
        resource: "pods",
        subresource: "",
        is_namespaced: false,
        is_needed: false,
        otherwise: "only the application's namespaces are seen, the mesh's own pods are not",
    },
    Right {
        verb: "list",
        group: "",
        resource: "nodes",
        subresource: "",
        is_namespaced: false,
        is_needed: false,
        otherwise: "runtimes are not known, and kubelets cannot be asked directly",
    },
    Right {
        verb: "list",
        group: "",
        resource: "namespaces",
        subresource: "",
        is_namespaced: false,
        is_needed: false,
        otherwise: "ambient meshes and injection labels are not recognised",
    },
];

const PROXIED: [Right; 1] = [Right {
    verb: "get",
    group: "",
    resource: "nodes",
    subresource: "proxy",
    is_namespaced: false,
    is_needed: true,
    otherwise: "no kubelet can be asked through the API server (--kubelet direct needs other rights)",
}];

const DIRECT: [Right; 2] = [
    Right {
        verb: "get",
        group: "",
        resource: "nodes",
        subresource: "metrics",
        is_namespaced: false,
        is_needed: true,
        otherwise: "kubelets do not give /metrics/resource and /metrics/cadvisor",
    },
    Right {
        verb: "get",
        group: "",
        resource: "nodes",
        subresource: "stats",
        is_namespaced: false,
        is_needed: true,
        otherwise: "kubelets do not give /stats/summary",
    },
];

const EXEC: [Right; 2] = [
    Right {
        verb: "get",
        group: "",
        resource: "pods",
        subresource: "exec",
        is_namespaced: true,
        is_needed: false,
        otherwise: "no counters are read inside containers: no loopback, and CPU as old as the kubelet's",
    },
    Right {
        verb: "create",
        group: "",
        resource: "pods",
        subresource: "exec",
        is_namespaced: true,
        is_needed: false,
        otherwise: "from Kubernetes 1.35 on no command can be run in containers",
    },
];

const MESH: [Right; 1] = [Right {
    verb: "list",
    group: "security.istio.io",
    resource: "peerauthentications",
    subresource: "",
    is_namespaced: false,
    is_needed: false,
    otherwise: "the mode of mutual TLS is not known",
}];

/// Looks at everything. What fails is a finding, not an error.
pub fn preflight(spec: &CollectSpec) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(Default::default());
    match runtime {
        Ok(runtime) => runtime.block_on(look(spec)),
        Err(error) => vec![Finding::bad(
            Check::Runtime,
            "runtime",
            error.to_string(),
            "close other programs",
        )],
    }
}

async fn look(spec: &CollectSpec) -> Vec<Finding> {
    let clock = TimeSource::machine();
    let calls = Calls::new(clock.clone());
    let reached = reach(spec, &calls).await;
    let (access, client, version) = match reached {
        Ok(reached) => reached,
        Err(error) => return vec![not_reached(&error)],
    };
    let mut findings = vec![Finding::good(
        Check::ApiServer,
        "API server",
        format!("{} {version}", access.url),
    )];
    findings.extend(rights(&calls, &client, spec, &access.default_namespace).await);
    match KubeSource::find(spec, clock).await {
        Ok(source) => {
            findings.extend(sources(&source));
            let store = source.store.borrow();
            findings.extend(topology_findings(&store.topology, &store.clocks()));
        }
        Err(error) => findings.push(no_source(&error)),
    }
    findings.extend(mesh(&calls, &client, spec, &access.default_namespace).await);
    findings.sort_by_key(|finding| finding.code);
    findings
}

async fn reach(spec: &CollectSpec, calls: &Calls) -> Result<(Access, Client, String), AccessError> {
    let access = Access::find(&spec.access).await?;
    let client = access.client()?;
    let version = server_version(calls, &client, &access.url).await?;
    Ok((access, client, version))
}

fn not_reached(error: &AccessError) -> Finding {
    if let AccessError::Absent(_) = error {
        return Finding::skipped(
            Check::Cluster,
            "cluster",
            "there is no kubeconfig, so nothing of a cluster was looked at; runs and sweeps work without",
            "give --kubeconfig, or --kube-url of a `kubectl proxy`",
        );
    }
    Finding::bad(
        Check::ApiServer,
        "API server",
        error.message(),
        error.cure(),
    )
}

fn no_source(error: &ClusterError) -> Finding {
    Finding::bad(Check::Figures, "figures", error.message(), error.cure())
}

async fn rights(
    calls: &Calls,
    client: &Client,
    spec: &CollectSpec,
    default_namespace: &str,
) -> Vec<Finding> {
    let kubelets: &[Right] = match spec.access.kubelet {
        KubeletRoute::Proxy => &PROXIED,
        KubeletRoute::Direct | KubeletRoute::DirectInsecure => &DIRECT,
    };
    let exec: &[Right] = if spec.exec { &EXEC } else { &[] };
    let mut findings = Vec::new();
    for right in LISTS.iter().chain(kubelets).chain(exec).chain(&MESH) {
        let namespaces = if right.is_namespaced {
            application(spec, default_namespace)
        } else {
            BTreeSet::from([String::new()])
        };
        for namespace in namespaces {
            findings.push(review(calls, client, right, &namespace).await);
        }
    }
    findings
}

fn application(spec: &CollectSpec, default_namespace: &str) -> BTreeSet<String> {
    if spec.namespaces.is_empty() {
        BTreeSet::from([default_namespace.to_owned()])
    } else {
        spec.namespaces.iter().cloned().collect()
    }
}

async fn review(calls: &Calls, client: &Client, right: &Right, namespace: &str) -> Finding {
    let slash = if right.subresource.is_empty() {
        ""
    } else {
        "/"
    };
    let place = if namespace.is_empty() {
        String::new()
    } else {
        format!(" in {namespace}")
    };
    let name = format!(
        "{} {}{slash}{}{place}",
        right.verb, right.resource, right.subresource
    );
    let asked = json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": { "resourceAttributes": {
            "verb": right.verb, "group": right.group, "resource": right.resource,
            "subresource": right.subresource, "namespace": namespace,
        } },
    });
    const PATH: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let answer: Result<Value, CallError> = calls.post_json(client, PATH, &asked).await;
    let is_allowed = answer
        .as_ref()
        .map(|answer| answer["status"]["allowed"].as_bool());
    let cure = "bind the role of docs/rbac.yaml to this account";
    match is_allowed {
        Ok(Some(true)) => Finding::good(Check::Right, &name, "allowed"),
        Ok(_) if right.is_needed => Finding::bad(
            Check::Right,
            &name,
            format!("refused: {}", right.otherwise),
            cure,
        ),
        Ok(_) => Finding::warn(
            Check::Right,
            &name,
            format!("refused: {}", right.otherwise),
            cure,
        ),
        Err(error) => Finding::warn(
            Check::Right,
            &name,
            format!("not known: {error}"),
            error.cure(),
        ),
    }
}

fn sources(source: &KubeSource) -> Vec<Finding> {
    let serving = source.serving();
    let names: Vec<&str> = serving.iter().map(|one| one.name()).collect();
    let mut findings = vec![Finding::good(Check::Sources, "answering", names.join(", "))];
    findings.push(if serving.contains(&Source::MetricsResource) {
        Finding::good(
            Check::TimeStamps,
            "time stamps",
            "milliseconds (/metrics/resource)",
        )
    } else {
        Finding::warn(
            Check::TimeStamps,
            "time stamps",
            "whole seconds: rates over a window of 60 s are off by up to 4 %",
            "let the kubelet serve /metrics/resource",
        )
    });
    findings.push(exec(source));
    findings.push(network(source, &serving));
    findings
}

fn exec(source: &KubeSource) -> Finding {
    let state = source.exec_state();
    let cgroups = match state.cgroup_version {
        Some(version) => format!("cgroup v{version}"),
        None => "the version of control groups is not known".to_owned(),
    };
    match state.refusal {
        None => Finding::good(
            Check::Exec,
            "commands in containers",
            format!("possible; {cgroups}"),
        ),
        Some(reason) => Finding::warn(
            Check::Exec,
            "commands in containers",
            format!("not possible: {reason}"),
            "use a kubeconfig with the role meshload-exec of docs/rbac.yaml; for a kubectl proxy --reject-paths='^$'",
        ),
    }
}

fn network(source: &KubeSource, serving: &BTreeSet<Source>) -> Finding {
    let name = "network";
    let from_kubelet = source.store.borrow().has(Quantity::NetworkRx);
    match (source.exec_state().refusal, from_kubelet) {
        (None, _) => Finding::good(
            Check::Network,
            name,
            "read in the pods at the window's edges, loopback too",
        ),
        (Some(_), true) => Finding::good(
            Check::Network,
            name,
            "from the kubelet, every 10 to 30 s; no loopback",
        ),
        (Some(_), false) if serving.contains(&Source::StatsSummary) => Finding::warn(
            Check::Network,
            name,
            "the kubelet gives none",
            "allow commands in containers, or use containerd",
        ),
        (Some(_), false) => Finding::warn(
            Check::Network,
            name,
            "no source gives it",
            "allow commands in containers",
        ),
    }
}

/// Labels that put pods into the mesh, and the mode of mutual TLS.
async fn mesh(
    calls: &Calls,
    client: &Client,
    spec: &CollectSpec,
    default_namespace: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let namespaces: Result<Vec<Value>, _> = list_all(calls, client, "/api/v1/namespaces").await;
    let ours = application(spec, default_namespace);
    for namespace in namespaces.unwrap_or_default() {
        let name = namespace["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if ours.contains(&name) {
            findings.push(injection(&name, &namespace["metadata"]["labels"]));
        }
    }
    let path = "/apis/security.istio.io/v1/peerauthentications";
    let policies: Result<Vec<Value>, CallError> = list_all(calls, client, path).await;
    findings.push(match policies {
        Ok(policies) => mutual_tls(&policies),
        Err(CallError::Status { status: 404, .. }) => {
            Finding::good(Check::MutualTls, "mutual TLS", "Istio is not installed")
        }
        Err(error) => Finding::warn(
            Check::MutualTls,
            "mutual TLS",
            format!("not known: {error}"),
            error.cure(),
        ),
    });
    findings
}

fn injection(namespace: &str, labels: &Value) -> Finding {
    let names = [
        "istio-injection",
        "istio.io/rev",
        "istio.io/dataplane-mode",
        "linkerd.io/inject",
    ];
    let set = names
        .iter()
        .filter_map(|name| Some(format!("{name}={}", labels[name].as_str()?)));
    let set: Vec<String> = set.collect();
    let message = if set.is_empty() {
        "none: new pods stay outside of the mesh".to_owned()
    } else {
        set.join(", ")
    };
    Finding::good(
        Check::InjectionLabels,
        &format!("injection labels of {namespace}"),
        message,
    )
}

/// The mode of each policy; without one Istio is permissive, which between sidecars is mutual TLS.
fn mutual_tls(policies: &[Value]) -> Finding {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut modes = BTreeMap::new();
    for policy in policies {
        let name = format!(
            "{}/{}",
            text(&policy["metadata"]["namespace"]),
            text(&policy["metadata"]["name"])
        );
        modes.insert(name, text(&policy["spec"]["mtls"]["mode"]));
    }
    let modes: Vec<String> = modes
        .into_iter()
        .map(|(name, mode)| format!("{name} {mode}"))
        .collect();
    let message = if modes.is_empty() {
        "no policy, so PERMISSIVE: still mutual TLS between sidecars; an arm without encryption must disable it".to_owned()
    } else {
        modes.join(", ")
    };
    Finding::good(Check::MutualTls, "mutual TLS", message)
}
