//! Which command a command line is, and what help and version say.

use super::*;

#[test]
fn a_command_line_without_a_command_is_a_run() {
    let (bare, named) = (
        run(&["-R", "5", URL]).spec,
        run(&["run", "-R", "5", URL]).spec,
    );
    assert_eq!(
        (bare.targets, bare.load.offered),
        (named.targets, named.load.offered)
    );
    // A command's name as a value is not a command.
    assert_eq!(
        with(&["-o", "hotel"]).outputs.folder,
        Some(PathBuf::from("hotel"))
    );
}

#[test]
fn the_other_commands_are_found() {
    let Ok(Request::Report(report)) = parsed(&["report", "dir", "-o", "out"]) else {
        panic!("report");
    };
    assert_eq!(report.folder, PathBuf::from("dir"));
    assert_eq!(report.output, Some(PathBuf::from("out")));
    let Ok(Request::Hotel(hotel)) = parsed(&["hotel", "--listen", "127.0.0.1:0", "--seed", "3"])
    else {
        panic!("hotel");
    };
    assert_eq!((hotel.listen.port(), hotel.seed), (0, 3));
    let Ok(Request::Demo { output, duration }) = parsed(&["demo", "-d", "3s"]) else {
        panic!("demo");
    };
    assert_eq!((output, duration), (None, Nanos::from_secs(3)));
    assert!(matches!(
        parsed(&["selftest"]),
        Ok(Request::Selftest { is_short: false })
    ));
}

#[test]
fn version_and_help_are_answers_and_no_errors() {
    let lines: [&[&str]; 8] = [
        &["-v"],
        &["--version"],
        &["-h"],
        &["--help"],
        &["help"],
        &["run", "--help"],
        &["hotel", "--help"],
        &["demo", "-h"],
    ];
    for line in lines {
        match parsed(line) {
            Err(BadArguments::Clap(answer)) => assert!(!answer.use_stderr(), "{line:?}: {answer}"),
            other => panic!("{line:?}: {other:?}"),
        }
    }
    assert!(refusal(&["-v"]).contains(env!("CARGO_PKG_VERSION")));
    let help = refusal(&["--help"]);
    for part in [
        "--rate",
        "--u_latency",
        "-- SCRIPT ARGS",
        "Exit codes",
        "hotel",
        "130",
    ] {
        assert!(help.contains(part), "{part}");
    }
}

#[test]
fn collect_and_check_are_commands() {
    match parsed(&["collect", "--for", "60s", "process:7", "-o", "d"]) {
        Ok(Request::Collect(request)) => {
            assert_eq!(request.length, Nanos::from_secs(60));
            assert_eq!(
                request.spec.from,
                CollectFrom::Process(vec![ProcessChoice::Pid(7)])
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(refusal(&["collect", "--for", "0s"]).contains("--for"));
    assert!(refusal(&["collect", "--for", "1s", "none"]).contains("nothing to collect"));
    match parsed(&["check", URL, "-s", "x.lua", "-n", "hotel", "--json"]) {
        Ok(Request::Check(request)) => {
            let run = request.run.expect("a run");
            assert_eq!(run.targets[0].url, URL);
            assert_eq!(run.script.expect("a script").path, PathBuf::from("x.lua"));
            assert!(request.json && request.cluster.namespaces == ["hotel"]);
            assert_eq!(request.cluster.from, CollectFrom::Kube);
        }
        other => panic!("{other:?}"),
    }
    assert!(refusal(&["check", "ftp://h/"]).contains("URL"));
}

#[test]
fn every_help_has_an_example_and_fits_a_terminal_of_80_columns() {
    let commands = command();
    let names = commands.get_subcommands().map(|command| command.get_name());
    for name in names {
        let help = refusal(&[name, "--help"]);
        assert!(help.contains("Example"), "{name}: {help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{name}: {line}");
        }
    }
}

#[test]
fn what_is_nearly_right_is_answered_with_what_is() {
    for (line, wanted) in [
        (
            &["--conections", "5", "-R", "1", "http://host/"][..],
            "'--connections'",
        ),
        (&["swep", "plan.toml"][..], "'sweep'"),
        (&["reprot", "results/a"][..], "'report'"),
        (&["sweep", "--rate", "5"][..], "'--rates'"),
    ] {
        let message = refusal(line);
        assert!(
            message.contains("similar") && message.contains(wanted),
            "{message}"
        );
    }
    // A host is no command.
    let host = refusal(&["localhost", "-R", "5"]);
    assert!(host.contains("write http://localhost"), "{host}");
}

#[test]
fn the_version_has_commit_and_target() {
    for flag in ["-v", "-V", "--version"] {
        let text = refusal(&[flag]);
        assert!(
            text.starts_with("meshload ") && text.contains(VERSION_AND_TARGET),
            "{text}"
        );
    }
    assert!(VERSION_AND_TARGET.contains(VERSION), "{VERSION}");
    assert!(VERSION_AND_TARGET.ends_with(env!("MESHLOAD_TARGET")));
    assert!(
        env!("MESHLOAD_TARGET").contains("linux"),
        "{VERSION_AND_TARGET}"
    );
}

#[test]
fn flags_stand_under_the_heading_of_their_group() {
    let commands = command();
    let run = commands.find_subcommand("run").expect("a command");
    let heading = |name: &str| {
        let mut flags = run.get_arguments();
        let flag = flags.find(|flag| flag.get_long() == Some(name));
        flag.expect(name).get_help_heading()
    };
    for (name, wanted) in [
        ("rate", None),
        ("timeout", None),
        ("json", None),
        ("version", None),
        ("resolve", Some("Reach")),
        ("cacert", Some("TLS")),
        ("collect", Some("Cluster")),
        ("namespace", Some("Cluster")),
        ("fail-if", Some("In a pipeline")),
    ] {
        assert_eq!(heading(name), wanted, "--{name}");
    }
}
