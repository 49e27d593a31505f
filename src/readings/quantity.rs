//! Kubernetes quantities: `250m`, `1.5`, `64Mi`, `12345n`, `1e3`.

/// The number that a quantity stands for; `None` for a text that is none.
///
/// Suffixes: n u m (thousandths), k M G T P E (thousands), Ki..Ei (1024), and decimal exponents.
pub fn parse_quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    let digits = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-');
    let end = text.find(|c| !digits(c)).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => exponent(suffix)?,
    };
    let value = number.parse::<f64>().ok()? * factor;
    value.is_finite().then_some(value)
}

fn exponent(suffix: &str) -> Option<f64> {
    let power = suffix.strip_prefix(['e', 'E'])?;
    Some(10f64.powi(power.parse().ok()?))
}
