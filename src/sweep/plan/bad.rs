//! The error of a plan that cannot be carried out, which names the place in the plan.

use crate::spec::{
    BadSpec, ClusterOptions, HttpOptions, LoadOptions, ReachOptions, RecordingOptions, TlsOptions,
};
use clap::{Arg, Args, Command};
use toml::de::DeTable;

/// The reason for which a plan cannot be carried out. Its text names the place, the cause and a cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPlan {
    /// An option that `meshload run` has, too. It is named by its flag.
    #[error(transparent)]
    Option(#[from] BadSpec),
    /// A setting that only plans have, or an option that is named by its place in the plan.
    #[error("{0}")]
    Plan(String),
}

impl BadPlan {
    /// An error of a setting that only plans have.
    pub(super) fn new(place: &str, message: impl std::fmt::Display, cure: &str) -> BadPlan {
        BadPlan::Plan(format!("{place}: {message}; {cure}"))
    }

    /// The same error with a place before it, such as the name of a file.
    pub fn in_place(self, place: impl std::fmt::Display) -> BadPlan {
        BadPlan::Plan(format!("{place}: {self}"))
    }

    /// The same error of a plan that was read from this text. An option is named by its line and key in
    /// place of its flag, because that is how the author of a plan knows it.
    pub(super) fn of_text(self, text: &str) -> BadPlan {
        let BadPlan::Option(bad) = self else {
            return self;
        };
        let Some((group, key)) = key_of(bad.flag) else {
            return BadPlan::Option(bad);
        };
        let place = match (group, line_of(text, group, &key)) {
            ("", None) => key,
            ("", Some(line)) => format!("line {line}, {key}"),
            (group, None) => format!("{group}.{key}"),
            (group, Some(line)) => format!("line {line}, {group}.{key}"),
        };
        BadPlan::Plan(format!("{place}: {}; {}", bad.message, bad.cure))
    }
}

/// The table and the key of a plan that have the meaning of a flag. The table is empty for keys that stand at
/// the top of a plan.
fn key_of(flag: &str) -> Option<(&'static str, String)> {
    if flag == "-d" {
        return Some(("", "measure".to_owned()));
    }
    let says_it = |option: &Arg| {
        let long = option.get_long().map(|name| format!("--{name}"));
        let short = option.get_short().map(|name| format!("-{name}"));
        [long, short].iter().flatten().any(|name| name == flag)
    };
    let groups = [
        ("load", LoadOptions::augment_args(Command::new(""))),
        ("http", HttpOptions::augment_args(Command::new(""))),
        ("reach", ReachOptions::augment_args(Command::new(""))),
        ("tls", TlsOptions::augment_args(Command::new(""))),
        (
            "recording",
            RecordingOptions::augment_args(Command::new("")),
        ),
        ("cluster", ClusterOptions::augment_args(Command::new(""))),
    ];
    groups.iter().find_map(|(group, command)| {
        let option = command.get_arguments().find(|option| says_it(option))?;
        Some((*group, option.get_id().to_string()))
    })
}

/// The line of a key in TOML, counted from 1; `None` where the key is left to its default.
fn line_of(text: &str, group: &str, key: &str) -> Option<usize> {
    let plan = DeTable::parse(text).ok()?;
    let plan = plan.get_ref();
    let table = match group {
        "" => plan,
        group => plan.get(group)?.get_ref().as_table()?,
    };
    let start = table.get(key)?.span().start;
    Some(text.get(..start)?.matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::super::SweepPlan;

    #[test]
    fn a_wrong_value_is_found_by_its_line_and_key() {
        let arm = "[[arm]]\nname = \"a\"\nurl = \"http://h/\"\n";
        for (settings, wanted) in [
            (
                "[load]\nconnections = 5\nmax_connections = 3\n",
                "line 3, load.max_connections: 3 is less than",
            ),
            (
                "[load]\nabort_after = \"0s\"\n",
                "line 2, load.abort_after: a limit of 0",
            ),
            ("measure = \"0s\"\n", "line 1, measure: nothing to measure"),
            (
                "\n[http]\nstreams = 4\n",
                "line 3, http.streams: HTTP/1.1 has no streams",
            ),
            (
                "[recording]\nseparate = true\n",
                "line 2, recording.separate: there is only one URL",
            ),
            (
                "[cluster]\ninterval = \"1ms\"\n",
                "line 2, cluster.interval: 1ms is too short",
            ),
            (
                "[tls]\ncert = \"x.pem\"\n",
                "line 2, tls.cert: a certificate",
            ),
            // The parser of TOML itself names the line of a value that has the wrong form.
            ("[load]\npacing = \"fast\"\n", "line 2"),
            ("[load]\nheaders = [\"none\"]\n", "line 2"),
            ("[cluster]\ncollect = \"docker\"\n", "line 2"),
            ("[load]\nconections = 5\n", "line 2"),
        ] {
            let plan = format!("{settings}{arm}");
            let bad = SweepPlan::from_toml(&plan).expect_err(settings).to_string();
            assert!(bad.contains(wanted), "{settings}{bad}");
        }
    }
}
