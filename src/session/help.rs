//! What is known of a name: functions, laws, operators, statistics, plots, forms of models, declarations, words of the language,
//! settings and the codes of diagnostics, each from its own table.

use crate::diagnostics::{codes, suggest, text};
use crate::model::distributions::{self, Distribution};
use crate::model::forms::{Form, NoiseClass};
use crate::model::library::{Decl, Library, item_name};
use crate::model::plots::{self, Looks, Of};
use crate::model::statistics::{self, Keeps};
use crate::model::{functions, operators};
use crate::session::catalogue::catalogue;
use crate::syntax::ast::{ItemKind, Param, TypeKind};
use crate::syntax::settings::{self, Setting};
use crate::syntax::{keywords, print_expr, words};

/// The fact of what this version does not work out.
pub(super) const LATER: &str = "not supported yet";

/// What is told of one meaning of a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topic {
    /// what kind of thing it is: `function`, `solver`, ...
    pub kind: &'static str,
    pub name: String,
    pub signature: String,
    pub doc: String,
    /// more lines: orders, supports
    pub facts: Vec<String>,
    pub example: String,
}

/// All meanings of a name, the user's first.
pub fn topics(library: &Library, name: &str) -> Vec<Topic> {
    let mut found: Vec<Topic> = library.lookup(name).into_iter().filter_map(|d| declaration(library, d)).collect();
    found.dedup();
    found.extend(of_language(name));
    found.extend(codes::explanation(name).map(|e| {
        let doc = format!("{}\n\n{}", capital(e.title), e.text.trim_end());
        plain("diagnostic", &e.code.to_string(), "", &doc)
    }));
    found
}

/// The meanings of a name that the language gives it.
pub fn of_language(name: &str) -> Vec<Topic> {
    expressions(name).into_iter().chain(statements(name)).collect()
}

/// What stands in expressions: functions, laws, operators, statistics.
fn expressions(name: &str) -> Vec<Topic> {
    let later = |waits: bool| if waits { vec![LATER.to_string()] } else { vec![] };
    let mut found: Vec<Topic> = Vec::new();
    found.extend(functions::lookup(name).map(|f| Topic {
        facts: later(f.stage > 1 && crate::model::later::function(f)),
        example: f.example.into(),
        ..plain("function", f.name, f.signature, f.doc)
    }));
    found.extend(distributions::lookup(name).map(law));
    let operator = operators::lookup(name);
    found.extend(
        operator.map(|o| Topic { facts: later(!o.supported), ..plain("operator", o.name, o.signature, o.doc) }),
    );
    found.extend(statistics::find(name).map(statistic));
    let further = statistics::FURTHER.iter().find(|f| f.name == name);
    found.extend(further.map(|f| plain("statistic", f.name, f.signature, f.doc)));
    found
}

/// What stands in statements: kinds of plots, forms and noises of solvers, words, settings and their values.
fn statements(name: &str) -> Vec<Topic> {
    let mut found: Vec<Topic> = Vec::new();
    let word = keywords::lookup(name);
    found.extend(word.map(|k| Topic { example: k.example.into(), ..plain("word", k.word, "", k.doc) }));
    found.extend(settings::lookup(name).map(setting));
    let values = settings::TABLE.iter().flat_map(|s| s.words).filter(|w| w.0 == name);
    found.extend(values.map(|w| plain("value of a setting", w.0, w.1, w.2)));
    found.extend(
        words::lookup(name)
            .map(|w| Topic { example: w.example.into(), ..plain(w.kind.name(), w.word, w.signature, w.doc) }),
    );
    found.extend(plots::find(name).map(plot));
    found.extend(Form::named(name).map(form));
    found.extend(NoiseClass::named(name).map(|c| plain("class of noise", c.name(), "", &capital(c.doc()))));
    found
}

fn plain(kind: &'static str, name: &str, signature: &str, doc: &str) -> Topic {
    Topic { kind, name: name.into(), signature: signature.into(), doc: doc.into(), ..Topic::default() }
}

/// All names that something is known of, with their kinds, sorted: for completion and suggestions.
pub fn names(library: &Library) -> Vec<(String, &'static str)> {
    let mut all = every_name(library);
    // A word of the language is one first.
    all.sort_by(|a, b| (&a.0, a.1 != "word", a.1).cmp(&(&b.0, b.1 != "word", b.1)));
    all.dedup_by(|a, b| a.0 == b.0);
    all
}

/// All names with each of their kinds, in the order of the tables.
pub(super) fn every_name(library: &Library) -> Vec<(String, &'static str)> {
    let mut all: Vec<(String, &'static str)> = Vec::new();
    all.extend(library.decls().filter_map(|d| Some((item_name(&d.item.kind)?.name.clone(), kind(&d.item.kind)))));
    all.extend(functions::names().map(|n| (n.to_string(), "function")));
    let laws = distributions::TABLE.iter().flat_map(|d| d.aliases.iter().chain([&d.name]));
    all.extend(laws.map(|n| (n.to_string(), "distribution")));
    all.extend(operators::TABLE.iter().map(|o| (o.name.to_string(), "operator")));
    all.extend(crate::model::results::supported_names().map(|s| (s.to_string(), "statistic")));
    all.extend(plots::TABLE.iter().map(|row| (row.name.to_string(), "plot")));
    all.extend(keywords::TABLE.iter().map(|k| (k.word.to_string(), "word")));
    all.extend(settings::NAMES.iter().map(|s| (s.to_string(), "setting")));
    all.extend(settings::TABLE.iter().flat_map(|s| s.words).map(|w| (w.0.to_string(), "value of a setting")));
    all.extend(words::TABLE.iter().map(|w| (w.word.to_string(), w.kind.name())));
    all.extend(Form::NAMES.iter().map(|f| (f.to_string(), "form")));
    all.extend(codes::TABLE.iter().map(|(code, _)| (code.to_string(), "diagnostic")));
    all
}

/// A sentence for a name that nothing is known of.
pub fn unknown(library: &Library, name: &str) -> String {
    let all = names(library);
    let near = suggest(name, all.iter().map(|n| n.0.as_str()));
    let near: Vec<String> = near.iter().map(|n| format!("`{n}`")).collect();
    let meant = if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(" or ")) };
    format!("nothing is known of `{name}`{meant}")
}

fn kind(item: &ItemKind) -> &'static str {
    match item {
        ItemKind::Use(..) => "file",
        ItemKind::Const(_) => "constant",
        ItemKind::Data(_) => "data",
        ItemKind::Fn(_) => "function",
        ItemKind::Target(_) => "target",
        ItemKind::Model(_) => "model",
        ItemKind::Solver(_) => "solver",
        ItemKind::Run(_) => "run",
    }
}

fn declaration(library: &Library, decl: &Decl) -> Option<Topic> {
    let name = item_name(&decl.item.kind)?.name.clone();
    let header = match &decl.item.kind {
        ItemKind::Fn(f) => &f.header[..],
        ItemKind::Target(t) => &t.header,
        ItemKind::Model(m) => &m.header,
        ItemKind::Solver(s) => &s.header,
        _ => &[],
    };
    let mut topic = Topic {
        kind: kind(&decl.item.kind),
        signature: if header.is_empty() { String::new() } else { format!("{name}{}", print_expr::header(header)) },
        doc: decl.item.doc.clone().unwrap_or_default(),
        name: name.clone(),
        ..Topic::default()
    };
    match &decl.item.kind {
        ItemKind::Const(c) => topic.signature = format!("{name} = {}", print_expr::spaced(&c.value)),
        ItemKind::Data(d) => topic.signature = format!("{name}: {}", print_expr::type_(&d.ty)),
        ItemKind::Target(_) => topic.example = format!("model = langevin({name}({}))", arguments(header)),
        ItemKind::Model(_) => topic.example = format!("model = {name}({})", arguments(header)),
        ItemKind::Solver(_) => {
            topic.example = format!("solver = {name}");
            // All declarations of the name are one topic: the catalogue has their forms and orders.
            topic.facts = solver_facts(library, &name);
            topic.doc = first_doc(library, &name);
        }
        _ => {}
    }
    Some(topic)
}

/// Arguments for the parameters that have no default: something that fits each.
fn arguments(header: &[Param]) -> String {
    let given = header.iter().filter(|p| p.default.is_none());
    let one = |p: &Param| {
        let value = match p.ty.as_ref().map(|ty| &ty.kind) {
            Some(TypeKind::Named(name, _)) if name.name == "target" => "double_well()".into(),
            Some(TypeKind::Named(name, _)) if name.name == "model" => "ou()".into(),
            Some(TypeKind::Named(name, sizes)) if name.name == "real" && sizes.is_empty() => "1".into(),
            None => "1".into(),
            Some(_) => "...".to_string(),
        };
        format!("{} = {value}", p.name.name)
    };
    given.map(one).collect::<Vec<_>>().join(", ")
}

fn plot(row: &'static plots::Row) -> Topic {
    let of = match row.of {
        Of::Values(_, 1) => "x",
        Of::Values(..) => "x, y",
        Of::Statistic => "mean(x)",
        Of::Plot => "histogram(x)",
        Of::Nothing => "",
    };
    let over = if row.looks == Looks::Over { " over t in [1, 5]" } else { "" };
    Topic {
        kind: "plot",
        name: row.name.into(),
        signature: row.signature.into(),
        doc: row.doc.into(),
        facts: Vec::new(),
        example: format!("plot {}({of}){over}", row.name),
    }
}

fn form(form: Form) -> Topic {
    Topic {
        kind: "form",
        name: form.name().into(),
        signature: form.example().into(),
        doc: format!("{}.", form.doc()),
        facts: match form {
            Form::Later(_) => vec![LATER.into()],
            _ => vec!["what a solver sees of a model".into()],
        },
        example: format!("solver mine() on {} {{ ... }}", form.example()),
    }
}

fn first_doc(library: &Library, name: &str) -> String {
    let docs = library.lookup(name).into_iter().filter_map(|d| d.item.doc.clone());
    let mut seen: Vec<String> = Vec::new();
    for doc in docs {
        if !seen.contains(&doc) {
            seen.push(doc);
        }
    }
    seen.join("\n")
}

fn solver_facts(library: &Library, name: &str) -> Vec<String> {
    let number = |o: Option<f64>| o.map_or("-".to_string(), |v| v.to_string());
    let mut facts = Vec::new();
    for entry in catalogue(library).into_iter().filter(|e| e.name == name) {
        if let Some(alias) = entry.alias {
            facts.push(format!("another name of {alias}"));
            continue;
        }
        let form = entry.form.unwrap_or_default();
        if entry.orders.is_empty() {
            facts.push(format!("on {form} for {}", entry.noise.unwrap_or_default()));
        }
        for order in entry.orders {
            let (strong, weak) = (number(order.strong), number(order.weak));
            facts.push(format!("on {form} for {}: strong {strong}, weak {weak}", order.noise));
        }
        if entry.adaptive {
            facts.push("estimates its error: `time = 0 .. 1 tol 1e-3` lets paths choose their steps".into());
        }
    }
    facts.dedup();
    facts
}

/// `normal(mean = 0, sd = 1)`
pub fn signature_of_law(law: &Distribution) -> String {
    let params = law.params.iter().map(|p| p.default.map_or(p.name.to_string(), |v| format!("{} = {v}", p.name)));
    format!("{}({})", law.name, params.collect::<Vec<_>>().join(", "))
}

fn law(law: &'static Distribution) -> Topic {
    let mut facts = vec![format!("support: {}", law.support)];
    if !law.aliases.is_empty() {
        facts.push(format!("also {}", law.aliases.join(", ")));
    }
    let given: Vec<&str> = law.params.iter().filter(|p| p.default.is_none()).map(|p| p.name).collect();
    Topic {
        kind: "distribution",
        name: law.name.into(),
        signature: signature_of_law(law),
        doc: law.doc.into(),
        facts,
        example: format!("x ~ {}({})", law.name, given.join(", ")),
    }
}

/// A setting with the values that are words.
fn setting(row: &'static Setting) -> Topic {
    let facts = row.words.iter().map(|(word, _, doc)| format!("{word}: {doc}")).collect();
    Topic { facts, example: row.example.into(), ..plain("setting", row.name, row.signature, row.doc) }
}

fn statistic(row: &'static statistics::Row) -> Topic {
    // Chains are looked at over several times.
    let over = if matches!(row.keeps, Keeps::Draws) { " over last 500 steps" } else { "" };
    let example = format!("report {}{over}", row.example());
    Topic { example, ..plain("statistic", row.name, &row.signature(), row.doc) }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |c| c.to_uppercase().collect::<String>() + letters.as_str() + ".")
}

impl Topic {
    /// As text.
    pub fn text(&self) -> String {
        let mut out = format!("{} {}\n", self.kind, self.name);
        if !self.signature.is_empty() {
            out += &format!("  {}\n", self.signature);
        }
        // Explanations are paragraphs and programs; other lines mean something.
        out += &if self.kind == "diagnostic" { text::paragraphs(&self.doc, 2) } else { text::lines(&self.doc, 2) };
        self.facts.iter().for_each(|fact| out += &format!("  {}\n", text::filled(fact, 2)));
        if !self.example.is_empty() {
            out += &format!("  example: {}\n", self.example);
        }
        out
    }
}
