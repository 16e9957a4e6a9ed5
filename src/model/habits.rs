//! Names that other languages have and this one writes otherwise, for the help of "is not declared".

/// A foreign name, and what to write.
const NAMES: &[(&str, &str)] = &[
    ("median", "write `quantile(x, 0.5)`"),
    ("percentile", "write `quantile(x, 0.95)`, with a probability"),
    ("variance", "write `var(x)`"),
    ("stddev", "write `std(x)`"),
    ("stdev", "write `std(x)`"),
    ("E", "write `mean(x)`"),
    ("expectation", "write `mean(x)` over paths, `expect(p, x -> x^2)` under a target"),
    ("average", "write `avg(x)` over the elements of an array, `mean(x)` over paths"),
    ("randn", "a standard normal draw is `normal()`"),
    ("rand", "a uniform draw is `uniform()`"),
    ("std_normal", "write `normal()`"),
    ("multi_normal", "write `gaussian(mean, covariance)`"),
    ("mvn", "write `gaussian(mean, covariance)`"),
    ("normal_cdf", "the distribution function of a normal is `erfc(-x/sqrt(2))/2`"),
    ("norm_cdf", "the distribution function of a normal is `erfc(-x/sqrt(2))/2`"),
    ("cdf", "that of a normal is `erfc(-x/sqrt(2))/2`; of paths take `prob(x < c)`"),
    ("Phi", "the distribution function of a normal is `erfc(-x/sqrt(2))/2`"),
    ("half_normal", "draw it as `abs(normal())`; in a target take `sigma = exp(s)` with `s ~ normal(0, 1)`"),
    ("half_cauchy", "draw it as `abs(cauchy(0, 1))`; in a target take `sigma = exp(s)` with `s ~ normal(0, 1)`"),
    ("inv_logit", "write `sigmoid(x)`"),
    ("log_sum_exp", "write `logsumexp(x)`"),
    ("range", "an index set is written `0..n`"),
    ("len", "sizes are names: declare `x: real[n]` and write `n`"),
    ("length", "sizes are names: declare `x: real[n]` and write `n`"),
    ("ln", "the natural logarithm is `log(x)`"),
    ("log10", "write `log(x)/log(10)`"),
    ("log2", "write `log(x)/log(2)`"),
    ("pow", "powers are written `x^2`"),
    ("arcsin", "write `asin(x)`"),
    ("arccos", "write `acos(x)`"),
    ("arctan", "write `atan(x)`"),
    ("arctan2", "write `atan2(y, x)`"),
    ("fabs", "write `abs(x)`"),
    ("round", "write `floor(x + 0.5)`"),
    ("maximum", "write `max(a, b)`"),
    ("minimum", "write `min(a, b)`"),
    ("matmul", "a product of matrices is `A @ B`"),
    ("transpose", "the transpose is `A.T`"),
    ("identity", "the identity matrix is `eye(n)`"),
    ("e", "the exponential is `exp(x)`, and Euler's number `exp(1)`"),
    ("np", "functions are called by their name alone: `sin(x)`, `zeros(n)`"),
    ("numpy", "functions are called by their name alone: `sin(x)`, `zeros(n)`"),
    ("jnp", "functions are called by their name alone: `sin(x)`, `zeros(n)`"),
    ("math", "functions are called by their name alone: `sin(x)`"),
    ("torch", "functions are called by their name alone: `sin(x)`, `zeros(n)`"),
    ("True", "write `true`"),
    ("False", "write `false`"),
];

/// Types of other languages.
const TYPES: &[(&str, &str)] = &[
    ("float", "write `real`"),
    ("double", "write `real`"),
    ("number", "write `real`"),
    ("vector", "a vector is `real[n]`"),
    ("array", "an array is `real[n]` or `real[n, m]`"),
    ("matrix", "a matrix is `real[n, m]`"),
    ("integer", "write `int`"),
    ("boolean", "write `bool`"),
    ("function", "a function of one number is `(real) -> real`"),
];

/// Settings as other tools call them.
const SETTINGS: &[(&str, &str)] = &[
    ("dt", "the step is part of the time: `time = 0 .. 1 step 1e-3`"),
    ("h", "the step is part of the time: `time = 0 .. 1 step 1e-3`"),
    ("step", "the step is part of the time: `time = 0 .. 1 step 1e-3`"),
    ("steps", "the steps are part of the time: `time = 1_000 steps`"),
    ("n_steps", "the steps are part of the time: `time = 1_000 steps`"),
    ("iterations", "the steps are part of the time: `time = 1_000 steps`"),
    ("t", "the times are `time = 0 .. 1 step 1e-3`"),
    ("init_state", "a start is replaced by `init x = 0`, or `init x ~ normal(0, 1)`"),
    ("x0", "a start is replaced by `init x = 0`, or `init x ~ normal(0, 1)`"),
    ("T", "the end is part of the time: `time = 0 .. 1 step 1e-3`"),
    ("t_end", "the end is part of the time: `time = 0 .. 1 step 1e-3`"),
    ("tspan", "write `time = 0 .. 1 step 1e-3`"),
    ("n_paths", "write `paths = 1_000`"),
    ("samples", "write `paths = 1_000`"),
    ("chains", "each path is a chain: write `paths = 4`"),
    ("method", "write `solver = ...`"),
    ("scheme", "write `solver = ...`"),
    ("process", "write `model = ...`"),
];

pub fn of_name(name: &str) -> Option<String> {
    find(NAMES, name)
}

pub fn of_type(name: &str) -> Option<String> {
    find(TYPES, name)
}

pub fn of_setting(name: &str) -> Option<String> {
    find(SETTINGS, name)
}

/// The name or type that a habit stands for, where nothing else has to change: `asin` in "write `asin(x)`".
pub fn replacement(help: &str) -> Option<&str> {
    let mut quoted = help.split('`').skip(1).step_by(2);
    let (Some(text), None) = (quoted.next(), quoted.next()) else { return None };
    let (name, args) = text.split_once('(').unwrap_or((text, ")"));
    let plain = |text: &str| text.chars().all(|c| c.is_alphabetic() || c == '_');
    let args = args.strip_suffix(')')?;
    (plain(name) && args.chars().all(|c| c.is_alphabetic() || c == ',' || c == ' ')).then_some(name)
}

fn find(table: &[(&str, &str)], name: &str) -> Option<String> {
    table.iter().find(|(other, _)| *other == name).map(|(_, ours)| ours.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_are_names() {
        let of = |name: &str| of_name(name).and_then(|help| replacement(&help).map(str::to_string));
        assert_eq!(of("arcsin"), Some("asin".into()));
        assert_eq!(of("ln"), Some("log".into()));
        assert_eq!(of("True"), Some("true".into()));
        assert_eq!([of("median"), of("np"), of("pow"), of("average"), of("log10")], [const { None }; 5]);
        assert_eq!(of_type("float").and_then(|h| replacement(&h).map(str::to_string)), Some("real".into()));
    }
}
