//! What pods and processes used: raw samples with their own times -> figures over a window.
//!
//! Pure: it is handed samples and a topology, and knows neither where they come from nor which file
//! they go to. Missing is `None` with a reason, never zero.

mod figures;
mod not_known;
mod offset;
mod parts;
mod quantity;
mod reduce;
mod sample;
mod series;
mod timeline;
mod topology;
mod window;

pub use figures::{
    CategoryUse, CollectorUse, ContainerUse, Figure, Gap, NodeClock, PodUse, Quality, Resources,
    Spans,
};
pub use not_known::NotKnown;
pub use offset::ClockOffset;
pub use parts::{Part, network_of, sum_of, use_of};
pub use quantity::{Quantity, Unit};
pub use reduce::reduce;
pub use sample::{Point, Sample, SampleLog, Source, Subject};
pub use series::{SeriesRow, series};
pub use timeline::{Stretch, timeline};
pub use topology::{
    Amounts, Category, Container, Mesh, Node, Owner, Pod, Role, Scope, Seen, Topology,
};
pub use window::Span;

#[cfg(test)]
mod tests;
