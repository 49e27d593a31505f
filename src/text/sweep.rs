//! Texts of a sweep: its steps before it starts, a line per step, and the capacities that it found.

use crate::gate::Slo;
use crate::measure::Distribution;
use crate::resources::{Part, Quantity};
use crate::spec::StepKey;
use crate::units::{Nanos, show_ns};
use crate::verdict::{JudgedRun, Stability};

/// The line that announces a step. `of` is the number of steps that are known so far.
pub fn step_title(step: &StepKey, of: usize) -> String {
    let StepKey {
        number,
        arm,
        rate,
        repetition,
    } = step;
    format!("step {number} of {of}: {arm} {rate}/s rep {repetition}")
}

/// A length of time, rounded: `1h 5m`, `14m 20s`, `9s`.
pub fn show_length(length: Nanos) -> String {
    let seconds = length.as_secs_f64().round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m {seconds}s"),
        _ => format!("{hours}h {minutes}m"),
    }
}

/// Writes every step with the time at which it starts, and the length of the sweep. `each` is the length
/// of a step, and `rest` the pause after it.
pub fn steps_text(steps: &[StepKey], each: Nanos, rest: Nanos, notes: &[String]) -> String {
    let mut text = String::from("    at        step  arm                  rate/s   rep\n");
    let mut at = Nanos::ZERO;
    for step in steps {
        text += &format!(
            "    {:<9} {:>4}  {:<20} {:<8} {}\n",
            show_length(at),
            step.number,
            step.arm,
            step.rate.as_f64(),
            step.repetition
        );
        at += each + rest;
    }
    let total = Nanos(at.0.saturating_sub(rest.0));
    text += &format!(
        "{} steps of {}, {} of rest between them: {} in all\n",
        steps.len(),
        show_length(each),
        show_length(rest),
        show_length(total)
    );
    for note in notes {
        text += &format!("note: {note}\n");
    }
    text
}

/// The header over the columns of [`step_line`].
pub fn step_header() -> String {
    format!(
        "{:>7}  {:<16} {:>8} {:>3}  {:>9}  {:>9}  {:>9}  {:>6}  {:>9}  {:>9}  verdict",
        "step", "arm", "rate/s", "rep", "achieved", "p50", "p99", "errors", "app CPU", "sidecar"
    )
}

/// The line of a finished step. `of` is the number of steps that are known so far.
pub fn step_line(step: &StepKey, of: usize, run: &JudgedRun) -> String {
    let JudgedRun {
        result,
        verdict,
        stability,
    } = run;
    let tally = result.overall();
    let latency = Distribution::of(&tally.response_times(result.is_open_loop()));
    let time = |of: fn(&Distribution) -> u64| {
        let time = latency.as_ref().map(|latency| of(latency) as f64);
        time.map_or("-".to_owned(), show_ns)
    };
    let cpu = |part: Part| {
        let resources = result.resources.as_ref();
        let cpu = resources.and_then(|one| one.used(part, None, Quantity::Cpu).ok());
        cpu.map_or("-".to_owned(), |cpu| format!("{cpu:.0}m"))
    };
    let held = match stability {
        Stability::Held => "held",
        Stability::NotHeld { .. } => "NOT HELD",
        Stability::Unknown { .. } => "unknown",
    };
    let level = verdict.level.name();
    let codes: Vec<&str> = verdict
        .reasons
        .iter()
        .map(|one| one.code.as_str())
        .collect();
    let codes = if codes.is_empty() {
        String::new()
    } else {
        format!(" ({})", codes.join(", "))
    };
    format!(
        "{:>3}/{:<3}  {:<16} {:>8} {:>3}  {:>9.1}  {:>9}  {:>9}  {:>6}  {:>9}  {:>9}  {level}{codes}, {held}",
        step.number,
        of,
        step.arm,
        step.rate.as_f64(),
        step.repetition,
        result.rate_achieved(),
        time(|latency| latency.p50),
        time(|latency| latency.p99),
        tally.errors(),
        cpu(Part::App),
        cpu(Part::Sidecar),
    )
}

/// The line of an arm's capacity, from the highest rate that was held and the lowest that was not, in
/// requests per second. `is_settled` says whether the search went to its end.
pub fn capacity_line(
    arm: &str,
    slo: Option<&Slo>,
    [good, bad]: [Option<f64>; 2],
    is_settled: bool,
) -> String {
    let with = slo.map_or(String::new(), |slo| format!(" with {slo}"));
    let line = match (good, bad) {
        (Some(good), Some(bad)) => format!("{arm}: holds {good}/s{with}, and not {bad}/s"),
        (Some(good), None) if !is_settled => format!("{arm}: holds {good}/s{with}"),
        (Some(good), None) => {
            format!("{arm}: holds {good}/s{with}, the highest of --rates; its capacity is above")
        }
        (None, Some(bad)) => {
            format!(
                "{arm}: does not hold {bad}/s{with}, the lowest of --rates; its capacity is below"
            )
        }
        (None, None) => format!("{arm}: nothing could be found out about its capacity"),
    };
    if is_settled {
        line
    } else {
        line + " (the search did not come to its end: it was broken off, or steps failed or were INVALID)"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::sample;
    use crate::units::Rate;

    fn step() -> StepKey {
        StepKey {
            number: 3,
            arm: "istio".to_owned(),
            rate: Rate::nearest(400.0),
            repetition: 2,
        }
    }

    #[test]
    fn lengths_are_shown_as_people_say_them() {
        for (seconds, shown) in [(9, "9s"), (75, "1m 15s"), (3_900, "1h 5m")] {
            assert_eq!(show_length(Nanos::from_secs(seconds)), shown);
        }
    }

    #[test]
    fn a_dry_run_says_when_each_step_begins_and_how_long_it_all_takes() {
        let steps = [step(), step()];
        let note = "be patient".to_owned();
        let text = steps_text(&steps, Nanos::from_secs(95), Nanos::from_secs(10), &[note]);
        assert!(
            text.contains("    1m 45s       3  istio                400      2\n"),
            "{text}"
        );
        assert!(
            text.contains(
                "2 steps of 1m 35s, 10s of rest between them: 3m 20s in all\nnote: be patient\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_finished_step_has_its_figures_under_their_names() {
        let sample = sample::ordinary();
        let mut run = JudgedRun::judge(sample.result);
        run.stability = Stability::Held;
        let line = step_line(&step(), 12, &run);
        assert!(
            line.contains("3/12   istio                 400   2"),
            "{line}"
        );
        assert!(line.ends_with(", held"), "{line}");
        // Every column ends where its name ends.
        let header = step_header();
        let end = header.find("sidecar").expect("a column") + "sidecar".len();
        assert_eq!(&line[end - 1..end + 2], "-  ", "{header}\n{line}");
    }

    #[test]
    fn a_capacity_is_a_bracket_open_where_nothing_was_found() {
        let line = |good, bad| capacity_line("a", None, [good, bad], true);
        assert_eq!(
            line(Some(612.0), Some(640.0)),
            "a: holds 612/s, and not 640/s"
        );
        assert!(line(Some(800.0), None).contains("above"));
        assert!(line(None, Some(100.0)).contains("below"));
        let broken_off = capacity_line("a", None, [Some(50.0), Some(430.0)], false);
        assert!(
            broken_off.contains("not 430/s (the search did not come to its end"),
            "{broken_off}"
        );
        let unknown = capacity_line("a", None, [None, None], false);
        assert!(unknown.contains("nothing"), "{unknown}");
        let slo: Slo = "p99<1s".parse().expect("an objective");
        assert!(capacity_line("a", Some(&slo), [Some(1.0), None], true).contains("with p99<1s"));
    }
}
