//! The settings of a run: one row each.

/// A word that a setting can be, how it is written, and what it says.
pub type Choice = (&'static str, &'static str, &'static str);

/// A setting, `name = value`.
#[derive(Copy, Clone, Debug)]
pub struct Setting {
    pub name: &'static str,
    /// the ways to write it
    pub signature: &'static str,
    /// what it says, and what holds without it
    pub doc: &'static str,
    /// words that have a meaning in its value alone: how they are written and what they say
    pub words: &'static [Choice],
    pub example: &'static str,
}

const fn row(
    name: &'static str,
    signature: &'static str,
    doc: &'static str,
    words: &'static [Choice],
    example: &'static str,
) -> Setting {
    Setting { name, signature, doc, words, example }
}

pub const TABLE: &[Setting] = &[
    row(
        "model",
        "model = MODEL or TARGET",
        "What the run moves. A target alone is drawn from where that is exact, and sampled where the run has a solver.",
        &[],
        "model = ou(theta = 2)",
    ),
    row(
        "solver",
        "solver = SOLVER, [SOLVER, ...], auto or split([...])",
        "The step rule. `fokker check FILE` lists those that apply; a list makes a variant for each.",
        &[
            (
                "auto",
                "solver = auto",
                "A solver by the structure of the model: exact where the law of a step is known, a stabilised one \
                 where the step is too long for the drift, else that of the highest order for the noise. The run \
                 says what it took, and why.",
            ),
            (
                "split",
                "split([A/2, B, A/2], B = SOLVER)",
                "Moves the parts of a model in this order, each for its share of the step. A part moves exactly \
                 where it is linear with constants, else by `euler_maruyama`, else as named. Parts are written in \
                 the model: `part A { dx = v dt }`.",
            ),
        ],
        "solver = [euler_maruyama, milstein]",
    ),
    row(
        "time",
        "time = a .. b step h, a .. b tol e, n steps, or an increasing array",
        "When the run begins and ends, and its steps: of one length, chosen by each path from its errors, counted \
         (for chains), or at given times.",
        &[],
        "time = 0 .. 1 step 1e-3",
    ),
    row("paths", "paths = n", "How many independent paths; 1_000 if not given.", &[], "paths = 100_000"),
    row(
        "seed",
        "seed = n",
        "Which random numbers; 0 if not given. One seed gives the same noise to all runs, solvers and values of a \
         sweep.",
        &[],
        "seed = 1",
    ),
    row(
        "precision",
        "precision = f64 or f32",
        "Of states, steps and draws; f64 if not given. Times and statistics are in double precision always.",
        &[
            ("f64", "precision = f64", "Double precision: some 16 digits."),
            ("f32", "precision = f32", "Single precision: some 7 digits, up to twice as fast."),
        ],
        "precision = f32",
    ),
    row(
        "threads",
        "threads = n",
        "How many threads; all of the machine if not given. The numbers are the same.",
        &[],
        "threads = 4",
    ),
    row(
        "noise",
        "noise = stream or tree",
        "Where the increments come from: a draw for each step, or one Brownian path that runs with other steps \
         share. `stream` if not given.",
        &[
            ("stream", "noise = stream", "A draw for each step, by its number."),
            (
                "tree",
                "noise = tree",
                "One Brownian path for each seed and path, whatever the steps: runs with other steps follow the \
                 same one.",
            ),
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
