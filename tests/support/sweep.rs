//! Sweeps as a user starts them, and the folders that they write.

use super::{Hotel, Meshload, Output, Running, path_text, read, rows, until_believed, wait_until};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// The table with one row for each step.
pub const LATENCIES: &str = "latency_stats.csv";

/// Where a sweep writes its results. The folder around it is removed when the test ends.
#[derive(Clone)]
pub struct SweepFolder {
    home: Arc<TempDir>,
    path: PathBuf,
}

impl SweepFolder {
    /// A folder that does not exist yet.
    pub fn new() -> SweepFolder {
        let home = tempfile::tempdir().expect("a folder");
        let path = home.path().join("results");
        let home = Arc::new(home);
        SweepFolder { home, path }
    }

    /// Another such folder beside this one.
    pub fn sibling(&self, name: &str) -> SweepFolder {
        let home = self.home.clone();
        let path = home.path().join(name);
        SweepFolder { home, path }
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder in which a test keeps its plans, scripts and logs.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// A file with this plan.
    pub fn plan(&self, text: &str) -> PathBuf {
        let plan = self.home().join("plan.toml");
        std::fs::write(&plan, text).expect("a file");
        plan
    }

    /// Whether there is such a file or folder.
    pub fn has(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// The lines of the journal that are whole.
    pub fn journal(&self) -> Vec<Value> {
        let text = read(&self.path.join("journal.jsonl"));
        let lines = text.lines();
        lines
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// The first line of the journal about such an event.
    pub fn first(&self, event: &str) -> Value {
        let mut lines = self.journal().into_iter();
        let line = lines.find(|line| line["event"] == event);
        line.unwrap_or_else(|| panic!("no {event} in the journal"))
    }

    /// The names of all events, in the order of the journal.
    pub fn events(&self) -> Vec<String> {
        let lines = self.journal().into_iter();
        lines
            .map(|line| line["event"].as_str().expect("a name").to_owned())
            .collect()
    }

    /// How often such an event is in the journal.
    pub fn count(&self, event: &str) -> usize {
        let events = self.events();
        events.iter().filter(|name| *name == event).count()
    }

    /// The rows of a table; none when there is no such table.
    pub fn rows(&self, table: &str) -> Vec<BTreeMap<String, String>> {
        if self.has(table) {
            rows(&self.path.join(table))
        } else {
            Vec::new()
        }
    }

    /// The names of the steps' folders, in order.
    pub fn steps(&self) -> Vec<String> {
        names(&self.path.join("steps"))
    }

    /// A file of a step.
    pub fn step_file(&self, step: &str, file: &str) -> PathBuf {
        self.path.join("steps").join(step).join(file)
    }

    /// A JSON file of the folder.
    pub fn json(&self, name: &str) -> Value {
        let text = read(&self.path.join(name));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Lets a sweep run until its journal has this many lines about an event.
    #[track_caller]
    pub fn wait_for(&self, sweep: &mut Running, event: &str, count: usize) {
        let text = format!("\"event\":\"{event}\"");
        wait_until(&format!("{event} x {count}"), || {
            let journal = std::fs::read_to_string(self.path.join("journal.jsonl"));
            journal.unwrap_or_default().matches(&text).count() >= count
        });
        assert!(sweep.is_alive(), "it goes on after {event}");
    }
}

/// The names of what is in a folder, in order; none when there is no such folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}

/// `meshload sweep -o FOLDER FLAGS`, as often as a test needs it.
#[derive(Clone)]
pub struct Sweep {
    args: Vec<String>,
}

impl Sweep {
    /// Without further flags, a sweep goes on with what is in its folder.
    pub fn in_folder(folder: &SweepFolder) -> Sweep {
        let args = ["sweep", "-o", path_text(folder.path())];
        Sweep {
            args: args.map(String::from).to_vec(),
        }
    }

    /// Flags, separated by spaces.
    pub fn flags(mut self, flags: &str) -> Sweep {
        self.args.extend(flags.split_whitespace().map(String::from));
        self
    }

    /// The flags of steps that are as short as a test's patience: a warm-up and a window of these
    /// lengths, and nothing before, between and after them.
    pub fn steps_of(self, warmup: &str, measure: &str) -> Sweep {
        self.flags(&format!("--warmup {warmup} --measure {measure}"))
            .flags("--guard 0s --skip-warmup --fixed-cooldown 0 -t 1 -c 4 -q")
    }

    /// Steps of a window of this length and nothing else, in which only the load is measured.
    pub fn short_steps(self, measure: &str) -> Sweep {
        self.steps_of("0s", measure).flags("--collect none")
    }

    /// An arm.
    pub fn arm(self, name: &str, hotel: &Hotel) -> Sweep {
        self.flags(&format!("--arm {name}={}", hotel.url()))
    }

    /// A plan in a file.
    pub fn plan(self, plan: &Path) -> Sweep {
        self.flags(path_text(plan))
    }

    /// The program and its arguments.
    pub fn command(&self) -> Meshload {
        Meshload::new(&self.args)
    }

    /// The same behind a prefix, as [`Meshload::through`] has it.
    pub fn through<'a>(&self, prefix: impl IntoIterator<Item = &'a str>) -> Meshload {
        Meshload::through(prefix, &self.args)
    }

    /// Runs it to its end.
    pub fn run(&self) -> Output {
        self.command().run()
    }

    /// Starts it.
    pub fn start(&self) -> Running {
        self.command().start()
    }

    /// Runs it to its end, which must be a good one. A step in which this machine stood still has
    /// measured nothing and is done again by the same command.
    #[track_caller]
    pub fn finish(&self) -> Output {
        until_believed(4, |_| {
            let output = self.run();
            let stood_still = output.stderr.contains("not one request was completed");
            if output.code != Some(0) && stood_still {
                return Err(output.to_string());
            }
            assert_eq!(output.code, Some(0), "{output}");
            Ok(output)
        })
    }
}
