//! `check invariant(model, target)`: laws that dynamics keep, whatever the convention, and mistakes that are found with
//! the place where the residual is largest.

use fokker::output::result::Check;
use fokker::session::Request;

use crate::{program, results};

/// A planar well that has no symmetry, and the laws that go with it.
const TARGETS: &str = "
target line() on x: real { potential x^4/4 - x^2/2 + x/3 }
target phase() on z: real[2] { potential z[0]^4/4 - z[0]^2/2 + z[0]/3 + z[1]^2/2 }
target plane() on x: real[2] { potential (x[0]^2 - 1)^2 + x[1]^2/2 + x[0]*x[1]/2 }
target plane_phase() on z: real[4] { potential (z[0]^2 - 1)^2 + z[1]^2/2 + z[0]*z[1]/2 + (z[2]^2 + z[3]^2)/2 }
";

/// The conventions, and how much of the noise-induced drift each has.
const CONVENTIONS: [(&str, f64); 4] = [("ito", 0.0), ("alpha(0.3)", 0.3), ("stratonovich", 0.5), ("anti_ito", 1.0)];

/// What `check` statements give, one for each.
fn checks(models: &str, statements: &[String]) -> Vec<Check> {
    let statements: Vec<String> = statements.iter().map(|s| format!("  check invariant({s})\n")).collect();
    let text = format!(
        "{TARGETS}\n{models}\nmodel still() {{ state x = 0.0\n  dx = dt\n}}\nrun symbolic {{\n  model = still()\n  \
         solver = euler_maruyama\n  time = 0 .. 1 step 1\n  paths = 1\n{}}}\n",
        statements.concat()
    );
    let found = results(&program(&text), &Request::default()).remove(0).checks;
    assert_eq!(found.len(), statements.len());
    found
}

fn kept(models: &str, statements: &[&str]) {
    let statements: Vec<String> = statements.iter().map(|s| s.to_string()).collect();
    for check in checks(models, &statements) {
        assert!(check.passed, "{check:?}\n{models}");
    }
}

/// The law is not kept, and the note tells a residual that no rounding explains, and where: a value of each state.
fn broken(models: &str, statement: &str, states: &[&str]) {
    let check = checks(models, &[statement.to_string()]).remove(0);
    assert!(!check.passed, "{check:?}\n{models}");
    let note = check.note.expect("where it fails");
    let residual: f64 = note
        .split_once(" points is ")
        .and_then(|(_, rest)| rest.split_once(", at ")?.0.parse().ok())
        .unwrap_or_else(|| panic!("no residual in: {note}"));
    assert!((1e-3..=1.0).contains(&residual), "{note}");
    for state in states {
        assert!(note.contains(&format!("{state} = ")), "{note} does not say {state}");
    }
}

/// `langevin` and `underdamped` as in the library, in every convention: additive noise is read alike in all of them.
#[test]
fn langevin_dynamics_keeps_its_law_in_every_convention() {
    for (convention, _) in CONVENTIONS {
        let models = format!(
            "model over(p: target) {{ convention {convention}\n  state x: real[p.dim] ~ normal(0, 1)\n  \
             dx = score(p, x) dt + sqrt(2) dW\n}}\n\
             model under(p: target, gamma = 0.7) {{ convention {convention}\n  state q: real[p.dim] ~ normal(0, 1)\n  \
             state v: real[p.dim] ~ normal(0, 1)\n  dq = v dt\n  dv = (score(p, q) - gamma*v) dt + sqrt(2*gamma) dW\n}}"
        );
        kept(&models, &["over(line()), line()", "over(plane()), plane()"]);
        kept(&models, &["under(line()), phase()", "under(plane()), plane_phase()"]);
    }
    kept("", &["langevin(plane()), plane()", "underdamped(plane(), gamma = 2), plane_phase()"]);
    kept("", &["langevin(free_field(n = 30)), free_field(n = 30)", "langevin(funnel(d = 4)), funnel(d = 4)"]);
}

/// A colloid in one dimension: the drift `-D U' + (1 - c) D'`, with a share `keep` of the last term.
fn colloid(convention: &str, c: f64, keep: f64) -> String {
    format!(
        "model colloid() {{ convention {convention}\n  state x = 0.5\n  let U = potential(line(), x)\n  \
         let D = 0.5 + 1/(1 + x^2)\n  dx = (-D*grad(U, x) + {keep}*(1 - {c})*grad(D, x)) dt + sqrt(2*D) dW\n}}"
    )
}

#[test]
fn a_colloid_needs_the_gradient_of_its_diffusivity() {
    for (convention, c) in CONVENTIONS {
        kept(&colloid(convention, c, 1.0), &["colloid(), line()"]);
        if c < 1.0 {
            broken(&colloid(convention, c, 0.0), "colloid(), line()", &["x"]);
            broken(&colloid(convention, c, 0.99), "colloid(), line()", &["x"]);
            broken(&colloid(convention, c, -1.0), "colloid(), line()", &["x"]);
        } else {
            // Read at the end of the step the noise brings all of D' itself.
            kept(&colloid(convention, c, 0.0), &["colloid(), line()"]);
        }
    }
}

/// Currents J grad U with antisymmetric J, constant or with the term div J that a variable one needs.
#[test]
fn currents_along_the_level_lines_keep_the_law() {
    let turning = |q: &str, extra: &str| {
        format!(
            "model turning() {{ state x: real[2] = [1, 0]\n  let U = potential(plane(), x)\n  let g = grad(U, x)\n  \
             let q = {q}\n  dx = (-g + q*[g[1], -g[0]] + {extra}) dt + sqrt(2) dW\n}}"
        )
    };
    kept(&turning("1.5", "zeros(2)"), &["turning(), plane()"]);
    // (div J)_i = sum_j d_j J_ij with the sign that makes the current J grad U - div J free of divergence under exp(-U)
    kept(&turning("sin(x[0]*x[1])", "[-grad(q, x)[1], grad(q, x)[0]]"), &["turning(), plane()"]);
    broken(&turning("sin(x[0]*x[1])", "zeros(2)"), "turning(), plane()", &["x"]);
    broken(&turning("1.5", "[0.01*x[1], 0]"), "turning(), plane()", &["x"]);
}

/// A full matrix of noise that depends on place: the drift is `-S grad U + div S` for Ito, S = B B', less what the
/// convention brings by itself.
#[test]
fn noise_of_many_directions_keeps_the_law_with_the_divergence_of_its_square() {
    let model = |convention: &str, drift: &str| {
        format!(
            "model crossed() {{ convention {convention}\n  noise W: wiener[2]\n  state x: real[2] = [1, 0]\n  \
             let U = potential(plane(), x)\n  let B = [[1 + x[1]^2/4, x[0]/3], [0.2, 1 + sin(x[0])/2]]\n  \
             let S = B @ B.T\n  let divS = [div(S[0], x), div(S[1], x)]\n  \
             let induced = sum(jvp(c, x, c) for c in B.T)\n  dx = ({drift}) dt + sqrt(2)*B @ dW\n}}"
        )
    };
    for (convention, c) in CONVENTIONS {
        let drift = format!("-S @ grad(U, x) + divS - 2*{c}*induced");
        kept(&model(convention, &drift), &["crossed(), plane()"]);
        let other = format!("-S @ grad(U, x) + divS - 2*{}*induced", 0.5 * c + 0.2);
        broken(&model(convention, &other), "crossed(), plane()", &["x"]);
    }
    broken(&model("ito", "-S @ grad(U, x)"), "crossed(), plane()", &["x"]);
    // diag(D0(x), D1(x)) has the divergence [d_0 D0, d_1 D1]
    let diagonal = |divergence: &str| {
        format!(
            "model uneven() {{ state x: real[2] = [1, 0]\n  let U = potential(plane(), x)\n  \
             let D = [1/(1 + x[1]^2) + x[0]^2, 2 + sin(x[0]*x[1])]\n  let g = grad(U, x)\n  \
             dx = (-D*g + {divergence}) dt + sqrt(2*D)*dW\n}}"
        )
    };
    kept(&diagonal("[grad(D[0], x)[0], grad(D[1], x)[1]]"), &["uneven(), plane()"]);
    broken(&diagonal("[grad(D[0], x)[1], grad(D[1], x)[0]]"), "uneven(), plane()", &["x"]);
}

#[test]
fn wrong_temperatures_and_signs_are_found() {
    let over = |drift: &str, noise: &str| {
        format!("model over() {{ state x: real[2] = [1, 0]\n  dx = {drift}*score(plane(), x) dt + {noise} dW\n}}")
    };
    kept(&over("1", "sqrt(2)"), &["over(), plane()"]);
    kept(&over("0.5", "1"), &["over(), plane()"]);
    broken(&over("1", "1"), "over(), plane()", &["x"]);
    broken(&over("1", "sqrt(2.02)"), "over(), plane()", &["x"]);
    broken(&over("(-1)", "sqrt(2)"), "over(), plane()", &["x"]);
    let under = |dq: &str, friction: &str, noise: &str| {
        format!(
            "model under() {{ state q = 0.5\n  state v = 0.0\n  dq = {dq} dt\n  \
             dv = (score(line(), q) - {friction}*v) dt + {noise} dW\n}}"
        )
    };
    kept(&under("v", "0.7", "sqrt(1.4)"), &["under(), phase()"]);
    broken(&under("v", "0.7", "sqrt(1.5)"), "under(), phase()", &["q", "v"]);
    broken(&under("(-v)", "0.7", "sqrt(1.4)"), "under(), phase()", &["q", "v"]);
    broken(&under("v", "(-0.7)", "sqrt(1.4)"), "under(), phase()", &["q", "v"]);
}
