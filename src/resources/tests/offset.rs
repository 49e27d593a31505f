//! The offset of a node's clock.

use super::*;

#[test]
fn the_nodes_clock_is_found_from_dates_in_whole_seconds() {
    // The node's clock is 3.25 s ahead. Answers take 20 ms and come every 2.13 s.
    let ahead = 3_250_000_000i64;
    let mut known: Option<ClockOffset> = None;
    for number in 0..40u64 {
        let sent = BEGIN + number * 2_130_000_000;
        let made = (sent + 10_000_000).saturating_add_signed(ahead);
        let date = Nanos(made / SECOND as u64 * SECOND as u64);
        let answer = ClockOffset::of_date(Nanos(sent), Nanos(sent + 20_000_000), date);
        match &mut known {
            Some(known) => known.narrow(answer),
            None => known = Some(answer),
        }
    }
    let known = known.expect("answers");
    assert!(
        known.least_ns <= ahead && ahead <= known.most_ns,
        "{known:?}"
    );
    assert!(known.uncertainty() < 60_000_000, "{known:?}");
    assert_eq!(known.steps, 0);
}

#[test]
fn a_clock_that_is_set_is_noticed_and_not_averaged() {
    let at = |ahead: i64| {
        let made = BEGIN.saturating_add_signed(ahead);
        let date = Nanos(made / SECOND as u64 * SECOND as u64);
        ClockOffset::of_date(Nanos(BEGIN), Nanos(BEGIN), date)
    };
    let mut known = at(0);
    known.narrow(at(60 * SECOND));
    assert_eq!(known.steps, 1);
    assert!(known.least_ns > 58 * SECOND);
}

#[test]
fn a_stamp_cannot_be_later_than_its_answer() {
    let mut known = ClockOffset::of_date(Nanos(BEGIN), Nanos(BEGIN), Nanos(BEGIN));
    known.narrow_by_stamp(Nanos(BEGIN + 400_000_000), Nanos(BEGIN));
    assert_eq!(known.least_ns, 400_000_000);
}
