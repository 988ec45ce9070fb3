//! The program's arguments and environment, as the kernel laid them out: nothing is copied.

use alloc_crate::{boxed::Box, ffi::CString, vec::Vec};
use core::ffi::{CStr, c_char};
use core::marker::PhantomData;
use core::slice::from_raw_parts_mut;

/// The arguments that a program was started with, `argv[0]` included.
#[derive(Clone, Copy)]
pub struct Args(Strings);

/// The environment that a program was started with: `NAME=value` strings, in their order.
#[derive(Clone, Copy)]
pub struct Env(Strings);

impl Args {
    /// Arguments made at run time. Their memory is never freed: they are as the kernel's.
    #[must_use]
    pub fn new(arguments: Vec<CString>) -> Self {
        Self(Strings::leak(arguments))
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there is none, not even the program's own name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// The argument at `index`; 0 is the program's name.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&'static CStr> {
        self.0.get(index)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        self.0.iter()
    }

    /// What remains after the first `count`; empty if there aren't so many.
    #[must_use]
    pub fn tail(&self, count: usize) -> Self {
        Self(self.0.tail(count))
    }

    /// The same, as `execve` takes it. Copies nothing.
    #[must_use]
    pub fn vector(&self) -> Vector<'static> {
        self.0.vector()
    }
}

impl Env {
    /// An environment made at run time. Its memory is never freed: it is as the kernel's.
    #[must_use]
    pub fn new(entries: Vec<CString>) -> Self {
        Self(Strings::leak(entries))
    }

    /// The value of the first entry that is called `name`.
    #[must_use]
    pub fn get(&self, name: &[u8]) -> Option<&'static [u8]> {
        self.iter().find_map(|entry| {
            let value = entry.to_bytes().strip_prefix(name)?;
            value.strip_prefix(b"=")
        })
    }

    /// All entries, in order, whatever they look like.
    pub fn iter(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        self.0.iter()
    }

    /// The same, as `execve` takes it. Copies nothing.
    #[must_use]
    pub fn vector(&self) -> Vector<'static> {
        self.0.vector()
    }
}

/// Moves strings to memory of their own: those that lie one behind the other from the first argument on, as the kernel puts
/// arguments and then the environment, and begin within `most` bytes. `args` and `env` have the copies from then on. Gives
/// the bytes where they were, `most` at most, the last one always a NUL's place.
///
/// Strings that were taken from `args` and `env` before must not be used any more.
pub(crate) fn vacate(args: Args, env: Env, most: usize) -> &'static mut [u8] {
    let Some(first) = args.get(0) else { return &mut [] };
    let mut length = 0;
    let all = [args.0, env.0];
    let places = all.iter().flat_map(|strings| (0..strings.len).map(move |at| (strings, at)));
    for (strings, at) in places {
        let Some(string) = strings.get(at) else { break };
        if length >= most || string.as_ptr() != first.as_ptr().wrapping_add(length) {
            break;
        }
        length += string.count_bytes() + 1;
        // SAFETY: `at` is within the array, which the kernel (or `leak`) laid out in writable memory.
        unsafe { strings.first.add(at).cast_mut().write(CString::from(string).into_raw()) };
    }
    // SAFETY: these bytes are one piece, writable as above, and live as long as the process. Nothing
    // points at them any more: the arrays have copies, and the caller keeps no string of before.
    unsafe { from_raw_parts_mut(first.as_ptr().cast_mut().cast(), length.min(most)) }
}

/// Conversions for the start of a program, which alone knows the kernel's vectors.
pub(crate) struct Startup {
    pub(crate) args: Args,
    pub(crate) env: Env,
}

impl Startup {
    /// # Safety
    /// `argv` and `envp` must be NULL-terminated arrays of C strings that stay unchanged for as
    /// long as the process lives, `argv` with `argc` of them.
    pub(crate) unsafe fn new(
        argc: usize,
        argv: *const *const c_char,
        envp: *const *const c_char,
    ) -> Self {
        let mut count = 0;
        // SAFETY: the caller's array ends with a NULL, and is not read beyond it.
        while !unsafe { *envp.add(count) }.is_null() {
            count += 1;
        }
        Self {
            args: Args(Strings { first: argv, len: argc }),
            env: Env(Strings { first: envp, len: count }),
        }
    }
}

/// A NULL-terminated array of C strings, all of which live as long as the process.
#[derive(Clone, Copy)]
struct Strings {
    first: *const *const c_char,
    len: usize,
}

impl Strings {
    fn leak(strings: Vec<CString>) -> Self {
        let len = strings.len();
        let pointers: Vec<*const c_char> = strings
            .into_iter()
            .map(|string| string.into_raw().cast_const())
            .chain([core::ptr::null()])
            .collect();
        Self { first: Box::leak(pointers.into_boxed_slice()).as_mut_ptr(), len }
    }

    fn get(&self, index: usize) -> Option<&'static CStr> {
        if index >= self.len {
            return None;
        }
        // SAFETY: `index` is within the array, whose strings live as long as the process.
        Some(unsafe { CStr::from_ptr(*self.first.add(index)) })
    }

    fn iter(&self) -> impl Iterator<Item = &'static CStr> + use<> {
        let strings = *self;
        (0..self.len).map_while(move |index| strings.get(index))
    }

    fn tail(&self, count: usize) -> Self {
        let dropped = count.min(self.len);
        // SAFETY: `dropped` is at most `len`, where the terminating NULL stands.
        Self { first: unsafe { self.first.add(dropped) }, len: self.len - dropped }
    }

    fn vector(&self) -> Vector<'static> {
        Vector(Pointers::Borrowed(self.first), PhantomData)
    }
}

/// A NULL-terminated array of C strings, as `execve` takes it.
pub struct Vector<'a>(Pointers, PhantomData<&'a CStr>);

enum Pointers {
    Borrowed(*const *const c_char),
    Owned(Vec<*const c_char>),
}

impl Vector<'_> {
    /// An array that was put together elsewhere.
    #[cfg(freestanding)]
    pub(crate) fn of(first: *const *const c_char) -> Self {
        Self(Pointers::Borrowed(first), PhantomData)
    }

    pub(crate) fn as_ptr(&self) -> *const *const c_char {
        match &self.0 {
            Pointers::Borrowed(first) => *first,
            Pointers::Owned(pointers) => pointers.as_ptr(),
        }
    }
}

impl<'a> FromIterator<&'a CStr> for Vector<'a> {
    fn from_iter<I: IntoIterator<Item = &'a CStr>>(strings: I) -> Self {
        let pointers = strings.into_iter().map(CStr::as_ptr).chain([core::ptr::null()]).collect();
        Self(Pointers::Owned(pointers), PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(list: &[&str]) -> Vec<CString> {
        list.iter().map(|text| CString::new(*text).expect("no NUL")).collect()
    }

    #[test]
    fn arguments_keep_their_order_and_their_tail() {
        let args = Args::new(strings(&["prog", "-a", "b"]));
        assert_eq!(args.len(), 3);
        assert_eq!(args.get(1), Some(c"-a"));
        assert_eq!(args.tail(2).iter().collect::<Vec<_>>(), [c"b"]);
        assert!(args.tail(9).is_empty());
        assert_eq!(args.get(3), None);
    }

    #[test]
    fn the_first_entry_of_a_name_counts_and_the_whole_name_must_match() {
        let env = Env::new(strings(&["AB=0", "A=1", "A=2", "novalue"]));
        assert_eq!(env.get(b"A"), Some(&b"1"[..]));
        assert_eq!(env.get(b"novalue"), None);
        assert_eq!(env.get(b""), None);
    }
}
