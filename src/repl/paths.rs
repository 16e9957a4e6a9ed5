//! Whole paths that a run kept, as a table.

use crate::output::number::{counted, plain};
use crate::output::table::aligned;
use crate::session::keep::Kept;

/// Rows of whole paths that are shown, and paths.
const SHOWN_TIMES: usize = 11;
const SHOWN_PATHS: usize = 4;
/// Values of paths that are shown, each in a table of its own.
const SHOWN_COLUMNS: usize = 4;

/// The times that are shown, by their places among those that were kept: so many in all, spread evenly, and the last.
fn times(kept: &Kept) -> Vec<usize> {
    let looks = kept.times.len();
    let stride = looks.div_ceil(SHOWN_TIMES - 1).max(1);
    let mut times: Vec<usize> = (0..looks).step_by(stride).collect();
    if times.last() != Some(&(looks - 1)) {
        times.push(looks - 1);
    }
    times
}

fn has_paths(kept: &Kept) -> bool {
    !kept.whole.paths.is_empty() && kept.is_in_time()
}

/// A few whole paths as a table.
pub fn table(key: &str, kept: &Kept) -> String {
    if !has_paths(kept) {
        return format!("{key} kept no whole paths\n");
    }
    let (looks, rows) = (kept.times.len(), kept.whole.rows);
    let shown = kept.whole.paths.len().min(SHOWN_PATHS);
    let mut text = String::new();
    for (row, column) in kept.columns().iter().enumerate().take(SHOWN_COLUMNS) {
        let mut lines: Vec<[String; SHOWN_PATHS + 1]> = vec![Default::default()];
        lines[0][0] = "t".into();
        for k in 0..shown {
            lines[0][k + 1] = format!("{column} of path {}", kept.whole.paths[k]);
        }
        for look in times(kept) {
            let mut line: [String; SHOWN_PATHS + 1] = Default::default();
            line[0] = plain(kept.times[look]);
            for k in 0..shown {
                line[k + 1] = plain(kept.whole.values[(k * looks + look) * rows + row]);
            }
            lines.push(line);
        }
        text += &aligned(&lines);
    }
    text
}

/// What a table leaves out, and where to see it; nothing where there are no paths.
pub fn left_out(key: &str, kept: &Kept) -> Option<String> {
    if !has_paths(kept) {
        return None;
    }
    let columns = kept.columns();
    let part = |shown: usize, all: usize, what: &str| match shown < all {
        true => format!("{shown} of {}", counted(all as u64, what)),
        false => counted(all as u64, what),
    };
    let paths = kept.whole.paths.len();
    let mut parts =
        vec![part(SHOWN_PATHS.min(paths), paths, "path"), part(times(kept).len(), kept.times.len(), "time")];
    if columns.len() > SHOWN_COLUMNS {
        parts.push(part(SHOWN_COLUMNS, columns.len(), "value"));
    }
    let name = kept.names.first().map_or("x", |n| n.0.as_str());
    Some(format!("{}; `:plot paths({key}.{name})` draws them all", parts.join(", ")))
}
