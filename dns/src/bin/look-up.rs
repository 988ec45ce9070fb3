//! For the tests: a look-up by a program as small as those that will do it.
//! `look-up RESOLV.CONF PORT addresses|names|txt WHAT`: what was found, a line each; else the reason.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use common::{Exit, Failure, Name, number};
use core::time::Duration;
use dns::{Environment, Families, Places, Resolver, Unresolved};
use sys::{Args, Env, Errno};

common::program!(run);

const NAME: Name = Name("look-up");

fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let mut words = args.iter().skip(1);
    let mut word =
        || words.next().ok_or_else(|| NAME.usage("resolv.conf port addresses|names|txt what"));
    let (conf, port, kind, what) = (word()?, word()?, word()?.to_bytes(), word()?.to_bytes());
    let port = number::whole(port.to_bytes()).and_then(|port| u16::try_from(port).ok());
    let places =
        Places { resolv_conf: conf.into(), port: port.unwrap_or_default(), ..Places::default() };
    let mut resolver = Resolver::new(places, Environment::from(env));
    let deadline = sys::clock::monotonic() + Duration::from_secs(60);
    let found: Result<Vec<Vec<u8>>, Unresolved> = match kind {
        b"addresses" => resolver
            .name_to_addresses(what, Families::V4First, deadline)
            .map(|found| found.into_iter().map(dns::address::text).collect()),
        b"names" => match dns::address::parse(what) {
            Some(address) => resolver.address_to_names(address, deadline),
            None => return Err(NAME.fatal(Exit::USAGE.0, &[b"no address: ", what])),
        },
        _ => resolver.txt(what, deadline),
    };
    let mut text = found.map_err(|why| why.no_address(NAME, what))?.join(&b"\n"[..]);
    text.push(b'\n');
    sys::borrow(1)
        .ok_or(Errno::BADF)
        .and_then(|stdout| sys::write_all(stdout, &text))
        .map_err(|errno| NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to write"], errno))?;
    Ok(Exit::OK)
}
