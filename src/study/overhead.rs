//! The study's own comparison of two arms: overhead = (with - without) / without in percent, rounded to
//! two places, at every rate that both arms have. Unlike meshload's comparison it includes saturated
//! rates and does not look at noise.

use super::sums::{ColumnSums, SUMMED, StudySums};
use crate::files::table;
use serde::{Deserialize, Serialize};

/// A sum of the study at one rate, without and with the mesh, in the unit of its column.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StudyOverhead {
    /// Without the mesh; `None` where it was not measured.
    pub without: Option<f64>,
    /// With the mesh; `None` where it was not measured.
    pub with: Option<f64>,
}

impl StudyOverhead {
    /// The overhead in percent; `None` where a side was not measured, or the side without is 0.
    pub fn percent(&self) -> Option<f64> {
        let (without, with) = self.without.zip(self.with)?;
        let overhead = (with - without) / without * 100.0;
        (without != 0.0).then(|| (overhead * 100.0).round() / 100.0)
    }
}

/// The sums of an arm by rate in millionths of a request per second.
fn of_arm<'a>(sums: &'a StudySums, arm: &str) -> Vec<(u64, &'a ColumnSums)> {
    // A folder of the study holds one arm and has no column for its name.
    let named = sums
        .iter()
        .filter(|((name, _), _)| name == arm || name.is_empty());
    named.map(|((_, rate), sums)| (*rate, sums)).collect()
}

/// Each rate that both arms have, in requests per second, with one overhead per column of the study's
/// sums. An arm is given as the sums of its folder and its name there.
pub fn overheads(
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

/// Writes compare_overhead_summary.csv, with the study's columns.
pub fn overhead_csv(overheads: &[(f64, [StudyOverhead; 4])]) -> Vec<u8> {
    let names = SUMMED.iter().flat_map(|name| {
        ["NoIstio", "WithIstio", "Overhead%"].map(|kind| format!("{name}_{kind}"))
    });
    let columns: Vec<String> = std::iter::once("RPS".to_owned()).chain(names).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = overheads.iter().map(|(rate, overheads)| {
        let cell = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let cells = overheads
            .iter()
            .flat_map(|one| [one.without, one.with, one.percent()].map(cell));
        std::iter::once(rate.to_string()).chain(cells).collect()
    });
    table(&columns, rows)
}

/// Writes the overheads as a table for the terminal.
pub fn overhead_text(overheads: &[(f64, [StudyOverhead; 4])]) -> String {
    let mut text =
        "the study's own arithmetic: all rates, also saturated ones, without a verdict\n"
            .to_owned();
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
