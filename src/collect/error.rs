//! Why nothing can be collected. Each error is a code for programs, a message and a cure.

use crate::kube::{AccessError, CallError};
use std::fmt::{Display, Formatter};

/// Why nothing can be collected.
#[derive(Debug)]
pub enum CollectError {
    /// A cluster gives nothing.
    Cluster(ClusterError),
    /// There is no process to collect from.
    Process(ProcessError),
    /// The operating system refused a thread or a runtime.
    Thread(std::io::Error),
    /// The collector's thread panicked.
    Died,
}

/// Why a cluster gives nothing to collect.
#[derive(Debug)]
pub enum ClusterError {
    /// The cluster cannot be reached.
    Access(AccessError),
    /// The pods of the cluster cannot be listed.
    Pods(CallError),
    /// No pod runs in the application's namespaces, whose names these are.
    NoPods(Vec<String>),
    /// No kubelet and no metrics-server gives figures; the last refusal, and the path that was asked.
    NoSource {
        /// The path, `None` when no node runs a pod that could be asked about.
        refused: Option<(&'static str, CallError)>,
    },
}

/// Why there is no process to collect from.
#[derive(Debug)]
pub enum ProcessError {
    /// No process has this id.
    Pid(u32),
    /// No command line contains this text.
    Name(String),
    /// The files of this process in /proc may not be read.
    Refused(u32, std::io::Error),
}

impl CollectError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            CollectError::Cluster(error) => error.code(),
            CollectError::Process(error) => error.code(),
            CollectError::Thread(_) => "no_thread",
            CollectError::Died => "collector_died",
        }
    }
}

impl ClusterError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ClusterError::Access(error) => error.code(),
            ClusterError::Pods(_) => "pods_not_listed",
            ClusterError::NoPods(_) => "no_pods",
            ClusterError::NoSource { .. } => "no_source",
        }
    }

    /// What is wrong.
    pub fn message(&self) -> String {
        match self {
            ClusterError::Access(error) => error.message(),
            ClusterError::Pods(error) => format!("pods cannot be listed: {error}"),
            ClusterError::NoPods(namespaces) => {
                format!("no pod runs in namespace {}", namespaces.join(", "))
            }
            ClusterError::NoSource { refused } => match refused {
                Some((path, error)) => format!("no figures can be had: {path}: {error}"),
                None => "no figures can be had: no node runs a pod".to_owned(),
            },
        }
    }

    /// What to do about it.
    pub fn cure(&self) -> &'static str {
        match self {
            ClusterError::Access(error) => error.cure(),
            ClusterError::Pods(error) => error.cure(),
            ClusterError::NoPods(_) => "name the application's with -n, or use --all-namespaces",
            ClusterError::NoSource { refused } => match refused {
                Some((_, error)) => error.cure(),
                None => "start the application first",
            },
        }
    }
}

impl ProcessError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            ProcessError::Pid(_) | ProcessError::Name(_) => "no_process",
            ProcessError::Refused(..) => "process_unreadable",
        }
    }
}

impl Display for CollectError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            CollectError::Cluster(error) => error.fmt(f),
            CollectError::Process(error) => error.fmt(f),
            CollectError::Thread(error) => write!(f, "the collector cannot start: {error}"),
            CollectError::Died => write!(f, "the collector died; please report this"),
        }
    }
}

impl Display for ClusterError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "--collect kube: {}; {}", self.message(), self.cure())
    }
}

impl Display for ProcessError {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            ProcessError::Pid(pid) => write!(
                f,
                "--collect process:{pid}: there is no such process; see `ps`"
            ),
            ProcessError::Name(text) => write!(
                f,
                "--collect process:name={text}: no command line contains this; see `ps -ef`"
            ),
            ProcessError::Refused(pid, error) => write!(
                f,
                "--collect process:{pid}: its files in /proc may not be read: {error}; run as its user or as root"
            ),
        }
    }
}

impl std::error::Error for CollectError {}

impl From<ClusterError> for CollectError {
    fn from(error: ClusterError) -> CollectError {
        CollectError::Cluster(error)
    }
}

impl From<ProcessError> for CollectError {
    fn from(error: ProcessError) -> CollectError {
        CollectError::Process(error)
    }
}

impl From<AccessError> for ClusterError {
    fn from(error: AccessError) -> ClusterError {
        ClusterError::Access(error)
    }
}
