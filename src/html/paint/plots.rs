//! Lines, bars and legends as plots of the plotting library.

use super::place::{MARK, Place};
use crate::html::chart::{Bars, Content, Panel, Point, Series, Stroke};
use kuva::plot::legend::{LegendEntry, LegendShape};
use kuva::plot::{BarPlot, LinePlot, LineStyle, ScatterPlot};
use kuva::render::plots::Plot;

/// Lines with more points than this have no symbols at their points.
const MARKED_POINTS: usize = 30;

/// The entries of a panel's legend.
pub(super) fn legend(panel: &Panel, place: Place) -> Vec<LegendEntry> {
    let entry = |name: &str, hue, shape, dasharray| LegendEntry {
        label: name.to_owned(),
        color: place.hue(hue),
        shape,
        dasharray,
    };
    let line = |one: &Series| {
        let dashes = style(one.stroke).dasharray();
        entry(&one.name, one.hue, LegendShape::Line, dashes)
    };
    let mut entries: Vec<LegendEntry> = match &panel.content {
        Content::Lines(series) => series.iter().map(line).collect(),
        Content::Bars(bars) => {
            let parts = bars.parts.iter();
            let part = parts.map(|one| entry(&one.name, one.hue, LegendShape::Rect, None));
            part.collect()
        }
    };
    let marks = panel.marks.iter();
    entries.extend(marks.map(|mark| {
        entry(
            &mark.label,
            mark.hue,
            LegendShape::Line,
            Some(MARK.to_owned()),
        )
    }));
    entries
}

fn style(stroke: Stroke) -> LineStyle {
    match stroke {
        Stroke::Dashed => LineStyle::Dashed,
        Stroke::Dotted => LineStyle::Dotted,
        Stroke::Solid | Stroke::Steps | Stroke::None => LineStyle::Solid,
    }
}

/// The plots of lines, which are interrupted where a value is missing.
pub(super) fn lines(series: &[Series], is_log: bool, place: Place) -> Vec<Plot> {
    let mut plots = Vec::new();
    for one in series {
        let is_marked = one.points.len() <= MARKED_POINTS && one.stroke != Stroke::Steps;
        for run in runs(&one.points, is_log) {
            if run.len() > 1 && one.stroke != Stroke::None {
                plots.push(line(one, &run, place));
            }
            if is_marked || run.len() == 1 {
                plots.push(points(one, &run, place));
            }
        }
    }
    plots
}

/// A point with a value: x, y and the ends of the error bar.
type Measured = (f64, f64, Option<(f64, f64)>);

/// Splits points into runs of neighbours with values. On a logarithmic axis values up to 0 count as
/// missing.
fn runs(points: &[Point], is_log: bool) -> Vec<Vec<Measured>> {
    let mut runs = vec![Vec::new()];
    for point in points {
        let y = point.y.filter(|y| y.is_finite() && (!is_log || *y > 0.0));
        match (y, runs.last_mut()) {
            (Some(y), Some(run)) => run.push((point.x, y, point.spread)),
            _ => runs.push(Vec::new()),
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

fn line(series: &Series, run: &[Measured], place: Place) -> Plot {
    let mut line = LinePlot::new()
        .with_data(run.iter().map(|(x, y, _)| (*x, *y)))
        .with_color(place.hue(series.hue))
        .with_line_style(style(series.stroke))
        .with_stroke_width(1.8)
        .with_legend(series.name.clone());
    if series.stroke == Stroke::Steps {
        line = line.with_step();
    }
    line.into()
}

fn points(series: &Series, run: &[Measured], place: Place) -> Plot {
    let mut points = ScatterPlot::new()
        .with_data(run.iter().map(|(x, y, _)| (*x, *y)))
        .with_color(place.hue(series.hue))
        .with_size(3.0)
        .with_legend(series.name.clone());
    if run.iter().any(|(.., spread)| spread.is_some()) {
        let arms = run.iter().map(|(_, y, spread)| {
            let (low, high) = spread.unwrap_or((*y, *y));
            // The lower end stays above 0, because a logarithmic axis has no place for 0.
            ((y - low).clamp(0.0, y * 0.99), (high - y).max(0.0))
        });
        points = points.with_y_err_asymmetric(arms);
    }
    points.into()
}

/// The plot of horizontal stacked bars.
pub(super) fn bar_plot(bars: &Bars, place: Place) -> Plot {
    let mut plot = BarPlot::new().with_horizontal(true).with_stacked();
    // The library draws the first group lowest.
    for (number, name) in bars.names.iter().enumerate().rev() {
        let parts = bars.parts.iter();
        let values = parts.map(|part| {
            let value = part.values.get(number).copied().flatten();
            (value.unwrap_or(0.0), place.hue(part.hue))
        });
        plot = plot.with_group(name.clone(), values.collect::<Vec<_>>());
    }
    let names = bars.parts.iter().map(|part| part.name.as_str()).collect();
    plot.with_legend(names).into()
}
