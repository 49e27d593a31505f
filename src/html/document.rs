//! The model of a page, and the page as one self-contained HTML file that needs no network.

use super::chart::{Chart, Content, Panel, Series, Stroke};
use super::paint::{Drawing, HUES, MARK, page_drawings};
use super::table::{Cell, Table};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

const GENERATOR: &str = concat!("meshload ", env!("CARGO_PKG_VERSION"));

/// Widths in pixels at which charts are drawn; style sheet classes select the one for a desk or a phone.
const WIDTHS: [(&str, f64); 2] = [("wide", 860.0), ("narrow", 372.0)];

/// Cells with more characters than this are wrapped.
const LONG: usize = 32;

/// A page, from top to bottom.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub title: String,
    pub subtitle: String,
    /// The verdict as a word, and how it is coloured.
    pub badge: Option<(String, Standing)>,
    /// Sentences that a reader needs before the figures.
    pub lead: Vec<String>,
    pub sections: Vec<Section>,
}

/// How far figures can be believed, which decides the colour of a badge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Good,
    Doubtful,
    Bad,
}

/// A part of a page with its own heading and anchor.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    pub title: String,
    pub elements: Vec<Element>,
}

/// An element of a section.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    Chart(Chart),
    Table(Table),
    /// A list of sentences.
    Notes(Vec<String>),
    /// Preformatted text.
    Text(String),
}

impl Section {
    /// A section of the elements that are not empty; `None` when all of them are.
    pub fn of(title: &str, elements: Vec<Element>) -> Option<Section> {
        let mut elements = elements;
        elements.retain(|element| match element {
            Element::Chart(chart) => !chart.is_empty(),
            Element::Table(table) => !table.rows.is_empty(),
            Element::Notes(notes) => !notes.is_empty(),
            Element::Text(text) => !text.is_empty(),
        });
        (!elements.is_empty()).then(|| Section {
            title: title.to_owned(),
            elements,
        })
    }
}

impl Page {
    /// The charts, in the order of the page.
    pub fn charts(&self) -> impl Iterator<Item = &Chart> {
        let elements = self.sections.iter().flat_map(|section| &section.elements);
        elements.filter_map(|element| match element {
            Element::Chart(chart) => Some(chart),
            _ => None,
        })
    }

    /// The page as HTML.
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content=(GENERATOR);
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        h1 { (self.title) @if let Some(badge) = &self.badge { " " (badge_of(badge)) } }
                        p class="subtitle" { (self.subtitle) }
                        @for line in &self.lead { p class="lead" { (line) } }
                    }
                    nav { @for (at, section) in self.sections.iter().enumerate() {
                        a href={ "#part-" (at) } { (section.title) }
                    } }
                    main { @for (at, section) in self.sections.iter().enumerate() {
                        section id={ "part-" (at) } {
                            h2 { (section.title) }
                            @for element in &section.elements { (element_of(element)) }
                        }
                    } }
                    footer { "Made by meshload. docs/measuring.md says what every number means." }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        };
        page.into_string()
    }
}

fn badge_of((word, standing): &(String, Standing)) -> Markup {
    let class = match standing {
        Standing::Good => "badge good",
        Standing::Doubtful => "badge doubtful",
        Standing::Bad => "badge bad",
    };
    html! { span class=(class) { (word) } }
}

fn element_of(element: &Element) -> Markup {
    match element {
        Element::Chart(chart) => chart_of(chart),
        Element::Table(table) => table_of(table),
        Element::Notes(notes) => html! { ul { @for note in notes { li { (note) } } } },
        Element::Text(text) => html! { pre { (text) } },
    }
}

fn table_of(table: &Table) -> Markup {
    html! {
        div class="table" {
            @if !table.title.is_empty() { h3 { (table.title) } }
            @if !table.caption.is_empty() { p class="caption" { (table.caption) } }
            div class="scroll" { table {
                thead { tr { @for (at, column) in table.columns.iter().enumerate() {
                    th scope="col" class=[table.is_numeric(at).then_some("number")] { button type="button" { (column) } }
                } } }
                tbody { @for row in &table.rows { tr { @for cell in row { (cell_of(cell)) } } } }
            } }
        }
    }
}

fn cell_of(cell: &Cell) -> Markup {
    match cell.number {
        Some(number) => html! { td class="number" data-value=(number) { (cell.text) } },
        None if cell.text == "-" => html! { td class="number missing" { "-" } },
        None if cell.text.chars().count() > LONG => html! { td class="long" { (cell.text) } },
        None => html! { td { (cell.text) } },
    }
}

fn chart_of(chart: &Chart) -> Markup {
    html! {
        figure class="chart" id=(chart.name) {
            figcaption {
                h3 { (chart.title) }
                @if !chart.caption.is_empty() { p class="caption" { (chart.caption) } }
            }
            (legend_of(chart))
            @for (class, width) in WIDTHS {
                div class=(class) { @for (number, drawing) in page_drawings(chart, width).iter().enumerate() {
                    (drawing_of(chart, number, drawing))
                } }
            }
            div class="tip" hidden {}
            script type="application/json" { (PreEscaped(data_of(chart))) }
        }
    }
}

fn drawing_of(chart: &Chart, number: usize, drawing: &Drawing) -> Markup {
    let label = format!("{}: {}", chart.title, chart.panels[number].y.label);
    let axes = drawing
        .axes
        .map(|axes| axes.map(|at| format!("{at:.6}")).join(" "));
    html! {
        svg role="img" aria-label=(label) viewBox={ "0 0 " (drawing.width) " " (drawing.height) }
            data-panel=(number) data-axes=[axes] {
            (PreEscaped(&drawing.inside))
        }
    }
}

/// The legend, with a button per series that hides and shows it. Parts of bars get no button: they are
/// stacked, so hiding one would move the others.
fn legend_of(chart: &Chart) -> Markup {
    let mut keys: Vec<Key<'_>> = Vec::new();
    for key in chart.panels.iter().flat_map(keys_of) {
        if !keys.iter().any(|known| known.name == key.name) {
            keys.push(key);
        }
    }
    html! {
        div class="legend" { @for key in keys {
            @if key.can_hide {
                button type="button" data-series=(key.name) aria-pressed="true" { (swatch(&key)) (key.name) }
            } @else {
                span { (swatch(&key)) (key.name) }
            }
        } }
    }
}

/// An entry of a legend.
struct Key<'a> {
    name: &'a str,
    hue: usize,
    dashes: Option<&'static str>,
    can_hide: bool,
}

fn keys_of(panel: &Panel) -> Vec<Key<'_>> {
    let key = |name, hue, dashes, can_hide| Key {
        name,
        hue,
        dashes,
        can_hide,
    };
    let mut keys: Vec<Key<'_>> = match &panel.content {
        Content::Lines(series) => {
            let series = series.iter();
            let line = series.map(|one| key(one.name.as_str(), one.hue, dashes(one.stroke), true));
            line.collect()
        }
        Content::Bars(bars) => {
            let parts = bars.parts.iter();
            let part = parts.map(|one| key(one.name.as_str(), one.hue, None, false));
            part.collect()
        }
    };
    let marks = panel.marks.iter();
    keys.extend(marks.map(|mark| key(mark.label.as_str(), mark.hue, Some(MARK), false)));
    keys
}

fn dashes(stroke: Stroke) -> Option<&'static str> {
    match stroke {
        Stroke::Dashed => Some("8 4"),
        Stroke::Dotted => Some("2 4"),
        Stroke::Solid | Stroke::Steps | Stroke::None => None,
    }
}

fn swatch(key: &Key<'_>) -> Markup {
    let hue = key.hue % HUES;
    html! {
        svg class="swatch" viewBox="0 0 24 10" aria-hidden="true" {
            line x1="1" y1="5" x2="23" y2="5" stroke={ "var(--hue-" (hue) ")" } stroke-width="3" stroke-dasharray=[key.dashes] {}
        }
    }
}

/// The data of a chart as JSON, for the script that shows values at the pointer.
#[derive(Serialize)]
struct Data<'a> {
    x: &'a super::chart::Axis,
    panels: Vec<PanelData<'a>>,
}

#[derive(Serialize)]
struct PanelData<'a> {
    y: &'a super::chart::Axis,
    series: &'a [Series],
}

fn data_of(chart: &Chart) -> String {
    let panels = chart.panels.iter().map(|panel| PanelData {
        y: &panel.y,
        series: match &panel.content {
            Content::Lines(series) => series,
            Content::Bars(_) => &[],
        },
    });
    let data = Data {
        x: &chart.x,
        panels: panels.collect(),
    };
    // Cannot fail: the data has no map. A name comes from outside the program and may contain
    // `</script>`, which must not end the element.
    let json = serde_json::to_string(&data).unwrap_or_default();
    json.replace('<', "\\u003c")
}
