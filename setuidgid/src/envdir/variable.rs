//! The environment with the directory's variables in it.

use alloc::{ffi::CString, vec::Vec};
use common::env::Environment;
use core::ffi::CStr;
use sys::{Env, Vector};

/// The environment that we were started with, and what the files change.
pub(super) struct Variables {
    env: Environment,
    prefix: &'static CStr,
    /// Files with `=` in their names: no variable has such a name, but the original hands on what
    /// it makes of them (`a=b` with the line `c` is `a=b=c`).
    odd: Vec<CString>,
}

impl Variables {
    pub(super) fn new(env: Env, prefix: &'static CStr) -> Self {
        Self { env: Environment::new(env), prefix, odd: Vec::new() }
    }

    /// Gives the variable the value that `line` stands for.
    pub(super) fn set(&mut self, file: &[u8], line: &[u8]) {
        let name = self.name(file);
        let value = value(line);
        if !name.contains(&b'=') {
            return self.env.set(&name, &value);
        }
        self.env.unset(&name);
        let entry = [&name[..], b"=", &value].concat();
        // Neither a file's name nor a value holds a NUL.
        self.odd.extend(CString::new(entry));
    }

    pub(super) fn unset(&mut self, file: &[u8]) {
        let name = self.name(file);
        self.env.unset(&name);
    }

    pub(super) fn vector(&self) -> Vector<'_> {
        self.env.iter().chain(self.odd.iter().map(CString::as_c_str)).collect()
    }

    fn name(&self, file: &[u8]) -> Vec<u8> {
        [self.prefix.to_bytes(), file].concat()
    }
}

/// Blanks and tabs at the end are cut; then each NUL is a newline.
fn value(line: &[u8]) -> Vec<u8> {
    let end =
        line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    line[..end].iter().map(|byte| if *byte == 0 { b'\n' } else { *byte }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(variables: &Variables) -> Vec<String> {
        let all = variables.env.iter().chain(variables.odd.iter().map(CString::as_c_str));
        all.map(|entry| entry.to_str().expect("ASCII").to_owned()).collect()
    }

    #[test]
    fn values() {
        for (line, expected) in [
            (&b""[..], &b""[..]),
            (b"a b", b"a b"),
            (b" a\t \t", b" a"),
            (b" \t", b""),
            (b"a\0b\0", b"a\nb\n"),
            (b"a \0 ", b"a \n"),
            (b"a\r", b"a\r"),
        ] {
            assert_eq!(value(line), expected, "{line:?}");
        }
    }

    #[test]
    fn files_set_and_unset_variables() {
        let env = Env::new(vec![c"A=0".into(), c"B=0".into(), c"C=0".into(), c"a=b=0".into()]);
        let mut variables = Variables::new(env, c"");
        variables.set(b"B", b"1 ");
        variables.unset(b"A");
        variables.set(b"a=b", b"c");
        variables.unset(b"nothing");
        assert_eq!(texts(&variables), ["C=0", "B=1", "a=b=c"]);
    }

    #[test]
    fn a_prefix_stands_before_each_name() {
        let env = Env::new(vec![c"A=0".into(), c"P_A=0".into(), c"P_B=0".into()]);
        let mut variables = Variables::new(env, c"P_");
        variables.set(b"A", b"1");
        variables.unset(b"B");
        assert_eq!(texts(&variables), ["A=0", "P_A=1"]);
    }

    proptest! {
        #[test]
        fn a_value_ends_without_blanks_and_holds_no_nul(line in prop::collection::vec(0_u8..128, 0..40)) {
            let value = value(&line);
            prop_assert!(!value.contains(&0));
            prop_assert!(!matches!(value.last(), Some(b' ' | b'\t')));
            prop_assert!(value.len() <= line.len());
        }
    }
}
