//! One line of an INI file.

use alloc::vec::Vec;

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// `[s]`: from here on, names begin with `s_`. Empty (`[]`): with nothing again.
    Section(&'a [u8]),
    /// `name=value`.
    Variable(&'a [u8], &'a [u8]),
    /// An empty line, a comment, or anything else that isn't one of the above.
    Nothing,
}

impl<'a> Line<'a> {
    /// Reads a line, without its newline. Blanks around everything go, and the carriage return of a
    /// file from elsewhere. A comment begins with `;` or `#`; a value may hold both, and quotes
    /// mean nothing.
    pub(super) fn parse(line: &'a [u8]) -> Self {
        let line = trim(line);
        match line {
            [b';' | b'#', ..] => Self::Nothing,
            [b'[', section @ .., b']'] => Self::Section(trim(section)),
            _ => match line.iter().position(|byte| *byte == b'=') {
                Some(equals) => {
                    let name = trim(&line[..equals]);
                    // Nobody who writes `a b = c` means a variable with a blank in its name.
                    if name.is_empty() || name.iter().any(is_blank) {
                        return Self::Nothing;
                    }
                    Self::Variable(name, trim(&line[equals + 1..]))
                }
                None => Self::Nothing,
            },
        }
    }
}

/// A value as the environment can hold it: each NUL is a newline, as with envdir.
pub(super) fn without_nul(value: &[u8]) -> Vec<u8> {
    value.iter().map(|byte| if *byte == 0 { b'\n' } else { *byte }).collect()
}

fn trim(mut text: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = text
        && is_blank(first)
    {
        text = rest;
    }
    while let [rest @ .., last] = text
        && is_blank(last)
    {
        text = rest;
    }
    text
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            (&b""[..], Line::Nothing),
            (b" \t ", Line::Nothing),
            (b"n=v", Line::Variable(b"n", b"v")),
            (b"\t n\t=  v w \t", Line::Variable(b"n", b"v w")),
            (b"n=v\r", Line::Variable(b"n", b"v")),
            (b"n=", Line::Variable(b"n", b"")),
            (b"n = ", Line::Variable(b"n", b"")),
            (b"n=a=b", Line::Variable(b"n", b"a=b")),
            (b"n=v ; w # x", Line::Variable(b"n", b"v ; w # x")),
            (b"n=\"v \"", Line::Variable(b"n", b"\"v \"")),
            (b"n=]", Line::Variable(b"n", b"]")),
            (b"=v", Line::Nothing),
            (b"a b=c", Line::Nothing),
            (b"n", Line::Nothing),
            (b"; n=v", Line::Nothing),
            (b" # n=v", Line::Nothing),
            (b"#n=v", Line::Nothing),
            (b"[s]", Line::Section(b"s")),
            (b" [ s t ] ", Line::Section(b"s t")),
            (b"[]", Line::Section(b"")),
            (b"[[]]", Line::Section(b"[]")),
            (b"[", Line::Nothing),
            (b"]", Line::Nothing),
            (b"[s] x", Line::Nothing),
            (b"[s]=x", Line::Variable(b"[s]", b"x")),
            (b"[n=v]", Line::Section(b"n=v")),
        ] {
            assert_eq!(Line::parse(line), expected, "{}", line.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn a_variable_reads_back(name in "[A-Za-z_][A-Za-z0-9_]{0,8}", value in "([!-~]([ -~]{0,8}[!-~])?)?") {
            let line = format!(" {name}\t = {value} ");
            prop_assert_eq!(
                Line::parse(line.as_bytes()),
                Line::Variable(name.as_bytes(), value.as_bytes())
            );
        }

        #[test]
        fn any_bytes_are_some_line(line in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Line::Variable(name, _) = Line::parse(&line) {
                prop_assert!(!name.is_empty() && !name.contains(&b'='));
            }
        }
    }
}
