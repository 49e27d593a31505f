//! The room for the names of bars on a page, which the plotting library does not make.

use super::place::{Place, tick_size};
use crate::html::chart::Bars;

/// The width of a letter as a share of the font size, as it is in wide fonts.
const LETTER: f64 = 0.58;
/// Pixels left and right of the names of bars, together.
const AROUND_NAMES: f64 = 16.0;
/// The largest share of the width that names of bars take.
const NAMES: f64 = 0.56;

/// The number of letters for which a bar's name has room on a page of this width.
fn letters(width: f64) -> usize {
    ((width * NAMES - AROUND_NAMES) / (LETTER * f64::from(tick_size(width)))) as usize
}

/// Pixels that the names of bars take, on a page of this width.
pub(super) fn names_room(names: &[String], width: f64) -> f64 {
    let longest = names.iter().map(|name| name.chars().count()).max();
    let longest = longest.unwrap_or_default().min(letters(width)) as f64;
    AROUND_NAMES + longest * LETTER * f64::from(tick_size(width))
}

/// Shortens the names of bars to fit on the page. In files the library makes room for whole names.
pub(super) fn fitting(bars: &Bars, place: Place) -> Bars {
    let mut bars = bars.clone();
    if let Place::Page(width) = place {
        for name in &mut bars.names {
            *name = without_middle(name, letters(width));
        }
    }
    bars
}

/// Cuts the middle out of a name that has more than `most` letters. Names begin with the service and end
/// with the arm and what is missing of it, so the middle matters least.
fn without_middle(name: &str, most: usize) -> String {
    let letters: Vec<char> = name.chars().collect();
    if letters.len() <= most {
        return name.to_owned();
    }
    let kept = most.saturating_sub(1);
    let start = kept / 3;
    let end = letters.len() - (kept - start);
    let parts = [&letters[..start], &['\u{2026}'], &letters[end..]];
    parts.concat().into_iter().collect()
}
