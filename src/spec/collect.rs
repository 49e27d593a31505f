//! The options of the collector: the source of its figures, and the way to the cluster.

use super::BadSpec;
use crate::units::{Nanos, text};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// From where figures of resources are collected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CollectFrom {
    /// Nothing is collected.
    #[default]
    None,
    /// From a cluster, if one can be reached.
    Auto,
    /// From a cluster; without one there is no run.
    Kube,
    /// From processes of this machine.
    Process(Vec<ProcessChoice>),
}

/// Which processes are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum ProcessChoice {
    /// The one with this id.
    Pid(u32),
    /// All whose command line contains this text.
    Name(String),
}

impl std::str::FromStr for CollectFrom {
    type Err = String;

    /// Reads `none`, `auto`, `kube`, `process:123,456` or `process:name=frontend`.
    fn from_str(typed: &str) -> Result<CollectFrom, String> {
        match typed {
            "none" => return Ok(CollectFrom::None),
            "auto" => return Ok(CollectFrom::Auto),
            "kube" => return Ok(CollectFrom::Kube),
            _ => {}
        }
        let Some(list) = typed.strip_prefix("process:") else {
            return Err(
                "expected none, auto, kube, process:PID,... or process:name=TEXT".to_owned(),
            );
        };
        let choices = list.split(',').map(process_choice);
        Ok(CollectFrom::Process(choices.collect::<Result<_, _>>()?))
    }
}

fn process_choice(typed: &str) -> Result<ProcessChoice, String> {
    if let Some(name) = typed.strip_prefix("name=") {
        if name.is_empty() {
            return Err("`name=` needs a part of a command line, such as name=frontend".to_owned());
        }
        return Ok(ProcessChoice::Name(name.to_owned()));
    }
    match typed.parse() {
        Ok(pid) if pid > 0 => Ok(ProcessChoice::Pid(pid)),
        _ => Err(format!(
            "`{typed}` is neither a process id nor name=TEXT; example: process:1234,name=frontend"
        )),
    }
}

impl std::fmt::Display for CollectFrom {
    /// As it is typed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let choices = match self {
            CollectFrom::None => return f.write_str("none"),
            CollectFrom::Auto => return f.write_str("auto"),
            CollectFrom::Kube => return f.write_str("kube"),
            CollectFrom::Process(choices) => choices,
        };
        let spelled = choices.iter().map(|choice| match choice {
            ProcessChoice::Pid(pid) => pid.to_string(),
            ProcessChoice::Name(name) => format!("name={name}"),
        });
        let spelled: Vec<String> = spelled.collect();
        write!(f, "process:{}", spelled.join(","))
    }
}

/// How the kubelets are reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KubeletRoute {
    /// Through the API server; needs nodes/proxy
    #[default]
    Proxy,
    /// At port 10250; needs nodes/stats and nodes/metrics, and certificates that the cluster's
    /// authority signed
    Direct,
    /// At port 10250, without a look at the kubelets' certificates
    DirectInsecure,
}

/// How the cluster is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ClusterAccess {
    /// In place of `$KUBECONFIG` and `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// In place of the kubeconfig's current context.
    pub context: Option<String>,
    /// A `kubectl proxy`, such as `http://127.0.0.1:8001`, in place of a kubeconfig.
    pub url: Option<String>,
    /// How the kubelets are reached.
    pub kubelet: KubeletRoute,
}

/// The options of the collector. They are flags of every command that looks at a cluster, and keys
/// of a plan's `[cluster]`.
///
/// [`Default`] has the defaults of a single run, [`ClusterOptions::of_sweep`] those of a sweep.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Cluster")]
#[serde(deny_unknown_fields, default = "ClusterOptions::of_sweep")]
pub struct ClusterOptions {
    /// From where figures are collected: a flag of `run` and `sweep`, an argument of `collect`.
    #[arg(skip)]
    #[serde(with = "text")]
    pub collect: CollectFrom,
    /// Namespace of the system under load; repeatable [default: the kubeconfig's]
    #[arg(short = 'n', long = "namespace", value_name = "NAME")]
    pub namespaces: Vec<String>,
    /// Collect every namespace, not only the application's and the mesh's
    #[arg(long)]
    pub all_namespaces: bool,
    /// Kubeconfig file [default: $KUBECONFIG, ~/.kube/config, then in-cluster]
    #[arg(long, value_name = "FILE", conflicts_with = "kube_url")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<String>,
    /// Address of a `kubectl proxy`, such as http://127.0.0.1:8001
    #[arg(long, value_name = "URL", value_parser = plain_url)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kube_url: Option<String>,
    /// How kubelets are asked for their figures
    #[arg(long, value_name = "ROUTE", value_enum, default_value_t)]
    pub kubelet: KubeletRoute,
    /// Run no command in any container (CPU and network then come from the kubelet alone)
    #[arg(long = "no-exec", action = clap::ArgAction::SetFalse)]
    pub exec: bool,
    /// Time between two samples
    #[arg(long = "collect-interval", value_name = "T", default_value_t = ClusterOptions::default().interval)]
    #[serde(with = "text")]
    pub interval: Nanos,
}

impl Default for ClusterOptions {
    fn default() -> ClusterOptions {
        ClusterOptions {
            collect: CollectFrom::None,
            namespaces: Vec::new(),
            all_namespaces: false,
            kubeconfig: None,
            context: None,
            kube_url: None,
            kubelet: KubeletRoute::Proxy,
            exec: true,
            interval: Nanos::from_secs(2),
        }
    }
}

impl ClusterOptions {
    /// The defaults of a sweep, which collects from a cluster where there is one.
    pub fn of_sweep() -> ClusterOptions {
        ClusterOptions {
            collect: CollectFrom::Auto,
            ..ClusterOptions::default()
        }
    }

    /// What the collector is asked for.
    pub fn into_spec(self) -> CollectSpec {
        CollectSpec {
            from: self.collect,
            interval: self.interval,
            access: ClusterAccess {
                kubeconfig: self.kubeconfig,
                context: self.context,
                url: self.kube_url,
                kubelet: self.kubelet,
            },
            namespaces: self.namespaces,
            all_namespaces: self.all_namespaces,
            exec: self.exec,
        }
    }
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

/// What the collector is asked for, in the form in which run.json has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CollectSpec {
    /// From where figures are collected.
    pub from: CollectFrom,
    /// Time between two samples.
    pub interval: Nanos,
    /// How the cluster is reached.
    pub access: ClusterAccess,
    /// Namespaces of the system under load; none: the kubeconfig's.
    pub namespaces: Vec<String>,
    /// Collect every namespace, not only the application's and the mesh's.
    pub all_namespaces: bool,
    /// Whether commands may be run in containers at the window's edges.
    pub exec: bool,
}

impl Default for CollectSpec {
    fn default() -> CollectSpec {
        ClusterOptions::default().into_spec()
    }
}

/// A sample takes about 100 ms over a slow line.
const SHORTEST_INTERVAL: Nanos = Nanos::from_millis(100);

impl CollectSpec {
    /// Checks that the options can be carried out together.
    ///
    /// # Errors
    /// [`BadSpec`] for the first thing that cannot be done.
    pub fn validate(&self) -> Result<(), BadSpec> {
        if self.interval < SHORTEST_INTERVAL {
            return Err(BadSpec::new(
                "--collect-interval",
                format!("{} is too short", self.interval),
                format!(
                    "use at least {SHORTEST_INTERVAL}; kubelets have new figures every 10 to 20 s"
                ),
            ));
        }
        if self.access.url.is_some() && self.access.context.is_some() {
            return Err(BadSpec::new(
                "--context",
                "a kubectl proxy has no contexts",
                "give either --kube-url or --context",
            ));
        }
        if self.access.url.is_some() && self.access.kubelet != KubeletRoute::Proxy {
            return Err(BadSpec::new(
                "--kubelet",
                "a kubectl proxy does not say who you are to a kubelet",
                "use a kubeconfig in place of --kube-url",
            ));
        }
        Ok(())
    }
}
