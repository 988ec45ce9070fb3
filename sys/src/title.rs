//! What ps(1) shows of a program's arguments: its last one, written over again and again (readproctitle), or a text in their
//! place for a while (multilog).

use crate::args::{Args, Env, vacate};
use alloc_crate::vec::Vec;

/// The bytes of one argument, to be overwritten in place.
pub struct Title {
    bytes: &'static mut [u8],
}

impl Title {
    /// Takes the last argument over. `None` if there is none to take: the program's own name stays.
    ///
    /// The argument must no longer be read through [`Args`]; so the arguments are consumed, and a
    /// caller keeps none of their strings.
    #[must_use]
    pub fn of_last(args: Args) -> Option<Self> {
        let last = args.get(args.len().checked_sub(1).filter(|index| *index > 0)?)?;
        let length = last.count_bytes();
        // SAFETY: the kernel (or `Args::new`) laid the string out in writable memory that lives as
        // long as the process. Only `length` bytes are touched, so the NUL behind them stays and
        // the string remains a C string for whoever walks the vector.
        let bytes =
            unsafe { core::slice::from_raw_parts_mut(last.as_ptr().cast_mut().cast(), length) };
        Some(Self { bytes })
    }

    /// How many bytes can be shown.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing can be shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Shows the last [`Self::len`] bytes of `text`; what they don't fill keeps its bytes.
    pub fn show(&mut self, text: &[u8]) {
        let shown = &text[text.len().saturating_sub(self.bytes.len())..];
        self.bytes[..shown.len()].copy_from_slice(shown);
    }
}

/// A text in place of a program's arguments, for as long as it likes: where ps(1), and /proc/PID/cmdline, show those.
pub struct Placard {
    room: &'static mut [u8],
    arguments: Vec<u8>,
}

/// So long may a text be with the NUL behind it, if arguments and environment are.
const LONGEST: usize = 212;

impl Placard {
    /// Makes room: moves the arguments, and what is needed of the environment behind them, to memory of their own, where
    /// `args` and `env` find them from then on.
    ///
    /// For the very start: strings that were taken from `args` and `env` before must not be used any more.
    #[must_use]
    pub fn over(args: Args, env: Env) -> Self {
        let room = vacate(args, env, LONGEST);
        Self { arguments: room.to_vec(), room }
    }

    /// How many bytes can be shown.
    #[must_use]
    pub fn len(&self) -> usize {
        self.room.len().saturating_sub(1)
    }

    /// Whether nothing can be shown.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shows the first [`Self::len`] bytes of `text`.
    pub fn show(&mut self, text: &[u8]) {
        let shown = text.len().min(self.len());
        // The end first: whoever reads meanwhile finds a NUL behind what there is.
        self.room[shown..].fill(0);
        self.room[..shown].copy_from_slice(&text[..shown]);
    }

    /// Shows the arguments again.
    pub fn take_off(&mut self) {
        self.room.copy_from_slice(&self.arguments);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Startup;
    use alloc_crate::boxed::Box;
    use core::ffi::{CStr, c_char};

    /// Strings as the kernel lays them out, arguments and environment; and where they begin.
    fn laid_out(args: &[&str], env: &[&str]) -> (Startup, *const u8) {
        let all = args.iter().chain(env).map(|text| format!("{text}\0")).collect::<String>();
        let first = Box::leak(all.into_bytes().into_boxed_slice()).as_mut_ptr();
        let mut at = first;
        let mut pointers = |list: &[&str]| {
            let mut all: Vec<*const c_char> = Vec::new();
            for text in list {
                all.push(at.cast());
                at = at.wrapping_add(text.len() + 1);
            }
            all.push(core::ptr::null());
            Box::leak(all.into_boxed_slice()).as_mut_ptr().cast_const()
        };
        let (argv, envp) = (pointers(args), pointers(env));
        // SAFETY: both arrays are laid out right above, and never freed.
        (unsafe { Startup::new(args.len(), argv, envp) }, first)
    }

    fn shown(first: *const u8) -> &'static str {
        // SAFETY: what is laid out lives as long as the process, and ends with a NUL.
        unsafe { CStr::from_ptr(first.cast()) }.to_str().expect("ASCII")
    }

    #[test]
    fn a_text_stands_in_place_of_the_arguments_and_goes_again() {
        let (Startup { args, env }, first) =
            laid_out(&["multilog", "./main"], &["PATH=/bin", "A=1"]);
        let mut placard = Placard::over(args, env);
        assert_eq!(placard.len(), "multilog ./main PATH=/bin A=1".len());
        for text in ["short", "a text that reaches into PATH"] {
            placard.show(text.as_bytes());
            assert_eq!(shown(first), text);
            assert_eq!(args.iter().collect::<Vec<_>>(), [c"multilog", c"./main"]);
            assert_eq!(env.iter().collect::<Vec<_>>(), [c"PATH=/bin", c"A=1"]);
        }
        placard.show(&[b'x'; 100]);
        assert_eq!(shown(first), "x".repeat(placard.len()));
        placard.take_off();
        assert_eq!(shown(first), "multilog");
        assert_eq!(placard.room, b"multilog\0./main\0PATH=/bin\0A=1\0");
    }

    #[test]
    fn no_more_room_is_made_than_is_needed() {
        let long = "y".repeat(600);
        let (Startup { args, env }, first) = laid_out(&["multilog", &long], &["A=1"]);
        let untouched = env.get(b"A").expect("A").as_ptr();
        let mut placard = Placard::over(args, env);
        assert_eq!(placard.len(), LONGEST - 1);
        assert_eq!(env.get(b"A").expect("A").as_ptr(), untouched);
        placard.show(&[b'x'; 1000]);
        assert_eq!(shown(first), "x".repeat(LONGEST - 1));
        assert_eq!(args.get(1).expect("an argument").to_bytes(), long.as_bytes());
        assert!(Placard::over(Args::new(Vec::new()), env).is_empty());
    }
}
