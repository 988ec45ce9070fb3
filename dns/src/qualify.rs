//! What a name that somebody typed may mean: rewriting rules (the original's), or domains to search.

use alloc::vec::Vec;
use core::ffi::CStr;
use sys::Errno;

/// No more names than these are tried for one that was typed.
const MOST_NAMES: usize = 16;

/// How names are completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Search {
    /// As resolv.conf(5) has it: a name with fewer than `dots` dots is tried in each domain, and
    /// then as it is; any other is tried as it is only. (The C library tries that in the domains,
    /// too, where it doesn't exist as it is; the original doesn't.)
    Domains {
        /// In this order.
        domains: Vec<Vec<u8>>,
        /// `ndots`.
        dots: usize,
    },
    /// As a file of rules has it: each is applied once, in order.
    Rules(Vec<Rule>),
}

/// A rewriting rule: `=post:new`, `*post:new`, `?post:new` or `-post:new`, as
/// <https://cr.yp.to/djbdns/qualify.html> describes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    form: Form,
    post: Vec<u8>,
    new: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `=`: the name itself.
    Whole,
    /// `*`: a name that ends so, of which the end is replaced.
    End,
    /// `?`: the same, if what is before has no dot or bracket.
    EndOfWord,
    /// `-`: a name that ends so, replaced as a whole.
    All,
}

/// Reads a file of rules; `None` if there is none.
///
/// # Errors
/// It exists and can't be read.
pub(crate) fn read(path: &CStr) -> Result<Option<Vec<Rule>>, Errno> {
    let mut rules = Vec::new();
    let read = sys::lines(path, |line| {
        rules.extend(Rule::parse(line));
        None::<()>
    });
    match read {
        Ok(_) => Ok(Some(rules)),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

impl Search {
    /// The names to try, the first one that has an address wins; at least one. With rules and
    /// without, `x+.a+.b` stands for `x.a` and `x.b`.
    #[must_use]
    pub fn names(&self, typed: &[u8]) -> Vec<Vec<u8>> {
        let mut names = match self {
            Self::Rules(rules) => {
                let apply = |name: Vec<u8>, rule: &Rule| rule.apply(&name).unwrap_or(name);
                alternatives(&rules.iter().fold(typed.to_vec(), apply))
            }
            Self::Domains { .. } if typed.contains(&b'+') => alternatives(typed),
            Self::Domains { domains, dots } => {
                let found = typed.iter().filter(|byte| **byte == b'.').count();
                let searched = if found < *dots { domains.as_slice() } else { &[] };
                let within = searched.iter().map(|domain| [typed, b".", domain].concat());
                within.chain([typed.to_vec()]).collect()
            }
        };
        names.truncate(MOST_NAMES);
        names
    }
}

fn alternatives(name: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = name.split(|byte| *byte == b'+');
    let first = parts.next().unwrap_or_default();
    let mut names: Vec<_> = parts.map(|end| [first, end].concat()).collect();
    if names.is_empty() {
        names.push(first.to_vec());
    }
    names
}

impl Rule {
    /// A line of the file, without blanks; anything that isn't a rule is a comment.
    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line: Vec<u8> = line.iter().copied().filter(|byte| !b" \t\r".contains(byte)).collect();
        let (form, rest) = line.split_first()?;
        let form = match form {
            b'=' => Form::Whole,
            b'*' => Form::End,
            b'?' => Form::EndOfWord,
            b'-' => Form::All,
            _ => return None,
        };
        let colon = rest.iter().position(|byte| *byte == b':')?;
        Some(Self { form, post: rest[..colon].to_vec(), new: rest[colon + 1..].to_vec() })
    }

    /// What becomes of a name that the rule is about.
    fn apply(&self, name: &[u8]) -> Option<Vec<u8>> {
        let start = name.len().checked_sub(self.post.len())?;
        let (before, end) = name.split_at(start);
        if !end.eq_ignore_ascii_case(&self.post) {
            return None;
        }
        match self.form {
            Form::Whole => before.is_empty().then(|| self.new.clone()),
            Form::All => Some(self.new.clone()),
            Form::EndOfWord if before.iter().any(|byte| b".[]".contains(byte)) => None,
            Form::End | Form::EndOfWord => Some([before, &self.new].concat()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tried(search: &Search, typed: &str) -> String {
        let names = search.names(typed.as_bytes());
        let text = |name: &Vec<u8>| String::from_utf8(name.clone()).expect("ASCII");
        names.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn domains_are_searched_for_names_with_few_dots() {
        let domains = |dots| Search::Domains {
            domains: vec![b"a.example".to_vec(), b"b.example".to_vec()],
            dots,
        };
        for (dots, typed, expected) in [
            (1, "mail", "mail.a.example mail.b.example mail"),
            (1, "mail.c", "mail.c"),
            (1, "mail.", "mail."),
            (2, "mail.c", "mail.c.a.example mail.c.b.example mail.c"),
            (0, "mail", "mail"),
            (1, "x+.y+.z", "x.y x.z"),
        ] {
            assert_eq!(tried(&domains(dots), typed), expected, "{dots} {typed}");
        }
        assert_eq!(tried(&Search::Domains { domains: vec![], dots: 1 }, "mail"), "mail");
    }

    #[test]
    fn rules_are_applied_in_order_each_once() {
        let file = "# anything.local -> me\n-.local:me\n=me:127.0.0.1\n*.a:.af.example\n\
            ?:+.heaven.example+.af.example\n*.:\n nonsense\n= o n e :two\n*nocolon\n";
        let rules =
            Search::Rules(file.lines().filter_map(|line| Rule::parse(line.as_bytes())).collect());
        for (typed, expected) in [
            ("any.LOCAL", "127.0.0.1"),
            ("me", "127.0.0.1"),
            ("any.name.a", "any.name.af.example"),
            ("lion", "lion.heaven.example lion.af.example"),
            ("lion.b", "lion.b"),
            ("lion.b.", "lion.b"),
            ("lion.", "lion"),
            ("[1]", "[1]"),
            ("nocolon", "nocolon.heaven.example nocolon.af.example"),
        ] {
            assert_eq!(tried(&rules, typed), expected, "{typed}");
        }
        assert_eq!(Rule::parse(b"= o n e :two"), Rule::parse(b"=one:two"));
    }

    proptest! {
        #[test]
        fn there_is_always_a_name_and_never_too_many(typed: Vec<u8>, lines: Vec<Vec<u8>>) {
            let rules = Search::Rules(lines.iter().filter_map(|line| Rule::parse(line)).collect());
            let domains = Search::Domains { domains: lines, dots: 3 };
            for search in [rules, domains] {
                let count = search.names(&typed).len();
                prop_assert!((1..=MOST_NAMES).contains(&count));
            }
        }
    }
}
