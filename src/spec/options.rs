//! All groups of options together.

use super::{
    BadSpec, ClusterOptions, HttpOptions, LoadOptions, ReachOptions, RecordingOptions, TlsOptions,
};

/// All options that flags and plans have in common, group by group.
///
/// Target, rate, lengths of the phases and seed are not among them, because flags and plans give these in
/// different forms.
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
    /// Makes those checks that need no target: whether the options of each group can be carried out together.
    ///
    /// # Errors
    /// [`BadSpec`] with the flag and the cure.
    pub fn validate(&self) -> Result<(), BadSpec> {
        self.http.validate(self.load.pipeline)?;
        self.reach.validate()?;
        self.tls.validate()
    }
}
