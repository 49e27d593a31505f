//! The flags of `meshload check`.

use super::collect::ClusterArgs;
use super::http::HttpArgs;
use super::reach::ReachArgs;
use super::tls::TlsArgs;
use crate::spec::{BadSpec, CollectFrom, CollectSpec, HttpSpec, Reach, Target, TlsSpec};
use clap::Args;
use std::path::PathBuf;

/// What is to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckRequest {
    /// Where the load would go.
    pub url: Option<String>,
    /// The script that would make it.
    pub script: Option<PathBuf>,
    /// Which HTTP is spoken.
    pub http: HttpSpec,
    /// Header lines of every request.
    pub headers: Vec<(String, String)>,
    /// How connections find their way.
    pub reach: Reach,
    /// How an `https://` target is spoken to.
    pub tls: TlsSpec,
    /// The cluster.
    pub cluster: CollectSpec,
    /// Print JSON.
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meshload check http://localhost:5000 -s lua/mixed-workload_type_1.lua -n hotel\n  meshload check --kube-url http://127.0.0.1:8001 --json"
)]
pub(super) struct CheckArgs {
    /// URL that requests would be sent to; some are sent
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Lua script that would make the requests
    #[arg(short = 's', long, value_name = "FILE", requires = "url")]
    script: Option<PathBuf>,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    cluster: ClusterArgs,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    tls: TlsArgs,
}

impl CheckArgs {
    /// What the flags mean together.
    pub(super) fn into_request(self) -> Result<CheckRequest, BadSpec> {
        if let Some(url) = &self.url {
            Target::parse(url)?;
        }
        let http = self.http.into_spec();
        http.validate(1)?;
        let headers = self.reach.with_host(Vec::new())?;
        let reach = self.reach.into_spec();
        reach.validate()?;
        let tls = self.tls.into_spec();
        tls.validate()?;
        let cluster = self.cluster.into_spec(CollectFrom::Kube);
        cluster.validate()?;
        Ok(CheckRequest {
            url: self.url,
            script: self.script,
            http,
            headers,
            reach,
            tls,
            cluster,
            json: self.json,
        })
    }
}
