//! What the command line and the environment ask for.

mod form;
mod options;

use super::NAME;
use super::destination::{self, Destination};
use super::form::Form;
use super::service::Service;
use alloc::vec::Vec;
use common::{Exit, Failure, number};
use core::ffi::CStr;
use options::{Options, USAGE};
use sys::{Args, Env};

pub(super) struct Request {
    pub(super) form: Form,
    /// The destination, as it was written.
    pub(super) name: &'static [u8],
    pub(super) destination: Destination,
    pub(super) service: Service,
    /// Options of tcpclient's, with their values.
    pub(super) tls: Vec<&'static CStr>,
    pub(super) spool: Option<Spooling>,
    /// This is the copy that tcpclient runs.
    pub(super) hands_over: bool,
}

/// What is wanted of the spool.
pub(super) struct Spooling {
    pub(super) directory: &'static CStr,
    pub(super) bytes: u64,
    pub(super) drop_oldest: bool,
}

/// RFC 3164 has 32 characters; daemons take more. This keeps any packet far below what a socket takes.
const MAX_TAG: usize = 255;

/// As many facilities as RFC 3164, section 4.1.1, has numbers for.
const FACILITIES: u64 = 24;

/// How large a spool may grow unless `--spool-bytes` says something else.
const USUAL_SPOOL: u64 = 64 << 20;

/// Reads both, and verifies that the options go together.
///
/// # Errors
/// Wrong usage, or what can't be used: 100.
pub(super) fn read(args: Args, env: Env) -> Result<Request, Failure> {
    let (options, operands) = Options::read(args)?;
    if operands.len() > 2 {
        return Err(NAME.usage(USAGE));
    }
    let tag = operands.get(0).map_or(&b"splogger"[..], CStr::to_bytes);
    if tag.is_empty() || tag.len() > MAX_TAG || !tag.iter().all(u8::is_ascii_graphic) {
        return Err(unusable(b"tag: ", tag));
    }
    let facility = operands.get(1).map_or(&b"2"[..], CStr::to_bytes);
    let facility = number::whole(facility)
        .filter(|number| *number < FACILITIES)
        .ok_or_else(|| unusable(b"facility: ", facility))? as u8;
    let socket = env.get(b"SYSLOG_SOCKET").filter(|path| !path.is_empty());
    let name = options.to.or(socket).unwrap_or(b"/dev/log");
    let destination = match options.to {
        Some(to) => destination::parse(to),
        None => sys::net::SocketAddrUnix::new(name).map(Destination::Local),
    }
    .map_err(|errno| NAME.fatal_errno(Exit::USAGE.0, &[b"unable to use ", name], errno))?;
    if !options.tls.is_empty() && !matches!(destination, Destination::Tls(_)) {
        return Err(unusable(b"options about TLS with ", name));
    }
    let spool = options.spool.map(|directory| Spooling {
        directory,
        bytes: options.spool_bytes.unwrap_or(USUAL_SPOOL),
        drop_oldest: options.drop_oldest,
    });
    if spool.is_none() && (options.spool_bytes.is_some() || options.drop_oldest) {
        return Err(unusable(b"options about a spool without ", b"--spool"));
    }
    let mut service = Service::find();
    if let Some(name) = options.service {
        service.name = Some(name.to_vec());
    }
    let form = form::choose(&options, &destination, tag, facility, &service)?;
    let (tls, hands_over) = (options.tls, options.hands_over);
    Ok(Request { form, name, destination, service, tls, spool, hands_over })
}

fn unusable(what: &[u8], text: &[u8]) -> Failure {
    NAME.fatal(Exit::USAGE.0, &[b"unable to use ", what, text])
}

#[cfg(test)]
mod tests;
