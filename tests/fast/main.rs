//! Tests of whole commands that make no load: they need no quiet machine and run beside each other.

mod documentation;
mod examples;
mod report;
#[path = "../support/mod.rs"]
mod support;
