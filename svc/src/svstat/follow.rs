//! `svstat --watch`: says everything, and then again what changes, until the reader is gone. On a
//! terminal, everything is drawn anew instead.

use super::order::{Every, Order};
use super::report::When;
use super::{Known, NAME, read, write};
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
    loop {
        let now = clock::monotonic();
        let everything = all.is_some_and(|all| now >= all);
        for (number, service) in services.iter_mut().enumerate() {
            if everything || service.is_due(now) {
                watch_it(start, watch.as_mut(), number, service, order, env, now)?;
                service.look(start, order, env, now)?;
            }
        }
        let lines = if terminal {
            screen(&mut services, order, termios::tcgetwinsize(output).ok())
        } else {
            lines(&mut services, order, everything)
        };
        match write(&lines) {
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

/// A service that is followed.
struct Service {
    name: &'static CStr,
    known: Known,
    /// What was last said of it, the time apart.
    said: Vec<u8>,
    stale: bool,
    again: Option<Again>,
    /// Nothing would tell: when to look.
    blind: Option<Duration>,
}

impl Service {
    fn new(name: &'static CStr, known: Known) -> Self {
        Self { name, known, said: Vec::new(), stale: true, again: None, blind: None }
    }

    fn due(&self) -> Option<Duration> {
        [self.again.map(Again::due), self.blind].into_iter().flatten().min()
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
        self.known = read(start, order, self.name, env)?;
        // A supervise that is starting opens its `ok` last, and nothing tells that.
        if self.stale && self.known.is_missing() {
            self.again.get_or_insert(Again::new(now, DOUBT));
        }
        self.stale = false;
        self.again = match self.again {
            Some(again) if now >= again.due() => again.next(now),
            again => again,
        };
        Ok(())
    }

    /// Appends what there is to be said, if it isn't what was last said.
    fn tell(&mut self, lines: &mut Vec<u8>, order: &Order, anyway: bool) {
        // Seconds counted to one moment far away are the same as long as nothing happens.
        let far = Label::from_unix(Duration::from_secs(1 << 40));
        self.known.at(When { label: far, boot: Duration::ZERO });
        let mut said = Vec::with_capacity(self.said.len());
        self.known.append(&mut said, self.name.to_bytes(), order);
        if anyway || said != self.said {
            self.tell_now(lines, order, When::now());
        }
        self.said = said;
    }

    fn tell_now(&mut self, lines: &mut Vec<u8>, order: &Order, now: When) {
        self.known.at(now);
        self.known.append(lines, self.name.to_bytes(), order);
    }
}

impl Known {
    fn is_missing(&self) -> bool {
        let problem = match self {
            Self::Line(seen, _) => seen.as_ref().err(),
            Self::Report(report) => report.seen.as_ref().err(),
        };
        problem.copied().is_some_and(is_missing)
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
        start.visit(service.name, |entered| {
            let mut add = || watch.add(number, &Place::here(env)?);
            watched = entered.is_ok() && add().is_ok();
            if watched && !order.is_plain() && sys::process::chdir(c"log").is_ok() {
                watched = add().is_ok();
            }
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

fn lines(services: &mut [Service], order: &Order, everything: bool) -> Vec<u8> {
    let mut lines = Vec::new();
    for service in services {
        service.tell(&mut lines, order, everything);
    }
    lines
}

/// Everything, cut to the terminal's size, from its top left corner on.
fn screen(services: &mut [Service], order: &Order, size: Option<termios::Winsize>) -> Vec<u8> {
    let mut lines = Vec::new();
    let now = When::now();
    for service in services {
        service.tell_now(&mut lines, order, now);
    }
    let (rows, columns) = size.map_or((0, 0), |size| (size.ws_row.into(), size.ws_col.into()));
    draw(&lines, rows, columns)
}

/// The bytes that draw these lines on a terminal of this size; 0 is as much as there is.
fn draw(lines: &[u8], rows: usize, columns: usize) -> Vec<u8> {
    const HOME: &[u8] = b"\x1b[H";
    const CLEAR_LINE: &[u8] = b"\x1b[K\n";
    const CLEAR_REST: &[u8] = b"\x1b[J";
    let all = lines.split_inclusive(|byte| *byte == b'\n');
    let (shown, cut) = match rows {
        0 | 1 => (usize::MAX, false),
        // The last row stays empty for the cursor, the one before says that there is more.
        _ if all.clone().count() >= rows => (rows.saturating_sub(2), true),
        _ => (usize::MAX, false),
    };
    let mut drawn = HOME.to_vec();
    for line in all.take(shown) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        drawn.extend_from_slice(first_columns(line, columns));
        drawn.extend_from_slice(CLEAR_LINE);
    }
    if cut {
        drawn.extend_from_slice(b"...");
        drawn.extend_from_slice(CLEAR_LINE);
    }
    drawn.extend_from_slice(CLEAR_REST);
    drawn
}

/// As much of a line as fits: a UTF-8 character is a column, however wide it is drawn.
fn first_columns(line: &[u8], columns: usize) -> &[u8] {
    let begins = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
    let mut starts = line.iter().enumerate().filter(|(_, byte)| begins(byte));
    match starts.nth(columns) {
        Some((end, _)) if columns > 0 => &line[..end],
        _ => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_drawn_within_the_terminal() {
        let drawn = |lines: &str, rows, columns| {
            let bytes = draw(lines.as_bytes(), rows, columns);
            let text = String::from_utf8(bytes).expect("UTF-8");
            let text = text.strip_prefix("\x1b[H").and_then(|text| text.strip_suffix("\x1b[J"));
            text.expect("from the corner to the end").replace("\x1b[K\n", "|")
        };
        for (lines, rows, columns, expected) in [
            ("", 5, 80, ""),
            ("a\nb\n", 5, 80, "a|b|"),
            ("a\nb\n", 3, 80, "a|b|"),
            ("a\nb\nc\n", 3, 80, "a|...|"),
            ("a\nb\nc\nd\n", 4, 80, "a|b|...|"),
            ("abcdef\n", 5, 3, "abc|"),
            ("äöüäöü\n", 5, 3, "äöü|"),
            ("abc\n", 5, 3, "abc|"),
            ("a\nb\nc\n", 0, 0, "a|b|c|"),
        ] {
            assert_eq!(drawn(lines, rows, columns), expected, "{lines:?} {rows}x{columns}");
        }
    }
}
