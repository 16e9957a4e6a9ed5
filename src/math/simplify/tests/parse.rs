//! A reader of small expressions into raw graphs, so that rules can be tested as pairs of texts.
//!
//! `x`, `y` are states and `p`, `q` parameters; `u`, `v` are states and `w` a parameter of shape `[5]`, `a` a parameter of
//! shape `[5, 5]`. Loops are written `sum(i<5, j<2: body)`. A whole number is an integer beside integers, else real.

use super::*;
use rustc_hash::FxHashMap as HashMap;

pub struct Reader<'b> {
    b: &'b mut B,
    names: HashMap<String, Id>,
    tokens: Vec<String>,
    place: usize,
}

#[derive(Copy, Clone)]
enum Value {
    Whole(i64),
    Node(Id),
}

pub fn read(b: &mut B, text: &str) -> Id {
    let mut names = HashMap::default();
    for (name, kind, shape) in [
        ("x", VarKind::State, vec![]),
        ("y", VarKind::State, vec![]),
        ("p", VarKind::Param, vec![]),
        ("q", VarKind::Param, vec![]),
        ("u", VarKind::State, vec![5]),
        ("v", VarKind::State, vec![5]),
        ("w", VarKind::Param, vec![5]),
        ("a", VarKind::Param, vec![5, 5]),
    ] {
        names.insert(name.to_string(), b.var(name, kind, &shape).1);
    }
    let mut r = Reader { b, names, tokens: tokens(text), place: 0 };
    let value = r.expression(0);
    assert_eq!(r.place, r.tokens.len(), "all of {text} is read");
    r.real(value)
}

fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let len = match first {
            '0'..='9' => rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()),
            'a'..='z' => rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()),
            _ if ["<=", "==", "!="].iter().any(|s| rest.starts_with(s)) => 2,
            _ => 1,
        };
        found.push(rest[..len].to_string());
        rest = rest[len..].trim_start();
    }
    found
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.place).map_or("", |t| t)
    }

    fn next(&mut self) -> String {
        self.place += 1;
        self.tokens[self.place - 1].clone()
    }

    fn expect(&mut self, token: &str) {
        assert_eq!(self.next(), token);
    }

    fn real(&mut self, v: Value) -> Id {
        match v {
            Value::Whole(c) => self.b.real(c as f64),
            Value::Node(id) => id,
        }
    }

    fn int(&mut self, v: Value) -> Id {
        match v {
            Value::Whole(c) => self.b.int(c),
            Value::Node(id) => id,
        }
    }

    fn pair(&mut self, op: Op, a: Value, b: Value) -> Value {
        let integer = |r: &Self, v| matches!(v, Value::Node(id) if r.b.g.ty(id) == Ty::Int);
        let (a, b) = if integer(self, a) || integer(self, b) {
            (self.int(a), self.int(b))
        } else {
            (self.real(a), self.real(b))
        };
        Value::Node(self.b.op(op, &[a, b]))
    }

    fn expression(&mut self, level: usize) -> Value {
        let levels: [&[(&str, Op)]; 5] = [
            &[("or", Op::Or)],
            &[("and", Op::And)],
            &[("<", Op::Lt), ("<=", Op::Le), ("==", Op::Eq), ("!=", Op::Ne)],
            &[("+", Op::Add), ("-", Op::Sub)],
            &[("*", Op::Mul), ("/", Op::Div), ("mod", Op::Mod), ("div", Op::IntDiv)],
        ];
        let Some(ops) = levels.get(level) else { return self.power() };
        let mut left = self.expression(level + 1);
        while let Some((_, op)) = ops.iter().find(|o| o.0 == self.peek()) {
            self.next();
            let right = self.expression(level + 1);
            left = self.pair(*op, left, right);
        }
        left
    }

    fn power(&mut self) -> Value {
        if self.peek() == "-" {
            self.next();
            let v = self.power();
            return match v {
                Value::Whole(c) => Value::Whole(-c),
                Value::Node(id) => Value::Node(self.b.neg(id)),
            };
        }
        let mut base = self.atom();
        while self.peek() == "[" {
            self.next();
            let at = self.list("]");
            let (array, at) = (self.real(base), at.into_iter().map(|v| self.int(v)).collect::<Vec<_>>());
            base = Value::Node(self.b.get(array, &at));
        }
        if self.peek() == "^" {
            self.next();
            let base = self.real(base);
            let n = self.power();
            let n = self.int(n);
            let op = if self.b.g.ty(n) == Ty::Int { Op::Powi } else { Op::Pow };
            return Value::Node(self.b.op(op, &[base, n]));
        }
        base
    }

    fn list(&mut self, end: &str) -> Vec<Value> {
        let mut values = Vec::new();
        loop {
            values.push(self.expression(0));
            let token = self.next();
            if token == end {
                return values;
            }
            assert_eq!(token, ",");
        }
    }

    fn atom(&mut self) -> Value {
        let token = self.next();
        if token.starts_with(|c: char| c.is_ascii_digit()) {
            return match token.parse::<i64>() {
                Ok(c) => Value::Whole(c),
                Err(_) => Value::Node(self.b.real(token.parse().expect("a number"))),
            };
        }
        match token.as_str() {
            "(" => {
                let v = self.expression(0);
                self.expect(")");
                return v;
            }
            "[" => {
                let values = self.list("]");
                let elements: Vec<Id> = values.into_iter().map(|v| self.real(v)).collect();
                return Value::Node(self.b.g.lit(vec![elements.len()], elements));
            }
            "true" | "false" => return Value::Node(self.b.g.boolean(token == "true")),
            _ => {}
        }
        if self.peek() != "(" || self.names.contains_key(&token) {
            return Value::Node(self.names[&token]);
        }
        self.next();
        if let Some(v) = self.binder(&token) {
            return v;
        }
        self.call(&token)
    }

    fn binder(&mut self, head: &str) -> Option<Value> {
        let reds = [Red::Sum, Red::Prod, Red::Max, Red::Min, Red::Any, Red::All, Red::Argmax, Red::LogSumExp];
        let red = reds.into_iter().find(|r| r.name() == head);
        if (red.is_none() && head != "map") || self.tokens.get(self.place + 1).is_none_or(|t| t != "<") {
            return None;
        }
        let mut bounds = Vec::new();
        loop {
            let name = self.next();
            self.expect("<");
            let (index, id) = {
                let n = self.next().parse().expect("an extent");
                self.b.index(n)
            };
            self.names.insert(name, id);
            bounds.push(index);
            if self.next() == ":" {
                break;
            }
        }
        let body = self.expression(0);
        let body = self.real(body);
        self.expect(")");
        Some(Value::Node(match red {
            Some(red) => self.b.g.reduce(red, &bounds, body),
            None => self.b.g.map(&bounds, body),
        }))
    }

    fn call(&mut self, name: &str) -> Value {
        let args = self.list(")");
        let op = ALL_OPS.iter().copied().find(|o| o.name() == name).unwrap_or_else(|| panic!("no operation {name}"));
        let integer = args.iter().any(|v| matches!(v, Value::Node(id) if self.b.g.ty(*id) == Ty::Int));
        let args: Vec<Id> = args.into_iter().map(|v| if integer { self.int(v) } else { self.real(v) }).collect();
        Value::Node(self.b.op(op, &args))
    }
}

const ALL_OPS: &[Op] = &[
    Op::Abs,
    Op::Sign,
    Op::Floor,
    Op::Min,
    Op::Max,
    Op::Exp,
    Op::Expm1,
    Op::Log,
    Op::Log1p,
    Op::Sqrt,
    Op::Sin,
    Op::Cos,
    Op::Tanh,
    Op::Erf,
    Op::Sigmoid,
    Op::Softplus,
    Op::Logit,
    Op::Lgamma,
    Op::StopGrad,
    Op::ToReal,
    Op::Not,
    Op::Select,
    Op::Pow,
];
