//! What a program takes for one path and step, roughly: to choose between programs for the same thing.

use super::program::*;

// Costs in units of an addition, from the throughputs of current processors (Fog, Instruction tables, 2022), with loads
// and stores that stay in the first cache.

const CELL: f64 = 0.5;
const LOAD: f64 = 0.7;
const STORE: f64 = 1.5;
const QUOTIENT: f64 = 8.0;
const CALL: f64 = 20.0;
const GATHER: f64 = 6.0;
const SAMPLE: f64 = 100.0;
/// A product and a sum of a tiled matrix product, whose operands stay in registers.
const TILED: f64 = 0.6;
/// One turn of a loop, its counter and branch.
const TURN: f64 = 0.5;

/// The cost of a program's body.
pub fn cost(program: &Program) -> f64 {
    program.body.iter().map(of_inst).sum()
}

fn of_inst(inst: &Inst) -> f64 {
    match inst {
        Inst::Let(_, value) => of_value(value),
        Inst::Store { .. } => STORE,
        Inst::ScatterAdd { .. } => LOAD + STORE + GATHER,
        Inst::Call(call) => call.dsts.len() as f64 * CALL,
        Inst::Loop(l) => l.counter.extent as f64 * (TURN + l.body.iter().map(of_inst).sum::<f64>()),
        Inst::Dense(d) => (d.n * d.n * (d.n + d.m)) as f64,
        Inst::Product(p) => (p.shape.rows * p.shape.terms * p.shape.columns) as f64 * TILED,
        Inst::Sample(_) => SAMPLE,
    }
}

fn of_value(value: &Value) -> f64 {
    match value {
        Value::Const(_) | Value::Truth(_) => 0.0,
        Value::Cell(..) | Value::Count(_) => CELL,
        Value::Load(..) => LOAD,
        Value::Unary(Unary::Sqrt, _) | Value::Binary(Binary::Div, ..) => QUOTIENT,
        Value::Gather { .. } | Value::GatherCell { .. } => GATHER,
        _ => 1.0,
    }
}
