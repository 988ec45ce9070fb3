//! http@ and https@: print a page.

use crate::client::{Channel, Rendition, Server};
use crate::delcr;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::{Args, Env};

/// `http@ [ HOST [ PAGE [ PORT ] ] ]`: asks the host, or this one, for the page, or for the one at the root, by
/// HTTP/1.0, and prints what the answer has after its header, without carriage returns at the ends of
/// lines.
///
/// # Errors
/// Those of tcpclient.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    print(Name("http@"), args, env, c"80", Channel::Plain)
}

/// `https@ [ HOST [ PAGE [ PORT ] ] ]`: the same by TLS, in which the host has to show that it is this one.
///
/// # Errors
/// Those of tcpclient and tlsclient.
pub fn run_over_tls(args: Args, env: Env) -> Result<Exit, Failure> {
    print(Name("https@"), args, env, c"443", Channel::Tls)
}

fn print(
    program: Name,
    args: Args,
    env: Env,
    default: &'static CStr,
    channel: Channel,
) -> Result<Exit, Failure> {
    let page = args.get(2).map_or(&b""[..], CStr::to_bytes);
    let server = Server::of(args, args.get(3).unwrap_or(default)).by(channel);
    let (host, port) = (server.host.to_bytes(), server.port.to_bytes());
    let request = [b"GET /", page, b" HTTP/1.0\nHost: ", host, b":", port, b"\n\n"].concat();
    server.ask(program, env, &request, Body::default())
}

/// What comes after the first empty line.
#[derive(Default)]
pub(crate) struct Body {
    held: bool,
    lines: Vec<u8>,
    begun: bool,
    /// Whether there is something in the line of the header that is being read.
    in_line: bool,
}

impl Rendition for Body {
    fn pass(&mut self, input: &[u8], output: &mut Vec<u8>) {
        self.lines.clear();
        self.held = delcr::delete(self.held, input, &mut self.lines);
        let header = self.lines.iter().take_while(|byte| {
            if !self.begun {
                self.begun = **byte == b'\n' && !self.in_line;
                self.in_line = **byte != b'\n';
                return true;
            }
            false
        });
        let length = header.count();
        output.extend_from_slice(&self.lines[length..]);
    }

    fn end(&mut self, output: &mut Vec<u8>) {
        output.extend((self.held && self.begun).then_some(b'\r'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body(input: &[u8], piece: usize) -> Vec<u8> {
        let (mut body, mut output) = (Body::default(), Vec::new());
        input.chunks(piece.max(1)).for_each(|piece| body.pass(piece, &mut output));
        body.end(&mut output);
        output
    }

    #[test]
    fn the_header_is_left_out() {
        for (answer, page) in [
            (&b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nline\r\n\r\nlast"[..], &b"line\n\nlast"[..]),
            (b"A\n\nB\r", b"B\r"),
            (b"\nB\n", b"B\n"),
            (b"HTTP/1.0 204 None\r\n\r\n", b""),
            (b"no end\r\nof it", b""),
            (b"A\r\n\r", b""),
        ] {
            assert_eq!(body(answer, 3), page, "{}", answer.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            input in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..99),
            piece in 1_usize..9,
        ) {
            prop_assert_eq!(body(&input, piece), body(&input, input.len()));
        }
    }
}
