//! stub
#[derive(Default)]
pub struct Cache;
use crate::model::elab::{Elab, Try};
use crate::model::value::{Scope, Value};
use crate::source::Span;
use crate::syntax::ast::Arg;
impl Elab<'_> {
    pub fn csv_call(&mut self, _args: &[Arg], _scope: &Scope, span: Span) -> Try<Value> {
        self.unsupported("csv", span)
    }
}
