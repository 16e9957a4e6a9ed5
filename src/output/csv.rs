//! Paths as text, one line a path and time.

use std::io::{self, Write};

use super::number::exact;
use super::paths::Paths;

/// Writes `path, t, ...` in long form, with a header. Numbers read back to the same bits.
pub fn write(out: &mut impl Write, paths: &Paths<'_>) -> io::Result<()> {
    let r = paths.recorded;
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["path", "t"].into_iter().chain(paths.columns.iter().map(String::as_str)))?;
    let mut record = csv::StringRecord::new();
    for (k, path) in r.paths.iter().enumerate() {
        for (look, t) in paths.times.iter().enumerate() {
            let from = (k * r.looks + look) * r.rows;
            record.clear();
            record.push_field(&path.to_string());
            record.push_field(&exact(*t));
            r.values[from..from + r.rows].iter().for_each(|x| record.push_field(&exact(*x)));
            writer.write_record(&record)?;
        }
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use super::super::paths::column_names;
    use super::*;
    use crate::runtime::Recorded;

    #[test]
    fn long_form_with_quoted_names() {
        let values = vec![1.0, 0.1, 2.0, 1e-7, f64::NAN, f64::INFINITY, 4.0, -0.5];
        let recorded = Recorded { paths: vec![3, 5], looks: 2, rows: 2, values };
        let columns: Vec<String> = column_names("x", &[]).into_iter().chain(column_names("m", &[1, 1])).collect();
        let mut text = Vec::new();
        write(&mut text, &Paths { recorded: &recorded, times: &[0.0, 0.1], columns: &columns }).expect("written");
        let want = "path,t,x,\"m[0, 0]\"\n3,0,1,0.1\n3,0.1,2,1e-7\n5,0,nan,inf\n5,0.1,4,-0.5\n";
        assert_eq!(String::from_utf8(text).expect("text"), want);
    }
}
