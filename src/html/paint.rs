//! Charts drawn: the one place that knows the plotting library.
//!
//! The same plots and layouts go to SVG and PNG files and, without title and legend and with the
//! page's own colours, into the page, which has a legend that can be clicked.

use super::chart::{Bars, Chart, Content, Panel, Point, Scale, Series, Stroke};
use kuva::backend::png::PngBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::legend::{LegendEntry, LegendPosition, LegendShape};
use kuva::plot::{BarPlot, LinePlot, LineStyle, ScatterPlot};
use kuva::render::annotations::{ReferenceLine, ShadedRegion};
use kuva::render::figure::Figure;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Scene, render_multiple};
use kuva::render::theme::Theme;
use std::sync::Arc;

/// So many colours are told apart; the next ones begin anew.
pub const HUES: usize = 8;

/// Colours that the colour-blind tell apart (Okabe and Ito, 2008), darkened where they would be faint
/// on white.
const ON_PAPER: [&str; HUES] = [
    "#0072b2", "#d55e00", "#009e73", "#b0568c", "#c98a00", "#3a9bd4", "#555555", "#7a6a00",
];

/// Where a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Place {
    /// A file of its own.
    Paper,
    /// The page, this wide.
    Page(f64),
}

const PAPER_WIDTH: f64 = 900.0;
/// Pixels of a PNG per unit of the drawing.
const PNG_SCALE: f32 = 2.0;
/// Lines with more points than this have none of them marked.
const MARKED_POINTS: usize = 30;
/// How marks are dashed.
pub const MARK: &str = "1 3";

impl Place {
    fn width(self) -> f64 {
        match self {
            Place::Paper => PAPER_WIDTH,
            Place::Page(width) => width,
        }
    }

    fn hue(self, number: usize) -> String {
        let number = number % HUES;
        match self {
            Place::Paper => ON_PAPER[number].to_owned(),
            Place::Page(_) => format!("var(--hue-{number})"),
        }
    }

    fn theme(self) -> Theme {
        let (text, grid, background) = match self {
            Place::Paper => ("#222222", "#dddddd", "#ffffff"),
            Place::Page(_) => ("var(--ink)", "var(--grid)", "none"),
        };
        Theme {
            background: background.to_owned(),
            axis_color: text.to_owned(),
            tick_color: text.to_owned(),
            text_color: text.to_owned(),
            grid_color: grid.to_owned(),
            legend_bg: background.to_owned(),
            legend_border: grid.to_owned(),
            ..Theme::light()
        }
    }
}

/// The chart as an SVG file.
pub fn svg_file(chart: &Chart) -> String {
    svg(&paper(chart), "clip")
}

/// The chart as a PNG file.
///
/// # Errors
/// What the library says; nothing that a chart holds is known to cause one.
pub fn png_file(chart: &Chart) -> Result<Vec<u8>, String> {
    PngBackend::new()
        .with_scale(PNG_SCALE)
        .render_scene(&paper(chart))
}

/// The whole chart with its title and legends.
fn paper(chart: &Chart) -> Scene {
    let place = Place::Paper;
    let last = chart.panels.len().saturating_sub(1);
    if last == 0 {
        let Some(panel) = chart.panels.first() else {
            return Scene::new(PAPER_WIDTH, 1.0);
        };
        let (plots, layout) = drawn(chart, panel, true, place);
        return render_multiple(plots, layout.with_title(chart.title.clone()));
    }
    let panels = chart.panels.iter().enumerate();
    let drawn = panels.map(|(number, panel)| drawn(chart, panel, number == last, place));
    let (plots, layouts): (Vec<_>, Vec<_>) = drawn.unzip();
    let heights: Vec<f64> = (0..=last).map(|at| height(chart, at == last)).collect();
    let mut figure = Figure::new(chart.panels.len(), 1)
        .with_plots(plots)
        .with_layouts(layouts)
        .with_title(chart.title.clone())
        .with_spacing(4.0)
        .with_cell_size(PAPER_WIDTH, heights[0])
        .with_keep_panel_legends();
    for (row, height) in heights.into_iter().enumerate() {
        figure = figure.with_row_height(row, height);
    }
    figure.render()
}

/// A panel on the page, and where its axes lie.
pub struct Drawing {
    /// The inside of an `svg` element.
    pub inside: String,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
    /// Left, right, top and bottom of the plot, and the values at its left and right.
    pub axes: Option<[f64; 6]>,
}

/// The chart's panels as they stand on the page.
pub fn page_drawings(chart: &Chart, width: f64) -> Vec<Drawing> {
    let last = chart.panels.len().saturating_sub(1);
    let panels = chart.panels.iter().enumerate();
    panels
        .map(|(number, panel)| {
            let place = Place::Page(width);
            let (plots, layout) = drawn(chart, panel, number == last, place);
            let mut scene = render_multiple(plots, layout.with_interactive());
            let axes = scene.axis_meta.take().map(|axes| {
                [
                    axes.plot_left,
                    axes.plot_right,
                    axes.plot_top,
                    axes.plot_bottom,
                    axes.x_min,
                    axes.x_max,
                ]
            });
            // The groups of the series are wanted, the library's own buttons are not.
            scene.interactive = false;
            scene.has_tooltips = false;
            let clips = format!("{}-{number}-{width}", chart.name);
            Drawing {
                inside: inside(&svg(&scene, &clips)).to_owned(),
                width: scene.width,
                height: scene.height,
                axes,
            }
        })
        .collect()
}

/// The library counts its clip paths over all that it draws. Numbered within a drawing the same chart
/// gives the same bytes, and with a prefix the drawings of a page do not get in each other's way.
fn svg(scene: &Scene, clips: &str) -> String {
    const ID: &str = "kuva-clip-";
    let drawn = SvgBackend::new()
        .with_embedded_font(false)
        .render_scene(scene);
    let mut known: Vec<&str> = Vec::new();
    let mut parts = drawn.split(ID);
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(part.len());
        let (number, rest) = part.split_at(end);
        let at = known
            .iter()
            .position(|one| *one == number)
            .unwrap_or_else(|| {
                known.push(number);
                known.len() - 1
            });
        text += &format!("{clips}-{at}{rest}");
    }
    text
}

/// What stands between the opening and the closing tag.
fn inside(svg: &str) -> &str {
    let start = svg.find('>').map_or(0, |at| at + 1);
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    &svg[start..end]
}

/// Room for a row of bars.
const BAR: f64 = 24.0;

fn height(chart: &Chart, is_last: bool) -> f64 {
    if let [panel] = chart.panels.as_slice() {
        return match &panel.content {
            Content::Lines(_) => 380.0,
            Content::Bars(bars) => 110.0 + BAR * bars.names.len() as f64,
        };
    }
    // The last one carries the common axis.
    if is_last { 220.0 } else { 170.0 }
}

fn drawn(chart: &Chart, panel: &Panel, has_x: bool, place: Place) -> (Vec<Plot>, Layout) {
    let plots = match &panel.content {
        Content::Lines(series) => lines(series, panel.y.is_log(), place),
        Content::Bars(bars) => vec![bar_plot(&fitting(bars, place), place)],
    };
    let mut layout = Layout::auto_from_plots(&plots)
        .with_theme(place.theme())
        .with_width(place.width())
        .with_height(height(chart, has_x))
        .with_legend_entries(legend(panel, place))
        .with_legend_position(LegendPosition::OutsideRightTop)
        .with_label_size(13)
        .with_tick_size(tick_size(place.width()))
        .with_title_size(17);
    layout.show_legend = place == Place::Paper;
    layout = axes(layout, chart, panel, has_x);
    if chart.x.scale == Scale::Nines && is_narrow(place.width()) {
        layout = layout.with_x_tick_format(ticks(share_of_decade));
    }
    if let Place::Page(width) = place {
        let left = match &panel.content {
            Content::Bars(bars) => names_room(&bars.names, width),
            Content::Lines(_) => 70.0,
        };
        layout = layout
            .with_force_margins(left, right_of(chart.x.scale))
            .with_ticks(if is_narrow(width) { 4 } else { 6 });
    } else if chart.panels.len() > 1 {
        layout = layout.with_force_margins(90.0, 210.0);
    }
    for (start, end) in &panel.shaded {
        let region = ShadedRegion::vertical(*start, *end);
        layout = layout.with_shaded_region(region.with_color("#888888").with_opacity(0.12));
    }
    for mark in &panel.marks {
        let line = ReferenceLine::vertical(mark.x).with_dasharray(MARK);
        layout = layout.with_reference_line(line.with_color(place.hue(mark.hue)));
    }
    (plots, layout)
}

/// Room at the right for the half of a label that reaches beyond the axis: that of shares is the longest.
fn right_of(scale: Scale) -> f64 {
    match scale {
        Scale::Nines => 28.0,
        Scale::Linear | Scale::Log | Scale::Free => 18.0,
    }
}

fn is_narrow(width: f64) -> bool {
    width < 500.0
}

fn tick_size(width: f64) -> u32 {
    if is_narrow(width) { 11 } else { 12 }
}

/// Width of a letter by the size of its font, in wide fonts.
const LETTER: f64 = 0.58;
/// Between the edge and the names of bars, and between these and the bars.
const AROUND_NAMES: f64 = 16.0;
/// Names of bars take no more of the width.
const NAMES: f64 = 0.56;

/// So many letters of a bar's name have room on a page.
fn letters(width: f64) -> usize {
    ((width * NAMES - AROUND_NAMES) / (LETTER * f64::from(tick_size(width)))) as usize
}

/// What the names of bars take.
fn names_room(names: &[String], width: f64) -> f64 {
    let longest = names.iter().map(|name| name.chars().count()).max();
    let longest = longest.unwrap_or_default().min(letters(width)) as f64;
    AROUND_NAMES + longest * LETTER * f64::from(tick_size(width))
}

/// The bars with names that fit. In files the library makes room for them.
fn fitting(bars: &Bars, place: Place) -> Bars {
    let mut bars = bars.clone();
    if let Place::Page(width) = place {
        for name in &mut bars.names {
            *name = without_middle(name, letters(width));
        }
    }
    bars
}

/// Names begin with the service and end with the arm and what is missing of it, so what is before that
/// can be spared best.
fn without_middle(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= most {
        return name.to_owned();
    }
    let kept = most.saturating_sub(1);
    let start = kept / 3;
    let end = letters.len() - (kept - start);
    let parts = [&letters[..start], &['\u{2026}'], &letters[end..]];
    parts.concat().into_iter().collect()
}

fn axes(mut layout: Layout, chart: &Chart, panel: &Panel, has_x: bool) -> Layout {
    layout = layout.with_y_label(panel.y.label.clone());
    if has_x {
        layout = layout.with_x_label(chart.x.label.clone());
    }
    layout.suppress_x_ticks = !has_x;
    if let Some((start, end)) = chart.x.range {
        layout = layout.with_x_axis_min(start).with_x_axis_max(end);
    }
    layout = match chart.x.scale {
        Scale::Linear | Scale::Free => layout,
        Scale::Log => layout.with_log_x().with_x_tick_format(ticks(plain)),
        Scale::Nines => layout.with_log_x().with_x_tick_format(ticks(share_of)),
    };
    match (panel.y.scale, &panel.content) {
        (Scale::Log | Scale::Nines, _) => layout.with_log_y().with_y_tick_format(ticks(plain)),
        (Scale::Linear, Content::Lines(series)) => {
            let layout = layout.with_y_axis_min(0.0);
            match highest(series) {
                Some(top) => layout.with_y_axis_max(top * HEADROOM),
                None => layout,
            }
        }
        (Scale::Free, _) | (Scale::Linear, Content::Bars(_)) => layout,
    }
}

/// A line along the very edge is not seen.
const HEADROOM: f64 = 1.08;

/// The highest end of anything; `None` where all is 0.
fn highest(series: &[Series]) -> Option<f64> {
    let points = series.iter().flat_map(|one| &one.points);
    let ends =
        points.filter_map(|point| Some(point.y?.max(point.spread.map_or(0.0, |ends| ends.1))));
    let top = ends.filter(|end| end.is_finite()).max_by(f64::total_cmp)?;
    (top > 0.0).then_some(top)
}

fn ticks(show: fn(f64) -> String) -> TickFormat {
    TickFormat::Custom(Arc::new(show))
}

/// A power of ten, or a multiple of one, without an exponent.
fn plain(value: f64) -> String {
    let digits = (-value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.digits$}")
}

/// The share at a place of an axis of nines: 10 is 90 %, 200 is 99.5 %, 1000 is 99.9 %.
pub(super) fn share_of(place: f64) -> String {
    let percent = 100.0 * (1.0 - 1.0 / place);
    let digits = (place.log10().ceil() as usize).saturating_sub(2);
    format!("{percent:.digits$}%")
}

/// The same where there is room for one label per power of ten.
fn share_of_decade(place: f64) -> String {
    let power = place.log10();
    if (power - power.round()).abs() < 1e-9 {
        share_of(place)
    } else {
        String::new()
    }
}

fn legend(panel: &Panel, place: Place) -> Vec<LegendEntry> {
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

/// The lines, broken where something was not measured.
fn lines(series: &[Series], is_log: bool, place: Place) -> Vec<Plot> {
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

/// A point that was measured: where, how much, from where to where.
type Measured = (f64, f64, Option<(f64, f64)>);

/// Neighbours that were measured. What cannot stand on a logarithmic axis was not.
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
            // An end at or below 0 has no place on a logarithmic axis.
            ((y - low).clamp(0.0, y * 0.99), (high - y).max(0.0))
        });
        points = points.with_y_err_asymmetric(arms);
    }
    points.into()
}

fn bar_plot(bars: &Bars, place: Place) -> Plot {
    let mut plot = BarPlot::new().with_horizontal(true).with_stacked();
    // The first is drawn lowest.
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
