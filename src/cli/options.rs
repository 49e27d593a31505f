//! Groups of options that several commands share.

use crate::spec::{
    BadSpec, ClusterOptions, CollectFrom, HttpOptions, LoadOptions, Options, ReachOptions,
    RecordingOptions, TlsOptions,
};
use clap::{Args, Command};

/// Options of the way to the target.
#[derive(Debug, Args)]
pub(super) struct TransportArgs {
    #[command(flatten)]
    http: HttpOptions,
    #[command(flatten)]
    reach: ReachOptions,
    /// What the Host header says, in place of the URL's host and port; certificates are still those
    /// of the URL's host
    #[arg(long, value_name = "NAME", value_parser = host, help_heading = "Reach")]
    host: Option<String>,
    #[command(flatten)]
    tls: TlsOptions,
}

/// Options of the collector.
#[derive(Debug, Args)]
pub(super) struct CollectorArgs {
    /// From where to collect CPU, memory and network: none, auto (a cluster, if there is one),
    /// kube, process:PID,... or process:name=TEXT
    #[arg(long, value_name = "FROM", default_value_t, help_heading = "Cluster")]
    collect: CollectFrom,
    #[command(flatten)]
    cluster: ClusterOptions,
}

impl TransportArgs {
    /// All groups of options of a command. `--host` becomes a header, which is how plans and results
    /// hold it.
    ///
    /// # Errors
    /// [`BadSpec`] when both `--host` and a header set the Host.
    pub(super) fn options(
        self,
        mut load: LoadOptions,
        recording: RecordingOptions,
        cluster: ClusterOptions,
    ) -> Result<Options, BadSpec> {
        if let Some(host) = self.host {
            let mut names = load.headers.iter().map(|(name, _)| name);
            if names.any(|name| name.eq_ignore_ascii_case("host")) {
                return Err(BadSpec::new(
                    "--host",
                    "-H says what the Host is, too",
                    "leave one of them out",
                ));
            }
            load.headers.push(("Host".to_owned(), host));
        }
        Ok(Options {
            load,
            http: self.http,
            reach: self.reach,
            tls: self.tls,
            recording,
            cluster,
        })
    }
}

impl CollectorArgs {
    /// The options of the collector, its source among them.
    pub(super) fn options(self) -> ClusterOptions {
        ClusterOptions {
            collect: self.collect,
            ..self.cluster
        }
    }
}

/// Gives the options of `sweep` the defaults of a sweep, and hides those that change nothing in it:
/// the spectrum is always written, and an arm has one URL.
pub(super) fn with_defaults_of_sweep(sweep: Command) -> Command {
    let load = LoadOptions::of_sweep();
    let defaults = [
        ("process", load.process.name().to_owned()),
        ("threads", load.threads.to_string()),
        ("connections", load.connections.to_string()),
        ("collect", ClusterOptions::of_sweep().collect.to_string()),
    ];
    let sweep = defaults.into_iter().fold(sweep, |sweep, (id, value)| {
        sweep.mut_arg(id, |option| option.default_value(value))
    });
    let useless = ["spectrum", "separate"];
    useless.into_iter().fold(sweep, |sweep, id| {
        sweep.mut_arg(id, |option| option.hide(true))
    })
}

/// Reads a name or an address, and perhaps a port.
fn host(typed: &str) -> Result<String, String> {
    let host: Result<http::uri::Authority, _> = typed.parse();
    match host {
        Ok(host) if !host.as_str().contains('@') => Ok(typed.to_owned()),
        _ => Err("give a name, such as shop.example or shop.example:8080".to_owned()),
    }
}
