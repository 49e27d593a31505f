//! Folders of the study are read as they are, whatever their generation and their gaps.

use super::*;
use crate::resources::Part;
use crate::study::sums;
use proptest::prelude::*;

const LATENCY_HEADER: &str = "Target_RPS,Actual_RPS,Mean_Latency,Stdev_Latency,Max_Latency,P50_Latency,P75_Latency,P90_Latency,P99_Latency,P99.9_Latency,Total_Requests\n";

fn folder(latencies: &str, pods: Option<&str>) -> StudyFolder {
    StudyFolder {
        arm: "no_istio".to_owned(),
        latencies: format!("{LATENCY_HEADER}{latencies}").into_bytes(),
        pods: pods.map(|pods| pods.as_bytes().to_vec()),
        ..StudyFolder::default()
    }
}

fn read(folder: &StudyFolder) -> Vec<Step> {
    steps(folder).expect("steps")
}

#[test]
fn times_of_every_unit_are_read_and_what_is_not_there_is_missing() {
    let rows = "100,99.5,1.50ms,1ms,9s,500.00us,1.00s,2.00m,1.50h,N/A,8955\n";
    let step = &read(&folder(rows, None))[0];
    let ns = |name: &str| step.latency.get(name).map(|latency| latency.ns);
    assert_eq!(ns("mean"), Some(1.5e6));
    assert_eq!(ns("p50"), Some(0.5e6));
    assert_eq!(ns("p75"), Some(1e9));
    assert_eq!(ns("p90"), Some(120e9));
    assert_eq!(ns("p99"), Some(5400e9));
    assert_eq!(ns("p99.9"), None);
    assert!(!step.latency.contains_key("max"));
}

#[test]
fn a_step_that_is_there_twice_is_refused_and_a_rate_has_one_count_however_it_is_typed() {
    let mut study = folder("100,99,1ms,,,,,,,,1\n100.0,99,1ms,,,,,,,,1\n", None);
    let repetitions = read(&study)
        .iter()
        .map(|step| step.key.repetition)
        .collect::<Vec<_>>();
    assert_eq!(repetitions, [1, 2]);
    study.latencies = b"Target_RPS,Actual_RPS,Repetition\n100,99,6\n200,99,6\n100,99,6\n".to_vec();
    let error = steps(&study).expect_err("twice").to_string();
    assert!(
        error.contains("line 4: repetition 6 of 100 is there twice"),
        "{error}"
    );
}

#[test]
fn what_is_no_finite_number_is_missing_and_spoils_no_sum() {
    let pods = "RPS,Namespace,Category,Service,Pod,CPU_Total(m),CPU_Sidecar(m),Memory_WorkingSet(Mi),Net_RX(KB/s),Net_TX(KB/s)\n\
        100,default,application,geo,a,NaN,nan,inf,1,2\n\
        100,default,application,rate,b,5,1,8,1,2\n";
    let huge = "9".repeat(400);
    let rows = format!("100,100,{huge}ms,,,1ms,,,,,1\n");
    let step = &read(&folder(&rows, Some(pods)))[0];
    assert!(!step.latency.contains_key("mean"), "{:?}", step.latency);
    let geo = &step.services[0];
    assert_eq!((geo.cpu(Part::Total).ok(), geo.memory_bytes), (None, None));
    let sums = sums(pods.as_bytes()).expect("sums");
    let sums = sums.values().next().expect("a rate");
    assert_eq!(*sums, [5.0, 8.0, 2.0, 4.0].map(Some));
}

#[test]
fn what_the_studys_parser_did_not_know_is_in_the_log() {
    let mut study = folder("600,406,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,36563\n", None);
    let log = "  Latency Distribution (HdrHistogram - Recorded Latency)\n 50.000%   15.37s \n 99.000%    1.25m \n";
    study
        .logs
        .insert("wrk_600rps_rep1.log".to_owned(), log.to_owned());
    let step = &read(&study)[0];
    assert_eq!(step.latency["p99"].ns, 75e9);
    assert_eq!(step.latency["p50"].ns, 15.37e9);
    assert!(!step.latency.contains_key("p90"));
}

#[test]
fn a_rate_is_held_with_room_for_the_arrivals_own_noise() {
    // 2.5 / sqrt(100 x 90) = 2.6 %; 2.5 / sqrt(400 x 90) = 1.3 %.
    let rows = "100,97.5,1ms,,,,,,,,1\n400,393.58,1ms,,,,,,,,1\n400,396,1ms,,,,,,,,1\n";
    let steps = read(&folder(rows, None));
    let held: Vec<Option<bool>> = steps.iter().map(|step| step.stability.is_held()).collect();
    assert_eq!(held, [Some(true), Some(false), Some(true)]);
    assert_eq!((steps[1].key.repetition, steps[2].key.repetition), (1, 2));
}

#[test]
fn pods_of_both_generations_add_up_by_service_and_failed_commands_are_no_zeros() {
    let new = "RPS,Namespace,Category,Service,Pod,CPU_Total(m),CPU_App(m),CPU_Sidecar(m),Memory_WorkingSet(Mi),Net_RX(KB/s),Net_TX(KB/s)\n\
        100,default,application,geo,geo-1,30,20,10,2,1,2\n100,default,application,geo,geo-2,50,40,10,4,3,4\n\
        100,default,application,user,user-1,5,5,0,1,0.0,0.0\n";
    let step = &read(&folder("100,100,1ms,,,,,,,,1\n", Some(new)))[0];
    let geo = &step.services[0];
    assert_eq!(
        (geo.cpu(Part::App), geo.cpu(Part::Sidecar)),
        (Ok(60.0), Ok(20.0))
    );
    assert_eq!(geo.memory_bytes, Some(6.0 * 1_048_576.0));
    assert_eq!(geo.network_rx_bytes_per_s, Some(4096.0));
    let user = &step.services[1];
    assert_eq!(
        (user.cpu(Part::Total), user.network_rx_bytes_per_s),
        (Ok(5.0), None)
    );
    let old = "RPS,Namespace,Category,Service,Pod,CPU(m),Memory_WorkingSet(Mi),Memory_Delta(Mi),Net_RX(KB/s),Net_TX(KB/s)\n\
        100,default,application,geo,geo-1,30,2,0,1,2\n";
    let step = &read(&folder("100,100,1ms,,,,,,,,1\n", Some(old)))[0];
    assert_eq!(step.services[0].cpu(Part::Total), Ok(30.0));
    let sums = sums(old.as_bytes()).expect("sums");
    assert_eq!(
        sums[&(String::new(), 100_000_000)],
        [30.0, 2.0, 1.0, 2.0].map(Some)
    );
}

#[test]
fn a_table_cut_between_two_rows_gives_no_sums_that_are_too_small() {
    let pods = "RPS,Namespace,Category,Service,Pod,CPU_Total(m),CPU_Sidecar(m),Memory_WorkingSet(Mi),Net_RX(KB/s),Net_TX(KB/s)\n\
        100,default,application,geo,a,4,1,8,1,2\n100,default,application,rate,b,5,1,8,1,2\n\
        100,istio-system,istio-control-plane,istiod,c,5,0,8,1,2\n200,default,application,geo,a,6,1,8,1,2\n";
    let rows = "100,100,1ms,,,,,,,,1\n200,200,1ms,,,,,,,,1\n300,300,1ms,,,,,,,,1\n";
    let study = folder(rows, Some(pods));
    let steps = read(&study);
    let cpu = |step: &Step| crate::compare::Metric::Cpu(Part::Total).of(step);
    assert_eq!(
        steps.iter().map(cpu).collect::<Vec<_>>(),
        [Some(9.0), None, None]
    );
    let gaps = gaps(&study).expect("gaps");
    for gap in [
        "no figures of rate at 200/s",
        "no figures of anything at 300/s",
    ] {
        assert!(gaps.iter().any(|one| one.contains(gap)), "{gap}: {gaps:?}");
    }
    // A service that is not the application's need not be in every step.
    assert!(!gaps.iter().any(|one| one.contains("istiod")), "{gaps:?}");
    assert!(!gaps.iter().any(|one| one.contains("at 100/s")), "{gaps:?}");
}

#[test]
fn a_folder_without_a_table_of_pods_says_so() {
    let gaps = gaps(&folder("100,100,1ms,,,,,,,,1\n", None)).expect("gaps");
    let says = |gap: &String| gap.starts_with("there is no k8s_full_metrics.csv");
    assert!(gaps.iter().any(says), "{gaps:?}");
}

#[test]
fn repetitions_are_averaged_after_they_were_summed() {
    let table = "RPS,Category,CPU_Total(m),Memory_WorkingSet(Mi),Net_RX(KB/s),Net_TX(KB/s),Arm,Repetition\n\
        100,application,10,1,1,1,a,1\n100,application,20,1,1,,a,1\n100,application,50,1,1,1,a,2\n100,kubernetes-system,900,9,9,9,a,2\n";
    let sums = sums(table.as_bytes()).expect("sums");
    assert_eq!(
        sums[&("a".to_owned(), 100_000_000)],
        [40.0, 1.5, 1.5, 1.0].map(Some)
    );
}

#[test]
fn a_column_that_is_not_there_is_named_and_has_no_sum() {
    let table = "RPS,Namespace,Category,Service,CPU_Total(m),Net_RX(KB/s),Net_TX(KB/s)\n\
        100,default,application,geo,10,,NaN\n";
    let sums = sums(table.as_bytes()).expect("sums");
    let found = sums[&(String::new(), 100_000_000)];
    assert_eq!(found, [Some(10.0), None, None, None]);
    let mut study = folder("100,100,1ms,,,,,,,,1\n", Some(table));
    study.latencies = b"Target_RPS,Actual_RPS,P50_Latency\n100,100,1ms\n".to_vec();
    let gaps = gaps(&study).expect("tables").join("; ");
    for wanted in [
        "latency_stats.csv has no column P99_Latency",
        "k8s_full_metrics.csv has no column Memory_WorkingSet(Mi)",
        "90 s are assumed",
    ] {
        assert!(gaps.contains(wanted), "{gaps}");
    }
    let whole = "RPS,CPU(m),Memory_WorkingSet(Mi),Net_RX(KB/s),Net_TX(KB/s)\n";
    let mut study = folder("", Some(whole));
    study.metadata = Some(br#"{"duration": "90s"}"#.to_vec());
    assert_eq!(super::gaps(&study), Ok(Vec::new()));
}

#[test]
fn a_percentile_with_few_requests_beyond_it_is_known_as_such() {
    // A tenth of a percent of 8955 requests are 8, of 17873 are 17.
    let rows = "100,99.5,1ms,,,1ms,,,2ms,3ms,8955\n200,198,1ms,,,1ms,,,2ms,3ms,17873\n";
    let steps = read(&folder(rows, None));
    let beyond = |step: &Step| step.latency["p99.9"].beyond;
    assert_eq!((beyond(&steps[0]), beyond(&steps[1])), (Some(8), Some(17)));
    assert!(steps[0].latency["p99.9"].is_doubtful());
    assert!(!steps[0].latency["p99"].is_doubtful());
    assert!(!steps[1].latency["p99.9"].is_doubtful());
}

#[test]
fn broken_tables_name_the_file_the_line_and_the_column() {
    for (latencies, wanted) in [
        ("100,99,1ms,,,,,,,,1\n200\n", "latency_stats.csv: CSV error"),
        (
            "100,fast,1ms,,,,,,,,1\n",
            "line 2: `fast` in the column Actual_RPS",
        ),
        (
            "100,,1ms,,,,,,,,1\n",
            "line 2: there is nothing in the column Actual_RPS",
        ),
    ] {
        let error = steps(&folder(latencies, None)).expect_err("broken");
        assert!(error.to_string().contains(wanted), "{error}");
    }
    let pods = "RPS,Namespace\n100,default\n";
    let error = steps(&folder("", Some(pods))).expect_err("broken");
    assert!(
        error.to_string().contains("k8s_full_metrics.csv: line 2"),
        "{error}"
    );
}

proptest! {
    #[test]
    fn no_bytes_are_a_surprise(latencies in any::<Vec<u8>>(), pods in any::<Vec<u8>>(), log in ".*") {
        let study = StudyFolder {
            arm: "x".to_owned(),
            latencies,
            pods: Some(pods.clone()),
            metadata: Some(pods.clone()),
            logs: BTreeMap::from([("wrk_100rps_rep1.log".to_owned(), log)]),
        };
        let _ = steps(&study);
        let _ = sums(&pods);
        let _ = gaps(&study);
        let _ = conditions(&study);
    }
}
