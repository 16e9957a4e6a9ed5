//! A bar on stderr that shows how far a run is: from the counters of the runtime, read now and then.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::number::count;
use crate::runtime::Progress;
use crate::runtime::progress::Reached;

/// Between two looks, and before the first: what is over sooner has no bar.
const TICK: Duration = Duration::from_millis(100);
const FIRST: Duration = Duration::from_millis(300);

/// Marks of a bar.
const LENGTH: u64 = 1000;

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
            let style = ProgressStyle::with_template("{prefix} {bar:30} {percent:>3}%  {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
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
    std::thread::park_timeout(FIRST);
    while !over.load(Ordering::Relaxed) {
        let reached = progress.reached();
        rate.see(&reached, begin.elapsed().as_secs_f64());
        lines.tidy();
        lines.seen.store(true, Ordering::Relaxed);
        bar.set_prefix(reached.part.name.clone());
        bar.set_message(rate.words(&reached));
        bar.set_position((reached.fraction * LENGTH as f64) as u64);
        std::thread::park_timeout(TICK);
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

    fn words(&self, reached: &Reached) -> String {
        let mut words = Vec::new();
        if self.steps_per_second > 0.0 {
            words.push(format!("{:.2e} path-steps/s", self.steps_per_second));
        }
        words.extend(self.left.map(|s| format!("{} left", duration(s))));
        if reached.diverged > 0 {
            words.push(format!("{} diverged", count(reached.diverged)));
        }
        words.join(", ")
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
        assert_eq!(rate.words(&reached(3000, 0.3)), "1.00e3 path-steps/s, 7 s left, 2 diverged");
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
