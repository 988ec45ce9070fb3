//! What a multilog that can't write tells of itself: it shows `multilog: pausing: `, and why, in place of its arguments.

use common::decimal;
use core::ffi::CStr;
use core::fmt;
use sys::fs::{self, Mode, OFlags};

/// What there is to be known of a supervised process as a logger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// It isn't a multilog that can be looked at.
    Unknown,
    /// A multilog that can write.
    Well,
    /// A multilog that can't, and waits until it can.
    Pausing(Why),
}

/// Why a multilog pauses, in its own words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Why {
    text: [u8; LONGEST as usize],
    length: u8,
}

/// No multilog shows more. (Kept in place: svstat that follows services takes no more memory.)
const LONGEST: u8 = 192;

/// What a multilog that pauses is called in place of its arguments, unless there is room for less.
const PAUSING: &[u8] = b"multilog: pausing: ";

/// Looks at a process by its id.
///
/// Its name is looked at first: /proc/PID/comm never makes its reader wait, as the arguments of a process that is stuck in the
/// kernel might; and no other program is asked what it has in place of its arguments.
pub(crate) fn look(pid: u32) -> Writer {
    let mut bytes = [0; 512];
    match read(pid, b"/comm\0", &mut bytes) {
        Some(b"multilog\n") => {}
        Some(_) | None => return Writer::Unknown,
    }
    read(pid, b"/cmdline\0", &mut bytes).map_or(Writer::Unknown, understand)
}

/// What a multilog's arguments tell.
pub(crate) fn understand(arguments: &[u8]) -> Writer {
    let shown = arguments.split(|byte| *byte == 0).next().unwrap_or_default();
    if let Some(text) = shown.strip_prefix(PAUSING) {
        return Writer::Pausing(Why::new(text));
    }
    // Little room for it, and so little of it.
    if shown.starts_with(b"multilog:") && PAUSING.starts_with(shown) {
        return Writer::Pausing(Why::new(b"it does not say why"));
    }
    Writer::Well
}

impl Why {
    fn new(told: &[u8]) -> Self {
        let length = u8::try_from(told.len()).unwrap_or(LONGEST).min(LONGEST);
        let mut text = [0; LONGEST as usize];
        for (byte, told) in text.iter_mut().zip(told) {
            *byte = if matches!(told, b' '..=b'~') { *told } else { b'?' };
        }
        Self { text, length }
    }

    /// Printable ASCII: what else was in it, in the name of a directory, became `?`.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text[..self.length.into()]
    }
}

impl fmt::Debug for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.text()).unwrap_or_default())
    }
}

/// The beginning of a file of a process; `None` without one, or without /proc.
fn read<'a>(pid: u32, name: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let path = [b"/proc/", decimal(pid.into()).as_bytes(), name].concat();
    let path = CStr::from_bytes_with_nul(&path).ok()?;
    let file = fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let length = sys::read(&file, buffer).ok()?;
    Some(&buffer[..length])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_pauses_says_so() {
        for (arguments, expected) in [
            (&b"multilog\0t\0./main\0"[..], None),
            (b"", None),
            (b"multilog: \0", Some("it does not say why")),
            (b"multilog:", Some("it does not say why")),
            (b"multilog: pau", Some("it does not say why")),
            (
                b"multilog: pausing: unable to read ./\n\x1b[1m\xc3\xa4: x\0\0A=1\0",
                Some("unable to read ./??[1m??: x"),
            ),
            (b"/bin/multilog\0multilog: pausing: x\0", None),
            (b"multilog: other\0", None),
        ] {
            let found = match understand(arguments) {
                Writer::Pausing(why) => {
                    Some(String::from_utf8(why.text().to_vec()).expect("ASCII"))
                }
                Writer::Well | Writer::Unknown => None,
            };
            assert_eq!(found.as_deref(), expected, "{arguments:?}");
        }
        let long = [PAUSING, &[b'x'; 1000]].concat();
        assert_eq!(understand(&long), Writer::Pausing(Why::new(&[b'x'; LONGEST as usize])));
    }

    #[test]
    fn another_program_is_no_multilog() {
        assert_eq!(look(std::process::id()), Writer::Unknown);
        assert_eq!(look(u32::MAX), Writer::Unknown);
    }
}
