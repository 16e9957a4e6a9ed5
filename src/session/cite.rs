//! The references of the methods that a program uses: of the models, targets, solvers and functions of the library, from
//! their documentation; and of what every run goes through, from a table.

use std::collections::HashSet;

use crate::diagnostics::Diagnostic;
use crate::model::elab::Elab;
use crate::model::library::item_name;
use crate::model::plots::PlotKind;
use crate::model::statistics::StatKind;
use crate::output::reference::{Reference, references};
use crate::session::load::Loaded;
use crate::session::plan::{Noise, Overrides, Plan, Statement};
use crate::syntax::ast::ItemKind;

/// A method with its references.
#[derive(Clone, Debug)]
pub struct Cited {
    /// `solver sra1`, or what it is for
    pub what: String,
    pub references: Vec<Reference>,
}

/// A method of the runtime: when a run goes through it.
struct Method {
    what: &'static str,
    used: fn(&Plan) -> bool,
    references: &'static str,
}

const METHODS: &[Method] = &[
    Method {
        what: "random numbers (ARS-5 of Random123)",
        used: |_| true,
        references: "Salmon, Moraes, Dror & Shaw, Proc. Int. Conf. High Performance Computing (2011)",
    },
    Method { what: "normal draws", used: |_| true, references: "Box & Muller, Ann. Math. Stat. 29 (1958) 610" },
    Method {
        what: "steps that paths choose",
        used: |plan| plan.tolerance().is_some(),
        references: "Gustafsson, ACM Trans. Math. Softw. 17 (1991) 533; Ilie, Jackson & Enright, Numer. Algorithms 68 \
                     (2015) 791; Foster & Jelinčič, On the convergence of adaptive approximations for SDEs (2024)",
    },
    Method {
        what: "Brownian paths for all step lengths",
        used: |plan| plan.tolerance().is_some() || plan.noise == Noise::Tree,
        references: "Jelinčič, Foster & Kidger, Single-seed generation of Brownian paths and integrals (2024); Foster, \
                     Lyons & Oberhauser, SIAM J. Numer. Anal. 58 (2020) 1393",
    },
    Method {
        what: "effective sample sizes and R-hat",
        used: |plan| asks(plan, |s| matches!(s, StatKind::Ess | StatKind::Rhat | StatKind::Autocorr { .. })),
        references: "Vehtari, Gelman, Simpson, Carpenter & Bürkner, Bayesian Anal. 16 (2021) 667; Geyer, Stat. Sci. 7 \
                     (1992) 473",
    },
    Method {
        what: "quantiles",
        used: |plan| asks(plan, |s| matches!(s, StatKind::Quantile { .. } | StatKind::Histogram { .. })),
        references: "Masson, Rim & Lee, PVLDB 12 (2019) 2195; Woodruff, J. Am. Stat. Assoc. 47 (1952) 635",
    },
    Method {
        what: "histograms",
        used: |plan| asks(plan, |s| matches!(s, StatKind::Histogram { .. })),
        references: "Freedman & Diaconis, Z. Wahrscheinlichkeitstheorie 57 (1981) 453",
    },
    Method {
        what: "smooth densities",
        used: |plan| {
            plan.statements.iter().any(|s| matches!(s, Statement::Plot(p) if p.facts.kind == PlotKind::Density))
        },
        references: "Botev, Grotowski & Kroese, Ann. Stat. 38 (2010) 2916",
    },
    Method {
        what: "moments in one pass",
        used: |plan| {
            asks(plan, |s| matches!(s, StatKind::Var | StatKind::Std | StatKind::Skewness | StatKind::Kurtosis))
        },
        references: "Pébay, Sandia Report SAND2008-6212 (2008)",
    },
    Method {
        what: "standard errors of formulas (jackknife)",
        used: |plan| {
            !plan.context.formulas.is_empty()
                || asks(plan, |s| matches!(s, StatKind::Cov | StatKind::Corr | StatKind::Skewness | StatKind::Kurtosis))
        },
        references: "Busing, Meijer & van der Leeden, Stat. Comput. 9 (1999) 3",
    },
];

fn asks(plan: &Plan, which: fn(&StatKind) -> bool) -> bool {
    plan.context.asked.iter().any(|a| which(&a.stat))
}

/// What the runs of a program are made with, in the order of their kinds. Problems are those of the runs.
pub fn cite(loaded: &Loaded) -> (Vec<Cited>, Vec<Diagnostic>) {
    let (mut reached, mut names) = (HashSet::new(), HashSet::new());
    let mut methods: Vec<&Method> = Vec::new();
    let mut problems = loaded.problems.clone();
    if loaded.has_errors() {
        return (Vec::new(), problems);
    }
    for (_, run) in loaded.library.runs() {
        let mut elab = Elab::new(&loaded.library, &loaded.sources);
        if let Ok(plan) = elab.plan(run, &Overrides::default()) {
            names.extend(plan.steps.iter().map(|s| s.solver.clone()));
            let new: Vec<&Method> = METHODS.iter().filter(|m| (m.used)(&plan)).collect();
            methods.extend(new.into_iter().filter(|m| methods.iter().all(|o| o.what != m.what)).collect::<Vec<_>>());
        }
        reached.extend(elab.reached);
        problems.extend(elab.diagnostics.into_iter().filter(|d| !problems.contains(d)).collect::<Vec<_>>());
    }
    let mut cited: Vec<Cited> = Vec::new();
    for kind in ["model", "target", "solver", "function"] {
        for decl in loaded.library.decls() {
            let Some(name) = item_name(&decl.item.kind).map(|n| n.name.clone()) else { continue };
            let own = match &decl.item.kind {
                ItemKind::Model(_) => "model",
                ItemKind::Target(_) => "target",
                ItemKind::Solver(_) => "solver",
                ItemKind::Fn(_) => "function",
                _ => continue,
            };
            let used = reached.contains(&decl.key()) || own == "solver" && names.contains(&name);
            if own == kind && used {
                add(&mut cited, format!("{own} {name}"), references(decl.item.doc.as_deref().unwrap_or_default()));
            }
        }
    }
    for method in methods {
        add(&mut cited, method.what.to_string(), references(method.references));
    }
    (cited, problems)
}

/// Declarations of one name (solvers for several noises) are told once, with the references of all.
fn add(cited: &mut Vec<Cited>, what: String, new: Vec<Reference>) {
    if !cited.iter().any(|c| c.what == what) {
        cited.push(Cited { what: what.clone(), references: Vec::new() });
    }
    let entry = cited.iter_mut().find(|c| c.what == what).expect("put there above");
    for reference in new {
        if entry.references.iter().all(|r| r.work() != reference.work()) {
            entry.references.push(reference);
        }
    }
}

/// As text: each method with its references below it. Those without any are not told.
pub fn text(cited: &[Cited]) -> String {
    let mut out = String::new();
    for c in cited.iter().filter(|c| !c.references.is_empty()) {
        out += &format!("{}\n", c.what);
        for r in &c.references {
            out += &format!("  {}\n", r.text);
        }
    }
    out
}

/// As entries of BibTeX, one for each work.
pub fn bibtex(cited: &[Cited]) -> String {
    let mut works: Vec<&Reference> = Vec::new();
    for r in cited.iter().flat_map(|c| &c.references) {
        if works.iter().all(|w| w.work() != r.work()) {
            works.push(r);
        }
    }
    let mut keys: Vec<String> = Vec::new();
    let mut out = String::new();
    for work in works {
        let mut key = work.key();
        let same = keys.iter().filter(|k| **k == key).count();
        keys.push(key.clone());
        if same > 0 {
            key.push(char::from(b'a' + (same as u8).min(25)));
        }
        out += &format!("{}\n", work.bibtex(&key));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::titles::{TITLES, title};
    use crate::session::load::{Options, load_text};

    /// Every work that the library and the runtime cite.
    fn works() -> Vec<Reference> {
        let loaded = load_text("none", "", &Options::default());
        let docs = loaded.library.decls().filter_map(|d| d.item.doc.clone());
        let all = docs.flat_map(|d| references(&d)).chain(METHODS.iter().flat_map(|m| references(m.references)));
        let mut works: Vec<Reference> = Vec::new();
        all.for_each(|r| {
            if works.iter().all(|w| w.work() != r.work()) {
                works.push(r)
            }
        });
        works
    }

    #[test]
    fn papers_have_titles_and_authors() {
        let works = works();
        assert!(works.len() > 100, "{}", works.len());
        for work in &works {
            let entry = work.bibtex("key");
            // a thesis has none in its reference; its kind is in the place of a journal
            let thesis = work.text.contains("thesis");
            assert!(thesis || entry.contains("\n  title = {"), "{entry}");
            let name = |n: &String| {
                n.chars().count() < 25 && !n.contains(['.', ':', '(']) && n.starts_with(char::is_alphabetic)
            };
            assert!(!work.authors.is_empty() && work.authors.iter().all(name), "{entry}");
        }
        for (cited, _) in TITLES {
            let known = Reference::of(cited).is_some_and(|r| works.iter().any(|w| w.work() == r.work()));
            assert!(known, "{cited} is cited nowhere");
        }
        assert!(works.iter().filter(|w| title(w).is_some()).count() > 90);
    }
}
