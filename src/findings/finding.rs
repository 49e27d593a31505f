//! The finding of one check: whether something stands in the way of a measurement, and what would cure
//! it.

use serde::{Deserialize, Serialize};

/// Whether something stands in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Good,
    /// Not looked at.
    Skipped,
    /// Something will be missing or needs to be kept in mind.
    Warn,
    /// Nothing can be measured like this.
    Bad,
}

/// What was looked at: the code of a finding, for programs. Findings are shown in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// Whether the target answers.
    Target,
    /// Whether the script loads and makes requests.
    Script,
    /// Whether a cluster is named at all.
    Cluster,
    /// Whether the operating system gives a runtime for calls.
    Runtime,
    /// Whether the API server answers.
    ApiServer,
    /// Whether the account has one right.
    Right,
    /// Whether any source gives figures.
    Figures,
    /// The sources that give figures.
    Sources,
    /// How fine the time stamps of samples are.
    TimeStamps,
    /// Whether commands can be run in containers.
    Exec,
    /// Where network figures come from.
    Network,
    /// The container runtime of a node.
    NodeRuntime,
    /// How far the clock of a node is ahead.
    NodeClock,
    /// How many of the application's pods are in the mesh.
    MeshMembership,
    /// The labels that put the pods of a namespace into a mesh.
    InjectionLabels,
    /// The modes of mutual TLS.
    MutualTls,
    /// Whether the application's pods are ready.
    Readiness,
    /// Requests and limits of a deployment.
    Limits,
    /// Whether there are caches to flush.
    Memcached,
}

impl Check {
    /// The heading under which findings are shown together.
    pub fn area(self) -> &'static str {
        match self {
            Check::Target | Check::Script => "target",
            Check::Cluster | Check::Runtime | Check::ApiServer => "access",
            Check::Right => "rights",
            Check::Figures
            | Check::Sources
            | Check::TimeStamps
            | Check::Exec
            | Check::Network
            | Check::NodeRuntime
            | Check::NodeClock => "sources",
            Check::MeshMembership | Check::InjectionLabels | Check::MutualTls => "mesh",
            Check::Readiness | Check::Limits | Check::Memcached => "application",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `target`, `access`, `rights`, `sources`, `mesh` or `application`.
    pub area: &'static str,
    /// What was looked at, for programs.
    pub code: Check,
    /// What was looked at, for people; it may name a node, a right or a deployment.
    pub name: String,
    /// Whether it stands in the way.
    pub state: State,
    /// What was found.
    pub message: String,
    /// What would cure it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Finding {
    /// Nothing to cure.
    pub fn good(code: Check, name: &str, message: impl Into<String>) -> Finding {
        Finding::new(code, name, State::Good, message, None)
    }

    /// Not looked at; `cure` is what would make the check possible.
    pub fn skipped(code: Check, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(code, name, State::Skipped, message, Some(cure))
    }

    /// To be kept in mind.
    pub fn warn(code: Check, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(code, name, State::Warn, message, Some(cure))
    }

    /// In the way.
    pub fn bad(code: Check, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(code, name, State::Bad, message, Some(cure))
    }

    fn new(
        code: Check,
        name: &str,
        state: State,
        message: impl Into<String>,
        cure: Option<&str>,
    ) -> Finding {
        Finding {
            area: code.area(),
            code,
            name: name.to_owned(),
            state,
            message: message.into(),
            cure: cure.map(str::to_owned),
        }
    }
}
