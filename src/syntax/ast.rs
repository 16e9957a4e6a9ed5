//! The syntax tree. It keeps what the author wrote (parentheses, order, number texts) and knows nothing of names or types.

use crate::source::Span;

/// A name with its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    pub name: String,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A number; `text` as written. `integer` when it has neither point nor exponent.
    Number {
        value: f64,
        text: String,
        integer: bool,
    },
    Text(String),
    Bool(bool),
    Name(String),
    Paren(Box<Expr>),
    /// `[a, b, c]`
    List(Vec<Expr>),
    /// `[body for i in a, j in b if cond]`
    Comprehension(Box<Expr>, Comp),
    /// `a .. b`, `a ..`, as in slices and time spans
    Range(Box<Expr>, Option<Box<Expr>>),
    /// `x -> e`, `(x, y) -> e`, `() -> e`
    Lambda(Vec<Ident>, Box<Expr>),
    If(Box<Expr>, Box<Expr>, Box<Expr>),
    Unary(UnaryOp, Box<Expr>),
    Binary(BinaryOp, Box<Expr>, Box<Expr>),
    /// `f(a, k = b, e for i in r)`
    Call(Box<Expr>, Vec<Arg>),
    /// `x[i, :, a .. b]`
    Index(Box<Expr>, Vec<Sub>),
    /// `x'`
    Prime(Box<Expr>),
    /// `p.dim`
    Field(Box<Expr>, Ident),
    /// `coefficient dW[subs]`, or `coefficient ∘ dW`: a product juxtaposed with a differential
    Juxtapose {
        coefficient: Box<Expr>,
        stratonovich: bool,
        differential: Ident,
        subs: Vec<Sub>,
    },
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Neg,
    Plus,
    Not,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    /// `@`
    MatMul,
    Pow,
    And,
    Or,
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub name: Option<Ident>,
    pub value: Expr,
    /// `f(e for i in r)`: a comprehension without brackets
    pub comp: Option<Comp>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Sub {
    /// `:`
    All(Span),
    /// an index, or a range
    At(Expr),
}

/// `for i in a, j in b if cond`
#[derive(Clone, Debug, PartialEq)]
pub struct Comp {
    pub clauses: Vec<(Ident, Expr)>,
    pub condition: Option<Box<Expr>>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `real`, `real[n, m]`, `target`, ...
    Named(Ident, Vec<Expr>),
    /// `(real, real[n]) -> real`
    Function(Vec<Type>, Box<Type>),
}

/// `NAME: type = default in [lo, hi)`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Ident,
    pub ty: Option<Type>,
    pub default: Option<Expr>,
    pub range: Option<ParamRange>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ParamRange {
    pub lo: Expr,
    pub hi: Expr,
    pub lo_closed: bool,
    pub hi_closed: bool,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub items: Vec<Item>,
}

/// A top-level declaration; `doc` is the text of the `##` lines before it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub doc: Option<String>,
    pub span: Span,
    pub kind: ItemKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    Use(String, Span),
    Const(Const),
    Data(Data),
    Fn(Fn),
    Target(Target),
    Model(Model),
    Solver(Solver),
    Run(Run),
}

impl ItemKind {
    /// The header of a declaration that is called with arguments.
    pub fn header(&self) -> Option<&[Param]> {
        match self {
            ItemKind::Fn(f) => Some(&f.header),
            ItemKind::Target(t) => Some(&t.header),
            ItemKind::Model(m) => Some(&m.header),
            ItemKind::Solver(s) => Some(&s.header),
            _ => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Const {
    pub name: Ident,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub name: Ident,
    pub ty: Type,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Let {
    pub name: Ident,
    pub ty: Option<Type>,
    pub value: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Fn {
    pub name: Ident,
    pub header: Vec<Param>,
    pub lets: Vec<Let>,
    pub value: Expr,
    /// written as a block with `return` (else as `= expr`)
    pub block: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    pub name: Ident,
    pub header: Vec<Param>,
    pub body: TargetBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TargetBody {
    Alias(Expr),
    Density { variable: Ident, ty: Type, space: Option<Expr>, statements: Vec<TargetStmt> },
}

#[derive(Clone, Debug, PartialEq)]
pub enum TargetStmt {
    Let(Let),
    Const(Const),
    Data(Data),
    Fn(Fn),
    LogDensity(Expr),
    Potential(Expr),
    /// `e ~ law`
    Tilde(Expr, Expr),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub name: Ident,
    pub header: Vec<Param>,
    pub body: ModelBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelBody {
    /// `model m() = expr with { ... }`
    Alias(Expr, Vec<ModelStmt>),
    System(Vec<ModelStmt>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ModelStmt {
    Part { name: Ident, statements: Vec<ModelStmt>, span: Span },
    Flow(Flow),
    Step(Block, Span),
    Convention(Expr, Span),
    Noise(Noise),
    State(State),
    On(Trigger, Block, Span),
    Let(Let),
    Const(Const),
    Data(Data),
    Fn(Fn),
}

/// `dx[subs] = e for i in r`; `name` is the differential as written (`dx`).
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    pub differential: Ident,
    pub subs: Vec<Sub>,
    pub value: Expr,
    pub comp: Option<Comp>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Noise {
    pub name: Ident,
    pub kind: Expr,
    pub structure: Option<(NoiseStructure, Expr)>,
    pub span: Span,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum NoiseStructure {
    Correlation,
    Covariance,
}

/// `state x: T in space by rule = init` or `~ law`; `weight` when the word is `weight`.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    pub name: Ident,
    pub weight: bool,
    pub ty: Option<Type>,
    pub space: Option<Expr>,
    pub boundary: Option<Ident>,
    pub start: Option<Start>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Start {
    Value(Expr),
    Law(Expr),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Trigger {
    /// `every step` / `every 0.1` (a time), `every 10 steps` (`steps`)
    Every {
        period: Expr,
        steps: bool,
    },
    AtRate(Expr),
    /// `at start`, `at end`, `at t`, `at [t1, t2]`
    At(Expr),
    When(Expr),
}

pub type Block = Vec<BlockStmt>;

#[derive(Clone, Debug, PartialEq)]
pub enum BlockStmt {
    Let(Let),
    Fn(Fn),
    State(State),
    If {
        condition: Expr,
        then: Block,
        otherwise: Option<Block>,
        span: Span,
    },
    For {
        name: Ident,
        over: Expr,
        body: Block,
        span: Span,
    },
    /// `x'[subs] = e for i in r`
    Prime {
        name: Ident,
        subs: Vec<Sub>,
        value: Expr,
        comp: Option<Comp>,
        span: Span,
    },
    Tilde(Expr, Expr),
    Error(Expr, Span),
    Solve {
        name: Ident,
        equation: Expr,
        guess: Expr,
        /// `by newton(6)`, `by fixed_point(20)`
        method: Option<Expr>,
        span: Span,
    },
    Stop(Span),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Solver {
    pub name: Ident,
    pub header: Vec<Param>,
    pub body: SolverBody,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SolverBody {
    Alias(Expr),
    /// `on form(args) for noise { ... }`
    Rule {
        form: Ident,
        args: Vec<Ident>,
        noise: Option<Ident>,
        statements: Vec<SolverStmt>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum SolverStmt {
    Order { fields: Vec<(Ident, Expr)>, noise: Option<Ident>, span: Span },
    Step(Block, Span),
    State(State),
    Let(Let),
    Const(Const),
    Fn(Fn),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub name: Ident,
    pub header: Vec<Param>,
    pub statements: Vec<RunStmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RunStmt {
    Let(Let, Option<Pool>),
    Report(Vec<Expr>, Option<Pool>),
    Plot {
        what: Vec<Expr>,
        pool: Option<Pool>,
        /// the file, where it is named
        path: Option<String>,
        span: Span,
    },
    Check(Expr, Option<Pool>),
    Save {
        value: Expr,
        every: Option<Expr>,
        first: Option<Expr>,
        path: String,
        path_span: Span,
        span: Span,
    },
    Estimate {
        value: Expr,
        error: Expr,
        span: Span,
    },
    Init {
        name: Ident,
        start: Start,
    },
    Sweep(Vec<(Path, Expr)>, Span),
    Converge(Vec<(Ident, Expr)>, Span),
    Train {
        names: Vec<Path>,
        minimise: bool,
        objective: Expr,
        optimiser: Expr,
        steps: Expr,
        span: Span,
    },
    Phase {
        name: Ident,
        statements: Vec<RunStmt>,
        span: Span,
    },
    For {
        name: Ident,
        over: Expr,
        statements: Vec<RunStmt>,
        span: Span,
    },
    /// `name = e`, `name = e step h`, `name = e tol h`, `name = n steps`
    Setting {
        name: Ident,
        value: Expr,
        unit: Option<SettingUnit>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub enum SettingUnit {
    Step(Expr),
    Tol(Expr),
    Steps,
}

/// `a.b.c`
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub parts: Vec<Ident>,
}

/// `at e`, `over spans`
#[derive(Clone, Debug, PartialEq)]
pub enum Pool {
    At(Expr),
    Over(Vec<PoolSpan>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum PoolSpan {
    /// `last n steps`
    Last(Expr),
    /// `t in [a, b] every s`, `i in 0..n`
    In { name: Ident, range: Expr, every: Option<Expr> },
}
