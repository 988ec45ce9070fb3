//! The checker: a program such as checkpassword, which reads name and password from descriptor 3
//! and becomes the session if they are right.
//!
//! It is given `name\0secret\0timestamp\0`, where the secret is the password, or a digest of it and the
//! timestamp, in hex: of the banner's for APOP, of the challenge for CRAM-MD5. (Checkers that know
//! passwords in clear try what fits; to the others a digest is a wrong password.) Its exit code is its verdict (spec: checkpassword
//! interface). As the session it has become is the same process, the verdict comes when that ends.

use alloc::vec::Vec;
use common::env::Environment;
use sys::exec::Program;
use sys::pipe::{PipeFlags, pipe_with};
use sys::process::{Signal, WaitOptions, waitpid};
use sys::signal::SignalSet;
use sys::spawn::{Spawn, SpawnError};
use sys::{Args, AsFd, Env, Errno, OwnedFd, Vector};
use zeroize::Zeroize;

/// What became of a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// There was a session, and it is over.
    SessionOver,
    /// Name and password are not right.
    Refused,
    /// It couldn't be found out now.
    Temporary,
    /// It can't be found out until somebody mends the set-up.
    Permanent,
    /// The checker, or the session, was killed.
    Crashed,
}

impl Verdict {
    /// The verdict that an exit code is; `None` for a process that a signal ended.
    #[must_use]
    pub fn of(code: Option<i32>) -> Self {
        match code {
            None => Self::Crashed,
            Some(0) => Self::SessionOver,
            Some(1) => Self::Refused,
            Some(2 | 100) => Self::Permanent,
            Some(_) => Self::Temporary,
        }
    }

    /// What the client is told: the original's words for a refused login, and before them the codes of
    /// RFC 3206, so that it asks its user for another password where that helps, and only there. After
    /// a session there is nothing left to say.
    #[must_use]
    pub fn reply(self) -> &'static [u8] {
        match self {
            Self::SessionOver => b"",
            Self::Refused => b"-ERR [AUTH] authorization failed\r\n",
            Self::Temporary => b"-ERR [SYS/TEMP] unable to check passwords now\r\n",
            Self::Permanent => b"-ERR [SYS/PERM] unable to check passwords\r\n",
            Self::Crashed => b"-ERR [SYS/TEMP] aack, child crashed\r\n",
        }
    }
}

/// A pipe from which the checker can read the login, already written; the caller may forget it.
///
/// # Errors
/// No pipe could be had.
pub fn hand_over(name: &[u8], secret: &[u8], timestamp: &[u8]) -> Result<OwnedFd, Errno> {
    let fields = [name, secret, timestamp];
    // At its full size from the start: memory that grows leaves copies behind.
    let mut login = Vec::with_capacity(fields.iter().map(|field| field.len() + 1).sum());
    for field in fields {
        login.extend_from_slice(field);
        login.push(0);
    }
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
    // Never waits for a reader: it is far less than the 4096 bytes that every pipe holds.
    let written = sys::write_all(&writer, &login);
    login.zeroize();
    written.map(|()| reader)
}

/// A checker and how it is started.
pub struct Checker {
    program: Program,
    args: Vector<'static>,
}

impl Checker {
    /// The checker that `args` names, followed by its own arguments.
    ///
    /// `None` if there is no name.
    #[must_use]
    pub fn new(args: Args, env: Env) -> Option<Self> {
        let program = Program::find(args.get(0)?, env.get(b"PATH"));
        Some(Self { program, args: args.vector() })
    }

    /// Starts it with `login` as descriptor 3 (0 and 1, the client, it has from us as we have them) in
    /// this environment, waits for its end, and gives its exit code: `None` if a signal ended it.
    ///
    /// # Errors
    /// It couldn't be started.
    pub fn run(
        &self,
        login: OwnedFd,
        environment: &Environment,
    ) -> Result<Option<i32>, SpawnError> {
        // Ignored by whoever started us, it would take the exit code away.
        sys::signal::default(Signal::CHILD);
        let descriptors = [(login.as_fd(), 3)];
        let pid = Spawn {
            descriptors: &descriptors,
            defaults: SignalSet::of(&[Signal::PIPE]),
            mask: sys::signal::mask(),
            ..Spawn::new(&self.program, &self.args, &environment.vector())
        }
        .start()?;
        drop(login);
        loop {
            match waitpid(Some(pid), WaitOptions::empty()) {
                Ok(Some((_, status))) => return Ok(status.exit_status()),
                Ok(None) | Err(Errno::INTR) => {}
                Err(errno) => return Err(SpawnError::Clone(errno)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes() {
        for (code, verdict) in [
            (Some(0), Verdict::SessionOver),
            (Some(1), Verdict::Refused),
            (Some(2), Verdict::Permanent),
            (Some(100), Verdict::Permanent),
            (Some(3), Verdict::Temporary),
            (Some(111), Verdict::Temporary),
            (Some(127), Verdict::Temporary),
            (None, Verdict::Crashed),
        ] {
            assert_eq!(Verdict::of(code), verdict);
        }
    }

    #[test]
    fn the_login_is_there_to_be_read_to_its_end() {
        let reader = hand_over(b"joe", b"se cret", b"<1.2@h>").unwrap();
        let mut bytes = [0; 64];
        let count = sys::read(&reader, &mut bytes).unwrap();
        assert_eq!(&bytes[..count], b"joe\0se cret\0<1.2@h>\0");
        assert_eq!(sys::read(&reader, &mut bytes), Ok(0));
    }
}
