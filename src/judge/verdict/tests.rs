//! Results with one thing wrong each.
