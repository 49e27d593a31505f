//! What a chart shows, without a word on how it is drawn.

use serde::Serialize;

/// A chart: panels one under the other over a common horizontal axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Name of its files, and its anchor on the page.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// The horizontal axis.
    pub x: Axis,
    /// From top to bottom.
    pub panels: Vec<Panel>,
}

/// An axis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Axis {
    /// What it counts, and in what.
    pub label: String,
    /// How it is divided.
    pub scale: Scale,
    /// Where it begins and ends; by its values where absent.
    #[serde(skip)]
    pub range: Option<(f64, f64)>,
}

/// How an axis is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Evenly, from 0: what is drawn against an axis that begins anywhere misleads.
    Linear,
    /// Evenly, from where the values begin: for what is compared with something else than 0.
    Free,
    /// By powers of ten.
    Log,
    /// By powers of ten of 1 / (1 - share), labelled with the share: 90 %, 99 %, 99.9 %, ...
    Nines,
}

impl Axis {
    /// An even axis.
    pub fn linear(label: &str) -> Axis {
        Axis::new(label, Scale::Linear)
    }

    /// An even axis that need not begin at 0.
    pub fn free(label: &str) -> Axis {
        Axis::new(label, Scale::Free)
    }

    /// A logarithmic axis.
    pub fn log(label: &str) -> Axis {
        Axis::new(label, Scale::Log)
    }

    /// An axis of percentiles.
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

    /// Whether its values must be above 0.
    pub fn is_log(&self) -> bool {
        matches!(self.scale, Scale::Log | Scale::Nines)
    }
}

/// One panel.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its vertical axis.
    pub y: Axis,
    /// What is drawn.
    pub content: Content,
    /// Vertical lines; the legend says what they are.
    pub marks: Vec<Mark>,
    /// Stretches that are not part of the measurement.
    pub shaded: Vec<(f64, f64)>,
}

impl Panel {
    /// A panel of lines.
    pub fn of_lines(y: Axis, series: Vec<Series>) -> Panel {
        Panel {
            y,
            content: Content::Lines(series),
            marks: Vec::new(),
            shaded: Vec::new(),
        }
    }
}

/// What a panel holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Lines over the horizontal axis.
    Lines(Vec<Series>),
    /// Lying bars, one per name; their values lie on the horizontal axis.
    Bars(Bars),
}

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Series {
    /// What the legend calls it.
    pub name: String,
    /// Its colour, by number.
    pub hue: usize,
    /// How it is drawn.
    pub stroke: Stroke,
    /// From left to right.
    pub points: Vec<Point>,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stroke {
    /// Through.
    Solid,
    /// In long strokes.
    Dashed,
    /// In dots.
    Dotted,
    /// Level until the next point: a figure of a stretch of time.
    Steps,
    /// No line: the points alone.
    None,
}

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// Where.
    pub x: f64,
    /// How much; a gap where it was not measured.
    pub y: Option<f64>,
    /// From where to where it may lie.
    pub spread: Option<(f64, f64)>,
}

impl Point {
    /// A point without uncertainty.
    pub fn new(x: f64, y: Option<f64>) -> Point {
        Point { x, y, spread: None }
    }
}

/// A vertical line.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// What is there.
    pub label: String,
    /// Its colour, by number.
    pub hue: usize,
}

/// Lying bars.
#[derive(Debug, Clone, PartialEq)]
pub struct Bars {
    /// From top to bottom.
    pub names: Vec<String>,
    /// What a bar is stacked of, from left to right.
    pub parts: Vec<BarPart>,
}

/// A part of every bar.
#[derive(Debug, Clone, PartialEq)]
pub struct BarPart {
    /// What the legend calls it.
    pub name: String,
    /// Its colour, by number.
    pub hue: usize,
    /// By bar; where it was not measured nothing is drawn, and the bar's name should say so.
    pub values: Vec<Option<f64>>,
}

impl Panel {
    /// Whether there is nothing to see.
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
    /// Whether there is nothing to see.
    pub fn is_empty(&self) -> bool {
        self.panels.iter().all(Panel::is_empty)
    }
}
