//! A bar on stderr that shows how far a run is: from the counters of the runtime, read now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::number::count;
use super::width;
use crate::runtime::Progress;
use crate::runtime::progress::Reached;

/// Between two looks, and before the first: what is over sooner has no bar.
const TICK: Duration = Duration::from_millis(100);
const FIRST: Duration = Duration::from_millis(300);

/// Marks of a bar.
const LENGTH: u64 = 1000;

/// Columns of a bar.
const LONGEST: usize = 30;
const SHORTEST: usize = 8;

/// Watches a run, and draws if that is wanted.
pub struct Bar {
    progress: Arc<Progress>,
    drawn: Option<Drawn>,
}

struct Drawn {
    lines: Arc<Lines>,
    over: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// The bar with the line that Ctrl-C leaves.
struct Lines {
    bar: ProgressBar,
    /// raised by Ctrl-C
    stop: &'static AtomicBool,
    seen: AtomicBool,
    tidied: AtomicBool,
}

impl Lines {
    /// A bar fills its line, so the terminal's echo of Ctrl-C goes to the next one, where the bar is drawn from then on:
    /// the old one is taken away, once.
    fn tidy(&self) {
        let drawn = cfg!(unix) && self.stop.load(Ordering::Relaxed) && self.seen.load(Ordering::Relaxed);
        if drawn && !self.tidied.swap(true, Ordering::Relaxed) {
            self.bar.suspend(|| eprint!("\x1b[1A\r\x1b[2K"));
        }
    }
}

impl Bar {
    /// Begins to watch; `shown` says whether anything is drawn, `stop` whether Ctrl-C was pressed.
    pub fn watch(shown: bool, stop: &'static AtomicBool) -> Bar {
        let progress = Arc::new(Progress::default());
        let drawn = shown.then(|| {
            let bar = ProgressBar::with_draw_target(Some(LENGTH), ProgressDrawTarget::stderr());
            let over = Arc::new(AtomicBool::new(false));
            let lines = Arc::new(Lines { bar, stop, seen: AtomicBool::new(false), tidied: AtomicBool::new(false) });
            let (watched, shown, end) = (progress.clone(), lines.clone(), over.clone());
            let thread = std::thread::spawn(move || draw(&watched, &shown, &end));
            Drawn { lines, over, thread }
        });
        Bar { progress, drawn }
    }

    /// The counters, for the run.
    pub fn progress(&self) -> Arc<Progress> {
        self.progress.clone()
    }

    /// Does something that writes to the terminal, with the bar out of the way.
    pub fn aside(&self, body: impl FnOnce()) {
        match &self.drawn {
            Some(drawn) => {
                drawn.lines.tidy();
                drawn.lines.bar.suspend(body);
            }
            None => body(),
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        let Some(drawn) = self.drawn else { return };
        drawn.over.store(true, Ordering::Relaxed);
        drawn.thread.thread().unpark();
        let _ = drawn.thread.join();
        drawn.lines.tidy();
        drawn.lines.bar.finish_and_clear();
    }
}

fn draw(progress: &Progress, lines: &Lines, over: &AtomicBool) {
    let bar = &lines.bar;
    let begin = Instant::now();
    let mut rate = Rate::default();
    let mut length = None;
    std::thread::park_timeout(FIRST);
    while !over.load(Ordering::Relaxed) {
        let reached = progress.reached();
        rate.see(&reached, begin.elapsed().as_secs_f64());
        lines.tidy();
        lines.seen.store(true, Ordering::Relaxed);
        // a terminal can change its width at any time
        let line = Line::fitting(&reached.part.name, rate.words(&reached), width::of_stderr());
        if length != Some(line.bar) {
            length = Some(line.bar);
            bar.set_style(style(line.bar));
        }
        bar.set_prefix(line.name);
        bar.set_message(line.words);
        bar.set_position((reached.fraction * LENGTH as f64) as u64);
        std::thread::park_timeout(TICK);
    }
}

fn style(length: usize) -> ProgressStyle {
    let template = match length {
        0 => "{prefix} {percent:>3}%{msg}".to_string(),
        _ => format!("{{prefix}} {{bar:{length}}} {{percent:>3}}%{{msg}}"),
    };
    ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ ")
}

/// The parts of a line that have room in a terminal.
#[derive(Debug, PartialEq)]
struct Line {
    name: String,
    /// length of the bar; none where it is zero
    bar: usize,
    /// what follows the percentage
    words: String,
}

impl Line {
    /// Of a line that is too long first the bar is shortened, then words go from the end, then the bar, then the end of the
    /// name.
    fn fitting(name: &str, mut words: Vec<String>, width: usize) -> Line {
        // the last column is left free: a line that fills it goes on in the next one
        let room = width.saturating_sub(1);
        let told = |words: &[String]| if words.is_empty() { String::new() } else { format!("  {}", words.join(", ")) };
        let fixed = name.chars().count() + " 100%".len();
        loop {
            let text = told(&words);
            let left = room.saturating_sub(fixed + 1 + text.chars().count());
            if left >= SHORTEST || words.is_empty() {
                let bar = if left >= SHORTEST { left.min(LONGEST) } else { 0 };
                let cut = name.chars().take(room.saturating_sub(" 100%".len())).collect();
                return Line { name: cut, bar, words: text };
            }
            words.pop();
        }
    }
}

/// How fast it goes, from the moment when steps began to be counted.
#[derive(Debug, Default)]
struct Rate {
    /// seconds, steps and fraction at the first look with steps
    first: Option<(f64, u64, f64)>,
    steps_per_second: f64,
    left: Option<f64>,
}

impl Rate {
    fn see(&mut self, reached: &Reached, now: f64) {
        if reached.path_steps == 0 {
            return;
        }
        let (since, steps, fraction) = *self.first.get_or_insert((now, reached.path_steps, reached.fraction));
        let seconds = now - since;
        if seconds <= 0.0 {
            return;
        }
        self.steps_per_second = (reached.path_steps - steps) as f64 / seconds;
        let speed = (reached.fraction - fraction) / seconds;
        self.left = (speed > 0.0).then(|| (1.0 - reached.fraction) / speed);
    }

    /// What is to be told, the most important first.
    fn words(&self, reached: &Reached) -> Vec<String> {
        let mut words: Vec<String> = self.left.map(|s| format!("{} left", duration(s))).into_iter().collect();
        if reached.diverged > 0 {
            words.push(format!("{} diverged", count(reached.diverged)));
        }
        if self.steps_per_second > 0.0 {
            words.push(format!("{:.2e} path-steps/s", self.steps_per_second));
        }
        words
    }
}

/// `42 s`, `3 min 20 s`, `2 h 5 min`
fn duration(seconds: f64) -> String {
    let s = seconds.round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        assert_eq!([0.4, 42.0, 200.0, 7500.0].map(duration), ["0 s", "42 s", "3 min 20 s", "2 h 5 min"]);
    }

    #[test]
    fn the_rate_counts_from_the_first_steps() {
        let reached = |path_steps, fraction| Reached { path_steps, fraction, diverged: 2, ..Reached::default() };
        let mut rate = Rate::default();
        rate.see(&reached(0, 0.0), 1.0);
        rate.see(&reached(1000, 0.1), 2.0);
        rate.see(&reached(3000, 0.3), 4.0);
        assert_eq!(rate.words(&reached(3000, 0.3)), ["7 s left", "2 diverged", "1.00e3 path-steps/s"]);
    }

    #[test]
    fn a_line_fits_into_the_terminal() {
        let words = || vec!["7 s left".to_string(), "2 diverged".into(), "1.00e3 path-steps/s".into()];
        let whole = Line::fitting("terminal, k = 2", words(), 120);
        assert_eq!((whole.bar, whole.words.as_str()), (30, "  7 s left, 2 diverged, 1.00e3 path-steps/s"));
        let narrow = Line::fitting("terminal, k = 2", words(), 60);
        assert_eq!(narrow.words, "  7 s left, 2 diverged");
        assert_eq!(
            Line::fitting("terminal, k = 2", words(), 22),
            Line { name: "terminal, k = 2".into(), bar: 0, words: String::new() }
        );
        for width in 1..130 {
            let line = Line::fitting("terminal, k = 2", words(), width);
            let bar = if line.bar > 0 { line.bar + 1 } else { 0 };
            let long = line.name.chars().count() + bar + 5 + line.words.chars().count();
            assert!(long < width.max(6), "{width}: {line:?}");
        }
    }

    #[test]
    fn a_bar_that_is_not_shown_still_counts() {
        static STOP: AtomicBool = AtomicBool::new(false);
        let bar = Bar::watch(false, &STOP);
        let mut seen = false;
        bar.aside(|| seen = true);
        assert!(seen);
        assert_eq!(bar.progress().reached(), Reached::default());
        bar.finish();
    }
}
