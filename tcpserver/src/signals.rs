//! The signals that the server lives by: blocked, let in only while it waits, and even then they
//! only raise a flag.

use nix::sys::signal::SigSet;
use signal_hook::flag;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use sys::signal::{self, Signal, SignalSet};

/// The server's signals.
pub struct Signals {
    child: Flag,
    terminate: Flag,
    reload: Option<Flag>,
    waiting: SigSet,
    handed_on: SignalSet,
}

type Flag = Arc<AtomicBool>;

impl Signals {
    /// From now on SIGCHLD and SIGTERM raise flags, and SIGHUP too if there is something to
    /// `reload` (otherwise it does what it did); SIGPIPE is ignored.
    ///
    /// # Errors
    /// What sigaction(2) says.
    pub fn install(reload: bool) -> io::Result<Self> {
        let mut caught = vec![Signal::CHILD, Signal::TERM];
        caught.extend(reload.then_some(Signal::HUP));
        let mut waiting = SigSet::thread_get_mask()?;
        let inherited = signal::block(SignalSet::of(&caught));
        for signal in &caught {
            waiting.remove(nix::sys::signal::Signal::try_from(signal.as_raw())?);
        }
        signal::ignore(Signal::PIPE);
        let child = raised_by(Signal::CHILD)?;
        // Nothing told of those that were left to us and ended before.
        child.store(true, Ordering::Relaxed);
        Ok(Self {
            child,
            terminate: raised_by(Signal::TERM)?,
            reload: reload.then(|| raised_by(Signal::HUP)).transpose()?,
            waiting,
            handed_on: inherited.without(Signal::CHILD),
        })
    }

    /// The mask to wait with: as it was at the start, but for the signals that raise flags.
    #[must_use]
    pub fn waiting(&self) -> SigSet {
        self.waiting
    }

    /// Whether children have ended since this was last asked.
    #[must_use]
    pub fn children_ended(&self) -> bool {
        self.child.swap(false, Ordering::Relaxed)
    }

    /// Whether it is time to end.
    #[must_use]
    pub fn terminated(&self) -> bool {
        self.terminate.load(Ordering::Relaxed)
    }

    /// Whether a reload was asked for since this was last asked.
    #[must_use]
    pub fn reload_wanted(&self) -> bool {
        self.reload.as_ref().is_some_and(|flag| flag.swap(false, Ordering::Relaxed))
    }

    /// The mask that programs start with: as it was at the start, but SIGCHLD is never blocked.
    /// The original hands on the same.
    #[must_use]
    pub fn handed_on(&self) -> SignalSet {
        self.handed_on
    }

    /// What does as it does by default in programs, even if it was ignored at the start. The
    /// original hands on the same.
    #[must_use]
    pub fn defaults(&self) -> SignalSet {
        let defaults = SignalSet::of(&[Signal::CHILD, Signal::TERM, Signal::PIPE]);
        if self.reload.is_some() { defaults.with(Signal::HUP) } else { defaults }
    }

    /// Gives a forked child the signals that a program would start with.
    pub fn put_back(&self) {
        for signal in [Signal::CHILD, Signal::TERM, Signal::PIPE, Signal::HUP] {
            if self.defaults().contains(signal) {
                signal::default(signal);
            }
        }
        signal::set_mask(self.handed_on);
    }
}

fn raised_by(signal: Signal) -> io::Result<Flag> {
    let flag = Flag::default();
    flag::register(signal.as_raw(), flag.clone())?;
    Ok(flag)
}
