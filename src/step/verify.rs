//! Checks a step program: each register is named once, before it is read and with the right kind; every row and cell
//! lies inside its space; states are only read.

use rustc_hash::FxHashSet as HashSet;

use super::program::*;

struct Verifier<'a> {
    program: &'a Program,
    named: HashSet<Reg>,
    visible: HashSet<Reg>,
    counters: Vec<Counter>,
}

/// The first thing that is wrong with a program, if any.
pub fn verify(program: &Program) -> Result<(), String> {
    let mut v = Verifier { program, named: HashSet::default(), visible: HashSet::default(), counters: Vec::new() };
    v.body(&program.body)?;
    let working = 2 * program.state_rows;
    if !program.is_straight() && program.scratch_rows < program.body_scratch + working {
        return Err("a program with loops brings scratch for two copies of the states".into());
    }
    Ok(())
}

impl Verifier<'_> {
    fn body(&mut self, body: &[Inst]) -> Result<(), String> {
        body.iter().try_for_each(|i| self.inst(i))
    }

    fn define(&mut self, reg: Reg) -> Result<(), String> {
        if !self.named.insert(reg) {
            return Err(format!("{reg} is named twice"));
        }
        self.visible.insert(reg);
        Ok(())
    }

    fn read(&self, reg: Reg, kind: Kind) -> Result<(), String> {
        if !self.visible.contains(&reg) {
            return Err(format!("{reg} is read where it is not known"));
        }
        if self.program.kind(reg) != kind {
            return Err(format!("{reg} is a {:?} read as a {kind:?}", self.program.kind(reg)));
        }
        Ok(())
    }

    fn index(&self, index: &Index, len: usize, what: &str) -> Result<(), String> {
        self.known_index(index)?;
        let (lo, hi) = index.range();
        if lo < 0 || hi >= len as i64 {
            return Err(format!("{what}[{index}] reaches {lo}..={hi} of {len}"));
        }
        Ok(())
    }

    fn known_index(&self, index: &Index) -> Result<(), String> {
        let mut unknown = None;
        index.counters(&mut |c| {
            if !self.counters.contains(&c) {
                unknown = Some(c);
            }
        });
        let mut cells = Vec::new();
        index.cells(&mut |table, at| cells.push((table, at.clone())));
        for (table, at) in cells {
            self.index(&at, self.table_len(table), table.name())?;
        }
        unknown.map_or(Ok(()), |c| Err(format!("the counter {c} is not open")))
    }

    fn rows(&self, space: Space) -> usize {
        let p = self.program;
        match space {
            Space::State | Space::Next => p.state_rows,
            Space::Out => p.out_rows,
            Space::Draw => p.draw_rows,
            Space::Scratch => p.body_scratch,
        }
    }

    fn table_len(&self, table: Table) -> usize {
        match table {
            Table::Run => self.program.run_len,
            Table::Step => self.program.step_len,
        }
    }

    fn value(&self, dst: Reg, value: &Value) -> Result<(), String> {
        use Kind::{Mask, Real};
        let made = match value {
            Value::Const(_) => Real,
            Value::Truth(_) => Mask,
            Value::Cell(table, at) => {
                self.index(at, self.table_len(*table), table.name())?;
                Real
            }
            Value::Count(index) => {
                self.known_index(index)?;
                Real
            }
            Value::Load(space, row) => {
                self.index(row, self.rows(*space), space.name())?;
                Real
            }
            Value::Unary(_, a) => self.read(*a, Real).map(|_| Real)?,
            Value::Binary(_, a, b) => self.read(*a, Real).and_then(|_| self.read(*b, Real)).map(|_| Real)?,
            Value::Fused(_, a, b, c) => {
                [a, b, c].into_iter().try_for_each(|r| self.read(*r, Real))?;
                Real
            }
            Value::Compare(_, a, b) => self.read(*a, Real).and_then(|_| self.read(*b, Real)).map(|_| Mask)?,
            Value::Logic(_, a, b) => self.read(*a, Mask).and_then(|_| self.read(*b, Mask)).map(|_| Mask)?,
            Value::Not(a) => self.read(*a, Mask).map(|_| Mask)?,
            Value::Select(m, a, b) => {
                self.read(*m, Mask)?;
                self.read(*a, Real)?;
                self.read(*b, Real).map(|_| Real)?
            }
            Value::Gather { space, first, len, at } => {
                self.span(first, *len, self.rows(*space), space.name())?;
                self.read(*at, Real).map(|_| Real)?
            }
            Value::GatherCell { table, first, len, at } => {
                self.span(first, *len, self.table_len(*table), table.name())?;
                self.read(*at, Real).map(|_| Real)?
            }
        };
        if self.program.kind(dst) != made {
            return Err(format!("{dst} = {value} is a {made:?}"));
        }
        Ok(())
    }

    fn span(&self, first: &Index, len: usize, all: usize, what: &str) -> Result<(), String> {
        if len == 0 {
            return Err(format!("an empty span of {what}"));
        }
        self.index(first, all, what)?;
        self.index(&first.plus(len as i64 - 1), all, what)
    }

    fn inst(&mut self, inst: &Inst) -> Result<(), String> {
        match inst {
            Inst::Let(dst, value) => {
                self.value(*dst, value)?;
                self.define(*dst)
            }
            Inst::Store { space, row, value } => {
                if matches!(space, Space::State | Space::Draw) {
                    return Err(format!("{} is written", space.name()));
                }
                self.index(row, self.rows(*space), space.name())?;
                self.read(*value, Kind::Real)
            }
            Inst::ScatterAdd { first, len, at, value } => {
                self.span(first, *len, self.program.body_scratch, "scratch")?;
                self.read(*at, Kind::Real)?;
                self.read(*value, Kind::Real)
            }
            Inst::Call(call) => {
                for (dst, args) in call.dsts.iter().zip(&call.args) {
                    args.iter().try_for_each(|a| self.read(*a, Kind::Real))?;
                    self.define(*dst)?;
                }
                Ok(())
            }
            Inst::Loop(l) => self.inner(l),
            Inst::Dense(d) => {
                let spans = d.args.iter().chain([&d.out]);
                spans
                    .into_iter()
                    .try_for_each(|a| self.index(&Index::of(*a as i64), self.program.body_scratch, "scratch"))
            }
            Inst::Product(p) => self.product(p),
            Inst::Sample(s) => {
                if s.len > 0 {
                    self.span(&s.first, s.len, self.program.body_scratch, "scratch")?;
                }
                self.known_index(&s.component)?;
                self.define(s.dst)
            }
        }
    }

    fn product(&self, p: &Product) -> Result<(), String> {
        let s = &p.shape;
        if s.rows * s.terms * s.columns == 0 {
            return Err("an empty product".into());
        }
        let [a, x, out] = s.reaches();
        match &p.a {
            Factor::Cells(table, first) => self.span(first, a, self.table_len(*table), table.name())?,
            Factor::Rows(space, first) => self.span(first, a, self.rows(*space), space.name())?,
        }
        self.span(&p.x, x, self.rows(p.space), p.space.name())?;
        self.span(&p.out, out, self.program.body_scratch, "scratch")
    }

    fn inner(&mut self, l: &Loop) -> Result<(), String> {
        for c in &l.carried {
            self.read(c.init, self.program.kind(c.inner))?;
        }
        let outside = self.visible.clone();
        self.counters.push(l.counter);
        for c in &l.carried {
            self.define(c.inner)?;
        }
        self.body(&l.body)?;
        for c in &l.carried {
            self.read(c.next, self.program.kind(c.inner))?;
        }
        self.counters.pop();
        self.visible = outside;
        for c in &l.carried {
            self.define(c.result)?;
        }
        Ok(())
    }
}
