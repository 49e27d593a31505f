//! How the run is doing, on stderr: a line that changes on a terminal, a line every ten seconds
//! elsewhere.

use crate::engine::Event;
use crate::text::live_line;
use crate::units::Nanos;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// Logs are read afterwards: a line for each of these is enough to see where a run went wrong.
const PERIOD: Nanos = Nanos::from_secs(10);

/// What shows how the run is doing.
pub struct Live {
    shown: Shown,
    title: String,
    total: Nanos,
}

enum Shown {
    /// A bar with a line about the last second.
    Bar(ProgressBar),
    /// Lines about the last second before they are due; the target and when its next is.
    Lines(Vec<Nanos>),
    Nothing,
}

impl Live {
    /// For a run of this length; `title` stands before the line.
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

    /// Shows what goes on.
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

    /// Takes the line away.
    pub fn finish(self) {
        if let Shown::Bar(bar) = self.shown {
            bar.finish_and_clear();
        }
    }
}

fn bar(title: &str, total: Nanos) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(total.0), ProgressDrawTarget::stderr());
    // The template is fixed, so a bad one shows in the first run.
    if let Ok(style) = ProgressStyle::with_template("{prefix}[{bar:24}] {msg}") {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_prefix(title.to_owned());
    bar
}
