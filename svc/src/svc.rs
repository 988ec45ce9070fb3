//! `svc -LETTERS DIRECTORY...`: sends letters to whoever supervises each directory, and waits for what
//! they bring about, if told to.

mod awaited;
mod goal;
mod order;
mod waiting;

use crate::explanation::STARTED_BY;
use crate::visit::Start;
use common::{Exit, Failure, Name};
use supervise::client;
use supervise::place::Place;
use sys::fs::CWD;
use sys::signal::{self, Signal};
use sys::{Args, Env, Errno, termios};

const NAME: Name = Name("svc");

/// Without waiting: exit code 0, whatever the directories say; what can't be reached is warned of.
///
/// With waiting: 0 when all services are there, 99 when the time is over, 98 when one can't get
/// there: it has failed for good, or isn't supervised.
///
/// Always: 100 for wrong options, 111 when the working directory can't be opened or come back to,
/// or a service that is to be waited for can't be told anything.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let (order, directories) = order::read(args).map_err(|wrong| wrong.failure(NAME))?;
    // A supervise that ends between open and write is a warning, too.
    signal::ignore(Signal::PIPE);
    let start = Start::here(NAME)?;
    if let Some(goal) = order.goal {
        return waiting::run(&start, &order, goal, directories, env);
    }
    let mut missing = false;
    for directory in directories.iter() {
        let name = directory.to_bytes();
        start.visit(directory, |entered| match entered {
            Ok(()) => missing |= send(&order.letters, env).is_err_and(|errno| warn(name, errno)),
            Err(errno) => NAME.warn_errno(&[b"unable to chdir to ", name], errno),
        })?;
    }
    // The warnings are 0.76's, for scripts; who reads them at a terminal may be new to all this.
    if missing && sys::borrow(2).is_some_and(termios::isatty) {
        explain();
    }
    Ok(Exit::OK)
}

/// Warns that a service can't be told anything. Whether it is for want of a supervise.
fn warn(name: &[u8], errno: Errno) -> bool {
    match errno {
        Errno::NXIO => NAME.warn(&[b"unable to control ", name, b": supervise not running"]),
        _ => NAME.warn_errno(&[b"unable to control ", name], errno),
    }
    errno == Errno::NXIO || errno == Errno::NOENT
}

/// Says who would start a supervise.
fn explain() {
    NAME.info(&[b"where no supervise runs, nobody is told: ", STARTED_BY.as_bytes()]);
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
