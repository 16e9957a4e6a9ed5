//! Rules one by one, as texts before and after.

use super::parse::read;
use super::*;
use crate::math::verify::verify;

/// Checks the simplified text, that simplifying again changes nothing, and that the result is well formed.
fn becomes(cases: &[(&str, &str)]) {
    let mut wrong = String::new();
    for (before, after) in cases {
        let mut b = B::new();
        let raw = read(&mut b, before);
        let simple = b.simple(raw);
        let text = expression(&b.g, simple).replace('\n', " ; ");
        if text != *after {
            wrong += &format!("\n{before}\n  is     {text}\n  not    {after}");
        }
        assert_eq!(b.simple(simple), simple, "{before} is simplified once");
        assert_eq!(verify(&b.g, &[simple]), Ok(()), "{before}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn sums_collect_like_terms() {
    becomes(&[
        ("x + 0", "x"),
        ("0 - x", "-x"),
        ("x - x", "0"),
        ("x + x", "2*x"),
        ("2*x + 3*x", "5*x"),
        ("x + y - x", "y"),
        ("x + (-y)", "x - y"),
        ("-x + y", "y - x"),
        ("-(x - y)", "y - x"),
        ("-x - y", "-(x + y)"),
        ("y + x", "x + y"),
        ("1 + x", "x + 1"),
        ("(x + 1) + (x - 1)", "2*x"),
        ("2*(x + y) - (x + y)", "x + y"),
        ("x + p + 1 + y", "x + y + p + 1"),
        ("p - x", "p - x"),
        ("x/3 + x/3", "0.6666666666666666*x"),
        ("x^2 + y - 0.5*x^2", "0.5*x^2 + y"),
    ]);
}

#[test]
fn products_put_constants_first_and_collect_powers() {
    becomes(&[
        ("x*1", "x"),
        ("x*0", "0"),
        ("x*2", "2*x"),
        ("x*x", "x^2"),
        ("x*x^2*y", "x^3*y"),
        ("(-x)*y", "-x*y"),
        ("(-1)*x", "-x"),
        ("(-x)*(-y)", "x*y"),
        ("(2*x)*(3*y)", "6*x*y"),
        ("x*p*y*2", "2*p*x*y"),
        ("sqrt(x)*sqrt(x)", "x"),
        ("x^2*x^(-2)", "1"),
        ("p*(x + y)", "p*(x + y)"),
    ]);
}

#[test]
fn quotients() {
    becomes(&[
        ("x/1", "x"),
        ("0/x", "0"),
        ("x/x", "1"),
        ("x/2", "0.5*x"),
        ("x/3", "x/3"),
        ("(-x)/y", "-x/y"),
        ("x/(-y)", "-x/y"),
        ("x/y/x", "1/y"),
        ("x*y/x", "y"),
        ("2*x/x^2", "2/x"),
        ("(x/y)*y", "x"),
        ("x/(y/p)", "p*(x/y)"),
        ("1/(1/x)", "x"),
        ("x/y/(x + 1)", "x/(y*(x + 1))"),
        ("-0.5*x^2/p^2", "-0.5/p^2*x^2"),
        ("(p*x)/q", "p/q*x"),
        ("(2*x)/(4*p)", "0.5/p*x"),
        ("p/q*x", "p/q*x"),
    ]);
}

#[test]
fn powers_and_roots() {
    becomes(&[
        ("x^0", "1"),
        ("x^1", "x"),
        ("(x^2)^3", "x^6"),
        ("(-x)^2", "x^2"),
        ("(-x)^3", "-x^3"),
        ("(2*x)^2", "4*x^2"),
        ("pow(x, 2.0)", "x^2"),
        ("pow(x, 0.5)", "sqrt(x)"),
        ("pow(x, 1.5)", "x*sqrt(x)"),
        ("pow(x, -0.5)", "1/sqrt(x)"),
        ("pow(x, p)", "x^p"),
        ("x^(-1)", "1/x"),
        ("(1/x)^2", "1/x^2"),
        ("(1/x^2)^2*y", "y*(1/x^4)"),
        ("sqrt(x)^2", "x"),
        ("sqrt(x^2)", "abs(x)"),
        ("sqrt(x^4)", "x^2"),
        ("abs(x)^2", "x^2"),
        ("abs(-2*x)", "2*abs(x)"),
        ("abs(exp(x)*y)", "abs(y)*exp(x)"),
        ("sqrt(4.0)", "2"),
        ("2.0^10", "1024"),
    ]);
}

#[test]
fn functions() {
    becomes(&[
        ("exp(0)", "1"),
        ("log(1)", "0"),
        ("sin(0)", "0"),
        ("lgamma(2)", "0"),
        ("sin(-x)", "-sin(x)"),
        ("tanh(-2*x)", "-tanh(2*x)"),
        ("cos(-x)", "cos(x)"),
        ("log(exp(x))", "x"),
        ("exp(log(x))", "exp(log(x))"),
        ("exp(log(exp(x) + 1))", "exp(x) + 1"),
        ("log1p(expm1(x))", "x"),
        ("min(x, x)", "x"),
        ("max(3, x)", "max(x, 3)"),
        ("stop_grad(2.0)", "2"),
        ("floor(2.5)", "2"),
        ("to_real(x < y)", "select(x < y, 1, 0)"),
    ]);
}

#[test]
fn selects() {
    becomes(&[
        ("select(true, x, y)", "x"),
        ("select(x < y, p, p)", "p"),
        ("select(not(x < y), x, y)", "select(x < y, y, x)"),
        ("select(x != y, p, q)", "select(x == y, q, p)"),
        ("select(x < y, p, 0)*q", "select(x < y, p*q, 0)"),
        ("select(x < y, p, 0)/q", "select(x < y, p/q, 0)"),
        ("-select(x < y, p, 0)", "select(x < y, -p, 0)"),
        ("select(x < y, 0, p)*q", "select(x < y, 0, p*q)"),
        ("select(x < y, p, 0) + select(x < y, q, 0)", "select(x < y, p + q, 0)"),
        ("select(x < y, p, 0) + select(x < y, 0, q)", "select(x < y, p, q)"),
        ("select(x < y, p, 0)^2", "select(x < y, p^2, 0)"),
        ("select(x < y, select(x < y, p, q), y)", "select(x < y, p, y)"),
        ("select(x < y, y, select(x < y, p, q))", "select(x < y, y, q)"),
        ("select(x < y, select(p < q, x, 0), 0)", "select(x < y and p < q, x, 0)"),
        ("select(x < y and p < q, select(x < y, x, y), 0)", "select(x < y and p < q, x, 0)"),
        ("2*select(x < y, 1, 3)", "select(x < y, 2, 6)"),
        ("to_real(x < y)*p", "select(x < y, p, 0)"),
        ("select(x < y and true, p, q)", "select(x < y, p, q)"),
        ("select(x < y and not(x < y), p, q)", "q"),
        ("select(x < y or false, p, q)", "select(x < y, p, q)"),
        ("select(x < y or true, p, q)", "p"),
        // NaN is not less than NaN, but x <= x asks whether x is a number
        ("select(x < x, p, q)", "q"),
        ("select(x <= x, p, q)", "select(x <= x, p, q)"),
        ("select(not(x <= y), p, q)", "select(x <= y, q, p)"),
    ]);
}

#[test]
fn indices() {
    becomes(&[
        ("map(i<5: u[i + 1 - 1])", "u"),
        ("map(i<5: u[(i + 4) mod 5])", "map (i < 5) u[(i - 1) mod 5]"),
        ("map(i<5: u[((i - 1) mod 5 + 1) mod 5])", "u"),
        ("map(i<5: u[i mod 5])", "u"),
        ("map(i<4: u[(i + 1) mod 5])", "map (i < 4) u[i + 1]"),
        ("map(i<5, j<5: a[(5*i + j) div 5, (5*i + j) mod 5])", "a"),
        ("map(i<5: to_real(2*i - i - i))", "map (i < 5) 0"),
        ("map(i<25: to_real(5*(i div 5) + i mod 5))", "map (i < 25) to_real(i)"),
        ("map(i<25: to_real((i div 2) div 3))", "map (i < 25) to_real(i div 6)"),
        ("map(i<5: select(i < 5, x, y))", "map (i < 5) x"),
        ("map(i<5: select(i < 0, x, y))", "map (i < 5) y"),
        ("map(i<5: select(i <= 3, x, y))", "map (i < 5) select(i < 4, x, y)"),
        ("map(i<5: select(2*i == 3, x, y))", "map (i < 5) y"),
        ("map(i<5: select(2*i < 5, x, y))", "map (i < 5) select(i < 3, x, y)"),
        ("map(i<5: select(i == 2, u[i], 0))", "map (i < 5) select(i == 2, u[2], 0)"),
        ("map(i<5, j<5: select(i == j, u[j]*v[i], 0))", "map (i < 5, j < 5) select(i == j, u[i]*v[i], 0)"),
        ("map(i<5, j<5: select(j == i, x, 0))", "map (i < 5, j < 5) select(i == j, x, 0)"),
        ("map(i<5: select(i == (i - 1) mod 5, x, y))", "map (i < 5) y"),
        ("map(i<5: select((i + 1) mod 5 == (i + 6) mod 5, x, y))", "map (i < 5) x"),
        ("map(i<5: select(to_real(i) == to_real(2), x, y))", "map (i < 5) select(i == 2, x, y)"),
    ]);
}

#[test]
fn reads() {
    becomes(&[
        ("map(i<5: 2*u[i])[3]", "2*u[3]"),
        ("map(i<5, j<5: u[i]*v[j])[2, 3]", "u[2]*v[3]"),
        ("map(i<5: map(j<5: u[j] + v[i])[i])", "map (i < 5) u[i] + v[i]"),
        ("map(i<5: u[i])", "u"),
        ("map(i<4: u[i])", "map (i < 4) u[i]"),
        ("[x, y, p][1]", "y"),
        ("map(i<3: [x, x, x][i])", "map (i < 3) x"),
        ("[u[0], u[1], u[2], u[3], u[4]]", "u"),
        // two vectors, one after the other, read on one side
        ("map(i<5: map(k<10: select(k < 5, u[k], v[k - 5]))[i])", "u"),
        ("map(i<5: map(k<10: select(k < 5, u[k], v[k - 5]))[i + 5])", "v"),
        ("map(i<10: map(k<10: select(k < 5, u[k], v[k - 5]))[i])", "map (i < 10) select(i < 5, u[i], v[i - 5])"),
    ]);
}

#[test]
fn sums_over_loops() {
    becomes(&[
        ("sum(i<5: 0*u[i])", "0"),
        ("sum(i<5: x)", "5*x"),
        ("sum(i<5, j<3: u[i])", "3*(sum (i < 5) u[i])"),
        ("sum(i<1: u[i])", "u[0]"),
        ("sum(i<0: u[i])", "0"),
        ("sum(i<5: -u[i])", "-(sum (i < 5) u[i])"),
        ("sum(i<5: 2*p*x*u[i])", "2*p*x*(sum (i < 5) u[i])"),
        ("sum(i<5: u[i]/x)", "(sum (i < 5) u[i])/x"),
        ("sum(i<5: u[i] + x)", "5*x + (sum (i < 5) u[i])"),
        ("sum(i<5: u[i]*(x + y))", "(x + y)*(sum (i < 5) u[i])"),
        ("sum(i<5: select(x < y, u[i], 0))", "select(x < y, sum (i < 5) u[i], 0)"),
        ("sum(i<5: select(u[i] < y, p*u[i], 0))", "p*(sum (i < 5) select(u[i] < y, u[i], 0))"),
        ("sum(i<5: x*exp(u[i] - logsumexp(j<5: u[j])))", "x"),
        ("sum(i<5: exp(u[i] + y - logsumexp(j<5: u[j])))", "exp(y)"),
        ("sum(i<5: sum(j<5: x*u[j]))", "5*x*(sum (i < 5) u[i])"),
    ]);
}

#[test]
fn sums_over_a_condition_that_names_the_index() {
    becomes(&[
        ("sum(j<5: select(j == 2, u[j], 0))", "u[2]"),
        ("sum(j<5: select(j == 7, u[j], 0))", "0"),
        ("map(i<5: sum(j<5: select(j == i, u[j], 0)))", "u"),
        ("map(i<5: sum(j<5: to_real(i == j)*a[i, j]*x))", "map (i < 5) a[i, i]*x"),
        ("map(i<5: sum(j<5: (to_real(i == j) + v[j])*u[j]))", "map (i < 5) u[i] + (sum (j < 5) u[j]*v[j])"),
        ("map(i<5: sum(j<4: select(j == i, u[j], 0)))", "map (i < 5) select(i < 4, u[i], 0)"),
        ("map(i<5: sum(j<5: select(j == i + 1, u[j], 0)))", "map (i < 5) select(i < 4, u[i + 1], 0)"),
        ("map(i<5: sum(j<5: select(i == j + 1, u[j], 0)))", "map (i < 5) select(0 < i, u[i - 1], 0)"),
        ("map(i<5: sum(j<5: select(i == (j + 1) mod 5, u[j], 0)))", "map (i < 5) u[(i - 1) mod 5]"),
        ("map(i<5: sum(j<5: select(i == (2 - j) mod 5, u[j], 0)))", "map (i < 5) u[(2 - i) mod 5]"),
        ("sum(i<5, j<5: select(i == j, u[i]*v[j], 0))", "sum (i < 5) u[i]*v[i]"),
        ("sum(i<5, j<5: select(i == j and j == 3, u[i]*v[j], 0))", "u[3]*v[3]"),
        ("map(k<25: sum(i<5, j<5: select(5*i + j == k, a[i, j], 0)))", "map (i < 25) a[i div 5, i mod 5]"),
        ("map(i<5: sum(k<5: u[k]*sum(j<5: select(k == j, v[j]*w[i], 0))))", "map (i < 5) w[i]*(sum (j < 5) u[j]*v[j])"),
        // the loop inside is not determined by its own condition
        ("sum(i<5: u[i]*sum(j<3: select(i == j div 2, v[j], 0)))", "sum (i < 3) u[i div 2]*v[i]"),
        ("sum(j<5: select(j != 2, u[j], 0))", "sum (i < 5) select(i == 2, 0, u[i])"),
    ]);
}

#[test]
fn other_reductions() {
    becomes(&[
        ("prod(i<5: x)", "x^5"),
        ("max(i<5: x)", "x"),
        ("max(i<5, j<5: u[i])", "max (i < 5) u[i]"),
        ("logsumexp(i<5: x)", "x + log(5)"),
        ("logsumexp(i<5: x + u[i])", "x + (logsumexp (i < 5) u[i])"),
        ("select(any(i<5: x < y), p, q)", "select(x < y, p, q)"),
        ("select(all(i<5: i < 5), p, q)", "p"),
        ("to_real(argmax(i<5: x))", "0"),
    ]);
}

#[test]
fn a_sum_of_too_many_terms_is_negated_whole() {
    let mut b = B::new();
    let mut sum = b.state("x0", &[]);
    for k in 1..60 {
        let term = b.state(&format!("x{k}"), &[]);
        sum = b.g.op(Op::Add, &[sum, term]);
    }
    let negated = b.g.op(Op::Neg, &[sum]);
    let id = simplify(&mut b.g, &[negated])[0];
    assert!(matches!(b.g.node(id), crate::math::Node::Op(Op::Neg, _)), "{}", expression(&b.g, id));
}
