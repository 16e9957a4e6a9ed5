use super::*;
use crate::source::FileId;

fn request(selection: Selection) -> Request {
    Request {
        shown: "some.csv".into(),
        path: PathBuf::from("folder/some.csv"),
        path_span: Span::new(FileId(0), 10, 20),
        selection,
        selection_span: Span::new(FileId(0), 22, 30),
    }
}

fn one(name: &str) -> Request {
    request(Selection::One(name.into()))
}

const TABLE: &str = "a, b ,c,label\n1,2.5,-3e2,yes\n4,5,6,\"no, never\"\n";

fn fails(text: &str, request: &Request) -> Diagnostic {
    *parse(text.as_bytes(), request).expect_err("an error")
}

#[test]
fn one_column_is_a_vector() {
    let data = parse(TABLE.as_bytes(), &one("b")).expect("a column");
    assert_eq!(data, Data { shape: vec![2], values: Arc::from([2.5, 5.0]) });
}

#[test]
fn neighbouring_columns_are_a_matrix() {
    let data = parse(TABLE.as_bytes(), &request(Selection::Range("b".into(), "c".into()))).expect("two columns");
    assert_eq!(data, Data { shape: vec![2, 2], values: Arc::from([2.5, -300.0, 5.0, 6.0]) });
    let data = parse(TABLE.as_bytes(), &request(Selection::Range("a".into(), "a".into()))).expect("one column");
    assert_eq!(data.shape, [2, 1]);
}

#[test]
fn all_columns_with_a_byte_order_mark_and_other_line_ends() {
    let data = parse("\u{feff}x,y\r\n1,2\r\n\r\n3,4\r\n".as_bytes(), &request(Selection::All)).expect("all columns");
    assert_eq!(data, Data { shape: vec![2, 2], values: Arc::from([1.0, 2.0, 3.0, 4.0]) });
    let d = fails("0.5,1\n1,0\n", &request(Selection::All));
    assert_eq!(d.code, codes::MISSING_COLUMN);
    assert!(d.message.contains("have no names"));
}

#[test]
fn a_missing_column_names_the_others() {
    let d = fails("radius,texture\n1,2\n", &one("radus"));
    assert_eq!((d.code, d.labels[0].span), (codes::MISSING_COLUMN, Span::new(FileId(0), 22, 30)));
    assert_eq!(d.message, "`some.csv` has no column `radus`");
    assert_eq!(d.notes, ["its columns are `radius`, `texture`"]);
    assert_eq!(d.help.as_deref(), Some("did you mean `radius`?"));
    let d = fails(TABLE, &request(Selection::Range("c".into(), "a".into())));
    assert_eq!(d.code, codes::MISSING_COLUMN);
    assert_eq!(d.help.as_deref(), Some("write \"a\" .. \"c\""));
    assert!(fails("a,b,a\n1,2,3\n", &one("a")).message.contains("two columns"));
}

#[test]
fn a_bad_cell_is_named_by_line_and_column() {
    let d = fails(TABLE, &one("label"));
    assert_eq!(d.code, codes::BAD_CELL);
    assert_eq!(d.message, "line 2, column `label` of `some.csv`: `yes` is not a number");
    // a cell over two lines moves the rows below it
    let d = fails("a,b\n1,\"x\ny\"\n\n,2\n", &one("a"));
    assert_eq!(d.message, "line 5, column `a` of `some.csv`: a cell is empty");
    for bad in ["NaN", "inf", "-Infinity", "1e999"] {
        let d = fails(&format!("a\n1\n{bad}\n"), &one("a"));
        assert_eq!(d.message, format!("line 3, column `a` of `some.csv`: `{bad}` is not a finite number"));
    }
    // other columns may hold anything
    assert!(parse(b"a,b\n1,?\n", &one("a")).is_ok());
}

#[test]
fn rows_have_the_length_of_the_header() {
    let d = fails("a,b\n1,2\n3\n", &one("a"));
    assert_eq!(d.code, codes::RAGGED);
    assert_eq!(d.message, "line 3 of `some.csv` has 1 cell, its header 2");
    assert_eq!(fails("a,b\n1,2,3\n", &one("a")).code, codes::RAGGED);
}

#[test]
fn files_without_data() {
    assert_eq!(fails("", &one("a")).code, codes::EMPTY_DATA);
    assert_eq!(fails("\n\n", &one("a")).code, codes::EMPTY_DATA);
    let d = fails("a,b\n", &one("a"));
    assert_eq!((d.code, d.labels[0].text.as_str()), (codes::EMPTY_DATA, "there is a header, but no row below it"));
}

#[test]
fn text_that_is_not_utf8() {
    let d = parse(b"a\n\xff\xfe\n", &one("a")).expect_err("an error");
    assert_eq!(d.code, codes::FILE_NOT_FOUND);
    assert!(d.notes[0].contains("UTF-8"));
}

/// A folder of its own, taken away at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("fokker-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.join(name), text).expect("a file");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_missing_file_names_its_neighbours() {
    let folder = Folder::new("missing");
    folder.write("breast_cancer.csv", "a\n1\n");
    folder.write("notes.txt", "");
    let ask = |name: &str| {
        let r = Request { shown: name.into(), path: folder.0.join(name), ..one("a") };
        Cache::default().load(&r).expect_err("no such file")
    };
    let d = ask("brest_cancer.csv");
    assert_eq!((d.code, d.message.as_str()), (codes::FILE_NOT_FOUND, "cannot read `brest_cancer.csv`"));
    assert_eq!(d.help.as_deref(), Some("did you mean `breast_cancer.csv`?"));
    assert_eq!(ask("other").help.as_deref(), Some("the folder has `breast_cancer.csv`"));
    // a folder in place of a file
    let r = Request { shown: "here".into(), path: folder.0.clone(), ..one("a") };
    assert_eq!(Cache::default().load(&r).expect_err("a folder").code, codes::FILE_NOT_FOUND);
}

#[test]
fn a_file_is_read_once_for_each_selection() {
    let folder = Folder::new("cache");
    folder.write("d.csv", "a,b\n1,2\n");
    let ask = |name: &str| Request { path: folder.0.join("d.csv"), ..one(name) };
    let mut cache = Cache::default();
    let first = cache.load(&ask("a")).expect("a column");
    folder.write("d.csv", "a,b\n3,4\n");
    let again = cache.load(&ask("a")).expect("a column");
    assert!(Arc::ptr_eq(&first.values, &again.values));
    assert_eq!(*cache.load(&ask("b")).expect("a column").values, [4.0]);
}

/// Diagnostics and value of a `csv` call in a program that lies in the folder.
fn called(folder: &Folder, text: &str) -> (Vec<Diagnostic>, Option<Data>) {
    use crate::math::Node;
    use crate::model::elab::Elab;
    use crate::model::library::Library;
    use crate::model::value::Value;
    use crate::source::{SourceFile, SourceMap};
    let mut sources = SourceMap::default();
    let path = Some(folder.0.join("program.sde"));
    let file = sources.add(SourceFile { name: "program.sde".into(), text: text.into(), path, library: false });
    let library = Library::default();
    let mut elab = Elab::new(&library, &sources);
    let scope = elab.root_scope(false);
    let expr = crate::syntax::parse_expr(file, text).expect("an expression");
    let data = match elab.expr(&expr, &scope) {
        Ok(Value::Num(id)) => match elab.g.node(id) {
            Node::Data(d) => {
                let info = elab.g.data_info(*d);
                Some(Data { shape: info.shape.clone(), values: info.values.clone() })
            }
            _ => None,
        },
        _ => None,
    };
    (elab.diagnostics, data)
}

#[test]
fn calls_in_a_program() {
    let folder = Folder::new("calls");
    folder.write("d.csv", "a,b,c\n1,2,3\n4,5,6\n");
    let (problems, data) = called(&folder, r#"csv("d.csv", columns = "b" .. "c")"#);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(data, Some(Data { shape: vec![2, 2], values: Arc::from([2.0, 3.0, 5.0, 6.0]) }));
    let (_, data) = called(&folder, r#"csv("d.csv", column = "a")"#);
    assert_eq!(data, Some(Data { shape: vec![2], values: Arc::from([1.0, 4.0]) }));
    let (_, data) = called(&folder, r#"csv("d.csv")"#);
    assert_eq!(data.map(|d| d.shape), Some(vec![2, 3]));
    for (text, code) in [
        (r#"csv()"#, codes::MISSING_ARGUMENT),
        (r#"csv("d.csv", "a")"#, codes::TOO_MANY_ARGUMENTS),
        (r#"csv(3)"#, codes::TYPE_MISMATCH),
        (r#"csv("d.csv", column = 1)"#, codes::TYPE_MISMATCH),
        (r#"csv("d.csv", columns = "a")"#, codes::TYPE_MISMATCH),
        (r#"csv("d.csv", columns = 0 .. 2)"#, codes::TYPE_MISMATCH),
        (r#"csv("d.csv", colum = "a")"#, codes::UNKNOWN_ARGUMENT),
        (r#"csv("d.csv", column = "x")"#, codes::MISSING_COLUMN),
        (r#"csv("e.csv", column = "x")"#, codes::FILE_NOT_FOUND),
    ] {
        let (problems, data) = called(&folder, text);
        assert_eq!(problems.iter().map(|d| d.code).collect::<Vec<_>>(), [code], "{text}");
        assert_eq!(data, None);
        let span = problems[0].labels[0].span;
        assert!(span.end as usize <= text.len() && span.start < span.end, "{text}: {span:?}");
    }
}
