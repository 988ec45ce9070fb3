//! What the command line and the environment ask for.

use super::NAME;
use common::{Exit, Failure, number};
use core::ffi::CStr;
use sys::net::SocketAddrUnix;
use sys::{Args, Env};

pub(super) struct Request {
    pub(super) tag: &'static [u8],
    /// The facility's number: 2 is mail.
    pub(super) facility: u8,
    pub(super) path: &'static [u8],
    pub(super) socket: SocketAddrUnix,
}

const USAGE: &str = "[ tag [ facility ] ]";

/// RFC 3164 has 32 characters; daemons take more. This keeps any packet far below what a socket takes.
const MAX_TAG: usize = 255;

/// As many facilities as RFC 3164, section 4.1.1, has numbers for.
const FACILITIES: u64 = 24;

pub(super) fn read(args: Args, env: Env) -> Result<Request, Failure> {
    if args.len() > 3 {
        return Err(NAME.usage(USAGE));
    }
    let tag = args.get(1).map_or(&b"splogger"[..], CStr::to_bytes);
    if tag.is_empty() || tag.len() > MAX_TAG || !tag.iter().all(u8::is_ascii_graphic) {
        return Err(NAME.fatal(Exit::USAGE.0, &[b"unable to use tag: ", tag]));
    }
    let facility = args.get(2).map_or(&b"2"[..], CStr::to_bytes);
    let facility = number::whole(facility)
        .filter(|number| *number < FACILITIES)
        .ok_or_else(|| NAME.fatal(Exit::USAGE.0, &[b"unable to use facility: ", facility]))?;
    let path = env.get(b"SYSLOG_SOCKET").filter(|path| !path.is_empty()).unwrap_or(b"/dev/log");
    let socket = SocketAddrUnix::new(path)
        .map_err(|errno| NAME.fatal_errno(Exit::USAGE.0, &[b"unable to use ", path], errno))?;
    Ok(Request { tag, facility: facility as u8, path, socket })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn strings(list: &[&str]) -> Vec<CString> {
        list.iter().map(|text| CString::new(*text).expect("no NUL")).collect()
    }

    fn asked(arguments: &[&str], env: &[&str]) -> Result<(String, u8, String), String> {
        let mut all = vec!["splogger"];
        all.extend(arguments);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("ASCII");
        match read(Args::new(strings(&all)), Env::new(strings(env))) {
            Ok(request) => Ok((text(request.tag), request.facility, text(request.path))),
            Err(failure) => {
                assert_eq!(failure.code, 100);
                Err(text(&failure.text))
            }
        }
    }

    #[test]
    fn the_defaults() {
        assert_eq!(asked(&[], &[]), Ok(("splogger".into(), 2, "/dev/log".into())));
        assert_eq!(asked(&["pop3d"], &[]), Ok(("pop3d".into(), 2, "/dev/log".into())));
        let env = ["SYSLOG_SOCKET=/x"];
        assert_eq!(asked(&["pop3d", "23"], &env), Ok(("pop3d".into(), 23, "/x".into())));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let usage = "splogger: usage: splogger [ tag [ facility ] ]\n";
        assert_eq!(asked(&["a", "2", "c"], &[]), Err(usage.into()));
        for facility in ["24", "mail", "", "-1", "2x"] {
            let message = format!("splogger: fatal: unable to use facility: {facility}\n");
            assert_eq!(asked(&["a", facility], &[]), Err(message));
        }
        let long = "x".repeat(256);
        for tag in ["", "a b", &long] {
            assert_eq!(
                asked(&[tag], &[]),
                Err(format!("splogger: fatal: unable to use tag: {tag}\n"))
            );
        }
        let path = format!("SYSLOG_SOCKET=/{}", "x".repeat(200));
        assert!(asked(&[], &[&path]).is_err_and(|text| text.ends_with(": file name too long\n")));
    }
}
