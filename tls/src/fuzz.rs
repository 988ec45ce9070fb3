//! What the fuzzer runs here: see fuzz/.

use crate::asked::{Asked, wait};
use crate::base64::Decoder;
use crate::certificate::{hosts, parts};
use crate::described::describe;
use crate::distinguished::{attributes, one_line, reversed};
use crate::exports::{Exports, LONGEST};
use crate::relay::{Interest, Levels, Patience, Relay, Step};
use crate::starter::received;
use crate::{der, identity, pem};
use common::base64;
use std::io::Write as _;
use std::os::unix::net::UnixStream;

pub use connection::connection;

mod connection;
#[cfg(test)]
#[path = "../../fuzz/replay.rs"]
mod replay;

/// A key file: what of it is read, written again, is read the same; and a key that is accepted is that of its
/// first certificate.
pub fn pem(text: &[u8]) {
    match pem::sections(text) {
        Ok(sections) => {
            let mut total = 0;
            for section in &sections {
                total += section.label.len() + section.der.len();
                let mut again = Vec::new();
                pem::write(&mut again, &section.label, &section.der);
                assert!(again.len() <= pem::room(&section.label, &section.der));
                let Ok([copy]) = <[_; 1]>::try_from(pem::sections(&again).expect("ours")) else {
                    panic!("one section");
                };
                assert_eq!((&copy.label, &copy.der), (&section.label, &section.der));
            }
            assert!(total <= text.len());
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
    match identity::from_pem(text) {
        Ok(certified) => {
            assert!((1..=16).contains(&certified.cert.len()));
            assert!(certified.keys_match().is_ok());
        }
        Err(error) => assert!(!error.to_string().contains('\n')),
    }
    let mut decoder = Decoder::default();
    let decoded = match text.iter().try_for_each(|byte| decoder.push(*byte)) {
        Some(()) => decoder.finish().map(|bytes| bytes.to_vec()),
        None => None,
    };
    if let Some(decoded) = decoded {
        let mut encoded = Vec::new();
        base64::encode(&decoded, &mut encoded);
        let digits = text.iter().filter(|byte| !matches!(byte, b' ' | b'\t')).count();
        assert_eq!(encoded.len(), digits);
    }
}

/// A certificate that somebody shows: what is said of it stands in it, and fits into an environment.
pub fn certificate(der: &[u8]) {
    if let Some((found, rest)) = der::element(der) {
        let head = der.len() - found.contents.len() - rest.len();
        assert!((2..=4).contains(&head) && found.tag == der[0]);
        assert_eq!(&der[head..], [found.contents, rest].concat());
    }
    let names = hosts(der);
    assert!(names.iter().map(|name| name.len() + 2).sum::<usize>() <= der.len());
    assert!(names.iter().all(|name| !name.iter().any(u8::is_ascii_uppercase)));
    if let Some(parts) = parts(der) {
        for name in [parts.subject, parts.issuer] {
            let attributes = attributes(name);
            assert!(
                attributes.iter().map(|(_, value)| value.len() + 4).sum::<usize>() <= name.len()
            );
            for text in [one_line(name), reversed(name)] {
                assert!(!text.iter().any(u8::is_ascii_control));
                assert!(text.len() <= 4 * name.len());
            }
            let marks = one_line(name).iter().filter(|byte| **byte == b'=').count();
            assert!(marks >= attributes.len());
        }
    }
    let mut exports = Exports::default();
    describe(&mut exports, "CLIENT", der);
    assert_eq!(Exports::read(&exports.message()), Some(exports));
}

/// What goes through the channels of UCSPI-TLS: a program's first byte, and the answer that a relay gives, which
/// may have been broken into.
pub fn ucspi_tls(data: &[u8]) {
    let (mut program, relay) = UnixStream::pair().expect("a pair");
    program.write_all(&data[..data.len().min(4096)]).expect("room");
    drop(program);
    let expected = match data.first() {
        Some(b'y') => Asked::Start,
        Some(b'Y') => Asked::StartAndTell,
        Some(_) | None => Asked::Never,
    };
    assert_eq!(wait(&relay.into()), expected);

    let message = data.get(1..).unwrap_or_default();
    let found = Exports::read(message);
    // As much as a pipe takes, and it is longer than a message may be.
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(&message[..message.len().min(4 * LONGEST)]).expect("room");
    drop(writer);
    assert_eq!(received(reader.into()), found);
    let Some(found) = found else { return };
    assert!(message.len() <= LONGEST);
    assert_eq!(found.message(), message);
    let mut names = Vec::new();
    for (name, value) in found.iter() {
        assert!(name.starts_with(b"SSL_") && !name.contains(&b'=') && !value.contains(&0));
        assert!(!names.contains(&name), "twice");
        names.push(name);
    }
    assert!(names.len() <= 64);
}

/// The relay's state machine, whatever happens in whatever order: each end is closed once, nothing is waited for
/// that is over, and it ends once the program has and the peer is given up.
pub fn relay(events: &[u8]) {
    let mut relay = Relay::new();
    let mut done = Vec::new();
    let mut ended = false;
    let settle = |relay: &mut Relay, mut levels: Levels, done: &mut Vec<Step>| {
        for _ in 0..8 {
            let Some(step) = relay.next(levels) else { return levels };
            match step {
                Step::Discard => levels.plain = false,
                Step::CloseOutput => levels.pending = false,
                Step::SayGoodbye => levels.wire = true,
                Step::CloseInput | Step::ShutDown => {}
            }
            if step != Step::Discard {
                assert!(!done.contains(&step), "{step:?} twice");
                assert!(step != Step::ShutDown || done.contains(&Step::SayGoodbye));
                done.push(step);
            }
        }
        panic!("no end of steps");
    };
    for event in events {
        match event % 7 {
            0 => relay.peer_finished(),
            1 => relay.peer_gone(),
            2 => relay.input_refused(),
            3 => relay.output_ended(),
            4 => {
                relay.program_ended(256);
                ended = true;
            }
            5 if relay.patience(Levels::default()) != Patience::Unbounded => relay.give_up(),
            _ => {}
        }
        let bit = |place: u8| event >> place & 1 == 1;
        let levels = Levels { plain: bit(3), pending: bit(4), wire: bit(5) };
        let levels = settle(&mut relay, levels, &mut done);
        let Interest { receive, feed, collect, .. } = relay.interest(levels);
        assert!(!(receive && feed), "one after the other");
        assert!(!(feed && done.contains(&Step::CloseInput)));
        assert!(!(collect && done.contains(&Step::CloseOutput)));
        if relay.over().is_some() {
            assert!(ended);
        }
    }
    relay.program_ended(256);
    relay.give_up();
    settle(&mut relay, Levels::default(), &mut done);
    settle(&mut relay, Levels::default(), &mut done);
    assert_eq!(relay.over(), Some(256));
}

#[cfg(test)]
mod tests {
    use super::replay::replay;
    use std::process::Command;

    /// In a process of its own. What the allocator asks of the kernel in one thread depends on what others have
    /// done before, and the relays of other tests, forked from such threads, are killed if it is mprotect(2).
    #[test]
    fn seeds_and_what_has_failed() {
        let variable = "FUZZ_REPLAY";
        if std::env::var_os(variable).is_none() {
            let name = "fuzz::tests::seeds_and_what_has_failed";
            let mut alone = Command::new(std::env::current_exe().unwrap());
            let output = alone.args(["--exact", name, "--nocapture"]).env(variable, "1").output();
            let output = output.unwrap();
            let said = [output.stdout, output.stderr].concat();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
            assert!(said.windows(14).any(|text| text == b"1 passed; 0 fa"));
            return;
        }
        replay("pem", super::pem);
        replay("certificate", super::certificate);
        replay("ucspi-tls", super::ucspi_tls);
        replay("relay", super::relay);
        replay("connection", super::connection);
    }
}
