//! Colours of heat maps: viridis (S. van der Walt and N. Smith, 2015), whose lightness grows evenly, so that it reads in grey
//! and with any kind of colour blindness.

/// Viridis at equal distances.
const STOPS: [[u8; 3]; 11] = [
    [68, 1, 84],
    [72, 36, 117],
    [65, 68, 135],
    [53, 95, 141],
    [42, 120, 142],
    [33, 145, 140],
    [34, 168, 132],
    [68, 191, 112],
    [122, 209, 81],
    [189, 223, 38],
    [253, 231, 37],
];

/// Steps of colour that are told apart.
pub const STEPS: usize = 96;

/// The step of a number between 0 and 1.
pub fn step(share: f64) -> usize {
    ((share.clamp(0.0, 1.0) * STEPS as f64) as usize).min(STEPS - 1)
}

/// The colour of a step.
pub fn of_step(step: usize) -> [u8; 3] {
    let at = step as f64 / (STEPS - 1) as f64 * (STOPS.len() - 1) as f64;
    let k = (at as usize).min(STOPS.len() - 2);
    let share = at - k as f64;
    std::array::from_fn(|c| {
        let (a, b) = (f64::from(STOPS[k][c]), f64::from(STOPS[k + 1][c]));
        (a + share * (b - a)).round() as u8
    })
}

/// The colour of a step as SVG takes it.
pub fn hex(step: usize) -> String {
    let [r, g, b] = of_step(step);
    format!("#{r:02x}{g:02x}{b:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lightness_grows() {
        let light = |s: usize| {
            let [r, g, b] = of_step(s).map(f64::from);
            0.2126 * r + 0.7152 * g + 0.0722 * b
        };
        assert!((1..STEPS).all(|s| light(s) > light(s - 1)));
        assert_eq!((step(-1.0), step(2.0)), (0, STEPS - 1));
        assert_eq!(hex(0), "#440154");
    }
}
