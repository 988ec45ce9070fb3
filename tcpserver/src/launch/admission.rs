//! What happens to a connection before its program starts: who is there, and whether it is let in.

use super::{Connection, Dropped, Ends, Launcher, greet, refuse};
use crate::limits::Crowd;
use crate::line::{self, End};
use crate::lookup::Found;
use crate::options::Verbosity;
use crate::proxy::{self, Header};
use crate::rules::Verdict;
use crate::{address, load, log};
use common::number;
use std::net::IpAddr;
use sys::clock;
use ucspi::rules::Peer;

impl Launcher {
    /// In a process of the connection's own: reads the PROXY header, greets, asks who is there,
    /// follows the rules, says in the log what comes of it (before the program can say anything),
    /// and puts it all into the environment. Gives the process id, and the client's address.
    /// Without a `banner` the client expects something else than plain text.
    ///
    /// # Errors
    /// Why the connection is dropped.
    pub(crate) fn admit(
        &mut self,
        connection: &Connection,
        banner: Option<&[u8]>,
    ) -> Result<(i32, IpAddr), Dropped> {
        let pid = sys::process::getpid().as_raw_nonzero().get();
        let verbose = self.verbosity == Verbosity::Verbose;
        let behind = self.ends_behind(connection);
        let ends = behind.unwrap_or(connection.ends);
        if verbose {
            log::write(&line::pid(pid, ends.remote.ip()));
        }
        behind?;
        greet(&connection.stream, banner.unwrap_or_default())?;
        let known = self.look_ups.known(ends.local.ip());
        // The client's host knows only of its connection to the balancer.
        let ident = ends == connection.ends;
        let found = known.unwrap_or_else(|| self.look_ups.ask(ends.local, ends.remote, ident));
        self.describe(ends, &found);
        let judged = self.judge(connection, ends, &found, banner.is_some());
        let (word, remark) = match &judged {
            Ok(_) => ("ok", String::new()),
            Err(Dropped::Denied) => ("deny", String::new()),
            Err(Dropped::Crowded(variable)) => ("deny", format!(" {variable}:")),
            Err(other) => return Err(*other),
        };
        if verbose {
            let local = End { name: found.local_name.as_deref(), address: ends.local };
            let remote = End { name: found.remote_name.as_deref(), address: ends.remote };
            let info = found.remote_info.as_deref();
            log::write(&line::verdict(word, pid, local, remote, info, &remark));
        }
        self.follow(&judged?);
        Ok((pid, ends.remote.ip()))
    }

    /// What the two ends of the connection are, as far as it goes.
    fn ends_behind(&self, connection: &Connection) -> Result<Ends, Dropped> {
        if !connection.proxied {
            return Ok(connection.ends);
        }
        let deadline = clock::monotonic() + self.timeout;
        let header = proxy::read(&connection.stream, deadline);
        let from = connection.ends.remote.ip();
        match header.map_err(|errno| Dropped::Proxy(from, errno))? {
            Header::Own => Ok(connection.ends),
            Header::For { client, server } => Ok(Ends { local: server, remote: client }),
        }
    }

    /// What the rules change in the environment of a connection that they let in. Who is too many is
    /// told so, if he `understands` plain text.
    ///
    /// # Errors
    /// They don't, or can't be read.
    pub(super) fn judge(
        &self,
        connection: &Connection,
        ends: Ends,
        found: &Found,
        understands: bool,
    ) -> Result<Vec<Vec<u8>>, Dropped> {
        let ip = address::text(ends.remote.ip());
        let peer = Peer {
            ip: ip.as_bytes(),
            host: found.remote_name.as_deref(),
            info: found.remote_info.as_deref(),
        };
        let changes = match self.rules.verdict(&peer).map_err(Dropped::Rules)? {
            Verdict::Allow(changes) => changes,
            Verdict::Deny => return Err(Dropped::Denied),
        };
        if let Some(crowded) = self.crowded(connection, &changes) {
            if let (true, Some(message)) = (understands, self.variable(&changes, b"DIEMSG")) {
                refuse(&connection.stream, &[message, b"\r\n"].concat());
            }
            return Err(crowded);
        }
        Ok(changes)
    }

    /// Whether there are more of the client's, or of its neighbours, than a variable allows, or more
    /// for the processors to do: one that the rules set, or that the server was started with. (What is
    /// behind a balancer isn't counted.)
    fn crowded(&self, connection: &Connection, changes: &[Vec<u8>]) -> Option<Dropped> {
        let most = |name: &str| {
            let value = self.variable(changes, name.as_bytes())?;
            number::ulong(value).map(|(most, _)| most)
        };
        let exceeds =
            |name: &str, count: u32| most(name).is_some_and(|most| u64::from(count) > most);
        let Crowd { client, neighbourhood } = connection.crowd;
        let exceeded =
            if most("MAXLOAD").is_some_and(|most| load::now().is_some_and(|load| load >= most)) {
                "MAXLOAD"
            } else if !connection.proxied && exceeds("MAXCONNIP", client) {
                "MAXCONNIP"
            } else if !connection.proxied && exceeds("MAXCONNC", neighbourhood) {
                "MAXCONNC"
            } else {
                return None;
            };
        Some(Dropped::Crowded(exceeded))
    }

    fn variable<'a>(&'a self, changes: &'a [Vec<u8>], name: &[u8]) -> Option<&'a [u8]> {
        let changed = changes
            .iter()
            .rev()
            .find_map(|change| change.strip_prefix(name).and_then(|rest| rest.strip_prefix(b"=")));
        changed.or_else(|| self.environment.get(name))
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
    pub(super) fn describe(&mut self, ends: Ends, found: &Found) {
        let ends = [
            (ends.local, &b"TCPLOCALIP"[..], &b"TCPLOCALPORT"[..]),
            (ends.remote, b"TCPREMOTEIP", b"TCPREMOTEPORT"),
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
