//! Numbers as a person writes them: by a few decimals where those are within a few roundings of the constant, else by an
//! exact form (`8/3`, `2*pi`, `sqrt(2)`) where that form, rounded to a double, is the constant bit for bit.

use std::f64::consts::PI;

/// A non-negative constant in the form it is shown in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Numeral {
    Decimal(f64),
    /// `p/q` in lowest terms, `q > 1`
    Fraction(u32, u32),
    /// `(p/q) * pi`
    Pi(u32, u32),
    /// `sqrt(n)`
    Root(u32),
    Infinite,
    NotANumber,
}

/// The form of a non-negative constant. Decimals of up to six digits stay decimals.
pub fn numeral(value: f64) -> Numeral {
    if value.is_nan() {
        return Numeral::NotANumber;
    }
    if value.is_infinite() {
        return Numeral::Infinite;
    }
    if let Some(value) = short(value) {
        return Numeral::Decimal(value);
    }
    fraction(value).or_else(|| multiple_of_pi(value)).or_else(|| root(value)).unwrap_or(Numeral::Decimal(value))
}

/// Whether a constant is one half, a quarter or an eighth: factors that are written as divisions.
pub fn binary_share(value: f64) -> Option<u32> {
    [2, 4, 8].into_iter().find(|q| value == 1.0 / f64::from(*q))
}

/// The shortest decimals that read back as the same double; with an exponent where it is very large or small.
pub fn decimal(value: f64) -> String {
    let moderate = value == 0.0 || (1e-4..1e7).contains(&value.abs());
    if moderate { format!("{value}") } else { format!("{value:e}") }
}

/// A number of up to six digits that a constant is, up to the rounding of the operations it may come from.
fn short(value: f64) -> Option<f64> {
    let near: f64 = format!("{value:.5e}").parse().expect("a number");
    ((near - value).abs() <= 4.0 * f64::EPSILON * value).then_some(near)
}

fn fraction(value: f64) -> Option<Numeral> {
    (3..=12u32).find_map(|q| {
        let p = (value * f64::from(q)).round();
        let found = (1.0..=1000.0).contains(&p) && p / f64::from(q) == value && gcd(p as u32, q) == 1;
        found.then_some(Numeral::Fraction(p as u32, q))
    })
}

fn multiple_of_pi(value: f64) -> Option<Numeral> {
    (1..=12u32).find_map(|q| {
        let p = (value * f64::from(q) / PI).round();
        let found = (1.0..=24.0).contains(&p) && p * PI / f64::from(q) == value && gcd(p as u32, q) == 1;
        found.then_some(Numeral::Pi(p as u32, q))
    })
}

fn root(value: f64) -> Option<Numeral> {
    let n = (value * value).round();
    ((2.0..=100.0).contains(&n) && n.sqrt() == value).then_some(Numeral::Root(n as u32))
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_forms_are_found_only_where_they_are_exact() {
        let cases = [
            (2.0, Numeral::Decimal(2.0)),
            (0.2, Numeral::Decimal(0.2)),
            (0.1 + 0.2, Numeral::Decimal(0.3)),
            (0.5 * 2f64.sqrt() * 2f64.sqrt(), Numeral::Decimal(1.0)),
            (8.0 / 3.0, Numeral::Fraction(8, 3)),
            (1.0 / 7.0, Numeral::Fraction(1, 7)),
            (2.0 * PI, Numeral::Pi(2, 1)),
            (PI / 4.0, Numeral::Pi(1, 4)),
            (2f64.sqrt(), Numeral::Root(2)),
            (2.666_666_7, Numeral::Decimal(2.666_666_7)),
            (0.123_456_789, Numeral::Decimal(0.123_456_789)),
        ];
        for (value, wanted) in cases {
            assert_eq!(numeral(value), wanted);
        }
    }

    #[test]
    fn decimals_read_back() {
        assert_eq!(decimal(100000.0), "100000");
        assert_eq!(decimal(1e-10), "1e-10");
        assert_eq!(decimal(6.02e23), "6.02e23");
        assert_eq!(decimal(0.001), "0.001");
    }
}
