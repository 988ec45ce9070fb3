//! svscan's arguments.

use common::getopt::{Getopt, Opt};
use common::{Failure, Name};
use core::ffi::CStr;
use sys::Args;

const USAGE: &str = "[ -e name ] [ directory [ log-service ] ]";

/// What svscan was told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// The scan directory; the working directory unless given.
    pub directory: Option<&'static CStr>,
    /// The entry through whose logger svscan's own messages go.
    pub own_log: Option<&'static CStr>,
    /// The entry whose end is the end of all.
    pub chosen: Option<&'static CStr>,
}

impl Options {
    /// Reads the arguments.
    ///
    /// # Errors
    /// Wrong usage, exit code 100: an unknown option, a third argument, a name that no entry can have.
    pub fn read(program: Name, args: Args) -> Result<Self, Failure> {
        let mut chosen = None;
        let mut options = Getopt::new(args, b"e:");
        for option in &mut options {
            match option {
                Ok(Opt::Value(_, name)) => chosen = Some(name),
                Ok(Opt::Flag(_)) => {}
                Err(illegal) => return Err(illegal.with_usage(program.usage(USAGE))),
            }
        }
        let rest = options.rest();
        let is_entry = |name: &&CStr| !name.to_bytes().contains(&b'/') && !name.is_empty();
        if rest.len() > 2 || chosen.is_some_and(|name| !is_entry(&name)) {
            return Err(program.usage(USAGE));
        }
        Ok(Self { directory: rest.get(0), own_log: rest.get(1), chosen })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn read(args: &[&str]) -> Result<Options, u8> {
        let all = ["svscan"].iter().chain(args);
        let args = Args::new(all.map(|arg| CString::new(*arg).expect("no NUL")).collect());
        Options::read(Name("svscan"), args).map_err(|failure| failure.code)
    }

    #[test]
    fn what_may_be_given() {
        let all = |directory, own_log, chosen| Ok(Options { directory, own_log, chosen });
        assert_eq!(read(&[]), all(None, None, None));
        assert_eq!(read(&["/service"]), all(Some(c"/service"), None, None));
        assert_eq!(read(&[""]), all(Some(c""), None, None));
        assert_eq!(read(&["/s", ".log"]), all(Some(c"/s"), Some(c".log"), None));
        assert_eq!(read(&["-e", "web", "/s"]), all(Some(c"/s"), None, Some(c"web")));
        assert_eq!(read(&["-eweb", "--", "-s"]), all(Some(c"-s"), None, Some(c"web")));
        for wrong in [&["-x"][..], &["-e"], &["-e", "a/b"], &["-e", ""], &["a", "b", "c"]] {
            assert_eq!(read(wrong), Err(100), "{wrong:?}");
        }
    }
}
