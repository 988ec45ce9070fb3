//! The environment with the directory's variables in it.

use alloc::vec::Vec;
use common::env::Environment;
use core::ffi::CStr;
use sys::{Env, Vector};

/// The environment that we were started with, and what the files change.
pub(crate) struct Variables {
    env: Environment,
    prefix: &'static CStr,
}

impl Variables {
    pub(crate) fn new(env: Env, prefix: &'static CStr) -> Self {
        Self { env: Environment::new(env), prefix }
    }

    /// Gives the variable the value that `line` stands for.
    ///
    /// A file's name should hold no `=`. If it does, the original makes one string of it all, and
    /// what follows the first `=` is value: the file `a=b` with the line `c` sets `a` to `b=c`.
    pub(crate) fn set(&mut self, file: &[u8], line: &[u8]) {
        let name = self.name(file);
        match split(&name) {
            (name, None) => self.env.set(name, &value(line)),
            (name, Some(begun)) => self.env.set(name, &[begun, b"=", &value(line)].concat()),
        }
    }

    pub(crate) fn unset(&mut self, file: &[u8]) {
        let name = self.name(file);
        match split(&name) {
            (name, None) => self.env.unset(name),
            (name, Some(value)) => self.env.set(name, value),
        }
    }

    pub(crate) fn vector(&self) -> Vector<'_> {
        self.env.vector()
    }

    fn name(&self, file: &[u8]) -> Vec<u8> {
        [self.prefix.to_bytes(), file].concat()
    }
}

fn split(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    match name.iter().position(|byte| *byte == b'=') {
        Some(equals) => (&name[..equals], Some(&name[equals + 1..])),
        None => (name, None),
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
        variables.env.iter().map(|entry| entry.to_str().expect("ASCII").to_owned()).collect()
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
        let env = Env::new(vec![c"A=0".into(), c"B=0".into(), c"C=0".into()]);
        let mut variables = Variables::new(env, c"");
        variables.set(b"B", b"1 ");
        variables.unset(b"A");
        variables.unset(b"nothing");
        assert_eq!(texts(&variables), ["C=0", "B=1"]);
    }

    #[test]
    fn an_equals_sign_in_a_files_name_begins_the_value() {
        let env = Env::new(vec![c"a=0".into(), c"C=0".into()]);
        let mut variables = Variables::new(env, c"");
        variables.set(b"a=b", b"c");
        variables.unset(b"d=e");
        variables.set(b"=f", b"");
        assert_eq!(texts(&variables), ["C=0", "a=b=c", "d=e", "=f="]);
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
