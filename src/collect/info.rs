//! What a collector found when it started.

/// What a collector found when it started, for the user and for the run beside it.
#[derive(Debug, Clone)]
pub struct CollectorInfo {
    /// Whether the figures come from a cluster, whose samples are up to 20 s old: the load then needs
    /// a guard after the window.
    pub is_cluster: bool,
    /// One line: from where, how many pods or processes, by which sources.
    pub summary: String,
    /// What will be missing or needs to be kept in mind.
    pub notes: Vec<String>,
}
