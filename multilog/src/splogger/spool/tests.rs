//! Spools in scratch directories, filled, emptied and taken over in any order.

use super::*;
use alloc::ffi::CString;
use proptest::prelude::*;
use std::path::PathBuf;

struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("splogger-spool-{}-{count}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn open(&self, drop_oldest: bool) -> Spool {
        let path = CString::new(self.0.to_str().expect("UTF-8")).expect("no NUL");
        // Arguments live as long as the program.
        let directory = Box::leak(path.into_boxed_c_str());
        Spool::find(&Spooling { directory, bytes: 1 << 20, drop_oldest }).expect("opened")
    }

    fn segments(&self) -> usize {
        std::fs::read_dir(&self.0).expect("a directory").count() - 1
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[derive(Debug, Clone)]
enum Step {
    /// Messages of these lengths come.
    Append(Vec<usize>),
    /// So many are sent, if there are so many.
    Send(usize),
    /// All but the last so many of them have arrived.
    Confirm(usize),
    /// The connection breaks.
    Rewind,
    /// The process is killed, and started again.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let length = prop_oneof![3 => 1_usize..100, 1 => 1_usize..60_000, 1 => Just(300_000)];
    prop_oneof![
        3 => prop::collection::vec(length, 1..8).prop_map(Step::Append),
        3 => (0_usize..12).prop_map(Step::Send),
        2 => (0_usize..6).prop_map(Step::Confirm),
        1 => Just(Step::Rewind),
        1 => Just(Step::Reopen),
    ]
}

fn message(number: usize, length: usize) -> Vec<u8> {
    let mut message = vec![b'x'; length];
    let number = number.to_le_bytes();
    let length = length.min(8);
    message[..length].copy_from_slice(&number[..length]);
    message
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// The spool is a list with two places in it, whatever becomes of the process.
    #[test]
    fn it_is_a_queue_that_survives(steps in prop::collection::vec(step(), 1..40)) {
        let scratch = Scratch::new();
        let mut spool = scratch.open(false);
        let (mut all, mut arrived, mut sent) = (Vec::<Vec<u8>>::new(), 0, 0);
        for step in steps {
            match step {
                Step::Append(lengths) => {
                    let next = all.len();
                    let numbered = lengths.iter().enumerate();
                    let new = numbered.map(|(at, length)| message(next + at, *length));
                    let new: VecDeque<Vec<u8>> = new.collect();
                    spool.append(&new, 0).expect("written");
                    let taken = spool.appended();
                    let all_fit = taken == new.len();
                    all.extend(new.into_iter().take(taken));
                    let waiting: usize = all[arrived..].iter().map(Vec::len).sum();
                    // Segments of which all but the end has arrived take room, too.
                    prop_assert!(all_fit || waiting + 750_000 > 1 << 20);
                }
                Step::Send(count) => {
                    for _ in 0..count {
                        let there = spool.advance().expect("readable");
                        prop_assert_eq!(there, sent < all.len());
                        if !there {
                            break;
                        }
                        prop_assert!(spool.message() == all[sent], "message {}", sent);
                        spool.sent();
                        sent += 1;
                    }
                }
                Step::Confirm(left) => {
                    spool.confirm(left);
                    arrived = arrived.max(sent.saturating_sub(left));
                }
                Step::Rewind => {
                    spool.rewind();
                    sent = arrived;
                }
                Step::Reopen => {
                    drop(spool);
                    spool = scratch.open(false);
                    sent = arrived;
                }
            }
            prop_assert_eq!(spool.is_in_flight(), sent > arrived);
        }
        spool.rewind();
        for expected in &all[arrived..] {
            prop_assert!(spool.advance().expect("readable"));
            prop_assert!(spool.message() == expected.as_slice());
            spool.sent();
        }
        prop_assert!(!spool.advance().expect("readable"));
        spool.confirm(0);
        prop_assert!(spool.is_empty());
        prop_assert_eq!(scratch.segments(), 0);
    }
}

#[test]
fn what_was_sent_before_it_came_here_is_not_sent_again_unless_it_is_lost() {
    let scratch = Scratch::new();
    let mut spool = scratch.open(false);
    let messages: VecDeque<Vec<u8>> = (0..5).map(|number| message(number, 20)).collect();
    spool.append(&messages, 3).expect("written");
    assert_eq!(spool.advance(), Ok(true));
    assert_eq!(spool.message(), messages[3]);
    spool.confirm(2);
    spool.rewind();
    assert_eq!(spool.advance(), Ok(true));
    assert_eq!(spool.message(), messages[1]);
}

#[test]
fn the_oldest_make_room() {
    let scratch = Scratch::new();
    let mut spool = scratch.open(true);
    let messages: VecDeque<Vec<u8>> = (0..3000).map(|number| message(number, 1000)).collect();
    spool.append(&messages, 0).expect("written");
    assert_eq!(spool.appended(), 3000);
    let dropped = usize::try_from(spool.dropped()).expect("small");
    assert!((1900..2200).contains(&dropped), "{dropped}");
    for expected in messages.iter().skip(dropped) {
        assert_eq!(spool.advance(), Ok(true));
        assert!(spool.message() == expected.as_slice());
        spool.sent();
    }
    assert_eq!(spool.advance(), Ok(false));
}

#[test]
fn damage_is_told_once_and_what_comes_after_it_is_sent() {
    let scratch = Scratch::new();
    let mut spool = scratch.open(false);
    let messages: VecDeque<Vec<u8>> = (0..3).map(|number| message(number, 20)).collect();
    spool.append(&messages, 0).expect("written");
    drop(spool);
    let segment = scratch.0.join("0000000000000001");
    let mut bytes = std::fs::read(&segment).expect("a segment");
    bytes[HEAD as usize + 2 * segment::RECORD + 30] ^= 1;
    std::fs::write(&segment, bytes).expect("written");
    let mut spool = scratch.open(false);
    assert_eq!(spool.advance(), Ok(true));
    assert_eq!(spool.message(), messages[0]);
    spool.sent();
    assert_eq!(spool.advance(), Ok(false));
    // The first is in flight, so that the segment stays: the damage must not be found again.
    assert_eq!(spool.next.found(), Found::More(segment::RECORD));
    spool.append(&VecDeque::from([message(3, 20)]), 0).expect("written");
    assert_eq!(spool.advance(), Ok(true));
    assert_eq!(spool.message(), message(3, 20));
    spool.sent();
    spool.confirm(0);
    assert_eq!(spool.advance(), Ok(false));
    assert!(spool.is_empty());
}
