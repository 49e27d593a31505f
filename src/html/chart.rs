//! The contents of charts. How they are drawn is left to `paint`.

use serde::Serialize;

/// A chart: panels, from top to bottom, over a common horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// The name of its files, and its anchor on the page.
    pub name: String,
    pub title: String,
    pub caption: String,
    pub x: Axis,
    pub panels: Vec<Panel>,
}

/// An axis of a chart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// The quantity and its unit.
    pub label: String,
    pub scale: Scale,
    /// Start and end of the axis; `None` when they follow from the values.
    #[serde(skip)]
    pub range: Option<(f64, f64)>,
}

/// The scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Linear from 0. An axis that starts elsewhere makes small differences look large.
    Linear,
    /// Linear from the smallest value, for ratios, which are compared with 1 and not with 0.
    Free,
    /// Logarithmic.
    Log,
    /// Logarithmic in 1 / (1 - share), and labelled with the share: 90 %, 99 %, 99.9 %, ...
    Nines,
}

impl Axis {
    /// A linear axis from 0.
    pub fn linear(label: &str) -> Axis {
        Axis::new(label, Scale::Linear)
    }

    /// A linear axis that need not start at 0.
    pub fn free(label: &str) -> Axis {
        Axis::new(label, Scale::Free)
    }

    /// A logarithmic axis.
    pub fn log(label: &str) -> Axis {
        Axis::new(label, Scale::Log)
    }

    /// An axis of shares, see [`Scale::Nines`].
    pub fn nines(label: &str) -> Axis {
        Axis::new(label, Scale::Nines)
    }

    fn new(label: &str, scale: Scale) -> Axis {
        Axis {
            label: label.to_owned(),
            scale,
            range: None,
        }
    }

    /// Whether the axis is logarithmic, so that it has no place for values up to 0.
    pub fn is_log(&self) -> bool {
        matches!(self.scale, Scale::Log | Scale::Nines)
    }
}

/// A plot with its own vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    pub y: Axis,
    pub content: Content,
    /// Vertical lines, named in the legend.
    pub marks: Vec<Mark>,
    /// Start and end of stretches outside the measured window, which are drawn grey.
    pub shaded: Vec<(f64, f64)>,
}

impl Panel {
    /// A panel of lines without marks.
    pub fn of_lines(y: Axis, series: Vec<Series>) -> Panel {
        Panel {
            y,
            content: Content::Lines(series),
            marks: Vec::new(),
            shaded: Vec::new(),
        }
    }
}

/// The contents of a panel.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Lines over the horizontal axis.
    Lines(Vec<Series>),
    /// Horizontal bars, with their values on the horizontal axis.
    Bars(Bars),
}

/// A line of a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// The name in the legend.
    pub name: String,
    /// The number of its colour.
    pub hue: usize,
    pub stroke: Stroke,
    /// Points from left to right.
    pub points: Vec<Point>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stroke {
    Solid,
    Dashed,
    Dotted,
    /// Level until the next point, for figures of stretches of time.
    Steps,
    /// Points without a line.
    None,
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    pub x: f64,
    /// The value; `None` leaves a gap.
    pub y: Option<f64>,
    /// The ends of the error bar.
    pub spread: Option<(f64, f64)>,
}

impl Point {
    /// A point without an error bar.
    pub fn new(x: f64, y: Option<f64>) -> Point {
        Point { x, y, spread: None }
    }
}

/// A vertical line that marks a place on the horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub x: f64,
    /// The name in the legend.
    pub label: String,
    /// The number of its colour.
    pub hue: usize,
}

/// Horizontal stacked bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// The names of the bars from top to bottom.
    pub names: Vec<String>,
    /// The parts of a bar from left to right.
    pub parts: Vec<BarPart>,
}

/// A part that every bar has.
#[derive(Debug, Clone, PartialEq)]
pub struct BarPart {
    /// The name in the legend.
    pub name: String,
    /// The number of its colour.
    pub hue: usize,
    /// A value per bar. A missing value is not drawn, so the bar's name should tell of it.
    pub values: Vec<Option<f64>>,
}

impl Panel {
    /// Whether no value is known, so that nothing would be drawn.
    pub fn is_empty(&self) -> bool {
        match &self.content {
            Content::Lines(series) => {
                let mut points = series.iter().flat_map(|one| &one.points);
                points.all(|point| point.y.is_none())
            }
            Content::Bars(bars) => {
                let mut values = bars.parts.iter().flat_map(|part| &part.values);
                values.all(Option::is_none)
            }
        }
    }
}

impl Chart {
    /// Whether no value is known, so that nothing would be drawn.
    pub fn is_empty(&self) -> bool {
        self.panels.iter().all(Panel::is_empty)
    }
}
