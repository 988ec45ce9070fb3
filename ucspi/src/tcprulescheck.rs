//! tcprulescheck: what tcpserver's rules say about a client.

use crate::cdb::{Damage, File, Reader};
use crate::rules::{Found, Instruction, Peer, look_up};
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use sys::fs::{Mode, OFlags, open};
use sys::{Args, Env, Errno};

const NAME: Name = Name("tcprulescheck");

const USAGE: &str = "rules.cdb [ ip [ host [ info ] ] ]";

/// `tcprulescheck RULES.CDB [IP [HOST [INFO]]]`: tells which rule tcpserver follows for a client, which
/// variables that sets, and whether the client is let in. What isn't given comes from `TCPREMOTEIP` (without it,
/// 0.0.0.0), `TCPREMOTEHOST` and `TCPREMOTEINFO`; an empty HOST or INFO is one that is known.
///
/// # Errors
/// Wrong usage: 100. A file that can't be read, or is no database; output that can't be written: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let file = args.get(1).ok_or_else(|| NAME.usage(USAGE))?;
    let known = |index, variable| args.get(index).map(CStr::to_bytes).or_else(|| env.get(variable));
    let peer = Peer {
        ip: known(2, b"TCPREMOTEIP").unwrap_or(b"0.0.0.0"),
        host: known(3, b"TCPREMOTEHOST"),
        info: known(4, b"TCPREMOTEINFO"),
    };
    let found = find(file, &peer).map_err(|errno| {
        NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to read ", file.to_bytes()], errno)
    })?;
    let stdout = sys::borrow(1).ok_or(Errno::BADF);
    stdout.and_then(|stdout| sys::write_all(stdout, &told(found.as_ref()))).map_err(|errno| {
        NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to write output"], errno)
    })?;
    Ok(Exit::OK)
}

fn find(file: &CStr, peer: &Peer<'_>) -> Result<Option<Found>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let opened = open(file, flags, Mode::empty())?;
    let reader = File::new(&opened).map_err(Damage).and_then(Reader::new);
    reader.and_then(|reader| look_up(&reader, peer)).map_err(|Damage(errno)| errno)
}

fn told(found: Option<&Found>) -> Vec<u8> {
    let mut text = Vec::new();
    let Some(found) = found else { return b"default:\nallow connection\n".to_vec() };
    let mut line = |parts: [&[u8]; 2]| {
        parts.iter().for_each(|part| text.extend_from_slice(part));
        text.push(b'\n');
    };
    line([b"rule ", &[&found.key, &b":"[..]].concat()]);
    for instruction in found.instructions() {
        match instruction {
            Instruction::Set(variable) => line([b"set environment variable ", variable]),
            Instruction::Deny => {
                line([b"deny connection", b""]);
                return text;
            }
        }
    }
    line([b"allow connection", b""]);
    text
}
