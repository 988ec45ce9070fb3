//! The entries of docs/DIFFERENCES.md.

use std::fs;

use crate::place::workspace;

/// Whether an entry begins with these words, which are those that it has in bold: numbers change, words stay.
///
/// # Panics
/// If docs/DIFFERENCES.md can't be read.
pub(super) fn is_entry(words: &str) -> bool {
    let path = workspace().join("docs/DIFFERENCES.md");
    let text = fs::read_to_string(path).expect("docs/DIFFERENCES.md");
    has_entry(&text, words)
}

fn has_entry(text: &str, words: &str) -> bool {
    let mut paragraph = String::new();
    for line in text.lines().chain([""]) {
        let begins =
            line.split_once(". **").is_some_and(|(number, _)| number.parse::<u32>().is_ok());
        if begins || line.starts_with('#') {
            if titled(&paragraph, words) {
                return true;
            }
            paragraph.clear();
        }
        paragraph = format!("{paragraph}{} ", line.trim());
    }
    titled(&paragraph, words)
}

fn titled(entry: &str, words: &str) -> bool {
    let bold = entry.split_once(". **").and_then(|(_, rest)| rest.split_once("**"));
    bold.is_some_and(|(title, _)| title.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "# Differences\n\n## svc\n1. **svc never\n   blocks**: it **does** not.\n2. **b** c\n";

    #[test]
    fn an_entry_is_found_by_its_first_words() {
        assert!(
            has_entry(TEXT, "svc never blocks") && has_entry(TEXT, "svc") && has_entry(TEXT, "b")
        );
        assert!(!has_entry(TEXT, "does") && !has_entry(TEXT, "blocks") && !has_entry(TEXT, "c"));
    }
}
