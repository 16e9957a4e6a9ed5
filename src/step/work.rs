//! What a step program has to do for one step of one path, counted from its instructions.

use std::collections::BTreeMap;

use super::program::{Binary, Counter, Inst, Kernel, Program, Space, Unary, Value};

/// Numbers of operations and of rows, for one step of one path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// sums, products, fused or not, comparisons and selections
    pub operations: f64,
    /// of these, the floating-point operations: two for a fused one
    pub flops: f64,
    /// divisions and square roots
    pub divisions: f64,
    /// values of elementary functions
    pub calls: BTreeMap<Kernel, f64>,
    /// rows that are read and written: draws, scratch, and states where they are not kept in registers
    pub reads: f64,
    pub writes: f64,
}

/// Counts the work of a program. Dense algebra is counted as what its plain loops do.
pub fn work(program: &Program) -> Work {
    let mut work = Work::default();
    let registers = program.is_straight();
    body(&program.body, 1.0, registers, &mut work);
    work
}

fn body(instructions: &[Inst], times: f64, registers: bool, work: &mut Work) {
    for inst in instructions {
        if let Inst::Let(_, v) = inst {
            value(v, times, registers, work);
        } else if let Inst::Store { space, .. } = inst {
            if !(registers && *space == Space::Next) {
                work.writes += times;
            }
        } else if let Inst::ScatterAdd { .. } = inst {
            work.reads += times;
            work.writes += times;
            work.operations += times;
            work.flops += times;
        } else if let Inst::Call(call) = inst {
            *work.calls.entry(call.kernel).or_default() += times * call.dsts.len() as f64;
        } else if let Inst::Loop(l) = inst {
            let Counter { extent, .. } = l.counter;
            body(&l.body, times * extent as f64, registers, work);
        } else if let Inst::Product(p) = inst {
            let (out, terms) = ((p.shape.rows * p.shape.columns) as f64, p.shape.terms as f64);
            work.operations += times * out * terms;
            work.flops += times * 2.0 * out * terms;
            work.reads += times * terms * p.shape.columns as f64;
            work.writes += times * out;
        } else if let Inst::Dense(dense) = inst {
            let (n, m) = (dense.n as f64, dense.m as f64);
            work.operations += times * n * n * (n / 3.0 + m);
            work.flops += times * 2.0 * n * n * (n / 3.0 + m);
            work.reads += times * n * (n + m);
            work.writes += times * n * m.max(1.0);
        }
    }
}

fn value(value: &Value, times: f64, registers: bool, work: &mut Work) {
    match value {
        Value::Const(_) | Value::Truth(_) | Value::Cell(..) | Value::Count(_) => {}
        Value::Load(space, _) => {
            if !(registers && matches!(space, Space::State | Space::Next)) {
                work.reads += times;
            }
        }
        Value::Gather { .. } | Value::GatherCell { .. } => work.reads += times,
        Value::Unary(Unary::Sqrt, _) | Value::Binary(Binary::Div, ..) => {
            work.divisions += times;
            work.flops += times;
        }
        Value::Unary(..) | Value::Binary(..) => {
            work.operations += times;
            work.flops += times;
        }
        Value::Fused(..) => {
            work.operations += times;
            work.flops += 2.0 * times;
        }
        Value::Compare(..) | Value::Logic(..) | Value::Not(_) | Value::Select(..) => work.operations += times,
    }
}

impl Work {
    /// Bytes of rows that are read and written, with the draws that the noise kernels write.
    pub fn bytes(&self, program: &Program) -> f64 {
        (self.reads + self.writes + program.draw_rows as f64) * program.precision.bytes() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::{Graph, Op, Ty, VarKind};
    use crate::step::{Spec, lower};

    #[test]
    fn loops_count_each_turn() {
        let mut g = Graph::new();
        let x = g.new_var("x", VarKind::State, Ty::Real, vec![1000]);
        let i = g.fresh_index(1000);
        let (xv, at) = (g.var(x), g.index(i));
        let xi = g.get(xv, &[at]);
        let e = g.op(Op::Exp, &[xi]);
        let twice = g.op(Op::Add, &[e, xi]);
        let next = g.map(&[i], twice);
        let program = lower(&mut g, &Spec { states: vec![x], renew: vec![(x, next)], outs: vec![] });
        let work = work(&program);
        assert_eq!(work.calls.get(&Kernel::Exp), Some(&1000.0), "{program}");
        assert_eq!(work.flops, 1000.0, "{program}");
        assert!(work.reads >= 1000.0 && work.writes >= 1000.0, "{work:?}");
    }

    #[test]
    fn states_in_registers_are_not_traffic() {
        let mut g = Graph::new();
        let x = g.new_var("x", VarKind::State, Ty::Real, vec![]);
        let xv = g.var(x);
        let root = g.op(Op::Sqrt, &[xv]);
        let next = g.op(Op::Div, &[xv, root]);
        let program = lower(&mut g, &Spec { states: vec![x], renew: vec![(x, next)], outs: vec![] });
        let work = work(&program);
        assert_eq!((work.divisions, work.reads, work.writes), (2.0, 0.0, 0.0), "{program}");
    }
}
