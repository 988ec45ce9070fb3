//! A thousand services: how long until all are up, and down again; what a supervise keeps in memory; how often all of them
//! wake up; how soon a service that was killed is up again.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use sys::process::{Pid, kill_process};
use sys::signal::Signal;

use crate::measure::{Goal, Row, Table, in_turn, median, middle, middle_of};
use crate::place::{Running, Scratch, own, wait_until};
use crate::suite::Suite;

const SERVICES: usize = 1000;
const ROUNDS: usize = 5;

/// How many of the services are killed, one after the other.
const KILLED: usize = 20;

/// How long the sleepers are watched: two of the original's scans fall into it.
const WINDOW: Duration = Duration::from_secs(10);

/// A start is followed by a second in which the service isn't started again: nobody is killed in it.
const SETTLED: Duration = Duration::from_millis(1200);

/// One thing that is measured: its name, unit and goal against Debian's daemontools, and its place in [`Figures`].
struct Subject {
    what: &'static str,
    unit: &'static str,
    goal: Goal,
    pick: fn(&Figures) -> f64,
}

const SUBJECTS: [Subject; 5] = [
    Subject {
        what: "1000 services up",
        unit: "ms",
        goal: Goal::RatioAtMost(0.6),
        pick: |figures| figures.up,
    },
    Subject {
        what: "1000 services down",
        unit: "ms",
        goal: Goal::RatioAtMost(1.0),
        pick: |figures| figures.down,
    },
    Subject {
        what: "supervise asleep, private memory",
        unit: "KiB",
        goal: Goal::AtMost(28.0),
        pick: |figures| figures.private,
    },
    Subject {
        what: "1000 services idle, wake-ups of the supervisors",
        unit: "/s",
        goal: Goal::AtMost(0.1),
        pick: |figures| figures.wakeups,
    },
    Subject {
        what: "up again after kill -9",
        unit: "ms",
        goal: Goal::RatioAtMost(1.0),
        pick: |figures| figures.again,
    },
];

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let mut suites = vec![Suite::Ours];
    for peer in Suite::PEERS {
        match peer.installed() {
            Ok(()) => suites.push(peer),
            Err(why) => table.skip(peer.name(), &why),
        }
    }
    let figures = in_turn(ROUNDS, &suites, |suite, round| figures(*suite, round == 0))?;
    for subject in SUBJECTS {
        let ours = middle(&figures.ours, subject.pick);
        let row = |what: String, other, goal| Row { what, unit: subject.unit, ours, other, goal };
        if suites.len() == 1 {
            let other = Err("no other suite is installed".to_owned());
            table.add(&row(subject.what.to_owned(), other, subject.goal));
        }
        for (suite, theirs) in suites.iter().skip(1).zip(&figures.others) {
            let goal = if *suite == Suite::Daemontools { subject.goal } else { Goal::None };
            let what = format!("{}: {}", subject.what, suite.name());
            table.add(&row(what, middle_of(theirs, subject.pick), goal));
        }
    }
    Ok(())
}

/// What one run of one suite gave. `NaN` is what wasn't looked at in that run.
struct Figures {
    /// Milliseconds until all services were up.
    up: f64,
    /// Milliseconds until all were down, from the command on.
    down: f64,
    /// KiB of private memory, the median of all supervises.
    private: f64,
    /// How often the scanner and all supervises together went to sleep, a second.
    wakeups: f64,
    /// Milliseconds until a killed service was up again, the median.
    again: f64,
}

fn figures(suite: Suite, asleep: bool) -> Result<Figures, String> {
    let host = Host::new(suite)?;
    let start = Instant::now();
    let scanner = Running::start(&mut suite.scan(host.scratch.path()))?;
    host.wait_for_all("be up", |pid| pid != 0)?;
    let up = milliseconds(start);
    let (private, wakeups) = if asleep { host.idle(scanner.0.id())? } else { (f64::NAN, f64::NAN) };
    std::thread::sleep(SETTLED);
    let again = host.killed()?;
    let start = Instant::now();
    for command in &mut suite.down(&host.services) {
        // runit's tool exits with the number of services that it couldn't see down at once.
        let result = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        result.map_err(|e| format!("unable to run {command:?}: {e}"))?;
    }
    host.wait_for_all("be down", |pid| pid == 0)?;
    Ok(Figures { up, down: milliseconds(start), private, wakeups, again })
}

/// A scan directory with a thousand services, and the suite that is to run it. The scanner goes first at the end, or it
/// starts anew what the scratch directory ends.
struct Host {
    scratch: Scratch,
    suite: Suite,
    services: Vec<PathBuf>,
}

impl Host {
    fn new(suite: Suite) -> Result<Host, String> {
        let scratch = Scratch::new("services")?;
        let pause = own("bench-pause")?;
        let mut services = Vec::new();
        for number in 0..SERVICES {
            let service = scratch.path().join(format!("s{number}"));
            fs::create_dir(&service)
                .and_then(|()| symlink(&pause, service.join("run")))
                .map_err(|e| format!("unable to make a service: {e}"))?;
            services.push(service);
        }
        Ok(Host { scratch, suite, services })
    }

    fn pid(&self, service: &Path) -> Option<u64> {
        self.suite.pid(&fs::read(service.join("supervise/status")).ok()?)
    }

    fn wait_for_all(&self, what: &str, holds: impl Fn(u64) -> bool) -> Result<(), String> {
        for service in &self.services {
            let what = format!("a service of {} to {what}", self.suite.name());
            wait_until(&what, || self.pid(service).is_some_and(&holds))?;
        }
        Ok(())
    }

    /// The memory of a supervise, and the wake-ups of all.
    fn idle(&self, scanner: u32) -> Result<(f64, f64), String> {
        let inhabitants = self.scratch.inhabitants();
        let [_, supervisor, _] = self.suite.programs();
        let process = |pid: &u32| PathBuf::from(format!("/proc/{pid}"));
        let named = inhabitants.iter().filter(|(_, name)| name == supervisor);
        let supervises: Vec<PathBuf> = named.map(|(pid, _)| process(pid)).collect();
        if supervises.len() != SERVICES {
            return Err(format!("{} {supervisor}s run", supervises.len()));
        }
        let all = [supervises.clone(), vec![process(&scanner)]].concat();
        // Some sleep a second after they have started a service: wait until nothing but a scan happens.
        wait_until("all to be asleep", || {
            let before = sleeps(&all);
            std::thread::sleep(Duration::from_millis(500));
            sleeps(&all) - before <= 1
        })?;
        let before = sleeps(&all);
        std::thread::sleep(WINDOW);
        let wakeups = f64::from(sleeps(&all) - before) / WINDOW.as_secs_f64();
        let private = supervises.iter().filter_map(|process| private(process)).collect();
        Ok((median(private), wakeups))
    }

    /// How long a killed service takes to be up again.
    fn killed(&self) -> Result<f64, String> {
        let mut times = Vec::new();
        for service in self.services.iter().take(KILLED) {
            let old = self.pid(service).ok_or("a status can't be read")?;
            let process = i32::try_from(old).ok().and_then(Pid::from_raw).ok_or("no process id")?;
            let start = Instant::now();
            kill_process(process, Signal::KILL)
                .map_err(|e| format!("unable to kill {old}: {e}"))?;
            // Up again means that it runs: some suites say so while the new process still has to become the service. It takes
            // less than a millisecond: no sleep in between.
            while !self.pid(service).is_some_and(|pid| pid != 0 && pid != old && runs(pid)) {
                if start.elapsed() > SETTLED {
                    return Err(format!(
                        "a killed service of {} isn't up again",
                        self.suite.name()
                    ));
                }
                std::thread::yield_now();
            }
            times.push(milliseconds(start));
        }
        Ok(median(times))
    }
}

/// Whether a process has become the service.
fn runs(pid: u64) -> bool {
    fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name == "run\n")
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// How often these processes have gone to sleep.
fn sleeps(processes: &[PathBuf]) -> u32 {
    let one = |process: &PathBuf| field(process, "status", "voluntary_ctxt_switches:");
    processes.iter().filter_map(one).sum()
}

/// KiB of memory that a process shares with no other.
fn private(process: &Path) -> Option<f64> {
    let clean = field(process, "smaps_rollup", "Private_Clean:")?;
    let dirty = field(process, "smaps_rollup", "Private_Dirty:")?;
    Some(f64::from(clean + dirty))
}

fn field(process: &Path, file: &str, name: &str) -> Option<u32> {
    let text = fs::read_to_string(process.join(file)).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?;
    value.split_whitespace().next()?.parse().ok()
}
