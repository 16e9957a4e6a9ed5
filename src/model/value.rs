//! What an expression stands for while a program is being worked out.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::math::{Id, IndexVar, Op, VarId};
use crate::model::library::Decl;
use crate::model::split::Split;
use crate::model::target::Target;
use crate::source::Span;
use crate::syntax::ast;

/// A compile-time value. Numbers at run time are nodes of the math graph; everything else is known now.
#[derive(Clone, Debug)]
pub enum Value {
    /// a scalar or an array (its type and shape are the node's)
    Num(Id),
    /// an integer known now
    Int(i64),
    Text(Rc<str>),
    /// `lo .. hi` of integers
    Range(i64, i64),
    /// `lo .. hi` of reals or texts, as in `columns = "a" .. "b"`
    Pair(Rc<(Value, Value)>),
    Func(Rc<Func>),
    Target(Rc<Target>),
    /// a model declaration with its arguments, not yet worked out
    Model(Rc<Applied>),
    /// a solver declaration (all of one name) with its arguments
    Solver(Rc<AppliedSolver>),
    /// values that no array holds: targets, functions, ...
    List(Rc<Vec<Value>>),
    /// the array of `body` for `index` in `0..extent`, where the elements are not numbers
    Family {
        index: IndexVar,
        body: Rc<Value>,
    },
    /// the shape of a target's variable: splices into a type, counts as its product in arithmetic
    Dim(Rc<Vec<usize>>),
    /// an elementwise expression with draws in it, whose shape is not fixed yet
    Draw(Rc<DrawExpr>),
}

/// A declaration with the arguments of one use.
#[derive(Debug)]
pub struct Applied {
    pub decl: Decl,
    pub args: Vec<BoundArg>,
    pub span: Span,
}

/// An argument that has been evaluated; by name or by position.
#[derive(Clone, Debug)]
pub struct BoundArg {
    pub name: Option<ast::Ident>,
    pub value: Value,
    pub span: Span,
}

/// A solver's name with the arguments of one use; which declaration is meant depends on the model.
#[derive(Debug)]
pub struct AppliedSolver {
    pub name: String,
    /// with its arguments as they are written: two solvers of one name are told apart by these
    pub text: String,
    pub args: Vec<BoundArg>,
    pub span: Span,
    /// named in a text of the library
    pub library: bool,
    /// for `split(...)`, which is no declaration
    pub split: Option<Rc<Split>>,
}

impl AppliedSolver {
    /// A solver by its name, as the user's text means it.
    pub fn named(name: impl Into<String>, args: Vec<BoundArg>, span: Span) -> AppliedSolver {
        let name = name.into();
        AppliedSolver { text: name.clone(), name, args, span, library: false, split: None }
    }
}

/// A function value.
#[derive(Debug)]
pub enum Func {
    /// `fn` or `->` with the scope it was written in
    Closure { name: String, params: Vec<ast::Param>, lets: Vec<ast::Let>, body: ast::Expr, scope: Scope, span: Span },
    /// a function of the standard table
    Builtin(&'static crate::model::functions::Function),
    /// a distribution: called, it gives a target
    Distribution(&'static crate::model::distributions::Distribution),
    /// an expression of the graph with named inputs, such as the drift of a model in a solver
    Graph { name: String, params: Vec<VarId>, body: Id },
}

/// An elementwise expression that waits for its shape, so that every element gets its own draw.
#[derive(Debug)]
pub enum DrawExpr {
    Law { target: Rc<Target>, site: u32, turn: u16, span: Span, drawn: RefCell<Option<Id>> },
    Op(Op, Vec<Value>, Span),
}

/// A chain of scopes. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Scope(Rc<ScopeData>);

#[derive(Debug, Default)]
struct ScopeData {
    names: RefCell<HashMap<String, Entry>>,
    parent: Option<Scope>,
    /// every name in it is broken: those of a model that could not be worked out
    wild: Cell<bool>,
    /// of a declaration of the standard library, for which the user's declarations do not exist
    library: bool,
    /// where what is defined is noted, if anybody asks for it
    seen: Option<Seen>,
}

/// Values by the places of their declarations, in the order of their working out; a function's parameters come once a call.
pub type Seen = Rc<RefCell<Vec<(Span, Value)>>>;

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Entry {
    Value(Value, Span),
    /// its declaration had an error, which has been reported
    Broken,
    /// the size of an axis that nothing has fixed yet
    OpenSize(Span),
    /// hidden from here on: the name is one of the file's declarations
    Outside,
    /// a state or `let` of the library's model, and one of the file's declarations: neither is meant for certain
    Both {
        model: Span,
        file: Span,
    },
}

impl Scope {
    /// The top of a declaration's scopes: of the standard library, or of the user's files.
    pub fn top(library: bool) -> Scope {
        Scope(Rc::new(ScopeData { library, ..ScopeData::default() }))
    }

    /// As `top`, noting what is defined in it and in the scopes inside.
    pub fn top_noting(library: bool, seen: Option<Seen>) -> Scope {
        Scope(Rc::new(ScopeData { library, seen, ..ScopeData::default() }))
    }

    pub fn child(&self) -> Scope {
        self.child_in(self.0.library)
    }

    /// A scope around which there is another declaration: a run sees the names of its model, but it stands in the user's
    /// file.
    pub fn child_in(&self, library: bool) -> Scope {
        let seen = self.0.seen.clone();
        Scope(Rc::new(ScopeData { parent: Some(self.clone()), library, seen, ..ScopeData::default() }))
    }

    /// Whether names that are not found here are those of the standard library alone.
    pub fn in_library(&self) -> bool {
        self.0.library
    }

    pub fn get(&self, name: &str) -> Option<Entry> {
        let here = self.0.names.borrow().get(name).cloned();
        if matches!(here, Some(Entry::Outside)) {
            return None;
        }
        let found = here.or_else(|| self.0.parent.as_ref().and_then(|p| p.get(name)));
        found.or_else(|| self.0.wild.get().then_some(Entry::Broken))
    }

    /// From here on every name that is not found is one of a declaration with an error.
    pub fn set_wild(&self) {
        self.0.wild.set(true);
    }

    /// Only this scope, not those around it.
    pub fn has_own(&self, name: &str) -> bool {
        self.0.names.borrow().contains_key(name)
    }

    pub fn set(&self, name: impl Into<String>, entry: Entry) {
        self.0.names.borrow_mut().insert(name.into(), entry);
    }

    pub fn define(&self, name: impl Into<String>, value: Value, span: Span) {
        if let Some(seen) = self.0.seen.as_ref().filter(|_| span != Span::default() && !self.0.library) {
            seen.borrow_mut().push((span, value.clone()));
        }
        self.set(name, Entry::Value(value, span));
    }

    /// Replaces an entry where it stands (an open size that has been fixed).
    pub fn replace(&self, name: &str, entry: Entry) {
        if self.has_own(name) {
            self.set(name, entry);
        } else if let Some(parent) = &self.0.parent {
            parent.replace(name, entry);
        }
    }

    /// All names in sight, for "did you mean".
    pub fn names(&self) -> Vec<String> {
        let mut all: Vec<String> = self.0.names.borrow().keys().cloned().collect();
        if let Some(parent) = &self.0.parent {
            all.extend(parent.names());
        }
        all
    }
}

impl Value {
    /// What kind of thing it is, in words.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Num(_) => "a number",
            Value::Int(_) => "an integer",
            Value::Text(_) => "a text",
            Value::Range(..) => "a range",
            Value::Pair(_) => "a range whose ends are not of type `int`",
            Value::Func(_) => "a function",
            Value::Target(_) => "a target",
            Value::Model(_) => "a model",
            Value::Solver(_) => "a solver",
            Value::List(_) | Value::Family { .. } => "a list",
            Value::Dim(_) => "a dimension",
            Value::Draw(_) => "a draw",
        }
    }
}
