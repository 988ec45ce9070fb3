//! A service that is waited for: told, heard of, looked at and judged.
//!
//! It is judged only when supervise has obeyed: when it has read all letters, has published a status
//! since, and that status says what was asked. What was true before doesn't count. A supervise that
//! dies meanwhile is waited for, as svscan starts another one: for [`ABSENCE`].

use super::goal::{Goal, Known, Now, Target, Verdict, Whose};
use super::{NAME, send, warn};
use crate::explanation::is_missing;
use crate::look::{self, Problem, Sight};
use crate::text::{self, Words};
use crate::visit::Start;
use crate::watch::{Again, News, Watch};
use alloc::ffi::CString;
use alloc::vec::Vec;
use common::tai64n::Label;
use common::{Failure, decimal};
use core::ffi::CStr;
use core::time::Duration;
use supervise::client;
use supervise::detail::Details;
use supervise::place::Place;
use supervise::status::{State, Status};
use sys::fs::CWD;
use sys::process::getcwd;
use sys::{Env, Errno, clock};

/// How long a supervise may be away until it counts as gone: svscan looks every 5 seconds.
const ABSENCE: Duration = Duration::from_secs(10);

/// How long to look again after what no event follows for certain.
const DOUBT: Duration = Duration::from_secs(1);

/// How often to look at what can't be watched.
const BLIND: Duration = Duration::from_secs(1);

/// A service that is waited for.
pub(super) struct Awaited {
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
pub(super) enum End {
    Reached,
    TimeOver,
    Never,
    /// It could not be told anything.
    Trouble,
}

impl Awaited {
    /// Notes how the service in the working directory is, watches it, and sends it the letters.
    ///
    /// # Errors
    /// The path of the directory can't be had.
    pub(super) fn begin(
        name: &'static CStr,
        number: usize,
        watch: Option<&mut Watch>,
        goal: Goal,
        letters: &[u8],
        env: Env,
    ) -> Result<Self, Problem> {
        let place = Place::here(env).map_err(Problem::Path)?;
        let path = getcwd(Vec::new()).map_err(Problem::Path)?;
        let mut service = Self::new(name, path, place);
        service.watch(number, watch, clock::monotonic());
        let status = look::look(&service.place).ok().and_then(|sight| goal.of(&sight));
        service.before = status.map(|status| (status.since, status.pid));
        service.end = service.tell(goal, letters, env);
        Ok(service)
    }

    /// One that there is nothing to be done for.
    pub(super) fn ended(name: &'static CStr, end: End) -> Self {
        Self { end: Some(end), ..Self::new(name, CString::default(), Place::default()) }
    }

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

    fn watch(&mut self, number: usize, watch: Option<&mut Watch>, now: Duration) {
        let watched = watch.is_some_and(|watch| watch.add(number, &self.place).is_ok());
        self.blind = (!watched).then(|| now + BLIND);
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

    /// How waiting for it has ended, if it has.
    pub(super) fn end(&self) -> Option<End> {
        self.end
    }

    /// Whether no supervise was found when it was last looked at.
    pub(super) fn is_unsupervised(&self) -> bool {
        self.missing.is_some()
    }

    /// Takes in what has happened to it.
    pub(super) fn hear(&mut self, news: News, now: Duration) {
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
    pub(super) fn due(&self) -> Option<Duration> {
        let again = self.again.map(Again::due);
        let missing = self.missing.map(|since| since + ABSENCE);
        let dues = [again, missing, self.blind].into_iter().flatten();
        dues.min().filter(|_| self.end.is_none())
    }

    /// Whether it is worth a look now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.stale || self.due().is_some_and(|due| now >= due)
    }

    /// Looks at it, and says if the goal can't be reached.
    ///
    /// # Errors
    /// 111: there is no way back from there.
    pub(super) fn look(
        &mut self,
        start: &Start,
        number: usize,
        watch: Option<&mut Watch>,
        goal: Goal,
        now: Duration,
    ) -> Result<(), Failure> {
        self.stale = false;
        let path = self.path.clone();
        let verdict = start.visit(&path, |entered| {
            if self.blind.is_some_and(|due| now >= due) {
                // Whatever was published by now, nothing told.
                self.published = true;
                self.watch(number, watch.filter(|_| entered.is_ok()), now);
            }
            self.judge(goal, entered, now)
        })?;
        self.again = match self.again {
            Some(again) if now >= again.due() => again.next(now),
            again => again,
        };
        match verdict {
            Verdict::Reached => self.end = Some(End::Reached),
            Verdict::Never(why) => {
                self.end = Some(End::Never);
                NAME.warn(&[&goal.unable(self.name), b": ", why.as_bytes()]);
            }
            Verdict::NotYet => {}
        }
        Ok(())
    }

    /// Says that the time is over, and how it is.
    ///
    /// # Errors
    /// 111: there is no way back from there.
    pub(super) fn give_up(
        &mut self,
        start: &Start,
        goal: Goal,
        patience: Duration,
    ) -> Result<(), Failure> {
        self.end = Some(End::TimeOver);
        let mut line = goal.unable(self.name);
        line.extend_from_slice(b" within ");
        append_seconds(&mut line, patience);
        line.extend_from_slice(b": ");
        let seen = start.visit(&self.path, |entered| {
            entered.map_err(Problem::Enter).and_then(|()| look::look(&self.place))
        })?;
        match seen {
            Ok(sight) => goal.describe(&mut line, &sight, Label::now()),
            Err(problem) => problem.describe(&mut line),
        }
        NAME.warn(&[&line]);
        Ok(())
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
        // A supervise that comes opens its `ok` last, and nothing tells that.
        self.again.get_or_insert(Again::new(now, ABSENCE));
        Verdict::NotYet
    }

    fn judge_sight(&mut self, goal: Goal, sight: &Sight, now: Duration) -> Verdict {
        let Some(status) = goal.of(sight) else {
            return Verdict::Never("its supervise runs no log of its own");
        };
        let published = self.published || goal.expects.is_none();
        if !(published && goal.is_obeyed(&status) && self.has_read()) {
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
        let failed = self.of(sight).is_some_and(|status| status.state == Some(State::Failed));
        if self.target != Target::Ready && !failed {
            return Known::Nothing;
        }
        let all = client::details(CWD, place);
        let these = look::belonging(&sight.statuses, all);
        let detail = match self.whose {
            Whose::Service => these.service,
            Whose::Log => these.log,
        };
        match detail {
            Some(detail) => Known::Told(detail.into()),
            None if all == Details::default() => Known::Nothing,
            // An old one that a supervise of 0.76 found in the directory.
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
    line.extend_from_slice(decimal(time.as_secs()).as_bytes());
    if time.subsec_millis() != 0 {
        line.push(b'.');
        line.extend_from_slice(decimal(time.subsec_millis().into()).padded(3));
    }
    line.extend_from_slice(if time == Duration::from_secs(1) { b" second" } else { b" seconds" });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_messages() {
        for (milliseconds, expected) in [
            (1_000, "1 second"),
            (60_000, "60 seconds"),
            (300, "0.300 seconds"),
            (1_050, "1.050 seconds"),
        ] {
            let mut line = Vec::new();
            append_seconds(&mut line, Duration::from_millis(milliseconds));
            assert_eq!(line, expected.as_bytes());
        }
    }

    #[test]
    fn what_is_waited_for_in_words() {
        let goal = |target, fresh, whose| Goal { target, fresh, whose, expects: None };
        for (goal, expected) in [
            (goal(Target::Up, false, Whose::Service), "unable to wait for s to be up"),
            (goal(Target::Ready, true, Whose::Service), "unable to wait for s to be ready again"),
            (goal(Target::Down, false, Whose::Log), "unable to wait for s log to be down"),
        ] {
            assert_eq!(goal.unable(c"s"), expected.as_bytes());
        }
    }
}
