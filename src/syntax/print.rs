//! A tree as Fokker text, in canonical layout: two spaces of indentation, one statement to a line. Comments other than
//! the documentation of declarations are not in the tree. Parsing the result gives the same tree up to spans.

use super::ast::*;
use super::print_expr::{comp, header, quoted, spaced, subs, type_};

pub use super::print_expr::expr;

/// A whole file.
pub fn file(file: &File) -> String {
    file.items.iter().map(item).collect::<Vec<_>>().join("\n")
}

/// One declaration with its documentation, ending in a newline.
pub fn item(item: &Item) -> String {
    let mut p = Printer::default();
    for line in item.doc.iter().flat_map(|d| d.split('\n')) {
        p.line(format!("## {line}").trim_end());
    }
    match &item.kind {
        ItemKind::Use(path, _) => {
            let mut text = String::from("use ");
            quoted(&mut text, path);
            p.line(&text);
        }
        ItemKind::Const(c) => p.line(&const_decl(c)),
        ItemKind::Data(d) => p.line(&data_decl(d)),
        ItemKind::Fn(f) => p.function(f),
        ItemKind::Target(t) => p.target(t),
        ItemKind::Model(m) => p.model(m),
        ItemKind::Solver(s) => p.solver(s),
        ItemKind::Run(r) => p.run(r),
    }
    p.out
}

#[derive(Default)]
struct Printer {
    out: String,
    indent: usize,
}

impl Printer {
    fn line(&mut self, text: &str) {
        // A line that begins with a sign would join the one before it.
        if text.starts_with(['-', '+']) && !self.out.is_empty() && !self.out.ends_with("{\n") {
            self.out.truncate(self.out.len() - 1);
            self.out.push_str(";\n");
        }
        self.out.push_str(&"  ".repeat(self.indent));
        self.out.push_str(text);
        self.out.push('\n');
    }

    /// `head {`, the statements, `}`.
    fn braces<T>(&mut self, head: &str, statements: &[T], one: fn(&mut Printer, &T)) {
        if statements.is_empty() {
            return self.line(&format!("{head} {{ }}"));
        }
        self.line(&format!("{head} {{"));
        self.inside(statements, one);
        self.line("}");
    }

    fn inside<T>(&mut self, statements: &[T], one: fn(&mut Printer, &T)) {
        self.indent += 1;
        for statement in statements {
            one(self, statement);
        }
        self.indent -= 1;
    }

    // ---- declarations ----

    fn function(&mut self, f: &Fn) {
        let head = format!("fn {}{}", f.name.name, header(&f.header));
        if !f.block {
            return self.line(&format!("{head} = {}", expr(&f.value)));
        }
        self.line(&format!("{head} {{"));
        self.inside(&f.lets, |p, l| p.line(&let_decl(l)));
        self.indent += 1;
        self.line(&format!("return {}", expr(&f.value)));
        self.indent -= 1;
        self.line("}");
    }

    fn target(&mut self, t: &Target) {
        let head = format!("target {}{}", t.name.name, header(&t.header));
        match &t.body {
            TargetBody::Alias(e) => self.line(&format!("{head} = {}", expr(e))),
            TargetBody::Density { variable, ty, space, statements } => {
                let space = space.as_ref().map(|e| format!(" in {}", expr(e))).unwrap_or_default();
                let head = format!("{head} on {}: {}{space}", variable.name, type_(ty));
                self.braces(&head, statements, Printer::target_stmt);
            }
        }
    }

    fn model(&mut self, m: &Model) {
        let head = format!("model {}{}", m.name.name, header(&m.header));
        match &m.body {
            ModelBody::System(statements) => self.braces(&head, statements, Printer::model_stmt),
            ModelBody::Alias(e, more) if more.is_empty() => self.line(&format!("{head} = {}", expr(e))),
            ModelBody::Alias(e, more) => {
                self.braces(&format!("{head} = {} with", expr(e)), more, Printer::model_stmt);
            }
        }
    }

    fn solver(&mut self, s: &Solver) {
        let head = format!("solver {}{}", s.name.name, header(&s.header));
        match &s.body {
            SolverBody::Alias(e) => self.line(&format!("{head} = {}", expr(e))),
            SolverBody::Rule { form, args, noise, statements } => {
                let args: Vec<&str> = args.iter().map(|a| a.name.as_str()).collect();
                let noise = noise.as_ref().map(|n| format!(" for {}", n.name)).unwrap_or_default();
                let head = format!("{head} on {}({}){noise}", form.name, args.join(", "));
                self.braces(&head, statements, Printer::solver_stmt);
            }
        }
    }

    fn run(&mut self, r: &Run) {
        let header = if r.header.is_empty() { String::new() } else { header(&r.header) };
        self.braces(&format!("run {}{header}", r.name.name), &r.statements, Printer::run_stmt);
    }

    // ---- statements ----

    fn target_stmt(&mut self, s: &TargetStmt) {
        match s {
            TargetStmt::Let(l) => self.line(&let_decl(l)),
            TargetStmt::Const(c) => self.line(&const_decl(c)),
            TargetStmt::Data(d) => self.line(&data_decl(d)),
            TargetStmt::Fn(f) => self.function(f),
            TargetStmt::LogDensity(e) => self.line(&format!("log_density {}", expr(e))),
            TargetStmt::Potential(e) => self.line(&format!("potential {}", expr(e))),
            TargetStmt::Tilde(left, law) => self.line(&format!("{} ~ {}", expr(left), expr(law))),
        }
    }

    fn model_stmt(&mut self, s: &ModelStmt) {
        match s {
            ModelStmt::Part { name, statements, .. } => {
                self.braces(&format!("part {}", name.name), statements, Printer::model_stmt);
            }
            ModelStmt::Flow(f) => self.line(&assign(&f.differential.name, &f.subs, &f.value, f.comp.as_ref())),
            ModelStmt::Step(block, _) => self.braces("step", block, Printer::block_stmt),
            ModelStmt::Convention(e, _) => self.line(&format!("convention {}", expr(e))),
            ModelStmt::Noise(n) => self.line(&noise(n)),
            ModelStmt::State(s) => self.line(&state(s)),
            ModelStmt::On(trigger, block, _) => self.braces(&trigger_head(trigger), block, Printer::block_stmt),
            ModelStmt::Let(l) => self.line(&let_decl(l)),
            ModelStmt::Const(c) => self.line(&const_decl(c)),
            ModelStmt::Data(d) => self.line(&data_decl(d)),
            ModelStmt::Fn(f) => self.function(f),
        }
    }

    fn solver_stmt(&mut self, s: &SolverStmt) {
        match s {
            SolverStmt::Order { fields, noise, .. } => {
                let noise = noise.as_ref().map(|n| format!(" for {}", n.name)).unwrap_or_default();
                self.line(&format!("order {}{noise}", named(fields)));
            }
            SolverStmt::Step(block, _) => self.braces("step", block, Printer::block_stmt),
            SolverStmt::State(s) => self.line(&state(s)),
            SolverStmt::Let(l) => self.line(&let_decl(l)),
            SolverStmt::Const(c) => self.line(&const_decl(c)),
            SolverStmt::Fn(f) => self.function(f),
        }
    }

    fn block_stmt(&mut self, s: &BlockStmt) {
        match s {
            BlockStmt::Let(l) => self.line(&let_decl(l)),
            BlockStmt::Fn(f) => self.function(f),
            BlockStmt::State(s) => self.line(&state(s)),
            BlockStmt::If { condition, then, otherwise, .. } => {
                self.line(&format!("if {} {{", expr(condition)));
                self.inside(then, Printer::block_stmt);
                if let Some(otherwise) = otherwise {
                    self.line("} else {");
                    self.inside(otherwise, Printer::block_stmt);
                }
                self.line("}");
            }
            BlockStmt::For { name, over, body, .. } => {
                self.braces(&format!("for {} in {}", name.name, expr(over)), body, Printer::block_stmt);
            }
            BlockStmt::Prime { name, subs, value, comp, .. } => {
                self.line(&assign(&format!("{}'", name.name), subs, value, comp.as_ref()));
            }
            BlockStmt::Tilde(left, law) => self.line(&format!("{} ~ {}", expr(left), expr(law))),
            BlockStmt::Error(e, _) => self.line(&format!("error {}", expr(e))),
            BlockStmt::Solve { name, equation, guess, method, .. } => {
                let method = method.as_ref().map_or(String::new(), |m| format!(" by {}", expr(m)));
                self.line(&format!("solve {}: {} from {}{method}", name.name, expr(equation), expr(guess)));
            }
            BlockStmt::Stop(_) => self.line("stop"),
        }
    }

    fn run_stmt(&mut self, s: &RunStmt) {
        match s {
            RunStmt::Let(l, at) => self.line(&(let_decl(l) + &pool(at))),
            RunStmt::Report(what, at) => self.line(&format!("report {}{}", list(what), pool(at))),
            RunStmt::Plot { what, pool: at, path, .. } => {
                let mut text = format!("plot {}{}", list(what), pool(at));
                if let Some(path) = path {
                    text += " to ";
                    quoted(&mut text, path);
                }
                self.line(&text);
            }
            RunStmt::Check(e, at) => self.line(&format!("check {}{}", expr(e), pool(at))),
            RunStmt::Save { value, every, first, path, .. } => {
                let part = |word: &str, e: &Option<Expr>| e.as_ref().map(|e| format!(" {word} {}", expr(e)));
                let every = part("every", every).unwrap_or_default();
                let first = part("first", first).unwrap_or_default();
                let mut text = format!("save {}{every}{first} to ", expr(value));
                quoted(&mut text, path);
                self.line(&text);
            }
            RunStmt::Estimate { value, error, .. } => {
                self.line(&format!("estimate {} to {}", expr(value), expr(error)));
            }
            RunStmt::Init { name, start } => self.line(&format!("init {}{}", name.name, start_text(start))),
            RunStmt::Sweep(sets, _) => {
                let sets: Vec<String> = sets.iter().map(|(p, e)| format!("{} = {}", path(p), expr(e))).collect();
                self.line(&format!("sweep {}", sets.join(", ")));
            }
            RunStmt::Converge(fields, _) => self.line(&format!("converge {}", named(fields))),
            RunStmt::Train { names, minimise, objective, optimiser, steps, .. } => {
                let names: Vec<String> = names.iter().map(path).collect();
                let verb = if *minimise { "minimise" } else { "maximise" };
                let (objective, optimiser, steps) = (expr(objective), expr(optimiser), expr(steps));
                self.line(&format!(
                    "train {} to {verb} {objective} by {optimiser} for {steps} steps",
                    names.join(", ")
                ));
            }
            RunStmt::Phase { name, statements, .. } => {
                self.braces(&format!("phase {}", name.name), statements, Printer::run_stmt);
            }
            RunStmt::For { name, over, statements, .. } => {
                self.braces(&format!("for {} in {}", name.name, expr(over)), statements, Printer::run_stmt);
            }
            RunStmt::Setting { name, value, unit } => {
                self.line(&format!("{} = {}", name.name, setting(value, unit.as_ref())));
            }
        }
    }
}

// ---- pieces of statements ----

/// The value of a setting with its unit.
pub fn setting(value: &Expr, unit: Option<&SettingUnit>) -> String {
    let unit = match unit {
        None => String::new(),
        Some(SettingUnit::Step(e)) => format!(" step {}", expr(e)),
        Some(SettingUnit::Tol(e)) => format!(" tol {}", expr(e)),
        Some(SettingUnit::Steps) => " steps".to_string(),
    };
    spaced(value) + &unit
}

fn const_decl(c: &Const) -> String {
    format!("const {} = {}", c.name.name, expr(&c.value))
}

fn data_decl(d: &Data) -> String {
    format!("data {}: {} = {}", d.name.name, type_(&d.ty), expr(&d.value))
}

fn let_decl(l: &Let) -> String {
    let ty = l.ty.as_ref().map(|t| format!(": {}", type_(t))).unwrap_or_default();
    format!("let {}{ty} = {}", l.name.name, expr(&l.value))
}

/// `dx[i] = e for i in r`
fn assign(left: &str, indices: &[Sub], value: &Expr, clauses: Option<&Comp>) -> String {
    let mut out = left.to_string();
    subs(&mut out, indices);
    out.push_str(" = ");
    out.push_str(&expr(value));
    if let Some(c) = clauses {
        comp(&mut out, c);
    }
    out
}

fn noise(n: &Noise) -> String {
    let structure = match &n.structure {
        None => String::new(),
        Some((NoiseStructure::Correlation, e)) => format!(" with correlation {}", expr(e)),
        Some((NoiseStructure::Covariance, e)) => format!(" with covariance {}", expr(e)),
    };
    format!("noise {}: {}{structure}", n.name.name, expr(&n.kind))
}

fn state(s: &State) -> String {
    let word = if s.weight { "weight" } else { "state" };
    let ty = s.ty.as_ref().map(|t| format!(": {}", type_(t))).unwrap_or_default();
    let space = s.space.as_ref().map(|e| format!(" in {}", expr(e))).unwrap_or_default();
    let boundary = s.boundary.as_ref().map(|b| format!(" by {}", b.name)).unwrap_or_default();
    let start = s.start.as_ref().map(start_text).unwrap_or_default();
    format!("{word} {}{ty}{space}{boundary}{start}", s.name.name)
}

fn start_text(start: &Start) -> String {
    match start {
        Start::Value(e) => format!(" = {}", expr(e)),
        Start::Law(e) => format!(" ~ {}", expr(e)),
    }
}

fn trigger_head(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Every { period, steps: false } => format!("every {}", expr(period)),
        Trigger::Every { period, steps: true } => format!("every {} steps", expr(period)),
        Trigger::AtRate(e) => format!("at rate {}", expr(e)),
        Trigger::At(e) => format!("at {}", expr(e)),
        Trigger::When(e) => format!("when {}", expr(e)),
    }
}

fn pool(pool: &Option<Pool>) -> String {
    let span = |span: &PoolSpan| match span {
        PoolSpan::Last(n) => format!("last {} steps", expr(n)),
        PoolSpan::In { name, range, every } => {
            let every = every.as_ref().map(|e| format!(" every {}", expr(e))).unwrap_or_default();
            format!("{} in {}{every}", name.name, expr(range))
        }
    };
    match pool {
        None => String::new(),
        Some(Pool::At(e)) => format!(" at {}", expr(e)),
        Some(Pool::Over(spans)) => format!(" over {}", spans.iter().map(span).collect::<Vec<_>>().join(", ")),
    }
}

fn list(items: &[Expr]) -> String {
    items.iter().map(expr).collect::<Vec<_>>().join(", ")
}

fn named(fields: &[(Ident, Expr)]) -> String {
    fields.iter().map(|(name, e)| format!("{} = {}", name.name, expr(e))).collect::<Vec<_>>().join(", ")
}

fn path(path: &Path) -> String {
    path.parts.iter().map(|p| p.name.as_str()).collect::<Vec<_>>().join(".")
}
