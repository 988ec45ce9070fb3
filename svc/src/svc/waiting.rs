//! Waiting for many services at once.
//!
//! All letters go out first. Then one inotify descriptor tells when a service is worth another look.

use super::awaited::{Awaited, End};
use super::goal::Goal;
use super::order::Order;
use super::{NAME, explain};
use crate::look::Problem;
use crate::visit::Start;
use crate::watch::{News, Watch};
use alloc::vec::Vec;
use common::{Exit, Failure};
use core::ffi::CStr;
use core::time::Duration;
use sys::poll::{PollFd, PollFlags, poll};
use sys::{Args, AsFd, Env, Errno, clock};

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
    let services = Vec::with_capacity(directories.len());
    let mut waiting = Waiting { start, goal, watch: Watch::new().ok(), services };
    for directory in directories.iter() {
        waiting.begin(directory, &order.letters, env)?;
    }
    let began = clock::monotonic();
    waiting.wait(order.patience.map(|patience| began.saturating_add(patience)))?;
    waiting.finish(order.patience.unwrap_or_default())
}

struct Waiting<'a> {
    start: &'a Start,
    goal: Goal,
    /// `None`: there is no inotify to be had.
    watch: Option<Watch>,
    /// As they were given: a watch knows them by their place here.
    services: Vec<Awaited>,
}

impl Waiting<'_> {
    /// Watches a service and sends it the letters.
    fn begin(&mut self, name: &'static CStr, letters: &[u8], env: Env) -> Result<(), Failure> {
        let (goal, number) = (self.goal, self.services.len());
        let watch = self.watch.as_mut();
        let service = self.start.visit(name, |entered| {
            entered.map_err(Problem::Enter)?;
            Awaited::begin(name, number, watch, goal, letters, env)
        })?;
        self.services.push(match service {
            Ok(service) => service,
            Err(Problem::Enter(errno)) => {
                NAME.warn_errno(&[b"unable to chdir to ", name.to_bytes()], errno);
                Awaited::ended(name, End::Never)
            }
            Err(_) => {
                NAME.warn(&[b"unable to tell the path of ", name.to_bytes()]);
                Awaited::ended(name, End::Trouble)
            }
        });
        Ok(())
    }

    /// Looks at what is worth a look, and waits, until all is decided or the time is over.
    fn wait(&mut self, deadline: Option<Duration>) -> Result<(), Failure> {
        loop {
            let now = clock::monotonic();
            let over = deadline.is_some_and(|deadline| now >= deadline);
            for (number, service) in self.services.iter_mut().enumerate() {
                if service.end().is_none() && (over || service.is_due(now)) {
                    service.look(self.start, number, self.watch.as_mut(), self.goal, now)?;
                }
            }
            if over || self.services.iter().all(|service| service.end().is_some()) {
                return Ok(());
            }
            let next = self.services.iter().filter_map(Awaited::due).chain(deadline).min();
            let timeout = next.map(|next| next.saturating_sub(clock::monotonic()));
            let watch = self.watch.as_ref().map(Watch::as_fd);
            let mut fds = watch.map(|watch| [PollFd::from_borrowed_fd(watch, PollFlags::IN)]);
            match poll(fds.as_mut().map_or(&mut [], |fds| &mut fds[..]), timeout, None) {
                Ok(_) | Err(Errno::INTR) => self.hear(),
                Err(errno) => return Err(NAME.fatal_errno(111, &[b"unable to wait"], errno)),
            }
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

    /// Says who isn't there, and gives the exit code.
    fn finish(&mut self, patience: Duration) -> Result<Exit, Failure> {
        for service in self.services.iter_mut().filter(|service| service.end().is_none()) {
            service.give_up(self.start, self.goal, patience)?;
        }
        if self.services.iter().any(Awaited::is_unsupervised) {
            explain();
        }
        let is = |end| self.services.iter().any(|service| service.end() == Some(end));
        Ok(Exit(match () {
            () if is(End::Trouble) => 111,
            () if is(End::Never) => 98,
            () if is(End::TimeOver) => 99,
            () => 0,
        }))
    }
}
