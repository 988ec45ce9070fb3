//! The events of a storm: what may happen to a service, and what must be left to it so that "no line is lost" can be asked.
//!
//! # What a storm spares
//! - **The log pipe keeps one holder that stays**: svscan, the service's supervise or the logger's. The kernel throws away what
//!   is in a pipe when its last holder dies; a host that loses all three at one blow loses these bytes with the memory that they
//!   are in, whatever anybody does.
//! - **multilog isn't killed**, but by TERM. The other loggers are; see `tests::storm::logger`.
//! - **A service that isn't recorded keeps its supervise.** A start on a full disk can't be noted in `supervise/process`, and
//!   what isn't noted can't be taken over.
//! - **The lock is missed for a moment only**, until a letter makes supervise put it back, and only where svscan knows its
//!   supervise as its own child: who removes it takes away the one thing that tells a second supervise of the first.
//! - **The clock of the host** isn't touched: there is one for all, namespaces of time hold only the clocks that count from
//!   boot, and what interposes a library can't reach static programs. Only the status has a label of the real-time clock, so
//!   a storm leaves there what a jump would leave: a label of the future, of the past, and of no time at all.

mod disorder;

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes::{self, Process, holds};
use tests::storm::random::Random;
use tests::{Run, program, wait_for};

use crate::SOON;
use crate::host::{Host, Target};
use crate::model::Wanted;

/// A storm: the place, and all that is known of it.
pub(crate) struct Storm {
    pub(crate) host: Host,
    pub(crate) random: Random,
    seed: u64,
    known: BTreeMap<Target, Known>,
    /// Services that aren't in the scan directory.
    unlinked: Vec<String>,
    disk_is_full: bool,
    history: Vec<String>,
}

/// What is known of one target.
struct Known {
    wanted: Wanted,
    /// Who was last seen to supervise it.
    supervise: Option<i32>,
    run: Script,
}

/// The state of a `run`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Fine,
    Away,
    NotExecutable,
    NoProgram,
}

/// What can happen, and how often.
const KINDS: [(usize, Kind); 14] = [
    (40, Kind::Letters),
    (12, Kind::KillService),
    (6, Kind::KillSupervise),
    (3, Kind::KillBoth),
    (2, Kind::KillSvscan),
    (1, Kind::SignalSvscan),
    (4, Kind::SpoilRun),
    (5, Kind::MendRun),
    (3, Kind::Unlink),
    (4, Kind::Link),
    (4, Kind::Clock),
    (1, Kind::FillDisk),
    (5, Kind::Remove),
    (3, Kind::Look),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letters,
    KillService,
    KillSupervise,
    KillBoth,
    KillSvscan,
    SignalSvscan,
    SpoilRun,
    MendRun,
    Unlink,
    Link,
    Clock,
    FillDisk,
    Remove,
    Look,
}

impl Storm {
    pub(crate) fn new(host: Host, seed: u64) -> Storm {
        let fresh = || Known { wanted: Wanted::new(), supervise: None, run: Script::Fine };
        let known = host.targets().into_iter().map(|target| (target, fresh())).collect();
        Storm {
            host,
            random: Random::new(seed),
            seed,
            known,
            unlinked: Vec::new(),
            disk_is_full: false,
            history: Vec::new(),
        }
    }

    /// Lets one thing happen.
    pub(crate) fn event(&mut self) {
        if let Some(status) = self.host.svscan_has_ended() {
            panic!("svscan ended by itself: {status}");
        }
        let violations = self.host.violations();
        assert!(violations.is_empty(), "{violations}");
        // Neither lasts: an init starts svscan again, and somebody makes room.
        if self.host.svscan().is_none() && self.random.once_in(4) {
            self.start_svscan();
        }
        if self.disk_is_full && self.random.once_in(8) {
            self.free_disk();
        }
        let sum: usize = KINDS.iter().map(|(weight, _)| weight).sum();
        let mut at = self.random.below(sum);
        let kind = KINDS.iter().find(|(weight, _)| {
            let hit = at < *weight;
            at = at.saturating_sub(*weight);
            hit
        });
        let kind = kind.map_or(Kind::Letters, |(_, kind)| *kind);
        let targets: Vec<Target> = self.known.keys().cloned().collect();
        let target = self.random.of(&targets).clone();
        self.happen(kind, &target);
    }

    fn happen(&mut self, kind: Kind, target: &Target) {
        match kind {
            Kind::Letters => self.letters(target),
            Kind::KillService => self.kill_service(target),
            Kind::KillSupervise => _ = self.kill_supervises(&[target]),
            Kind::KillBoth => {
                let name = service_of(target);
                let both: Vec<Target> = [Some(self.host.service(&name)), self.host.logger(&name)]
                    .into_iter()
                    .flatten()
                    .collect();
                self.kill_supervises(&both.iter().collect::<Vec<_>>());
            }
            Kind::KillSvscan => self.kill_svscan(),
            Kind::SignalSvscan => self.signal_svscan(),
            Kind::SpoilRun => self.spoil_run(target),
            Kind::MendRun => self.mend_run(target),
            Kind::Unlink => self.unlink(&service_of(target)),
            Kind::Link => self.link_one(),
            Kind::Clock => self.shift_clock(target),
            Kind::FillDisk => self.fill_disk(),
            Kind::Remove => self.remove(target),
            Kind::Look => self.look(target),
        }
    }

    /// Notes what happens, for the report of a failure.
    pub(crate) fn note(&mut self, what: String) {
        self.history.push(what);
    }

    /// What has happened to a service, its logger, or all of them.
    pub(crate) fn history_of(&self, service: &str) -> Vec<&str> {
        let others = self.host.names.iter().filter(|name| *name != service);
        let others: Vec<&str> = others.map(String::as_str).collect();
        let concerns = |event: &&str| {
            event.contains(service) || !others.iter().any(|other| event.contains(other))
        };
        self.history.iter().map(String::as_str).filter(concerns).collect()
    }

    /// What was said, but for what any storm has: a run that can't be started, and a full disk, are told of again and again.
    pub(crate) fn messages(&self) -> Vec<String> {
        let usual = ["/run: ", "taking over ", "/status.new: "];
        let messages = self.host.messages();
        let told = messages.lines().filter(|line| !usual.iter().any(|words| line.contains(words)));
        told.map(str::to_owned).collect()
    }

    /// Who supervises a target, with all that follows from it for what is known of it.
    fn refresh(&mut self, target: &Target) -> Vec<i32> {
        let known = self.known.get_mut(target).expect("a known target");
        // Most of the time nothing has changed, and not all of /proc has to be read for that.
        let is_there = |pid: &i32| {
            processes::find(*pid).is_some_and(|process| process.cwd == target.directory)
        };
        if let Some(same) = known.supervise.filter(is_there) {
            return vec![same];
        }
        let now = target.supervises(&processes::all());
        if let [new] = now[..] {
            let expected = known.supervise.is_none() || known.wanted.replaced();
            let old = known.supervise.replace(new);
            assert!(expected, "the supervise {old:?} of {} ended by itself", target.name());
            if old.is_some() {
                // Before its first status, the one that lies there is its predecessor's.
                wait_for(SOON, || target.is_supervised().then_some(()));
            }
        }
        now
    }

    /// Sends letters, with svc or without. Whether somebody could hear them.
    pub(crate) fn send(&mut self, target: &Target, letters: &[u8]) -> bool {
        self.refresh(target);
        let before = self.known[target].supervise;
        let is_traditional = letters.iter().all(|letter| b"udopchaitkx".contains(letter));
        let heard = if is_traditional && self.random.once_in(4) {
            let option = format!("-{}", String::from_utf8_lossy(letters));
            let outcome = Run::new(program("svc")).arg(option).arg(&target.directory).output();
            assert_eq!(outcome.code, 0, "{}", outcome.err());
            outcome.err().is_empty()
        } else {
            target.send(letters)
        };
        let shown = String::from_utf8_lossy(letters).into_owned();
        let how = if heard { "" } else { " (unheard)" };
        self.note(format!("{shown} to {}{how}", target.name()));
        if heard {
            self.wanted_of(target).sent(letters);
            self.refresh(target);
            if before.is_none() || self.known[target].supervise != before {
                // One has gone, another has come, and either may have heard it.
                self.wanted_of(target).sent(letters);
                self.wanted_of(target).blur();
            }
        }
        heard
    }

    fn wanted_of(&mut self, target: &Target) -> &mut Wanted {
        &mut self.known.get_mut(target).expect("a known target").wanted
    }

    fn letters(&mut self, target: &Target) {
        let count = 1 + self.random.below(3);
        let mut letters: Vec<u8> =
            (0..count).map(|_| *self.random.of(b"uuuudddootpccchai12kqw=+E")).collect();
        if crate::asked().is_none() {
            // Upgrades in place are for the long form.
            letters.retain(|letter| *letter != b'E');
        }
        if target.is_multilog() {
            // Of the others, it would die.
            letters.retain(|letter| b"udotpcaw=E".contains(letter));
        }
        if self.random.once_in(12) && self.is_safe(&[target], true) {
            letters.push(b'x');
        }
        // Sent twice by one svc, a letter counts once.
        let mut seen = Vec::new();
        letters.retain(|letter| {
            !seen.contains(letter) && {
                seen.push(*letter);
                true
            }
        });
        if !letters.is_empty() {
            self.send(target, &letters);
        }
    }

    fn kill_service(&mut self, target: &Target) {
        if target.is_multilog() {
            return;
        }
        for pid in target.services(&processes::all()) {
            self.note(format!("kill -9 {pid}, of {}", target.name()));
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }

    /// Kills those who supervise these, all at once, if that leaves the log pipe with somebody.
    pub(crate) fn kill_supervises(&mut self, targets: &[&Target]) -> bool {
        for target in targets {
            self.refresh(target);
        }
        if !self.is_safe(targets, true) || targets.iter().any(|target| !target.is_recorded()) {
            return false;
        }
        let all = processes::all();
        let pids: Vec<i32> = targets.iter().flat_map(|target| target.supervises(&all)).collect();
        let names: Vec<String> = targets.iter().map(|target| target.name()).collect();
        self.note(format!("kill -9 {pids:?}, supervise of {}", names.join(" and ")));
        for pid in &pids {
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        for pid in &pids {
            wait_for(SOON, || processes::find(*pid).is_none().then_some(())).expect("its end");
        }
        for target in targets {
            let known = self.known.get_mut(*target).expect("a known target");
            if known.supervise.take_if(|old| pids.contains(old)).is_none() {
                known.wanted.blur();
                continue;
            }
            let status = target.status().map(|status| status.want);
            let wanted = known.wanted.clone();
            let was_asked = known.wanted.killed(status);
            assert!(was_asked, "{}: {status:?} was never asked: {wanted:?}", target.name());
        }
        true
    }

    fn kill_svscan(&mut self) {
        let logged: Vec<Target> =
            self.known.keys().filter(|target| target.logger).cloned().collect();
        if self.host.svscan().is_none()
            || logged
                .iter()
                .any(|target| !self.is_safe(&[], false) || !self.is_held(target, &[], false))
        {
            return;
        }
        self.note("kill -9 svscan".to_owned());
        self.host.kill_svscan();
    }

    /// HUP has it scan, USR2 has it and every supervise put a new program in its place.
    fn signal_svscan(&mut self) {
        let Some(pid) = self.host.svscan() else { return };
        let upgrade = crate::asked().is_some() && self.random.once_in(2);
        let signal = if upgrade { Signal::SIGUSR2 } else { Signal::SIGHUP };
        // It has just been started: the signal would end it, as any program.
        if !processes::catches(pid, signal as i32) {
            return;
        }
        self.note(format!("{signal} to svscan"));
        let _ = kill(Pid::from_raw(pid), signal);
    }

    pub(crate) fn start_svscan(&mut self) {
        self.note("start svscan".to_owned());
        self.host.start_svscan();
    }

    /// Whether the log pipes of these keep somebody, if their supervise processes end (and svscan, unless it stays).
    fn is_safe(&self, targets: &[&Target], svscan_stays: bool) -> bool {
        targets.iter().all(|target| self.is_held(target, targets, svscan_stays))
    }

    fn is_held(&self, target: &Target, without: &[&Target], svscan_stays: bool) -> bool {
        let name = service_of(target);
        let Some(logger) = self.host.logger(&name) else { return true };
        let Some(pipe) = target.pipe() else { return false };
        let svscan = self.host.svscan().filter(|_| svscan_stays && !self.unlinked.contains(&name));
        let all = processes::all();
        let pair = [self.host.service(&name), logger];
        let stay = pair.iter().filter(|one| !without.contains(one));
        let stay = stay.filter(|one| !self.known[*one].wanted.is_leaving());
        let mut holders = stay.flat_map(|one| one.supervises(&all)).chain(svscan);
        holders.any(|pid| holds(pid, pipe))
    }

    /// Is it so by now?
    fn look(&mut self, target: &Target) {
        self.refresh(target);
        let known = self.known.get_mut(target).expect("a known target");
        if known.supervise.is_none() || known.wanted.is_leaving() || self.disk_is_full {
            return;
        }
        let wanted = known.wanted.now();
        if !target.file("status").exists() {
            return;
        }
        let seen = wait_for(SOON, || {
            target.status().map(|status| status.want).filter(|want| wanted.contains(want))
        });
        let Some(seen) = seen else {
            panic!("not as asked: {}", self.describe(target));
        };
        known.wanted.seen(seen);
        self.note(format!("{} is seen: {}", target.name(), char::from(seen)));
    }

    /// What may be wanted of a target now.
    pub(crate) fn wanted(&mut self, target: &Target) -> Wanted {
        self.refresh(target);
        self.known[target].wanted.clone()
    }

    /// What can be said of a target that isn't as it should be.
    pub(crate) fn describe(&self, target: &Target) -> String {
        let all = processes::all();
        let here: Vec<&Process> =
            all.iter().filter(|process| process.cwd == target.directory).collect();
        let (status, wanted) = (target.status(), &self.known[target].wanted);
        // In which call they are, with its arguments.
        let calls: Vec<String> = here
            .iter()
            .map(|process| fs::read_to_string(format!("/proc/{}/syscall", process.pid)))
            .map(Result::unwrap_or_default)
            .collect();
        format!("{}: {status:?}; {wanted:?}; {here:?}; {calls:?}", target.name())
    }

    /// All of them.
    pub(crate) fn targets(&self) -> Vec<Target> {
        self.known.keys().cloned().collect()
    }

    /// The end of all that is out of order.
    pub(crate) fn set_in_order(&mut self) {
        self.free_disk();
        for target in self.targets() {
            self.mend_run(&target);
        }
        while !self.unlinked.is_empty() {
            self.link_one();
        }
        if self.host.svscan().is_none() {
            self.start_svscan();
        }
    }

    /// The pace of a storm.
    pub(crate) fn breathe(&mut self) {
        let moment = u64::try_from(self.random.below(15)).unwrap_or(0);
        std::thread::park_timeout(Duration::from_millis(moment));
    }
}

/// "s07" for s07 and for its logger.
pub(crate) fn service_of(target: &Target) -> String {
    target.name().trim_end_matches("/log").to_owned()
}

impl Drop for Storm {
    /// What happened last, if it ended badly.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        eprintln!("STORM_SEED={} after {} events; the last ones:", self.seed, self.history.len());
        for event in &self.history[self.history.len().saturating_sub(120)..] {
            eprintln!("  {event}");
        }
        let lines = self.messages();
        eprintln!("What was said last, of {} lines that tell something:", lines.len());
        for line in &lines[lines.len().saturating_sub(60)..] {
            eprintln!("  {line}");
        }
    }
}
