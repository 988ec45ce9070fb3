//! What the command line and the environment ask for.

use crate::NAME;
use crate::limit::{Amount, Limit};
use alloc::vec::Vec;
use common::getopt::{Getopt, Opt};
use common::{Exit, Failure};
use core::ffi::CStr;
use sys::process::Resource;
use sys::{Args, Env};

const USAGE: &str = "[-a allbytes] [-c corebytes] [-d databytes] [-f filebytes] [-l lockbytes] \
    [-m membytes] [-o openfiles] [-p processes] [-r residentbytes] [-s stackbytes] [-t cpusecs] \
    child";

/// Limits in the order in which they are set, and the program to run under them.
pub(crate) struct Request {
    pub(crate) limits: Vec<Limit>,
    pub(crate) name: &'static CStr,
    pub(crate) child: Args,
}

/// Reads the environment (as daemontools-encore does), then the options, which win.
pub(crate) fn read(args: Args, env: Env) -> Result<Request, Failure> {
    let mut limits = Vec::with_capacity(8);
    from_environment(env, &mut limits)?;
    let mut options = Getopt::new(args, b"a:c:d:f:l:m:o:p:r:s:t:");
    for option in options.by_ref() {
        let Opt::Value(letter, value) =
            option.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))?
        else {
            return Err(NAME.usage(USAGE));
        };
        let amount = Amount::parse(value.to_bytes()).ok_or_else(|| NAME.usage(USAGE))?;
        add(&mut limits, letter, amount);
    }
    let child = options.rest();
    let name = child.get(0).ok_or_else(|| NAME.usage(USAGE))?;
    Ok(Request { limits, name, child })
}

/// A variable for each letter. `MEM` comes last and wins over what it is made of, as with encore.
const VARIABLES: [(&[u8], u8); 11] = [
    (b"SOFTLIMIT_ALLBYTES", b'a'),
    (b"SOFTLIMIT_COREBYTES", b'c'),
    (b"SOFTLIMIT_DATABYTES", b'd'),
    (b"SOFTLIMIT_FILEBYTES", b'f'),
    (b"SOFTLIMIT_LOCKEDBYTES", b'l'),
    (b"SOFTLIMIT_OPENFILES", b'o'),
    (b"SOFTLIMIT_PROCS", b'p'),
    (b"SOFTLIMIT_RSSBYTES", b'r'),
    (b"SOFTLIMIT_STACKBYTES", b's'),
    (b"SOFTLIMIT_CPUSECS", b't'),
    (b"SOFTLIMIT_MEMBYTES", b'm'),
];

fn from_environment(env: Env, limits: &mut Vec<Limit>) -> Result<(), Failure> {
    // As good as always there is none, and one look through the environment is enough.
    if !env.iter().any(|entry| entry.to_bytes().starts_with(b"SOFTLIMIT_")) {
        return Ok(());
    }
    for (variable, letter) in VARIABLES {
        // An empty variable is how scripts unset one; as 0 it would only keep the child from running.
        if let Some(value) = env.get(variable).filter(|value| !value.is_empty()) {
            let amount = Amount::parse(value).ok_or_else(|| {
                NAME.fatal(Exit::USAGE.0, &[b"$", variable, b" is not a number: ", value])
            })?;
            add(limits, letter, amount);
        }
    }
    Ok(())
}

/// The resources behind a letter.
fn add(limits: &mut Vec<Limit>, letter: u8, amount: Amount) {
    let resources: &[Resource] = match letter {
        b'a' => &[Resource::As],
        b'c' => &[Resource::Core],
        b'd' => &[Resource::Data],
        b'f' => &[Resource::Fsize],
        b'l' => &[Resource::Memlock],
        b'm' => &[Resource::Data, Resource::Stack, Resource::Memlock, Resource::As],
        b'o' => &[Resource::Nofile],
        b'p' => &[Resource::Nproc],
        b'r' => &[Resource::Rss],
        b's' => &[Resource::Stack],
        _ => &[Resource::Cpu],
    };
    limits.extend(resources.iter().map(|resource| Limit { resource: *resource, amount }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    fn strings(list: &[&str]) -> Vec<CString> {
        list.iter().map(|text| CString::new(*text).expect("no NUL")).collect()
    }

    fn asked(arguments: &[&str], env: &[&str]) -> Result<Vec<Limit>, String> {
        let mut all = vec!["softlimit"];
        all.extend(arguments);
        match read(Args::new(strings(&all)), Env::new(strings(env))) {
            Ok(request) => Ok(request.limits),
            Err(failure) => {
                assert_eq!(failure.code, 100);
                Err(String::from_utf8(failure.text).expect("ASCII"))
            }
        }
    }

    fn limits(list: &[(Resource, Amount)]) -> Vec<Limit> {
        list.iter().map(|&(resource, amount)| Limit { resource, amount }).collect()
    }

    #[test]
    fn each_letter_has_its_resource() {
        let five = Amount::AtMost(5);
        for (letter, resource) in [
            ("-a", Resource::As),
            ("-c", Resource::Core),
            ("-d", Resource::Data),
            ("-f", Resource::Fsize),
            ("-l", Resource::Memlock),
            ("-o", Resource::Nofile),
            ("-p", Resource::Nproc),
            ("-r", Resource::Rss),
            ("-s", Resource::Stack),
            ("-t", Resource::Cpu),
        ] {
            assert_eq!(asked(&[letter, "5", "x"], &[]), Ok(limits(&[(resource, five)])));
        }
    }

    #[test]
    fn m_is_four_and_later_options_come_later() {
        let (hard, three) = (Amount::Hard, Amount::AtMost(3));
        let expected = limits(&[
            (Resource::Data, hard),
            (Resource::Stack, hard),
            (Resource::Memlock, hard),
            (Resource::As, hard),
            (Resource::Stack, three),
        ]);
        assert_eq!(asked(&["-m=", "-s", "3", "x"], &[]), Ok(expected));
    }

    #[test]
    fn the_environment_comes_before_the_options() {
        let env = ["SOFTLIMIT_OPENFILES=9", "SOFTLIMIT_CPUSECS=", "SOFTLIMIT_PROCS==", "OTHER=1"];
        let expected = limits(&[
            (Resource::Nofile, Amount::AtMost(9)),
            (Resource::Nproc, Amount::Hard),
            (Resource::Nofile, Amount::AtMost(8)),
        ]);
        assert_eq!(asked(&["-o8", "x"], &env), Ok(expected));
        let message = "softlimit: fatal: $SOFTLIMIT_OPENFILES is not a number: 9k\n";
        assert_eq!(asked(&["x"], &["SOFTLIMIT_OPENFILES=9k"]), Err(message.into()));
    }

    #[test]
    fn the_variable_for_all_memory_wins() {
        let env = ["SOFTLIMIT_MEMBYTES=9", "SOFTLIMIT_STACKBYTES=unlimited"];
        let nine = Amount::AtMost(9);
        let expected = limits(&[
            (Resource::Stack, Amount::None),
            (Resource::Data, nine),
            (Resource::Stack, nine),
            (Resource::Memlock, nine),
            (Resource::As, nine),
        ]);
        assert_eq!(asked(&["x"], &env), Ok(expected));
    }

    #[test]
    fn wrong_usage() {
        let usage = format!("softlimit: usage: softlimit {USAGE}\n");
        assert_eq!(asked(&[], &[]), Err(usage.clone()));
        assert_eq!(asked(&["-m", "5x", "true"], &[]), Err(usage.clone()));
        let illegal = format!("softlimit: illegal option -- z\n{usage}");
        assert_eq!(asked(&["-z", "true"], &[]), Err(illegal));
        let missing = format!("softlimit: option requires an argument -- m\n{usage}");
        assert_eq!(asked(&["-m"], &[]), Err(missing));
    }
}
