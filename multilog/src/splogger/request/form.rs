//! Which form the messages have.

use super::super::destination::Destination;
use super::super::fields::Fields;
use super::super::form::Form;
use super::super::service::Service;
use super::super::syslog::{Header, MAX_APP_NAME, MAX_HOSTNAME};
use super::options::{Format, Options};
use super::unusable;
use common::{Failure, decimal};

/// What every receiver must take of RFC 5424's messages by UDP, over IPv6 (RFC 5426, section 3.2): and it is less
/// than any IPv6 path takes in one piece.
const UDP_SIZE: usize = 1180;

/// What receivers should take (RFC 5424, section 6.1), and must by TLS (RFC 5425, section 4.3.1).
const USUAL_SIZE: usize = 2048;

/// What is left for a line must be worth a message.
const LEAST_ROOM: usize = 64;

/// Over a network RFC 5424's form is usual, on this host that of RFC 3164; structured data are in the former only,
/// and the journal has its own.
pub(super) fn choose(
    options: &Options,
    destination: &Destination,
    tag: &'static [u8],
    facility: u8,
    service: &Service,
) -> Result<Form, Failure> {
    let of_rfc5424 =
        options.structured.is_some() || options.hostname.is_some() || options.size.is_some();
    let usual = match destination {
        Destination::Journal(_) if options.format.is_some() || of_rfc5424 => {
            return Err(unusable(b"options about RFC 5424 with ", b"the journal"));
        }
        Destination::Journal(_) => {
            let service = service.name.clone();
            return Ok(Form::Journal(Fields { facility, identifier: tag, service }));
        }
        Destination::Local(_) if !of_rfc5424 => Format::Rfc3164,
        Destination::Local(_) | Destination::Udp(_) | Destination::Tcp(_) | Destination::Tls(_) => {
            Format::Rfc5424
        }
    };
    match options.format.unwrap_or(usual) {
        Format::Rfc3164 if of_rfc5424 => {
            Err(unusable(b"options about RFC 5424 with ", b"--format rfc3164"))
        }
        Format::Rfc3164 => Ok(Form::Traditional { facility, tag }),
        Format::Rfc5424 => structured_form(options, destination, tag, facility),
    }
}

fn structured_form(
    options: &Options,
    destination: &Destination,
    tag: &'static [u8],
    facility: u8,
) -> Result<Form, Failure> {
    if tag.len() > MAX_APP_NAME {
        return Err(unusable(b"tag: ", tag));
    }
    let hostname = match options.hostname {
        Some(name) if !is_hostname(name) => return Err(unusable(b"host name: ", name)),
        Some(name) => name.to_vec(),
        None => {
            let name = sys::system::uname().nodename().to_bytes().to_vec();
            if is_hostname(&name) { name } else { b"-".to_vec() }
        }
    };
    let structured = options.structured.unwrap_or(b"-");
    let header = Header { facility, hostname, app_name: tag, structured };
    let usual = if matches!(destination, Destination::Udp(_)) { UDP_SIZE } else { USUAL_SIZE };
    let size = options.size.unwrap_or(usual);
    let room = size.checked_sub(header.most()).filter(|room| *room >= LEAST_ROOM);
    let room = room.ok_or_else(|| unusable(b"size: ", decimal(size as u64).as_bytes()))?;
    Ok(Form::Structured { header, room })
}

fn is_hostname(name: &[u8]) -> bool {
    (1..=MAX_HOSTNAME).contains(&name.len()) && name.iter().all(u8::is_ascii_graphic)
}
