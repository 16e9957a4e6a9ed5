//! References to the literature, as the documentation of the library writes them: `Neal, Ann. Stat. 31 (2003) 705`.

use crate::output::titles::title;

/// A reference, in parts where they can be told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// as it is written
    pub text: String,
    pub authors: Vec<String>,
    /// a journal, the title of a book, or a conference
    pub venue: String,
    pub volume: String,
    pub publisher: String,
    pub year: String,
    pub pages: String,
}

/// Parts of a work that a reference may end in: they are no part of the work's own entry.
const PLACES: [&str; 6] = [", section ", ", chapter ", ", equation", ", appendix ", ", definition ", ", algorithm "];

/// The references in a text: sentences, or parts of them between semicolons, that have a year.
pub fn references(doc: &str) -> Vec<Reference> {
    let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
    let pieces = sentences(&doc).into_iter().flat_map(|s| s.split("; ").collect::<Vec<_>>());
    pieces.filter_map(|piece| Reference::of(piece.trim_end_matches('.').trim())).collect()
}

/// A stop ends a sentence after a word that begins small, a digit or a bracket: other stops are those of abbreviations.
fn sentences(text: &str) -> Vec<&str> {
    let (mut all, mut start) = (Vec::new(), 0);
    for (at, _) in text.match_indices(". ") {
        let word = text[start..at].rsplit([' ', '(']).next().unwrap_or_default();
        let ends = word.starts_with(|c: char| c.is_lowercase() || c.is_ascii_digit()) || word.ends_with([')', '`']);
        let begins = text[at + 2..].starts_with(|c: char| c.is_uppercase() || c == '`');
        if ends && begins && word != "al" {
            all.push(&text[start..at]);
            start = at + 2;
        }
    }
    all.push(&text[start..]);
    all
}

impl Reference {
    /// A reference, if there is a year in brackets, or the number of a preprint.
    pub fn of(text: &str) -> Option<Reference> {
        let text = match text.split_once(": ") {
            // what it is the reference of
            Some((label, rest)) if label.starts_with(char::is_lowercase) && !label.contains(',') => rest,
            _ => text,
        };
        let mut reference = Reference { text: text.to_string(), ..Reference::default() };
        let work = PLACES.iter().filter_map(|p| text.find(p)).min().map_or(text, |at| &text[..at]);
        let Some((before, inside, after)) = bracket_with_year(work) else {
            let (_, number) = work.split_once("arXiv:")?;
            (reference.authors, reference.venue) = (authors(work).0, format!("arXiv:{number}"));
            return Some(reference);
        };
        let (names, rest) = authors(before);
        reference.authors = names;
        reference.year = inside[inside.len() - 4..].to_string();
        reference.publisher = inside[..inside.len() - 4].trim().to_string();
        reference.pages =
            after.trim_start().trim_end_matches(',').split(' ').next().unwrap_or_default().trim_end_matches(',').into();
        let numeric = |w: &str| w.chars().all(|c| c.is_ascii_digit());
        (reference.venue, reference.volume) = match rest.rsplit_once(' ') {
            Some((venue, volume)) if numeric(volume) && reference.publisher.is_empty() => (venue.into(), volume.into()),
            _ => (rest.into(), String::new()),
        };
        Some(reference)
    }

    /// The conferences go by their letters (`NeurIPS`), or are proceedings.
    fn is_of_a_conference(&self) -> bool {
        let word = self.venue.split(' ').next().unwrap_or_default();
        let letters = word.chars().filter(char::is_ascii_uppercase).count() >= 3;
        self.volume.is_empty() && (letters || word == "Proc." || self.venue.contains("Conf"))
    }

    /// What two references to one work have in common.
    pub fn work(&self) -> (Vec<String>, String, String, String) {
        (self.authors.clone(), self.venue.clone(), self.year.clone(), self.pages.clone())
    }

    /// `neal2003`
    pub fn key(&self) -> String {
        let name = self.authors.first().map_or("anonymous", String::as_str);
        let last = name.rsplit(' ').next().unwrap_or(name);
        let plain = last.to_lowercase().chars().map(plain_letter).collect::<String>();
        plain + &self.year
    }

    /// As an entry of BibTeX; the reference as it is written stands in the note.
    pub fn bibtex(&self, key: &str) -> String {
        let title = title(self).unwrap_or_default();
        let within = self.venue.strip_prefix("in ");
        let (kind, venue) = match () {
            _ if within.is_some() && !title.is_empty() => ("incollection", "booktitle"),
            _ if !self.publisher.is_empty() => ("book", "title"),
            _ if self.venue.is_empty() || self.venue.starts_with("arXiv") => ("misc", "howpublished"),
            _ if self.is_of_a_conference() => ("inproceedings", "booktitle"),
            _ if self.volume.is_empty() && self.pages.is_empty() => ("misc", "title"),
            _ => ("article", "journal"),
        };
        let fields = [
            ("author", self.authors.join(" and ")),
            ("title", if venue == "title" { String::new() } else { title.to_string() }),
            (venue, within.unwrap_or(&self.venue).to_string()),
            ("publisher", self.publisher.clone()),
            ("volume", self.volume.clone()),
            ("pages", self.pages.clone()),
            ("year", self.year.clone()),
            ("note", self.text.replace('&', "\\&")),
        ];
        let fields = fields.iter().filter(|(_, value)| !value.is_empty());
        let lines: String = fields.map(|(name, value)| format!("  {name} = {{{value}}},\n")).collect();
        format!("@{kind}{{{key},\n{lines}}}\n")
    }
}

/// The text before the last bracket that ends in a year, what is in it, and the text after it.
fn bracket_with_year(text: &str) -> Option<(&str, &str, &str)> {
    let mut found = None;
    for (open, _) in text.match_indices('(') {
        let close = open + text[open..].find(')')?;
        let inside = &text[open + 1..close];
        let year = inside.len().checked_sub(4).and_then(|at| inside.get(at..));
        if year.is_some_and(|y| (y.starts_with("19") || y.starts_with("20")) && y.chars().all(|c| c.is_ascii_digit())) {
            found = Some((text[..open].trim(), inside, &text[close + 1..]));
        }
    }
    found
}

/// The authors at the beginning of a text, and the rest: up to the comma after the last one, who comes after `&`.
fn authors(text: &str) -> (Vec<String>, &str) {
    let from = text.find(" & ").map_or(0, |at| at + 3);
    let end = text[from..].find(", ").map_or(text.len(), |at| from + at);
    let (names, rest) = (&text[..end], text.get(end + 2..).unwrap_or(""));
    let names = names.strip_suffix(" et al.").map_or(names.to_string(), |n| format!("{n} & others"));
    (names.split(" & ").flat_map(|part| part.split(", ")).map(str::to_string).collect(), rest.trim())
}

fn plain_letter(c: char) -> char {
    match c {
        'ä' | 'á' => 'a',
        'č' | 'ć' => 'c',
        'é' | 'è' | 'ë' => 'e',
        'ö' | 'ø' | 'ó' => 'o',
        'ü' => 'u',
        '-' | '\'' => '_',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(doc: &str) -> Vec<String> {
        references(doc).into_iter().map(|r| r.text).collect()
    }

    #[test]
    fn references_stand_after_sentences() {
        let doc = "ETD1 with\nthe drift of the start of the step. Hochbruck & Ostermann, Acta Numer. 19 (2010) 209, section 2.1; with noise:\nJentzen & Kloeden, Proc. R. Soc. A 465 (2009) 649.";
        assert_eq!(
            texts(doc),
            [
                "Hochbruck & Ostermann, Acta Numer. 19 (2010) 209, section 2.1",
                "Jentzen & Kloeden, Proc. R. Soc. A 465 (2009) 649"
            ]
        );
        assert_eq!(texts("Brownian motion: `x` at t is normal (with mean 0)."), Vec::<String>::new());
        assert_eq!(
            texts("S-ROCK. Platen; Kloeden & Platen, Numerical Solution of SDEs (Springer 1992), section 11.1."),
            ["Kloeden & Platen, Numerical Solution of SDEs (Springer 1992), section 11.1"]
        );
    }

    #[test]
    fn parts_of_references() {
        let one = |text: &str| Reference::of(text).expect("a reference");
        let cir = one("Cox, Ingersoll & Ross, Econometrica 53 (1985) 385");
        assert_eq!(cir.authors, ["Cox", "Ingersoll", "Ross"]);
        assert_eq!([&cir.venue, &cir.volume, &cir.year, &cir.pages], ["Econometrica", "53", "1985", "385"]);
        assert!(cir.bibtex(&cir.key()).starts_with(
            "@article{cox1985,\n  author = {Cox and Ingersoll and Ross},\n  \
                 title = {A theory of the term structure of interest rates},\n  journal = {Econometrica},\n"
        ));
        let book = one("Neal, Handbook of MCMC (CRC 2011), chapter 5");
        assert_eq!([&book.venue, &book.publisher, &book.year, &book.pages], ["Handbook of MCMC", "CRC", "2011", ""]);
        let talk = one("Song et al., ICLR (2021), appendix C");
        assert_eq!(talk.authors, ["Song", "others"]);
        assert!(talk.bibtex("k").starts_with("@inproceedings{k,\n"));
        let draft = one("Foster, On the convergence of adaptive approximations for SDEs (2023), definition 1.6");
        assert!(draft.bibtex("k").contains("  title = {On the convergence of"), "{}", draft.bibtex("k"));
        assert_eq!(one("Foster, Lyons & Oberhauser, arXiv:2101.03446, definition 4.2").venue, "arXiv:2101.03446");
        assert_eq!(Reference::of("with constant weights"), None);
    }
}
