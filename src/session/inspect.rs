//! What is known of models without running them: structure, solvers that fit, derived equations.

use serde::Serialize;

use crate::calculus::explain::{Law, Subject, explain, explain_law};
use crate::calculus::explanation::Explanation;
use crate::calculus::structure::Finding;
use crate::calculus::structure::drift::{Drift, drift};
use crate::calculus::system::{Component, Correlated, System};
use crate::diagnostics::Diagnostic;
use crate::math::Id;
use crate::model::elab::Elab;
use crate::model::system::Model;
use crate::model::target::TargetKind;
use crate::model::value::{Applied, Value};
use crate::session::load::Loaded;
use crate::session::plan::Overrides;
use crate::solve::form::{Form, NoiseClass, Structured};
use crate::solve::rule::Fit;
use crate::syntax::ast::ItemKind;

/// One model as `fokker check` tells it.
#[derive(Clone, Debug, Serialize)]
pub struct ModelFacts {
    pub name: String,
    /// the run that it was made for, or none for a declaration with its defaults
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    pub states: Vec<StateFacts>,
    pub noise_dimension: usize,
    pub noise_class: String,
    /// what correlated noises are in the independent ones that the facts are about
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub correlated: Vec<String>,
    /// for each class why the noise is not in it
    pub not: Vec<(String, String)>,
    /// for each class that the noise is not proved to be in, why
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_proved: Vec<(String, String)>,
    pub linear_drift: String,
    pub gradient_drift: String,
    pub forms: Vec<String>,
    pub solvers: Vec<SolverFacts>,
    pub others: Vec<(String, String)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StateFacts {
    pub name: String,
    pub shape: Vec<usize>,
    pub flows: bool,
}

#[derive(Clone, Debug, Serialize)]
pub struct SolverFacts {
    pub name: String,
    pub form: String,
    pub noise: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strong: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak: Option<f64>,
}

/// One target as `fokker check` tells it: of a run that draws it or moves it by a kernel, or declared and used by nothing.
#[derive(Clone, Debug, Serialize)]
pub struct TargetFacts {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    pub variable: String,
    pub shape: Vec<usize>,
    pub drawable: bool,
    /// why it cannot be drawn from
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_drawable: Option<String>,
    /// the kernels on a density, which apply to every target
    pub kernels: Vec<String>,
}

/// The facts about every model of a program: those of its runs, and declarations that need no arguments.
pub fn facts(loaded: &Loaded) -> (Vec<ModelFacts>, Vec<Diagnostic>) {
    each_model(loaded, |elab, model, run| {
        let structured = elab.structured(model);
        elab.model_facts(model, &structured, run)
    })
}

/// The derived equations of every model of a program.
pub fn explanations(loaded: &Loaded) -> (Vec<Explanation>, Vec<Diagnostic>) {
    each_model(loaded, |elab, model, _| elab.explanation(model))
}

/// The facts about the targets of a program that no dynamics is made over.
pub fn targets(loaded: &Loaded) -> Vec<Option<TargetFacts>> {
    each_target(loaded, |elab, model, run| elab.target_facts(model, run))
}

/// Their densities and scores.
pub fn explanations_of_targets(loaded: &Loaded) -> Vec<Explanation> {
    let found = each_target(loaded, |elab, model, run| elab.target_explanation(model, run));
    found.into_iter().flatten().collect()
}

/// Targets as the models of runs, and declarations that no run reaches and that need no arguments.
fn each_target<T>(loaded: &Loaded, mut f: impl FnMut(&mut Elab<'_>, &Model, Option<&str>) -> T) -> Vec<T> {
    let mut out = Vec::new();
    if loaded.has_errors() {
        return out;
    }
    let mut seen: Vec<String> = Vec::new();
    let mut reached = std::collections::HashSet::new();
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(plan) = elab.plan(run, &Overrides::default())
            && plan.model.target.is_some()
            && !seen.contains(&plan.model.name)
        {
            seen.push(plan.model.name.clone());
            out.push(f(&mut elab, &plan.model, Some(&run.name.name)));
        }
        reached.extend(elab.reached);
    }
    for decl in loaded.library.own().filter(|d| !reached.contains(&d.key())) {
        let ItemKind::Target(t) = &decl.item.kind else { continue };
        if t.header.iter().any(|p| p.default.is_none()) {
            continue;
        }
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(value) = elab.apply_target(t, decl, &[], t.name.span)
            && let Ok(model) = elab.model(&value, t.name.span)
        {
            out.push(f(&mut elab, &model, None));
        }
    }
    out
}

fn each_model<T>(
    loaded: &Loaded,
    mut f: impl FnMut(&mut Elab<'_>, &Model, Option<&str>) -> T,
) -> (Vec<T>, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let mut problems = loaded.problems.clone();
    if loaded.has_errors() {
        return (out, problems);
    }
    let mut seen: Vec<String> = Vec::new();
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(plan) = elab.plan(run, &Overrides::default())
            && plan.model.states.iter().any(|s| s.flow.is_some())
            && !seen.contains(&plan.model.name)
        {
            seen.push(plan.model.name.clone());
            out.push(f(&mut elab, &plan.model, Some(&run.name.name)));
        }
        add_problems(&mut problems, elab.diagnostics);
    }
    for decl in loaded.library.own() {
        let ItemKind::Model(m) = &decl.item.kind else { continue };
        if seen.contains(&m.name.name) || m.header.iter().any(|p| p.default.is_none()) {
            continue;
        }
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        let applied = Applied { decl: decl.clone(), args: Vec::new(), span: m.name.span };
        if let Ok(model) = elab.model(&Value::Model(std::rc::Rc::new(applied)), m.name.span)
            && model.states.iter().any(|s| s.flow.is_some())
        {
            out.push(f(&mut elab, &model, None));
        }
        add_problems(&mut problems, elab.diagnostics);
    }
    (out, problems)
}

fn add_problems(all: &mut Vec<Diagnostic>, new: Vec<Diagnostic>) {
    for problem in new {
        if !all.contains(&problem) {
            all.push(problem);
        }
    }
}

fn mixture_words(noise: &Correlated) -> String {
    let Correlated { name, independent, .. } = noise;
    format!("d{name} = L d{independent} with independent {independent}, L L^T the matrix of {name}")
}

fn finding(f: &Finding) -> String {
    match f {
        Finding::Yes => "yes".into(),
        Finding::No(reason) => format!("no: {reason}"),
        Finding::Open { reason, .. } => format!("not proved: {reason}"),
    }
}

impl Elab<'_> {
    /// The derived equations of a model.
    pub(super) fn explanation(&mut self, model: &Model) -> Explanation {
        let structured = self.structured(model);
        let law = self.law_of(model);
        let drift = self.drift_of(&structured);
        let subject = Subject {
            title: &model.name,
            system: &structured.system,
            structure: &structured.structure,
            drift: &drift,
            law: law.as_ref(),
        };
        explain(&mut self.g, subject)
    }

    /// The density and the score of a target.
    pub(super) fn target_explanation(&mut self, model: &Model, run: Option<&str>) -> Option<Explanation> {
        let facts = self.target_facts(model, run)?;
        let (target, state) = (model.target.clone()?, model.states.first()?);
        let x = self.g.var(state.var);
        let logp = self.log_density(&target, x, state.span).ok()?;
        let zero = self.g.real(0.0);
        let component = Component { name: state.name.clone(), var: state.var, shape: state.shape.clone() };
        let system = System {
            time: self.time,
            states: vec![component],
            noises: Vec::new(),
            drift: Vec::new(),
            diffusion: Vec::new(),
            alpha: zero,
            strat_terms: Vec::new(),
            written: None,
        };
        let more = vec![facts.drawable_words(), facts.kernel_words()];
        Some(explain_law(&mut self.g, &system, &Law { name: target.name.clone(), logp }, more))
    }

    pub(super) fn target_facts(&mut self, model: &Model, run: Option<&str>) -> Option<TargetFacts> {
        let (target, state) = (model.target.clone()?, model.states.first()?);
        let mut kernels = Vec::new();
        for name in self.library.solver_names() {
            if self.rules_by_narrowness(&name).iter().any(|r| r.form == Form::Density) {
                kernels.push(name);
            }
        }
        let not_drawable = match &target.kind {
            _ if target.drawable() => None,
            TargetKind::Density { uncovered: Some(component), .. } => Some(format!("`{component}` has no law")),
            _ => Some("it is known by its density only".to_string()),
        };
        Some(TargetFacts {
            name: target.name.clone(),
            run: run.map(str::to_string),
            variable: state.name.clone(),
            shape: target.shape.clone(),
            drawable: not_drawable.is_none(),
            not_drawable,
            kernels,
        })
    }

    pub(super) fn model_facts(&mut self, model: &Model, structured: &Structured, run: Option<&str>) -> ModelFacts {
        let drift = self.drift_of(structured);
        let noise = &structured.structure.noise;
        let (mut not, mut not_proved) = (Vec::new(), Vec::new());
        for class in [NoiseClass::Additive, NoiseClass::Scalar, NoiseClass::Diagonal, NoiseClass::Commutative] {
            match structured.finding(class) {
                _ if noise.dim == 0 => {}
                Finding::Yes => {}
                Finding::No(reason) => not.push((class.name().to_string(), reason.clone())),
                Finding::Open { reason, .. } => not_proved.push((class.name().to_string(), reason.clone())),
            }
        }
        let mut forms = vec!["ito".to_string(), "stratonovich".to_string()];
        if structured.kinetic().is_ok() {
            forms.push("kinetic".into());
        }
        for form in [Form::Semilinear, Form::Linear, Form::Geometric, Form::SquareRoot] {
            if !structured.system.states.is_empty() && self.misses_linear(form, NoiseClass::Any, structured).is_none() {
                forms.push(form.name().into());
            }
        }
        let mut solvers = Vec::new();
        let mut others = Vec::new();
        for name in self.library.solver_names() {
            let rules = self.rules_by_narrowness(&name);
            let fits: Vec<Fit> = rules.iter().map(|r| self.fit(r, model, structured)).collect();
            match rules.iter().zip(&fits).find(|(_, f)| matches!(f, Fit::Fits)) {
                Some((rule, _)) => {
                    let orders = rule.orders(|class| structured.within(class).is_ok());
                    solvers.push(SolverFacts {
                        name,
                        form: rule.form.name().into(),
                        noise: rule.class.name().into(),
                        strong: orders.strong,
                        weak: orders.weak,
                    });
                }
                None => {
                    if let Some(Fit::No(reason)) = fits.into_iter().next_back() {
                        others.push((name, reason));
                    }
                }
            }
        }
        ModelFacts {
            name: model.name.clone(),
            run: run.map(str::to_string),
            states: model
                .states
                .iter()
                .map(|s| StateFacts { name: s.name.clone(), shape: s.shape.clone(), flows: s.flow.is_some() })
                .collect(),
            noise_dimension: noise.dim,
            noise_class: noise.class().name().into(),
            correlated: structured.system.written.iter().flat_map(|w| &w.correlated).map(mixture_words).collect(),
            not,
            not_proved,
            linear_drift: finding(&drift.linear),
            gradient_drift: finding(&drift.gradient),
            forms,
            solvers,
            others,
        }
    }

    fn drift_of(&mut self, structured: &Structured) -> Drift {
        let env = self.default_env();
        drift(&mut self.g, &structured.system, &structured.structure.ito, &env)
    }

    /// The density behind a model over one target: that of its first argument, at its first flowing state.
    fn law_of(&mut self, model: &Model) -> Option<Law> {
        let target = model.law.clone()?;
        let state = model.states.iter().find(|s| s.flow.is_some() && s.shape == target.shape)?;
        let x = self.g.var(state.var);
        let logp: Id = self.log_density(&target, x, state.span).ok()?;
        Some(Law { name: target.name.clone(), logp })
    }
}

impl TargetFacts {
    fn drawable_words(&self) -> String {
        match &self.not_drawable {
            None => "can be drawn from exactly".into(),
            Some(reason) => format!("cannot be drawn from exactly: {reason}"),
        }
    }

    fn kernel_words(&self) -> String {
        format!("kernels that apply: {}", self.kernels.join(", "))
    }

    /// As text.
    pub fn text(&self) -> String {
        let made = self.run.as_ref().map_or(String::new(), |r| format!(" (run {r})"));
        let shape = if self.shape.is_empty() { String::new() } else { format!(": real{:?}", self.shape) };
        let drawable = self.not_drawable.as_ref().map_or("yes".to_string(), |reason| format!("no: {reason}"));
        format!(
            "target {}{made}\n  variable        {}{shape}\n  drawable        {drawable}\n  kernels         {}\n",
            self.name,
            self.variable,
            self.kernels.join(", ")
        )
    }
}

impl ModelFacts {
    /// As text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let made = self.run.as_ref().map_or(String::new(), |r| format!(" (run {r})"));
        out += &format!("model {}{made}\n", self.name);
        let states: Vec<String> = self
            .states
            .iter()
            .map(|s| {
                let shape = if s.shape.is_empty() { String::new() } else { format!(": real{:?}", s.shape) };
                format!("{}{shape}{}", s.name, if s.flows { "" } else { " (constant)" })
            })
            .collect();
        out += &format!("  states          {}\n", states.join(", "));
        out += &format!("  noise           {}, dimension {}\n", self.noise_class, self.noise_dimension);
        for mixed in &self.correlated {
            out += &format!("    {mixed}\n");
        }
        for (class, reason) in &self.not {
            out += &format!("    not {class}: {reason}\n");
        }
        for (class, reason) in &self.not_proved {
            out += &format!("    {class} is not proved: {reason}\n");
        }
        out += &format!("  linear drift    {}\n", self.linear_drift);
        out += &format!("  gradient drift  {}\n", self.gradient_drift);
        out += &format!("  forms           {}\n", self.forms.join(", "));
        out + &self.solvers_text()
    }

    /// The solvers that apply, and why others do not.
    pub fn solvers_text(&self) -> String {
        let names = self.solvers.iter().map(|s| &s.name).chain(self.others.iter().map(|o| &o.0));
        let width = names.map(|n| n.chars().count()).max().unwrap_or(0);
        let mut out = "  solvers that apply\n".to_string();
        for s in &self.solvers {
            let order = |o: Option<f64>| o.map_or("-".to_string(), |v| v.to_string());
            out += &format!(
                "    {:<width$} strong {:<4} weak {:<4} on {} for {}\n",
                s.name,
                order(s.strong),
                order(s.weak),
                s.form,
                s.noise
            );
        }
        out += "  solvers that do not\n";
        for (name, reason) in &self.others {
            out += &format!("    {name:<width$} {reason}\n");
        }
        out
    }
}
