//! `svstat --watch`: says everything, and then again what changes, until the reader is gone. On a
//! terminal, everything is drawn anew instead.
//!
//! Its buffers are used again and again: what svstat allocates with never gives back what isn't
//! the newest.

use super::order::{Every, Order};
use super::report::{Report, When, has_logger};
use super::{NAME, append, read, screen, write};
use crate::explanation::is_missing;
use crate::visit::Start;
use crate::watch::{Again, News, Watch};
use alloc::vec::Vec;
use common::tai64n::Label;
use common::{Exit, Failure};
use core::ffi::CStr;
use core::time::Duration;
use supervise::place::Place;
use sys::poll::{PollFd, PollFlags, poll};
use sys::signal::{self, Signal};
use sys::{Args, AsFd, BorrowedFd, Env, Errno, clock, termios};

/// How long to look again after what no event follows for certain.
const DOUBT: Duration = Duration::from_secs(1);

/// How often to look at what can't be watched, and to draw a terminal.
const SECOND: Duration = Duration::from_secs(1);

/// Exit code 0 when the reader is gone.
///
/// # Errors
/// 111: there is no way back to where svstat was started, no way to wait, or to write.
pub(super) fn run(
    start: &Start,
    order: &Order,
    every: Every,
    directories: Args,
    env: Env,
) -> Result<Exit, Failure> {
    signal::ignore(Signal::PIPE);
    let unable = |errno| NAME.fatal_errno(111, &[b"unable to write output"], errno);
    let output = sys::borrow(1).ok_or_else(|| unable(Errno::BADF))?;
    let terminal = termios::isatty(output);
    let every = match every {
        Every::Time(time) => Some(time),
        Every::Default => terminal.then_some(SECOND),
    };
    let mut watch = Watch::new().ok();
    let mut services = Vec::with_capacity(directories.len());
    for directory in directories.iter() {
        services.push(Service::new(directory, read(start, order, directory, env)?));
    }
    let mut all = Some(clock::monotonic());
    let mut lines = Vec::new();
    let mut said = Vec::new();
    loop {
        let now = clock::monotonic();
        let everything = all.is_some_and(|all| now >= all);
        lines.clear();
        for (number, service) in services.iter_mut().enumerate() {
            if everything || service.is_due(now) {
                watch_it(start, watch.as_mut(), number, service, order, env, now)?;
                service.look(start, order, env, now)?;
                if !terminal {
                    service.tell(&mut lines, &mut said, order, everything);
                }
            }
        }
        let written = if terminal {
            let now = When::now();
            services.iter_mut().for_each(|service| service.tell_now(&mut lines, order, now));
            write(&screen::draw(&lines, termios::tcgetwinsize(output).ok()))
        } else {
            write(&lines)
        };
        match written {
            Ok(()) => {}
            Err(Errno::PIPE) => return Ok(Exit::OK),
            Err(errno) => return Err(unable(errno)),
        }
        if everything {
            all = every.map(|every| now.saturating_add(every));
        }
        let next = services.iter().filter_map(Service::due).chain(all).min();
        if !wait(watch.as_ref(), output, next)? {
            return Ok(Exit::OK);
        }
        hear(watch.as_mut(), &mut services);
    }
}

/// Waits until something happens or is due. Whether the reader is still there.
fn wait(
    watch: Option<&Watch>,
    output: BorrowedFd<'_>,
    next: Option<Duration>,
) -> Result<bool, Failure> {
    let timeout = next.map(|next| next.saturating_sub(clock::monotonic()));
    let output = PollFd::from_borrowed_fd(output, PollFlags::empty());
    let mut fds = [output.clone(), output];
    let count = 1 + usize::from(watch.is_some());
    if let Some(watch) = watch {
        fds[1] = PollFd::from_borrowed_fd(watch.as_fd(), PollFlags::IN);
    }
    match poll(&mut fds[..count], timeout, None) {
        Ok(_) | Err(Errno::INTR) => {
            Ok(!fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP))
        }
        Err(errno) => Err(NAME.fatal_errno(111, &[b"unable to wait"], errno)),
    }
}

/// How often to look whether a multilog pauses.
const PAUSE: Duration = Duration::from_secs(2);

/// A service that is followed.
struct Service {
    name: &'static CStr,
    report: Report,
    /// What was last said of it, the time apart.
    said: Vec<u8>,
    stale: bool,
    again: Option<Again>,
    /// Nothing would tell: when to look.
    blind: Option<Duration>,
    /// When to look at its multilog again.
    ask: Option<Duration>,
}

impl Service {
    fn new(name: &'static CStr, report: Report) -> Self {
        Self { name, report, said: Vec::new(), stale: true, again: None, blind: None, ask: None }
    }

    fn due(&self) -> Option<Duration> {
        [self.again.map(Again::due), self.blind, self.ask].into_iter().flatten().min()
    }

    fn is_due(&self, now: Duration) -> bool {
        self.stale || self.due().is_some_and(|due| now >= due)
    }

    fn look(
        &mut self,
        start: &Start,
        order: &Order,
        env: Env,
        now: Duration,
    ) -> Result<(), Failure> {
        self.report = read(start, order, self.name, env)?;
        // A supervise that is starting opens its `ok` last, and nothing tells that.
        if self.stale && self.report.seen.as_ref().is_err_and(|problem| is_missing(*problem)) {
            self.again.get_or_insert(Again::new(now, DOUBT));
        }
        self.ask = self.report.writes().then(|| now + PAUSE);
        self.stale = false;
        self.again = match self.again {
            Some(again) if now >= again.due() => again.next(now),
            again => again,
        };
        Ok(())
    }

    /// Appends what there is to be said, if it isn't what was last said. `said` is for scratch.
    fn tell(&mut self, lines: &mut Vec<u8>, said: &mut Vec<u8>, order: &Order, anyway: bool) {
        // Seconds counted to one moment far away are the same as long as nothing happens.
        let far = Label::from_unix(Duration::from_secs(1 << 40));
        self.report.when = When { label: far, boot: Duration::ZERO };
        said.clear();
        append(said, &self.report, order);
        if anyway || *said != self.said {
            self.tell_now(lines, order, When::now());
            self.said.clone_from(said);
        }
    }

    fn tell_now(&mut self, lines: &mut Vec<u8>, order: &Order, now: When) {
        self.report.when = now;
        append(lines, &self.report, order);
    }
}

/// Watches a service, and its logger where that is told of, too.
fn watch_it(
    start: &Start,
    watch: Option<&mut Watch>,
    number: usize,
    service: &mut Service,
    order: &Order,
    env: Env,
    now: Duration,
) -> Result<(), Failure> {
    let mut watched = false;
    if let Some(watch) = watch {
        watched = start.visit(service.name, |entered| {
            let mut add = || watch.add(number, &Place::here(env)?);
            let service = entered.is_ok() && add().is_ok();
            let log = has_logger(order) && sys::process::chdir(c"log").is_ok();
            service && (!log || add().is_ok())
        })?;
    }
    service.blind = (!watched).then(|| now + SECOND);
    Ok(())
}

fn hear(watch: Option<&mut Watch>, services: &mut [Service]) {
    let Some(watch) = watch else { return };
    let now = clock::monotonic();
    watch.news(|number, news| {
        let heard = match number {
            Some(number) => services.get_mut(number..=number),
            None => Some(&mut services[..]),
        };
        for service in heard.into_iter().flatten() {
            service.stale = true;
            if news == News::Leaving {
                service.again = Some(Again::new(now, DOUBT));
            }
        }
    });
}
