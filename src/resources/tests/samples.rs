//! The log of samples, series and timelines.

use super::*;

#[test]
fn times_that_no_clock_shows_are_far_away_and_no_more() {
    let end = u64::MAX;
    let stamps = [0, end, 1, end - 1, BEGIN, end / 2, 2, end];
    let samples = stamps.iter().zip(1..).map(|(stamp, value)| Sample {
        subject: subject(Some("app")),
        quantity: Quantity::Cpu,
        source: Source::MetricsResource,
        point: SamplePoint {
            stamp: Nanos(*stamp),
            received: Nanos(end - stamp),
            value,
            epoch: None,
        },
    });
    let log: SampleLog = samples.collect();
    let offsets = [(0, 0), (i64::MIN, i64::MIN), (i64::MIN, i64::MAX)];
    for (least_ns, most_ns) in offsets {
        let offset = ClockOffset {
            least_ns,
            most_ns,
            steps: 0,
        };
        assert!(offset.uncertainty() >= 0);
        let clocks = vec![NodeClock {
            node: "node-1".to_owned(),
            offset,
        }];
        for (from, to) in [(0, end), (end, 0), (BEGIN, end)] {
            let spans = Spans {
                load_start: Nanos(from),
                window_start: Nanos(from),
                window_end: Nanos(to),
                load_end: Nanos(to),
            };
            let resources = reduce(&log, &frontend(), spans, clocks.clone(), &BTreeMap::new());
            let figures = resources.pods.iter().flat_map(|pod| pod.all_figures());
            assert!(figures.into_iter().all(|figure| figure.coverage <= 1.0));
            assert_eq!(series(&log, spans, &clocks).len(), stamps.len() - 1);
            assert_eq!(timeline(&log, &resources, 3).len(), 3);
        }
    }
}

#[test]
fn a_timeline_has_the_windows_arithmetic_and_gaps_where_nothing_was_heard() {
    let mut log = SampleLog::default();
    // The container uses 100 m for 40 s, 400 m for 30 s without a sample, and 100 m again.
    for (at, used_ms) in [
        (-2, 0),
        (10, 1_000),
        (20, 2_000),
        (40, 4_000),
        (70, 16_000),
        (95, 18_500),
    ] {
        let used = 1_000_000_000 + used_ms * 1_000_000;
        log.push(sample(
            Some("app"),
            Quantity::Cpu,
            Source::MetricsResource,
            at as f64,
            used,
        ));
    }
    let resources = reduced(&log, &frontend());
    let buckets = timeline(&log, &resources, 19);
    assert_eq!(buckets.len(), 19);
    assert_eq!(
        (buckets[0].span, buckets[18].span),
        (span(0, 5), span(90, 95))
    );
    let cpu =
        |number: usize| buckets[number].cpu_m[&(Category::Application, Role::App)].map(f64::round);
    // The pair that begins before the load tells nothing about the load.
    assert_eq!((cpu(0), cpu(1)), (None, None));
    assert_eq!((cpu(2), cpu(7)), (Some(100.0), Some(100.0)));
    assert_eq!((cpu(8), cpu(13)), (Some(400.0), Some(400.0)));
    assert_eq!((cpu(14), cpu(18)), (Some(100.0), Some(100.0)));
}

#[test]
fn a_datum_is_kept_once_however_often_it_is_served() {
    let mut log = SampleLog::default();
    let datum = || sample(Some("app"), Quantity::Cpu, Source::MetricsResource, 3.0, 7);
    assert!(log.push(datum()));
    assert!(!log.push(datum()));
    assert_eq!(log.samples().count(), 1);
}
