//! Draws charts; no other file knows the plotting library.
//!
//! Files and the page get the same plots. The page's drawings have no title, no legend and the colours of
//! its style sheet, because the page has a title and a clickable legend of its own.

mod names;
mod place;
mod plots;

use self::names::{fitting, names_room};
use self::place::{PAPER_WIDTH, Place, is_narrow, tick_size};
use self::plots::{bar_plot, legend, lines};
use super::chart::{Chart, Content, Panel, Scale, Series};
use kuva::backend::png::PngBackend;
use kuva::backend::svg::SvgBackend;
use kuva::plot::legend::LegendPosition;
use kuva::render::annotations::{ReferenceLine, ShadedRegion};
use kuva::render::figure::Figure;
use kuva::render::layout::{Layout, TickFormat};
use kuva::render::plots::Plot;
use kuva::render::render::{Scene, render_multiple};
use std::sync::Arc;

pub use self::place::{HUES, MARK};

/// Pixels of a PNG per unit of the drawing.
const PNG_SCALE: f32 = 2.0;

/// The chart as an SVG file.
pub fn svg_file(chart: &Chart) -> String {
    svg(&paper(chart), "clip")
}

/// The chart as a PNG file.
///
/// # Errors
/// The text of the plotting library's error. No contents of a chart are known to cause one.
pub fn png_file(chart: &Chart) -> Result<Vec<u8>, String> {
    PngBackend::new()
        .with_scale(PNG_SCALE)
        .render_scene(&paper(chart))
}

/// A chart for a file, with its title and legends.
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

/// A panel on the page, with the place of its axes for the page's script.
pub struct Drawing {
    /// The inside of an `svg` element.
    pub inside: String,
    pub width: f64,
    pub height: f64,
    /// Left, right, top and bottom of the plot, and the values at its left and right.
    pub axes: Option<[f64; 6]>,
}

/// The panels of a chart for the page, at a width in pixels.
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
            // The library groups series only in interactive plots; its own buttons are not wanted.
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

/// Renders a scene, with its clip paths numbered anew. The library numbers them over all drawings of the
/// process, so the same chart would not always give the same bytes. The prefix `clips` keeps the paths of
/// different drawings on one page apart.
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

/// The contents of an `svg` element.
fn inside(svg: &str) -> &str {
    let start = svg.find('>').map_or(0, |at| at + 1);
    let end = svg.rfind("</svg>").unwrap_or(svg.len());
    &svg[start..end]
}

/// Height of a bar with the gap to the next one, in pixels.
const BAR: f64 = 24.0;

fn height(chart: &Chart, is_last: bool) -> f64 {
    if let [panel] = chart.panels.as_slice() {
        return match &panel.content {
            Content::Lines(_) => 380.0,
            Content::Bars(bars) => 110.0 + BAR * bars.names.len() as f64,
        };
    }
    // The last panel has the labels of the common axis.
    if is_last { 220.0 } else { 170.0 }
}

/// The plots of a panel and their layout. `has_x`: the panel has the labels of the horizontal axis.
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

/// Pixels at the right for the half of a label that reaches beyond the axis; labels of shares are long.
fn right_of(scale: Scale) -> f64 {
    match scale {
        Scale::Nines => 28.0,
        Scale::Linear | Scale::Log | Scale::Free => 18.0,
    }
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

/// How far a linear axis reaches beyond the highest value, because a line along the edge is invisible.
const HEADROOM: f64 = 1.08;

/// The highest value, with error bars; `None` when no value is above 0.
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

/// The label of a tick on a logarithmic axis, without an exponent.
fn plain(value: f64) -> String {
    let digits = (-value.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.digits$}")
}

/// The share at a place of an axis of nines: 10 stands for 90 %, 200 for 99.5 %, 1000 for 99.9 %.
pub(super) fn share_of(place: f64) -> String {
    let percent = 100.0 * (1.0 - 1.0 / place);
    let digits = (place.log10().ceil() as usize).saturating_sub(2);
    format!("{percent:.digits$}%")
}

/// Like [`share_of`], with a label only at powers of ten, for narrow drawings.
fn share_of_decade(place: f64) -> String {
    let power = place.log10();
    if (power - power.round()).abs() < 1e-9 {
        share_of(place)
    } else {
        String::new()
    }
}
