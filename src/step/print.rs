//! The text form of step programs (`--emit step`).

use std::fmt::{self, Write};

use super::program::*;
use crate::math::Base;

impl fmt::Display for Reg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl Space {
    pub fn name(self) -> &'static str {
        match self {
            Space::State => "state",
            Space::Next => "next",
            Space::Out => "out",
            Space::Draw => "draw",
            Space::Scratch => "scratch",
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Const(bits) => write!(f, "{:?}", f64::from_bits(*bits)),
            Value::Truth(value) => write!(f, "{value}"),
            Value::Cell(table, at) => write!(f, "{}[{at}]", table.name()),
            Value::Count(index) => write!(f, "count {index}"),
            Value::Load(space, row) => write!(f, "{}[{row}]", space.name()),
            Value::Unary(op, a) => write!(f, "{} {a}", format!("{op:?}").to_lowercase()),
            Value::Binary(op, a, b) => write!(f, "{} {a} {b}", format!("{op:?}").to_lowercase()),
            Value::Fused(Fused::MulAdd, a, b, c) => write!(f, "fma {a} {b} {c}"),
            Value::Fused(Fused::MulSub, a, b, c) => write!(f, "fms {a} {b} {c}"),
            Value::Fused(Fused::NegMulAdd, a, b, c) => write!(f, "fnma {a} {b} {c}"),
            Value::Fused(Fused::NegMulSub, a, b, c) => write!(f, "fnms {a} {b} {c}"),
            Value::Compare(op, a, b) => write!(f, "{} {a} {b}", format!("{op:?}").to_lowercase()),
            Value::Logic(op, a, b) => write!(f, "{} {a} {b}", format!("{op:?}").to_lowercase()),
            Value::Not(a) => write!(f, "not {a}"),
            Value::Select(m, a, b) => write!(f, "select {m} {a} {b}"),
            Value::Gather { space, first, len, at } => write!(f, "gather {}[{first} + {at} < {len}]", space.name()),
            Value::GatherCell { table, first, len, at } => write!(f, "gather {}[{first} + {at} < {len}]", table.name()),
        }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.precision != Precision::Double {
            writeln!(f, "precision {}", self.precision.name())?;
        }
        for s in &self.states {
            let renewed = if s.renewed { "" } else { ", kept" };
            writeln!(f, "state[{}..{}]{renewed}", s.first_row, s.first_row + s.shape.iter().product::<usize>())?;
        }
        for o in &self.outs {
            writeln!(f, "out[{}..{}]", o.first_row, o.first_row + o.shape.iter().product::<usize>())?;
        }
        for d in &self.draws {
            let law = match &d.base {
                Base::Normal => "normal".to_string(),
                Base::Uniform => "uniform".to_string(),
                Base::Law(sampler, _) => format!("{sampler:?}").to_lowercase(),
            };
            let rows = format!("draw[{}..{}]", d.first_row, d.first_row + d.components);
            writeln!(f, "{rows} = {law}, site {} turn {}", d.site, d.turn)?;
        }
        for (table, slots) in [(Table::Run, &self.run_table), (Table::Step, &self.step_table)] {
            for s in slots {
                writeln!(f, "{}[{}..{}] = node {}", table.name(), s.offset, s.offset + s.len, s.value.0)?;
            }
        }
        if self.body_scratch > 0 {
            writeln!(f, "scratch[0..{}]", self.body_scratch)?;
        }
        write_body(f, &self.body, 0)
    }
}

fn write_body(f: &mut fmt::Formatter<'_>, body: &[Inst], depth: usize) -> fmt::Result {
    for inst in body {
        for _ in 0..depth {
            f.write_str("    ")?;
        }
        write_inst(f, inst, depth)?;
    }
    Ok(())
}

fn list(regs: &[Reg]) -> String {
    regs.iter().map(|r| r.to_string()).collect::<Vec<_>>().join(" ")
}

fn write_inst(f: &mut fmt::Formatter<'_>, inst: &Inst, depth: usize) -> fmt::Result {
    match inst {
        Inst::Let(dst, value) => writeln!(f, "{dst} = {value}"),
        Inst::Store { space, row, value } => writeln!(f, "{}[{row}] = {value}", space.name()),
        Inst::ScatterAdd { first, len, at, value } => writeln!(f, "scratch[{first} + {at} < {len}] += {value}"),
        Inst::Call(call) => {
            let args: Vec<String> = call.args.iter().map(|a| list(a)).collect();
            writeln!(f, "{} = {} {}", list(&call.dsts), call.kernel.name(), args.join(", "))
        }
        Inst::Loop(l) => write_loop(f, l, depth),
        Inst::Dense(d) => {
            let mut args = String::new();
            for a in &d.args {
                write!(args, " scratch[{a}..]")?;
            }
            writeln!(f, "scratch[{}..] = {}{args}, n {} m {}", d.out, d.op.name(), d.n, d.m)
        }
        Inst::Product(p) => {
            let s = &p.shape;
            let operand =
                |name: &str, first: &Index, steps: [usize; 2]| format!("{name}[{first}; {}, {}]", steps[0], steps[1]);
            let a = match &p.a {
                Factor::Cells(table, first) => operand(table.name(), first, s.a),
                Factor::Rows(space, first) => operand(space.name(), first, s.a),
            };
            let (out, x) = (operand("scratch", &p.out, s.out), operand(p.space.name(), &p.x, s.x));
            writeln!(f, "{out} = product {a} {x}, {} x {} x {}", s.rows, s.terms, s.columns)
        }
        Inst::Sample(s) => {
            let law = format!("{:?}", s.sampler).to_lowercase();
            let params = format!("scratch[{}; {}]", s.first, s.len);
            writeln!(f, "{} = {law} {params}, site {} turn {} component {}", s.dst, s.site, s.turn, s.component)
        }
    }
}

fn write_loop(f: &mut fmt::Formatter<'_>, l: &Loop, depth: usize) -> fmt::Result {
    write!(f, "loop {} < {}", l.counter, l.counter.extent)?;
    for c in &l.carried {
        write!(f, ", {} = {} then {} gives {}", c.inner, c.init, c.next, c.result)?;
    }
    writeln!(f)?;
    write_body(f, &l.body, depth + 1)
}
