//! The finding of one check: whether a measurement is possible as things are, and the cure where it is not.

use serde::{Deserialize, Serialize};

/// The state that a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Everything is as it should be.
    Good,
    /// The check was not made.
    Skipped,
    /// A measurement is possible, but something will be missing or must be kept in mind.
    Warn,
    /// No measurement is possible.
    Bad,
}

/// The subject of a check: the code of a finding, for programs. Findings are shown in this order.
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

/// The outcome of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `target`, `access`, `rights`, `sources`, `mesh` or `application`.
    pub area: &'static str,
    /// The subject of the check, for programs.
    pub code: Check,
    /// The subject of the check, for people; it may name a node, a right or a deployment.
    pub name: String,
    pub state: State,
    pub message: String,
    /// What the user can do; absent where nothing is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Finding {
    /// A finding in the state [`State::Good`], which needs no cure.
    pub fn good(code: Check, name: &str, message: impl Into<String>) -> Finding {
        Finding::new(code, name, State::Good, message, None)
    }

    /// A finding in the state [`State::Skipped`]; `cure` is what would make the check possible.
    pub fn skipped(code: Check, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(code, name, State::Skipped, message, Some(cure))
    }

    /// A finding in the state [`State::Warn`].
    pub fn warn(code: Check, name: &str, message: impl Into<String>, cure: &str) -> Finding {
        Finding::new(code, name, State::Warn, message, Some(cure))
    }

    /// A finding in the state [`State::Bad`].
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
