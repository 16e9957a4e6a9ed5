//! What a model means, derived: its equations in both conventions, the class of its noise, the generator and the
//! Fokker-Planck equation.

use rustc_hash::FxHashSet as HashSet;

use crate::calculus::clean;
use crate::math::{Graph, Id, IndexVar, Node, Op, Red};

use super::convention::{ito_correction, stratonovich_drift};
use super::explanation::{Explanation, Line, Section};
use super::formula::{Equation, Formula, Range};
use super::polynomial::collected;
use super::reader::{Reader, element};
use super::structure::drift::Drift;
use super::structure::{Finding, NoiseClass, Structure, is_zero};
use super::system::{Correlated, System, UNROLLED, open, places, size};
use super::written_out::{reads_literal, written_out};

/// A density that the model was made from.
#[derive(Clone, Debug)]
pub struct Law {
    pub name: String,
    /// its log density, a scalar of the system's states
    pub logp: Id,
}

/// A model and what is known of it.
#[derive(Copy, Clone)]
pub struct Subject<'a> {
    pub title: &'a str,
    pub system: &'a System,
    pub structure: &'a Structure,
    pub drift: &'a Drift,
    /// the law that the model was made from, if it was
    pub law: Option<&'a Law>,
}

/// Explains a model.
pub fn explain(g: &mut Graph, subject: Subject<'_>) -> Explanation {
    let Subject { title, system, structure, drift, law } = subject;
    let mut sections = equations(g, system, structure);
    sections.push(correction(g, system));
    sections.push(noise(system, structure));
    sections.push(form(g, system, structure, drift));
    sections.extend(law.map(|law| score(g, system, law)));
    sections.extend(operators(g, system, structure));
    Explanation { title: title.to_string(), sections }
}

/// The equations of a model and its noise, without what takes long to derive.
pub fn brief(g: &mut Graph, title: &str, system: &System, structure: &Structure) -> Explanation {
    let mut sections = equations(g, system, structure);
    sections.push(noise(system, structure));
    Explanation { title: title.to_string(), sections }
}

/// What there is to tell of a law by itself: its density and its score, over the states of a system that does not move.
pub fn explain_law(g: &mut Graph, system: &System, law: &Law, more: Vec<String>) -> Explanation {
    let mut section = score(g, system, law);
    more.into_iter().for_each(|line| section.text(line));
    Explanation { title: law.name.clone(), sections: vec![section] }
}

/// A component of the state vector, or with open indices all those of one state.
struct Row {
    state: usize,
    at: Vec<Id>,
    bounds: Vec<IndexVar>,
}

/// The rows in which arrays are shown: small states that are written out somewhere are shown by component.
fn rows(g: &mut Graph, system: &System, arrays: &[&[Id]]) -> Vec<Row> {
    let mut rows = Vec::new();
    for (state, component) in system.states.iter().enumerate() {
        let differ = arrays.iter().any(|a| components_differ(g, a[state]));
        if differ && size(&component.shape) <= UNROLLED {
            rows.extend(places(g, &component.shape).into_iter().map(|at| Row { state, at, bounds: vec![] }));
        } else {
            let (bounds, at) = open(g, &component.shape);
            rows.push(Row { state, at, bounds });
        }
    }
    rows
}

/// Whether the elements of an array have formulas of their own: it is written out, reads at its own place an array that
/// is, or asks which element it is.
fn components_differ(g: &Graph, array: Id) -> bool {
    let is_index = |id: &Id| matches!(g.node(*id), Node::Index(_));
    let fixed = |id: &Id| is_index(id) || matches!(g.node(*id), Node::Int(_) | Node::Op(..));
    let asks = |id: Id| match g.node(id) {
        Node::Op(Op::Select, args) => {
            let condition = g.reachable(&args[..1]);
            condition.iter().any(is_index) && condition.iter().all(fixed)
        }
        _ => false,
    };
    let written = match g.node(array) {
        Node::Lit(..) => true,
        Node::Map(bounds, body) => reads_literal(g, *body, bounds),
        _ => false,
    };
    written || g.reachable(&[array]).into_iter().any(asks)
}

/// The elements of arrays in these rows, as they are shown.
fn elements(g: &mut Graph, rows: &[Row], arrays: &[Id]) -> Vec<Id> {
    let raw: Vec<Id> = rows.iter().map(|r| g.get(arrays[r.state], &r.at)).collect();
    shown(g, &raw)
}

/// Clean nodes with short sums over written-out arrays term by term, and their terms collected.
fn shown(g: &mut Graph, raw: &[Id]) -> Vec<Id> {
    let cleaned: Vec<Id> = raw.iter().map(|id| written_out(g, *id)).collect();
    cleaned.into_iter().map(|id| collected(g, id)).collect()
}

/// Reads what belongs to one row, with its indices named.
fn in_row<T>(reader: &mut Reader<'_>, row: &Row, read: impl FnOnce(&mut Reader<'_>, &[Range]) -> T) -> T {
    let over: Vec<Range> = row.bounds.iter().map(|b| reader.open(*b)).collect();
    let result = read(reader, &over);
    reader.close(over.len());
    result
}

fn place(reader: &mut Reader<'_>, row: &Row, name: Formula) -> Formula {
    element(name, row.at.iter().map(|i| reader.read(*i)).collect())
}

fn finish(mut section: Section, reader: &Reader<'_>) -> Section {
    section.lines.extend(reader.definitions().iter().cloned().map(Line::Where));
    section
}

// Equations.

fn equations(g: &mut Graph, system: &System, structure: &Structure) -> Vec<Section> {
    let own = system.written.as_ref().map_or(system, |w| &w.system);
    let (raw, diffusion) = (clean(g, &own.drift), clean(g, &own.diffusion));
    let circled: Vec<Id> = own.strat_terms.iter().copied().flatten().collect();
    let strat = stratonovich_drift(g, system);
    let strat = clean(g, &strat);
    let total = system.total_diffusion(g);
    let total = clean(g, &total);
    let mut sections = Vec::new();
    let convention = constant(g, system.alpha);
    let written = match convention {
        Some(0.0) => "Equations as written (Ito)".to_string(),
        Some(0.5) => "Equations as written (Stratonovich)".to_string(),
        Some(1.0) => "Equations as written (anti-Ito)".to_string(),
        _ => format!("Equations as written (alpha = {})", super::pretty::text(g, system.alpha)),
    };
    let terms = if circled.is_empty() {
        vec![(diffusion, convention == Some(0.5))]
    } else {
        vec![(diffusion, convention == Some(0.5)), (circled_arrays(g, own), true)]
    };
    let mut section = stochastic(g, own, &written, &raw, &terms);
    for noise in system.written.iter().flat_map(|w| &w.correlated) {
        let Correlated { name, independent, covariance, matrix } = noise;
        let matrix = clean(g, &[*matrix])[0];
        let reader = &mut system.reader(g, &[matrix]);
        let matrix = super::pretty::formula(&reader.read(matrix));
        let word = if *covariance { "covariance" } else { "correlation" };
        section.text(format!(
            "{name} has the {word} {matrix}; below, d{name} = L d{independent} with independent {independent} and L its \
             Cholesky factor"
        ));
    }
    sections.push(section);
    if strat == structure.ito && raw == strat {
        if structure.noise.dim > 0 && circled.is_empty() {
            let (own, other) = match convention {
                Some(0.5) => ("Stratonovich", "Ito"),
                _ => ("Ito", "Stratonovich"),
            };
            let mut section = Section::new(format!("{other} form"));
            section.text(format!("the same as the {own} form"));
            sections.push(section);
        }
        return sections;
    }
    if convention != Some(0.0) || !circled.is_empty() {
        sections.push(stochastic(g, system, "Ito form", &structure.ito, &[(total.clone(), false)]));
    }
    if convention != Some(0.5) {
        sections.push(stochastic(g, system, "Stratonovich form", &strat, &[(total, true)]));
    }
    sections
}

fn constant(g: &Graph, id: Id) -> Option<f64> {
    match g.node(id) {
        Node::Real(bits) => Some(f64::from_bits(*bits)),
        _ => None,
    }
}

/// The terms marked with a circle, zero where there are none.
fn circled_arrays(g: &mut Graph, system: &System) -> Vec<Id> {
    let mut arrays = Vec::new();
    for (state, term) in system.states.iter().zip(&system.strat_terms) {
        arrays.push(match term {
            Some(term) => *term,
            None => {
                let (bounds, _) = open(g, &state.shape);
                let zero = g.real(0.0);
                g.map(&bounds, zero)
            }
        });
    }
    clean(g, &arrays)
}

/// `dx = (...) dt + (...) dW` for each state; each array of noise terms with whether it is read as Stratonovich.
fn stochastic(g: &mut Graph, system: &System, title: &str, drift: &[Id], noise: &[(Vec<Id>, bool)]) -> Section {
    let mut arrays: Vec<&[Id]> = vec![drift];
    arrays.extend(noise.iter().map(|(array, _)| array.as_slice()));
    let rows = rows(g, system, &arrays);
    let drifts = elements(g, &rows, drift);
    let noises: Vec<(Vec<Id>, bool)> = noise.iter().map(|(n, circle)| (elements(g, &rows, n), *circle)).collect();
    let roots: Vec<Id> = drifts.iter().chain(noises.iter().flat_map(|(n, _)| n)).copied().collect();
    let mut reader = system.reader(g, &roots);
    let mut section = Section::new(title);
    for (r, row) in rows.iter().enumerate() {
        section.equation(in_row(&mut reader, row, |reader, over| {
            let name = Formula::Differential(system.states[row.state].name.clone());
            let left = place(reader, row, name);
            let mut parts = vec![reader.read(drifts[r]).along(Formula::Differential("t".into()), false)];
            if is_zero(g, drifts[r]) {
                parts.clear();
            }
            for (terms, circle) in &noises {
                let term = reader.read(terms[r]);
                parts.push(if *circle { with_circles(term) } else { term });
            }
            Equation { left, right: Formula::sum_in_order(parts), over: over.to_vec() }
        }));
    }
    finish(section, &reader)
}

/// Every `e dW` as `e ∘ dW`.
fn with_circles(f: Formula) -> Formula {
    let boxed = |f: Box<Formula>| Box::new(with_circles(*f));
    match f {
        Formula::Along { coefficient, differential, .. } => Formula::Along { coefficient, differential, circle: true },
        Formula::Negative(inner) => Formula::Negative(boxed(inner)),
        Formula::Sum(mut terms) => {
            terms.iter_mut().for_each(|t| t.body = with_circles(t.body.clone()));
            Formula::Sum(terms)
        }
        Formula::Product { over, under } => {
            Formula::Product { over: over.into_iter().map(with_circles).collect(), under }
        }
        Formula::Big { red, over, given, body } => Formula::Big { red, over, given, body: boxed(body) },
        other => other,
    }
}

fn correction(g: &mut Graph, system: &System) -> Section {
    let mut section = Section::new("Ito correction: the Ito drift minus the Stratonovich drift");
    let found = ito_correction(g, system);
    let arrays: Vec<Id> = found
        .into_iter()
        .zip(&system.states)
        .map(|(part, state)| {
            part.unwrap_or_else(|| {
                let (bounds, _) = open(g, &state.shape);
                let zero = g.real(0.0);
                g.map(&bounds, zero)
            })
        })
        .collect();
    let arrays = clean(g, &arrays);
    let rows = rows(g, system, &[&arrays]);
    let values = elements(g, &rows, &arrays);
    if values.iter().all(|v| is_zero(g, *v)) {
        section.text("zero: the Ito and the Stratonovich form are the same");
        return section;
    }
    let mut reader = system.reader(g, &values);
    for (row, value) in rows.iter().zip(&values) {
        section.equation(in_row(&mut reader, row, |reader, over| {
            let component = place(reader, row, Formula::name(&system.states[row.state].name));
            let left = Formula::Call("correction", vec![component]);
            Equation { left, right: reader.read(*value), over: over.to_vec() }
        }));
    }
    finish(section, &reader)
}

// Structure.

fn noise(system: &System, structure: &Structure) -> Section {
    let mut section = Section::new("Noise");
    let noise = &structure.noise;
    let class = noise.class();
    let count = match noise.dim {
        0 => String::new(),
        1 => format!(" (one noise, {} components)", system.dim()),
        m => format!(" ({m} independent noises, {} components)", system.dim()),
    };
    let count = count.replace("1 components", "1 component");
    section.text(format!("{}{count}", class.name()));
    for narrower in [NoiseClass::Additive, NoiseClass::Scalar, NoiseClass::Diagonal, NoiseClass::Commutative] {
        match noise.fits(narrower) {
            _ if class == NoiseClass::None => {}
            Finding::Yes if narrower != class => section.text(format!("also {}", narrower.name())),
            Finding::Yes => {}
            Finding::No(reason) => section.text(format!("not {}: {reason}", narrower.name())),
            Finding::Open { reason, .. } => section.text(open_finding(narrower.name(), reason)),
        }
    }
    section
}

fn open_finding(what: &str, reason: &str) -> String {
    format!("{what}: not proved ({reason})")
}

fn form(g: &Graph, system: &System, structure: &Structure, drift: &Drift) -> Section {
    let mut section = Section::new("Drift");
    for (name, finding) in [("linear", &drift.linear), ("gradient", &drift.gradient)] {
        match finding {
            Finding::Yes => section.text(name),
            Finding::No(reason) => section.text(format!("not {name}: {reason}")),
            Finding::Open { reason, .. } => section.text(open_finding(name, reason)),
        }
    }
    let kinetic = match &structure.kinetic {
        Ok(kinetic) => kinetic,
        Err(reason) => {
            section.text(format!("not kinetic Langevin: {reason}"));
            return section;
        }
    };
    for pair in &kinetic.pairs {
        let names = [pair.q, pair.v].map(|s| system.states[s].name.clone());
        section.text(format!("kinetic Langevin with position {} and velocity {}", names[0], names[1]));
        let parts = [("force", pair.force), ("gamma", pair.gamma), ("sigma", pair.sigma)];
        let roots: Vec<Id> = parts.iter().map(|(_, id)| *id).collect();
        let mut reader = system.reader(g, &roots);
        for (name, id) in parts {
            section.equation(Equation { left: Formula::name(name), right: reader.read(id), over: vec![] });
        }
        section = finish(section, &reader);
    }
    section
}

fn score(g: &mut Graph, system: &System, law: &Law) -> Section {
    let mut arrays = Vec::new();
    for state in &system.states {
        let (bounds, at) = open(g, &state.shape);
        let slope = g.partial(law.logp, state.var, &at);
        arrays.push(g.map(&bounds, slope));
    }
    let mut roots = vec![law.logp];
    roots.extend(&arrays);
    let mut cleaned = clean(g, &roots);
    let logp = cleaned.remove(0);
    let rows = rows(g, system, &[&cleaned]);
    let values = elements(g, &rows, &cleaned);
    let mut section = Section::new(format!("Target {} and its score", law.name));
    let roots: Vec<Id> = [logp].into_iter().chain(values.iter().copied()).collect();
    let mut reader = system.reader(g, &roots);
    let density = Formula::Call("log", vec![Formula::name("p")]);
    section.equation(Equation { left: density.clone(), right: reader.read(logp), over: vec![] });
    for (row, value) in rows.iter().zip(&values) {
        if is_zero(g, *value) {
            continue;
        }
        section.equation(in_row(&mut reader, row, |reader, over| {
            let by = place(reader, row, Formula::name(&system.states[row.state].name));
            let left = density.clone().derivative(vec![(by, 1)]);
            Equation { left, right: reader.read(*value), over: over.to_vec() }
        }));
    }
    finish(section, &reader)
}

// Operators.

/// A term `coefficient ∂^2/∂x∂y` of the generator, with the rows of `x` and `y` (the same for a second derivative by
/// one component). The coefficient has the factor 1/2, or 1 where the term stands for two.
struct Second {
    coefficient: Id,
    first: Row,
    second: Option<Row>,
}

fn operators(g: &mut Graph, system: &System, structure: &Structure) -> Vec<Section> {
    let rows = rows(g, system, &[&structure.ito]);
    let drifts = elements(g, &rows, &structure.ito);
    let seconds = second_order(g, system, structure, &rows);
    let roots: Vec<Id> = drifts.iter().copied().chain(seconds.iter().map(|s| s.coefficient)).collect();
    let taken: HashSet<String> = names(g, system, &roots);
    let free = |names: [&str; 3]| names.into_iter().find(|n| !taken.contains(*n)).unwrap_or("f_").to_string();
    let (f, rho) = (Formula::name(free(["f", "phi", "h"])), Formula::name(free(["rho", "p", "P"])));

    let mut generator = Section::new("Generator");
    let mut reader = system.reader(g, &roots);
    let mut terms = Vec::new();
    for (row, drift) in rows.iter().zip(&drifts) {
        terms.push(in_row(&mut reader, row, |reader, over| {
            let by = place(reader, row, Formula::name(&system.states[row.state].name));
            summed(over, along(reader.read(*drift), f.clone().derivative(vec![(by, 1)])))
        }));
    }
    terms.extend(
        seconds.iter().map(|s| second_term(&mut reader, system, s, |c, by, _| along(c, f.clone().derivative(by)))),
    );
    let left = Formula::Call("L", vec![f.clone()]);
    generator.equation(Equation { left, right: Formula::sum_in_order(terms), over: vec![] });
    let generator = finish(generator, &reader);

    let mut fokker_planck = Section::new("Fokker-Planck equation");
    let mut reader = system.reader(g, &roots);
    let mut terms = Vec::new();
    for (row, drift) in rows.iter().zip(&drifts) {
        terms.push(in_row(&mut reader, row, |reader, over| {
            let by = place(reader, row, Formula::name(&system.states[row.state].name));
            let flux = Formula::product([reader.read(*drift), rho.clone()]);
            summed(over, outside(flux, vec![(by, 1)])).negated()
        }));
    }
    terms.extend(seconds.iter().map(|s| {
        second_term(&mut reader, system, s, |coefficient, by, constant| match constant {
            true => along(coefficient, rho.clone().derivative(by)),
            false => outside(Formula::product([coefficient, rho.clone()]), by),
        })
    }));
    let left = rho.clone().derivative(vec![(Formula::name("t"), 1)]);
    fokker_planck.equation(Equation { left, right: Formula::sum_in_order(terms), over: vec![] });
    vec![generator, finish(fokker_planck, &reader)]
}

fn names(g: &Graph, system: &System, roots: &[Id]) -> HashSet<String> {
    let mut names: HashSet<String> = system.states.iter().map(|s| s.name.clone()).collect();
    for root in roots {
        names.extend(g.vars_of(*root).iter().map(|v| g.var_info(*v).name.clone()));
    }
    names
}

fn along(coefficient: Formula, derivative: Formula) -> Formula {
    if coefficient.is_zero() { coefficient } else { coefficient.along(derivative, false) }
}

/// The derivative of a product, with its sign in front.
fn outside(flux: Formula, by: Vec<(Formula, u32)>) -> Formula {
    match flux {
        zero if zero.is_zero() => zero,
        Formula::Negative(inner) => inner.derivative(by).negated(),
        flux => flux.derivative(by),
    }
}

fn summed(over: &[Range], body: Formula) -> Formula {
    if over.is_empty() || body.is_zero() {
        return body;
    }
    match body {
        Formula::Negative(inner) => summed(over, *inner).negated(),
        body => Formula::Big { red: Red::Sum, over: over.to_vec(), given: None, body: Box::new(body) },
    }
}

/// Shows a term with its derivatives; `show` gets the coefficient, the variables, and whether the coefficient is free of
/// the states.
fn second_term(
    reader: &mut Reader<'_>,
    system: &System,
    term: &Second,
    show: impl FnOnce(Formula, Vec<(Formula, u32)>, bool) -> Formula,
) -> Formula {
    let constant = !system.states.iter().any(|s| reader.graph().depends_on(term.coefficient, s.var));
    let name = |row: &Row| Formula::name(&system.states[row.state].name);
    in_row(reader, &term.first, |reader, over| {
        let first = place(reader, &term.first, name(&term.first));
        let Some(other) = &term.second else {
            return summed(over, show(reader.read(term.coefficient), vec![(first, 2)], constant));
        };
        in_row(reader, other, |reader, more| {
            let second = place(reader, other, name(other));
            let over: Vec<Range> = over.iter().chain(more).cloned().collect();
            summed(&over, show(reader.read(term.coefficient), vec![(first, 1), (second, 1)], constant))
        })
    })
}

fn copy(row: &Row) -> Row {
    Row { state: row.state, at: row.at.clone(), bounds: row.bounds.clone() }
}

fn second_order(g: &mut Graph, system: &System, structure: &Structure, rows: &[Row]) -> Vec<Second> {
    let half = g.real(0.5);
    let mut terms = Vec::new();
    if let Some(coefficients) = &structure.noise.coefficients {
        for row in rows {
            let b = g.get(coefficients[row.state], &row.at);
            let square = g.op(Op::Mul, &[b, b]);
            let coefficient = g.op(Op::Mul, &[half, square]);
            terms.push(Second { coefficient, first: copy(row), second: None });
        }
    } else {
        for (n, row) in rows.iter().enumerate() {
            for other in &rows[..n] {
                let coefficient = covariance(g, system, other, row);
                terms.push(Second { coefficient, first: copy(other), second: Some(copy(row)) });
            }
            // the indices of the two factors differ where a row stands for many components
            let (bounds, at) = match row.bounds.is_empty() {
                true => (vec![], row.at.clone()),
                false => open(g, &system.states[row.state].shape),
            };
            let again = Row { state: row.state, at, bounds };
            let product = covariance(g, system, row, &again);
            let coefficient = g.op(Op::Mul, &[half, product]);
            let second = (!row.bounds.is_empty()).then_some(again);
            terms.push(Second { coefficient, first: copy(row), second });
        }
    }
    let raw: Vec<Id> = terms.iter().map(|t| t.coefficient).collect();
    for (term, value) in terms.iter_mut().zip(shown(g, &raw)) {
        term.coefficient = value;
    }
    terms.retain(|t| !is_zero(g, t.coefficient));
    terms
}

/// `sum_k B[x, k] B[y, k]`.
fn covariance(g: &mut Graph, system: &System, x: &Row, y: &Row) -> Id {
    let total = system.total_diffusion(g);
    let mut sum = g.real(0.0);
    for n in 0..system.noises.len() {
        let shape = system.noises[n].shape.clone();
        let product = |g: &mut Graph, k: &[Id]| {
            let factors = [x, y].map(|row| {
                let element = g.get(total[row.state], &row.at);
                system.coefficient(g, element, n, k)
            });
            g.op(Op::Mul, &factors)
        };
        if size(&shape) <= UNROLLED {
            for k in places(g, &shape) {
                let part = product(g, &k);
                sum = g.op(Op::Add, &[sum, part]);
            }
        } else {
            let (bounds, k) = open(g, &shape);
            let body = product(g, &k);
            let part = g.reduce(Red::Sum, &bounds, body);
            sum = g.op(Op::Add, &[sum, part]);
        }
    }
    sum
}
