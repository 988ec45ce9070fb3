//! The frame of a program: from its `run` to its exit code.

use crate::diagnostic::{Exit, Failure};

/// The whole of a freestanding program's bin but its attributes: `common::program!(softlimit::run)`
/// for one that runs another and is gone, `common::program!(supervise::run, resident)` for one that
/// stays and needs to free memory.
///
/// `run` is `fn(Args, Env) -> Result<Exit, Failure>`.
#[macro_export]
macro_rules! program {
    ($run:path $(, $resident:ident)?) => {
        $crate::sys::entry!(|args, env| $crate::finish($run(args, env)) $(, $resident)?);
    };
}

/// The whole of an ordinary std program's bin but its attributes, where the program runs others.
#[macro_export]
macro_rules! std_program {
    ($run:path) => {
        $crate::sys::entry_std!(|args, env| $crate::finish($run(args, env)));
    };
}

/// Says why a program failed, if it did, and gives its exit code.
pub fn finish(result: Result<Exit, Failure>) -> u8 {
    match result {
        Ok(exit) => exit.0,
        Err(failure) => {
            failure.say();
            failure.code
        }
    }
}
