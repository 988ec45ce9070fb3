//! What happens to a connection before its program starts: who is there, and whether it is let in.

use super::{Connection, Dropped, Launcher, greet};
use crate::address;
use crate::line::{self, End};
use crate::log;
use crate::lookup::Found;
use crate::options::Verbosity;
use crate::rules::Verdict;
use ucspi::rules::Peer;

impl Launcher {
    /// In a process of the connection's own: greets, asks who is there, follows the rules, says in the
    /// log what comes of it (before the program can say anything), and puts it all into the
    /// environment. Gives the process id.
    ///
    /// # Errors
    /// Why the connection is dropped.
    pub(super) fn admit(&mut self, connection: &Connection, banner: &[u8]) -> Result<i32, Dropped> {
        let pid = sys::process::getpid().as_raw_nonzero().get();
        let verbose = self.verbosity == Verbosity::Verbose;
        let (local, remote) = (connection.local, connection.remote);
        if verbose {
            log::write(&line::pid(pid, remote.ip()));
        }
        greet(&connection.stream, banner)?;
        let known = self.look_ups.known(local.ip());
        let found = known.unwrap_or_else(|| self.look_ups.ask(local, remote));
        self.describe(connection, &found);
        let verdict = self.judge(connection, &found);
        let word = match &verdict {
            Ok(_) => "ok",
            Err(Dropped::Denied) => "deny",
            Err(other) => return Err(*other),
        };
        if verbose {
            let local = End { name: found.local_name.as_deref(), address: local };
            let remote = End { name: found.remote_name.as_deref(), address: remote };
            log::write(&line::verdict(word, pid, local, remote, found.remote_info.as_deref()));
        }
        self.follow(&verdict?);
        Ok(pid)
    }

    /// What the rules change in the environment of a connection that they let in.
    ///
    /// # Errors
    /// They don't, or can't be read.
    pub(super) fn judge(
        &self,
        connection: &Connection,
        found: &Found,
    ) -> Result<Vec<Vec<u8>>, Dropped> {
        let ip = address::text(connection.remote.ip());
        let peer = Peer {
            ip: ip.as_bytes(),
            host: found.remote_name.as_deref(),
            info: found.remote_info.as_deref(),
        };
        match self.rules.verdict(&peer).map_err(Dropped::Rules)? {
            Verdict::Allow(changes) => Ok(changes),
            Verdict::Deny => Err(Dropped::Denied),
        }
    }

    /// Makes these changes to the environment.
    pub(super) fn follow(&mut self, changes: &[Vec<u8>]) {
        for change in changes {
            // tcprules makes no variable without one.
            let equals = change.iter().position(|byte| *byte == b'=').unwrap_or(change.len());
            let (name, value) = change.split_at(equals);
            self.environment.set(name, value.get(1..).unwrap_or_default());
        }
    }

    /// Puts what is known about the connection into the environment.
    pub(super) fn describe(&mut self, connection: &Connection, found: &Found) {
        let ends = [
            (connection.local, &b"TCPLOCALIP"[..], &b"TCPLOCALPORT"[..]),
            (connection.remote, b"TCPREMOTEIP", b"TCPREMOTEPORT"),
        ];
        for (end, ip, port) in ends {
            self.environment.set(ip, address::text(end.ip()).as_bytes());
            self.environment.set(port, common::decimal(end.port().into()).as_bytes());
        }
        for (name, value) in [
            (&b"TCPLOCALHOST"[..], &found.local_name),
            (b"TCPREMOTEHOST", &found.remote_name),
            (b"TCPREMOTEINFO", &found.remote_info),
        ] {
            match value {
                Some(value) => self.environment.set(name, value),
                None => self.environment.unset(name),
            }
        }
    }
}
