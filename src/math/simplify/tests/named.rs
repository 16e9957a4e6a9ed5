//! Values with names, and short sums written out.

use super::super::super::array::Array;
use super::super::super::eval::{Env, eval};
use super::super::super::expand::{clean, clean_named};
use super::super::super::named::restored;
use super::super::written_out;
use super::parse::read;
use super::*;
use crate::math::verify::verify;

/// Values for all variables.
fn numbers(b: &B) -> Env {
    let mut env = Env::new();
    for v in b.g.var_ids() {
        let shape = b.g.var_info(v).shape.clone();
        let n = shape.iter().product::<usize>();
        env.set(v, Array::new(shape, (0..n).map(|k| 0.3 + 0.1 * (k * k % 7) as f64).collect()));
    }
    env
}

fn same(b: &B, before: Id, after: Id) {
    let env = numbers(b);
    assert_eq!(verify(&b.g, &[after]), Ok(()));
    let (old, new) = (eval(&b.g, before, &env).expect("before"), eval(&b.g, after, &env).expect("after"));
    for (x, y) in old.values.iter().zip(&new.values) {
        assert!((x - y).abs() < 1e-12 * (1.0 + x.abs()), "{x} {y}");
    }
}

/// The text with names in it; the values stay the same.
fn named(text: &str) -> String {
    let mut b = B::new();
    let raw = read(&mut b, text);
    let (roots, names) = clean_named(&mut b.g, &[raw]).expect("no derivatives");
    let id = restored(&mut b.g, &roots, &names)[0];
    same(&b, raw, id);
    expression(&b.g, id)
}

#[test]
fn what_is_read_at_several_places_keeps_its_name() {
    // the new position of a splitting, in the force of a ring
    let position = "map(j<5: u[j] + p*v[j] + q*v[j]^2)";
    let text = named(&format!("map(i<5: {position}[i] - {position}[(i + 4) mod 5])"));
    assert_eq!(text, "%0 = map (i < 5) u[i] + q*v[i]^2 + p*v[i]\nmap (i < 5) %0[i] - %0[(i - 1) mod 5]");
}

#[test]
fn values_of_one_operation_have_no_names() {
    let text = named("map(i<5: map(j<5: p*u[j])[i] - map(j<5: p*u[j])[(i + 4) mod 5])");
    assert_eq!(text, "map (i < 5) p*u[i] - p*u[(i - 1) mod 5]");
}

#[test]
fn matrices_with_zeros_by_their_form_have_no_names() {
    let diagonal = "map(k<5, l<5: select(k == l, u[k] + v[k]^2, 0))";
    let text = named(&format!("map(i<5: sum(j<5: {diagonal}[i, j]*v[j]) + {diagonal}[i, 2])"));
    assert!(!text.contains("sum"), "{text}");
}

#[test]
fn derivatives_see_through_names() {
    // d/dx of (x + x^2)*sin(x + x^2), where the value that stands twice depends on x
    let mut b = B::new();
    let (var, x) = b.var("x", VarKind::State, &[]);
    let square = b.powi(x, 2);
    let twice = b.add(x, square);
    let sine = b.op(Op::Sin, &[twice]);
    let of = b.mul(twice, sine);
    let slope = b.g.partial(of, var, &[]);
    let root = b.mul(twice, slope);
    let root = b.add(root, twice);
    let plain = clean(&mut b.g, &[root]).expect("differentiable")[0];
    let (roots, names) = clean_named(&mut b.g, &[root]).expect("differentiable");
    let id = restored(&mut b.g, &roots, &names)[0];
    same(&b, plain, id);
}

#[test]
fn points_of_derivatives_have_names() {
    // the derivative of sin(z) + z^3 at z = x + x^2*y
    let mut b = B::new();
    let (var, z) = b.var("z", VarKind::Hole, &[]);
    let (x, y) = (b.state("x", &[]), b.state("y", &[]));
    let (sine, cube) = (b.op(Op::Sin, &[z]), b.powi(z, 3));
    let of = b.add(sine, cube);
    let square = b.powi(x, 2);
    let product = b.mul(square, y);
    let point = b.add(x, product);
    let root = b.g.partial_at(of, var, point, &[]);
    let plain = clean(&mut b.g, &[root]).expect("differentiable")[0];
    let (roots, names) = clean_named(&mut b.g, &[root]).expect("differentiable");
    assert_eq!(names.len(), 1);
    assert!(b.g.depends_on(roots[0], names[0].0));
    let id = restored(&mut b.g, &roots, &names)[0];
    same(&b, plain, id);
}

#[test]
fn short_sums_are_written_out() {
    for (before, after) in [
        ("sum(i<3: [p, 0, q][i]*v[i])", "p*v[0] + q*v[2]"),
        ("sum(i<2: sum(j<2: u[i]*v[j]))", "(u[0] + u[1])*(v[0] + v[1])"),
        ("map(k<5: sum(i<2: u[i]*v[k]))", "map (i < 5) (u[0] + u[1])*v[i]"),
        ("sum(i<5: u[i]*v[i])", "sum (i < 5) u[i]*v[i]"),
    ] {
        let mut b = B::new();
        let raw = read(&mut b, before);
        let simple = b.simple(raw);
        let id = written_out(&mut b.g, &[simple], 4)[0];
        same(&b, simple, id);
        assert_eq!(expression(&b.g, id), after, "{before}");
    }
}

#[test]
fn what_is_kept_is_not_simplified_through() {
    let mut b = B::new();
    let inner = read(&mut b, "map(j<5: u[j] + p*v[j])");
    b.g.keep(inner);
    let i = b.g.fresh_index(5);
    let at = b.g.index(i);
    let read_there = b.g.get(inner, &[at]);
    let minus = b.g.op(Op::Neg, &[read_there]);
    let raw = b.g.map(&[i], minus);
    let id = clean(&mut b.g, &[raw]).expect("no derivatives")[0];
    same(&b, raw, id);
    assert_eq!(expression(&b.g, id), "%0 = map (i < 5) u[i] + p*v[i]\nmap (i < 5) -%0[i]");
}
