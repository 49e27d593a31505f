//! The flags of `meshload collect`.

use crate::spec::{BadSpec, ClusterOptions, CollectFrom, CollectSpec};
use crate::units::Nanos;
use clap::Args;
use std::path::PathBuf;

/// The collection that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CollectRequest {
    /// The source of the figures.
    pub spec: CollectSpec,
    /// Length of the window.
    pub length: Nanos,
    pub folder: Option<PathBuf>,
    /// Whether JSON is printed in place of the table.
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meshload collect --for 60s -n hotel -o results/c\n  meshload collect --for 10s process:name=frontend"
)]
pub(super) struct CollectArgs {
    /// From where to collect: auto or kube (a cluster), process:PID,... or process:name=TEXT
    #[arg(value_name = "FROM", default_value = "kube")]
    from: CollectFrom,
    /// Length of the window
    #[arg(long = "for", value_name = "T")]
    length: Nanos,
    /// Result folder; new, or empty
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
}

impl CollectArgs {
    /// What the flags mean together.
    pub(super) fn into_request(self) -> Result<CollectRequest, BadSpec> {
        let cluster = ClusterOptions {
            collect: self.from,
            ..self.cluster
        };
        let spec = cluster.into_spec();
        spec.validate()?;
        if spec.from == CollectFrom::None {
            return Err(BadSpec::new(
                "FROM",
                "there is nothing to collect from",
                "give kube, process:PID or process:name=TEXT",
            ));
        }
        if self.length.is_zero() {
            return Err(BadSpec::new(
                "--for",
                "an empty window",
                "use a duration above 0, such as 60s",
            ));
        }
        Ok(CollectRequest {
            spec,
            length: self.length,
            folder: self.output,
            json: self.json,
        })
    }
}
