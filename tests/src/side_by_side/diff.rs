//! Two texts, line by line.

/// So many lines of a diff are shown.
const SHOWN: usize = 40;

/// A diff: what only the first has begins with `-`, what only the second has with `+`. Common lines are left out, but for
/// the one before each difference.
pub(super) fn lines(first: &str, second: &str) -> String {
    // Bounded, as the table below has a cell for each pair of lines.
    let cut = |text: &str| text.lines().take(1000).map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (cut(first), cut(second));
    let common = common_lengths(&a, &b);
    let (mut i, mut j) = (0, 0);
    let mut result = String::new();
    let mut before = None;
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            before = Some(&a[i]);
            (i, j) = (i + 1, j + 1);
            continue;
        }
        if result.lines().count() >= SHOWN {
            return result + "      and more\n";
        }
        if let Some(line) = before.take() {
            result.push_str(&format!("      {line}\n"));
        }
        if j == b.len() || i < a.len() && common[i + 1][j] >= common[i][j + 1] {
            result.push_str(&format!("    - {}\n", a[i]));
            i += 1;
        } else {
            result.push_str(&format!("    + {}\n", b[j]));
            j += 1;
        }
    }
    result
}

/// How many lines what follows the i-th and the j-th have in common.
fn common_lengths(a: &[String], b: &[String]) -> Vec<Vec<usize>> {
    let mut lengths = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] = if a[i] == b[j] {
                lengths[i + 1][j + 1] + 1
            } else {
                lengths[i + 1][j].max(lengths[i][j + 1])
            };
        }
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_one_has_is_marked() {
        assert_eq!(
            lines("a\nb\nc\n", "a\nx\nc\nd\n"),
            "      a\n    - b\n    + x\n      c\n    + d\n"
        );
        assert_eq!(lines("same\n", "same\n"), "");
    }
}
