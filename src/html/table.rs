//! Tables, as pages show and sort them.

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// What it shows.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// The heads of its columns.
    pub columns: Vec<String>,
    /// Row by row.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// What is read.
    pub text: String,
    /// By what it is sorted, where that is not the text; cells without a number come last.
    pub number: Option<f64>,
}

impl Cell {
    /// A number with the words for it.
    pub fn number(value: f64, text: String) -> Cell {
        Cell {
            text,
            number: Some(value),
        }
    }

    /// A number that may be missing.
    pub fn maybe(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
        match value {
            Some(value) => Cell::number(value, show(value)),
            None => Cell::from("-"),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell {
            text: text.into(),
            number: None,
        }
    }
}

impl Table {
    /// An empty table.
    pub fn new(title: &str, caption: &str, columns: &[&str]) -> Table {
        Table {
            title: title.to_owned(),
            caption: caption.to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Whether a column holds numbers.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.any(|cell| cell.number.is_some())
    }
}
