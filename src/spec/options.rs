//! All groups of options together.

use super::{
    BadSpec, ClusterOptions, HttpOptions, LoadOptions, ReachOptions, RecordingOptions, TlsOptions,
};

/// Everything that flags and plans say, group by group, about how a run is made.
///
/// What is not in here is what the two say in different ways: where the load goes, how much it is,
/// how long its phases are, and its seed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Options {
    /// How the load is made.
    pub load: LoadOptions,
    /// Which HTTP is spoken, and how long a connection is kept.
    pub http: HttpOptions,
    /// How connections find their way.
    pub reach: ReachOptions,
    /// How `https://` targets are spoken to.
    pub tls: TlsOptions,
    /// What is recorded and printed beyond the usual.
    pub recording: RecordingOptions,
    /// From where figures of resources are collected, and how the cluster is reached.
    pub cluster: ClusterOptions,
}

impl Options {
    /// Checks what can be known before there is a target: that the options of each group can be
    /// carried out together.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn validate(&self) -> Result<(), BadSpec> {
        self.http.validate(self.load.pipeline)?;
        self.reach.validate()?;
        self.tls.validate()
    }
}
