//! Colours: the only file that knows them.

/// Whether to colour.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Colour {
    /// if the output is a terminal and `NO_COLOR` is not set
    #[default]
    Auto,
    Always,
    Never,
}

/// How to mark up text on its way to a reader.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Style {
    coloured: bool,
}

impl Style {
    pub fn new(choice: Colour, terminal: bool) -> Style {
        let wanted = match choice {
            Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
            Colour::Always => true,
            Colour::Never => false,
        };
        Style { coloured: wanted }
    }

    /// Plain text.
    pub const PLAIN: Style = Style { coloured: false };

    pub fn is_coloured(self) -> bool {
        self.coloured
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    pub fn heading(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Of less importance.
    pub fn faint(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub fn good(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub fn bad(self, text: &str) -> String {
        self.wrap("1;31", text)
    }

    /// A word of the language.
    pub fn keyword(self, text: &str) -> String {
        self.wrap("35", text)
    }

    /// A name that the language or the library gives.
    pub fn known(self, text: &str) -> String {
        self.wrap("36", text)
    }

    pub fn number(self, text: &str) -> String {
        self.wrap("34", text)
    }

    pub fn text(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub fn prompt(self, text: &str) -> String {
        self.wrap("1;36", text)
    }

    pub fn warning(self, text: &str) -> String {
        self.wrap("33", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(Style::PLAIN.bad("no"), "no");
        assert_eq!(Style::new(Colour::Never, true), Style::PLAIN);
        assert_eq!(Style::new(Colour::Auto, false), Style::PLAIN);
        assert_eq!(Style::new(Colour::Always, false).good("ok"), "\x1b[32mok\x1b[0m");
        assert_eq!(Style::new(Colour::Always, false).good(""), "");
    }
}
