//! A program that speaks UCSPI-TLS: `starttls y` or `starttls Y`.
//!
//! It answers each line with `got LINE`, `STARTTLS` with `go` and TLS from then on (what it has read
//! beyond that line is discarded), and `QUIT` by ending. With `Y`, the first thing that it says over
//! TLS is what it was told about it, one line for each variable, and `.`.

use sys::{OwnedFd, read, write_all};

fn main() {
    let how = std::env::args().nth(1).unwrap_or_default();
    let mut talk = Talk { input: None, output: None, unread: Vec::new() };
    while let Some(line) = talk.line() {
        match &line[..] {
            b"QUIT" => break,
            b"STARTTLS" => talk.start_tls(&how),
            line => talk.say(&[b"got ", line].concat()),
        }
    }
}

struct Talk {
    /// Standard input, until TLS has begun.
    input: Option<OwnedFd>,
    output: Option<OwnedFd>,
    unread: Vec<u8>,
}

impl Talk {
    fn line(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(end) = self.unread.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.unread.drain(..=end).collect();
                line.pop();
                return Some(line);
            }
            let mut chunk = [0; 4096];
            let count = match &self.input {
                Some(input) => read(input, &mut chunk),
                None => read(sys::borrow(0)?, &mut chunk),
            };
            match count {
                Ok(count @ 1..) => self.unread.extend_from_slice(&chunk[..count]),
                _ => return None,
            }
        }
    }

    fn say(&self, line: &[u8]) {
        let line = [line, b"\n"].concat();
        let _ = match &self.output {
            Some(output) => write_all(output, &line),
            None => sys::borrow(1).map_or(Ok(()), |stdout| write_all(stdout, &line)),
        };
    }

    fn start_tls(&mut self, how: &str) {
        let named = |name| {
            let number = std::env::var(name).ok()?.parse().ok()?;
            sys::adopt(number)
        };
        let [Some(control), Some(input), Some(output)] =
            ["SSLCTLFD", "SSLREADFD", "SSLWRITEFD"].map(named)
        else {
            return self.say(b"no TLS here");
        };
        self.say(b"go");
        self.unread.clear();
        write_all(&control, how.as_bytes()).expect("asked");
        let mut told = Vec::new();
        while how == "Y" && !told.ends_with(b"\0\0") {
            let mut chunk = [0; 1];
            match read(&control, &mut chunk) {
                Ok(1) => told.push(chunk[0]),
                _ => {
                    // So that a test sees what its client can't.
                    eprintln!("no TLS came");
                    std::process::exit(9);
                }
            }
        }
        (self.input, self.output) = (Some(input), Some(output));
        if how == "Y" {
            for variable in told.split(|byte| *byte == 0).filter(|text| !text.is_empty()) {
                self.say(variable);
            }
            self.say(b".");
        }
    }
}
