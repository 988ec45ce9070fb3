//! Waiting for many services at once.
//!
//! All letters go out first. Then one inotify descriptor tells when a service is worth another look.
//! A service is judged only when supervise has obeyed: when it has read all letters, has published
//! a status since, and that status says what was asked. What was true before doesn't count.
//!
//! A supervise that dies meanwhile is waited for, as svscan starts another one: for [`ABSENCE`].

use super::goal::{Goal, Known, Now, Target, Verdict, Whose};
use super::order::Order;
use super::{NAME, explain, send, warn};
use crate::explanation::is_missing;
use crate::look::{self, Problem, Sight};
use crate::text::{self, Words};
use crate::visit::Start;
use crate::watch::{Again, News, Watch};
use alloc::ffi::CString;
use alloc::vec::Vec;
use common::tai64n::Label;
use common::{Exit, Failure};
use core::ffi::CStr;
use core::time::Duration;
use supervise::client;
use supervise::detail::Details;
use supervise::place::Place;
use supervise::status::{State, Status};
use sys::fs::CWD;
use sys::poll::{PollFd, PollFlags, poll};
use sys::process::getcwd;
use sys::{Args, AsFd, Env, Errno, clock};

/// How long a supervise may be away until it counts as gone: svscan looks every 5 seconds.
const ABSENCE: Duration = Duration::from_secs(10);

/// How long to look again after what no event follows for certain.
const DOUBT: Duration = Duration::from_secs(1);

/// How often to look at what can't be watched.
const BLIND: Duration = Duration::from_secs(1);

/// Sends the letters to all directories and waits for the goal.
///
/// # Errors
/// 111: there is no way back to where svc was started, or no way to wait.
pub(super) fn run(
    start: &Start,
    order: &Order,
    goal: Goal,
    directories: Args,
    env: Env,
) -> Result<Exit, Failure> {
    let mut waiting = Waiting {
        start,
        goal,
        watch: Watch::new().ok(),
        services: Vec::with_capacity(directories.len()),
    };
    for directory in directories.iter() {
        waiting.begin(directory, &order.letters, env)?;
    }
    let began = clock::monotonic();
    let deadline = order.patience.map(|patience| began.saturating_add(patience));
    waiting.wait(deadline)?;
    waiting.finish(deadline.map(|deadline| deadline - began))
}

struct Waiting<'a> {
    start: &'a Start,
    goal: Goal,
    /// None: there is no inotify to be had.
    watch: Option<Watch>,
    services: Vec<Service>,
}

/// A service that is waited for.
struct Service {
    /// As given.
    name: &'static CStr,
    /// Where that led when svc began: a link may be replaced meanwhile.
    path: CString,
    place: Place,
    /// The start that was current before the letters.
    before: Option<(Label, u32)>,
    /// A status was published since the letters went out.
    published: bool,
    /// Since when no supervise is there.
    missing: Option<Duration>,
    /// Something has happened.
    stale: bool,
    /// Look again even if nothing happens.
    again: Option<Again>,
    /// Nothing would tell: when to look.
    blind: Option<Duration>,
    end: Option<End>,
}

/// How waiting for one service ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Reached,
    TimeOver,
    Never,
    /// It could not be told, or not be looked at.
    Trouble,
}

impl Waiting<'_> {
    /// Notes how a service is, watches it, and sends it the letters.
    fn begin(&mut self, name: &'static CStr, letters: &[u8], env: Env) -> Result<(), Failure> {
        let number = self.services.len();
        let (goal, watch) = (self.goal, &mut self.watch);
        let service = self.start.visit(name, |entered| {
            entered.map_err(Problem::Enter)?;
            let place = Place::here(env).map_err(Problem::Path)?;
            let path = getcwd(Vec::new()).map_err(Problem::Path)?;
            let watched = watch.as_mut().map(|watch| watch.add(number, &place));
            let mut service = Service::new(name, path, place);
            service.blind = (watched != Some(Ok(()))).then(clock::monotonic);
            service.before = look::look(&service.place)
                .ok()
                .and_then(|sight| goal.of(&sight))
                .map(|status| (status.since, status.pid));
            service.end = service.tell(goal, letters, env);
            Ok(service)
        })?;
        self.services.push(match service {
            Ok(service) => service,
            Err(Problem::Enter(errno)) => {
                NAME.warn_errno(&[b"unable to chdir to ", name.to_bytes()], errno);
                Service::ended(name, End::Never)
            }
            Err(_) => {
                let parts = [b"unable to tell the path of ", name.to_bytes()];
                NAME.warn(&parts);
                Service::ended(name, End::Trouble)
            }
        });
        Ok(())
    }

    /// Looks at what is worth a look, and waits, until all is decided or the time is over.
    fn wait(&mut self, deadline: Option<Duration>) -> Result<(), Failure> {
        loop {
            let now = clock::monotonic();
            self.look(now, false)?;
            if self.services.iter().all(|service| service.end.is_some()) {
                return Ok(());
            }
            if deadline.is_some_and(|deadline| now >= deadline) {
                return self.look(now, true);
            }
            let next = self.services.iter().filter_map(Service::due).chain(deadline).min();
            let timeout = next.map(|next| next.saturating_sub(clock::monotonic()));
            let mut fds = [PollFd::from_borrowed_fd(CWD, PollFlags::IN)];
            let count = match &self.watch {
                Some(watch) => {
                    fds = [PollFd::from_borrowed_fd(watch.as_fd(), PollFlags::IN)];
                    1
                }
                None => 0,
            };
            match poll(&mut fds[..count], timeout, None) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(errno) => return Err(NAME.fatal_errno(111, &[b"unable to wait"], errno)),
            }
            self.hear();
        }
    }

    /// Takes in what has happened.
    fn hear(&mut self) {
        let Some(watch) = &mut self.watch else { return };
        let services = &mut self.services;
        let now = clock::monotonic();
        watch.news(|number, news| match number {
            Some(number) => services[number].hear(news, now),
            None => services.iter_mut().for_each(|service| service.hear(News::Lost, now)),
        });
    }

    /// Looks at all services that something has happened to, or at all that are undecided.
    fn look(&mut self, now: Duration, last: bool) -> Result<(), Failure> {
        let Self { start, goal, watch, services } = self;
        for (number, service) in services.iter_mut().enumerate() {
            let due = service.stale || service.due().is_some_and(|due| now >= due);
            if service.end.is_some() || !(due || last) {
                continue;
            }
            service.stale = false;
            let path = service.path.clone();
            let verdict = start.visit(&path, |entered| {
                if service.blind.is_some() {
                    let watched = match (entered, &mut *watch) {
                        (Ok(()), Some(watch)) => watch.add(number, &service.place).is_ok(),
                        _ => false,
                    };
                    service.blind = (!watched).then(|| now + BLIND);
                }
                service.judge(*goal, entered, now)
            })?;
            service.again = service.again.and_then(|again| match now >= again.due() {
                true => again.next(now),
                false => Some(again),
            });
            match verdict {
                Verdict::Reached => service.end = Some(End::Reached),
                Verdict::Never(why) => {
                    service.end = Some(End::Never);
                    let parts = [&goal.unable(service.name)[..], b": ", why.as_bytes()];
                    NAME.warn(&parts);
                }
                Verdict::NotYet => {}
            }
        }
        Ok(())
    }

    /// Says who isn't there, and gives the exit code.
    fn finish(&mut self, patience: Option<Duration>) -> Result<Exit, Failure> {
        let now = Label::now();
        for service in self.services.iter_mut().filter(|service| service.end.is_none()) {
            service.end = Some(End::TimeOver);
            let mut line = self.goal.unable(service.name);
            line.extend_from_slice(b" within ");
            append_seconds(&mut line, patience.unwrap_or_default());
            line.extend_from_slice(b": ");
            let place = &service.place;
            self.start.visit(&service.path, |entered| {
                match entered.map_err(Problem::Enter).and_then(|()| look::look(place)) {
                    Ok(sight) => self.goal.describe(&mut line, &sight, now),
                    Err(problem) => problem.describe(&mut line),
                }
            })?;
            NAME.warn(&[&line]);
        }
        if self.services.iter().any(|service| service.missing.is_some()) {
            explain();
        }
        let is = |end| self.services.iter().any(|service| service.end == Some(end));
        Ok(Exit(match () {
            () if is(End::Trouble) => 111,
            () if is(End::Never) => 98,
            () if is(End::TimeOver) => 99,
            () => 0,
        }))
    }
}

impl Service {
    fn new(name: &'static CStr, path: CString, place: Place) -> Self {
        Self {
            name,
            path,
            place,
            before: None,
            published: false,
            missing: None,
            stale: true,
            again: None,
            blind: None,
            end: None,
        }
    }

    fn ended(name: &'static CStr, end: End) -> Self {
        Self { end: Some(end), ..Self::new(name, CString::default(), Place::default()) }
    }

    /// Sends the letters. How it ends if that fails.
    fn tell(&mut self, goal: Goal, letters: &[u8], env: Env) -> Option<End> {
        let errno = send(letters, env).err()?;
        let missing = errno == Errno::NXIO || errno == Errno::NOENT;
        if missing && letters.is_empty() {
            // One may be about to come: the directory was only just linked, say.
            return None;
        }
        if missing && goal.target == Target::Gone {
            return Some(End::Reached);
        }
        warn(self.name.to_bytes(), errno);
        self.missing = missing.then(clock::monotonic);
        Some(if missing { End::Never } else { End::Trouble })
    }

    fn hear(&mut self, news: News, now: Duration) {
        self.stale = true;
        match news {
            News::Status => self.published = true,
            News::Other => {}
            News::Leaving => self.again = Some(Again::new(now, DOUBT)),
            News::Lost => {
                self.published = true;
                self.blind = Some(now);
            }
        }
    }

    /// When it is to be looked at even if nothing happens.
    fn due(&self) -> Option<Duration> {
        let again = self.again.map(Again::due);
        let missing = self.missing.map(|since| since + ABSENCE);
        let dues = [again, missing, self.blind].into_iter().flatten();
        dues.min().filter(|_| self.end.is_none())
    }

    /// Judges the service in the working directory.
    fn judge(&mut self, goal: Goal, entered: Result<(), Errno>, now: Duration) -> Verdict {
        let seen = entered.map_err(Problem::Enter).and_then(|()| look::look(&self.place));
        let problem = match seen {
            Ok(sight) => {
                self.missing = None;
                return self.judge_sight(goal, &sight, now);
            }
            Err(problem) => problem,
        };
        let vanished = matches!(problem, Problem::Enter(Errno::NOENT | Errno::NOTDIR));
        if !is_missing(problem) && !vanished {
            return Verdict::NotYet;
        }
        let left = client::status(CWD, &self.place).ok().filter(|_| !vanished);
        let verdict = goal.judge_left(left.as_ref().map(|left| &left.service));
        if verdict != Verdict::NotYet {
            return verdict;
        }
        let since = *self.missing.get_or_insert(now);
        if now.saturating_sub(since) >= ABSENCE {
            return Verdict::Never(if vanished {
                "the directory is gone"
            } else {
                "supervise not running"
            });
        }
        self.again.get_or_insert(Again::new(now, ABSENCE));
        Verdict::NotYet
    }

    fn judge_sight(&mut self, goal: Goal, sight: &Sight, now: Duration) -> Verdict {
        let Some(status) = goal.of(sight) else {
            return Verdict::Never("its supervise runs no log of its own");
        };
        let obeyed = goal.is_obeyed(&status)
            && (self.published || goal.expects.is_none())
            && self.has_read();
        if !obeyed {
            self.again.get_or_insert(Again::new(now, DOUBT));
            return Verdict::NotYet;
        }
        let detail = goal.known(sight, &self.place);
        goal.judge(self.before, &Now { status, detail })
    }

    /// Whether supervise has read all letters.
    fn has_read(&self) -> bool {
        let control = client::control(CWD, &self.place);
        control.and_then(sys::io::ioctl_fionread).is_ok_and(|waiting| waiting == 0)
    }
}

impl Goal {
    /// The status that counts.
    fn of(self, sight: &Sight) -> Option<Status> {
        match self.whose {
            Whose::Service => Some(sight.statuses.service),
            Whose::Log => sight.statuses.log,
        }
    }

    /// The details that count; nothing, where none does.
    fn known(self, sight: &Sight, place: &Place) -> Known {
        let status = self.of(sight);
        if self.target != Target::Ready && status.is_none_or(|s| s.state != Some(State::Failed)) {
            return Known::Nothing;
        }
        let all = client::details(CWD, place);
        if all == Details::default() {
            return Known::Nothing;
        }
        let these = look::belonging(&sight.statuses, all);
        let detail = match self.whose {
            Whose::Service => these.service,
            Whose::Log => these.log,
        };
        match detail {
            Some(detail) => Known::Told(detail.into()),
            // What a supervise of 0.76 found in the directory.
            None if sight.statuses.service.state.is_none() => Known::Nothing,
            None => Known::Older,
        }
    }

    /// `unable to wait for NAME to be up`.
    fn unable(self, name: &CStr) -> Vec<u8> {
        let log: &[u8] = match self.whose {
            Whose::Service => b"",
            Whose::Log => b" log",
        };
        let again: &[u8] = if self.fresh { b" again" } else { b"" };
        let target = self.target.name().as_bytes();
        [b"unable to wait for ", name.to_bytes(), log, b" to be ", target, again].concat()
    }

    fn describe(self, line: &mut Vec<u8>, sight: &Sight, now: Label) {
        match self.of(sight) {
            Some(status) => text::describe(line, &status, sight.normally_up, now, Words::Encore),
            None => line.extend_from_slice(b"no log service"),
        }
    }
}

fn append_seconds(line: &mut Vec<u8>, time: Duration) {
    line.extend_from_slice(common::decimal(time.as_secs()).as_bytes());
    if time.subsec_millis() != 0 {
        line.push(b'.');
        let fraction = common::decimal(time.subsec_millis().into());
        line.extend_from_slice(fraction.padded(3));
    }
    line.extend_from_slice(if time == Duration::from_secs(1) { b" second" } else { b" seconds" });
}
