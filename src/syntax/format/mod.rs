//! The formatter: one layout for every program, made from tokens and not from the tree, so that comments and the
//! author's line breaks stay where they are.
//!
//! Rules: two spaces for each brace, single blank lines, spaces by the neighbours of a token (`space`), settings of a run
//! and comments at the ends of lines in columns (`columns`). A line that continues a statement keeps its place below
//! the token that it stood under, or its distance from the start of the statement.

mod columns;
mod lines;
mod space;

use super::layout::layout;
use crate::diagnostics::Diagnostic;
use crate::source::FileId;

/// The text in canonical layout, with the same tokens and comments; formatting it again changes nothing. A text that
/// does not parse is left alone: its errors are given in place of a text.
pub fn format(file: FileId, text: &str) -> Result<String, Vec<Diagnostic>> {
    let errors: Vec<Diagnostic> = super::parse(file, text).problems.into_iter().filter(Diagnostic::is_error).collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let layout = layout(file, text);
    Ok(columns::write(&mut lines::lines(&layout, text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        let once = format(FileId(0), text).expect("a program that parses");
        assert_eq!(format(FileId(0), &once).expect("still parses"), once, "formatting is stable");
        once
    }

    #[test]
    fn spaces_by_neighbours() {
        let table = [
            ("const a=1+2*3^-x", "const a = 1 + 2*3^-x"),
            ("const a = - -1 - - b", "const a = - -1 - -b"),
            ("const a = f (x , k=1) [ 0 , : ]", "const a = f(x, k = 1)[0, :]"),
            ("const a = x[1 ..]+x[0..n]", "const a = x[1..] + x[0..n]"),
            ("const a = 0..  n", "const a = 0 .. n"),
            ("const a = A@b", "const a = A @ b"),
            ("const a = not(b)and c<-1", "const a = not (b) and c < -1"),
            ("const a = 1 .T", "const a = 1 .T"),
            ("const a = p . dim", "const a = p.dim"),
            ("fn f(x:(real,real[n])->real)=x->-x", "fn f(x: (real, real[n]) -> real) = x -> -x"),
            ("target t on x:real{potential -x}", "target t on x: real { potential -x }"),
            ("target t on x:real{potential (x)}", "target t on x: real { potential (x) }"),
            ("model m{dx=-x dt+b∘dW}", "model m { dx = -x dt + b ∘ dW }"),
            ("model m{ }", "model m { }"),
        ];
        for (text, expected) in table {
            assert_eq!(formatted(text), format!("{expected}\n"));
        }
    }

    #[test]
    fn blocks_blank_lines_and_semicolons() {
        let text = "\n\n# top\nmodel m(){state x=1;;\n\n\n  dx = 1 dt }\n\n\nconst a = 1 ;\n";
        let expected = "# top\nmodel m() {\n  state x = 1\n\n  dx = 1 dt\n}\n\nconst a = 1\n";
        assert_eq!(formatted(text), expected);
        let kept = "model m() {\n  state x = 1; state y = 2\n  step { x' = 1; y' = 2 }\n}\n";
        assert_eq!(formatted(kept), kept);
        let sign = "target t on x: real {\n  let a = x;\n  -a ~ normal()\n}\n";
        assert_eq!(formatted(sign), sign, "without `;` the second line would continue the first");
        assert_eq!(formatted("model m() {\n\n}\n"), "model m() { }\n");
    }

    #[test]
    fn comments_stay_with_their_lines() {
        let text =
            "model m() { # first\n# own\n      state x = 1 # one\n state yy = 22    # two\n\n  # last\n}# end\n# after";
        let expected = "model m() {  # first\n  # own\n  state x = 1    # one\n  state yy = 22  # two\n\n  # last\n}  # end\n# after\n";
        assert_eq!(formatted(text), expected);
    }

    #[test]
    fn settings_of_a_run_stand_in_columns() {
        let text = "run r {\n model=m()\n let a = 1\n time = 0..1 step 0.1\n report mean(x)\n check  x>0\n}\n";
        let expected =
            "run r {\n  model  = m()\n  let a = 1\n  time   = 0..1 step 0.1\n  report mean(x)\n  check  x > 0\n}\n";
        assert_eq!(formatted(text), expected);
    }

    #[test]
    fn an_author_may_put_equals_signs_into_a_column() {
        let text = "model m() {\n let a   = 1\n let bb  = 2\n let c = 3\n let d = 4\n}\n";
        let expected = "model m() {\n  let a  = 1\n  let bb = 2\n  let c = 3\n  let d = 4\n}\n";
        assert_eq!(formatted(text), expected);
    }

    #[test]
    fn continuations_keep_their_place() {
        let text =
            "solver s() on ito(a) {\n step {\n  let f3 = a(t, 1*f1\n              + 2*f2)\n x' = x +\n y\n }\n}\n";
        let expected = "solver s() on ito(a) {\n  step {\n    let f3 = a(t, 1*f1\n                + 2*f2)\n    x' = x +\n      y\n  }\n}\n";
        assert_eq!(formatted(text), expected);
        let list = "const a = [\n  [1,  -20],\n  [10,   3],\n]";
        assert!(format(FileId(0), list).is_err(), "a comma at the end of a list is no program");
        let list = "const a = [\n  [1,  -20],\n  [10,   3]\n]\n";
        assert_eq!(formatted(list), list);
    }

    #[test]
    fn broken_texts_are_left_alone() {
        let errors = format(FileId(0), "model m( {").expect_err("a broken text");
        assert!(!errors.is_empty());
    }
}
