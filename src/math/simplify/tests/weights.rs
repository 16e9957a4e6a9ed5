//! Softmax weights as arrays.

use super::super::super::array::Array;
use super::super::super::eval::{Env, eval};
use super::super::super::named::{Names, restored};
use super::super::weights;
use super::parse::read;
use super::*;
use crate::math::verify::verify;

/// The text of the names and of the root after the pass; the values stay the same.
fn weighted(text: &str) -> Vec<String> {
    let mut b = B::new();
    let raw = read(&mut b, text);
    let simple = b.simple(raw);
    let (roots, names) = weights(&mut b.g, &[simple], &Names::new());
    let id = restored(&mut b.g, &roots, &names)[0];
    assert_eq!(verify(&b.g, &[id]), Ok(()));
    for scale in [0.1, 1.0, 3.0] {
        let mut env = Env::new();
        for v in b.g.var_ids() {
            let shape = b.g.var_info(v).shape.clone();
            let n = shape.iter().product::<usize>();
            env.set(v, Array::new(shape, (0..n).map(|k| scale * (0.3 + 0.1 * (k * k % 7) as f64)).collect()));
        }
        let (old, new) = (eval(&b.g, simple, &env).expect("before"), eval(&b.g, id, &env).expect("after"));
        for (x, y) in old.values.iter().zip(&new.values) {
            assert!((x - y).abs() < 1e-11 * (1.0 + x.abs()), "{text}: {x} {y}");
        }
    }
    names.iter().map(|n| n.1).chain(roots).map(|id| expression(&b.g, id)).collect()
}

/// `w[k]` are the means of the modes, the same for all paths.
const EXPONENT: &str = "(0 - 0.5*(q*(x - w[k]))^2)";

#[test]
fn squares_lose_what_their_modes_have_in_common() {
    let body = EXPONENT;
    let outer = body.replace('k', "i");
    let texts = weighted(&format!("sum(i<5: exp({outer} - logsumexp(k<5: {body}))*w[i])"));
    assert!(texts.iter().all(|t| !t.contains("x^2")), "{texts:?}");
    assert_eq!(texts.len(), 4, "exponents, exponentials, one over their sum, the mean: {texts:?}");
}

#[test]
fn squares_under_one_factor_lose_it_too() {
    let body = "(0 - 0.5*((q*(x - w[k]))^2 + (q*(y - w[k]))^2))";
    let outer = body.replace('k', "i");
    let texts = weighted(&format!("sum(i<5: exp({outer} - logsumexp(k<5: {body}))*w[i])"));
    assert!(texts.iter().all(|t| !t.contains("x^2") && !t.contains(")^2")), "{texts:?}");
}

#[test]
fn means_of_differences_are_differences_of_means() {
    let body = EXPONENT;
    let outer = body.replace('k', "i");
    let texts = weighted(&format!("sum(i<5: exp({outer} - logsumexp(k<5: {body}))*(x - w[i]))"));
    let last = texts.last().expect("a root");
    assert!(last.contains("x - ") || last.starts_with("x +"), "{last}");
}

#[test]
fn a_logsumexp_that_is_needed_itself_is_that_of_the_same_exponentials() {
    let body = EXPONENT;
    let outer = body.replace('k', "i");
    let whole = format!("logsumexp(k<5: {body})");
    let texts = weighted(&format!("{whole} + sum(i<5: exp({outer} - {whole})*w[i])"));
    assert!(texts.iter().all(|t| !t.contains("logsumexp")), "{texts:?}");
}

#[test]
fn modes_of_different_widths_keep_their_squares() {
    let body = "(0 - 0.5*(w[k]*(x - w[k]))^2)";
    let outer = body.replace('k', "i");
    weighted(&format!("sum(i<5: exp({outer} - logsumexp(k<5: {body}))*(x - w[i]))"));
}
