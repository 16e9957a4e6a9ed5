//! A small notation for graphs in tests: `s*(y - x)`, `x[i]^2`, `exp(-x)`, `[i<64: x[i]]`, `sum(i<64: x[i])`,
//! `if x < 1 then x else 1`. Names are those declared with [`Builder`]; `dW` is the noise `W`.

use rustc_hash::FxHashMap as HashMap;

use crate::math::array::Array;
use crate::math::eval::Env;
use crate::math::{Graph, Id, IndexVar, Node, Op, Red, Ty, VarId, VarKind};

use super::system::{Component, NoiseInput, System};

pub struct Builder {
    pub g: Graph,
    vars: HashMap<String, VarId>,
    scope: Vec<(String, IndexVar)>,
}

impl Builder {
    pub fn new() -> Builder {
        let mut b = Builder { g: Graph::new(), vars: HashMap::default(), scope: Vec::new() };
        b.declare("t", VarKind::Time, &[]);
        b
    }

    pub fn declare(&mut self, name: &str, kind: VarKind, shape: &[usize]) -> VarId {
        let var = self.g.new_var(name, kind.clone(), Ty::Real, shape.to_vec());
        let key = if kind == VarKind::Noise { format!("d{name}") } else { name.to_string() };
        self.vars.insert(key, var);
        var
    }

    pub fn params(&mut self, names: &str) {
        for name in names.split_whitespace() {
            self.declare(name, VarKind::Param, &[]);
        }
    }

    pub fn states(&mut self, names: &str) {
        for name in names.split_whitespace() {
            self.declare(name, VarKind::State, &[]);
        }
    }

    pub fn noises(&mut self, names: &str) {
        for name in names.split_whitespace() {
            self.declare(name, VarKind::Noise, &[]);
        }
    }

    pub fn var(&self, name: &str) -> VarId {
        *self.vars.get(name).unwrap_or_else(|| panic!("no variable {name}"))
    }

    pub fn expr(&mut self, text: &str) -> Id {
        let spaced: String =
            text.chars().map(|c| if "+-*/^()[],:<".contains(c) { format!(" {c} ") } else { c.into() }).collect();
        let tokens: Vec<String> = spaced.split_whitespace().map(String::from).collect();
        let mut parser = Parser { b: self, tokens, at: 0 };
        let id = parser.comparison();
        assert_eq!(parser.at, parser.tokens.len(), "the whole of {text}");
        id
    }
}

impl Builder {
    /// A system with the given equations: state, drift, diffusion. The noises are those declared, in order.
    pub fn system(&mut self, alpha: &str, equations: &[(&str, &str, &str)]) -> System {
        let mut system = System {
            time: self.var("t"),
            states: Vec::new(),
            noises: Vec::new(),
            drift: Vec::new(),
            diffusion: Vec::new(),
            alpha: self.expr(alpha),
            strat_terms: vec![None; equations.len()],
            written: None,
        };
        for (name, drift, diffusion) in equations {
            let var = self.var(name);
            let shape = self.g.var_info(var).shape.clone();
            system.states.push(Component { name: name.to_string(), var, shape });
            system.drift.push(self.expr(drift));
            system.diffusion.push(self.expr(diffusion));
        }
        for var in self.g.var_ids() {
            let info = self.g.var_info(var);
            if info.kind == VarKind::Noise {
                system.noises.push(NoiseInput { name: info.name.clone(), var, shape: info.shape.clone() });
            }
        }
        system
    }

    /// Values for variables by name; scalars fill arrays.
    pub fn env(&self, values: &[(&str, f64)]) -> Env {
        let mut env = Env::new();
        for (name, value) in values {
            let var = self.var(name);
            let shape = self.g.var_info(var).shape.clone();
            let count = shape.iter().product();
            env.set(var, Array::new(shape, vec![*value; count]));
        }
        env
    }
}

struct Parser<'a> {
    b: &'a mut Builder,
    tokens: Vec<String>,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.at += 1;
        self.tokens[self.at - 1].clone()
    }

    fn eat(&mut self, token: &str) -> bool {
        let found = self.peek() == token;
        self.at += usize::from(found);
        found
    }

    fn want(&mut self, token: &str) {
        assert!(self.eat(token), "{token} expected before {:?}", &self.tokens[self.at..]);
    }

    fn comparison(&mut self) -> Id {
        if self.eat("if") {
            let condition = self.comparison();
            self.want("then");
            let yes = self.comparison();
            self.want("else");
            let no = self.comparison();
            return self.b.g.op(Op::Select, &[condition, yes, no]);
        }
        let left = self.sum();
        let op = match self.peek() {
            "<" => Op::Lt,
            "==" => Op::Eq,
            _ => return left,
        };
        self.at += 1;
        let right = self.sum();
        let right = match self.b.g.node(right) {
            // beside an index, a whole number
            Node::Real(bits) if self.b.g.ty(left) == Ty::Int => {
                let n = f64::from_bits(*bits) as i64;
                self.b.g.int(n)
            }
            _ => right,
        };
        self.b.g.op(op, &[left, right])
    }

    fn sum(&mut self) -> Id {
        let mut left = self.product();
        loop {
            let op = match self.peek() {
                "+" => Op::Add,
                "-" => Op::Sub,
                _ => return left,
            };
            self.at += 1;
            let right = self.product();
            left = self.b.g.op(op, &[left, right]);
        }
    }

    fn product(&mut self) -> Id {
        let mut left = self.unary();
        loop {
            let op = match self.peek() {
                "*" => Op::Mul,
                "/" => Op::Div,
                _ => return left,
            };
            self.at += 1;
            let right = self.unary();
            left = self.b.g.op(op, &[left, right]);
        }
    }

    fn unary(&mut self) -> Id {
        if self.eat("-") {
            let inner = self.unary();
            return self.b.g.op(Op::Neg, &[inner]);
        }
        let base = self.atom();
        if !self.eat("^") {
            return base;
        }
        let sign = if self.eat("-") { -1 } else { 1 };
        match self.peek().parse::<i64>() {
            Ok(n) => {
                self.at += 1;
                let n = self.b.g.int(sign * n);
                self.b.g.op(Op::Powi, &[base, n])
            }
            Err(_) => {
                let exponent = self.atom();
                self.b.g.op(Op::Pow, &[base, exponent])
            }
        }
    }

    fn atom(&mut self) -> Id {
        let token = self.next();
        if token == "(" {
            let inner = self.comparison();
            self.want(")");
            return inner;
        }
        if token == "[" {
            let id = self.under_binder(|b, bounds, body| b.g.map(&bounds, body));
            self.want("]");
            return id;
        }
        if let Ok(value) = token.parse::<f64>() {
            return self.b.g.real(value);
        }
        if self.eat("(") {
            return self.call(&token);
        }
        self.named(&token)
    }

    fn under_binder(&mut self, make: impl Fn(&mut Builder, Vec<IndexVar>, Id) -> Id) -> Id {
        let mut bounds = Vec::new();
        loop {
            let name = self.next();
            self.want("<");
            let extent = self.next().parse().expect("an extent");
            let index = self.b.g.fresh_index(extent);
            self.b.scope.push((name, index));
            bounds.push(index);
            if !self.eat(",") {
                break;
            }
        }
        self.want(":");
        let body = self.comparison();
        let left = self.b.scope.len() - bounds.len();
        self.b.scope.truncate(left);
        make(self.b, bounds, body)
    }

    fn call(&mut self, name: &str) -> Id {
        let red = [("sum", Red::Sum), ("logsumexp", Red::LogSumExp), ("max_of", Red::Max)];
        if let Some((_, red)) = red.into_iter().find(|(n, _)| *n == name) {
            let id = self.under_binder(|b, bounds, body| b.g.reduce(red, &bounds, body));
            self.want(")");
            return id;
        }
        let mut args = vec![self.comparison()];
        while self.eat(",") {
            args.push(self.comparison());
        }
        self.want(")");
        let op = match name {
            "exp" => Op::Exp,
            "log" => Op::Log,
            "sqrt" => Op::Sqrt,
            "sin" => Op::Sin,
            "cos" => Op::Cos,
            "sinh" => Op::Sinh,
            "cosh" => Op::Cosh,
            "tanh" => Op::Tanh,
            "abs" => Op::Abs,
            "max" => Op::Max,
            "min" => Op::Min,
            "erf" => Op::Erf,
            "lgamma" => Op::Lgamma,
            "log1p" => Op::Log1p,
            "expm1" => Op::Expm1,
            "mod" => Op::Mod,
            _ => panic!("no function {name}"),
        };
        self.b.g.op(op, &args)
    }

    fn named(&mut self, name: &str) -> Id {
        if let Some((_, index)) = self.b.scope.iter().rev().find(|(n, _)| n == name) {
            let index = *index;
            return self.b.g.index(index);
        }
        let var = self.b.var(name);
        let id = self.b.g.var(var);
        if !self.eat("[") {
            return id;
        }
        let mut at = vec![self.integer()];
        while self.eat(",") {
            at.push(self.integer());
        }
        self.want("]");
        self.b.g.get(id, &at)
    }

    /// An index expression: `i`, `3`, `i + 1`, `(i + 63) % 64`.
    fn integer(&mut self) -> Id {
        let mut left = self.integer_atom();
        loop {
            let op = match self.peek() {
                "+" => Op::Add,
                "-" => Op::Sub,
                "%" => Op::Mod,
                _ => return left,
            };
            self.at += 1;
            let right = self.integer_atom();
            left = self.b.g.op(op, &[left, right]);
        }
    }

    fn integer_atom(&mut self) -> Id {
        if self.eat("(") {
            let inner = self.integer();
            self.want(")");
            return inner;
        }
        let token = self.next();
        match token.parse::<i64>() {
            Ok(n) => self.b.g.int(n),
            Err(_) => self.named(&token),
        }
    }
}
