//! The text of a graph, as `--emit ir` shows it.
//!
//! Inputs come first, with what they are and their shapes. Then each array, and each value that is used more than once, has a line
//! `%k = ...`, in the widest loop where it makes sense, and each root a line with its name. A loop whose body needs
//! lines of its own is an indented block that ends with its value. The text depends on the graph below the roots only,
//! not on the age of nodes.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::fmt::Write;

use super::graph::{Base, DataId, Graph, Id, IndexVar, Node, VarId, VarKind};
use super::ops::{Op, Ty};

/// The text of named roots.
pub fn print(g: &Graph, roots: &[(&str, Id)]) -> String {
    let ids: Vec<Id> = roots.iter().map(|r| r.1).collect();
    let mut p = Printer {
        g,
        names: HashMap::default(),
        next: 0,
        indices: Vec::new(),
        inputs: HashMap::default(),
        text: String::new(),
    };
    p.inputs(&ids);
    p.lines(&ids, 0);
    for (name, id) in roots {
        p.line(&format!("{name} = "), *id, 0);
    }
    p.text
}

/// The text of one scalar or array, without inputs and names; for messages and tests.
pub fn expression(g: &Graph, id: Id) -> String {
    let text = print(g, &[("", id)]);
    let body = text.lines().skip_while(|l| !l.starts_with('%') && !l.starts_with(" = "));
    body.map(|l| l.strip_prefix(" = ").unwrap_or(l)).collect::<Vec<_>>().join("\n")
}

struct Printer<'g> {
    g: &'g Graph,
    /// values that have a line
    names: HashMap<Id, usize>,
    next: usize,
    /// bound indices in scope, outermost first
    indices: Vec<IndexVar>,
    inputs: HashMap<Id, String>,
    text: String,
}

/// How tightly a piece of text holds together.
#[derive(Copy, Clone, PartialEq, PartialOrd)]
enum Tight {
    Loop,
    Truth,
    Relation,
    Sum,
    Product,
    Power,
    Atom,
}

impl Printer<'_> {
    fn inputs(&mut self, roots: &[Id]) {
        let mut leaves: Vec<Id> = self.g.reachable(roots);
        leaves.retain(|id| matches!(self.g.node(*id), Node::Var(_) | Node::Data(_)));
        leaves.sort_by_key(|id| match self.g.node(*id) {
            Node::Var(v) => (0, v.0),
            Node::Data(d) => (1, d.0),
            _ => unreachable!("only leaves are kept"),
        });
        let mut taken = HashSet::default();
        for id in leaves {
            let (name, what) = match self.g.node(id) {
                Node::Var(v) => self.variable(*v),
                Node::Data(d) => self.data(*d),
                _ => unreachable!("only leaves are kept"),
            };
            let mut unique = name.clone();
            let mut k = 2;
            while !taken.insert(unique.clone()) {
                unique = format!("{name}#{k}");
                k += 1;
            }
            let shape = self.g.shape(id);
            let shape = if shape.is_empty() { String::new() } else { format!(" {shape:?}") };
            let ty = match self.g.ty(id) {
                Ty::Real => "",
                Ty::Int => " int",
                Ty::Bool => " bool",
            };
            writeln!(self.text, "{what} {unique}{shape}{ty}").expect("a string takes text");
            self.inputs.insert(id, unique);
        }
    }

    fn variable(&self, var: VarId) -> (String, String) {
        let info = self.g.var_info(var);
        let what = match &info.kind {
            VarKind::State => "state".into(),
            VarKind::Param => "param".into(),
            VarKind::Time => "time".into(),
            VarKind::TimeNext => "next time".into(),
            VarKind::Dt => "dt".into(),
            VarKind::StepIndex => "step index".into(),
            VarKind::Noise => "noise".into(),
            VarKind::Draw { base, site, turn } => {
                let law = match base {
                    Base::Normal => "normal".into(),
                    Base::Uniform => "uniform".into(),
                    Base::Law(sampler, _) => format!("{sampler:?}").to_lowercase(),
                };
                let turn = if *turn == 0 { String::new() } else { format!(", turn {turn}") };
                format!("draw ({law}, site {site}{turn})")
            }
            VarKind::Hole => "hole".into(),
            VarKind::Result => "result".into(),
        };
        (info.name.clone(), what)
    }

    fn data(&self, data: DataId) -> (String, String) {
        (self.g.data_info(data).name.clone(), "data".into())
    }

    /// Lines for the values that the roots share and that belong to the innermost scope.
    fn lines(&mut self, roots: &[Id], depth: usize) {
        let (order, uses) = self.shared(roots);
        for id in order {
            let here = self.scope(id) == self.indices.len();
            let leaf = self.g.parts(id).is_empty();
            let shared = uses.get(&id).copied().unwrap_or(0) > 1 && !self.cheap(id);
            let inner = !roots.contains(&id);
            let array = matches!(self.g.node(id), Node::Map(..));
            if here && !leaf && (shared || (inner && (array || self.needs_lines(id)))) {
                let k = self.next;
                self.next += 1;
                self.line(&format!("%{k} = "), id, depth);
                self.names.insert(id, k);
            }
        }
    }

    /// The unnamed values below, parts first, and how many places each is used in.
    fn shared(&self, roots: &[Id]) -> (Vec<Id>, HashMap<Id, usize>) {
        let mut uses: HashMap<Id, usize> = HashMap::default();
        let mut order = Vec::new();
        let mut seen = HashSet::default();
        let mut stack: Vec<(Id, bool)> = roots.iter().rev().map(|r| (*r, false)).collect();
        for r in roots {
            *uses.entry(*r).or_default() += 1;
        }
        while let Some((id, done)) = stack.pop() {
            if done {
                order.push(id);
            } else if !self.names.contains_key(&id) && seen.insert(id) {
                let parts = self.g.parts(id);
                for p in &parts {
                    *uses.entry(*p).or_default() += 1;
                }
                stack.push((id, true));
                stack.extend(parts.into_iter().rev().map(|p| (p, false)));
            }
        }
        (order, uses)
    }

    /// Whether a loop shares values in its body, or in the body of a loop inside.
    fn needs_lines(&mut self, id: Id) -> bool {
        let Some((_, bounds, body)) = self.loop_parts(id) else { return false };
        let outer = self.indices.len();
        self.indices.extend(&bounds);
        let (order, uses) = self.shared(&[body]);
        let needed = order.into_iter().any(|id| {
            let here = self.scope(id) == self.indices.len() && !self.g.parts(id).is_empty();
            let array = matches!(self.g.node(id), Node::Map(..));
            here && (array || (uses[&id] > 1 && !self.cheap(id)) || self.needs_lines(id))
        });
        self.indices.truncate(outer);
        needed
    }

    /// How many loops from outside a value needs; more than there are for one that needs loops further in.
    fn scope(&self, id: Id) -> usize {
        let place = |f: &u32| self.indices.iter().rposition(|i| i.id == *f).map_or(usize::MAX, |k| k + 1);
        self.g.free(id).iter().map(place).max().unwrap_or(0)
    }

    /// Index arithmetic and elements of inputs are written where they are used.
    fn cheap(&self, id: Id) -> bool {
        match self.g.node(id) {
            Node::Get(array, _) => self.g.parts(*array).is_empty(),
            Node::Op(..) => self.g.ty(id) == Ty::Int && self.g.vars_of(id).is_empty() && self.g.height(id) == 0,
            _ => false,
        }
    }

    /// One value, after a prefix; a loop with lines of its own opens a block.
    fn line(&mut self, prefix: &str, id: Id, depth: usize) {
        let margin = "  ".repeat(depth);
        if !self.names.contains_key(&id)
            && let Some((head, bounds, body)) = self.loop_parts(id)
        {
            let outer = self.indices.len();
            self.indices.extend(&bounds);
            let start = self.text.len();
            let names = self.names.clone();
            let head = format!("{head} ({})", self.bounds(&bounds));
            writeln!(self.text, "{margin}{prefix}{head}").expect("a string takes text");
            let empty = self.text.len();
            self.lines(&[body], depth + 1);
            if self.text.len() == empty && !self.needs_lines(body) {
                self.text.truncate(start);
                let body = self.body(body);
                writeln!(self.text, "{margin}{prefix}{head} {body}").expect("a string takes text");
            } else {
                self.line("", body, depth + 1);
            }
            self.names = names;
            self.indices.truncate(outer);
            return;
        }
        let text = self.at(id, Tight::Loop);
        writeln!(self.text, "{margin}{prefix}{text}").expect("a string takes text");
    }

    fn loop_parts(&self, id: Id) -> Option<(&'static str, Vec<IndexVar>, Id)> {
        match self.g.node(id) {
            Node::Map(bounds, body) => Some(("map", bounds.clone(), *body)),
            Node::Reduce(red, bounds, body) => Some((red.name(), bounds.clone(), *body)),
            _ => None,
        }
    }

    fn bounds(&self, bounds: &[IndexVar]) -> String {
        bounds.iter().map(|b| format!("{} < {}", self.index(*b), b.extent)).collect::<Vec<_>>().join(", ")
    }

    /// Loop indices are named from outside in: i, j, k, l, m, n, i6, ...
    fn index(&self, index: IndexVar) -> String {
        match self.indices.iter().rposition(|i| i.id == index.id) {
            Some(k) if k < 6 => ["i", "j", "k", "l", "m", "n"][k].into(),
            Some(k) => format!("i{k}"),
            None => format!("free{}", index.id),
        }
    }
}

/// Expressions.
impl Printer<'_> {
    /// The text of a value, in parentheses where it is looser than asked.
    fn at(&mut self, id: Id, tight: Tight) -> String {
        let (text, own) = self.text_of(id);
        if own < tight { format!("({text})") } else { text }
    }

    fn list(&mut self, ids: &[Id]) -> String {
        ids.iter().map(|i| self.at(*i, Tight::Loop)).collect::<Vec<_>>().join(", ")
    }

    fn text_of(&mut self, id: Id) -> (String, Tight) {
        if let Some(k) = self.names.get(&id) {
            return (format!("%{k}"), Tight::Atom);
        }
        match self.g.node(id).clone() {
            Node::Real(bits) => number(f64::from_bits(bits)),
            Node::Int(c) => (c.to_string(), if c < 0 { Tight::Sum } else { Tight::Atom }),
            Node::Bool(b) => (b.to_string(), Tight::Atom),
            Node::Var(_) | Node::Data(_) => (self.inputs[&id].clone(), Tight::Atom),
            Node::Index(i) => (self.index(i), Tight::Atom),
            Node::Op(op, args) => self.operation(op, &args),
            Node::Lit(shape, elements) if shape.len() == 1 => (format!("[{}]", self.list(&elements)), Tight::Atom),
            Node::Lit(shape, elements) => (format!("lit {shape:?} [{}]", self.list(&elements)), Tight::Loop),
            Node::Get(array, at) => (format!("{}[{}]", self.at(array, Tight::Atom), self.list(&at)), Tight::Atom),
            Node::Map(bounds, body) => self.inline("map", &bounds, &[], body),
            Node::Reduce(red, bounds, body) => self.inline(red.name(), &bounds, &[], body),
            Node::Scatter { shape, bounds, at, body } => self.inline(&format!("scatter {shape:?}"), &bounds, &at, body),
            Node::Dense(op, args) => (format!("{}({})", op.name(), self.list(&args)), Tight::Atom),
            Node::Partial { of, var, point, at } => {
                let name = self.g.var_info(var).name.clone();
                let parts = [self.list(&[of]), format!("{name}[{}]", self.list(&at)), self.list(&[point])];
                (format!("partial({})", parts.join("; ")), Tight::Atom)
            }
            Node::Jvp { of, var, point, tangent } => {
                let name = self.g.var_info(var).name.clone();
                let parts = [self.list(&[of]), name, self.list(&[point]), self.list(&[tangent])];
                (format!("jvp({})", parts.join("; ")), Tight::Atom)
            }
        }
    }

    /// The body of a loop: another loop, or a sum that ends where the loop does.
    fn body(&mut self, id: Id) -> String {
        let tight = if self.loop_parts(id).is_some() { Tight::Loop } else { Tight::Sum };
        self.at(id, tight)
    }

    fn inline(&mut self, head: &str, bounds: &[IndexVar], at: &[Id], body: Id) -> (String, Tight) {
        let outer = self.indices.len();
        self.indices.extend(bounds);
        let mut text = format!("{head} ({}) ", self.bounds(bounds));
        if !at.is_empty() {
            write!(text, "at [{}] add ", self.list(at)).expect("a string takes text");
        }
        text += &self.body(body);
        self.indices.truncate(outer);
        (text, Tight::Loop)
    }

    fn operation(&mut self, op: Op, args: &[Id]) -> (String, Tight) {
        use Tight::*;
        let (sign, left, right, own) = match op {
            Op::Add => (" + ", Sum, Sum, Sum),
            Op::Sub => (" - ", Sum, Product, Sum),
            Op::Mul => ("*", Product, Product, Product),
            Op::Div => ("/", Product, Power, Product),
            Op::Mod => (" mod ", Power, Power, Product),
            Op::IntDiv => (" div ", Power, Power, Product),
            Op::Powi | Op::Pow => ("^", Atom, Atom, Power),
            Op::Lt => (" < ", Sum, Sum, Relation),
            Op::Le => (" <= ", Sum, Sum, Relation),
            Op::Eq => (" == ", Sum, Sum, Relation),
            Op::Ne => (" != ", Sum, Sum, Relation),
            Op::And => (" and ", Relation, Relation, Truth),
            Op::Or => (" or ", Relation, Relation, Truth),
            Op::Neg => return (format!("-{}", self.at(args[0], Product)), Sum),
            Op::Not => return (format!("not {}", self.at(args[0], Atom)), Truth),
            _ => return (format!("{}({})", op.name(), self.list(args)), Atom),
        };
        let (left, right) = match op {
            // a chain of one operation needs no parentheses on the left, a product also none around quotients
            Op::And | Op::Or if self.is(args[0], op) && !self.names.contains_key(&args[0]) => (Truth, right),
            Op::Mul if self.is(args[1], Op::Div) || self.is(args[1], Op::Mod) => (left, Power),
            Op::Mul if self.is(args[0], Op::Mod) || self.is(args[0], Op::IntDiv) => (Power, right),
            _ => (left, right),
        };
        (format!("{}{sign}{}", self.at(args[0], left), self.at(args[1], right)), own)
    }

    fn is(&self, id: Id, op: Op) -> bool {
        matches!(self.g.node(id), Node::Op(o, _) if *o == op)
    }
}

/// The shortest text that reads back as the number.
fn number(x: f64) -> (String, Tight) {
    let text = format!("{x:?}");
    let text = text.strip_suffix(".0").unwrap_or(&text).to_string();
    (text, if x < 0.0 { Tight::Sum } else { Tight::Atom })
}
