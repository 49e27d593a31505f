//! The study's own arithmetic: overhead = (with - without) / without in percent, rounded to two
//! places, at every rate that both have, saturated or not. No verdict.

use serde::{Deserialize, Serialize};

/// A metric of the study at one rate, without and with the mesh.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct StudyOverhead {
    /// Without.
    pub without: f64,
    /// With.
    pub with: f64,
}

impl StudyOverhead {
    /// In percent; `None` where there is nothing without.
    pub fn percent(&self) -> Option<f64> {
        let overhead = (self.with - self.without) / self.without * 100.0;
        (self.without != 0.0).then(|| (overhead * 100.0).round() / 100.0)
    }
}
