//! The progress of a run on stderr: on a terminal a line that changes, elsewhere a line every ten seconds.

use crate::engine::Event;
use crate::text::live_line;
use crate::units::Nanos;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// The time between two lines of a log. That is enough to see afterwards where a run went wrong.
const PERIOD: Nanos = Nanos::from_secs(10);

/// The progress display of one run.
pub struct Live {
    shown: Shown,
    title: String,
    total: Nanos,
}

enum Shown {
    /// A bar with a text about the last second.
    Bar(ProgressBar),
    /// Plain lines, with the moment at which the next line of each target is due.
    Lines(Vec<Nanos>),
    Nothing,
}

impl Live {
    /// The display of a run of this length. `title` is printed before each line.
    pub fn new(title: String, total: Nanos, quiet: bool) -> Live {
        let shown = match (quiet, std::io::stderr().is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Bar(bar(&title, total)),
            (false, false) => Shown::Lines(Vec::new()),
        };
        Live {
            shown,
            title,
            total,
        }
    }

    /// Shows an interval that is complete.
    pub fn observe(&mut self, event: &Event<'_>) {
        let Event::Interval(target, interval, _) = event else {
            return;
        };
        let elapsed = interval.start + interval.duration;
        let line = || live_line(interval, elapsed, self.total);
        match &mut self.shown {
            Shown::Bar(bar) => {
                bar.set_position(elapsed.0);
                bar.set_message(line());
            }
            Shown::Lines(due) => {
                due.resize(due.len().max(target + 1), PERIOD);
                if elapsed >= due[*target] {
                    status!("{}{}", self.title, line());
                    due[*target] = Nanos((elapsed.0 / PERIOD.0 + 1) * PERIOD.0);
                }
            }
            Shown::Nothing => {}
        }
    }

    /// Removes the bar from the terminal.
    pub fn finish(self) {
        if let Shown::Bar(bar) = self.shown {
            bar.finish_and_clear();
        }
    }
}

fn bar(title: &str, total: Nanos) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total.0), ProgressDrawTarget::stderr());
    // The template is a constant, so an invalid one would fail in every run and be noticed at once.
    if let Ok(style) = ProgressStyle::with_template("{prefix}[{bar:24}] {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(title.to_owned());
    bar
}
