//! What is drawn and written, from values that are given.

use super::chart::{Axis, BarPart, Bars, Content, Mark, Panel, Point, Series, Stroke};
use super::document::{Element, Section};
use super::paint::page_drawings;
use super::run_charts::percentile_chart;
use super::run_tables::{routes_table, times_table};
use super::table::{Cell, Table};
use super::*;
use crate::measure::sample;
use crate::units::Rate;
use crate::verdict::{JudgedRun, Level, MeasuredRun, Verdict};

fn series(name: &str, points: &[Option<f64>]) -> Series {
    let points = points.iter().enumerate();
    Series {
        name: name.to_owned(),
        hue: 0,
        stroke: Stroke::Solid,
        points: points.map(|(x, y)| Point::new(x as f64, *y)).collect(),
    }
}

fn chart(panels: Vec<Panel>) -> Chart {
    Chart {
        name: "some".to_owned(),
        title: "Some <chart> & more".to_owned(),
        caption: "How to read it.".to_owned(),
        x: Axis::linear("seconds"),
        panels,
    }
}

fn lines(all: Vec<Series>) -> Panel {
    Panel::of_lines(Axis::linear("CPU (m)"), all)
}

fn page_of(chart: Chart) -> Page {
    Page {
        title: "a page".to_owned(),
        sections: Section::of("one", vec![Element::Chart(chart)])
            .into_iter()
            .collect(),
        ..Page::default()
    }
}

/// How many lines there are of several points.
fn paths(svg: &str) -> usize {
    svg.matches("<path").count() + svg.matches("<polyline").count()
}

#[test]
fn what_was_not_measured_is_a_gap_and_no_number() {
    let whole = svg_file(&chart(vec![lines(vec![series("a", &[Some(1.0); 40])])]));
    let mut broken = [Some(1.0); 40];
    broken[10..15].fill(None);
    broken[20] = Some(f64::NAN);
    let broken = svg_file(&chart(vec![lines(vec![series("a", &broken)])]));
    assert_eq!(paths(&broken), paths(&whole) + 2, "{broken}");
    for svg in [&whole, &broken] {
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }
}

#[test]
fn a_logarithmic_axis_leaves_out_what_has_no_place_on_it() {
    let panel = Panel::of_lines(
        Axis::log("ms"),
        vec![series("a", &[Some(1.0), Some(0.0), Some(10.0)])],
    );
    let drawn = svg_file(&chart(vec![panel]));
    assert_eq!(drawn.matches("<circle").count(), 2, "{drawn}");
}

#[test]
fn an_axis_of_nines_says_the_share_to_its_last_digit() {
    let shares = [
        1.0, 2.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 5_000.0, 100_000.0,
    ];
    let labels = shares.map(super::paint::share_of);
    let wanted = [
        "0%", "50%", "90%", "95%", "98%", "99%", "99.5%", "99.8%", "99.9%", "99.98%", "99.999%",
    ];
    assert_eq!(labels, wanted);
}

#[test]
fn files_have_titles_and_legends_and_every_panel() {
    let panels = vec![
        lines(vec![series("first line", &[Some(1.0), Some(2.0)])]),
        lines(vec![series("second line", &[Some(3.0), Some(4.0)])]),
    ];
    let chart = chart(panels);
    let svg = svg_file(&chart);
    for word in [
        "Some &lt;chart&gt; &amp; more",
        "first line",
        "second line",
        "seconds",
    ] {
        assert!(svg.contains(word), "{word}: {svg}");
    }
    let png = png_file(&chart).expect("a picture");
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    let width = u32::from_be_bytes(png[16..20].try_into().expect("four bytes"));
    assert!(width >= 1_800, "{width} pixels wide");
    assert!(svg == svg_file(&chart), "the same chart, the same bytes");
}

#[test]
fn a_page_draws_for_a_desk_and_a_phone_in_its_own_colours() {
    let mut panel = lines(vec![series("a line", &[Some(1.0), Some(2.0)])]);
    panel.marks.push(Mark {
        x: 0.5,
        label: "held to here".to_owned(),
        hue: 1,
    });
    panel.shaded.push((0.0, 0.2));
    let html = page_of(chart(vec![panel])).html();
    assert_eq!(html.matches("data-panel=\"0\"").count(), 2);
    assert!(html.contains("data-group=\"a line\"") && html.contains("data-series=\"a line\""));
    assert!(html.contains("var(--hue-0)") && html.contains("held to here"));
    let page = html.replace("http://www.w3.org/2000/svg", "");
    assert!(!page.contains("http"), "no network");
    for id in ["wide", "narrow"] {
        assert!(html.contains(&format!("class=\"{id}\"")));
    }
}

#[test]
fn clip_paths_of_two_drawings_do_not_get_in_each_others_way() {
    let drawings = [372.0, 860.0].map(|width| {
        let panels = vec![lines(vec![series("a", &[Some(1.0), Some(2.0)])]); 2];
        page_drawings(&chart(panels), width)
    });
    let mut ids: Vec<&str> = drawings
        .iter()
        .flatten()
        .flat_map(|drawing| drawing.inside.split("<clipPath id=\"").skip(1))
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .collect();
    let count = ids.len();
    assert!(count >= 4, "{ids:?}");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
}

#[test]
fn names_from_outside_cannot_break_out_of_the_page() {
    let evil = "</script><script>alert(1)</script>\"'&";
    let mut page = page_of(chart(vec![lines(vec![series(
        evil,
        &[Some(1.0), Some(2.0)],
    )])]));
    page.title = evil.to_owned();
    let mut table = Table::new(evil, evil, &[evil]);
    table.rows.push(vec![Cell::from(evil)]);
    let elements = vec![
        Element::Table(table),
        Element::Notes(vec![evil.to_owned()]),
        Element::Text(evil.to_owned()),
    ];
    page.sections.extend(Section::of(evil, elements));
    let html = page.html();
    assert!(!html.contains("<script>alert"), "{html}");
    // The page's own script, and the data of its one chart.
    assert_eq!(html.matches("</script>").count(), 2);
}

#[test]
fn a_part_without_a_figure_takes_no_room() {
    let parts = [
        ("app", vec![Some(300.0), None]),
        ("sidecar", vec![Some(100.0), Some(50.0)]),
    ];
    let parts = parts
        .into_iter()
        .enumerate()
        .map(|(hue, (name, values))| BarPart {
            name: name.to_owned(),
            hue,
            values,
        });
    let bars = Bars {
        names: vec!["frontend".to_owned(), "geo".to_owned()],
        parts: parts.collect(),
    };
    let panel = Panel {
        content: Content::Bars(bars),
        ..lines(Vec::new())
    };
    let drawn = page_drawings(&chart(vec![panel]), 860.0);
    let tips: Vec<&str> = drawn[0].inside.split("<title>").skip(1).collect();
    assert!(
        tips.iter()
            .any(|tip| tip.starts_with("frontend app: 300.00")),
        "{tips:?}"
    );
    // The part that was not measured takes no room in the stack.
    for start in ["geo app: 0.00", "geo sidecar: 50.00"] {
        assert!(tips.iter().any(|tip| tip.starts_with(start)), "{tips:?}");
    }
    assert!(drawn[0].inside.contains(">geo</text>"));
}

#[test]
fn names_of_bars_are_not_cut() {
    let names = [
        "memcached-reserve, with_istio",
        "a-service-with-a-name-that-nobody-expected, with_istio (not measured)",
    ];
    let part = BarPart {
        name: "app".to_owned(),
        hue: 0,
        values: vec![Some(1.0); 2],
    };
    let bars = Bars {
        names: names.map(str::to_owned).to_vec(),
        parts: vec![part],
    };
    let panel = Panel {
        content: Content::Bars(bars),
        ..lines(Vec::new())
    };
    let chart = chart(vec![panel]);
    for (width, size) in [(372.0, 11.0), (860.0, 12.0)] {
        let drawn = &page_drawings(&chart, width)[0];
        let left = drawn.axes.expect("axes")[0];
        // The names end at the axis, which leaves a good third of the width to the bars.
        assert!(left < 0.6 * width, "{left} of {width}");
        let texts = drawn.inside.split("</text>");
        let texts = texts.filter_map(|text| text.rsplit_once('>').map(|(_, text)| text));
        let is_name =
            |text: &&str| text.starts_with("memcached") || text.ends_with("(not measured)");
        let found: Vec<&str> = texts.filter(is_name).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.contains(&names[0]), "{found:?}");
        for name in found {
            let room = 0.58 * size * name.chars().count() as f64;
            assert!(room < left, "{name} takes {room} of {left}");
        }
    }
    assert!(svg_file(&chart).contains(names[1]), "a file has room");
}

#[test]
fn axes_of_bars_fit_beside_the_longest_names() {
    for chart in super::services::services_charts(&[], Rate::nearest(100.0)) {
        // In a font of 13 on a phone, where names may take more than half of the width.
        let taken = 0.58 * 13.0 * chart.x.label.chars().count() as f64;
        assert!(taken < 0.44 * 372.0 - 18.0, "{}", chart.x.label);
    }
}

#[test]
fn shares_have_room_on_a_phone() {
    let points = (0..30).map(|step| Point::new(10f64.powf(f64::from(step) / 10.0), Some(1.0)));
    let mut line = series("a", &[]);
    line.points = points.collect();
    let mut chart = chart(vec![Panel::of_lines(Axis::log("ms"), vec![line])]);
    chart.x = Axis::nines("share");
    let labels = |width: f64| -> Vec<&str> {
        let shares = ["50%", "90%", "95%", "99%", "99.5%"];
        let drawn = page_drawings(&chart, width)[0].inside.clone();
        let is_there = |share: &&str| drawn.contains(&format!(">{share}</text>"));
        shares.into_iter().filter(is_there).collect()
    };
    assert_eq!(labels(372.0), ["90%", "99%"]);
    assert_eq!(labels(860.0), ["50%", "90%", "95%", "99%", "99.5%"]);
}

#[test]
fn the_last_share_is_not_cut() {
    // Half of the label of a run of so many requests lies beyond the end of its axis.
    for (requests, last) in [(5e3, ">99.99%</text>"), (5e4, ">99.999%</text>")] {
        let points = [1.0, 10.0, requests].map(|place| Point::new(place, Some(1.0)));
        let mut line = series("a", &[]);
        line.points = points.to_vec();
        let mut chart = chart(vec![Panel::of_lines(Axis::log("ms"), vec![line])]);
        chart.x = Axis::nines("share");
        for (width, size) in [(372.0, 11.0), (860.0, 12.0)] {
            let drawn = &page_drawings(&chart, width)[0].inside;
            let (before, _) = drawn.split_once(last).expect("the last label");
            let (_, x) = before.rsplit_once("<text x=\"").expect("its place");
            let x: f64 = x.split('"').next().expect("x").parse().expect("a number");
            let letters = last.find('<').expect("an end") - 1;
            let end = x + 0.62 * size * letters as f64 / 2.0;
            assert!(end <= width, "{last} ends at {end} of {width}");
        }
    }
}

/// A run that was given this verdict, whatever it deserves.
fn measured(name: &str, sample: sample::Sample, level: Level) -> MeasuredRun {
    let verdict = Verdict {
        level,
        reasons: Vec::new(),
    };
    MeasuredRun {
        name: name.to_owned(),
        judged: JudgedRun::with_verdict(sample.result, verdict),
        intervals: Vec::new(),
        lag: Vec::new(),
        timeline: Vec::new(),
        notes: Vec::new(),
    }
}

#[test]
fn few_samples_are_marked_in_tables_and_curves() {
    let sample = sample::ordinary();
    let count = sample.result.overall().latency_with_censored().len();
    let run = measured("", sample, Level::Valid);
    let runs = std::slice::from_ref(&run);
    let marks = &percentile_chart(runs).panels[0].marks;
    assert_eq!(marks.len(), 1);
    assert!((marks[0].x - count as f64 / 10.0).abs() < 1e-9);
    for table in [times_table(&run), routes_table(runs)] {
        for row in &table.rows {
            for (column, cell) in table.columns.iter().zip(row) {
                let is_marked = cell.text.ends_with('*');
                match column.as_str() {
                    // Of so few requests nobody knows the last but thousandth.
                    "p99.99" | "p99.999" => assert!(is_marked, "{column}: {row:?}"),
                    "max" => assert!(!is_marked, "{column}: {row:?}"),
                    _ => {}
                }
            }
        }
    }
    let service = &times_table(&run).rows[1];
    assert!(!service[1].text.ends_with('*'), "{service:?}");
}

#[test]
fn runs_with_as_many_requests_share_the_mark_of_few_samples() {
    let named = |name: &str, sample: sample::Sample| measured(name, sample, Level::Valid);
    let labels = |runs: &[MeasuredRun]| -> Vec<String> {
        let marks = percentile_chart(runs).panels.remove(0).marks;
        marks.into_iter().map(|mark| mark.label).collect()
    };
    let few = "fewer than 10 samples beyond from here on";
    let alike = [
        named("one", sample::ordinary()),
        named("other", sample::ordinary()),
    ];
    assert_eq!(labels(&alike), [few]);
    let mut twice = sample::ordinary();
    let more = twice.result.targets.clone();
    twice.result.targets.extend(more.iter().cloned());
    let unlike = [named("one", sample::ordinary()), named("other", twice)];
    assert_eq!(
        labels(&unlike),
        [format!("one, {few}"), format!("other, {few}")]
    );
}

#[test]
fn what_is_empty_is_not_shown() {
    let empty = chart(vec![lines(vec![series("a", &[None, None])])]);
    assert!(empty.is_empty());
    let elements = vec![
        Element::Chart(empty),
        Element::Table(Table::new("t", "", &["a"])),
        Element::Notes(Vec::new()),
    ];
    assert_eq!(Section::of("nothing", elements), None);
}

#[test]
fn every_kind_of_run_has_a_page() {
    for sample in sample::every() {
        let name = sample.name;
        let run = measured("", sample, Level::Invalid);
        let page = run_page(&run);
        let html = page.html();
        assert!(html.contains("INVALID"), "{name}");
        assert!(!html.contains("NaN"), "{name}");
        for chart in page.charts() {
            assert!(!chart.is_empty(), "{name}: {}", chart.name);
            assert!(png_file(chart).is_ok(), "{name}: {}", chart.name);
        }
    }
}

#[test]
fn the_percentile_curve_is_the_histograms() {
    let sample = sample::ordinary();
    let latency = sample.result.overall().latency_with_censored();
    let run = measured("", sample, Level::Valid);
    let chart = percentile_chart(&[run]);
    let Content::Lines(series) = &chart.panels[0].content else {
        panic!("lines");
    };
    let points = &series[0].points;
    let at = |place: f64| {
        points
            .iter()
            .find(|point| (point.x - place).abs() < 1e-6)
            .and_then(|point| point.y)
    };
    assert_eq!(at(10.0), Some(latency.value_at_quantile(0.9) as f64 / 1e6));
    assert_eq!(
        at(100.0),
        Some(latency.value_at_quantile(0.99) as f64 / 1e6)
    );
    assert_eq!(
        points.last().and_then(|point| point.y),
        Some(latency.max() as f64 / 1e6)
    );
}
