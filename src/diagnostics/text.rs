//! Sentences in lines that a terminal shows whole.

/// Columns of a line, at most.
pub const COLUMNS: usize = 90;

/// A text in lines of at most [`COLUMNS`], of which those after the first begin with `indent` spaces; the first begins in
/// that column too, after something that is written there. Programs between backticks stay on one line.
pub fn filled(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in words(text) {
        let length = word.chars().count();
        if column > indent && column + 1 + length > COLUMNS {
            out += &format!("\n{}", " ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out += &word;
        column += length;
    }
    out
}

/// The words of a text; what stands between backticks is one.
fn words(text: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for word in text.split_whitespace() {
        match all.last_mut().filter(|_| open) {
            Some(last) => *last += &format!(" {word}"),
            None => all.push(word.to_string()),
        }
        open ^= word.matches('`').count() % 2 == 1;
    }
    all
}

/// The paragraphs of a text filled anew, all lines behind so many spaces. Lines that are indented are programs, and stay.
pub fn paragraphs(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let mut out = String::new();
    let mut open: Vec<&str> = Vec::new();
    let close = |open: &mut Vec<&str>, out: &mut String| {
        if !open.is_empty() {
            *out += &format!("{margin}{}\n", filled(&std::mem::take(open).join(" "), indent));
        }
    };
    for line in text.trim_end().lines() {
        if line.trim().is_empty() || line.starts_with("    ") {
            close(&mut open, &mut out);
            out += format!("{margin}{line}").trim_end();
            out.push('\n');
        } else {
            open.push(line.trim());
        }
    }
    close(&mut open, &mut out);
    out
}

/// Each line of a text filled by itself.
pub fn lines(text: &str, indent: usize) -> String {
    text.trim_end().lines().map(|line| if line.is_empty() { "\n".into() } else { paragraphs(line, indent) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_short_and_lose_no_word() {
        let text = "a word and another ".repeat(30);
        let out = filled(&text, 20);
        assert!(out.lines().skip(1).all(|l| l.chars().count() <= COLUMNS && l.starts_with(&" ".repeat(20))));
        assert!(out.lines().next().is_some_and(|l| l.chars().count() + 20 <= COLUMNS));
        assert_eq!(out.split_whitespace().collect::<Vec<_>>(), text.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn programs_stay_as_they_are() {
        let text = "One\ntwo.\n\nwrong:\n    model m() { }\n\nThe end";
        assert_eq!(paragraphs(text, 2), "  One two.\n\n  wrong:\n      model m() { }\n\n  The end\n");
        assert_eq!(lines("One\n\ntwo", 1), " One\n\n two\n");
        assert_eq!(words("write `a b`, or `c`"), ["write", "`a b`,", "or", "`c`"]);
    }
}
