//! The flags of `meshload check`.

use super::options::TransportArgs;
use crate::spec::{
    BadSpec, ClusterOptions, CollectFrom, CollectSpec, LoadOptions, Offered, RecordingOptions,
    RunSpec, Target,
};
use clap::Args;
use std::path::PathBuf;

/// The checks that are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckRequest {
    /// A run against the target, of which the check chooses rate and length; `None` when no URL is given.
    pub run: Option<RunSpec>,
    pub cluster: CollectSpec,
    /// Whether the findings are printed as JSON.
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meshload check http://localhost:5000 -s lua/mixed-workload_type_1.lua -n hotel\n  meshload check --kube-url http://127.0.0.1:8001 --json"
)]
pub(super) struct CheckArgs {
    /// URL of the target; ten requests are sent to it
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Lua script that makes the requests
    #[arg(short = 's', long, value_name = "FILE", requires = "url")]
    script: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterOptions,
    #[command(flatten)]
    transport: TransportArgs,
}

impl CheckArgs {
    /// What the flags mean together.
    pub(super) fn into_request(self) -> Result<CheckRequest, BadSpec> {
        let target = self.url.as_deref().map(Target::parse).transpose()?;
        let load = LoadOptions {
            script: self.script,
            ..LoadOptions::default()
        };
        let mut cluster = self.cluster.clone().into_spec();
        cluster.from = CollectFrom::Kube;
        cluster.validate()?;
        let recording = RecordingOptions::default();
        let options = self.transport.options(load, recording, self.cluster)?;
        options.validate()?;
        Ok(CheckRequest {
            run: target.map(|target| RunSpec::to(vec![target], Offered::Max, options)),
            cluster,
            json: self.json,
        })
    }
}
