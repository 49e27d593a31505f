//! CSV tables: written row by row, and read by the names of their columns.

use std::collections::BTreeMap;

/// Writes a table. Without columns it has no header; with them, each row must have as many cells.
pub fn table(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Cannot fail: the writer writes to memory, and rows are as long as the header.
    if !columns.is_empty() {
        let _ = writer.write_record(columns);
    }
    for row in rows {
        let _ = writer.write_record(row);
    }
    writer.into_inner().unwrap_or_default()
}

/// Why a table cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct BadTable {
    pub file: String,
    /// The problem, with the line where it lies in one.
    pub reason: String,
}

/// A table whose cells are found by the names of their columns.
pub struct CsvTable {
    file: &'static str,
    columns: BTreeMap<String, usize>,
    records: Vec<csv::StringRecord>,
}

impl CsvTable {
    /// Reads a table whose first row names its columns.
    ///
    /// # Errors
    /// [`BadTable`] for bytes that are not CSV, or rows of different length.
    pub fn read(file: &'static str, bytes: &[u8]) -> Result<CsvTable, BadTable> {
        let bad = |error: csv::Error| BadTable {
            file: file.to_owned(),
            reason: error.to_string(),
        };
        let mut reader = csv::Reader::from_reader(bytes);
        let columns = reader.headers().map_err(bad)?.iter().map(str::to_owned);
        let columns = columns.enumerate().map(|(at, name)| (name, at)).collect();
        let records: Result<Vec<_>, _> = reader.records().collect();
        Ok(CsvTable {
            file,
            columns,
            records: records.map_err(bad)?,
        })
    }

    /// Whether the table has a column of this name.
    pub fn has_column(&self, name: &str) -> bool {
        self.columns.contains_key(name)
    }

    /// A sentence for each of these columns that the table lacks.
    pub fn lacks<'a>(&self, columns: impl Iterator<Item = &'a str>) -> Vec<String> {
        let missing = columns.filter(|name| !self.has_column(name));
        missing
            .map(|name| format!("{} has no column {name}", self.file))
            .collect()
    }

    /// The rows below the header.
    pub fn rows(&self) -> impl Iterator<Item = CsvRow<'_>> {
        let records = self.records.iter().enumerate();
        records.map(|(at, record)| CsvRow {
            table: self,
            line: at + 2,
            record,
        })
    }
}

/// A row of a [`CsvTable`].
pub struct CsvRow<'a> {
    table: &'a CsvTable,
    line: usize,
    record: &'a csv::StringRecord,
}

impl CsvRow<'_> {
    /// The trimmed text of a cell; `None` when the cell is empty or the column does not exist.
    pub fn get(&self, name: &str) -> Option<&str> {
        let cell = self.record.get(*self.table.columns.get(name)?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    /// An error that names the file and the line.
    pub fn bad(&self, reason: String) -> BadTable {
        BadTable {
            file: self.table.file.to_owned(),
            reason: format!("line {}: {reason}", self.line),
        }
    }

    /// A cell that must not be empty.
    ///
    /// # Errors
    /// [`BadTable`] when the cell is empty or the column does not exist.
    pub fn need(&self, name: &str) -> Result<&str, BadTable> {
        self.get(name)
            .ok_or_else(|| self.bad(format!("there is nothing in the column {name}")))
    }

    /// A cell as a finite number.
    ///
    /// # Errors
    /// [`BadTable`] when the cell is empty or not a finite number.
    pub fn number(&self, name: &str) -> Result<f64, BadTable> {
        let typed = self.need(name)?;
        finite(typed)
            .ok_or_else(|| self.bad(format!("`{typed}` in the column {name} is no number")))
    }
}

/// Reads a finite number. `NaN`, which pandas writes for missing values, and `inf` give `None`.
pub fn finite(typed: &str) -> Option<f64> {
    let number: Option<f64> = typed.parse().ok();
    number.filter(|number| number.is_finite())
}
