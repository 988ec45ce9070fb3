//! svlog: shows the logs of services, in order.

pub(crate) mod civil;
pub(crate) mod content;
mod directory;
pub(crate) mod lines;
mod merge;
mod names;
mod order;
mod place;
mod rotation;
mod show;
mod source;
pub(crate) mod stamp;
pub(crate) mod time;
mod wait;

use crate::tai64nlocal::local::LocalTime;
use crate::tai64nlocal::zone::Zone;
use alloc::ffi::CString;
use alloc::vec;
use alloc::vec::Vec;
use common::{Exit, Failure, Name};
use core::ffi::CStr;
use order::Order;
use show::{Show, Shown, Style};
use source::Source;
use sys::signal::{self, Signal};
use sys::{Args, Env, Errno};
use wait::Wait;

const NAME: Name = Name("svlog");

/// While one log gives line after line, the others are looked at after so many.
const TURN: u32 = 1000;

/// `svlog [-fqtU] [-n LINES] [-s SINCE] [-u UNTIL] SERVICE...`: writes what the services have logged to
/// standard output, finished files (gzip and Zstandard, too) and `current`, merged by their stamps, with local times.
///
/// A service is a directory with a log: in itself, in `log/main`, `log/*`, `log`, `main` or `*`; or the name of one in
/// `$SVDIR` (`/service`).
///
/// Exit code 0 when all is shown, or when nobody reads it any more; 111 when some of it couldn't be, which was said.
///
/// # Errors
/// 100: wrong options, a time that can't be understood. 111: no log, or no way to write or to wait.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    signal::ignore(Signal::PIPE);
    let (order, names) = order::read(args, sys::clock::realtime(), || Zone::of(env))?;
    let unable = |errno| NAME.fatal_errno(111, &[b"unable to write output"], errno);
    let output = sys::borrow(1).ok_or_else(|| unable(Errno::BADF))?;
    let (logs, complete) = open(names, env, &order)?;
    let zone = &Zone::of(env);
    let mut reading = Reading { order, zone, logs, middle: None };
    let passed_over = match order.last {
        Some(last) => reading
            .only_last(last)
            .map_err(|errno| NAME.fatal_errno(111, &[b"unable to open log directory"], errno))?,
        None => 0,
    };
    let mut wait = order.follow.then(|| Wait::new(reading.paths()));
    let mut show = Show::new(Style::of(output, env), time(&order, env), |bytes: &[u8]| {
        sys::write_all(output, bytes)
    });
    let shown = reading.show(&mut show, passed_over, |a_log_has_moved| match &mut wait {
        Some(wait) => wait.wait(output, a_log_has_moved),
        None => Ok(false),
    });
    match shown {
        Ok(()) | Err(Errno::PIPE) if complete && !reading.had_trouble() => Ok(Exit::OK),
        Ok(()) | Err(Errno::PIPE) => Ok(Exit::TEMPORARY),
        Err(errno) => Err(unable(errno)),
    }
}

/// What stamps become.
fn time(order: &Order, env: Env) -> Option<LocalTime> {
    let env = if order.utc { Env::new(vec![c"TZ=UTC0".into()]) } else { env };
    (!order.raw).then(|| LocalTime::new(env))
}

/// A service's log, and what it is called in front of its lines.
struct Log {
    title: &'static [u8],
    source: Source,
}

/// Finds the logs. What has none is said; gives whether all have one.
fn open(names: Args, env: Env, order: &Order) -> Result<(Vec<Log>, bool), Failure> {
    let services = env.get(b"SVDIR").filter(|path| !path.is_empty()).unwrap_or(place::SERVICES);
    let title = |name: &'static CStr| place::title(name.to_bytes());
    let is_clear = |name| names.iter().filter(|other| title(other) == title(name)).count() == 1;
    let mut logs: Vec<Log> = Vec::with_capacity(names.len());
    for name in names.iter() {
        let opened = place::find(name, services).and_then(|found| Source::new(found, order));
        let said: [&[u8]; 2] = [b"unable to find the log of ", name.to_bytes()];
        match opened {
            Ok(source) => {
                let title = if is_clear(name) { title(name) } else { name.to_bytes() };
                logs.push(Log { title, source });
            }
            Err(errno) if names.len() == 1 => return Err(NAME.fatal_errno(111, &said, errno)),
            Err(errno) => NAME.warn_errno(&said, errno),
        }
    }
    if logs.is_empty() {
        return Err(Failure::silent(Exit::TEMPORARY.0));
    }
    let complete = logs.len() == names.len();
    Ok((logs, complete))
}

/// The logs, being read.
struct Reading<'a> {
    order: Order,
    zone: &'a Zone,
    logs: Vec<Log>,
    /// The log of which part of a line was taken.
    middle: Option<usize>,
}

impl Reading<'_> {
    /// The log that has the next line, or the next piece of the line in hand.
    fn next(&mut self) -> Option<usize> {
        for log in &mut self.logs {
            log.source.advance(&self.order, self.zone);
        }
        let goes_on = self.middle.filter(|index| self.logs[*index].source.moment().is_some());
        goes_on.or_else(|| merge::next(self.logs.iter().map(|log| log.source.moment())))
    }

    /// Leaves out files that the last lines aren't in; gives how many lines of the rest aren't among them, either.
    fn only_last(&mut self, last: u64) -> Result<u64, Errno> {
        let Self { order, zone, .. } = *self;
        let several = self.logs.len() > 1;
        let mut logs = Vec::with_capacity(self.logs.len());
        for log in &mut self.logs {
            // With times, it takes a look at each line to know.
            if order.since.is_none() && order.until.is_none() {
                log.source.only_last(last, zone, several);
            }
            logs.push(Log { title: log.title, source: log.source.dry_run()? });
        }
        let mut reading = Reading { order, zone, logs, middle: None };
        let mut lines = 0_u64;
        while let Some(index) = reading.next() {
            let source = &mut reading.logs[index].source;
            let Some((_, piece, _)) = source.head() else { break };
            lines += u64::from(piece.begins);
            reading.middle = (!piece.ends).then_some(index);
            source.take();
        }
        Ok(lines.saturating_sub(last))
    }

    /// Shows what there is, but for so many lines at first; then waits for more, which is told whether a log has moved, until that gives that there is to be no more.
    fn show(
        &mut self,
        show: &mut Show<impl FnMut(&[u8]) -> Result<(), Errno>>,
        mut passed_over: u64,
        mut wait: impl FnMut(bool) -> Result<bool, Errno>,
    ) -> Result<(), Errno> {
        let with_names = self.logs.len() > 1 && !self.order.quiet;
        let (mut turn, mut is_shown) = (0, true);
        loop {
            while let Some(index) = self.next() {
                let log = &self.logs[index];
                let Some((bytes, piece, stamp)) = log.source.head() else { break };
                let goes_on = self.middle == Some(index);
                if piece.begins {
                    is_shown = passed_over == 0;
                    passed_over = passed_over.saturating_sub(1);
                }
                if is_shown {
                    // Of a long line, the rest may take its time; the others don't wait for it.
                    if self.middle.is_some() && !goes_on {
                        show.end_line();
                    }
                    let service = (with_names && !goes_on).then_some((log.title, index));
                    show.put(Shown { service, bytes, stamp, ends: piece.ends })?;
                }
                self.middle = (!piece.ends).then_some(index);
                self.logs[index].source.take();
                turn += 1;
                if turn == TURN {
                    turn = 0;
                    self.look_again();
                }
            }
            show.flush()?;
            let moved = self.logs.iter_mut().filter_map(|log| log.source.has_moved().then_some(()));
            if !wait(moved.count() > 0)? {
                return Ok(());
            }
            self.look_again();
        }
    }

    fn look_again(&mut self) {
        self.logs.iter_mut().for_each(|log| log.source.look_again());
    }

    fn had_trouble(&self) -> bool {
        self.logs.iter().any(|log| log.source.trouble)
    }

    fn paths(&self) -> Vec<CString> {
        self.logs.iter().map(|log| log.source.directory().path.clone()).collect()
    }
}
