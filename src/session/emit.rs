//! The inner forms of a program, for `--emit`.

use crate::backend;
use crate::diagnostics::Diagnostic;
use crate::math::{Id, VarId};
use crate::model::elab::{Elab, Reported};
use crate::session::compile::{Backend, Build};
use crate::session::load::Loaded;
use crate::session::plan::{Overrides, Plan};
use crate::step::{Program, Spec};

type Emitted = (String, Vec<Diagnostic>);

/// The user's files, printed back from their trees.
pub fn ast(loaded: &Loaded) -> Emitted {
    let mut text = String::new();
    for (_, items) in &loaded.files {
        for item in items {
            text += &crate::syntax::print::item(item);
            text += "\n";
        }
    }
    (text, loaded.problems.clone())
}

/// The clean math graph of each step.
pub fn ir(loaded: &Loaded) -> Emitted {
    each_step(loaded, |elab, plan, k| {
        let clock = plan.tolerance().map(|_| elab.clock_states());
        let renew = elab.renewals(plan, &plan.steps[k], clock);
        let roots: Vec<Id> = renew.iter().map(|r| r.1).collect();
        let clean = crate::math::clean(&mut elab.g, &roots).unwrap_or(roots);
        let named: Vec<(&str, Id)> =
            renew.iter().zip(&clean).map(|((var, _), id)| (elab.g.var_info(*var).name.as_str(), *id)).collect();
        crate::math::print::print(&elab.g, &named)
    })
}

pub fn step(loaded: &Loaded) -> Emitted {
    each_program(loaded, |program| program.to_string())
}

pub fn clif(loaded: &Loaded) -> Emitted {
    each_program(loaded, |program| backend::cranelift::texts(program).map_or_else(|e| e, |t| t.0))
}

pub fn asm(loaded: &Loaded) -> Emitted {
    each_program(loaded, |program| match backend::wide::text(program) {
        Some(text) => format!("# 256-bit vectors (AVX2, FMA)\n{text}"),
        None => {
            backend::cranelift::texts(program).map_or_else(|e| e, |t| format!("# 128-bit vectors (Cranelift)\n{}", t.1))
        }
    })
}

fn each_program(loaded: &Loaded, f: impl Fn(&crate::step::Program) -> String) -> Emitted {
    each_step(loaded, |elab, plan, k| {
        let clock = plan.tolerance().map(|_| elab.clock_states());
        let mut starts = elab.starts(plan, k);
        starts.extend(clock.iter().flat_map(|clock| elab.clock_starts(*clock)));
        let states: Vec<VarId> = starts.iter().map(|s| s.0).collect();
        let spec = Spec { states, renew: elab.renewals(plan, &plan.steps[k], clock), outs: Vec::new() };
        match elab.compiled::<f64>(&spec, Build::by(Backend::Interpreter), plan.span) {
            Ok(compiled) => f(&Program::clone(&compiled.program).at(plan.precision)),
            Err(Reported) => String::new(),
        }
    })
}

fn each_step(loaded: &Loaded, mut f: impl FnMut(&mut Elab<'_>, &Plan, usize) -> String) -> Emitted {
    let mut problems = loaded.problems.clone();
    let mut text = String::new();
    if loaded.has_errors() {
        return (text, problems);
    }
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(plan) = elab.plan(run, &Overrides::default()) {
            for k in 0..plan.steps.len() {
                text += &format!("# run {}, {} by {}\n", plan.name, plan.model.name, plan.steps[k].solver);
                text += &f(&mut elab, &plan, k);
                text += "\n";
            }
        }
        problems.append(&mut elab.diagnostics);
    }
    (text, problems)
}
