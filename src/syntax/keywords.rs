//! The words that mean something at the head of a statement or in an expression, with what they say: for help,
//! completion and highlighting.

/// A word of the language.
#[derive(Copy, Clone, Debug)]
pub struct Keyword {
    pub word: &'static str,
    /// one line
    pub doc: &'static str,
    pub example: &'static str,
}

const fn row(word: &'static str, doc: &'static str, example: &'static str) -> Keyword {
    Keyword { word, doc, example }
}

/// All words: those that can never be names, those that begin statements, and those that go on in them.
pub const TABLE: &[Keyword] = &[
    row("use", "Brings in the declarations of another file.", "use \"models.sde\""),
    row("const", "Names a value that is known when the file is compiled.", "const n = 16"),
    row("data", "Names numbers from a file or a literal.", "data y: real[n] = csv(\"y.csv\", column = \"y\")"),
    row("fn", "A function of its arguments.", "fn drift(x, k = 1) = -k*x"),
    row("target", "A law given by its log density.", "target well(h = 1.0) on x: real { potential h*(x^2 - 1)^2 }"),
    row(
        "model",
        "A system that moves: states and their equations.",
        "model ou(k = 1.0) { state x = 0.0; dx = -k*x dt + dW }",
    ),
    row(
        "solver",
        "A step rule: how states go from t to t'.",
        "solver euler() on ito(a, b) { step { x' = x + a(t, x)*dt + b(t, x) @ dW } }",
    ),
    row(
        "run",
        "An experiment: a model, a solver, a time, and what is asked.",
        "run r { model = ou(); solver = euler_maruyama; time = 0 .. 1 step 1e-2; report mean(x) }",
    ),
    row("let", "Names a value.", "let v = max(x, 0)"),
    row("return", "The value of a function that is written as a block.", "return a/b"),
    row("if", "Chooses between two values.", "if x > 0 then x else 0"),
    row("then", "Begins the value of `if` where the condition holds.", "if x > 0 then x else 0"),
    row("else", "Begins the value of `if` where it does not.", "if x > 0 then x else 0"),
    row("for", "Repeats over an index: in sums, lists and blocks.", "sum(x[i]^2 for i in 0..n)"),
    row("in", "Names what an index runs over, or a range.", "[i^2 for i in 0..4]"),
    row("and", "Both conditions hold.", "x > 0 and x < 1"),
    row("or", "One of two conditions holds.", "x < 0 or x > 1"),
    row("not", "The condition does not hold.", "not (x > 0)"),
    row("true", "The condition that always holds.", "true"),
    row("false", "The condition that never holds.", "false"),
    row("log_density", "Adds to the log density of a target.", "log_density -x^2/2"),
    row("potential", "Adds to the potential of a target: minus the log density.", "potential x^2/2"),
    row("part", "Names a part of a flow, which `split` composes.", "part A { dx = v dt }"),
    row("step", "How states are renewed in a step.", "step { x' = x + a(t, x)*dt }"),
    row(
        "convention",
        "How the noise of a model is read: `ito`, `stratonovich`, `anti_ito`, `alpha(c)`.",
        "convention stratonovich",
    ),
    row(
        "noise",
        "Declares a noise of a model, or how a run draws it.",
        "noise W: wiener[2] with correlation [[1, rho], [rho, 1]]",
    ),
    row("state", "What a path carries, with its start.", "state x: real[2] ~ normal(0, 1)"),
    row("weight", "A log weight of a path.", "weight w = 0.0"),
    row("every", "A block that runs at regular times.", "every 10 steps { x' = 0 }"),
    row("at", "A block that runs at some times, or when a statement looks.", "report mean(x) at [0.5, 1]"),
    row("when", "A block that runs after each step where a condition holds.", "when x < 0 { stop }"),
    row("error", "An estimate of the error of a step, for steps that paths choose.", "error x' - e"),
    row("solve", "An equation that a step solves.", "solve z: z == x + a(t', z)*dt from x"),
    row("stop", "The path ends and keeps its values.", "when x < 0 { stop }"),
    row("order", "The orders of convergence that a solver states.", "order strong = 1, weak = 1 for diagonal"),
    row("report", "What a run tells: statistics over paths.", "report mean(x), quantile(x, 0.95)"),
    row("plot", "What a run draws.", "plot histogram(x)"),
    row("check", "What must hold for a run.", "check abs(mean(x)) < 4*se(mean(x))"),
    row("save", "Writes paths to a file.", "save x every 0.01 first 100 to \"paths.csv\""),
    row("estimate", "A mean that is worked out to an error.", "estimate mean(max(s - 100, 0)) to 0.01"),
    row("init", "Starts a state of the model elsewhere.", "init x ~ normal(0, 1)"),
    row(
        "on",
        "Over what a target is, or for what form of models a step is.",
        "target well() on x: real { potential x^2 }",
    ),
    row(
        "with",
        "How the components of a noise are correlated.",
        "noise W: wiener[2] with correlation [[1, rho], [rho, 1]]",
    ),
    row(
        "correlation",
        "A matrix with ones on its diagonal.",
        "noise W: wiener[2] with correlation [[1, rho], [rho, 1]]",
    ),
    row("covariance", "A covariance per unit of time.", "noise W: wiener[2] with covariance S"),
    row("steps", "Counts steps.", "time = 1_000 steps"),
    row("tol", "The tolerance by which each path chooses its steps.", "time = 0 .. 1 tol 1e-3"),
    row(
        "over",
        "Pools times, or the elements of an axis, in a statistic.",
        "report mean(x) over t in [2, 10] every 0.1",
    ),
    row("last", "The last steps of a run, pooled.", "report mean(x) over last 1_000 steps"),
    row("first", "How many paths are saved.", "save x every 0.01 first 100 to \"paths.csv\""),
    row("to", "The file that is written.", "save x to \"ends.csv\""),
    row("from", "Where the search for a solution begins.", "solve z: z == x + a(t', z)*dt from x"),
    row("by", "The method that a `solve` takes.", "solve z: z == x + a(t', z)*dt from x by newton(6)"),
    row("sweep", "Runs a parameter over values.", "sweep sigma = [0.1, 0.2, 0.4]"),
    row("converge", "Measures orders of convergence.", "converge steps = [16, 32, 64], reference = 1024"),
    row("train", "Fits parameters.", "train k to minimise mean(x^2) by adam(1e-3) for 1_000 steps"),
    row(
        "phase",
        "A run inside a run that starts where the last one stopped.",
        "phase sampling { time = 0 .. 10 step 1e-2 }",
    ),
];

/// The row of a word.
pub fn lookup(word: &str) -> Option<&'static Keyword> {
    TABLE.iter().find(|k| k.word == word)
}

#[cfg(test)]
mod tests {
    use super::super::explain::RESERVED;
    use super::super::grammar::Place;
    use super::*;

    #[test]
    fn the_table_has_every_word_once() {
        let heads = Place::ALL.iter().flat_map(|p| p.heads()).copied();
        for word in RESERVED.into_iter().chain(heads) {
            assert!(lookup(word).is_some(), "{word}");
        }
        for keyword in TABLE {
            assert_eq!(TABLE.iter().filter(|k| k.word == keyword.word).count(), 1, "{}", keyword.word);
            let known = RESERVED.contains(&keyword.word) || super::super::grammar::keywords().contains(&keyword.word);
            assert!(known, "{} is no word of the grammar", keyword.word);
        }
    }
}
