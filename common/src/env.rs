//! The environment that a program hands on: its own, with changes.

use alloc::{ffi::CString, vec::Vec};
use core::ffi::CStr;
use sys::{Env, Vector};

/// An environment that can be changed. What isn't changed is not copied, and keeps its place.
#[derive(Clone)]
pub struct Environment {
    entries: Vec<Entry>,
}

#[derive(Clone)]
enum Entry {
    Inherited(&'static CStr),
    Made(CString),
}

impl Environment {
    /// The environment that the program was started with.
    #[must_use]
    pub fn new(env: Env) -> Self {
        Self { entries: env.iter().map(Entry::Inherited).collect() }
    }

    /// An environment with nothing in it.
    #[must_use]
    pub fn empty() -> Self {
        Self { entries: Vec::new() }
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.entries.iter().find_map(|entry| entry.value_of(name))
    }

    /// Gives `name` this value, at the end; what it had before is gone. A NUL ends the value, as in
    /// every C string; a name with a `=` or a NUL in it can't be set, and isn't.
    pub fn set(&mut self, name: &[u8], value: &[u8]) {
        self.unset(name);
        let value = value.split(|byte| *byte == 0).next().unwrap_or(value);
        let mut text = Vec::with_capacity(name.len() + 1 + value.len() + 1);
        text.extend_from_slice(name);
        text.push(b'=');
        text.extend_from_slice(value);
        if !name.contains(&b'=')
            && let Ok(text) = CString::new(text)
        {
            self.entries.push(Entry::Made(text));
        }
    }

    /// Removes `name`, as often as it stands there.
    pub fn unset(&mut self, name: &[u8]) {
        self.entries.retain(|entry| entry.value_of(name).is_none());
    }

    /// The environment as `execve` takes it.
    #[must_use]
    pub fn vector(&self) -> Vector<'_> {
        self.entries.iter().map(Entry::as_c_str).collect()
    }

    /// Its entries, in order.
    pub fn iter(&self) -> impl Iterator<Item = &CStr> + Clone {
        self.entries.iter().map(Entry::as_c_str)
    }
}

impl From<Env> for Environment {
    fn from(env: Env) -> Self {
        Self::new(env)
    }
}

impl Entry {
    fn as_c_str(&self) -> &CStr {
        match self {
            Self::Inherited(text) => text,
            Self::Made(text) => text,
        }
    }

    fn value_of(&self, name: &[u8]) -> Option<&[u8]> {
        self.as_c_str().to_bytes().strip_prefix(name)?.strip_prefix(b"=")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inherited() -> Environment {
        Environment::new(Env::new(vec![c"A=1".into(), c"B=2".into(), c"A=3".into()]))
    }

    fn texts(env: &Environment) -> Vec<&str> {
        env.iter().map(|entry| entry.to_str().expect("ASCII")).collect()
    }

    #[test]
    fn what_is_set_goes_to_the_end_and_replaces_all() {
        let mut env = inherited();
        env.set(b"A", b"9");
        assert_eq!(texts(&env), ["B=2", "A=9"]);
        assert_eq!(env.get(b"A"), Some(&b"9"[..]));
    }

    #[test]
    fn what_is_unset_is_gone_whole() {
        let mut env = inherited();
        env.unset(b"A");
        env.unset(b"nothing");
        assert_eq!(texts(&env), ["B=2"]);
        assert_eq!(env.get(b"A"), None);
    }

    #[test]
    fn impossible_names_and_values_leave_no_broken_entry() {
        let mut env = Environment::empty();
        env.set(b"A=B", b"1");
        env.set(b"N\0", b"1");
        env.set(b"C", b"1\x002");
        assert_eq!(texts(&env), ["C=1"]);
    }
}
