//! The study's own arithmetic: overhead = (with - without) / without in percent, rounded to two
//! places, at every rate that both have, saturated or not. No verdict.

use super::{STUDY_SUMMED, StudySums};
use crate::files::table;
use serde::{Deserialize, Serialize};

/// A metric of the study at one rate, without and with the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StudyOverhead {
    /// Without; `None` where nobody measured it.
    pub without: Option<f64>,
    /// With, likewise.
    pub with: Option<f64>,
}

impl StudyOverhead {
    /// In percent; `None` where there is nothing without, or one of them was not measured.
    pub fn percent(&self) -> Option<f64> {
        let (without, with) = self.without.zip(self.with)?;
        let overhead = (with - without) / without * 100.0;
        (without != 0.0).then(|| (overhead * 100.0).round() / 100.0)
    }
}

/// An arm's sums by rate, in millionths per second.
type Sums<'a> = Vec<(u64, &'a [Option<f64>; 4])>;

fn of_arm<'a>(sums: &'a StudySums, arm: &str) -> Sums<'a> {
    // The study's folders have no column of arms: all of it is one.
    let named = sums
        .iter()
        .filter(|((name, _), _)| name == arm || name.is_empty());
    named.map(|((_, rate), sums)| (*rate, sums)).collect()
}

/// The rates that both have, with the four metrics of the study without and with the mesh.
pub fn study_overheads(
    base: (&StudySums, &str),
    other: (&StudySums, &str),
) -> Vec<(f64, [StudyOverhead; 4])> {
    let others = of_arm(other.0, other.1);
    let both = of_arm(base.0, base.1)
        .into_iter()
        .filter_map(|(rate, without)| {
            let (_, with) = others.iter().find(|(at, _)| *at == rate)?;
            let overheads = std::array::from_fn(|at| StudyOverhead {
                without: without[at],
                with: with[at],
            });
            Some((rate as f64 / 1e6, overheads))
        });
    both.collect()
}

/// compare_overhead_summary.csv: the study's columns and its own arithmetic.
pub fn study_overhead_csv(overheads: &[(f64, [StudyOverhead; 4])]) -> Vec<u8> {
    let names = STUDY_SUMMED.iter().flat_map(|name| {
        ["NoIstio", "WithIstio", "Overhead%"].map(|kind| format!("{name}_{kind}"))
    });
    let columns: Vec<String> = std::iter::once("RPS".to_owned()).chain(names).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = overheads.iter().map(|(rate, overheads)| {
        // What was not measured is an empty cell.
        let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let cells = overheads
            .iter()
            .flat_map(|one| [one.without, one.with, one.percent()].map(cell));
        std::iter::once(rate.to_string()).chain(cells).collect()
    });
    table(&columns, rows)
}

/// The study's own table, which says nothing about saturation or noise.
pub fn study_overhead_text(overheads: &[(f64, [StudyOverhead; 4])]) -> String {
    let mut text =
        "the study's own arithmetic: every rate, saturated or not, and no verdict\n".to_owned();
    text += &format!(
        "  {:>8} {:>26} {:>26} {:>26} {:>26}\n",
        "RPS", "CPU (m)", "memory (Mi)", "rx (KB/s)", "tx (KB/s)"
    );
    for (rate, overheads) in overheads {
        let cells = overheads.map(|one| {
            let or_none = |value: Option<f64>, show: &dyn Fn(f64) -> String| {
                value.map_or("-".to_owned(), show)
            };
            let sums = [one.without, one.with].map(|sum| or_none(sum, &|sum| format!("{sum:.1}")));
            let percent = or_none(one.percent(), &|percent| format!("{percent:+.2}%"));
            format!("{} {} {percent}", sums[0], sums[1])
        });
        text += &format!("  {rate:>8}");
        for cell in cells {
            text += &format!(" {cell:>26}");
        }
        text.push('\n');
    }
    text
}
