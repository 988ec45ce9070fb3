//! After the storm: all is put in order, and must then be as it was asked for, to the last process and the last line.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::storm::processes;
use tests::{wait_for, wait_until};

use crate::SOON;
use crate::events::Storm;
use crate::host::Target;

impl Storm {
    /// Everything that is out of order is set right, as an administrator would, and every service is supervised again.
    pub(crate) fn calm(&mut self) {
        self.set_in_order();
        let deadline = Instant::now() + SOON;
        loop {
            let maimed: Vec<Target> =
                self.targets().into_iter().filter(|target| !is_whole(target)).collect();
            if maimed.is_empty() {
                break;
            }
            let whole: Vec<String> = maimed.iter().map(|target| self.describe(target)).collect();
            assert!(Instant::now() < deadline, "not supervised again: {whole:#?}");
            for target in &maimed {
                self.help(target);
            }
            std::thread::park_timeout(Duration::from_millis(100));
        }
        for target in self.targets() {
            self.send(&target, b"c");
        }
    }

    /// Makes a supervise look after its files: with a letter that asks for what it says already; without a FIFO for that, with
    /// a death.
    fn help(&mut self, target: &Target) {
        let all = processes::all();
        if target.supervises(&all).is_empty() {
            return;
        }
        let wanted = self.wanted(target).now();
        let said = target.status().map(|status| status.want).filter(|want| wanted.contains(want));
        let letter = match said.or_else(|| wanted.first().copied()) {
            Some(0) => b'o',
            Some(letter) => letter,
            None => return,
        };
        if self.send(target, &[letter]) {
            return;
        }
        self.note(format!("help for {}", target.name()));
        match target.services(&all)[..] {
            [service, ..] if target.is_multilog() => {
                let service = Pid::from_raw(service);
                let _ = kill(service, Signal::SIGTERM);
                // It may have been stopped, and nobody can tell supervise to let it go on.
                let _ = kill(service, Signal::SIGCONT);
            }
            [service, ..] => _ = kill(Pid::from_raw(service), Signal::SIGKILL),
            [] => _ = self.kill_supervises(&[target]),
        }
    }

    /// Waits until each is in a state that was asked for last. Then loggers come up: a service with last words that are more
    /// than its pipe holds isn't down before somebody has read them.
    pub(crate) fn all_is_as_asked(&mut self) {
        let (loggers, services): (Vec<_>, Vec<_>) =
            self.targets().into_iter().partition(|target| target.logger);
        self.are_as_asked(&loggers);
        for logger in &loggers {
            self.send(logger, b"u");
        }
        self.are_as_asked(&services);
    }

    fn are_as_asked(&mut self, targets: &[Target]) {
        for target in targets {
            let mut wanted = self.wanted(target);
            let deadline = Instant::now() + SOON;
            while !is_so(target, |want| wanted.now().contains(&want)) {
                assert!(Instant::now() < deadline, "not as asked: {}", self.describe(target));
                std::thread::park_timeout(Duration::from_millis(5));
                wanted = self.wanted(target);
            }
        }
    }

    /// Asks something of each, and waits until it is so.
    pub(crate) fn ask_all(&mut self) {
        // One that still has an x to obey would end with its service, and the next would know nothing of what was asked.
        for target in self.targets() {
            let deadline = Instant::now() + SOON;
            while self.wanted(&target).is_leaving() {
                assert!(Instant::now() < deadline, "it doesn't leave: {}", self.describe(&target));
                // It is told again: the x that is known of may have been another's, who was just leaving.
                self.send(&target, b"dx");
                wait_for(Duration::from_secs(1), || {
                    (!self.wanted(&target).is_leaving()).then_some(())
                });
            }
        }
        let mut asked = Vec::new();
        for target in self.targets() {
            let want = if target.logger { b'u' } else { *self.random.of(b"udo") };
            assert!(self.send(&target, &[want]), "{} can't be asked", target.name());
            asked.push((target, if want == b'o' { 0 } else { want }));
        }
        for (target, asked) in &asked {
            let so = wait_for(SOON, || is_so(target, |want| want == *asked).then_some(()));
            assert!(so.is_some(), "not {:?}: {}", char::from(*asked), self.describe(target));
        }
        // Once is over when it is over.
        for (target, _) in asked.iter().filter(|(_, asked)| *asked == 0) {
            wait_until(&format!("the end of {}", target.name()), SOON, || {
                for pid in target.services(&processes::all()) {
                    let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
                }
                target.status().is_some_and(|status| (status.pid, status.want) == (0, 0))
            });
        }
        // What is up has its lines logged.
        for (target, _) in asked.iter().filter(|(_, asked)| *asked == b'u') {
            let mut log = target.directory.join("log/main");
            if log.is_dir() {
                log.push("current");
            }
            let size = || fs::metadata(&log).map(|metadata| metadata.len()).unwrap_or_default();
            let before = size();
            wait_until(&format!("a line of {}", target.name()), SOON, || {
                !log.exists() || size() > before
            });
        }
    }

    /// Ends everything; what is left over, or lost, or doubled, fails.
    pub(crate) fn end(&mut self) {
        let status = self.host.end_svscan();
        assert_eq!(status, "exit status: 0", "svscan ends in order");
        self.host.end_supervises();
        self.host.wait_for_nobody();
        let violations = self.host.violations();
        assert!(violations.is_empty(), "{violations}");
        let logged = self.host.names.iter().filter(|name| self.host.logger(name).is_some());
        let reports: Vec<String> = logged
            .map(|name| (name, self.host.judge(name)))
            .filter(|(_, faults)| !faults.is_empty())
            .map(|(name, faults)| {
                let (faults, history) = (faults.join("\n  "), self.history_of(name).join("\n  "));
                format!("{name}:\n  {faults}\nWhat has happened to it:\n  {history}")
            })
            .collect();
        assert!(reports.is_empty(), "{}\n{}", reports.join("\n"), self.messages().join("\n"));
    }
}

/// Whether it is supervised and nothing of `supervise/` is missing.
fn is_whole(target: &Target) -> bool {
    let files = ["lock", "control", "ok", "status"];
    target.is_supervised()
        && target.control().is_some()
        && files.iter().all(|file| target.file(file).exists())
}

/// Whether its status says this, and is true.
fn is_so(target: &Target, wanted: impl Fn(u8) -> bool) -> bool {
    let Some(status) = target.status() else { return false };
    let runs = target.services(&processes::all());
    let is_true = if status.pid == 0 { runs.is_empty() } else { runs == [status.pid] };
    is_true
        && wanted(status.want)
        && match status.want {
            b'u' => status.pid != 0,
            b'd' => status.pid == 0,
            _ => true,
        }
}
