//! The live line on a terminal's stderr: how the run is doing.

use crate::engine::Event;
use crate::render::live_line;
use crate::units::Nanos;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A progress bar with a line about the last second; nothing without a terminal.
pub struct Live {
    bar: ProgressBar,
    total: Nanos,
}

impl Live {
    /// For a run of this length; `title` stands before the line.
    pub fn new(title: String, total: Nanos, quiet: bool) -> Live {
        let is_shown = !quiet && std::io::stderr().is_terminal();
        let target = if is_shown {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(total.0), target);
        // The template is fixed, so a bad one shows in the first run.
        if let Ok(style) = ProgressStyle::with_template("{prefix}[{bar:24}] {msg}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(title);
        Live { bar, total }
    }

    /// Shows what goes on.
    pub fn observe(&self, event: &Event<'_>) {
        if let Event::Interval(_, interval, _) = event {
            let elapsed = interval.start + interval.duration;
            self.bar.set_position(elapsed.0);
            self.bar
                .set_message(live_line(interval, elapsed, self.total));
        }
    }

    /// Takes the line away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
