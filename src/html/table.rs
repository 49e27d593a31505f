//! Tables of a page; a reader can sort them by each column.

/// A table with a caption.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    pub title: String,
    pub caption: String,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub text: String,
    /// The value by which the cell is sorted. Cells without one are sorted by their text and come last.
    pub number: Option<f64>,
}

impl Cell {
    /// A number, and the text that shows it.
    pub fn number(value: f64, text: String) -> Cell {
        Cell {
            text,
            number: Some(value),
        }
    }

    /// A number that may be missing, which is shown as `-`.
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
    /// A table without rows.
    pub fn new(title: &str, caption: &str, columns: &[&str]) -> Table {
        Table {
            title: title.to_owned(),
            caption: caption.to_owned(),
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Whether any cell of a column is a number.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        cells.any(|cell| cell.number.is_some())
    }
}
