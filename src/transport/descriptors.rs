//! The limit of file descriptors; each connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The hard limit of file descriptors is too low.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{needed} file descriptors are needed and the limit is {limit}; \
     raise it with `ulimit -n {needed}` (as root: `ulimit -Hn {needed}` first), or use fewer connections with -c"
)]
pub struct DescriptorError {
    pub needed: u64,
    /// The hard limit, which only root can raise.
    pub limit: u64,
}

/// Raises the soft limit so that `connections` can be open beside the program's own files.
///
/// # Errors
/// [`DescriptorError`] when the hard limit is too low.
pub fn ensure_descriptors(connections: usize, threads: usize) -> Result<(), DescriptorError> {
    // Each thread holds an epoll, a timer and an event descriptor; files, pipes and the standard
    // streams take some more.
    let needed = connections as u64 + threads as u64 * 8 + 32;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let refused = DescriptorError {
        needed,
        limit: maximum.unwrap_or(u64::MAX),
    };
    if maximum.is_some_and(|maximum| maximum < needed) {
        return Err(refused);
    }
    let raised = Rlimit {
        current: Some(needed),
        maximum,
    };
    setrlimit(Resource::Nofile, raised).map_err(|_| refused)
}
