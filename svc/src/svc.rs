//! `svc -LETTERS DIRECTORY...`: sends letters to whoever supervises each directory.

use crate::visit::Start;
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt};
use common::{Exit, Failure, Name};
use supervise::client;
use supervise::place::Place;
use sys::fs::CWD;
use sys::signal::{self, Signal};
use sys::{Args, Env, Errno};

const NAME: Name = Name("svc");

const LETTERS: &[u8] = b"udopchaitkx";

const OPTIONS: &[u8] = b"svc options: u up, d down, o once, x exit, p pause, c continue, \
    h hup, a alarm, i interrupt, t term, k kill\n";

/// Exit code 0, whatever the directories say: what can't be reached is warned of. 100 for an
/// unknown letter, 111 when the working directory can't be opened or come back to.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let mut options = Getopt::new(args, LETTERS);
    let mut letters = Vec::with_capacity(LETTERS.len());
    for option in options.by_ref() {
        match option {
            // In the order given, each once: that is all that the original's buffer takes.
            Ok(Opt::Flag(letter)) if !letters.contains(&letter) => letters.push(letter),
            Ok(Opt::Flag(_) | Opt::Value(..)) => {}
            Err(illegal) => {
                return Err(illegal.with_usage(Failure { code: 100, text: OPTIONS.to_vec() }));
            }
        }
    }
    // A supervise that ends between open and write is a warning, too.
    signal::ignore(Signal::PIPE);
    let start = Start::here(NAME)?;
    for directory in options.rest().iter() {
        let name = directory.to_bytes();
        start.visit(directory, |entered| match entered.map(|()| send(&letters, env)) {
            Ok(Ok(())) => {}
            Ok(Err(Errno::NXIO)) => {
                NAME.warn(&[b"unable to control ", name, b": supervise not running"]);
            }
            Ok(Err(errno)) => NAME.warn_errno(&[b"unable to control ", name], errno),
            Err(errno) => NAME.warn_errno(&[b"unable to chdir to ", name], errno),
        })?;
    }
    Ok(Exit::OK)
}

/// All letters in one write, which a FIFO takes whole or (when it is full: EAGAIN) not at all.
fn send(letters: &[u8], env: Env) -> Result<(), Errno> {
    let control = client::control(CWD, &Place::here(env)?)?;
    if letters.is_empty() {
        return Ok(());
    }
    loop {
        match sys::io::write(&control, letters) {
            Err(Errno::INTR) => {}
            result => return result.map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use supervise::command::Command;

    #[test]
    fn the_options_are_the_protocols_letters() {
        for (letter, _) in &Command::LETTERS[..LETTERS.len()] {
            assert!(LETTERS.contains(letter));
            let text = [b' ', *letter, b' '];
            assert!(OPTIONS.windows(3).any(|window| window == text), "{}", char::from(*letter));
        }
    }
}
