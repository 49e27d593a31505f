//! Which program this is.

/// The version and the commit, as every result has it: `0.1.0 (1a2b3c4d5e)`.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("MESHLOAD_BUILD"), ")");

/// The same with the target that it was built for.
pub const VERSION_AND_TARGET: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("MESHLOAD_BUILD"),
    ") ",
    env!("MESHLOAD_TARGET")
);
