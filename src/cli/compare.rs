//! The flags of `meshload compare`.

use crate::gate::MaxRegression;
use clap::Args;
use std::path::PathBuf;

/// The comparison that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct CompareRequest {
    /// Folders, or arms of folders (`DIR:ARM`). The others are compared with the first.
    pub sides: Vec<PathBuf>,
    /// The folder for tables, page and plots.
    pub folder: Option<PathBuf>,
    /// Whether Markdown is printed in place of text.
    pub markdown: bool,
    /// Whether the study's own arithmetic is used.
    pub as_study: bool,
    /// Whether one arm is compared with itself, odd repetitions with even ones.
    pub halves: bool,
    /// The limits of the ratios to the first side.
    pub limits: Vec<MaxRegression>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  meshload compare results/two             its first arm against its others\n  meshload compare results/two:plain results/two:slower\n  meshload compare results/no_istio_X results/with_istio_Y -o results/cost\n  meshload compare results/old results/new --max-regression p99=10%\n  meshload compare --aa results/two:plain  the noise: one arm against itself"
)]
pub(super) struct CompareArgs {
    /// Folders of sweeps, runs or the study, or DIR:ARM for one arm of a sweep; the first is what
    /// the others are compared with
    #[arg(value_name = "BASE OTHER", required = true)]
    sides: Vec<PathBuf>,
    /// Write comparison.csv, cost.csv, comparison.md, compare_overhead_summary.csv, report.html and
    /// plots/ there
    #[arg(short = 'o', long = "output", value_name = "DIR")]
    output: Option<PathBuf>,
    /// Print Markdown
    #[arg(long = "md")]
    markdown: bool,
    /// The study's own arithmetic: every rate, no verdict
    #[arg(long)]
    as_study: bool,
    /// Compare one arm with itself, odd repetitions with even ones: how large noise alone is
    #[arg(long = "aa", conflicts_with = "as_study")]
    halves: bool,
    /// Fail (exit 3) when a ratio to the first is above this at a rate, with the
    /// whole of its interval: p99=10%,cpu=5%
    #[arg(long, value_name = "LIMITS", value_parser = MaxRegression::parse_list, conflicts_with = "as_study")]
    max_regression: Option<std::vec::Vec<MaxRegression>>,
}

impl From<CompareArgs> for CompareRequest {
    fn from(args: CompareArgs) -> CompareRequest {
        CompareRequest {
            sides: args.sides,
            folder: args.output,
            markdown: args.markdown,
            as_study: args.as_study,
            halves: args.halves,
            limits: args.max_regression.unwrap_or_default(),
        }
    }
}
