//! "Did you mean": the known names that are near to one that is not.

/// The names among `known` nearest to `name`, best first, at most three. Near is an edit distance (insertions,
/// deletions, substitutions and transpositions of neighbours; case does not count) of at most a third of the length,
/// or a name that begins with all of `name`.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let mut near: Vec<(usize, usize, &str)> = Vec::new();
    for candidate in known {
        let letters: Vec<char> = candidate.to_lowercase().chars().collect();
        // Every name of one or two letters is near to every other; only another case can be meant.
        let limit = wanted.len().max(letters.len()) / 3;
        let begins = wanted.len() >= 3 && letters.starts_with(&wanted);
        let distance = distance(&wanted, &letters);
        if candidate != name && (distance <= limit || begins) && near.iter().all(|(.., other)| *other != candidate) {
            let length = wanted.len().abs_diff(letters.len());
            near.push((if distance <= limit { distance } else { limit + 1 }, length, candidate));
        }
    }
    near.sort();
    near.into_iter().take(3).map(|(.., candidate)| candidate).collect()
}

/// "did you mean" in words.
pub fn did_you_mean(near: &[&str]) -> Option<String> {
    match near {
        [] => None,
        [one] => Some(format!("did you mean `{one}`?")),
        many => {
            let names: Vec<String> = many.iter().map(|n| format!("`{n}`")).collect();
            Some(format!("did you mean one of {}?", names.join(", ")))
        }
    }
}

/// Optimal string alignment distance (a restricted Damerau-Levenshtein distance).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_best_first() {
        let known = ["model", "mode", "solver", "state", "noise", "euler_maruyama"];
        assert_eq!(suggest("modle", known), ["model", "mode"]);
        assert_eq!(suggest("Solver", known), ["solver"]);
        assert_eq!(suggest("sovler", known), ["solver"]);
        assert_eq!(suggest("euler", known), ["euler_maruyama"]);
        assert!(suggest("banana", known).is_empty());
    }

    #[test]
    fn a_letter_is_near_only_to_its_other_case() {
        assert_eq!(suggest("X", ["x", "y"]), ["x"]);
        assert!(suggest("z", ["x", "y"]).is_empty());
        assert!(suggest("mu", ["nu", "dt"]).is_empty());
        assert_eq!(suggest("mu", ["mu0"]), ["mu0"]);
    }

    #[test]
    fn a_name_is_not_its_own_suggestion_and_none_comes_twice() {
        assert_eq!(suggest("ab", ["ab", "abc", "abc"]), ["abc"]);
        assert_eq!(suggest("sigma", ["sigma1", "sigma2", "sigma3", "sigma4"]).len(), 3);
    }

    #[test]
    fn distances() {
        let d = |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(d("", "abc"), 3);
        assert_eq!(d("ab", "ba"), 1);
        assert_eq!(d("kitten", "sitting"), 3);
        assert_eq!(d("σ", "s"), 1);
    }
}
