//! Saved paths: what a file of them holds, and which writer its name asks for.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{csv, npy};
use crate::runtime::Recorded;

/// Recorded paths with the times and names of their columns.
#[derive(Clone, Debug)]
pub struct Paths<'a> {
    pub recorded: &'a Recorded,
    /// one a look
    pub times: &'a [f64],
    /// one a row of the record; see [`column_names`]
    pub columns: &'a [String],
}

/// The forms of files that can be saved, by the ending of the name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Npy,
}

impl Format {
    /// `None` for an ending that is not known.
    pub fn of(path: &Path) -> Option<Format> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "npy" => Some(Format::Npy),
            _ => None,
        }
    }
}

/// Names of the components of an expression: `x`; `x[0]`, `x[1]`; `x[0, 0]`, `x[0, 1]`.
pub fn column_names(expr: &str, shape: &[usize]) -> Vec<String> {
    (0..shape.iter().product::<usize>()).map(|k| format!("{expr}{}", subscript(shape, k))).collect()
}

/// The index of an element in brackets; nothing for a scalar.
pub fn subscript(shape: &[usize], element: usize) -> String {
    if shape.is_empty() {
        return String::new();
    }
    let mut rest = element;
    let mut index = vec![0; shape.len()];
    for (i, extent) in index.iter_mut().zip(shape).rev() {
        *i = rest % extent;
        rest /= extent;
    }
    format!("[{}]", index.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

/// An expression as a part of the name of a file: `fan(x[0])` is `fan-x-0`.
pub fn slug(expr: &str) -> String {
    let mut out = String::new();
    for c in expr.chars() {
        match c {
            _ if c.is_alphanumeric() || c == '_' || c == '.' => out.push(c),
            _ if !out.ends_with('-') => out.push('-'),
            _ => {}
        }
    }
    let short: String = out.trim_matches('-').chars().take(60).collect();
    short.trim_end_matches('-').to_string()
}

/// Writes a file, making its folder where needed.
pub fn save(path: &Path, format: Format, paths: &Paths<'_>) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::new(File::create(path)?);
    match format {
        Format::Csv => csv::write(&mut out, paths)?,
        Format::Npy => {
            let r = paths.recorded;
            npy::write(&mut out, &[r.paths.len(), r.looks, r.rows], &r.values)?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_named_by_index() {
        assert_eq!(column_names("x", &[]), ["x"]);
        assert_eq!(column_names("x", &[2]), ["x[0]", "x[1]"]);
        assert_eq!(column_names("m", &[2, 2]), ["m[0, 0]", "m[0, 1]", "m[1, 0]", "m[1, 1]"]);
        assert!(column_names("e", &[0]).is_empty());
    }

    #[test]
    fn expressions_make_names_of_files() {
        assert_eq!(slug("fan(x[0])"), "fan-x-0");
        assert_eq!(slug("histogram(x^2 + 1.5, bins = 20)"), "histogram-x-2-1.5-bins-20");
        assert_eq!(slug("((("), "");
    }

    #[test]
    fn formats_go_by_the_ending() {
        assert_eq!(Format::of(Path::new("a/b.CSV")), Some(Format::Csv));
        assert_eq!(Format::of(Path::new("b.npy")), Some(Format::Npy));
        assert_eq!(Format::of(Path::new("b.parquet")), None);
        assert_eq!(Format::of(Path::new("csv")), None);
    }

    #[test]
    fn files_are_written_in_new_folders() {
        let folder = std::env::temp_dir().join(format!("fokker-save-{}", std::process::id()));
        let recorded = Recorded { paths: vec![0], looks: 1, rows: 1, values: vec![2.5] };
        let columns = column_names("x", &[]);
        let paths = Paths { recorded: &recorded, times: &[0.5], columns: &columns };
        let (csv, npy) = (folder.join("deep/x.csv"), folder.join("deep/x.npy"));
        save(&csv, Format::Csv, &paths).expect("a file");
        save(&npy, Format::Npy, &paths).expect("a file");
        assert_eq!(std::fs::read_to_string(&csv).expect("text"), "path,t,x\n0,0.5,2.5\n");
        assert_eq!(npy::read(&std::fs::read(&npy).expect("bytes")).expect("an array"), (vec![1, 1, 1], vec![2.5]));
        assert!(save(&csv.join("below"), Format::Csv, &paths).is_err(), "a file is no folder");
        std::fs::remove_dir_all(&folder).expect("cleaned up");
    }
}
