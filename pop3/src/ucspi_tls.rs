//! UCSPI-TLS from the program's side: TLS that tcpserver has on offer, and begins when it is asked.

use crate::client::Gone;
use alloc::vec::Vec;
use common::env::Environment;
use common::number;
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::{AsFd, Env, Errno, OwnedFd};

/// The variables that say which descriptors it is about.
const DESCRIPTORS: [&[u8]; 3] = [b"SSLCTLFD", b"SSLREADFD", b"SSLWRITEFD"];

/// What we are told of a connection is at most so long.
const LONGEST: usize = 64 * 1024;

/// What the environment says about TLS.
pub struct Situation {
    /// `UCSPITLS=!`: nobody is to log in in the clear.
    pub required: bool,
    /// TLS is there already: tcpserver has begun the connection with it.
    pub encrypted: bool,
    /// TLS is on offer.
    pub offer: Option<Offer>,
}

/// The descriptors of TLS on offer.
pub struct Offer {
    control: OwnedFd,
    input: OwnedFd,
    output: OwnedFd,
}

/// A connection that is encrypted now.
pub struct Encrypted {
    /// What the client says.
    pub input: OwnedFd,
    /// What the client is told.
    pub output: OwnedFd,
    /// What is known about it, as `NAME=value\0` over and over and another NUL.
    pub described: Vec<u8>,
}

impl Situation {
    /// What `env` says. What is on offer and not to be taken (`UCSPITLS=-`) is closed.
    #[must_use]
    pub fn of(env: Env) -> Self {
        let policy = env.get(b"UCSPITLS");
        let encrypted = env.get(b"SSL_PROTOCOL").is_some();
        let offer = Offer::adopted(env);
        let taken = !encrypted && policy.is_some_and(|policy| policy != b"-");
        Self { required: policy == Some(b"!"), encrypted, offer: offer.filter(|_| taken) }
    }
}

impl Offer {
    /// The descriptors that `env` names, no program's after us.
    fn adopted(env: Env) -> Option<Self> {
        let [control, input, output] = DESCRIPTORS.map(|name| {
            let number = number::whole(env.get(name)?)?;
            sys::adopt(i32::try_from(number).ok()?)
        });
        Some(Self { control: control?, input: input?, output: output? })
    }

    /// Asks for TLS, and waits until it has begun, at most until `end` on the monotonic clock.
    ///
    /// # Errors
    /// The handshake has failed, the client or tcpserver is gone.
    pub fn begin(self, end: Duration) -> Result<Encrypted, Gone> {
        let Self { control, input, output } = self;
        sys::write_all(&control, b"Y").map_err(Gone::Failed)?;
        let mut described = Vec::new();
        let mut piece = [0; 1024];
        while !is_whole(&described) {
            wait(&control, end)?;
            match sys::read(&control, &mut piece) {
                Ok(0) => return Err(Gone::Closed),
                Ok(count) if described.len() + count > LONGEST => {
                    return Err(Gone::Failed(Errno::MSGSIZE));
                }
                Ok(count) => described.extend_from_slice(&piece[..count]),
                Err(Errno::AGAIN) => {}
                Err(errno) => return Err(Gone::Failed(errno)),
            }
        }
        Ok(Encrypted { input, output, described })
    }
}

fn wait(control: &OwnedFd, end: Duration) -> Result<(), Gone> {
    loop {
        let left = end.saturating_sub(sys::clock::monotonic());
        let mut waited = [PollFd::from_borrowed_fd(control.as_fd(), PollFlags::IN)];
        match poll(&mut waited, Some(left), None) {
            Ok(0) => return Err(Gone::Idle),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Gone::Failed(errno)),
        }
    }
}

/// Whether that is all: an entry that is empty ends it.
fn is_whole(described: &[u8]) -> bool {
    described == [0] || described.ends_with(&[0, 0])
}

/// The variables of such a message: what has no name is none.
pub fn variables(described: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    described.split(|byte| *byte == 0).filter_map(|entry| {
        let equals = entry.iter().position(|byte| *byte == b'=').filter(|length| *length > 0)?;
        Some((&entry[..equals], &entry[equals + 1..]))
    })
}

/// Puts into an environment what is known of a connection, and takes out what was on offer.
pub fn describe(environment: &mut Environment, described: &[u8]) {
    for (name, value) in variables(described) {
        environment.set(name, value);
    }
    withdraw(environment);
}

/// Takes out of an environment what was on offer.
pub fn withdraw(environment: &mut Environment) {
    for name in DESCRIPTORS {
        environment.unset(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::string::String;
    use sys::fd::IntoRawFd;

    fn env(entries: &[String]) -> Env {
        Env::new(entries.iter().map(|entry| CString::new(entry.as_str()).unwrap()).collect())
    }

    /// The descriptors as a program is started with them; and tcpserver's end.
    fn inherited() -> ([String; 3], UnixStream) {
        let (near, far) = UnixStream::pair().unwrap();
        let mut entries = DESCRIPTORS.iter().map(|name| {
            // A copy that stays open, as tcpserver makes it.
            let copy = sys::io::dup(sys::borrow(far.as_raw()).unwrap()).unwrap();
            std::format!("{}={}", String::from_utf8_lossy(name), copy.into_raw_fd())
        });
        let entries = [(); 3].map(|()| entries.next().unwrap());
        (entries, near)
    }

    trait Raw {
        fn as_raw(&self) -> i32;
    }
    impl Raw for UnixStream {
        fn as_raw(&self) -> i32 {
            std::os::fd::AsRawFd::as_raw_fd(self)
        }
    }

    #[test]
    fn what_the_environment_says() {
        let text =
            |entries: &[&str]| entries.iter().map(|entry| (*entry).into()).collect::<Vec<String>>();
        for (more, required, encrypted, offered) in [
            (&[][..], false, false, false),
            (&["UCSPITLS="], false, false, true),
            (&["UCSPITLS=1"], false, false, true),
            (&["UCSPITLS=!"], true, false, true),
            (&["UCSPITLS=-"], false, false, false),
            (&["UCSPITLS=!", "SSL_PROTOCOL=TLSv1.3"], true, true, false),
        ] {
            let (entries, mut near) = inherited();
            let situation = Situation::of(env(&[&entries[..], &text(more)].concat()));
            let got = (situation.required, situation.encrypted, situation.offer.is_some());
            assert_eq!(got, (required, encrypted, offered), "{more:?}");
            // What isn't taken isn't left open either: tcpserver's end would wait for it.
            near.set_nonblocking(true).unwrap();
            let read = near.read(&mut [0]);
            assert_eq!(read.is_ok(), !offered, "{more:?}: {read:?}");
        }
        let (entries, _near) = inherited();
        for broken in [&entries[..2], &text(&["SSLCTLFD=x", "SSLREADFD=", "SSLWRITEFD=999999"])] {
            let entries = [broken, &text(&["UCSPITLS=!"])].concat();
            let situation = Situation::of(env(&entries));
            assert!(situation.offer.is_none() && situation.required);
        }
    }

    fn begun(answer: &[u8]) -> Result<Encrypted, Gone> {
        let (entries, mut near) = inherited();
        let entries = [&entries[..], &[String::from("UCSPITLS=")]].concat();
        let offer = Situation::of(env(&entries)).offer.unwrap();
        let end = sys::clock::monotonic() + Duration::from_secs(20);
        let answer = answer.to_vec();
        let server = std::thread::spawn(move || {
            let mut asked = [0];
            near.read_exact(&mut asked).unwrap();
            for piece in answer.chunks(700) {
                if near.write_all(piece).is_err() {
                    break;
                }
            }
            asked[0]
        });
        let begun = offer.begin(end);
        assert_eq!(server.join().unwrap(), b'Y');
        begun
    }

    #[test]
    fn tls_begins_and_is_described() {
        let long = std::format!("SSL_A={}\0SSL_B=\0\0", "x".repeat(5000));
        for answer in [&b"\0"[..], b"\0\0", b"SSL_PROTOCOL=TLSv1.3\0\0", long.as_bytes()] {
            assert_eq!(begun(answer).map(|begun| begun.described), Ok(answer.to_vec()));
        }
        for answer in [&b""[..], b"SSL_PROTOCOL=TLSv1.3\0", b"SSL_PROTO"] {
            assert_eq!(begun(answer).map(|_| ()), Err(Gone::Closed));
        }
        let endless = begun(&[b'x'; 2 * LONGEST]).map(|_| ());
        assert_eq!(endless, Err(Gone::Failed(Errno::MSGSIZE)));
    }

    #[test]
    fn who_never_answers_is_not_waited_for() {
        let (entries, _near) = inherited();
        let entries = [&entries[..], &[String::from("UCSPITLS=")]].concat();
        let offer = Situation::of(env(&entries)).offer.unwrap();
        let soon = sys::clock::monotonic() + Duration::from_millis(20);
        assert_eq!(offer.begin(soon).map(|_| ()), Err(Gone::Idle));
    }

    #[test]
    fn what_is_put_into_the_environment() {
        let entries = ["A=1", "SSLCTLFD=3", "SSLREADFD=4", "SSLWRITEFD=5", "UCSPITLS=!"];
        let mut environment = Environment::new(env(&entries.map(String::from)));
        describe(&mut environment, b"SSL_X=a=b\0=nameless\0none\0SSL_Y=\0\0");
        let texts = environment.iter().map(|entry| entry.to_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(texts, ["A=1", "UCSPITLS=!", "SSL_X=a=b", "SSL_Y="]);
    }
}
