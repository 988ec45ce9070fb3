//! What the command line asks for.

use super::NAME;
use super::civil::Twice;
use super::time;
use crate::tai64nlocal::zone::Zone;
use common::getopt::{Getopt, Opt};
use common::tai64n::Label;
use common::{Failure, number};
use core::ffi::CStr;
use core::time::Duration;
use sys::Args;

/// The options, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Order {
    /// `-f`: go on with what is logged from now on.
    pub(crate) follow: bool,
    /// `-n N`: only so many lines at the end.
    pub(crate) last: Option<u64>,
    /// `-s TIME`: nothing from before.
    pub(crate) since: Option<Label>,
    /// `-u TIME`: nothing from after.
    pub(crate) until: Option<Label>,
    /// `-t`: stamps as they are in the files.
    pub(crate) raw: bool,
    /// `-U`: times in UTC.
    pub(crate) utc: bool,
    /// `-q`: no names of services.
    pub(crate) quiet: bool,
}

/// So many lines come before those that are followed, unless it was said how many.
const BEFORE_FOLLOWING: u64 = 10;

const USAGE: &str = "[ -fqtU ] [ -n lines ] [ -s since ] [ -u until ] service ...";

/// Reads the options; gives them and the services. `now` is the time since 1970, `local` finds the zone
/// of local times, and is only asked when there are any.
///
/// # Errors
/// The first thing that is wrong: 100.
pub(crate) fn read(
    args: Args,
    now: Duration,
    local: impl FnOnce() -> Zone,
) -> Result<(Order, Args), Failure> {
    let mut options = Getopt::new(args, b"fn:qs:tUu:");
    let mut order = Order::default();
    let (mut since, mut until) = (None, None);
    for option in options.by_ref() {
        match option.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))? {
            Opt::Flag(b'f') => order.follow = true,
            Opt::Flag(b'q') => order.quiet = true,
            Opt::Flag(b't') => order.raw = true,
            Opt::Flag(_) => order.utc = true,
            Opt::Value(b'n', text) => order.last = Some(lines(text)?),
            Opt::Value(b's', text) => since = Some(text),
            Opt::Value(_, text) => until = Some(text),
        }
    }
    if since.is_some() || until.is_some() {
        let zone = if order.utc { Zone::Utc } else { local() };
        let moment = |text: Option<&'static CStr>, twice| {
            text.map(|text| {
                let text = text.to_bytes();
                let unclear = || NAME.fatal(100, &[b"unable to understand time ", text]);
                time::parse(text, now, &zone, twice).ok_or_else(unclear)
            })
            .transpose()
        };
        order.since = moment(since, Twice::First)?;
        order.until = moment(until, Twice::Second)?;
    }
    if order.follow && order.until.is_some() {
        return Err(
            NAME.fatal(100, &[b"unable to follow up to a time: -f and -u exclude each other"])
        );
    }
    if order.follow && order.last.is_none() && order.since.is_none() {
        order.last = Some(BEFORE_FOLLOWING);
    }
    if options.rest().is_empty() {
        return Err(NAME.usage(USAGE));
    }
    Ok((order, options.rest()))
}

fn lines(text: &'static CStr) -> Result<u64, Failure> {
    let text = text.to_bytes();
    number::whole(text).ok_or_else(|| NAME.fatal(100, &[b"unable to understand number ", text]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn order(list: &[&str]) -> Result<(Order, usize), String> {
        let args = ["svlog"].iter().chain(list).map(|text| CString::new(*text).expect("no NUL"));
        read(Args::new(args.collect()), Duration::from_secs(1000), || Zone::Utc)
            .map(|(order, rest)| (order, rest.len()))
            .map_err(|failure| format!("{} {}", failure.code, failure.text.escape_ascii()))
    }

    #[test]
    fn options() {
        let none = Order::default();
        let at = |seconds| Some(Label::from_unix(Duration::from_secs(seconds)));
        for (list, expected) in [
            (&["dns"][..], none),
            (&["--", "-f"], none),
            (&["-f", "dns"], Order { follow: true, last: Some(10), ..none }),
            (&["-fn", "3", "dns"], Order { follow: true, last: Some(3), ..none }),
            (&["-fs10s", "dns"], Order { follow: true, since: at(990), ..none }),
            (&["-n0", "dns"], Order { last: Some(0), ..none }),
            (&["-qtU", "dns"], Order { quiet: true, raw: true, utc: true, ..none }),
            (&["-s", "1m", "-u", "5s", "dns"], Order { since: at(940), until: at(995), ..none }),
        ] {
            assert_eq!(order(list), Ok((expected, 1)), "{list:?}");
        }
    }

    #[test]
    fn what_is_wrong() {
        let usage =
            "svlog: usage: svlog [ -fqtU ] [ -n lines ] [ -s since ] [ -u until ] service ...\\n";
        for (list, expected) in [
            (&[][..], usage.to_owned()),
            (&["-f"], usage.to_owned()),
            (&["-x", "dns"], format!("svlog: illegal option -- x\\n{usage}")),
            (&["-n", "x", "dns"], "svlog: fatal: unable to understand number x\\n".into()),
            (&["-n-1", "dns"], "svlog: fatal: unable to understand number -1\\n".into()),
            (&["-s", "soon", "dns"], "svlog: fatal: unable to understand time soon\\n".into()),
            (
                &["-f", "-u1m", "dns"],
                "svlog: fatal: unable to follow up to a time: -f and -u exclude each other\\n"
                    .into(),
            ),
        ] {
            assert_eq!(order(list), Err(format!("100 {expected}")), "{list:?}");
        }
    }
}
