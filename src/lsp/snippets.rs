//! Statements as templates: the words of `Place::heads` and what is usually written after them. Editors that know no
//! server have them too (`editors/vscode/snippets`), made from this table.

use crate::syntax::Place;

/// A template in the form of the protocol: `${1:name}` are places to fill in.
#[derive(Copy, Clone, Debug)]
pub struct Snippet {
    pub place: Place,
    /// the word that it begins with
    pub head: &'static str,
    pub body: &'static str,
    pub doc: &'static str,
}

const fn row(place: Place, head: &'static str, body: &'static str, doc: &'static str) -> Snippet {
    Snippet { place, head, body, doc }
}

use Place::{Block, File, Function, Model, Part, Run, Solver, Target};

/// One row for each word that begins a statement, place by place.
pub const TABLE: &[Snippet] = &[
    row(File, "use", "use \"${1:file.sde}\"", "Takes in the declarations of another file."),
    row(File, "const", "const ${1:name} = ${2:1}", "A number known when the program is compiled."),
    row(File, "data", "data ${1:y}: real[${2:n}] = csv(\"${3:data.csv}\", column = \"${4:y}\")", "Data from a file."),
    row(File, "fn", "fn ${1:f}(${2:x}) = ${0:x}", "A function."),
    row(
        File,
        "target",
        "target ${1:p}(${2:h = 1.0}) on ${3:x}: real {\n  potential ${0:h*(x^2 - 1)^2}\n}",
        "A density, known up to a factor.",
    ),
    row(
        File,
        "model",
        "model ${1:m}(${2:k = 1.0}) {\n  state ${3:x} = ${4:0.0}\n  d${3:x} = ${0:-k*x dt + dW}\n}",
        "A system that moves.",
    ),
    row(
        File,
        "solver",
        "solver ${1:s}() on ${2:ito}(a, b) {\n  order strong = ${3:0.5}, weak = ${4:1}\n  step {\n    ${0:x' = x + a(t, x)*dt + b(t, x) @ dW}\n  }\n}",
        "A step rule.",
    ),
    row(
        File,
        "run",
        "run ${1:r} {\n  model  = ${2:m}()\n  solver = ${3:euler_maruyama}\n  time   = 0 .. ${4:1} step ${5:0.01}\n  paths  = ${6:10_000}\n  seed   = 1\n  report ${0:mean(x)}\n}",
        "An experiment.",
    ),
    row(Function, "let", "let ${1:y} = ${0:x}", "Names a value."),
    row(Function, "return", "return ${0:y}", "The value of the function."),
    row(Target, "let", "let ${1:y} = ${0:x}", "Names a value."),
    row(Target, "const", "const ${1:name} = ${0:1}", "A number known when the program is compiled."),
    row(Target, "data", "data ${1:y}: real[${2:n}] = csv(\"${3:data.csv}\", column = \"${4:y}\")", "Data from a file."),
    row(Target, "fn", "fn ${1:f}(${2:x}) = ${0:x}", "A function."),
    row(Target, "log_density", "log_density ${0:-x^2/2}", "Adds to the log density."),
    row(Target, "potential", "potential ${0:x^2/2}", "Adds minus this to the log density."),
    row(Model, "part", "part ${1:A} {\n  d${2:x} = ${0:-x dt}\n}", "Flows that a splitting moves by themselves."),
    row(Model, "step", "step {\n  ${1:x}' = ${0:x}\n}", "Discrete dynamics."),
    row(Model, "convention", "convention ${1|ito,stratonovich,anti_ito,alpha(1/2)|}", "How the equations are read."),
    row(Model, "noise", "noise ${1:W}: wiener[${0:2}]", "Declares a noise, to share it or to correlate it."),
    row(Model, "state", "state ${1:x} = ${0:0.0}", "What a path carries, with its start."),
    row(Model, "weight", "weight ${1:w} = ${0:0.0}", "A state that holds a log weight."),
    row(Model, "every", "every ${1:0.1} {\n  ${2:x}' = ${0:x}\n}", "At equal times."),
    row(Model, "at", "at ${1:end} {\n  ${2:x}' = ${0:x}\n}", "At given times."),
    row(Model, "when", "when ${1:x > 1} {\n  ${0:stop}\n}", "After each step where a condition holds."),
    row(Model, "let", "let ${1:y} = ${0:x}", "A value that holds at all times, and can be reported."),
    row(Model, "const", "const ${1:name} = ${0:1}", "A number known when the program is compiled."),
    row(Model, "data", "data ${1:y}: real[${2:n}] = csv(\"${3:data.csv}\", column = \"${4:y}\")", "Data from a file."),
    row(Model, "fn", "fn ${1:f}(${2:x}) = ${0:x}", "A function."),
    row(Part, "let", "let ${1:y} = ${0:x}", "Names a value."),
    row(Block, "let", "let ${1:y} = ${0:x}", "Names a value of this step."),
    row(Block, "fn", "fn ${1:f}(${2:y}) = ${0:y}", "A function."),
    row(Block, "state", "state ${1:y} = ${0:x}", "Carried through the block."),
    row(Block, "weight", "weight ${1:w} = ${0:0.0}", "A state that holds a log weight."),
    row(Block, "if", "if ${1:x > 0} {\n  ${0:x' = x}\n}", "Statements under a condition."),
    row(Block, "for", "for ${1:k} in 0..${2:n} {\n  ${0:x' = x}\n}", "Statements that repeat."),
    row(Block, "error", "error ${0:b*(f' - f)}", "An estimate of the error of the step, for steps that paths choose."),
    row(Block, "solve", "solve ${1:z}: ${2:z - x - dt*a(t', z)} == 0 from ${0:x}", "An implicit stage."),
    row(Block, "stop", "stop", "The path ends and keeps its values."),
    row(Solver, "order", "order strong = ${1:0.5}, weak = ${0:1}", "The orders that the rule is known to have."),
    row(Solver, "step", "step {\n  ${0:x' = x + a(t, x)*dt + b(t, x) @ dW}\n}", "One step."),
    row(Solver, "state", "state ${1:f} = ${0:a(t, x)}", "Kept from step to step."),
    row(Solver, "let", "let ${1:c} = ${0:1/2}", "Names a value."),
    row(Solver, "const", "const ${1:name} = ${0:1}", "A number known when the program is compiled."),
    row(Solver, "fn", "fn ${1:f}(${2:y}) = ${0:y}", "A function."),
    row(Run, "let", "let ${1:m} = ${0:mean(x)}", "Names a value of the run."),
    row(Run, "report", "report ${0:mean(x), std(x)}", "Statistics to be told, with their errors."),
    row(Run, "plot", "plot ${0:fan(x)}", "Pictures."),
    row(Run, "check", "check ${0:abs(mean(x)) < 4*se(mean(x))}", "What the run must show."),
    row(Run, "save", "save ${1:x} every ${2:0.1} first ${3:20} to \"${0:paths.csv}\"", "Paths into a file."),
    row(Run, "estimate", "estimate ${1:mean(x)} to ${0:0.01}", "As many paths as an error asks for."),
    row(Run, "init", "init ${1:x} = ${0:0.0}", "Another start for a state."),
    row(Run, "sweep", "sweep ${1:k} = [${0:0.5, 1, 2}]", "The run for each value of a parameter."),
    row(Run, "converge", "converge steps = [${1:16, 32, 64, 128}], reference = ${0:1024}", "Measures orders."),
    row(Run, "train", "train ${1:net} to minimise ${2:mean(loss)} by adam(${3:1e-3}) for ${0:1_000} steps", "Fits."),
    row(Run, "phase", "phase ${1:second} {\n  time = ${0:1_000 steps}\n}", "Goes on from where the run is."),
    row(Run, "for", "for ${1:k} in 0..${2:10} {\n  phase ${3:again} { paths = ${0:10} }\n}", "Phases that repeat."),
];

/// The templates of a place.
pub fn of(place: Place) -> impl Iterator<Item = &'static Snippet> {
    TABLE.iter().filter(move |s| s.place == place)
}

/// A template with its places filled in as they are proposed.
pub fn plain(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 2..];
        let end = inner.find('}').unwrap_or(inner.len());
        let digits = inner.find(|c: char| !c.is_ascii_digit()).unwrap_or(end).min(end);
        let proposed = inner[digits..end].trim_matches('|').trim_start_matches(':');
        let choice = inner[digits..].starts_with('|');
        out.push_str(if choice { proposed.split(',').next().unwrap_or("") } else { proposed });
        rest = inner.get(end + 1..).unwrap_or("");
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    #[test]
    fn every_head_has_a_template_that_parses() {
        for place in Place::ALL {
            let heads: Vec<&str> = of(place).map(|s| s.head).collect();
            assert_eq!(heads, place.heads(), "{place:?}");
        }
        let around = |place: Place, body: &str| match place {
            File => body.to_string(),
            Function if body.starts_with("return") => format!("fn f(x) {{\n{body}\n}}"),
            Function => format!("fn f(x) {{\n{body}\nreturn x\n}}"),
            Target => format!("target p on x: real {{\n{body}\n}}"),
            Model => format!("model m {{\n{body}\n}}"),
            Part => format!("model m {{\npart A {{\n{body}\n}}\n}}"),
            Block => format!("solver s on ito(a, b) {{\nstep {{\n{body}\n}}\n}}"),
            Solver => format!("solver s on ito(a, b) {{\n{body}\n}}"),
            Run => format!("run r {{\n{body}\n}}"),
        };
        for s in TABLE {
            let text = around(s.place, &plain(s.body));
            let problems = crate::syntax::parse(FileId(0), &text).problems;
            assert!(problems.is_empty(), "{text}\n{problems:?}");
            assert!(plain(s.body).starts_with(s.head));
        }
    }
}
