//! What the language says of a name that no file declares, at the place where it stands: `paths` is a setting of a run, and a
//! kind of plot after `plot`.

use crate::session::help::{Topic, of_language};
use crate::syntax::Place;
use crate::syntax::context::{Context, context};

/// What is known of the word `start..end` of a text.
pub fn about(text: &str, start: usize, end: usize) -> Option<Topic> {
    let context = context(text, end);
    // `n: int = 3` names a type.
    if names_an_argument(text, end) && context.call().is_some() && context.last() != ":" {
        return about_call(&context).filter(|topic| ["plot", "distribution"].contains(&topic.kind));
    }
    choose(of_language(&text[start..end]), kinds(&context, context.depth))
        .or_else(|| own_noise(&text[start..end], &context))
}

/// `dW` of a noise that nothing declares.
fn own_noise(name: &str, context: &Context) -> Option<Topic> {
    let in_flow = matches!(context.place, Place::Model | Place::Part) && context.head().starts_with('d');
    let noise = name.strip_prefix('d').filter(|rest| in_flow && !rest.is_empty())?;
    let doc = format!(
        "The increment of a noise that this equation has for itself; `noise {noise}: wiener` declares one to share."
    );
    Some(Topic { kind: "noise", name: name.into(), doc, ..Topic::default() })
}

/// What is known of the function, law, statistic or plot of the call around a place.
pub fn about_call(context: &Context) -> Option<Topic> {
    let call = context.call()?;
    let called = of_language(&call.name).into_iter().filter(|t| t.signature.contains('(')).collect();
    choose(called, kinds(&Context { at_head: false, ..context.clone() }, context.depth.saturating_sub(1)))
}

fn names_an_argument(text: &str, end: usize) -> bool {
    let rest = text[end..].trim_start_matches([' ', '\t']);
    rest.starts_with('=') && !rest.starts_with("==")
}

fn choose(all: Vec<Topic>, kinds: &[&str]) -> Option<Topic> {
    let best = kinds.iter().find_map(|kind| all.iter().find(|t| t.kind == *kind)).cloned();
    best.or_else(|| all.into_iter().next())
}

/// The kinds of things that stand at a place, what is likeliest first; `depth` brackets are open there.
fn kinds(context: &Context, depth: usize) -> &'static [&'static str] {
    let animated = context.before.iter().any(|w| w == "animation");
    let plotted = context.head() == "plot" && (depth == 0 || depth == 1 && animated);
    match context.place {
        Place::Run if context.at_head => &["setting", "word"],
        _ if context.at_head => &["word"],
        Place::Run if plotted => &["plot"],
        Place::Run => &["statistic", "value", "function", "distribution", "operator"],
        // After a colon.
        _ if context.last() == ":" => &["type", "noise"],
        Place::File if context.head() == "solver" => &["form", "noise"],
        _ => &["function", "distribution", "operator"],
    }
}
