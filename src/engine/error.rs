//! Why a run has no result.

use crate::script::ScriptError;
use crate::transport::{AddressError, DescriptorError, TlsError};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The script failed before the first request.
    #[error("{0}")]
    Script(#[from] ScriptError),
    /// The target cannot be reached.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// TLS cannot be set up as the flags ask.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The limit of open files is too low for the connections.
    #[error(transparent)]
    Descriptors(#[from] DescriptorError),
    /// No connection to a target could be opened: its address, and the first error.
    #[error(
        "no connection to {0} could be opened: {1}; is the server running, and does it accept this many?"
    )]
    NoConnection(String, String),
    /// The operating system refused something.
    #[error("the operating system refused what a worker needs: {0}")]
    Refused(String),
    /// The worker with this number does not return from its script.
    #[error("worker {0} does not come back from the script: is there an endless loop in it?")]
    Stuck(usize),
    /// A signal arrived before the load began.
    #[error("interrupted before the load began")]
    Interrupted,
    /// A worker thread panicked, which is a defect of this program.
    #[error("a worker thread died; please report this")]
    WorkerDied,
}
