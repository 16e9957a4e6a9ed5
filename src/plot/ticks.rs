//! Where the axes have ticks, and what they say.

use super::figure::Scale;

#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    pub at: f64,
    /// empty for a minor tick
    pub label: String,
}

/// Ticks of an axis at round numbers inside its range, about `wanted` of them.
pub fn ticks(scale: Scale, range: (f64, f64), wanted: usize) -> Vec<Tick> {
    if range.0 > range.1 {
        return ticks(scale, (range.1, range.0), wanted);
    }
    match scale {
        Scale::Linear => linear(range, step(range.1 - range.0, wanted)),
        Scale::Index => linear(range, step(range.1 - range.0, wanted).max(1.0)),
        Scale::Log => logarithmic(range, wanted),
    }
}

/// The step of 1, 2 or 5 times a power of ten that gives no more than `wanted` ticks.
fn step(length: f64, wanted: usize) -> f64 {
    let raw = length / wanted.max(1) as f64;
    let power = 10f64.powf(raw.log10().floor());
    let round = [1.0, 2.0, 5.0, 10.0].into_iter().find(|m| m * power >= raw * (1.0 - 1e-9));
    round.unwrap_or(10.0) * power
}

fn linear((low, high): (f64, f64), h: f64) -> Vec<Tick> {
    if !(h > 0.0 && h.is_finite()) {
        return Vec::new();
    }
    let (first, last) = ((low / h - 1e-9).ceil(), (high / h + 1e-9).floor());
    if (last - first).is_nan() || last - first > 100.0 {
        return Vec::new();
    }
    let at: Vec<f64> = (0..=(last - first) as i64).map(|k| (first + k as f64) * h).collect();
    let largest = at.iter().fold(h, |most, t| most.max(t.abs()));
    at.iter().map(|t| Tick { at: *t, label: label(*t, h, largest) }).collect()
}

/// A number with as many decimals as tell it from its neighbours `h` away; where the largest of all is very large or small,
/// by the power of ten of that.
fn label(v: f64, h: f64, largest: f64) -> String {
    if v.abs() < 0.5 * h {
        return "0".into();
    }
    let power = h.log10().floor() as i32;
    if (1e-3..1e6).contains(&largest) {
        let decimals = (-power).clamp(0, 12) as usize;
        return minus(&format!("{v:.decimals$}"));
    }
    let exponent = largest.log10().floor() as i32;
    let decimals = (exponent - power).clamp(0, 12) as usize;
    let digits = format!("{:.decimals$}", v / 10f64.powi(exponent));
    format!("{}·10{}", minus(&digits), raised(exponent))
}

fn minus(text: &str) -> String {
    text.replace('-', "−")
}

/// An exponent in raised digits.
pub fn raised(n: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if n < 0 { "⁻" } else { "" };
    let digits = n.unsigned_abs().to_string();
    format!("{sign}{}", digits.bytes().map(|b| DIGITS[(b - b'0') as usize]).collect::<String>())
}

/// Powers of ten, with minor ticks between them; over less than a decade or two the numbers 1, 2 and 5 are told as well.
fn logarithmic((low, high): (f64, f64), wanted: usize) -> Vec<Tick> {
    if !(low > 0.0 && high > low && high.is_finite()) {
        return Vec::new();
    }
    let decades = high.log10() - low.log10();
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let every = (decades / wanted.max(1) as f64).ceil().max(1.0) as i32;
    let told: &[u32] = match decades {
        d if d < 1.0 => &[1, 2, 3, 4, 5, 6, 8],
        d if d < 2.0 => &[1, 2, 5],
        _ => &[1],
    };
    // one way of writing for all of an axis
    let plain = low >= 0.9e-3 && high < 2e4;
    let mut ticks = Vec::new();
    for power in first..=last {
        for m in 1..10u32 {
            let at = f64::from(m) * 10f64.powi(power);
            if at < low * (1.0 - 1e-9) || at > high * (1.0 + 1e-9) {
                continue;
            }
            let major = told.contains(&m) && (m > 1 || power.rem_euclid(every) == 0);
            if major || every == 1 {
                ticks.push(Tick { at, label: if major { power_label(m, power, plain) } else { String::new() } });
            }
        }
    }
    ticks
}

fn power_label(m: u32, power: i32, plain: bool) -> String {
    match (m, power) {
        _ if plain => {
            let decimals = (-power).max(0) as usize;
            format!("{:.decimals$}", f64::from(m) * 10f64.powi(power))
        }
        (1, _) => format!("10{}", raised(power)),
        _ => format!("{m}·10{}", raised(power)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(scale: Scale, range: (f64, f64)) -> Vec<String> {
        ticks(scale, range, 6).into_iter().map(|t| t.label).filter(|l| !l.is_empty()).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(labels(Scale::Linear, (0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(Scale::Linear, (-2.0, 2.1)), ["−2", "−1", "0", "1", "2"]);
        assert_eq!(labels(Scale::Linear, (0.99, 1.03)), ["0.99", "1.00", "1.01", "1.02", "1.03"]);
        assert_eq!(
            labels(Scale::Linear, (0.0, 3e7)),
            ["0", "0.5·10⁷", "1.0·10⁷", "1.5·10⁷", "2.0·10⁷", "2.5·10⁷", "3.0·10⁷"]
        );
        assert_eq!(labels(Scale::Linear, (-1e-17, 1.0))[0], "0");
        assert_eq!(labels(Scale::Index, (-0.5, 1.5)), ["0", "1"], "no halves of an index");
        assert_eq!(labels(Scale::Index, (1.5, -0.5)), ["0", "1"], "an axis that is turned");
        assert!(ticks(Scale::Linear, (1.0, 1.0), 5).is_empty());
        assert!(ticks(Scale::Linear, (f64::NAN, 1.0), 5).is_empty());
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        assert_eq!(labels(Scale::Log, (1e-6, 2e-1)), ["10⁻⁶", "10⁻⁵", "10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"]);
        assert_eq!(labels(Scale::Log, (0.002, 500.0)), ["0.01", "0.1", "1", "10", "100"]);
        assert_eq!(labels(Scale::Log, (0.02, 0.3)), ["0.02", "0.05", "0.1", "0.2"]);
        let many = labels(Scale::Log, (1e-12, 1e12));
        assert!(many.len() <= 8, "{many:?}");
        assert!(ticks(Scale::Log, (0.0, 1.0), 5).is_empty());
    }
}
