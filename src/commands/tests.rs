//! One set of samples through every outlet: what a part used is the same figure everywhere, or the
//! same reason why it is not known.

use crate::compare::{ArmSteps, Comparison, Metric, Step, StepFigures, Steps, compare};
use crate::files::{
    comparison_csv, resources_csv, resources_window_csv, run_from_json, run_to_json,
};
use crate::gate::{MaxRegression, Slo, Threshold};
use crate::html::comparison_page;
use crate::measure::{RunResult, sample};
use crate::resources::{
    Amounts, Category, Container, Mesh, Owner, Part, Pod, Quantity, Resources, Role, Sample,
    SampleLog, SamplePoint, Scope, Seen, Source, Spans, Topology, reduce,
};
use crate::study::{StudyMetadata, pods_csv};
use crate::sweep::SweepTables;
use crate::text::{Layout, comparison_text, resources_text, step_line};
use crate::units::Nanos;
use crate::verdict::{JudgedRun, Stability};
use std::collections::BTreeMap;

const BEGIN: u64 = 1_800_000_000;

fn at(seconds: u64) -> Nanos {
    Nanos::from_secs(BEGIN + seconds)
}

/// A pod with one container, there from 0 s to the end of the window at 75 s and beyond.
fn pod(service: &str, namespace: &str, role: Role) -> Pod {
    Pod {
        node: "node-1".to_owned(),
        namespace: namespace.to_owned(),
        name: format!("{service}-0"),
        uid: service.to_owned(),
        service: service.to_owned(),
        owner: Owner {
            kind: "Deployment".to_owned(),
            name: service.to_owned(),
        },
        category: Scope {
            application: ["default".to_owned()].into(),
            ..Scope::default()
        }
        .category(namespace),
        mesh: Mesh::Ambient,
        host_network: false,
        phase: "Running".to_owned(),
        ready: true,
        labels: BTreeMap::new(),
        containers: vec![Container {
            name: "main".to_owned(),
            role,
            image: String::new(),
            image_id: None,
            requests: Amounts::default(),
            limits: Amounts::default(),
            native_sidecar: false,
            running: true,
            restarts: 0,
            last_exit: None,
            started: Some(at(0)),
        }],
        seen: Seen {
            from: at(0),
            to: None,
        },
    }
}

/// An ambient pod of 250 m, one of 300 m that is there for a third of the window, one that never
/// starts, a gateway of 40 m in the application's namespace, a node's proxy of 60 m, a control plane
/// of 30 m; and, where it is asked for, a pod that runs and has no samples.
fn collected(with_silent: bool) -> (SampleLog, Resources) {
    let mut short = pod("jobs", "default", Role::App);
    short.seen = Seen {
        from: at(35),
        to: Some(at(55)),
    };
    let mut starting = pod("starting", "default", Role::App);
    starting.phase = "Pending".to_owned();
    starting.containers[0].running = false;
    starting.containers[0].started = None;
    let mut pods = vec![
        (pod("frontend", "default", Role::App), Some(250)),
        (short, Some(300)),
        (starting, None),
        (pod("edge", "default", Role::Gateway), Some(40)),
        (pod("ztunnel", "istio-system", Role::NodeProxy), Some(60)),
        (pod("istiod", "istio-system", Role::ControlPlane), Some(30)),
    ];
    if with_silent {
        pods.push((pod("silent", "default", Role::App), None));
    }
    let mut log = SampleLog::default();
    let mut topology = Topology::default();
    for (pod, cpu_m) in pods {
        let (from, to) = match pod.seen.to {
            Some(_) => (35, 55),
            None => (0, 90),
        };
        for second in [from, to].into_iter().filter(|_| cpu_m.is_some()) {
            log.push(Sample {
                subject: pod.subject(Some("main")),
                quantity: Quantity::Cpu,
                source: Source::MetricsResource,
                point: SamplePoint {
                    stamp: at(second),
                    received: at(second),
                    value: second * cpu_m.unwrap_or_default() * 1_000_000,
                    epoch: None,
                },
            });
        }
        topology.pods.insert(pod.uid.clone(), pod);
    }
    let resources = reduce(&log, &topology, spans(), Vec::new(), &BTreeMap::new());
    (log, resources)
}

fn spans() -> Spans {
    Spans {
        load_start: at(0),
        window_start: at(15),
        window_end: at(75),
        load_end: at(95),
    }
}

/// Everything that is written or shown of one run.
struct Outlets {
    result: RunResult,
    step: Step,
    line: String,
    account: String,
    window: Vec<BTreeMap<String, String>>,
    series: Vec<BTreeMap<String, String>>,
    study: Vec<BTreeMap<String, String>>,
    tidy: Vec<BTreeMap<String, String>>,
    compared: Comparison,
    page: String,
}

fn rows(bytes: &[u8]) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(bytes);
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

fn outlets(with_silent: bool) -> Outlets {
    let mut result = sample::ordinary().result;
    let (log, resources) = collected(with_silent);
    result.resources = Some(resources);
    let judged = JudgedRun::judge(result);
    // All of it survives run.json.
    let judged = run_from_json(&run_to_json(&judged)).expect("a run");
    let result = &judged.result;
    let resources = result.resources.as_ref().expect("resources");
    let mut step = Step::of(&judged);
    step.figures.stability = Stability::Held;
    let mut tables = SweepTables::default();
    tables.add(&judged);
    let tables: BTreeMap<_, _> = tables
        .files(&StudyMetadata::default())
        .into_iter()
        .collect();
    let mut arm = ArmSteps::named("ambient");
    arm.steps.push(step.clone());
    let steps = Steps::from(&arm.steps);
    Outlets {
        line: step_line(&step.key, 1, &judged),
        account: resources_text(resources),
        window: rows(&resources_window_csv(resources)),
        series: rows(&resources_csv(&log, resources)),
        study: rows(&pods_csv(resources, None)),
        tidy: rows(&tables["tidy.csv"]),
        compared: compare(&steps, &steps),
        page: comparison_page(std::slice::from_ref(&arm), &[], &[]).html(),
        step,
        result: judged.result,
    }
}

fn judged(typed: &str, result: &RunResult) -> crate::gate::Outcome {
    let threshold: Threshold = typed.parse().expect("a threshold");
    threshold.judge(result)
}

/// What the run did not meet of an objective.
fn missed(typed: &str, result: &RunResult) -> Vec<String> {
    let slo: Slo = typed.parse().expect("an objective");
    slo.missed(result)
}

/// The application's rows of the study's table, summed.
fn study_sum(study: &[BTreeMap<String, String>], column: &str) -> Option<f64> {
    let rows = study.iter().filter(|row| row["Category"] == "application");
    rows.map(|row| row[column].parse::<f64>().ok()).sum()
}

const CPU: [(Part, f64); 6] = [
    (Part::App, 350.0),
    (Part::Sidecar, 0.0),
    (Part::Gateway, 40.0),
    (Part::NodeProxy, 60.0),
    (Part::ControlPlane, 30.0),
    // Of the application's pods, with the gateway among them.
    (Part::Total, 390.0),
];

fn is_near(found: f64, truth: f64) {
    assert!((found - truth).abs() < 0.01, "{found} is not {truth}");
}

#[test]
fn a_part_has_one_figure_in_every_outlet() {
    let found = outlets(false);
    let resources = found.result.resources.as_ref().expect("resources");
    let text = comparison_text(&found.compared, &[], Layout::Text);
    let markdown = comparison_text(&found.compared, &[], Layout::Markdown);
    let csv = rows(&comparison_csv(std::slice::from_ref(&found.compared)));
    for (part, truth) in CPU {
        is_near(
            resources.used(part, None, Quantity::Cpu).expect("known"),
            truth,
        );
        is_near(found.step.cpu(part).expect("known"), truth);
        let outcome = judged(&format!("cpu.{} > 1", part.name()), &found.result);
        is_near(outcome.value.expect("known"), truth);
        let objective = format!("cpu.{}<0.001m", part.name());
        let shown = format!("cpu.{} is {truth:.1}m", part.name());
        let missed = missed(&objective, &found.result);
        assert_eq!(!missed.is_empty(), truth > 0.0, "{missed:?}");
        assert!(
            missed.iter().all(|one| one.starts_with(&shown)),
            "{missed:?}"
        );
        let name = format!("cpu_{}", part.name());
        let tidy = found.tidy.iter().find(|row| row["quantity"] == name);
        is_near(
            tidy.expect("a row")["value"].parse().expect("a number"),
            truth,
        );
        let limit = format!("cpu.{}=1%", part.name());
        let limits = MaxRegression::parse_list(&limit).expect("a limit");
        assert_eq!(limits[0].is_known(&found.step), truth > 0.0, "{limit}");
        if truth > 0.0 {
            let row = csv.iter().find(|row| row["metric"] == name).expect("a row");
            is_near(row["base_value"].parse().expect("a number"), truth);
            for text in [&text, &markdown] {
                let mut lines = text.lines().filter(|line| line.contains(&name));
                let shown = format!("{truth:.1}");
                assert!(lines.any(|line| line.contains(&shown)), "{shown}: {text}");
            }
        }
    }
    assert!(
        found.line.contains("350m") && found.line.contains(" 0m "),
        "{}",
        found.line
    );
    for shown in ["350.0", "40.0", "60.0", "30.0"] {
        assert!(found.account.contains(shown), "{shown}: {}", found.account);
    }
    for shown in ["250.0", "100.0", "40.0", "60.0", "30.0"] {
        assert!(found.page.contains(&format!(">{shown}<")), "{shown}");
    }
    let application = &resources.categories[0];
    assert_eq!(application.category, Category::Application);
    is_near(application.cpu_m[&Role::App], 350.0);
    // The study's columns: total, app and sidecar.
    for (column, truth) in [
        ("CPU_Total(m)", 390.0),
        ("CPU_App(m)", 350.0),
        ("CPU_Sidecar(m)", 0.0),
    ] {
        is_near(study_sum(&found.study, column).expect("known"), truth);
    }
    let app = found.window.iter().filter(|row| {
        row["quantity"] == "cpu" && row["role"] == "app" && row["category"] == "application"
    });
    let number = |text: &String| text.parse::<f64>().expect("a number");
    let weighted = app.map(|row| number(&row["value"]) * number(&row["presence"]));
    assert!((weighted.sum::<f64>() - 350.0).abs() < 0.2);
    let series = found.series.iter().find(|row| row["pod"] == "frontend-0");
    is_near(number(&series.expect("a row")["value"]), 250.0);
}

#[test]
fn a_latency_and_the_error_rate_are_the_same_in_thresholds_objectives_and_comparisons() {
    let found = outlets(false);
    for metric in [
        Metric::MEAN,
        Metric::P50,
        Metric::P90,
        Metric::P99,
        Metric::ErrorRate,
    ] {
        let name = metric.typed_name();
        let limit = if metric == Metric::ErrorRate {
            "99%"
        } else {
            "1h"
        };
        let truth = metric.of(&found.step).expect("known");
        let outcome = judged(&format!("{name} > {limit}"), &found.result);
        is_near(outcome.value.expect("known"), truth);
        assert!(missed(&format!("{name}<{limit}"), &found.result).is_empty());
        let compared = found.compared.rates[0].metrics.iter();
        let compared = compared.filter(|one| one.metric == metric);
        // Two arms without errors have nothing to compare.
        assert_eq!(compared.clone().count(), usize::from(truth > 0.0), "{name}");
        compared.for_each(|one| is_near(one.base.value, truth));
    }
}

#[test]
fn the_traffic_of_a_node_is_in_no_sum() {
    let mut edge = pod("edge", "default", Role::Gateway);
    edge.host_network = true;
    let mut log = SampleLog::default();
    let mut topology = Topology::default();
    for (pod, rate) in [
        (pod("frontend", "default", Role::App), 1_000),
        (edge, 5_000),
    ] {
        for second in [0, 90] {
            log.push(Sample {
                subject: pod.subject(None),
                quantity: Quantity::NetworkRx,
                source: Source::StatsSummary,
                point: SamplePoint {
                    stamp: at(second),
                    received: at(second),
                    value: second * rate,
                    epoch: None,
                },
            });
        }
        topology.pods.insert(pod.uid.clone(), pod);
    }
    let resources = reduce(&log, &topology, spans(), Vec::new(), &BTreeMap::new());
    let category = &resources.categories[0];
    is_near(category.network_rx_bytes_per_s.expect("known"), 1_000.0);
    let mut result = sample::ordinary().result;
    result.resources = Some(resources);
    let figures = StepFigures::of(&JudgedRun::judge(result));
    is_near(Metric::NetworkRx.of(&figures).expect("known"), 1_000.0);
    let edge = figures.services.iter().find(|one| one.service == "edge");
    assert_eq!(edge.expect("a service").network_rx_bytes_per_s, None);
}

#[test]
fn what_never_ran_is_0_and_named() {
    let found = outlets(false);
    let named = "did not run, and counts as 0: default/starting-0/main";
    assert!(found.account.contains(named), "{}", found.account);
    let starting = found.window.iter().find(|row| row["pod"] == "starting-0");
    assert_eq!(starting.expect("a row")["quality"], "did_not_run");
    let study = found.study.iter().find(|row| row["Pod"] == "starting-0");
    assert_eq!(study.expect("a row")["CPU_Total(m)"], "0.000");
}

#[test]
fn a_container_without_samples_has_one_reason_in_every_outlet() {
    let found = outlets(true);
    let resources = found.result.resources.as_ref().expect("resources");
    let why = "cpu of default/silent-0/main is not known: no source gave two samples";
    let reason = found
        .step
        .cpu(Part::App)
        .expect_err("not known")
        .to_string();
    assert!(reason.starts_with(why), "{reason}");
    let used = resources.used(Part::Total, None, Quantity::Cpu);
    assert_eq!(used.expect_err("not known").to_string(), reason);
    let outcome = judged("cpu.app > 1", &found.result);
    assert!(outcome.fails, "silence proves nothing");
    assert_eq!(outcome.unknown.as_deref(), Some(reason.as_str()));
    let missed = missed("cpu.app<1", &found.result);
    assert_eq!(missed, [format!("cpu.app is not known: {reason}")]);
    let silent = found.series.iter().find(|row| row["pod"] == "silent-0");
    let silent = silent.expect("a row");
    assert_eq!(silent["value"], "");
    assert!(
        reason.ends_with(silent["quality"].trim_start_matches("missing: ")),
        "{silent:?}"
    );
    assert!(found.account.contains(&reason), "{}", found.account);
    assert!(!resources.categories[0].cpu_m.contains_key(&Role::App));
    assert!(
        found.compared.rates[0]
            .left_out
            .iter()
            .any(|one| one.to_string().contains(&reason))
    );
    for layout in [Layout::Text, Layout::Markdown] {
        assert!(comparison_text(&found.compared, &[], layout).contains(&reason));
    }
    let limits = MaxRegression::parse_list("cpu.app=1%").expect("a limit");
    assert!(!limits[0].is_known(&found.step));
    let tidy = found.tidy.iter().find(|row| row["quantity"] == "cpu_app");
    let tidy = tidy.expect("a row");
    assert_eq!(
        (tidy["value"].as_str(), tidy["quality"].as_str()),
        ("", format!("missing: {reason}").as_str())
    );
    assert!(found.line.contains(" - "), "{}", found.line);
    let study = found.study.iter().find(|row| row["Pod"] == "silent-0");
    let study = study.expect("a row");
    let cells =
        ["CPU_Total(m)", "CPU_App(m)", "CPU_Sidecar(m)"].map(|column| study[column].as_str());
    assert_eq!(cells, ["", "", "0.000"]);
    // The other parts are known all the same.
    is_near(found.step.cpu(Part::Sidecar).expect("known"), 0.0);
    is_near(found.step.cpu(Part::Gateway).expect("known"), 40.0);
}
