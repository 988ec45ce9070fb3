//! `svok DIRECTORY`: whether a service is supervised.

use common::{Exit, Failure, Name};
use supervise::client;
use supervise::place::Place;
use sys::fs::CWD;
use sys::{Args, Env, Errno};

const NAME: Name = Name("svok");

/// Exit code 0: the directory is supervised; 100: it is not, or wrong usage; 111: it can't be told.
/// Arguments after the first are passed over, as by the original.
///
/// # Errors
/// As above.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let Some(directory) = args.get(1) else { return Err(NAME.usage("dir")) };
    let name = directory.to_bytes();
    sys::process::chdir(directory)
        .map_err(|errno| NAME.fatal_errno(111, &[b"unable to chdir to ", name], errno))?;
    let place = Place::here(env)
        .map_err(|errno| NAME.fatal_errno(111, &[b"unable to tell the path of ", name], errno))?;
    match client::reach(CWD, &place) {
        Ok(()) => Ok(Exit::OK),
        Err(Errno::NXIO | Errno::NOENT) => Ok(Exit(100)),
        Err(errno) => {
            Err(NAME.fatal_errno(111, &[b"unable to open ", name, b"/supervise/ok"], errno))
        }
    }
}
