//! What a client hears that isn't wanted, without any input or output: as much of SMTP (RFC 5321) as it
//! takes to get it to give up its mail, and to leave.

use alloc::vec::Vec;

const GREETING: &[u8] = b"220 rblsmtpd.local\r\n";
const AGREED: &[u8] = b"250 rblsmtpd.local\r\n";
const FAREWELL: &[u8] = b"221 rblsmtpd.local\r\n";

/// Commands that don't bring the mail nearer. The sender may be named: the first recipient is where it ends.
const HARMLESS: [&[u8]; 5] = [b"helo", b"ehlo", b"mail", b"rset", b"noop"];

/// So much of a line is kept. No verb that counts is as long.
const KEPT: usize = 8;

/// A conversation.
pub(crate) struct Conversation<'a> {
    refusal: &'a [u8],
    /// The beginning of the line that is being read; never more than [`KEPT`].
    line: Vec<u8>,
    over: bool,
}

/// What a command is answered with.
#[derive(Clone, Copy)]
enum Reply {
    /// It makes no difference.
    Agreed,
    /// This, and anything unknown, would bring the mail nearer.
    Refused,
    /// The client leaves.
    Farewell,
}

impl<'a> Conversation<'a> {
    /// Begins: appends the greeting to `output`. `refusal` is the code and the text of a reply.
    pub(crate) fn begin(refusal: &'a [u8], output: &mut Vec<u8>) -> Self {
        output.extend_from_slice(GREETING);
        Self { refusal, line: Vec::with_capacity(KEPT), over: false }
    }

    /// Whether the client has left.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes what came, and appends the answers to `output`, one for each line.
    pub(crate) fn hear(&mut self, input: &[u8], output: &mut Vec<u8>) {
        for byte in input {
            if self.over {
                return;
            }
            match byte {
                b'\n' => {
                    self.answer(output);
                    self.line.clear();
                }
                byte if self.line.len() < KEPT => self.line.push(*byte),
                _ => {}
            }
        }
    }

    fn answer(&mut self, output: &mut Vec<u8>) {
        match reply(&self.line) {
            Reply::Agreed => output.extend_from_slice(AGREED),
            Reply::Refused => {
                output.extend_from_slice(self.refusal);
                output.extend_from_slice(b"\r\n");
            }
            Reply::Farewell => {
                output.extend_from_slice(FAREWELL);
                self.over = true;
            }
        }
    }
}

fn reply(line: &[u8]) -> Reply {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let verb = line.split(|byte| *byte == b' ').next().unwrap_or_default();
    let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
    if is(b"quit") {
        Reply::Farewell
    } else if HARMLESS.iter().any(|name| is(name)) {
        Reply::Agreed
    } else {
        Reply::Refused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(input: &[u8], piece: usize) -> (String, bool) {
        let mut output = Vec::new();
        let mut conversation = Conversation::begin(b"451 no", &mut output);
        for piece in input.chunks(piece.max(1)) {
            conversation.hear(piece, &mut output);
        }
        let over = conversation.is_over();
        (String::from_utf8(output).expect("ASCII"), over)
    }

    /// The codes of the replies after the greeting.
    fn codes(input: &[u8]) -> Vec<String> {
        let (text, _) = told(input, 3);
        text.lines().skip(1).map(|line| line[..3].to_owned()).collect()
    }

    #[test]
    fn each_command_has_its_reply() {
        for (line, code) in [
            ("helo x", "250"),
            ("EHLO x", "250"),
            ("MAIL FROM:<a>", "250"),
            ("rset", "250"),
            ("rcpt to:<b>", "451"),
            ("data", "451"),
            ("noop", "250"),
            ("", "451"),
            (" helo", "451"),
            ("helox", "451"),
            ("mail\tfrom:<a>", "451"),
            ("rset\rx", "451"),
            ("quit", "221"),
            ("QUIT now, please, at once", "221"),
            ("quit\r", "451"),
        ] {
            for end in ["\n", "\r\n"] {
                if line.ends_with('\r') && end == "\n" {
                    continue;
                }
                assert_eq!(codes(format!("{line}{end}").as_bytes()), [code], "{line:?}{end:?}");
            }
        }
    }

    #[test]
    fn nothing_is_said_after_the_farewell_nor_to_half_a_line() {
        assert_eq!(codes(b"quit\nhelo\nquit\n"), ["221"]);
        assert!(told(b"quit\nhelo", 100).1);
        assert!(codes(b"quit").is_empty());
        assert!(!told(b"quit", 100).1);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'q'), any::<u8>()], 0..300),
            piece in 1_usize..20,
        ) {
            prop_assert_eq!(told(&input, piece), told(&input, input.len()));
        }

        #[test]
        fn a_line_has_one_reply(input: Vec<u8>) {
            let lines = input.iter().filter(|byte| **byte == b'\n').count();
            let (text, over) = told(&input, 7);
            prop_assert!(over || text.lines().count() == 1 + lines);
        }
    }
}
