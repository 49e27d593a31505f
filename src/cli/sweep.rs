//! The flags of `meshload sweep`, and the plan that they mean.

use super::options::{CollectorArgs, TransportArgs};
use super::values;
use crate::exit::EXIT_CODES;
use crate::gate::{Slo, Threshold};
use crate::spec::{BadSpec, LoadOptions, RecordingOptions};
use crate::sweep::{
    Arm, BadPlan, BlockUnit, CapacitySearch, Cooldown, Order, StepThreshold, StopWhen, SweepPlan,
    WarmUpFirst,
};
use crate::units::{Nanos, Rate, parse_rate};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use std::path::{Path, PathBuf};

/// The sweep that is asked for, and its folder.
#[derive(Debug, Clone)]
pub struct SweepRequest {
    /// The plan that the flags mean; `None` when `file` or the folder has the plan.
    pub plan: Option<SweepPlan>,
    /// Whether the user chose the plan's seed.
    pub seed_pinned: bool,
    /// The file with the plan.
    pub file: Option<PathBuf>,
    /// The result folder; a new one under `results` when not given.
    pub folder: Option<PathBuf>,
    /// Whether the steps are only listed.
    pub dry_run: bool,
    /// Whether the plan is only printed, as TOML.
    pub print_plan: bool,
    /// Whether there is neither a live line nor notes on stderr.
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
    /// A plan's file, or the URL to measure; neither when -o holds a sweep to resume
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
    #[arg(long, value_name = "T", default_value = "15s")]
    warmup: Nanos,
    /// Measured time of a step
    #[arg(long, value_name = "T", default_value = "60s")]
    measure: Nanos,
    /// Load after the measured time
    #[arg(long, value_name = "T", default_value = "20s")]
    guard: Nanos,
    /// Order of the steps
    #[arg(long, value_name = "ORDER", default_value = "sequential")]
    order: Order,
    /// After what the arms change [default: rate, or pass where changing the arm changes the system]
    #[arg(long, value_name = "BLOCK")]
    block: Option<BlockUnit>,
    /// Seed of the order and of every schedule [default: a new one]
    #[arg(long, value_name = "N", value_parser = values::seed)]
    seed: Option<u64>,
    /// Name of the folder, before its time [default: no_istio, with_istio or sweep]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// A variant of the system: NAME, or NAME=URL; `baseline` expects no sidecars, `istio` one in
    /// every application pod; repeatable [default: baseline]
    #[arg(long = "arm", value_name = "NAME[=URL]", help_heading = "Arms")]
    arms: Vec<String>,
    /// The same as --arm istio
    #[arg(long, conflicts_with = "arms", help_heading = "Arms")]
    istio: bool,
    /// Let meshload move the namespace into the mesh and out of it, and restore it at the end
    #[arg(long, help_heading = "Arms")]
    switch: bool,

    /// Do not check target and cluster first
    #[arg(long, help_heading = "Steps")]
    skip_verify: bool,
    /// No load before the first step (30 s at 500/s, then 10 s of rest)
    #[arg(long, help_heading = "Steps")]
    skip_warmup: bool,
    /// Do not flush memcached before each step
    #[arg(long, help_heading = "Steps")]
    skip_cache_flush: bool,
    /// Rest so long after each step, in place of waiting until the CPU is idle again
    #[arg(long, value_name = "T", help_heading = "Steps")]
    fixed_cooldown: Option<Nanos>,
    /// unstable: leave out the rates above one that was not held, twice
    #[arg(long, value_name = "WHEN", help_heading = "Steps")]
    stop_when: Option<StopWhen>,
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

    #[command(flatten, next_help_heading = "Load")]
    load: LoadOptions,
    #[command(flatten, next_help_heading = "Recording")]
    recording: RecordingOptions,
    #[command(flatten)]
    transport: TransportArgs,
    #[command(flatten)]
    collector: CollectorArgs,
}

/// Flags that do not change what is measured, so that they may be given together with a plan.
const BESIDE_A_PLAN: [&str; 5] = ["target", "output", "print_plan", "dry_run", "quiet"];

/// The first flag on the command line that contradicts the use of a plan's file.
pub(super) fn typed_flag(matches: &ArgMatches) -> Option<String> {
    let (_, matches) = matches.subcommand()?;
    let sweep = super::command();
    let mut settings = sweep
        .find_subcommand("sweep")?
        .get_arguments()
        .filter(|flag| !BESIDE_A_PLAN.contains(&flag.get_id().as_str()));
    let typed = settings.find(|flag| {
        matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine)
    })?;
    Some(match typed.get_long() {
        Some(name) => format!("--{name}"),
        None => "--".to_owned(),
    })
}

impl SweepArgs {
    /// What the flags mean together.
    pub(super) fn into_request(
        self,
        typed: Option<String>,
    ) -> Result<SweepRequest, super::BadArguments> {
        let is_url = |target: &str| target.contains("://");
        let file = self.target.clone().filter(|target| !is_url(target));
        let has_urls = self.arms.iter().any(|arm| arm.contains('='));
        let goes_on = self.target.is_none() && !has_urls && self.output.is_some();
        if let (true, Some(flag)) = (file.is_some() || goes_on, typed) {
            let cure = "change it in the plan (--print-plan writes one from flags), or give the URL in place of the plan";
            let message = format!("{flag} stands beside a plan, which says it already");
            return Err(BadSpec::new("PLAN.toml", message, cure).into());
        }
        let mut request = SweepRequest {
            plan: None,
            seed_pinned: self.seed.is_some(),
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
        let arms = self.arms()?;
        let rates = self.rates.iter().map(|typed| parse_rate(typed.trim()));
        let rates: Result<Vec<Rate>, _> = rates.collect();
        let rates = rates
            .map_err(|bad| BadSpec::new("--rates", bad.to_string(), "separate rates by commas"))?;
        let name = self.name.clone().unwrap_or_else(|| folder_name(&arms));
        let recording = RecordingOptions {
            spectrum: true,
            ..self.recording
        };
        let cluster = self.collector.options();
        let options = self.transport.options(self.load, recording, cluster)?;
        options.validate()?;
        let thresholds = self.fail_if.into_iter().map(|fail_if| StepThreshold {
            fail_if,
            arm: None,
            rate: None,
        });
        Ok(SweepPlan {
            name,
            rates,
            repetitions: self.repetitions,
            order: self.order,
            block: self.block,
            seed: self.seed.unwrap_or_else(values::new_seed),
            warmup: self.warmup,
            measure: self.measure,
            guard: self.guard,
            verify: !self.skip_verify,
            cache_flush: !self.skip_cache_flush,
            cooldown: self
                .fixed_cooldown
                .map_or(Cooldown::Adaptive, Cooldown::Fixed),
            stop_when: self.stop_when,
            switch: self.switch,
            warm_up_first: match self.skip_warmup {
                true => WarmUpFirst::none(),
                false => WarmUpFirst::default(),
            },
            until: None,
            find_capacity: self.find_capacity.then_some(CapacitySearch {
                slo: self.slo,
                precision: self.precision,
            }),
            load: options.load,
            http: options.http,
            reach: options.reach,
            tls: options.tls,
            recording: options.recording,
            cluster: options.cluster,
            arms,
            thresholds: thresholds.collect(),
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

/// The default name of the folder: the study's name when the sweep is one of the study's two, else `sweep`.
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
    let named = |bad: BadPlan| bad.in_place(path.display());
    let mut plan = SweepPlan::from_toml(typed).map_err(named)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    for path in plan.paths_mut() {
        *path = folder.join(&*path);
    }
    Ok(plan)
}
