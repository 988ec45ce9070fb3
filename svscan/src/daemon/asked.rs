//! What svscan is asked to do: by signals, and by the options about a chosen service and svscan's own messages.

use super::{Daemon, NAME};
use crate::chosen::Chosen;
use crate::logpipe::LogPipe;
use crate::options::Options;
use crate::own_log::OwnLog;
use crate::plan::{Post, Role};
use crate::site::Site;
use crate::watch::Watch;
use common::{Exit, Failure};
use core::ffi::CStr;
use sys::Errno;
use sys::signal::{self, Signal, SignalSet};

/// Signals that are handed on to the chosen service, each as a letter.
const FORWARDED: [(Signal, &[u8]); 3] =
    [(Signal::QUIT, b"q"), (Signal::USR1, b"1"), (Signal::WINCH, b"w")];

/// Takes note of all signals that concern us from now on, and gives the mask to wait with. `given` is the one that our
/// parent gave us.
///
/// SIGPIPE would end svscan, and so every restart, because nobody reads its messages any more. It is blocked and not
/// ignored, so that nothing has to be undone for the children but the mask. What our parent had us ignore (nohup) stays
/// so, but for TERM, and for everything as process 1.
pub(super) fn prepare(options: &Options, given: SignalSet) -> SignalSet {
    let always = [Signal::CHILD, Signal::TERM, Signal::USR2];
    let unless_ignored = [Signal::INT, Signal::HUP];
    let forwarded = FORWARDED.map(|(signal, _)| signal);
    let forwarded: &[Signal] = if options.chosen.is_some() { &forwarded } else { &[] };
    let first = sys::process::getpid().is_init();
    let others = unless_ignored.iter().chain(forwarded);
    let others = others.filter(|signal| first || !signal::is_ignored(**signal));
    let mut waiting = given.with(Signal::PIPE);
    let mut blocked = SignalSet::of(&[Signal::PIPE]);
    for signal in always.iter().chain(others) {
        waiting = waiting.without(*signal);
        blocked = blocked.with(*signal);
    }
    signal::block(blocked);
    for signal in always.iter().chain(&unless_ignored).chain(forwarded) {
        if blocked.contains(*signal) {
            signal::catch(*signal);
        }
    }
    waiting
}

impl Daemon {
    /// Does what signals ask.
    pub(super) fn obey(&mut self) {
        let caught = signal::take();
        if caught.is_empty() {
            return;
        }
        let now = sys::clock::monotonic();
        for (signal, letter) in FORWARDED {
            if caught.contains(signal) {
                self.forward(letter);
            }
        }
        if caught.contains(Signal::TERM) || caught.contains(Signal::INT) {
            self.begin_stop(now);
        }
        if self.stop.is_some() {
            return;
        }
        if caught.contains(Signal::HUP) {
            self.regular = now;
        }
        if caught.contains(Signal::USR2) {
            self.upgrade();
        }
    }

    fn forward(&mut self, letter: &[u8]) {
        let now = sys::clock::monotonic();
        let Some(name) = self.chosen.as_ref().map(|chosen| chosen.name.clone()) else { return };
        let site = self.chosen_post().and_then(|post| self.site(post, true));
        let sent = site.ok_or(Errno::NOENT).and_then(|site| site.send(letter));
        if let Err(errno) = sent {
            let parts: [&[u8]; 2] = [b"unable to forward a signal to ", name.to_bytes()];
            self.complaints.warn_errno(&parts, errno, now);
        }
    }

    /// `-e`: everything depends on a service that must be there.
    pub(super) fn choose(&mut self, options: &Options) -> Result<(), Failure> {
        let Some(name) = options.chosen else { return Ok(()) };
        let unable = |errno| {
            NAME.fatal_errno(Exit::TEMPORARY.0, &[b"unable to choose ", name.to_bytes()], errno)
        };
        if name.to_bytes().starts_with(b".") {
            return Err(unable(Errno::NOENT));
        }
        self.directory.identity(name).and_then(|id| id.ok_or(Errno::NOTDIR)).map_err(unable)?;
        let site = Site::open(name, self.base()).map_err(unable)?;
        let before = site.details().service.and_then(|detail| detail.death);
        self.chosen = Some(Chosen::new(name.into(), before));
        Ok(())
    }

    pub(super) fn chosen_post(&self) -> Option<Post> {
        let name = &self.chosen.as_ref()?.name;
        Some(Post { id: self.plan.find(name)?, role: Role::Service })
    }

    /// The directory of the chosen service's supervise, made if need be, is watched from now on: before it is started, or
    /// its end might be missed.
    pub(super) fn watch_chosen(&mut self, site: &Site, path: &CStr) {
        // Where it can't be made, supervise will say so.
        let _ = site.make();
        if let Some(watch) = &mut self.watch {
            watch.choose(&site.directory(path));
        }
    }

    /// Whether nothing tells when the chosen service ends.
    pub(super) fn must_look(&self) -> bool {
        self.chosen.is_some() && !self.watch.as_ref().is_some_and(Watch::is_choosing)
    }

    /// Looks what has become of the chosen service. `ended` is a supervise that has.
    pub(super) fn look_at_chosen(&mut self, ended: Option<Post>) {
        let Some(post) = self.chosen_post() else { return };
        if ended.is_some_and(|ended| ended != post) {
            return;
        }
        let Some(site) = self.site(post, true) else { return };
        if ended.is_none() && !site.is_up() {
            return;
        }
        let (status, detail) = (site.statuses(), site.details());
        if let Some(chosen) = &mut self.chosen {
            chosen.look(status.map(|statuses| statuses.service), detail.service);
        }
    }

    /// svscan's own messages go to the logger that was named. Without it, they go where they did.
    pub(super) fn log_to(&mut self, options: &Options) {
        let Some(name) = options.own_log else { return };
        if let Err(errno) = self.try_to_log_to(name) {
            NAME.warn_errno(&[b"unable to log to ", name.to_bytes()], errno);
        }
    }

    fn try_to_log_to(&mut self, name: &CStr) -> Result<(), Errno> {
        let own = OwnLog::new(&self.directory, name)?;
        let now = sys::clock::monotonic();
        let site = Site::open(name, self.base())?;
        let pipe = LogPipe::open(&site, name, &mut self.complaints, now)?;
        pipe.writer().map_or(Ok(()), |writer| own.begin(writer))?;
        self.plan.add_own(name.into(), own.id, now);
        self.pipes.insert(own.id, pipe);
        self.own_log = Some(own);
        Ok(())
    }
}
