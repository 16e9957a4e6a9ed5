//! Index expressions: integers that are the same for all lanes, built from loop counters and constants.
//!
//! They are kept in a normal form (a constant and a sorted sum of atoms), so that equal addresses compare equal. The
//! range of an expression is known from the extents of its counters; remainders, quotients and clamps that change
//! nothing vanish on construction.

use std::fmt;

/// A loop counter. Its value runs over `0..extent`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Counter {
    pub id: u32,
    pub extent: usize,
}

/// The tables of values that the host fills.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// filled once a run
    Run,
    /// filled once a step
    Step,
}

impl Table {
    pub fn name(self) -> &'static str {
        match self {
            Table::Run => "run",
            Table::Step => "step",
        }
    }
}

/// What an index expression is a sum of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    Counter(Counter),
    /// remainder of a division by a positive number; takes the sign of the divisor
    Mod(Box<Index>, i64),
    /// floor of a division by a positive number
    Div(Box<Index>, i64),
    /// the expression brought into `lo..=hi`
    Clamp(Box<Index>, i64, i64),
    /// a cell of a table that holds an integer (0 where it holds none)
    Cell(Table, Box<Index>),
}

/// A sum `constant + c0*atom0 + c1*atom1 + ...`, atoms sorted, coefficients not zero.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Index {
    pub constant: i64,
    pub terms: Vec<(Atom, i64)>,
}

/// Cells of tables are taken to lie in this range: an `f64` holds such integers exactly.
const CELL_RANGE: i64 = 1 << 52;

impl Index {
    pub fn of(constant: i64) -> Index {
        Index { constant, terms: Vec::new() }
    }

    pub fn counter(counter: Counter) -> Index {
        if counter.extent <= 1 {
            return Index::of(0);
        }
        Index { constant: 0, terms: vec![(Atom::Counter(counter), 1)] }
    }

    pub fn cell(table: Table, at: Index) -> Index {
        Index::atom(Atom::Cell(table, Box::new(at)))
    }

    fn atom(atom: Atom) -> Index {
        Index { constant: 0, terms: vec![(atom, 1)] }
    }

    /// The value, where it does not depend on counters or tables.
    pub fn known(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    pub fn add(&self, other: &Index) -> Index {
        let mut terms = self.terms.clone();
        for (atom, c) in &other.terms {
            match terms.binary_search_by(|(a, _)| a.cmp(atom)) {
                Ok(k) => terms[k].1 += c,
                Err(k) => terms.insert(k, (atom.clone(), *c)),
            }
        }
        terms.retain(|(_, c)| *c != 0);
        Index { constant: self.constant + other.constant, terms }
    }

    pub fn plus(&self, constant: i64) -> Index {
        Index { constant: self.constant + constant, terms: self.terms.clone() }
    }

    pub fn times(&self, factor: i64) -> Index {
        if factor == 0 {
            return Index::of(0);
        }
        let terms = self.terms.iter().map(|(a, c)| (a.clone(), c * factor)).collect();
        Index { constant: self.constant * factor, terms }
    }

    pub fn sub(&self, other: &Index) -> Index {
        self.add(&other.times(-1))
    }

    /// Remainder by `n > 0`, in `0..n`.
    pub fn modulo(&self, n: i64) -> Index {
        assert!(n > 0, "remainders are taken by positive numbers");
        // multiples of n fall out
        let terms: Vec<_> = self.terms.iter().filter(|(_, c)| c % n != 0).cloned().collect();
        let rest = Index { constant: self.constant, terms };
        let (lo, hi) = rest.range();
        if lo.div_euclid(n) == hi.div_euclid(n) {
            return rest.plus(-n * lo.div_euclid(n));
        }
        let rest = Index { constant: centred(rest.constant, n), terms: rest.terms };
        let (lo, hi) = rest.range();
        if lo >= 0 && hi < n {
            return rest;
        }
        Index::atom(Atom::Mod(Box::new(rest), n))
    }

    /// Floor of the quotient by `n > 0`.
    pub fn quotient(&self, n: i64) -> Index {
        assert!(n > 0, "quotients are taken by positive numbers");
        let (whole, rest): (Vec<_>, Vec<_>) = self.terms.iter().cloned().partition(|(_, c)| c % n == 0);
        let whole = Index { constant: 0, terms: whole.into_iter().map(|(a, c)| (a, c / n)).collect() };
        let rest = Index { constant: self.constant, terms: rest };
        let (lo, hi) = rest.range();
        if lo.div_euclid(n) == hi.div_euclid(n) {
            return whole.plus(lo.div_euclid(n));
        }
        whole.add(&Index::atom(Atom::Div(Box::new(rest), n)))
    }

    /// The expression brought into `lo..=hi`.
    pub fn bounded(&self, lo: i64, hi: i64) -> Index {
        let (least, greatest) = self.range();
        if least >= lo && greatest <= hi {
            return self.clone();
        }
        if hi <= lo || greatest <= lo {
            return Index::of(lo);
        }
        if least >= hi {
            return Index::of(hi);
        }
        Index::atom(Atom::Clamp(Box::new(self.clone()), lo, hi))
    }

    /// The least and the greatest value that the expression can take (a bound, not always reached).
    pub fn range(&self) -> (i64, i64) {
        let (mut lo, mut hi) = (self.constant, self.constant);
        for (atom, c) in &self.terms {
            let (a, b) = atom.range();
            let (a, b) = (a.saturating_mul(*c), b.saturating_mul(*c));
            lo = lo.saturating_add(a.min(b));
            hi = hi.saturating_add(a.max(b));
        }
        (lo, hi)
    }

    /// Calls `f` for each counter that occurs.
    pub fn counters(&self, f: &mut impl FnMut(Counter)) {
        for (atom, _) in &self.terms {
            match atom {
                Atom::Counter(c) => f(*c),
                Atom::Mod(e, _) | Atom::Div(e, _) | Atom::Clamp(e, _, _) | Atom::Cell(_, e) => e.counters(f),
            }
        }
    }

    /// Calls `f` for each table cell that the value depends on.
    pub fn cells(&self, f: &mut impl FnMut(Table, &Index)) {
        for (atom, _) in &self.terms {
            match atom {
                Atom::Counter(_) => {}
                Atom::Mod(e, _) | Atom::Div(e, _) | Atom::Clamp(e, _, _) => e.cells(f),
                Atom::Cell(table, e) => {
                    f(*table, e);
                    e.cells(f);
                }
            }
        }
    }

    /// The value, from those of counters and table cells.
    pub fn value(&self, env: &impl IndexEnv) -> i64 {
        self.terms.iter().map(|(atom, c)| c * atom.value(env)).sum::<i64>() + self.constant
    }
}

/// Where an index expression finds the values of its leaves.
pub trait IndexEnv {
    fn counter(&self, counter: Counter) -> i64;
    fn cell(&self, table: Table, at: usize) -> f64;
}

impl Atom {
    fn range(&self) -> (i64, i64) {
        match self {
            Atom::Counter(c) => (0, c.extent as i64 - 1),
            Atom::Mod(_, n) => (0, n - 1),
            Atom::Div(e, n) => {
                let (lo, hi) = e.range();
                (lo.div_euclid(*n), hi.div_euclid(*n))
            }
            Atom::Clamp(e, lo, hi) => {
                let (a, b) = e.range();
                (a.clamp(*lo, *hi), b.clamp(*lo, *hi))
            }
            Atom::Cell(..) => (-CELL_RANGE, CELL_RANGE),
        }
    }

    fn value(&self, env: &impl IndexEnv) -> i64 {
        match self {
            Atom::Counter(c) => env.counter(*c),
            Atom::Mod(e, n) => e.value(env).rem_euclid(*n),
            Atom::Div(e, n) => e.value(env).div_euclid(*n),
            Atom::Clamp(e, lo, hi) => e.value(env).clamp(*lo, *hi),
            Atom::Cell(table, e) => cell_integer(env.cell(*table, e.value(env) as usize)),
        }
    }
}

/// The integer that a table cell holds; NaN is 0, far numbers are cut.
pub fn cell_integer(x: f64) -> i64 {
    (x as i64).clamp(-CELL_RANGE, CELL_RANGE)
}

/// The number equal to `x` modulo `n` nearest to zero, negative rather than positive: `-1`, not `n - 1`.
fn centred(x: i64, n: i64) -> i64 {
    let r = x.rem_euclid(n);
    if 2 * r >= n { r - n } else { r }
}

impl fmt::Display for Counter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "i{}", self.id)
    }
}

impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (atom, c) in &self.terms {
            let sign = match (first, *c < 0) {
                (true, true) => "-",
                (true, false) => "",
                (false, true) => " - ",
                (false, false) => " + ",
            };
            first = false;
            match c.unsigned_abs() {
                1 => write!(f, "{sign}{atom}")?,
                c => write!(f, "{sign}{c}*{atom}")?,
            }
        }
        match (first, self.constant) {
            (true, c) => write!(f, "{c}"),
            (false, 0) => Ok(()),
            (false, c) if c < 0 => write!(f, " - {}", -c),
            (false, c) => write!(f, " + {c}"),
        }
    }
}

impl fmt::Display for Atom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atom::Counter(c) => write!(f, "{c}"),
            Atom::Mod(e, n) => write!(f, "(({e}) mod {n})"),
            Atom::Div(e, n) => write!(f, "(({e}) div {n})"),
            Atom::Clamp(e, lo, hi) => write!(f, "clamp({e}, {lo}, {hi})"),
            Atom::Cell(table, e) => write!(f, "{}[{e}]", table.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const I: Counter = Counter { id: 0, extent: 10 };
    const J: Counter = Counter { id: 1, extent: 4 };

    struct Env(i64, i64);

    impl IndexEnv for Env {
        fn counter(&self, counter: Counter) -> i64 {
            if counter == I { self.0 } else { self.1 }
        }

        fn cell(&self, _: Table, at: usize) -> f64 {
            at as f64
        }
    }

    #[test]
    fn normal_forms_are_equal() {
        let (i, j) = (Index::counter(I), Index::counter(J));
        assert_eq!(i.add(&j).sub(&i), j);
        assert_eq!(i.times(4).add(&j).plus(3), j.plus(3).add(&i.times(4)));
        assert_eq!(i.plus(-1).modulo(10), i.plus(9).modulo(10));
        assert_eq!(i.times(4).add(&j).modulo(4), j);
        assert_eq!(i.times(4).add(&j).quotient(4), i);
        assert_eq!(i.modulo(10), i);
        assert_eq!(i.bounded(0, 9), i);
    }

    #[test]
    fn values_and_ranges_agree() {
        let (i, j) = (Index::counter(I), Index::counter(J));
        let forms: Vec<(Index, fn(i64, i64) -> i64)> = vec![
            (i.plus(-1).modulo(10), |i, _| (i - 1).rem_euclid(10)),
            (i.add(&j).modulo(3), |i, j| (i + j).rem_euclid(3)),
            (i.times(5).add(&j).quotient(3), |i, j| (5 * i + j).div_euclid(3)),
            (i.times(-1).plus(3).bounded(0, 2), |i, _| (3 - i).clamp(0, 2)),
            (Index::cell(Table::Run, i.plus(2)).add(&j), |i, j| i + 2 + j),
            (i.add(&j).modulo(7).quotient(2).times(-3), |i, j| -3 * ((i + j) % 7).div_euclid(2)),
        ];
        for (form, f) in &forms {
            let (lo, hi) = form.range();
            for a in 0..10 {
                for b in 0..4 {
                    let v = form.value(&Env(a, b));
                    assert_eq!(v, f(a, b), "{form}");
                    assert!(lo <= v && v <= hi, "{form}");
                }
            }
        }
    }

    #[test]
    fn prints_as_one_would_write() {
        let (i, j) = (Index::counter(I), Index::counter(J));
        assert_eq!(i.times(4).sub(&j).plus(-2).to_string(), "4*i0 - i1 - 2");
        assert_eq!(i.plus(9).modulo(10).to_string(), "((i0 - 1) mod 10)");
        assert_eq!(Index::of(7).to_string(), "7");
    }
}
