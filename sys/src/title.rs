//! The one writable piece of a program's arguments: what ps(1) shows (readproctitle).

use crate::args::Args;

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
