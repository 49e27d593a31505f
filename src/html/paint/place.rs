//! Where a chart is drawn, and what follows from that: width, colours, size of text.

use kuva::render::theme::Theme;

/// The number of colours; further series start again with the first.
pub const HUES: usize = 8;

/// Colours that colour-blind readers can tell apart (Okabe and Ito, 2008), darkened where they would be
/// faint on white.
const ON_PAPER: [&str; HUES] = [
    "#0072b2", "#d55e00", "#009e73", "#b0568c", "#c98a00", "#3a9bd4", "#555555", "#7a6a00",
];

/// Where a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// A file.
    Paper,
    /// The page, at a width in pixels.
    Page(f64),
}

/// Pixels that a drawing in a file is wide.
pub const PAPER_WIDTH: f64 = 900.0;
/// The dash pattern of marks.
pub const MARK: &str = "1 3";

impl Place {
    /// Pixels that a drawing is wide.
    pub fn width(self) -> f64 {
        match self {
            Place::Paper => PAPER_WIDTH,
            Place::Page(width) => width,
        }
    }

    /// The colour of a series, by its number.
    pub fn hue(self, number: usize) -> String {
        let number = number % HUES;
        match self {
            Place::Paper => ON_PAPER[number].to_owned(),
            Place::Page(_) => format!("var(--hue-{number})"),
        }
    }

    /// The colours of axes, text and grid.
    pub fn theme(self) -> Theme {
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

/// Whether a drawing has room for few labels only.
pub fn is_narrow(width: f64) -> bool {
    width < 500.0
}

/// The size in pixels of the labels of ticks.
pub fn tick_size(width: f64) -> u32 {
    if is_narrow(width) { 11 } else { 12 }
}
