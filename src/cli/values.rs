//! Reads the values of single flags. Errors name what is expected.

use crate::spec::Offered;
use crate::units::parse_rate;

/// Reads `-R`: a rate, or `max`.
pub fn offered(typed: &str) -> Result<Offered, String> {
    if typed == "max" {
        return Ok(Offered::Max);
    }
    match parse_rate(typed) {
        Ok(rate) => Ok(Offered::Rate(rate)),
        Err(bad) => Err(format!("{bad}, or max for a closed loop at full speed")),
    }
}

/// Reads `--ramp`: two rates.
pub fn ramp(typed: &str) -> Result<Offered, String> {
    let (from, to) = typed
        .split_once(':')
        .ok_or("write two rates with a colon between them, such as 100:800")?;
    Ok(Offered::Ramp {
        from: parse_rate(from).map_err(|bad| bad.to_string())?,
        to: parse_rate(to).map_err(|bad| bad.to_string())?,
    })
}

/// Reads `--seed`.
pub fn seed(typed: &str) -> Result<u64, String> {
    typed
        .parse()
        .map_err(|_| "use a whole number from 0 to 18446744073709551615".to_owned())
}

/// A seed for a run whose user gave none. It has 32 bits, which JSON readers that know only floats
/// keep exact.
pub fn new_seed() -> u64 {
    u64::from(rand::random::<u32>())
}
