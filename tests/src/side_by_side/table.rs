//! Tables of cases.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;

use super::cast::{Cast, Whose};
use super::seen::Aspect;

/// A file of cases, each of at most three lines: what it tries; what a shell types, in an empty directory; and, where
/// ours differ on purpose, in what, and the first words of the entry of docs/DIFFERENCES.md that says why.
///
/// ```text
/// # Lines that begin so are for the reader.
/// a variable from a file
///     mkdir d; echo 1 >d/A; envdir d inherits
/// a variable that is taken out again
///     mkdir d; : >d/A; A=1 B=2 C=3 envdir d inherits
///     differs in child: envuidgid and envdir keep the order
/// ```
///
/// `differs in stdout, files with our supervise:` speaks of the pairings in which supervise is ours, `with our clients` of
/// those in which the others are.
pub struct Table {
    name: String,
    cases: Vec<Case>,
}

/// One case.
#[derive(Debug, PartialEq, Eq)]
pub struct Case {
    /// The table and the line, for people.
    place: String,
    /// What it tries.
    pub name: String,
    /// What a shell types.
    pub command: String,
    /// How ours differ on purpose.
    pub difference: Option<Difference>,
}

/// That ours differ, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct Difference {
    /// In what: in all of these, and in nothing else.
    pub aspects: BTreeSet<Aspect>,
    /// Whose doing it is, where there are pairings.
    pub part: Option<Part>,
    /// The first words of an entry of docs/DIFFERENCES.md.
    pub entry: String,
}

/// One of the two ends of the service directory protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// supervise
    Supervise,
    /// All others.
    Clients,
}

impl Table {
    /// Reads the table of this name from a directory: `NAME.cases`.
    ///
    /// # Panics
    /// If there is none, or it is malformed.
    pub fn read(directory: &Path, name: &str) -> Table {
        let path = directory.join(format!("{name}.cases"));
        let text = fs::read_to_string(&path);
        Table::new(name, &text.unwrap_or_else(|e| panic!("read {}: {e}", path.display())))
    }

    /// Reads a table; `name` is for people.
    ///
    /// # Panics
    /// If it is none, with the line.
    pub fn new(name: &str, text: &str) -> Table {
        let mut cases: Vec<Case> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{name}:{}", number + 1);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let Some(line) = line.strip_prefix("    ") else {
                assert!(cases.iter().all(|case| case.name != line), "{place}: {line:?} again");
                cases.push(Case {
                    place,
                    name: line.to_owned(),
                    command: String::new(),
                    difference: None,
                });
                continue;
            };
            let case = cases.last_mut().unwrap_or_else(|| panic!("{place}: no case has begun"));
            assert!(case.difference.is_none(), "{place}: after the difference comes the next case");
            match line.strip_prefix("differs in ") {
                Some(rest) => {
                    let difference = Difference::parse(rest);
                    case.difference =
                        Some(difference.unwrap_or_else(|why| panic!("{place}: {why}: {line}")));
                }
                None if case.command.is_empty() => case.command = line.to_owned(),
                None => {
                    assert!(!case.command.contains('\n'), "{place}: a case is three lines at most");
                    case.command = format!("{}\n{line}", case.command);
                }
            }
            let lines = 1 + case.command.lines().count() + usize::from(case.difference.is_some());
            assert!(lines <= 3, "{place}: a case is three lines at most");
        }
        if let Some(case) = cases.iter().find(|case| case.command.is_empty()) {
            panic!("{case}: nothing to type");
        }
        Table { name: name.to_owned(), cases }
    }

    /// Its cases, in order.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }
}

impl Case {
    /// In what the runs of this cast and of Debian's must differ.
    pub(super) fn expected(&self, cast: Cast) -> BTreeSet<Aspect> {
        let Some(difference) = &self.difference else { return BTreeSet::new() };
        let ours = match difference.part {
            None => true,
            Some(Part::Supervise) => cast.supervise == Whose::Ours,
            Some(Part::Clients) => cast.others == Whose::Ours,
        };
        if ours { difference.aspects.clone() } else { BTreeSet::new() }
    }

    pub(super) fn indented_command(&self) -> String {
        let lines: Vec<String> =
            self.command.lines().map(|line| format!("    {}", line.trim())).collect();
        lines.join("\n")
    }
}

impl Difference {
    /// Reads what follows `differs in `.
    fn parse(text: &str) -> Result<Difference, &'static str> {
        let (what, entry) = text.split_once(": ").ok_or("no entry is named")?;
        let parts =
            [(" with our supervise", Part::Supervise), (" with our clients", Part::Clients)];
        let found = parts.iter().find_map(|(words, part)| Some((what.strip_suffix(words)?, *part)));
        let (what, part) = found.map_or((what, None), |(what, part)| (what, Some(part)));
        let aspects = what.split(", ").map(Aspect::parse).collect::<Option<BTreeSet<_>>>();
        let aspects = aspects.ok_or("not stdout, stderr, code, files or child")?;
        Ok(Difference { aspects, part, entry: entry.to_owned() })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A remark.\nno arguments\n    svok\n\nodd\n    mkdir d\n    svok d\none more\n    svc -w\n    \
                        differs in stderr, code with our clients: svc: letters\n";

    #[test]
    fn a_table_is_read() {
        let table = Table::new("t", TEXT);
        let commands: Vec<_> = table.cases().iter().map(|case| case.command.as_str()).collect();
        assert_eq!(commands, ["svok", "mkdir d\nsvok d", "svc -w"]);
        assert_eq!(table.cases()[1].to_string(), "t:5: odd");
        let difference = table.cases()[2].difference.as_ref().expect("a difference");
        assert_eq!(difference.aspects, BTreeSet::from([Aspect::Stderr, Aspect::Code]));
        assert_eq!(difference.entry, "svc: letters");
    }

    #[test]
    fn a_difference_is_expected_of_its_part_alone() {
        let table = Table::new("t", TEXT);
        let expected = Cast::PAIRINGS.map(|cast| table.cases()[2].expected(cast).len());
        assert_eq!(expected, [2, 0, 2]);
    }

    #[test]
    #[should_panic(expected = "t:4: a case is three lines at most")]
    fn four_lines_are_too_many() {
        Table::new("t", "a\n    b\n    c\n    differs in code: x\n");
    }

    #[test]
    #[should_panic(expected = "t:3: not stdout, stderr, code, files or child")]
    fn an_aspect_is_one_of_five() {
        Table::new("t", "a\n    b\n    differs in colour: x\n");
    }
}
