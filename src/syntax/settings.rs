//! The settings of a run: one row each.

/// A setting, `name = value`.
#[derive(Copy, Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// what it says, and what holds without it
    pub doc: &'static str,
    /// words that have a meaning in its value alone, with what they say
    pub words: &'static [(&'static str, &'static str)],
    pub example: &'static str,
}

const fn row(
    name: &'static str,
    doc: &'static str,
    words: &'static [(&'static str, &'static str)],
    example: &'static str,
) -> Setting {
    Setting { name, doc, words, example }
}

pub const TABLE: &[Setting] = &[
    row(
        "model",
        "The model that moves, or a target to draw from. Parameters that no argument gives are parameters of the run.",
        &[],
        "model = heston(rho = -0.5)",
    ),
    row(
        "solver",
        "The step rule, needed where the model moves. A list of solvers makes a variant of the run for each.",
        &[
            ("auto", "A solver that fits the model, which the compiler chooses."),
            ("split", "A composition of steps of parts: `split([A, B/2], B = heun)`."),
        ],
        "solver = [euler_maruyama, milstein]",
    ),
    row(
        "time",
        "From when to when, in steps: `0 .. 1 step 1e-3`. With `tol 1e-3` each path chooses its steps; a chain has a number of \
         steps, `1_000 steps`; an array gives the times themselves.",
        &[],
        "time = 0 .. 1 step 1e-3",
    ),
    row("paths", "The number of independent paths; 1000 where nothing is said.", &[], "paths = 100_000"),
    row("seed", "Which noise: a whole number, 0 where nothing is said. One seed is one answer.", &[], "seed = 1"),
    row(
        "precision",
        "The numbers that states and steps are made of; times and statistics are of 64 bits always.",
        &[("f64", "64 bits: what holds where nothing is said."), ("f32", "32 bits: twice as many paths at a time.")],
        "precision = f32",
    ),
    row(
        "threads",
        "The number of threads; all cores where nothing is said. No result depends on it.",
        &[],
        "threads = 4",
    ),
    row(
        "noise",
        "How the noise of a path is drawn.",
        &[
            ("stream", "Step by step: what holds where nothing is said, and the fastest."),
            ("tree", "From Brownian paths that runs with other steps, ends and solvers share."),
        ],
        "noise = tree",
    ),
];

/// The names of all settings.
pub const NAMES: [&str; TABLE.len()] = {
    let mut names = [""; TABLE.len()];
    let mut k = 0;
    while k < names.len() {
        names[k] = TABLE[k].name;
        k += 1;
    }
    names
};

pub fn lookup(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|s| s.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_settings() {
        for setting in TABLE {
            assert!(setting.example.starts_with(&format!("{} = ", setting.name)) && !setting.doc.is_empty());
            let text = format!("run r {{ {} }}", setting.example);
            assert!(crate::syntax::parse(crate::source::FileId(0), &text).problems.is_empty(), "{text}");
        }
        assert_eq!(NAMES.map(|n| lookup(n).is_some()), [true; TABLE.len()]);
    }
}
