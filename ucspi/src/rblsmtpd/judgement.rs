//! Who is refused, with which code and words.

use super::options::{List, Options};
use alloc::vec::Vec;

/// A reply has so many bytes of text at most, as the original's.
const LONGEST_TEXT: usize = 200;

/// What becomes of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The program may talk to it.
    Pass,
    /// Its mail isn't taken.
    Refuse(Refusal),
}

/// What it is told instead.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The code and the text, without the end of the line.
    pub(super) reply: Vec<u8>,
}

/// What a list says of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Listing {
    /// It isn't there.
    Absent,
    /// It is there, with this text.
    Listed(Vec<u8>),
    /// Nobody can tell at the moment.
    Unknown,
}

/// What a client is to do about the refusal.
#[derive(Clone, Copy)]
enum Advice {
    /// 451: try again later. The sender doesn't hear of it for days, and the list may change.
    TryAgain,
    /// 553: tell the sender.
    GiveUp,
}

impl Verdict {
    /// What `RBLSMTPD` says, which counts more than any list: refused with these words, for good if
    /// they come after a `-`; let in if there are none.
    pub(super) fn of_variable(text: &[u8]) -> Self {
        match text {
            [] => Self::Pass,
            [b'-', text @ ..] => Self::Refuse(Refusal::new(Advice::GiveUp, text)),
            text => Self::Refuse(Refusal::new(Advice::TryAgain, text)),
        }
    }

    /// What the lists say, asked one after the other until one decides.
    pub(super) fn of_lists(options: &Options, mut ask: impl FnMut(List) -> Listing) -> Self {
        let mut advice = if options.give_up { Advice::GiveUp } else { Advice::TryAgain };
        for list in &options.lists {
            match (list, ask(*list)) {
                (List::LetIn(_), Listing::Listed(_)) => return Self::Pass,
                (List::LetIn(_), Listing::Unknown) if !options.fail_closed => return Self::Pass,
                // It might have let the client in: what comes now isn't for good.
                (List::LetIn(_), Listing::Unknown) => advice = Advice::TryAgain,
                (List::Refused(_), Listing::Listed(text)) => {
                    return Self::Refuse(Refusal::new(advice, &text));
                }
                (List::Refused(_), Listing::Unknown) if options.fail_closed => {
                    let text = b"temporary RBL lookup error";
                    return Self::Refuse(Refusal::new(Advice::TryAgain, text));
                }
                (List::Refused(_), Listing::Unknown) | (_, Listing::Absent) => {}
            }
        }
        Self::Pass
    }
}

impl Refusal {
    /// Whoever runs the list writes the text: it must not be able to end the line, nor to send a
    /// terminal anything.
    fn new(advice: Advice, text: &[u8]) -> Self {
        let code: &[u8] = match advice {
            Advice::TryAgain => b"451 ",
            Advice::GiveUp => b"553 ",
        };
        let mut reply = code.to_vec();
        reply.extend(text.iter().take(LONGEST_TEXT).copied().map(harmless));
        Self { reply }
    }
}

/// The byte, or `?` where it isn't printable ASCII.
pub(super) fn harmless(byte: u8) -> u8 {
    if matches!(byte, b' '..=b'~') { byte } else { b'?' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ffi::CString;
    use sys::Args;

    fn options(words: &[&str]) -> Options {
        let words = ["rblsmtpd"].iter().chain(words).chain(&["smtpd"]);
        let words = words.map(|word| CString::new(*word).expect("no NUL")).collect();
        Options::parse(Args::new(words)).unwrap_or_else(|_| panic!("a command line"))
    }

    /// Each list is named after what it says.
    fn judged(words: &[&str]) -> String {
        let verdict = Verdict::of_lists(&options(words), |list| {
            let (List::Refused(base) | List::LetIn(base)) = list;
            match base.to_bytes() {
                b"no" => Listing::Absent,
                b"unknown" => Listing::Unknown,
                text => Listing::Listed(text.to_vec()),
            }
        });
        text(&verdict)
    }

    fn text(verdict: &Verdict) -> String {
        match verdict {
            Verdict::Pass => "pass".into(),
            Verdict::Refuse(refusal) => String::from_utf8(refusal.reply.clone()).expect("ASCII"),
        }
    }

    #[test]
    fn the_first_list_that_decides() {
        const TROUBLE: &str = "451 temporary RBL lookup error";
        for (words, verdict) in [
            (&[][..], "pass"),
            (&["-r", "no"], "pass"),
            (&["-r", "no", "-r", "spam"], "451 spam"),
            (&["-b", "-r", "spam", "-r", "more"], "553 spam"),
            (&["-bB", "-r", "spam"], "451 spam"),
            (&["-a", "yes", "-r", "spam"], "pass"),
            (&["-r", "spam", "-a", "yes"], "451 spam"),
            (&["-a", "no", "-b", "-r", "spam"], "553 spam"),
            (&["-r", "unknown"], "pass"),
            (&["-r", "unknown", "-r", "spam"], "451 spam"),
            (&["-a", "unknown", "-r", "spam"], "pass"),
            (&["-c", "-r", "unknown", "-r", "spam"], TROUBLE),
            (&["-cb", "-r", "unknown"], TROUBLE),
            (&["-cC", "-r", "unknown"], "pass"),
            (&["-cb", "-a", "unknown", "-r", "spam"], "451 spam"),
            (&["-c", "-a", "unknown", "-a", "yes", "-r", "spam"], "pass"),
            (&["-c", "-a", "unknown", "-r", "no"], "pass"),
        ] {
            assert_eq!(judged(words), verdict, "{words:?}");
        }
    }

    #[test]
    fn what_the_variable_says() {
        for (value, verdict) in [
            (&b""[..], "pass"),
            (b"go away", "451 go away"),
            (b"-go away", "553 go away"),
            (b"-", "553 "),
            (b"--x", "553 -x"),
            (b"a\r\n250 b\x7f\xff", "451 a??250 b??"),
        ] {
            assert_eq!(text(&Verdict::of_variable(value)), verdict);
        }
    }

    proptest! {
        #[test]
        fn a_reply_is_a_line_and_no_more(value: Vec<u8>) {
            if let Verdict::Refuse(refusal) = Verdict::of_variable(&value) {
                prop_assert!(refusal.reply.len() <= 4 + LONGEST_TEXT);
                prop_assert!(refusal.reply.iter().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
}
