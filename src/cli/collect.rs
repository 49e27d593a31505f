//! The flags of the collector, the same wherever it runs.

use crate::spec::{BadSpec, ClusterAccess, CollectFrom, CollectSpec, KubeletRoute};
use crate::units::{Nanos, parse_duration};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How a cluster is reached, and which of its namespaces count.
#[derive(Debug, Args)]
#[command(next_help_heading = "Cluster")]
pub(super) struct ClusterArgs {
    /// Namespace of the system under load; repeatable [default: the kubeconfig's]
    #[arg(short = 'n', long = "namespace", value_name = "NAME")]
    namespaces: Vec<String>,
    /// Collect every namespace, not only the application's and the mesh's
    #[arg(long)]
    all_namespaces: bool,
    /// Kubeconfig file [default: $KUBECONFIG, ~/.kube/config, then in-cluster]
    #[arg(long, value_name = "FILE", conflicts_with = "kube_url")]
    kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Address of a `kubectl proxy`, such as http://127.0.0.1:8001
    #[arg(long, value_name = "URL", value_parser = plain_url)]
    kube_url: Option<String>,
    /// How kubelets are asked: through the API server, or at their own port
    #[arg(long, value_name = "ROUTE", default_value = "proxy")]
    kubelet: Route,
    /// Run no command in any container (CPU and network then come from the kubelet alone)
    #[arg(long)]
    no_exec: bool,
    /// Time between two looks
    #[arg(long, value_name = "T", default_value = "2s", value_parser = parse_duration)]
    collect_interval: Nanos,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Route {
    /// Through the API server (needs nodes/proxy)
    Proxy,
    /// At port 10250 (needs nodes/stats and nodes/metrics)
    Direct,
    /// Likewise, whoever signed the kubelet's certificate
    DirectInsecure,
}

impl ClusterArgs {
    /// What the flags mean, for a collection from there.
    pub(super) fn into_spec(self, from: CollectFrom) -> CollectSpec {
        CollectSpec {
            from,
            interval: self.collect_interval,
            access: ClusterAccess {
                kubeconfig: self.kubeconfig,
                context: self.context,
                url: self.kube_url,
                kubelet: match self.kubelet {
                    Route::Proxy => KubeletRoute::Proxy,
                    Route::Direct => KubeletRoute::Direct,
                    Route::DirectInsecure => KubeletRoute::DirectInsecure,
                },
            },
            namespaces: self.namespaces,
            all_namespaces: self.all_namespaces,
            exec: !self.no_exec,
        }
    }
}

/// What `meshload collect` is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectRequest {
    /// From whom.
    pub spec: CollectSpec,
    /// The window's length.
    pub length: Nanos,
    /// Result folder.
    pub folder: Option<PathBuf>,
    /// Print JSON in place of the table.
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meshload collect --for 60s -n hotel -o results/c\n  meshload collect --for 10s process:name=frontend"
)]
pub(super) struct CollectArgs {
    /// From whom: auto or kube (a cluster), process:PID,... or process:name=TEXT
    #[arg(value_name = "FROM", default_value = "kube", value_parser = collect_from)]
    from: CollectFrom,
    /// Length of the window
    #[arg(long = "for", value_name = "T", value_parser = parse_duration)]
    length: Nanos,
    /// Result folder; new, or empty
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
}

impl CollectArgs {
    /// What the flags mean together.
    pub(super) fn into_request(self) -> Result<CollectRequest, BadSpec> {
        let spec = self.cluster.into_spec(self.from);
        spec.validate()?;
        if spec.from == CollectFrom::None {
            return Err(BadSpec::new(
                "FROM",
                "there is nothing to collect from",
                "give kube, process:PID or process:name=TEXT",
            ));
        }
        if self.length.is_zero() {
            return Err(BadSpec::new(
                "--for",
                "an empty window",
                "use a duration above 0, such as 60s",
            ));
        }
        Ok(CollectRequest {
            spec,
            length: self.length,
            folder: self.output,
            json: self.json,
        })
    }
}

/// `none`, `auto`, `kube`, `process:123,456` or `process:name=frontend`.
pub(super) fn collect_from(typed: &str) -> Result<CollectFrom, String> {
    typed.parse()
}

fn plain_url(typed: &str) -> Result<String, String> {
    let url: http::Uri = typed.parse().map_err(|error| format!("{error}"))?;
    match url.scheme_str() {
        Some("http") if url.host().is_some() => Ok(typed.trim_end_matches('/').to_owned()),
        _ => Err(
            "expected http://host:port, as `kubectl proxy` prints; for https use --kubeconfig"
                .to_owned(),
        ),
    }
}
