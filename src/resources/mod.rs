//! The resources that pods and processes used: [`reduce`] turns raw samples, each with a time of its own,
//! into figures over the measured window.
//!
//! This room is pure. It is given samples and a topology, and knows neither where they come from nor which
//! file the figures go to. A figure that cannot be had is `None` with a reason, and never zero.

mod categories;
mod cross_check;
mod figures;
mod not_known;
mod offset;
mod parts;
mod quantity;
mod reduce;
mod samples;
mod series;
mod span;
mod time_axis;
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
pub use samples::{Sample, SampleLog, SamplePoint, Source, Subject};
pub use series::{SeriesRow, series};
pub use span::Span;
pub use timeline::{Bucket, timeline};
pub use topology::{
    Amounts, Category, Container, Mesh, Node, Owner, Pod, Role, Scope, Seen, Topology,
};

#[cfg(test)]
mod tests;
