//! Words that have a meaning in one place of the language and are free names elsewhere: kinds of noise, conventions, types, parts of statements, and names that the language gives. For help,
//! completion and the editors; the words that begin statements are in `keywords`, those of runs in `settings`.

/// Where a word has its meaning.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Noise,
    Convention,
    Type,
    /// inside a statement
    Part,
    Given,
}

impl Kind {
    /// In a word, for help.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Noise => "noise",
            Kind::Convention => "convention",
            Kind::Type => "type",
            Kind::Part => "word",
            Kind::Given => "given name",
        }
    }
}

/// A word, as it is written, and what it says.
#[derive(Copy, Clone, Debug)]
pub struct Word {
    pub word: &'static str,
    pub kind: Kind,
    pub signature: &'static str,
    pub doc: &'static str,
    pub example: &'static str,
}

const fn row(
    word: &'static str,
    kind: Kind,
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
) -> Word {
    Word { word, kind, signature, doc, example }
}

pub const TABLE: &[Word] = &[
    row(
        "wiener",
        Kind::Noise,
        "noise W: wiener, noise W: wiener[m] with correlation C",
        "A Wiener process, or m of them: independent, with a correlation, or with a covariance. Its increment in an equation \
         is `dW`. An undeclared `dW` in one equation is a Wiener process of its own.",
        "noise W: wiener[2] with correlation [[1, rho], [rho, 1]]",
    ),
    row("fbm", Kind::Noise, "noise B: fbm(H)", "Fractional Brownian motion; not supported yet.", ""),
    row(
        "ou",
        Kind::Noise,
        "noise C: ou(tau)",
        "A coloured noise; not supported yet. A state of its own can drive another.",
        "",
    ),
    row("poisson", Kind::Noise, "noise N: poisson(rate)", "A Poisson process; not supported yet.", ""),
    row(
        "compound_poisson",
        Kind::Noise,
        "noise J: compound_poisson(rate, law)",
        "Jumps of a law; not supported yet.",
        "",
    ),
    row("stable", Kind::Noise, "noise L: stable(alpha)", "A stable Levy process; not supported yet.", ""),
    row(
        "ito",
        Kind::Convention,
        "convention ito",
        "The noise is taken at the start of a step. The default.",
        "convention ito",
    ),
    row(
        "stratonovich",
        Kind::Convention,
        "convention stratonovich",
        "The noise is taken in the middle of a step: the chain rule holds as in ordinary calculus.",
        "convention stratonovich",
    ),
    row(
        "anti_ito",
        Kind::Convention,
        "convention anti_ito",
        "The noise is taken at the end of a step.",
        "convention anti_ito",
    ),
    row(
        "alpha",
        Kind::Convention,
        "convention alpha(c)",
        "The noise is taken at the part c of a step: 0 is Ito's, 1/2 Stratonovich's.",
        "convention alpha(1/4)",
    ),
    row(
        "real",
        Kind::Type,
        "x: real, x: real[n], A: real[n, m]",
        "A number, or an array of them.",
        "state x: real[3] = 0",
    ),
    row(
        "int",
        Kind::Type,
        "n: int = 3",
        "A whole number that is known when the file is compiled.",
        "model chain(n: int = 3) { ... }",
    ),
    row("bool", Kind::Type, "b: bool", "A condition, `true` or `false`.", "fn inside(x: real) = x > 0 and x < 1"),
    row(
        "over",
        Kind::Part,
        "... over t in [a, b] every s, ... over last n steps, ... over i in 0..n",
        "Pools the values of several times, or of the elements of an array, into one statistic.",
        "report mean(x), ess(x) over last 500 steps",
    ),
    row(
        "tol",
        Kind::Part,
        "time = a .. b tol e",
        "Each path chooses its steps by their errors, for solvers that estimate them.",
        "time = 0 .. 1 tol 1e-3",
    ),
    row("steps", Kind::Part, "time = n steps", "A number of steps in place of times.", "time = 1_000 steps"),
    row(
        "on",
        Kind::Part,
        "target NAME on x: TYPE, solver NAME on FORM(...)",
        "What a target is a law of, or the form that a solver sees.",
        "target bell() on x: real { x ~ normal(0, 1) }",
    ),
    row(
        "to",
        Kind::Part,
        "save e to \"FILE\", plot ... to \"FILE\"",
        "The file that a statement writes.",
        "save x to \"ends.csv\"",
    ),
    row(
        "first",
        Kind::Part,
        "save e first n to \"FILE\"",
        "How many paths are saved.",
        "save x every 0.01 first 10 to \"x.csv\"",
    ),
    row(
        "with",
        Kind::Part,
        "noise W: wiener[m] with correlation C",
        "Begins the correlation or the covariance of a noise.",
        "noise W: wiener[2] with covariance [[1, 0.5], [0.5, 2]]",
    ),
    row("t", Kind::Given, "t", "The time; in a step `t'` is that of its end.", "dx = -x dt + sin(t) dW"),
    row(
        "dt",
        Kind::Given,
        "dt",
        "The differential of the time in an equation; in a step of a solver its length.",
        "dx = -x dt + dW",
    ),
    row(
        "dW",
        Kind::Given,
        "dW",
        "The increment of the noise `W`. In a model, undeclared, it is a Wiener process of its equation alone; any name that \
         begins with `d` is another one. In a step of a solver it is the increment over the step.",
        "dx = -x dt + sigma dW",
    ),
    row(
        "dZ",
        Kind::Given,
        "dZ",
        "In a step of a solver, the integral of the Wiener process over the step.",
        "x' = x + b(t)*dW + a1*dZ",
    ),
    row("levy", Kind::Given, "levy[i, j]", "In a step of a solver, the antisymmetric Levy area of a vector `dW`.", ""),
    row("pi", Kind::Given, "pi", "3.14159...", "2*pi*x"),
    row("inf", Kind::Given, "inf", "Infinity, for ranges of parameters.", "model m(k = 1.0 in (0, inf)) { ... }"),
];

/// Kinds of noise.
pub const NOISES: [&str; 6] = of(Kind::Noise);

/// The words of a kind.
const fn of<const N: usize>(kind: Kind) -> [&'static str; N] {
    let mut words = [""; N];
    let (mut k, mut n) = (0, 0);
    while k < TABLE.len() {
        if TABLE[k].kind as u8 == kind as u8 {
            words[n] = TABLE[k].word;
            n += 1;
        }
        k += 1;
    }
    assert!(n == N, "the table has another number of them");
    words
}

/// All meanings of a word.
pub fn lookup(word: &str) -> impl Iterator<Item = &'static Word> {
    TABLE.iter().filter(move |w| w.word == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_has_one_meaning_of_a_kind() {
        for w in TABLE {
            assert_eq!(lookup(w.word).filter(|o| o.kind == w.kind).count(), 1, "{}", w.word);
            assert!(w.signature.contains(w.word) && w.doc.ends_with('.'), "{}", w.word);
        }
    }
}
