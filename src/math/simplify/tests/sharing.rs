//! Arrays given back before the lowering.

use super::super::super::array::Array;
use super::super::super::eval::{Env, eval};
use super::super::super::share::share;
use super::parse::read;
use super::*;
use crate::math::verify::verify;

/// The text after sharing; the values stay the same.
fn shared(text: &str) -> String {
    let mut b = B::new();
    let raw = read(&mut b, text);
    let simple = b.simple(raw);
    let id = share(&mut b.g, &[simple])[0];
    assert_eq!(verify(&b.g, &[id]), Ok(()));
    let mut env = Env::new();
    for v in b.g.var_ids().collect::<Vec<_>>() {
        let shape = b.g.var_info(v).shape.clone();
        let n = shape.iter().product::<usize>();
        env.set(v, Array::new(shape, (0..n).map(|k| 0.3 + 0.1 * (k * k % 7) as f64).collect()));
    }
    let (old, new) = (eval(&b.g, simple, &env).expect("before"), eval(&b.g, id, &env).expect("after"));
    for (a, b) in old.values.iter().zip(&new.values) {
        assert!((a - b).abs() < 1e-12 * (1.0 + a.abs()), "{text}: {a} {b}");
    }
    expression(&b.g, id)
}

#[test]
fn values_leave_loops_that_they_do_not_depend_on() {
    // a product of matrix and vector, computed once for all rows
    let text = shared("map(i<5: sum(j<5: a[j, i]*sigmoid(sum(k<5: a[j, k]*u[k]))))");
    assert_eq!(text, "%0 = map (i < 5) sigmoid(sum (j < 5) a[i, j]*u[j])\nmap (i < 5) sum (j < 5) a[j, i]*%0[j]");
    let text = shared("map(i<5: sum(j<5: a[i, j]*sum(k<5: a[j, k]*u[k])))");
    assert_eq!(text, "%0 = map (i < 5) sum (j < 5) a[i, j]*u[j]\nmap (i < 5) sum (j < 5) a[i, j]*%0[j]");
}

#[test]
fn shifted_values_are_one_array() {
    let f = "exp(u[(i + 4) mod 5]*v[(i + 4) mod 5]) + exp(u[i]*v[i]) + exp(u[(i + 1) mod 5]*v[(i + 1) mod 5])";
    let array = "%0 = map (i < 5) exp(u[i]*v[i])";
    assert_eq!(
        shared(&format!("map(i<5: {f})")),
        format!("{array}\nmap (i < 5) %0[i] + %0[(i + 1) mod 5] + %0[(i - 1) mod 5]")
    );
    // at the ends, reads are outside and not taken
    let f = "select(0 < i, exp(u[i - 1]*v[i - 1]), 0) + exp(u[i]*v[i])";
    assert_eq!(shared(&format!("map(i<5: {f})")), format!("{array}\nmap (i < 5) %0[i] + select(0 < i, %0[i - 1], 0)"));
}

#[test]
fn stages_of_a_solver_are_arrays() {
    // f(x)[i] = sin(x[i - 1]) - x[i], at x + p*f(x)
    let stage = "map(j<5: u[j] + p*map(k<5: sin(u[(k + 4) mod 5]) - u[k])[j])";
    let text = shared(&format!("map(i<5: sin({stage}[(i + 4) mod 5]) - {stage}[i])"));
    assert_eq!(
        text,
        "%0 = map (i < 5) p*(sin(u[(i - 1) mod 5]) - u[i])\n\
         map (i < 5) sin(u[(i - 1) mod 5] + %0[(i - 1) mod 5]) - u[i] - %0[i]"
    );
}

#[test]
fn values_of_two_loops_are_one_array() {
    assert_eq!(
        shared("sum(i<5: exp(u[i])) + sum(i<5: exp(u[i])^2*v[i])"),
        "%0 = map (i < 5) exp(u[i])\n(sum (i < 5) v[i]*%0[i]^2) + (sum (i < 5) %0[i])"
    );
}

#[test]
fn cheap_values_stay_where_they_are() {
    let ring = "map(i<5: u[i]^3 + u[i] - u[(i + 1) mod 5] - u[(i - 1) mod 5])";
    assert_eq!(shared(ring), "map (i < 5) u[i]^3 + u[i] - u[(i + 1) mod 5] - u[(i - 1) mod 5]");
    assert_eq!(shared("sum(i<5: exp(u[i])*v[i])"), "sum (i < 5) v[i]*exp(u[i])");
}

#[test]
fn loops_longer_than_what_they_read() {
    // seven rounds over five elements: the value at i is none of those at i + 1
    for f in ["exp(u[i mod 5])*exp(v[(i + 1) mod 5]^2)", "exp(u[i mod 5]) + sin(u[(i + 2) mod 5]*v[(i + 1) mod 5])"] {
        shared(&format!("map(i<7: {f})"));
        shared(&format!("sum(i<9: {f}) + sum(i<7: {f}^2)"));
    }
}
