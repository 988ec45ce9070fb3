//! The orderly stop: carries out what [`crate::stop`] decides.

use super::{Daemon, Exit};
use crate::chosen::Chosen;
use crate::logpipe::LogPipe;
use crate::plan::{Post, Role};
use crate::site::Site;
use crate::stop::{Order, Seen, Stop};
use alloc::vec::Vec;
use common::decimal;
use core::time::Duration;
use supervise::place::File;
use supervise::status::Want;
use sys::process::{Pid, Signal};

/// As many are named when it is said who is waited for.
const NAMED: usize = 10;

impl Daemon {
    /// Begins to stop everything; nothing new, if that has begun already.
    pub(super) fn begin_stop(&mut self, now: Duration) {
        if self.stop.is_none() {
            let posts: Vec<Post> = self.plan.posts().collect();
            let own = self.own_log.as_ref().map(|own| own.id);
            self.stop = Some(Stop::new(&posts, own, now));
            self.upgrades.0.clear();
        }
    }

    /// Goes on with it. svscan's exit code when all is over.
    pub(super) fn go_on_stopping(&mut self, now: Duration) -> Option<Exit> {
        let mut stop = self.stop.take()?;
        // The end of one may make it another's turn: services, loggers, our own.
        let mut seen: Vec<Post> = Vec::new();
        for _ in 0..3 {
            let turn = stop.turn();
            for post in turn.iter().filter(|post| !seen.contains(post)) {
                self.end(&mut stop, *post, now);
            }
            seen = turn;
        }
        let late = stop.remind(now);
        if !late.is_empty() {
            self.remind(&late);
        }
        let over = stop.is_over();
        self.stop = Some(stop);
        over.then(|| self.exit_code())
    }

    fn end(&mut self, stop: &mut Stop, post: Post, now: Duration) {
        let site = self.site(post, true);
        let child = self.plan.pid(post);
        let unread = self.pipes.get(&post.id).map_or(0, LogPipe::unread);
        let is_down = site.as_ref().is_some_and(is_down);
        let seen = if child.is_some() || site.as_ref().is_some_and(Site::is_busy) {
            Seen::There { heard: site.as_ref().is_none_or(Site::has_heard), unread }
        } else if site.as_ref().is_some_and(Site::is_left) {
            Seen::Left
        } else {
            let reads = post.role == Role::Logger && site.is_some() && !is_down;
            Seen::Gone { unread: if reads { unread } else { 0 } }
        };
        let order = stop.see(post, seen, now);
        let carried_out = match order {
            Order::Wait => return,
            Order::Finish if is_down => Order::End,
            Order::Succeed | Order::Finish | Order::EndInput | Order::End | Order::Terminate => {
                order
            }
        };
        let sent = match carried_out {
            Order::Wait => return,
            Order::EndInput => {
                self.end_input(post);
                return;
            }
            Order::Succeed => {
                self.succeed(post, now);
                return;
            }
            Order::Finish => site.as_ref().is_some_and(|site| site.send(b"cox").is_ok()),
            Order::End => site.as_ref().is_some_and(|site| site.send(b"dx").is_ok()),
            Order::Terminate => {
                if let Some(pid) = child.and_then(Pid::from_raw) {
                    let _ = sys::process::kill_process(pid, Signal::TERM);
                }
                true
            }
        };
        if sent {
            stop.told(post, carried_out, now);
            match post.role {
                Role::Service => self.let_logger_read(post),
                Role::Logger if carried_out != Order::Finish => self.end_input(post),
                Role::Logger => {}
            }
            if let (None, Some(site), Some(watch)) = (child, &site, &self.watch)
                && let Some(path) = self.path(post)
            {
                watch.lock(&site.path(&path, File::Lock));
            }
        }
    }

    /// A service that was told to end may have more to say than its pipe holds: a logger that was stopped goes on.
    fn let_logger_read(&self, service: Post) {
        let logger = Post { role: Role::Logger, ..service };
        let site = self.site(logger, true).filter(|_| self.plan.has_logger(service.id));
        let is_paused = |site: &Site| site.statuses().is_some_and(|both| both.service.paused);
        if let Some(site) = site.filter(is_paused) {
            // One that can't be told now is told when it is its turn.
            let _ = site.send(b"c");
        }
    }

    /// Nobody writes any more, as far as we know: the logger reads to the end.
    fn end_input(&mut self, post: Post) {
        if let Some(own) = self.own_log.as_ref().filter(|own| own.id == post.id) {
            own.end();
        }
        self.pipes.get_mut(&post.id).map(LogPipe::close_writer);
    }

    fn remind(&mut self, late: &[Post]) {
        let names: Vec<Vec<u8>> = late
            .iter()
            .take(NAMED)
            .filter_map(|post| self.path(*post))
            .map(alloc::ffi::CString::into_bytes)
            .collect();
        let mut text = [b"warning: waiting for ", &names.join(&b", "[..])[..]].concat();
        if late.len() > NAMED {
            text.extend_from_slice(b" and ");
            text.extend_from_slice(decimal((late.len() - NAMED) as u64).as_bytes());
            text.extend_from_slice(b" more");
        }
        self.complaints.say(&[&text[..], b" to end"].concat());
    }

    fn exit_code(&mut self) -> Exit {
        self.look_at_chosen(self.chosen_post());
        self.chosen.as_ref().and_then(Chosen::code).unwrap_or(Exit::OK)
    }
}

/// Whether a logger doesn't run and isn't to: nothing is started for what is left in its pipe.
fn is_down(site: &Site) -> bool {
    let down = |status: supervise::status::Status| status.pid == 0 && status.want == Want::Down;
    site.statuses().is_some_and(|statuses| down(statuses.service))
}
