//! The study's own arithmetic: overhead = (with - without) / without in percent, rounded to two
//! places, at every rate that both have, saturated or not. No verdict.

use serde::{Deserialize, Serialize};

/// A metric of the study at one rate, without and with the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StudyOverhead {
    /// Without; `None` where nobody measured it.
    pub without: Option<f64>,
    /// With, likewise.
    pub with: Option<f64>,
}

impl StudyOverhead {
    /// In percent; `None` where there is nothing without, or one of them was not measured.
    pub fn percent(&self) -> Option<f64> {
        let (without, with) = self.without.zip(self.with)?;
        let overhead = (with - without) / without * 100.0;
        (without != 0.0).then(|| (overhead * 100.0).round() / 100.0)
    }
}
