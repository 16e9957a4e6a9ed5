//! Pieces of HTML.

/// Text with the signs that HTML reads as its own made literal.
pub(super) fn text(plain: &str) -> String {
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Text as it stands in a program; nothing where it is empty.
pub(super) fn code(plain: &str) -> String {
    if plain.is_empty() { String::new() } else { format!("<code>{}</code>", text(plain)) }
}

/// A table in a box that scrolls where it is too wide; cells are HTML. Columns that are empty throughout are left out, and a
/// head without words.
pub(super) fn table<H: AsRef<str>>(head: &[H], rows: &[Vec<String>]) -> String {
    let used: Vec<usize> = (0..head.len()).filter(|k| rows.iter().any(|r| !r[*k].is_empty())).collect();
    let line = |cells: Vec<&str>, tag: &str| {
        format!("<tr>{}</tr>\n", cells.iter().map(|c| format!("<{tag}>{c}</{tag}>")).collect::<String>())
    };
    let titles: Vec<&str> = used.iter().map(|k| head[*k].as_ref()).collect();
    let mut out = String::from("<div class=\"table\"><table>\n");
    if titles.iter().any(|t| !t.is_empty()) {
        out += &format!("<thead>{}</thead>\n", line(titles, "th"));
    }
    out += "<tbody>\n";
    rows.iter().for_each(|r| out += &line(used.iter().map(|k| r[*k].as_str()).collect(), "td"));
    out + "</tbody>\n</table></div>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_columns_and_heads_are_left_out() {
        let row = |cells: [&str; 3]| cells.map(String::from).to_vec();
        let rows = [row(["a", "", "1"]), row(["b", "", "2"])];
        let shown = table(&["name", "index", "value"], &rows);
        assert!(shown.contains("<th>name</th><th>value</th>") && !shown.contains("index"));
        assert!(!table(&["", "", ""], &rows).contains("thead"));
    }
}
