//! The delete-a-group jackknife, for groups of unequal size.
//!
//! F. M. T. A. Busing, E. Meijer, R. van der Leeden, "Delete-m jackknife for unequal m", Statistics and Computing 9
//! (1999) 3.

/// Standard error of `statistic` of all groups together, from leaving out each in turn. `weight` is the number of values
/// of a group; groups without any do not take part. NaN for fewer than two groups.
pub fn standard_error<T: Clone>(
    groups: &[T],
    weight: impl Fn(&T) -> f64,
    merge: impl Fn(&T, &T) -> T,
    statistic: impl Fn(&T) -> f64,
) -> f64 {
    let groups: Vec<&T> = groups.iter().filter(|g| weight(g) > 0.0).collect();
    if groups.len() < 2 {
        return f64::NAN;
    }
    let (all, without) = leave_one_out(&groups, merge);
    let whole = statistic(&all);
    let total: f64 = groups.iter().map(|g| weight(g)).sum();
    let parts: Vec<(f64, f64)> = groups.iter().zip(&without).map(|(g, w)| (weight(g), statistic(w))).collect();
    from_parts(whole, total, &parts)
}

/// The statistic without each group in turn; groups without values change nothing. Empty for fewer than two groups.
pub fn without_each<T: Clone>(groups: &[T], merge: impl Fn(&T, &T) -> T, statistic: impl Fn(&T) -> f64) -> Vec<f64> {
    if groups.len() < 2 {
        return Vec::new();
    }
    let groups: Vec<&T> = groups.iter().collect();
    leave_one_out(&groups, merge).1.iter().map(statistic).collect()
}

/// Standard error from the statistic of all, the total weight, and for each group its weight and the statistic without
/// it.
pub fn from_parts(whole: f64, total: f64, parts: &[(f64, f64)]) -> f64 {
    let count = parts.len() as f64;
    if parts.len() < 2 {
        return f64::NAN;
    }
    let centre = count * whole - parts.iter().map(|(m, without)| (1.0 - m / total) * without).sum::<f64>();
    let spread = parts.iter().map(|(m, without)| {
        let h = total / m;
        let pseudo = h * whole - (h - 1.0) * without;
        (pseudo - centre) * (pseudo - centre) / (h - 1.0)
    });
    (spread.sum::<f64>() / count).sqrt()
}

/// All together, and all but each.
fn leave_one_out<T: Clone>(groups: &[&T], merge: impl Fn(&T, &T) -> T) -> (T, Vec<T>) {
    let last = groups.len() - 1;
    let mut after: Vec<T> = vec![groups[last].clone()];
    for g in groups[1..last].iter().rev() {
        let next = merge(g, &after[after.len() - 1]);
        after.push(next);
    }
    // `after[k]`: the last k + 1 groups.
    let mut without = vec![after[last - 1].clone()];
    let mut before = groups[0].clone();
    for k in 1..=last {
        without.push(if k < last { merge(&before, &after[last - 1 - k]) } else { before.clone() });
        before = merge(&before, groups[k]);
    }
    (before, without)
}

#[cfg(test)]
mod tests {
    use super::super::moments::Moments;
    use super::*;
    use crate::runtime::testing::Uniforms;

    fn of_mean(groups: &[Moments]) -> f64 {
        standard_error(groups, |m| m.n as f64, Moments::merge, |m| m.mean)
    }

    #[test]
    fn each_group_is_left_out_once() {
        let groups = ["a", "b", "c", "d"].map(String::from);
        let refs: Vec<&String> = groups.iter().collect();
        let (all, without) = leave_one_out(&refs, |a, b| format!("{a}{b}"));
        assert_eq!(all, "abcd");
        assert_eq!(without, ["bcd", "acd", "abd", "abc"]);
        let (all, without) = leave_one_out(&refs[..2], |a, b| format!("{a}{b}"));
        assert_eq!((all.as_str(), without), ("ab", vec!["b".to_string(), "a".to_string()]));
    }

    #[test]
    fn for_a_mean_of_single_values_it_is_the_usual_formula() {
        let values = [1.0, 4.0, 2.0, 8.0, 5.0, 7.0];
        let groups: Vec<Moments> = values.iter().map(|v| Moments::of(&[*v])).collect();
        assert!((of_mean(&groups) - Moments::of(&values).mean_se()).abs() < 1e-13);
    }

    #[test]
    fn unequal_groups_give_the_right_size() {
        // 32 groups of 50 to 100 normals: the mean of all has a standard error near 1/sqrt(n). The estimate from 32
        // groups has a relative spread of 1/sqrt(62) = 0.13; its average over 200 replicas is good to 0.01.
        let mut u = Uniforms::new(11);
        let mut ratio = Moments::default();
        for _ in 0..200 {
            let sizes: Vec<usize> = (0..32).map(|k| 50 + 50 * (k % 2)).collect();
            let groups: Vec<Moments> =
                sizes.iter().map(|n| Moments::of(&(0..*n).map(|_| u.normal()).collect::<Vec<_>>())).collect();
            let n: usize = sizes.iter().sum();
            ratio.push(of_mean(&groups) * (n as f64).sqrt());
        }
        assert!((ratio.mean - 1.0).abs() < 0.04, "{}", ratio.mean);
    }

    #[test]
    fn too_few_groups_have_none() {
        assert!(of_mean(&[]).is_nan());
        assert!(of_mean(&[Moments::of(&[1.0, 2.0]), Moments::default()]).is_nan());
    }
}
