//! Plots of what runs kept.

use crate::repl::{Repl, STOP};
use crate::session::drawing::{Past, Wish, draw};
use crate::session::figures::drawn_in_terminal;
use crate::session::files::write_drawn;
use crate::syntax::ast::RunStmt;

impl Repl {
    /// Draws a plot in the terminal, or writes it to the file that it names.
    pub(super) fn plot(&mut self, statement: &RunStmt) {
        let RunStmt::Plot { what, pool, path, span } = statement else { return };
        let program = self.declarations.program();
        for e in what {
            let past: Vec<Past<'_>> =
                self.outcomes.iter().map(|o| Past { name: &o.name, keys: &o.keys, ran: &o.ran }).collect();
            let wish = Wish { what: e, pool: pool.as_ref(), path: path.as_deref(), span: *span };
            let drawn = draw(&program, wish, &past, &STOP);
            if STOP.load(std::sync::atomic::Ordering::Relaxed) {
                return self.note("interrupted");
            }
            match drawn {
                Err(problems) => self.tell(&self.with_results_named(problems)),
                Ok(drawn) if path.is_none() => {
                    self.say(&drawn_in_terminal(&drawn, self.style.is_coloured()));
                    drawn.last().into_iter().for_each(|d| self.note(&format!("{}\n", d.figure.caption)));
                }
                Ok(drawn) => match write_drawn(&drawn) {
                    Ok(names) => self.note(&format!("plotted {}", names.join(", "))),
                    Err(problem) => self.tell(&[problem]),
                },
            }
        }
    }
}
