//! How much of the batch in hand has come out into one log: what its files tell. Pure.
//!
//! A file is known by the number of its inode. The one that a log is rotated to never has the number of the one before it,
//! which is still open, or has its final name.

/// Where in a log the output of a batch begins, so that the files tell how much of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Which log: a checksum of its directory's name and of what selects its lines.
    pub(crate) log: u64,
    pub(crate) counted: Counted,
    /// How much of the batch's output is in other files than the one that is counted.
    pub(crate) elsewhere: u64,
    /// Whether the line that was in hand when the batch began goes here.
    pub(crate) takes_line: bool,
}

/// What of `current` is output of the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counted {
    /// If it is this file, what follows this offset; otherwise nothing that is known.
    From { file: u64, offset: u64 },
    /// All of it, unless it is this file, whose part is counted elsewhere.
    AllBut { file: u64 },
}

/// A `current` as it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct File {
    /// The number of its inode.
    pub(crate) number: u64,
    pub(crate) size: u64,
}

impl Place {
    /// That of a log of which no batch has anything yet.
    pub(crate) fn new(log: u64, current: Option<File>, takes_line: bool) -> Self {
        let (file, offset) = current.map_or((0, 0), |file| (file.number, file.size));
        Self { log, counted: Counted::From { file, offset }, elsewhere: 0, takes_line }
    }

    /// How much of the batch's output the log has.
    pub(crate) fn there(&self, current: Option<File>) -> u64 {
        let in_current = match (self.counted, current) {
            (Counted::From { file, offset }, Some(current)) if current.number == file => {
                current.size.saturating_sub(offset)
            }
            (Counted::AllBut { file }, Some(current)) if current.number != file => current.size,
            (Counted::From { .. } | Counted::AllBut { .. }, _) => 0,
        };
        self.elsewhere.saturating_add(in_current)
    }

    /// `current` is about to be replaced by another file: what it has is counted as it stands.
    pub(crate) fn leave(&mut self, current: Option<File>) {
        self.elsewhere = self.there(current);
        let (Counted::From { file, .. } | Counted::AllBut { file }) = self.counted;
        let file = current.map_or(file, |current| current.number);
        self.counted = Counted::AllBut { file };
    }

    /// `current` is gone on with.
    pub(crate) fn stay(&mut self, current: File) {
        let is_counted = match self.counted {
            Counted::From { file, .. } => file == current.number,
            Counted::AllBut { file } => file != current.number,
        };
        if !is_counted {
            let (file, offset) = (current.number, current.size);
            self.counted = Counted::From { file, offset };
        }
    }

    /// A batch begins.
    pub(crate) fn begin(&mut self, current: File, takes_line: bool) {
        *self = Self::new(self.log, Some(current), takes_line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEVEN: u64 = 7;

    fn file(number: u64, size: u64) -> Option<File> {
        Some(File { number, size })
    }

    /// All that can be found, and what it tells.
    #[test]
    fn what_the_files_tell() {
        let from = Counted::From { file: SEVEN, offset: 100 };
        let all_but = Counted::AllBut { file: SEVEN };
        for (counted, current, there) in [
            (from, file(7, 130), 35),
            (from, file(7, 100), 5),
            // Somebody emptied it.
            (from, file(7, 99), 5),
            // Somebody put another in its place.
            (from, file(8, 130), 5),
            (from, None, 5),
            (all_but, file(7, 130), 5),
            (all_but, file(8, 130), 135),
            (all_but, None, 5),
        ] {
            let place = Place { log: 1, counted, elsewhere: 5, takes_line: false };
            assert_eq!(place.there(current), there, "{counted:?} {current:?}");
            let mut left = place;
            left.leave(current);
            assert_eq!(left.there(current), there, "{counted:?} {current:?}");
            assert_eq!(left.there(None), there, "{counted:?} {current:?}");
            assert_eq!(left.there(file(9, 4)), there + 4, "{counted:?} {current:?}");
            let again = left;
            left.leave(current);
            assert_eq!(left, again, "a rotation may be tried twice");
            if let Some(current) = current {
                let mut stayed = place;
                stayed.stay(current);
                let grown = File { size: current.size + 3, ..current };
                assert_eq!(stayed.there(Some(current)), there, "{counted:?} {current:?}");
                // What was emptied is counted from where it was, which can't be known better.
                if current.size >= 100 {
                    assert_eq!(stayed.there(Some(grown)), there + 3, "{counted:?} {current:?}");
                }
            }
        }
    }

    #[derive(Debug, Clone, Copy)]
    enum Event {
        Write(u64),
        Rotate,
        Begin,
        /// It ends with a crash at this point of a rotation, if there is one: `current` becomes a finished file.
        Crash {
            continued: bool,
        },
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (1_u64..50).prop_map(Event::Write),
            2 => Just(Event::Rotate),
            1 => Just(Event::Begin),
            1 => any::<bool>().prop_map(|continued| Event::Crash { continued }),
        ]
    }

    proptest! {
        /// Inodes are used again as soon as that can be: that of the file before the last.
        #[test]
        fn whatever_happens_the_files_tell_how_much_there_is(events in prop::collection::vec(event(), 0..40)) {
            let mut current = File { number: 1, size: 10 };
            let mut place = Place::new(1, Some(current), false);
            let mut written = 0;
            let other = |current: File| File { number: 3 - current.number, size: 0 };
            for event in events {
                match event {
                    Event::Write(count) => {
                        current.size += count;
                        written += count;
                    }
                    Event::Rotate => {
                        place.leave(Some(current));
                        prop_assert_eq!(place.there(Some(current)), written);
                        prop_assert_eq!(place.there(None), written);
                        current = other(current);
                    }
                    Event::Begin => {
                        place.begin(current, true);
                        written = 0;
                    }
                    Event::Crash { continued: true } => place.stay(current),
                    Event::Crash { continued: false } => {
                        place.leave(Some(current));
                        current = other(current);
                    }
                }
                prop_assert_eq!(place.there(Some(current)), written);
            }
        }
    }
}
