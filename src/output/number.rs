//! Numbers as text.

/// Significant digits of a number without a standard error.
const DIGITS: i32 = 6;

/// A relative error below which digits tell of rounding, not of chance.
const ROUNDING: f64 = 1e-12;

/// The power of ten of an error beside which a small value would vanish.
const HUGE: i32 = 6;

/// Beyond it squares, and so variances, are not finite.
const SQUARES_OVERFLOW: f64 = 1.3e154;

/// A value with its standard error: as many digits as show two of the error, with a common power of ten where the
/// numbers are large or small. Without an error (NaN) six digits; an error of zero is written as such. Where the error is
/// so large that it would leave no digit of the value, both have their own power.
///
/// ```
/// # use fokker::output::number::estimate;
/// assert_eq!(estimate(1.051_271_1, 0.000_451), "1.05127 ± 0.00045");
/// assert_eq!(estimate(1.0 / 3.0, f64::NAN), "0.333333");
/// ```
pub fn estimate(value: f64, se: f64) -> String {
    if value.is_finite() && se.is_nan() && value.abs() > SQUARES_OVERFLOW {
        return format!("{} ± inf", plain(value));
    }
    if !value.is_finite() || se.is_nan() {
        return plain(value);
    }
    if se == 0.0 || se.is_infinite() {
        return format!("{} ± {}", plain(value), plain(se));
    }
    if se < ROUNDING * value.abs() {
        return format!("{} ± {se:.1e}", plain(value));
    }
    let error_power = rounded(se, 1).1;
    if value != 0.0 && error_power >= HUGE && error_power > value_power(value) + 1 {
        return format!("{} ± {se:.1e}", plain(value));
    }
    let power = value_power(value).max(error_power);
    if (-4..6).contains(&power) {
        let decimals = places(1 - error_power);
        return format!("{value:.decimals$} ± {se:.decimals$}");
    }
    let scale = 10f64.powi(power);
    let decimals = places(1 + power - error_power);
    format!("({:.decimals$} ± {:.decimals$})e{power}", value / scale, se / scale)
}

/// A number with six significant digits, without zeros at its end.
pub fn plain(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_string();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_string();
    }
    if x == 0.0 {
        return "0".to_string();
    }
    let (digits, power) = rounded(x, DIGITS - 1);
    if (-4..10).contains(&power) {
        let decimals = places(DIGITS - 1 - power);
        return trimmed(format!("{x:.decimals$}"));
    }
    let decimals = places(DIGITS - 1);
    format!("{}e{power}", trimmed(format!("{digits:.decimals$}")))
}

/// The shortest text that reads back as the same number.
pub fn exact(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_string();
    }
    if x.is_finite() && (x == 0.0 || (1e-5..1e16).contains(&x.abs())) { format!("{x}") } else { format!("{x:e}") }
}

/// A count with thin separators: `200 000`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (k, c) in digits.chars().enumerate() {
        if k > 0 && (digits.len() - k).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(c);
    }
    text
}

/// A whole number as the language writes it: `1_000`, `1e6`.
pub fn whole(text: &str) -> Option<u64> {
    let digits = text.replace('_', "");
    // Whole numbers up to here have a float of their own.
    let exact = |x: &f64| *x >= 0.0 && *x <= (1u64 << 53) as f64 && x.fract() == 0.0;
    digits.parse().ok().or_else(|| digits.parse().ok().filter(exact).map(|x| x as u64))
}

/// A count with what it counts: `1 path`, `2 000 paths`.
pub fn counted(n: u64, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

fn places(n: i32) -> usize {
    n.clamp(0, 17) as usize
}

/// `x` as `digits * 10^power` when rounded to some decimals after the first digit.
fn rounded(x: f64, decimals: i32) -> (f64, i32) {
    let text = format!("{:.*e}", decimals as usize, x);
    let (digits, power) = text.split_once('e').expect("the exponent of a finite number");
    (digits.parse().expect("digits"), power.parse().expect("a power"))
}

fn value_power(x: f64) -> i32 {
    if x == 0.0 { i32::MIN } else { rounded(x, 5).1 }
}

fn trimmed(text: String) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_two_digits() {
        for (value, se, want) in [
            (1.051_271_1, 0.000_451, "1.05127 ± 0.00045"),
            (0.012_3, 0.34, "0.01 ± 0.34"),
            (-2.5, 0.099_7, "-2.50 ± 0.10"),
            (123.456, 12.3, "123 ± 12"),
            (99_123.4, 1234.0, "99123 ± 1234"),
            (0.0, 0.002, "0.0000 ± 0.0020"),
            (1.0, 0.0, "1 ± 0"),
            (2.0e-7, 3.14e-9, "(2.000 ± 0.031)e-7"),
            (5.123e9, 2.0e6, "(5.1230 ± 0.0020)e9"),
            (3.0e-8, 2.0e-7, "(0.3 ± 2.0)e-7"),
            (1e6, 1.0, "(1.0000000 ± 0.0000010)e6"),
            (0.5, f64::NAN, "0.5"),
            (17.8, 2.6e14, "17.8 ± 2.6e14"),
            (4.0e7, 5.0e7, "(4.0 ± 5.0)e7"),
            (9.25e166, f64::NAN, "9.25e166 ± inf"),
            (f64::NAN, 0.1, "nan"),
            (f64::NEG_INFINITY, 0.1, "-inf"),
        ] {
            assert_eq!(estimate(value, se), want);
        }
    }

    #[test]
    fn plain_numbers_are_short() {
        for (x, want) in [
            (0.1 + 0.2, "0.3"),
            (123_456.7, "123457"),
            (1e9, "1000000000"),
            (1.0 / 3.0, "0.333333"),
            (1e-5, "1e-5"),
            (-1.5e12, "-1.5e12"),
            (0.0, "0"),
        ] {
            assert_eq!(plain(x), want);
        }
    }

    #[test]
    fn exact_numbers_read_back() {
        for x in [0.1, -1.0 / 3.0, 1e300, 5e-324, f64::MAX, 123_456_789.123, 0.0, 1e-4] {
            assert_eq!(exact(x).parse::<f64>().unwrap(), x);
        }
        assert_eq!(exact(f64::INFINITY).parse::<f64>().unwrap(), f64::INFINITY);
        assert!(exact(f64::NAN).parse::<f64>().unwrap().is_nan());
        assert_eq!(exact(1e300), "1e300");
    }

    #[test]
    fn whole_numbers_may_have_a_power() {
        for (text, want) in
            [("1_000", Some(1000)), ("1e6", Some(1_000_000)), ("2.5e3", Some(2500)), ("1e30", None), ("0.5", None)]
        {
            assert_eq!(whole(text), want);
        }
        assert_eq!([whole("-1"), whole("-0.0"), whole("nan"), whole("x")], [None, Some(0), None, None]);
        assert_eq!(whole(&u64::MAX.to_string()), Some(u64::MAX));
        assert_eq!([counted(1, "path"), counted(2000, "path")], ["1 path", "2 000 paths"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!([count(7), count(1000), count(12_345_678)], ["7", "1 000", "12 345 678"]);
    }
}
