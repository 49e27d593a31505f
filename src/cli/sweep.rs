//! The flags of a sweep, and the plan that they mean.

use super::collect::{ClusterArgs, collect_from};
use super::http::HttpArgs;
use super::reach::ReachArgs;
use super::tls::TlsArgs;
use super::values;
use crate::exit::EXIT_CODES;
use crate::judge::{Slo, Threshold};
use crate::schedule::ArrivalProcess;
use crate::spec::{BadSpec, CollectFrom, Pacing};
use crate::sweep::{
    Arm, BadPlan, Block, Capacity, ClusterPlan, Cooldown, LoadPlan, Order, StepThreshold, StopWhen,
    SweepPlan, WarmUpFirst,
};
use crate::units::{Nanos, Rate, parse_duration, parse_rate};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, ValueEnum};
use std::path::{Path, PathBuf};

/// What is to be measured, and into which folder.
#[derive(Debug, Clone)]
pub struct SweepRequest {
    /// The plan of the flags; without one, `file` or the folder has it.
    pub plan: Option<SweepPlan>,
    /// Whether the user chose the plan's seed.
    pub seed_is_given: bool,
    /// A file with the plan.
    pub file: Option<PathBuf>,
    /// The folder; a new one under `results` when not given.
    pub folder: Option<PathBuf>,
    /// Show the steps and measure nothing.
    pub dry_run: bool,
    /// Print the plan as TOML and measure nothing.
    pub print_plan: bool,
    /// No live line and no notes.
    pub quiet: bool,
}

const MORE_HELP: &str = "\
Examples:
  meshload sweep -s mix.lua http://host:5000     a baseline, as the study has it
  meshload sweep --istio -s mix.lua http://host:5000      every pod in the mesh
  meshload sweep --arm baseline --arm istio --switch --order interleaved \\
      --repetitions 6 -s mix.lua -n hotel http://host:5000     both, in turns
  meshload sweep --arm a=http://host:5001 --arm b=http://host:5002 --rates 200,400
  meshload sweep --print-plan ... > plan.toml; meshload sweep plan.toml
  meshload sweep -o results/mine             goes on where it was broken off

docs/sweep.md has the plan's settings and plans for Istio. A sweep ends with 0
when every step was measured, whatever their verdicts.
";

#[derive(Debug, Args)]
#[command(
    override_usage = "meshload sweep [OPTIONS] <PLAN.toml|URL> [-- SCRIPT ARGS]",
    after_help = format!("{MORE_HELP}\n{EXIT_CODES}")
)]
pub(super) struct SweepArgs {
    /// A plan, or the URL that the flags are about; neither when -o holds a sweep to go on with
    #[arg(value_name = "PLAN.toml|URL")]
    target: Option<String>,
    /// Result folder: a new one, or that of the same sweep [default: results/<name>_<time>]
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print the plan that the flags mean, as TOML
    #[arg(long)]
    print_plan: bool,
    /// Print every step with its time, and measure nothing
    #[arg(long)]
    dry_run: bool,
    /// No live line and no notes on stderr
    #[arg(short = 'q', long)]
    quiet: bool,

    /// Requests per second, one step each
    #[arg(
        long,
        value_name = "R,...",
        value_delimiter = ',',
        default_value = "200,400,600,700,800,1000"
    )]
    rates: Vec<String>,
    /// How often each rate is measured in each arm
    #[arg(long, value_name = "N", default_value = "1")]
    repetitions: u32,
    /// Load before a step's measured time
    #[arg(long, value_name = "T", default_value = "15s", value_parser = parse_duration)]
    warmup: Nanos,
    /// Measured time of a step
    #[arg(long, value_name = "T", default_value = "60s", value_parser = parse_duration)]
    measure: Nanos,
    /// Load after the measured time
    #[arg(long, value_name = "T", default_value = "20s", value_parser = parse_duration)]
    guard: Nanos,
    /// Order of the steps
    #[arg(long, value_name = "ORDER", default_value = "sequential")]
    order: OrderFlag,
    /// What the arms take turns at [default: rate, or pass where changing the arm changes the system]
    #[arg(long, value_name = "BLOCK")]
    block: Option<BlockFlag>,
    /// Seed of the order and of every schedule [default: a new one]
    #[arg(long, value_name = "N", value_parser = values::seed)]
    seed: Option<u64>,
    /// What the folder is called, before its time [default: no_istio, with_istio or sweep]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// A variant of the system: NAME, or NAME=URL; `baseline` expects no sidecars, `istio` one in
    /// every application pod; repeatable [default: baseline]
    #[arg(long = "arm", value_name = "NAME[=URL]", help_heading = "Arms")]
    arms: Vec<String>,
    /// The same as --arm istio
    #[arg(long, conflicts_with = "arms", help_heading = "Arms")]
    istio: bool,
    /// Let meshload put the namespace into the mesh and take it out, and leave it as it was
    #[arg(long, help_heading = "Arms")]
    switch: bool,

    /// Do not look at target and cluster first
    #[arg(long, help_heading = "Steps")]
    skip_verify: bool,
    /// No load before the first step (30 s at 500/s, then 10 s of rest)
    #[arg(long, help_heading = "Steps")]
    skip_warmup: bool,
    /// Leave memcached as it is
    #[arg(long, help_heading = "Steps")]
    skip_cache_flush: bool,
    /// Rest so long after each step, in place of waiting until the CPU is idle again
    #[arg(long, value_name = "T", value_parser = parse_duration, help_heading = "Steps")]
    fixed_cooldown: Option<Nanos>,
    /// unstable: leave out the rates above one that was not held, twice
    #[arg(long, value_name = "WHEN", help_heading = "Steps")]
    stop_when: Option<StopFlag>,
    /// Fail the sweep (exit 3) when this is true of one of its steps: 'p99 > 50ms'; repeatable
    #[arg(long, value_name = "THRESHOLD", help_heading = "Steps")]
    fail_if: Vec<Threshold>,
    /// Look for the highest rate between the lowest and the highest of --rates
    #[arg(long, help_heading = "Steps")]
    find_capacity: bool,
    /// What must be met besides holding the rate: p99<100ms, errors<1%, with commas between
    #[arg(
        long,
        value_name = "OBJECTIVE",
        requires = "find_capacity",
        help_heading = "Steps"
    )]
    slo: Option<Slo>,
    /// How near the highest rate that is held and the lowest that is not must come, as a share
    #[arg(
        long,
        value_name = "SHARE",
        default_value = "0.05",
        help_heading = "Steps"
    )]
    precision: f64,

    /// Lua script, as for wrk and wrk2
    #[arg(short = 's', long, value_name = "FILE", help_heading = "Load")]
    script: Option<PathBuf>,
    /// Arrival process: fixed, exp, norm, uniform or zipf
    #[arg(short = 'D', long = "dist", value_name = "PROCESS", default_value = "exp", value_parser = values::process, help_heading = "Load")]
    dist: ArrivalProcess,
    /// Threads
    #[arg(short = 't', long, value_name = "N", default_value = "4", value_parser = values::at_least_one, help_heading = "Load")]
    threads: usize,
    /// Connections to keep open
    #[arg(short = 'c', long, value_name = "N", default_value = "100", value_parser = values::at_least_one, help_heading = "Load")]
    connections: usize,
    /// Open more connections, up to N, while requests wait for one
    #[arg(long, value_name = "N", value_parser = values::at_least_one, help_heading = "Load")]
    max_connections: Option<usize>,
    /// Requests (or batches) in flight on one connection
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::at_least_one, help_heading = "Load")]
    pipeline: usize,
    /// How due times are waited for: auto, timer or spin
    #[arg(long, value_name = "MODE", default_value = "auto", value_parser = values::pacing, help_heading = "Load")]
    pacing: Pacing,
    /// A request in flight for longer is counted as slow
    #[arg(short = 'T', long, value_name = "T", default_value = "2s", value_parser = parse_duration, help_heading = "Load")]
    timeout: Nanos,
    /// Header line of every request; repeatable
    #[arg(short = 'H', long = "header", value_name = "LINE", value_parser = values::header, help_heading = "Load")]
    headers: Vec<(String, String)>,
    #[command(flatten)]
    http: HttpArgs,
    #[command(flatten)]
    reach: ReachArgs,
    #[command(flatten)]
    tls: TlsArgs,

    /// Whose CPU, memory and network to collect: none, auto (a cluster's, if there is one), kube,
    /// process:PID,... or process:name=TEXT
    #[arg(long, value_name = "FROM", default_value = "auto", value_parser = collect_from, help_heading = "Cluster")]
    collect: CollectFrom,
    #[command(flatten)]
    cluster: ClusterArgs,

    /// Arguments for the script's init(args)
    #[arg(last = true, value_name = "SCRIPT ARGS")]
    script_args: Vec<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderFlag {
    /// One arm after the other
    Sequential,
    /// A B, B A, A B, ...
    Interleaved,
    /// Shuffled within each repetition
    Random,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum BlockFlag {
    /// One rate
    Rate,
    /// All rates
    Pass,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StopFlag {
    /// After a rate that is not held, twice
    Unstable,
}

/// Flags that say nothing about what is measured, so that a plan may have them beside it.
const BESIDE_A_PLAN: [&str; 5] = ["target", "output", "print_plan", "dry_run", "quiet"];

/// The flags of a sweep that were typed and that a plan would have to agree with.
pub(super) fn typed_flags(matches: &ArgMatches) -> Vec<String> {
    let Some((_, matches)) = matches.subcommand() else {
        return Vec::new();
    };
    let ids = matches.ids().map(|id| id.as_str());
    let typed = ids.filter(|id| {
        matches.try_contains_id(id).is_ok()
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    });
    let settings = typed.filter(|id| !BESIDE_A_PLAN.contains(id));
    // The groups that clap makes of flattened arguments have names of types.
    let settings = settings.filter(|id| !id.contains("Args"));
    settings
        .map(|id| format!("--{}", id.replace('_', "-")))
        .collect()
}

impl SweepArgs {
    /// What the flags mean together.
    pub(super) fn into_request(
        self,
        typed: &[String],
    ) -> Result<SweepRequest, super::BadArguments> {
        let is_url = |target: &str| target.contains("://");
        let file = self.target.clone().filter(|target| !is_url(target));
        let has_urls = self.arms.iter().any(|arm| arm.contains('='));
        let goes_on = self.target.is_none() && !has_urls && self.output.is_some();
        if let (true, Some(flag)) = (file.is_some() || goes_on, typed.first()) {
            let cure = "change it in the plan (--print-plan writes one from flags), or give the URL in place of the plan";
            let flag = flag.trim_start_matches('-');
            let message = format!("--{flag} stands beside a plan, which says it already");
            return Err(BadSpec::new("PLAN.toml", message, cure).into());
        }
        let mut request = SweepRequest {
            plan: None,
            seed_is_given: self.seed.is_some(),
            file: file.map(PathBuf::from),
            folder: self.output.clone(),
            dry_run: self.dry_run,
            print_plan: self.print_plan,
            quiet: self.quiet,
        };
        if request.file.is_some() || goes_on {
            return Ok(request);
        }
        let plan = self.into_plan()?;
        plan.validate()?;
        request.plan = Some(plan);
        Ok(request)
    }

    fn into_plan(self) -> Result<SweepPlan, BadSpec> {
        let headers = self.reach.with_host(self.headers.clone())?;
        let arms = self.arms()?;
        let rates = self.rates.iter().map(|typed| parse_rate(typed.trim()));
        let rates: Result<Vec<Rate>, _> = rates.collect();
        let rates = rates
            .map_err(|bad| BadSpec::new("--rates", bad.to_string(), "separate rates by commas"))?;
        let name = self.name.clone().unwrap_or_else(|| folder_name(&arms));
        let collect = self.collect.to_string();
        let cluster = self.cluster.into_spec(self.collect);
        let tls = self.tls.into_spec();
        tls.validate()?;
        Ok(SweepPlan {
            name,
            rates,
            repetitions: self.repetitions,
            order: match self.order {
                OrderFlag::Sequential => Order::Sequential,
                OrderFlag::Interleaved => Order::Interleaved,
                OrderFlag::Random => Order::Random,
            },
            block: self.block.map(|block| match block {
                BlockFlag::Rate => Block::Rate,
                BlockFlag::Pass => Block::Pass,
            }),
            seed: self
                .seed
                .unwrap_or_else(|| u64::from(rand::random::<u32>())),
            warmup: self.warmup,
            measure: self.measure,
            guard: self.guard,
            verify: !self.skip_verify,
            cache_flush: !self.skip_cache_flush,
            cooldown: self
                .fixed_cooldown
                .map_or(Cooldown::Adaptive, Cooldown::Fixed),
            stop_when: self.stop_when.map(|StopFlag::Unstable| StopWhen::Unstable),
            thresholds: self
                .fail_if
                .into_iter()
                .map(|fail_if| StepThreshold {
                    fail_if,
                    arm: None,
                    rate: None,
                })
                .collect(),
            switch: self.switch,
            warm_up_first: if self.skip_warmup {
                WarmUpFirst::none()
            } else {
                WarmUpFirst::default()
            },
            find_capacity: self.find_capacity.then_some(Capacity {
                slo: self.slo,
                precision: self.precision,
            }),
            load: LoadPlan {
                script: self.script,
                script_args: self.script_args,
                headers: headers
                    .iter()
                    .map(|(name, value)| format!("{name}: {value}"))
                    .collect(),
                process: self.dist,
                threads: self.threads,
                connections: self.connections,
                max_connections: self.max_connections,
                pipeline: self.pipeline,
                pacing: self.pacing,
                timeout: self.timeout,
            },
            http: self.http.into_spec(),
            reach: self.reach.into_spec(),
            tls,
            cluster: ClusterPlan {
                collect,
                interval: cluster.interval,
                namespaces: cluster.namespaces,
                all_namespaces: cluster.all_namespaces,
                kubeconfig: cluster.access.kubeconfig,
                context: cluster.access.context,
                kube_url: cluster.access.url,
                kubelet: cluster.access.kubelet,
                exec: cluster.exec,
            },
            arms,
        })
    }

    fn arms(&self) -> Result<Vec<Arm>, BadSpec> {
        let typed = match (self.istio, self.arms.is_empty()) {
            (true, _) => vec!["istio".to_owned()],
            (false, true) => vec!["baseline".to_owned()],
            (false, false) => self.arms.clone(),
        };
        typed.iter().map(|typed| self.arm(typed)).collect()
    }

    fn arm(&self, typed: &str) -> Result<Arm, BadSpec> {
        let (name, url) = match typed.split_once('=') {
            Some((name, url)) => (name, Some(url.to_owned())),
            None => (typed, self.target.clone()),
        };
        let url = url.ok_or_else(|| {
            let message = format!("there is no URL for the arm {name}");
            BadSpec::new("URL", message, "add http://host:port, or --arm NAME=URL")
        })?;
        Ok(Arm {
            name: name.to_owned(),
            url,
            meshed: match name {
                "baseline" => Some(false),
                "istio" => Some(true),
                _ => None,
            },
            ..Arm::default()
        })
    }
}

/// The study's names, where the sweep is one of its two.
fn folder_name(arms: &[Arm]) -> String {
    let name = match arms {
        [only] if only.name == "baseline" => "no_istio",
        [only] if only.name == "istio" => "with_istio",
        _ => "sweep",
    };
    name.to_owned()
}

/// Reads a plan from the text of its file; paths in it start at the file's folder.
///
/// # Errors
/// [`BadPlan`] with the line, or the place, and the cure.
pub fn read_plan(path: &Path, typed: &str) -> Result<SweepPlan, BadPlan> {
    let named = |bad: BadPlan| BadPlan(format!("{}: {bad}", path.display()));
    let mut plan = SweepPlan::from_toml(typed).map_err(named)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for path in plan.paths_mut() {
        *path = folder.join(&*path);
    }
    Ok(plan)
}
