//! Data from CSV files: what `csv(...)` gives.
//!
//! A file has a header that names its columns, and rows of as many cells. The chosen columns hold finite numbers.

use std::collections::{BTreeMap, HashMap};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::diagnostics::{Diagnostic, Res, codes, suggest};
use crate::model::call::plural;
use crate::source::{Span, files};

/// The columns that a program asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selection {
    /// `csv(path)`: a matrix
    All,
    /// `column = "a"`: a vector
    One(String),
    /// `columns = "a" .. "b"`: a matrix of neighbouring columns, both ends included
    Range(String, String),
}

/// A call of `csv` with the places of its arguments.
#[derive(Clone, Debug)]
pub struct Request {
    /// the path as written
    pub shown: String,
    /// the path from which it is read
    pub path: PathBuf,
    pub path_span: Span,
    pub selection: Selection,
    /// where the columns are chosen; that of the path for all of them
    pub selection_span: Span,
}

/// Numbers in row-major order: `[n]` for one column, else `[n, k]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Data {
    pub shape: Vec<usize>,
    pub values: Arc<[f64]>,
}

/// What was read, by path and selection.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    data: HashMap<(PathBuf, Selection), Data>,
    /// BLAKE3 of every file that was read, in hexadecimal
    pub hashes: BTreeMap<PathBuf, String>,
}

impl Cache {
    /// The data of a request, read once. Errors: E0601 to E0605.
    pub fn load(&mut self, request: &Request) -> Res<Data> {
        let key = (request.path.clone(), request.selection.clone());
        if let Some(data) = self.data.get(&key) {
            return Ok(data.clone());
        }
        let bytes = files::read(&request.path).map_err(|e| Box::new(unreadable(request, &e)))?;
        let data = parse(&bytes, request)?;
        self.hashes.insert(request.path.clone(), blake3::hash(&bytes).to_hex().to_string());
        self.data.insert(key, data.clone());
        Ok(data)
    }
}

fn unreadable(request: &Request, error: &std::io::Error) -> Diagnostic {
    let message = format!("cannot read `{}`", request.shown);
    let path = request.path.display();
    if error.kind() != ErrorKind::NotFound {
        return Diagnostic::error(codes::FILE_NOT_FOUND, message, request.path_span, "this file")
            .note(format!("`{path}`: {error}"));
    }
    let d = Diagnostic::error(codes::FILE_NOT_FOUND, message, request.path_span, "no such file")
        .note(format!("looked for `{path}`: paths start from the folder of the program"));
    let folder = request.path.parent().unwrap_or(Path::new(""));
    let names = files::names_in(folder);
    let wanted = request.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let near = suggest(&wanted, names.iter().map(String::as_str));
    let tables: Vec<&str> = names.iter().map(String::as_str).filter(|n| n.to_lowercase().ends_with(".csv")).collect();
    if !near.is_empty() {
        let folder = request.shown.rfind('/').map_or("", |i| &request.shown[..i + 1]);
        let help = d.help(format!("did you mean {}?", quoted(&near)));
        near.iter().fold(help, |d, name| d.instead(request.path_span, format!("\"{folder}{name}\"")))
    } else if !tables.is_empty() {
        d.help(format!("the folder has {}", quoted(&tables)))
    } else {
        d
    }
}

/// Reads the text of a file.
fn parse(bytes: &[u8], request: &Request) -> Res<Data> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some(line) = open_quote(bytes) {
        let message = format!("a quote in line {line} of `{}` is never closed", request.shown);
        let d = Diagnostic::error(codes::BAD_CELL, message, request.path_span, "this file");
        let d = d.note("a cell that begins with a quote goes on, over commas and lines, to the next one");
        return Err(Box::new(d.help("close it, or double a quote that is meant as such")));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(bytes);
    let mut rows = reader.records();
    let header = match rows.next() {
        Some(header) => header.map_err(|e| malformed(request, &e))?,
        None => return Err(empty(request, "the file is empty")),
    };
    let names: Vec<&str> = header.iter().collect();
    if let [only] = names[..]
        && let Some(mark) = only.chars().find(|c| matches!(c, ';' | '\t'))
    {
        return Err(other_separator(request, mark));
    }
    let chosen = choose(request, &names)?;
    let mut values = Vec::new();
    let mut count = 0;
    for row in rows {
        let row = row.map_err(|e| malformed(request, &e))?;
        if row.len() != names.len() {
            return Err(ragged(request, line(bytes, &row), row.len(), names.len()));
        }
        for k in chosen.clone() {
            values.push(number(&row[k]).map_err(|why| bad_cell(request, line(bytes, &row), names[k], &why))?);
        }
        count += 1;
    }
    if count == 0 {
        return Err(empty(request, "there is a header, but no row below it"));
    }
    let shape = match request.selection {
        Selection::One(_) => vec![count],
        _ => vec![count, chosen.len()],
    };
    Ok(Data { shape, values: values.into() })
}

/// The line of a quote that opens a cell and is not closed before the text ends.
fn open_quote(bytes: &[u8]) -> Option<usize> {
    let (mut line, mut open, mut starts) = (1, None, true);
    let mut rest = bytes.iter().peekable();
    while let Some(byte) = rest.next() {
        line += usize::from(*byte == b'\n');
        match (byte, open) {
            (b'"', Some(_)) if rest.peek() == Some(&&b'"') => {
                rest.next();
            }
            (b'"', Some(_)) => open = None,
            (b'"', None) if starts => open = Some(line),
            _ => {}
        }
        starts = matches!(byte, b',' | b'\n' | b'\r');
    }
    open
}

/// The chosen columns.
fn choose(request: &Request, names: &[&str]) -> Res<std::ops::Range<usize>> {
    match &request.selection {
        Selection::All if names.iter().all(|n| n.parse::<f64>().is_ok()) => Err(Box::new(
            Diagnostic::error(
                codes::MISSING_COLUMN,
                format!("the columns of `{}` have no names", request.shown),
                request.path_span,
                "its first line is numbers",
            )
            .note("the first line of a data file names its columns, and would be lost here")
            .help("put a line of names before the numbers"),
        )),
        Selection::All => Ok(0..names.len()),
        Selection::One(name) => {
            let k = column(request, names, name)?;
            Ok(k..k + 1)
        }
        Selection::Range(first, last) => {
            let (a, b) = (column(request, names, first)?, column(request, names, last)?);
            if a <= b {
                return Ok(a..b + 1);
            }
            let message = format!("column `{first}` stands after `{last}` in `{}`", request.shown);
            let label = "from the first to the last, in the order of the file";
            Err(Box::new(
                Diagnostic::error(codes::MISSING_COLUMN, message, request.selection_span, label)
                    .help(format!("write \"{last}\" .. \"{first}\""))
                    .instead(request.selection_span, format!("\"{last}\" .. \"{first}\"")),
            ))
        }
    }
}

fn column(request: &Request, names: &[&str], name: &str) -> Res<usize> {
    let mut places = (0..names.len()).filter(|k| names[*k] == name);
    let (first, second) = (places.next(), places.next());
    let error =
        |message: String, label: &str| Diagnostic::error(codes::MISSING_COLUMN, message, request.selection_span, label);
    match (first, second) {
        (Some(k), None) => Ok(k),
        (Some(_), Some(_)) => {
            let message = format!("two columns of `{}` are called `{name}`", request.shown);
            Err(Box::new(error(message, "which of them is meant?").help("give the columns different names")))
        }
        _ => {
            let d = error(format!("`{}` has no column `{name}`", request.shown), "no such column")
                .note(format!("its columns are {}", quoted(names)));
            let near = suggest(name, names.iter().copied());
            if near.is_empty() {
                return Err(Box::new(d));
            }
            let d = d.help(format!("did you mean {}?", quoted(&near)));
            let one = matches!(request.selection, Selection::One(_));
            let change = |d: Diagnostic, name: &&str| d.instead(request.selection_span, format!("\"{name}\""));
            Err(Box::new(if one { near.iter().fold(d, change) } else { d }))
        }
    }
}

/// The line of the file that a row begins in. The reader's own count stops before empty lines.
fn line(bytes: &[u8], row: &csv::StringRecord) -> usize {
    let mut start = row.position().map_or(0, |p| p.byte() as usize);
    while bytes.get(start).is_some_and(|b| matches!(b, b'\r' | b'\n')) {
        start += 1;
    }
    bytes[..start].iter().filter(|b| **b == b'\n').count() + 1
}

/// The number in a cell, or what is wrong with it.
fn number(cell: &str) -> Result<f64, String> {
    match cell.parse::<f64>() {
        Ok(x) if x.is_finite() => Ok(x),
        Ok(_) => Err(format!("`{cell}` is not a finite number")),
        Err(_) if cell.is_empty() => Err("a cell is empty".to_string()),
        Err(_) => Err(format!("`{cell}` is not a number")),
    }
}

fn bad_cell(request: &Request, line: usize, column: &str, why: &str) -> Box<Diagnostic> {
    let message = format!("line {line}, column `{column}` of `{}`: {why}", request.shown);
    Box::new(
        Diagnostic::error(codes::BAD_CELL, message, request.path_span, "in this file")
            .help("data are finite numbers; take rows with missing values out of the file, or choose other columns"),
    )
}

/// A header that would be several names with another mark between them.
fn other_separator(request: &Request, mark: char) -> Box<Diagnostic> {
    let mark = if mark == ';' { "semicolons" } else { "tabs" };
    let message = format!("`{}` has {mark} between its cells", request.shown);
    Box::new(
        Diagnostic::error(codes::MISSING_COLUMN, message, request.path_span, "its header is one name")
            .note("the cells of a data file have commas between them, and numbers a decimal point")
            .help("save the file with commas"),
    )
}

fn ragged(request: &Request, line: usize, cells: usize, names: usize) -> Box<Diagnostic> {
    let message = format!("line {line} of `{}` has {cells} cell{}, its header {names}", request.shown, plural(cells));
    Box::new(
        Diagnostic::error(codes::RAGGED, message, request.path_span, "in this file")
            .note("every row has one cell for each column, with commas between them"),
    )
}

fn empty(request: &Request, label: &str) -> Box<Diagnostic> {
    let message = format!("`{}` has no data", request.shown);
    Box::new(Diagnostic::error(codes::EMPTY_DATA, message, request.path_span, label))
}

fn malformed(request: &Request, error: &csv::Error) -> Box<Diagnostic> {
    let line = error.position().map_or(String::new(), |p| format!(", line {}", p.line()));
    let why = match error.kind() {
        csv::ErrorKind::Utf8 { .. } => "it is not UTF-8 text".to_string(),
        _ => error.to_string(),
    };
    let message = format!("cannot read `{}`", request.shown);
    Box::new(
        Diagnostic::error(codes::FILE_NOT_FOUND, message, request.path_span, "this file").note(format!("{why}{line}")),
    )
}

/// Names in a sentence, not too many.
fn quoted(names: &[&str]) -> String {
    const MOST: usize = 12;
    let mut text: Vec<String> = names.iter().take(MOST).map(|n| format!("`{n}`")).collect();
    if names.len() > MOST {
        text.push(format!("and {} more", names.len() - MOST));
    }
    text.join(", ")
}

#[cfg(test)]
mod tests;
