//! How wrk and wrk2 print quantities. Scripts parse these texts, so the spelling is fixed.

use super::Nanos;

/// A time in microseconds the way wrk prints it: two decimals, `us`, `ms` or `s`, changing to the
/// next unit at 0.85 of it. wrk2 goes on to minutes and hours, which common parsers cannot read, so
/// this stays at seconds.
pub fn show_time_us(micros: f64) -> String {
    let (amount, unit) = if micros >= 850_000.0 {
        (micros / 1e6, "s")
    } else if micros >= 850.0 {
        (micros / 1e3, "ms")
    } else {
        (micros, "us")
    };
    format!("{amount:.2}{unit}")
}

/// A time in nanoseconds, as [`show_time_us`] shows it.
pub fn show_ns(nanos: f64) -> String {
    show_time_us(nanos / 1e3)
}

/// A plain number with wrk's metric suffixes (`1.04k`, `2.50M`), two decimals.
pub fn show_count(amount: f64) -> String {
    scaled(amount, 1000.0, &["", "k", "M", "G", "T", "P"])
}

/// A number of bytes with wrk's binary suffixes (`676.18KB`), two decimals.
pub fn show_bytes(bytes: f64) -> String {
    scaled(bytes, 1024.0, &["B", "KB", "MB", "GB", "TB", "PB"])
}

fn scaled(mut amount: f64, scale: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while unit + 1 < units.len() && amount >= scale * 0.85 {
        amount /= scale;
        unit += 1;
    }
    format!("{amount:.2}{}", units[unit])
}

/// A length in the title line ("Running 2m test"): no decimals, minutes from 51 s on as in wrk.
/// Lengths under 51 s that are not whole seconds, which wrk cannot run, keep their fraction.
pub fn show_seconds(length: Nanos) -> String {
    let seconds = length.as_secs_f64();
    if seconds >= 51.0 * 60.0 {
        format!("{:.0}h", seconds / 3600.0)
    } else if seconds >= 51.0 {
        format!("{:.0}m", seconds / 60.0)
    } else {
        format!("{seconds}s")
    }
}

/// Right-aligns `text` in `width` columns as wrk does: units count as two letters, so a value
/// without letters is followed by two spaces and one with a single letter by one.
pub fn pad_unit(text: &str, width: usize) -> String {
    let letters = text
        .chars()
        .rev()
        .take(2)
        .filter(char::is_ascii_alphabetic)
        .count();
    let pad = 2 - letters.min(2);
    format!("{text:>field$}{:pad$}", "", field = width - pad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_change_unit_at_85_hundredths_and_stop_at_seconds() {
        assert_eq!(show_time_us(849.0), "849.00us");
        assert_eq!(show_time_us(850.0), "0.85ms");
        assert_eq!(show_time_us(6_600.0), "6.60ms");
        assert_eq!(show_time_us(850_000.0), "0.85s");
        assert_eq!(show_time_us(125_000_000.0), "125.00s");
    }

    #[test]
    fn counts_and_bytes_look_like_wrks() {
        assert_eq!(show_count(74.14), "74.14");
        assert_eq!(show_count(1040.0), "1.04k");
        assert_eq!(show_bytes(692_408.0), "676.18KB");
        assert_eq!(show_bytes(500.0), "500.00B");
    }

    #[test]
    fn the_title_rounds_to_minutes_as_wrk_does() {
        assert_eq!(show_seconds(Nanos::from_secs(30)), "30s");
        assert_eq!(show_seconds(Nanos::from_secs(60)), "1m");
        assert_eq!(show_seconds(Nanos::from_secs(90)), "2m");
        assert_eq!(show_seconds(Nanos::from_secs(7200)), "2h");
        assert_eq!(show_seconds(Nanos::from_millis(500)), "0.5s");
    }

    #[test]
    fn fields_are_padded_to_two_letters_of_unit() {
        assert_eq!(pad_unit("6.60ms", 8), "  6.60ms");
        assert_eq!(pad_unit("1.40s", 8), "  1.40s ");
        assert_eq!(pad_unit("74.14", 8), " 74.14  ");
        assert_eq!(pad_unit("1.04k", 8), "  1.04k ");
    }
}
