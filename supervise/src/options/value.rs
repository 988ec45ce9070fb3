//! What one of the little files says, or what is wrong with it.

use super::files::File;
use core::ffi::CStr;
use sys::Errno;
use sys::fs::{self, Mode, OFlags};

/// A file that says something that it can't mean, or that can't be read.
pub struct Bad {
    /// Its name.
    pub file: &'static CStr,
    /// What it says, as far as it is worth showing; or why it can't be read.
    pub content: Result<Shown, Errno>,
}

/// The beginning of a text, fit for a line of a log.
pub struct Shown {
    line: [u8; 32],
    length: usize,
}

/// No file's content is longer.
const LONGEST: usize = 64;

impl Shown {
    fn new(text: &[u8]) -> Self {
        let mut line = [b'?'; 32];
        for (to, from) in line.iter_mut().zip(text) {
            if (b' '..=b'~').contains(from) {
                *to = *from;
            }
        }
        Self { line, length: text.len().min(32) }
    }

    /// The text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.line[..self.length]
    }
}

/// What a file says. One that is gone by now is absent.
pub(super) fn value<T>(
    file: File,
    parse: fn(&[u8]) -> Option<T>,
    bad: &mut impl FnMut(Bad),
) -> Option<T> {
    let mut bytes = [0; LONGEST];
    let length = match content(file.name(), &mut bytes) {
        Ok(length) => length,
        Err(Errno::NOENT) => return None,
        Err(errno) => {
            bad(Bad { file: file.name(), content: Err(errno) });
            return None;
        }
    };
    let text = bytes[..length].trim_ascii();
    let parsed = if length < LONGEST { parse(text) } else { None };
    if parsed.is_none() {
        bad(Bad { file: file.name(), content: Ok(Shown::new(text)) });
    }
    parsed
}

fn content(name: &CStr, bytes: &mut [u8]) -> Result<usize, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::open(name, flags, Mode::empty())?;
    let mut length = 0;
    while length < bytes.len() {
        match sys::read(&file, &mut bytes[length..])? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_fit_is_shown() {
        assert_eq!(Shown::new(b"a\n\x1b\xff").as_bytes(), b"a???");
        assert_eq!(Shown::new(&[b'x'; 99]).as_bytes(), [b'x'; 32]);
    }
}
