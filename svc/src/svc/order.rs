//! What svc is asked to do: letters to send, and perhaps a state to wait for.

use super::goal::{Goal, Target, Whose};
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt, Takes, Word};
use common::{Failure, Name, number};
use core::time::Duration;
use supervise::status::Want;
use sys::Args;

/// What svc is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Order {
    /// The letters, in the order in which supervise gets them.
    pub(crate) letters: Vec<u8>,
    /// What to wait for, if for anything.
    pub(crate) goal: Option<Goal>,
    /// How long to wait at most; `None`: for ever.
    pub(crate) patience: Option<Duration>,
}

/// An order that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// An option that isn't known, or without its value.
    Illegal(common::getopt::Illegal),
    /// A state or a time that is none.
    Value(&'static [u8], &'static [u8]),
    /// Two states that exclude each other.
    Conflict,
}

const LETTERS: &[u8] = b"udopchaitkxq12w+=LlDURW:T:E";
const RESTART: u8 = 0xF0;
const PATIENCE: Duration = Duration::from_secs(60);

const WORDS: &[Word] = &[
    Word { name: "down", letter: b'D', takes: Takes::Nothing },
    Word { name: "up", letter: b'U', takes: Takes::Nothing },
    Word { name: "ready", letter: b'R', takes: Takes::Nothing },
    Word { name: "restart", letter: RESTART, takes: Takes::Nothing },
    Word { name: "wait", letter: b'W', takes: Takes::Value },
    Word { name: "timeout", letter: b'T', takes: Takes::Value },
    Word { name: "upgrade", letter: b'E', takes: Takes::Nothing },
];

/// What follows an option that isn't known: 0.76's line, and one for what came later.
const OPTIONS: &[u8] = b"svc options: u up, d down, o once, x exit, p pause, c continue, \
    h hup, a alarm, i interrupt, t term, k kill\n\
    svc options: q quit, 1 usr1, 2 usr2, w winch, + group, = alone, L log, l service, E upgrade\n\
    svc options: D down, U up, R ready, --restart (all wait), W wait for, T timeout\n";

/// Reads the options; gives the order and the directories.
///
/// # Errors
/// The first thing that is wrong.
pub(crate) fn read(args: Args) -> Result<(Order, Args), Wrong> {
    let mut options = Getopt::new(args, LETTERS).with_words(WORDS);
    let mut letters = Letters::default();
    let mut target: Option<Target> = None;
    let mut fresh = false;
    let mut patience = Some(PATIENCE);
    let mut whose = Whose::Service;
    for option in options.by_ref() {
        let wanted = match option.map_err(Wrong::Illegal)? {
            Opt::Flag(letter @ (b'D' | b'U' | b'R' | RESTART)) => {
                letters.push(match letter {
                    b'D' => b'd',
                    RESTART => b't',
                    _ => b'u',
                });
                fresh |= letter == RESTART;
                Some(match letter {
                    b'D' => Target::Down,
                    b'R' => Target::Ready,
                    _ => Target::Up,
                })
            }
            Opt::Value(b'W', state) => {
                let state = state.to_bytes();
                Some(Target::named(state).ok_or(Wrong::Value(b"state", state))?)
            }
            Opt::Value(_, time) => {
                let time = time.to_bytes();
                let time = seconds(time).ok_or(Wrong::Value(b"time", time))?;
                patience = Some(time).filter(|time| !time.is_zero());
                None
            }
            Opt::Flag(letter) => {
                letters.push(letter);
                None
            }
        };
        if let Some(wanted) = wanted {
            whose = letters.whose;
            let both = target.map_or(Some(wanted), |target| target.and(wanted));
            target = Some(both.ok_or(Wrong::Conflict)?);
        }
    }
    let goal = match target {
        Some(Target::Down | Target::Gone) if fresh => return Err(Wrong::Conflict),
        Some(target) => Some(Goal { target, fresh, whose, expects: letters.expects(whose) }),
        None => None,
    };
    Ok((Order { letters: letters.end(), goal, patience }, options.rest()))
}

impl Wrong {
    /// The message, with exit code 100.
    pub(crate) fn failure(&self, name: Name) -> Failure {
        match self {
            Self::Illegal(illegal) => {
                illegal.with_usage(Failure { code: 100, text: OPTIONS.to_vec() })
            }
            Self::Value(what, value) => {
                name.fatal(100, &[b"unable to understand ", what, b" ", value])
            }
            Self::Conflict => name.fatal(100, &[b"unable to wait for two states at once"]),
        }
    }
}

/// Seconds, perhaps with a fraction.
fn seconds(text: &[u8]) -> Option<Duration> {
    let point = text.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = text.split_at(point.unwrap_or(text.len()));
    let whole = Duration::from_secs(number::whole(whole)?);
    let digits = fraction.get(1..).unwrap_or_default();
    if fraction.len() == 1 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let nanoseconds = (0..9).fold(0, |sum, place| {
        10 * sum + digits.get(place).map_or(0, |digit| u32::from(digit - b'0'))
    });
    Some(whole + Duration::from_nanos(nanoseconds.into()))
}

/// Letters as they gather.
///
/// 0.76 takes each letter once. `+ = L l` change what the letters after them are for, so a letter
/// counts as another one after them: `-Ldld` sends all four.
#[derive(Default)]
struct Letters {
    bytes: Vec<u8>,
    seen: Vec<(u8, bool, Whose)>,
    group: bool,
    whose: Whose,
}

impl Letters {
    fn push(&mut self, letter: u8) {
        let before = (self.group, self.whose);
        match letter {
            b'+' => self.group = true,
            b'=' => self.group = false,
            b'L' => self.whose = Whose::Log,
            b'l' => self.whose = Whose::Service,
            _ => {
                let key = (letter, self.group, self.whose);
                if !self.seen.contains(&key) {
                    self.seen.push(key);
                    self.bytes.push(letter);
                }
                return;
            }
        }
        if (self.group, self.whose) != before {
            self.bytes.push(letter);
        }
    }

    /// What is wanted of the one or the other when all letters are obeyed.
    fn expects(&self, whose: Whose) -> Option<Want> {
        let theirs = self.seen.iter().rev().filter(|(_, _, theirs)| *theirs == whose);
        theirs.into_iter().find_map(|(letter, _, _)| match letter {
            b'u' => Some(Want::Up),
            b'd' => Some(Want::Down),
            b'o' => Some(Want::Once),
            _ => None,
        })
    }

    /// All of them, and then back to what holds at first: supervise may read the next command
    /// together with this one.
    fn end(mut self) -> Vec<u8> {
        if self.group {
            self.push(b'=');
        }
        if self.whose == Whose::Log {
            self.push(b'l');
        }
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use supervise::command::Command;

    fn order(list: &[&str]) -> Result<(Order, usize), Wrong> {
        let args = ["svc"].iter().chain(list).map(|text| CString::new(*text).expect("no NUL"));
        read(Args::new(args.collect())).map(|(order, rest)| (order, rest.len()))
    }

    fn letters(list: &[&str]) -> String {
        String::from_utf8(order(list).expect("an order").0.letters).expect("ASCII")
    }

    #[test]
    fn letters_in_order_each_once() {
        for (list, expected) in [
            (&["-udopchaitkx"][..], "udopchaitkx"),
            (&["-xktiahcpodu", "-udu"], "xktiahcpodu"),
            (&["-uduu", "-d", "--"], "ud"),
            (&["-q12w"], "q12w"),
            (&["-E", "--upgrade"], "E"),
            (&[], ""),
        ] {
            assert_eq!(letters(list), expected, "{list:?}");
        }
    }

    #[test]
    fn what_letters_are_for_makes_them_others() {
        for (list, expected) in [
            (&["-+t=u"][..], "+t=u"),
            (&["-+t"], "+t="),
            (&["-t+t+t"], "t+t="),
            (&["-Ld"], "Ldl"),
            (&["-Ldld"], "Ldld"),
            (&["-dLd"], "dLdl"),
            (&["-l=d"], "d"),
            (&["-L+k"], "L+k=l"),
        ] {
            assert_eq!(letters(list), expected, "{list:?}");
        }
    }

    #[test]
    fn all_of_the_protocols_letters_are_options_and_explained() {
        for (letter, _) in Command::LETTERS {
            assert!(LETTERS.contains(&letter));
            let text = [b' ', letter, b' '];
            assert!(OPTIONS.windows(3).any(|window| window == text), "{}", char::from(letter));
        }
    }

    #[test]
    fn goals() {
        let goal = |target, expects| Goal { target, fresh: false, whose: Whose::Service, expects };
        let down = goal(Target::Down, Some(Want::Down));
        let up = goal(Target::Up, Some(Want::Up));
        for (list, sent, expected) in [
            (&["-D"][..], "d", down),
            (&["--down"], "d", down),
            (&["-Dx"], "dx", down),
            (&["-dD"], "d", down),
            (&["-U"], "u", up),
            (&["--up"], "u", up),
            (&["-R"], "u", goal(Target::Ready, Some(Want::Up))),
            (&["--ready", "-U"], "u", goal(Target::Ready, Some(Want::Up))),
            (&["--restart"], "t", Goal { fresh: true, expects: None, ..up }),
            (&["--restart", "-Wready"], "t", Goal { fresh: true, ..goal(Target::Ready, None) }),
            (&["-W", "down"], "", goal(Target::Down, None)),
            (&["--wait=up"], "", goal(Target::Up, None)),
            (&["--wait", "ready"], "", goal(Target::Ready, None)),
            (&["-dxWgone"], "dx", goal(Target::Gone, Some(Want::Down))),
            (&["-D", "--wait=gone"], "d", goal(Target::Gone, Some(Want::Down))),
            (&["-oWdown"], "o", goal(Target::Down, Some(Want::Once))),
            (&["-duW", "up"], "du", up),
            (&["-LD"], "Ldl", Goal { whose: Whose::Log, ..down }),
            (&["-uLD"], "uLdl", Goal { whose: Whose::Log, ..down }),
            (&["-LdlU"], "Ldlu", up),
        ] {
            let found = order(list).expect("an order").0;
            assert_eq!(String::from_utf8(found.letters).expect("ASCII"), sent, "{list:?}");
            assert_eq!(found.goal, Some(expected), "{list:?}");
        }
        assert_eq!(order(&["-u", "-T5", "s"]).expect("an order").0.goal, None);
    }

    #[test]
    fn times() {
        let time = |text| order(&["-T", text]).map(|(order, _)| order.patience);
        for (text, milliseconds) in
            [("1", 1_000), ("0.5", 500), ("2.250", 2_250), ("007", 7_000), ("1.0000000009", 1_000)]
        {
            assert_eq!(time(text), Ok(Some(Duration::from_millis(milliseconds))), "{text}");
        }
        for forever in ["0", "0.0", "00.000"] {
            assert_eq!(time(forever), Ok(None));
        }
        for wrong in ["", ".", ".5", "5.", "-1", "1s", "1.x", "1.5.5", "18446744073709551616"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
        assert_eq!(order(&[]).expect("an order").0.patience, Some(PATIENCE));
        assert_eq!(
            time("18446744073709551615.9").expect("a time").map(|t| t.as_secs()),
            Some(u64::MAX)
        );
    }

    #[test]
    fn what_makes_no_sense() {
        for list in [&["-DU"][..], &["-D", "--wait=up"], &["--restart", "-D"], &["-U", "-Wgone"]] {
            assert_eq!(order(list), Err(Wrong::Conflict), "{list:?}");
        }
        assert_eq!(order(&["-Wnowhere"]), Err(Wrong::Value(b"state", b"nowhere")));
        for list in [&["-Z"][..], &["-u-"], &["--anything"], &["-W"], &["--down=5"], &["-T"]] {
            assert!(matches!(order(list), Err(Wrong::Illegal(_))), "{list:?}");
        }
    }

    #[test]
    fn directories_follow() {
        assert_eq!(order(&["-u", "a", "-d"]).expect("an order").1, 2);
        assert_eq!(order(&["-u", "--", "-d"]).expect("an order").1, 1);
    }
}
