//! Values of single flags, and what is said when they are wrong.

use crate::schedule::ArrivalProcess;
use crate::spec::{Offered, Pacing};
use crate::units::parse_rate;

/// `-R`: a rate, or `max`.
pub fn offered(typed: &str) -> Result<Offered, String> {
    if typed == "max" {
        return Ok(Offered::Max);
    }
    match parse_rate(typed) {
        Ok(rate) => Ok(Offered::Rate(rate)),
        Err(bad) => Err(format!("{bad}, or max for a closed loop at full speed")),
    }
}

/// `--ramp`: two rates.
pub fn ramp(typed: &str) -> Result<Offered, String> {
    let (from, to) = typed
        .split_once(':')
        .ok_or("write two rates with a colon between them, such as 100:800")?;
    Ok(Offered::Ramp {
        from: parse_rate(from).map_err(|bad| bad.to_string())?,
        to: parse_rate(to).map_err(|bad| bad.to_string())?,
    })
}

/// `-D`: an arrival process.
pub fn process(typed: &str) -> Result<ArrivalProcess, String> {
    use ArrivalProcess::{Exp, Fixed, Norm, Uniform, Zipf};
    [Fixed, Exp, Norm, Uniform, Zipf]
        .into_iter()
        .find(|process| process.name() == typed)
        .ok_or_else(|| "use fixed, exp, norm, uniform or zipf".to_owned())
}

/// `--pacing`.
pub fn pacing(typed: &str) -> Result<Pacing, String> {
    match typed {
        "auto" => Ok(Pacing::Auto),
        "timer" => Ok(Pacing::Timer),
        "spin" => Ok(Pacing::Spin),
        _ => Err("use auto, timer or spin".to_owned()),
    }
}

/// `-H`: a header line.
pub fn header(typed: &str) -> Result<(String, String), String> {
    let cure = "write it as 'Name: value'";
    let (name, value) = typed.split_once(':').ok_or(cure)?;
    let (name, value) = (name.trim(), value.trim());
    http::HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("bad name; {cure}"))?;
    http::HeaderValue::from_str(value).map_err(|_| format!("bad value; {cure}"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// A count that must not be zero; `1k` is a thousand, as for wrk.
pub fn at_least_one(typed: &str) -> Result<usize, String> {
    let (digits, scale) = match typed.strip_suffix(['k', 'K']) {
        Some(digits) => (digits, 1_000),
        None => (typed, 1),
    };
    let count = digits.parse::<usize>().ok();
    count
        .and_then(|count| count.checked_mul(scale))
        .filter(|count| *count >= 1)
        .ok_or_else(|| "use a whole number of at least 1".to_owned())
}

/// `--seed`.
pub fn seed(typed: &str) -> Result<u64, String> {
    typed
        .parse()
        .map_err(|_| "use a whole number from 0 to 18446744073709551615".to_owned())
}
