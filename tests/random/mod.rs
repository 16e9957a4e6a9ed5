//! Random whole programs, as a function of a seed. All of them are without errors; their values stay moderate, as
//! drifts pull to the origin and functions are bounded or grow slowly.

use std::fmt::Write;

/// A linear congruential generator (Knuth, MMIX constants).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed ^ 0x5851_f42d_4c95_7f2d);
        for _ in 0..8 {
            dice.roll(2);
        }
        dice
    }

    pub fn roll(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    pub fn pick<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.roll(all.len())]
    }
}

/// A program, the parameter that it sweeps, and the values.
pub struct Program {
    pub text: String,
    pub parameter: &'static str,
    pub values: [f64; 2],
}

impl Program {
    /// The same with its sweep.
    pub fn swept(&self) -> String {
        let line = format!("  sweep  {} = [{}, {}]\n}}\n", self.parameter, self.values[0], self.values[1]);
        let end = self.text.rfind("}\n").expect("a run at the end");
        format!("{}{line}", &self.text[..end])
    }
}

/// A value that expressions may read.
#[derive(Clone)]
struct Named {
    name: String,
    shape: Vec<usize>,
}

struct Gen {
    dice: Dice,
    /// what is in scope
    values: Vec<Named>,
    /// loop indices and their extents
    indices: Vec<(String, usize)>,
    fresh: usize,
}

pub fn program(seed: u64) -> Program {
    let mut random = Gen { dice: Dice::new(seed), values: Vec::new(), indices: Vec::new(), fresh: 0 };
    let text = match seed % 6 {
        0 => random.general(),
        1 => random.componentwise(),
        2 => random.additive(),
        3 => random.kinetic(),
        4 => random.kernel(),
        _ => random.group(),
    };
    Program { text, parameter: "a", values: [0.4, 1.3] }
}

const HEAD: &str = "a = 0.7, b = 0.5 in (0, 2], c = -0.3";

impl Gen {
    fn name(&mut self, stem: &str) -> String {
        self.fresh += 1;
        format!("{stem}{}", self.fresh)
    }

    fn number(&mut self) -> String {
        self.dice.pick(&["0.5", "2", "1.25", "0.3", "1", "-0.75", "1e-2", "3"]).to_string()
    }

    fn declare(&mut self, name: &str, shape: &[usize]) {
        self.values.push(Named { name: name.into(), shape: shape.to_vec() });
    }

    fn parameters(&mut self) {
        ["a", "b", "c"].iter().for_each(|p| self.declare(p, &[]));
    }

    fn of_shape(&self, wanted: impl Fn(&[usize]) -> bool) -> Vec<Named> {
        self.values.iter().filter(|v| wanted(&v.shape)).cloned().collect()
    }

    // ---- expressions ----

    /// An index into an axis of `n`: a constant, or a loop index that stays inside.
    fn place(&mut self, n: usize) -> String {
        let near: Vec<(String, usize)> = self.indices.clone();
        if near.is_empty() || self.dice.roll(4) == 0 {
            return self.dice.roll(n).to_string();
        }
        let (i, extent) = near[self.dice.roll(near.len())].clone();
        match self.dice.roll(3) {
            0 if extent <= n => i,
            1 => format!("mod({i} + {}, {n})", self.dice.roll(n)),
            _ => format!("mod(2*{i} + 1, {n})"),
        }
    }

    fn leaf(&mut self) -> String {
        let scalars = self.of_shape(<[usize]>::is_empty);
        let arrays = self.of_shape(|s| !s.is_empty());
        match self.dice.roll(5) {
            0 => self.number(),
            1 if self.dice.roll(3) == 0 => "t".into(),
            2 | 3 if !arrays.is_empty() => {
                let array = &arrays[self.dice.roll(arrays.len())];
                let at: Vec<String> = array.shape.iter().map(|n| self.place(*n)).collect();
                format!("{}[{}]", array.name, at.join(", "))
            }
            _ => scalars[self.dice.roll(scalars.len())].name.clone(),
        }
    }

    fn condition(&mut self, depth: usize) -> String {
        let (x, y) = (self.scalar(depth), self.scalar(depth));
        let one = format!("{x} {} {y}", self.dice.pick(&["<", "<=", ">", ">="]));
        match self.dice.roll(4) {
            0 => format!("not ({one})"),
            1 => format!("{one} {} {} > 0", self.dice.pick(&["and", "or"]), self.leaf()),
            _ => one,
        }
    }

    /// A comprehension's body and its clause.
    fn over(&mut self, n: usize, depth: usize) -> (String, String) {
        let i = self.name("i");
        self.indices.push((i.clone(), n));
        let body = self.scalar(depth);
        self.indices.pop();
        (body, format!("for {i} in 0..{n}"))
    }

    fn scalar(&mut self, depth: usize) -> String {
        let Some(d) = depth.checked_sub(1) else { return self.leaf() };
        match self.dice.roll(19) {
            0 | 1 => format!("({} {} {})", self.scalar(d), self.dice.pick(&["+", "-"]), self.scalar(d)),
            2 | 3 => format!("{}*{}", self.factor(d), self.factor(d)),
            4 => format!("{}/(1 + {}^2)", self.factor(d), self.factor(d)),
            5 => {
                let f = self.dice.pick(&["sin", "cos", "tanh", "atan", "erf", "sigmoid", "abs", "cbrt", "softplus"]);
                format!("{f}({})", self.scalar(d))
            }
            6 => {
                let f = self.dice.pick(&["log", "sqrt", "log1p", "lgamma", "digamma", "cbrt", "log_i0"]);
                format!("{f}(1 + {}^2)", self.factor(d))
            }
            7 => format!("exp(-{}^2)", self.factor(d)),
            8 => {
                let f = self.dice.pick(&["min", "max", "logaddexp", "atan2"]);
                format!("{f}({}, 0.5 + {})", self.scalar(d), self.scalar(d))
            }
            9 => format!("(1 + {}^2)^{}", self.factor(d), self.dice.pick(&["0.5", "0.3", "(-1)", "tanh(a)"])),
            10 => format!("(if {} then {} else {})", self.condition(0), self.scalar(d), self.scalar(d)),
            11 => format!("clamp({}, -1, 2)", self.scalar(d)),
            12 if self.indices.len() < 2 => {
                let n = 2 + self.dice.roll(3);
                let (body, clause) = self.over(n, d);
                let f = self.dice.pick(&["sum", "avg", "max", "min", "logsumexp"]);
                format!("{f}({body} {clause})")
            }
            13 if self.indices.len() < 2 => {
                let (i, (body, clause)) = (self.name("k"), self.over(3, 0));
                format!("sum({body} {clause}, {i} in 0..3 if {i} != 1)")
            }
            14 | 15 => {
                let vectors = self.of_shape(|s| s.len() == 1);
                let Some(v) = vectors.get(self.dice.roll(vectors.len().max(1))).cloned() else { return self.leaf() };
                match self.dice.roll(5) {
                    0 => format!("norm({})", v.name),
                    1 => format!("{0} @ {0}/4", v.name),
                    2 => format!("sum({}[1..])", v.name),
                    3 => format!("avg(tanh({}))", v.name),
                    _ => format!("softmax({})[{}]", v.name, self.place(v.shape[0])),
                }
            }
            16 => format!("floor({})", self.leaf()),
            17 => format!("sign({})*mod({}, 1.5)", self.leaf(), self.leaf()),
            _ => self.leaf(),
        }
    }

    /// A scalar that stands well in a product or under a power.
    fn factor(&mut self, depth: usize) -> String {
        format!("({})", self.scalar(depth))
    }

    /// A bounded scalar.
    fn bounded(&mut self, depth: usize) -> String {
        let f = self.dice.pick(&["tanh", "sin", "cos", "atan"]);
        format!("{f}({})", self.scalar(depth))
    }

    /// A bounded array.
    fn array(&mut self, shape: &[usize], depth: usize) -> String {
        match shape {
            [] => self.bounded(depth),
            [n] => self.vector(*n, depth),
            _ => self.matrix(shape[0], shape[1], depth),
        }
    }

    fn vector(&mut self, n: usize, depth: usize) -> String {
        let same = self.of_shape(|s| s == [n]);
        match (self.dice.roll(6), same.first()) {
            (0, Some(v)) => format!("tanh({})", v.name),
            (1, Some(v)) => format!("sin(roll({}, {}))*{}", v.name, self.dice.roll(3), self.bounded(depth)),
            (2, Some(v)) => format!("({} @ tanh({}))", self.matrix(n, n, 0), v.name),
            (3, Some(v)) => {
                let (yes, no) = (v.name.clone(), self.bounded(depth));
                format!("(if {} then tanh({yes}) else {no}*ones({n}))", self.condition(0))
            }
            _ => {
                let i = self.name("i");
                self.indices.push((i.clone(), n));
                let body = self.bounded(depth);
                self.indices.pop();
                format!("[{body} for {i} in 0..{n}]")
            }
        }
    }

    fn matrix(&mut self, n: usize, m: usize, depth: usize) -> String {
        if self.dice.roll(3) == 0 {
            let rows: Vec<String> = (0..n)
                .map(|_| format!("[{}]", (0..m).map(|_| self.bounded(0)).collect::<Vec<_>>().join(", ")))
                .collect();
            return format!("[{}]", rows.join(", "));
        }
        let (i, j) = (self.name("i"), self.name("j"));
        self.indices.extend([(i.clone(), n), (j.clone(), m)]);
        let body = self.bounded(depth);
        self.indices.truncate(self.indices.len() - 2);
        format!("[{body} for {i} in 0..{n}, {j} in 0..{m}]")
    }

    // ---- models ----

    fn shape(&mut self) -> Vec<usize> {
        match self.dice.roll(5) {
            0 | 1 => vec![],
            2 | 3 => vec![2 + self.dice.roll(3)],
            _ => vec![2, 2 + self.dice.roll(2)],
        }
    }

    fn start(&mut self, shape: &[usize]) -> String {
        match (self.dice.roll(4), shape) {
            (0, _) => "~ normal(0, 0.5)".into(),
            (1, _) => {
                format!("~ {}", self.dice.pick(&["student_t(5)", "uniform(-1, b)", "laplace(0, b)", "gamma(2, 3)"]))
            }
            (_, []) => format!("= {}", self.dice.pick(&["0.5", "a", "-b/2"])),
            (_, [n]) => format!("= [0.2*i0 - 0.1 for i0 in 0..{n}]"),
            (_, shape) => format!("= [0.1*i0 + c*j0 for i0 in 0..{}, j0 in 0..{}]", shape[0], shape[1]),
        }
    }

    fn type_of(shape: &[usize]) -> String {
        match shape {
            [] => String::new(),
            _ => format!(": real[{}]", shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
        }
    }

    fn states(&mut self, names: &[&str], text: &mut String) -> Vec<Named> {
        let mut states = Vec::new();
        for name in names {
            let shape = self.shape();
            let start = self.start(&shape);
            let _ = writeln!(text, "  state {name}{} {start}", Self::type_of(&shape));
            states.push(Named { name: name.to_string(), shape });
        }
        self.values.extend(states.clone());
        states
    }

    fn lets(&mut self, text: &mut String) {
        let value = self.scalar(3);
        let _ = writeln!(text, "  let l1 = {value}");
        self.declare("l1", &[]);
        let value = self.vector(3, 2);
        let _ = writeln!(text, "  let l2 = {value}");
        self.declare("l2", &[3]);
    }

    fn convention(&mut self, text: &mut String) {
        let line = self.dice.pick(&["", "", "convention stratonovich", "convention anti_ito", "convention alpha(b/3)"]);
        let _ = writeln!(text, "  {line}");
    }

    /// States of several shapes, with noises that they share and that do not commute.
    fn general(&mut self) -> String {
        let mut text = format!("fn pull(x, k = 0.5) = -k*x/(1 + x^2)\n\nmodel m({HEAD}) {{\n");
        self.parameters();
        text += "  noise V: wiener[2] with correlation [[1, c], [c, 1]]\n";
        let names = &["x", "y", "z", "w"][..1 + self.dice.roll(4)];
        let states = self.states(names, &mut text);
        self.convention(&mut text);
        self.lets(&mut text);
        for s in &states {
            let (name, drift) = (&s.name, self.array(&s.shape, 3));
            let circle = self.dice.pick(&["", "", "", "∘"]);
            let spread = self.bounded(1);
            let noise = match s.shape.as_slice() {
                [] => format!("b*{spread} {circle} dV[{}]", self.dice.roll(2)),
                [n] if self.dice.roll(2) == 0 => format!("b*{} @ dV", self.matrix(*n, 2, 1)),
                shape => format!("0.3*{} {circle} dU{name}", self.array(shape, 1)),
            };
            let _ = writeln!(text, "  d{name} = (-{name} + pull({name}) + {drift}) dt + {noise}");
        }
        text += "}\n";
        self.run(text, "m()", &["euler_maruyama", "heun", "[euler_maruyama, own]"], &states)
    }

    /// One noise for each component: Milstein's scheme and schemes without derivatives.
    fn componentwise(&mut self) -> String {
        let mut text = format!("model m({HEAD}) {{\n");
        self.parameters();
        let n = 1 + self.dice.roll(4);
        let shape = if n == 1 { vec![] } else { vec![n] };
        let _ = writeln!(
            text,
            "  state x{} = {}",
            Self::type_of(&shape),
            if n == 1 { "0.4".into() } else { format!("0.4*ones({n})") }
        );
        self.declare("x", &shape);
        self.convention(&mut text);
        let drift = self.array(&shape, 3);
        let own = self.dice.pick(&["cos(x)", "sqrt(1 + x^2)", "exp(-x^2)", "x*tanh(x)", "atan(x) + t", "log(2 + x^2)"]);
        let _ = writeln!(text, "  dx = (-x + {drift}) dt + b*({own}) dW\n}}");
        let states = [Named { name: "x".into(), shape }];
        self.run(text, "m()", &["[milstein, platen]", "[milstein, own]", "[euler_maruyama, heun]"], &states)
    }

    fn additive(&mut self) -> String {
        let mut text = format!("model m({HEAD}) {{\n  noise V: wiener[3]\n");
        self.parameters();
        let names = &["x", "y"][..1 + self.dice.roll(2)];
        let states = self.states(names, &mut text);
        self.lets(&mut text);
        let bare = std::mem::take(&mut self.values);
        for s in &states {
            self.values = bare.clone();
            let drift = self.array(&s.shape, 3);
            self.values = bare.iter().filter(|v| ["a", "b", "c"].contains(&v.name.as_str())).cloned().collect();
            let noise = match s.shape.as_slice() {
                [] => format!("{} dV[1]", self.factor(1)),
                [n] => format!("{} @ dV", self.matrix(*n, 3, 1)),
                _ => format!("0.4 dU{}", s.name),
            };
            let _ = writeln!(text, "  d{0} = ({drift} - {0}) dt + {noise}", s.name);
        }
        self.values = bare;
        text += "}\n";
        self.run(text, "m()", &["[sra1, heun]", "sra1", "[euler_maruyama, tamed_euler]"], &states)
    }

    fn target(&mut self, n: usize) -> String {
        let mut text = format!("target density({HEAD}) on x: real[{n}] {{\n");
        self.parameters();
        self.declare("x", &[n]);
        let law = self.dice.pick(&["normal(c, 1)", "student_t(4, 0, b + 1)", "laplace(c, 1)", "cauchy(0, 1)"]);
        match self.dice.roll(3) {
            0 => {
                let _ = writeln!(text, "  x ~ {law}\n  potential {}", self.bounded(3));
            }
            1 => {
                let _ = writeln!(text, "  x[0] ~ normal(0, 1)\n  x[1..] ~ normal(x[0]/2, exp(tanh(x[0])/2))");
                let _ = writeln!(text, "  log_density -0.1*sum(x^4) + {}", self.bounded(2));
            }
            _ => {
                let _ = writeln!(text, "  potential a*sum(x^2)/2 + {}", self.bounded(4));
            }
        }
        text + "}\n"
    }

    fn kinetic(&mut self) -> String {
        let n = 2 + self.dice.roll(3);
        let text = self.target(n);
        let states = [Named { name: "q".into(), shape: vec![n] }, Named { name: "v".into(), shape: vec![n] }];
        self.values.retain(|v| v.name != "x");
        self.values.extend(states.clone());
        self.run(text, "underdamped(density())", &["[baoab, obabo]", "baoab", "[euler_maruyama, sra1]"], &states)
    }

    fn kernel(&mut self) -> String {
        let n = 2 + self.dice.roll(3);
        let mut text = self.target(n);
        text += "\nsolver walk(r = 0.6) on density(p) {\n  step {\n    let y = x + (if uniform() < 0.3 then r else 3*r)*normal()\n";
        text += "    x' = if accept(logpdf(p, y) - logpdf(p, x)) then y else x\n  }\n}\n";
        let states = [Named { name: "x".into(), shape: vec![n] }];
        let solver = &["[mala(h = 0.2), walk]", "[barker(s = 0.7), rwm(s = 0.5)]", "walk(r = 0.4)"];
        self.run(text, "density()", solver, &states)
    }

    /// Sites that feel each other, on a ring or all at once.
    fn group(&mut self) -> String {
        let n = 3 + self.dice.roll(12);
        let mut text = format!("model m({HEAD}, n: int = {n}) {{\n  state x: real[n] ~ normal(0, b)\n");
        self.parameters();
        self.declare("x", &[n]);
        let f = self.dice.pick(&["sin", "tanh", "atan"]);
        let pair = match self.dice.roll(3) {
            0 => format!("{f}(x[mod(i + 1, n)] - x[i]) + {f}(x[mod(i - 1, n)] - x[i])"),
            1 => format!("avg({f}(x[j] - x[i]) for j in 0..n)"),
            _ => format!("sum({f}(x[j] - x[i])/(1 + (x[j] - x[i])^2) for j in 0..n if j < i)"),
        };
        let whole = self.scalar(2);
        let _ = writeln!(
            text,
            "  let s = tanh({whole})\n  dx[i] = (a*({pair}) - x[i] + s) dt + b*cos(x[i]) dW[i] for i in 0..n\n}}"
        );
        let states = [Named { name: "x".into(), shape: vec![n] }];
        self.run(text, "m()", &["[euler_maruyama, milstein]", "heun", "own"], &states)
    }

    fn run(&mut self, mut text: String, model: &str, solvers: &[&'static str], states: &[Named]) -> String {
        let solver = self.dice.pick(solvers);
        if solver.contains("own") {
            text += "\nsolver own(s = 0.5) on ito(f, g) {\n  state last = 0*x\n  step {\n    let k = f(t, x)*dt\n";
            text += "    let y = x + s*k\n    last' = k\n    x' = x + f(t + s*dt, y)*dt + 0.01*(k - last) + g(t, x) @ dW\n  }\n}\n";
        }
        let kernel = model == "density()";
        let time = if kernel { "12 steps" } else { "0 .. 0.5 step 0.06" };
        let _ = write!(text, "\nrun r {{\n  model  = {model}\n  solver = {solver}\n  time   = {time}\n  paths  = 37\n");
        let _ = writeln!(text, "  seed   = {}", self.dice.roll(1000));
        let first = &states[0].name;
        let scalar = if states[0].shape.is_empty() { first.clone() } else { format!("sum({first})") };
        let _ = writeln!(text, "  report mean({first}), var({first}), quantile({scalar}, 0.3), prob({scalar} > 0.1)");
        if text.contains("let l1") {
            text += "  report mean(l1), std(l2[1]), mean(l2)\n";
        }
        let _ = writeln!(text, "  report mean({scalar}), std({scalar}) over last 3 steps");
        let every = if kernel { "3" } else { "0.12" };
        let saved = states.iter().map(|s| s.name.clone()).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "  save   [{saved}] every {every} to \"paths.csv\"\n}}");
        text
    }
}
