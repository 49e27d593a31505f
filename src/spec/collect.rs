//! What the collector is asked for.

use super::BadSpec;
use crate::units::Nanos;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Whose use of resources is collected.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum CollectFrom {
    /// Nobody's.
    #[default]
    None,
    /// A cluster's, if one can be reached.
    Auto,
    /// A cluster's; without one there is no run.
    Kube,
    /// That of processes of this machine.
    Process(Vec<ProcessChoice>),
}

/// Which processes.
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
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum KubeletRoute {
    /// Through the API server; needs `nodes/proxy`.
    #[default]
    Proxy,
    /// At their own port; needs `nodes/stats` and `nodes/metrics`, and certificates that the
    /// cluster's authority signed.
    Direct,
    /// Likewise, whoever signed their certificates.
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

/// What the collector is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct CollectSpec {
    /// Whose use.
    pub from: CollectFrom,
    /// Time between two looks.
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
        CollectSpec {
            from: CollectFrom::None,
            interval: Nanos::from_secs(2),
            access: ClusterAccess::default(),
            namespaces: Vec::new(),
            all_namespaces: false,
            exec: true,
        }
    }
}

/// A look takes some 100 ms over a slow line.
const SHORTEST_INTERVAL: Nanos = Nanos::from_millis(100);

impl CollectSpec {
    /// Checks what no single flag can know.
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
