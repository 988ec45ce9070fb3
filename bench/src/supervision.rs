//! A thousand services: how long until all are up, what a supervise keeps in memory, how often all of them wake up.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::measure::{Goal, Row, Table, Whose, alternate, median};
use crate::place::{Running, Scratch, debian_has, own, programs, wait_until};

const SERVICES: usize = 1000;
const ROUNDS: usize = 5;

/// How long the sleepers are watched: two of svscan's regular scans fall into it.
const WINDOW: Duration = Duration::from_secs(10);

pub(crate) fn measure(table: &mut Table) -> Result<(), String> {
    let installed = debian_has(&["svscan", "supervise"]);
    let idle = RefCell::new([None, None]);
    let (ours, theirs) = alternate(
        ROUNDS,
        |whose| {
            let host = Host::new(whose)?;
            let seconds = host.up()?;
            let slot = &mut idle.borrow_mut()[whose as usize];
            if slot.is_none() {
                *slot = Some(host.idle()?);
            }
            Ok(seconds * 1e3)
        },
        installed.is_ok(),
    )?;
    let [Some(our_idle), their_idle] = idle.into_inner() else {
        return Err("nothing was measured".to_owned());
    };
    let other = |value: Option<f64>| installed.clone().map(|()| value.unwrap_or(f64::NAN));
    let their = |pick: fn(&Idle) -> f64| other(their_idle.as_ref().map(pick));
    for (what, unit, ours, other, goal) in [
        ("1000 services up", "ms", ours, other(theirs), Goal::RatioAtMost(1.0)),
        (
            "supervise asleep, private memory",
            "KiB",
            our_idle.private,
            their(|idle| idle.private),
            Goal::AtMost(32.0),
        ),
        (
            "1000 services idle, wake-ups of the supervisors",
            "/s",
            our_idle.wakeups,
            their(|idle| idle.wakeups),
            Goal::RatioAtMost(1.0),
        ),
    ] {
        table.add(&Row { what: what.to_owned(), unit, ours, other, goal });
    }
    Ok(())
}

struct Idle {
    /// KiB of private memory, the median of all supervises.
    private: f64,
    /// How often svscan and all supervises together went to sleep, a second.
    wakeups: f64,
}

/// A scan directory with a thousand services, and one side's programs for it.
struct Host {
    scratch: Scratch,
    whose: Whose,
    running: RefCell<Option<Running>>,
}

impl Host {
    fn new(whose: Whose) -> Result<Host, String> {
        let scratch = Scratch::new("services")?;
        let pause = own("bench-pause")?;
        for number in 0..SERVICES {
            let service = scratch.path().join(format!("s{number}"));
            fs::create_dir(&service)
                .and_then(|()| symlink(&pause, service.join("run")))
                .map_err(|e| format!("unable to make a service: {e}"))?;
        }
        Ok(Host { scratch, whose, running: RefCell::new(None) })
    }

    /// Starts svscan, and gives the seconds until all services are up.
    fn up(&self) -> Result<f64, String> {
        let programs = programs(self.whose);
        let mut svscan = Command::new(programs.join("svscan"));
        svscan.arg(self.scratch.path()).env("PATH", &programs);
        let start = Instant::now();
        *self.running.borrow_mut() = Some(Running::start(&mut svscan)?);
        for number in 0..SERVICES {
            let status = self.scratch.path().join(format!("s{number}/supervise/status"));
            let is_up = || {
                fs::read(&status)
                    .is_ok_and(|bytes| bytes.get(12..16).is_some_and(|pid| pid != [0; 4]))
            };
            wait_until("a service to be up", is_up)?;
        }
        Ok(start.elapsed().as_secs_f64())
    }

    fn idle(&self) -> Result<Idle, String> {
        let inhabitants = self.scratch.inhabitants();
        let of = |name: &str| -> Vec<PathBuf> {
            let named = inhabitants.iter().filter(|(_, other)| other == name);
            named.map(|(pid, _)| PathBuf::from(format!("/proc/{pid}"))).collect()
        };
        let (supervises, mut all) = (of("supervise"), of("svscan"));
        if supervises.len() != SERVICES || all.len() != 1 {
            return Err(format!("{} supervises run, {} svscans", supervises.len(), all.len()));
        }
        all.extend(supervises.iter().cloned());
        // Debian's supervise sleeps a second after it has started a service: wait until nothing but a scan happens.
        wait_until("all to be asleep", || {
            let before = sleeps(&all);
            std::thread::sleep(Duration::from_millis(500));
            sleeps(&all) - before <= 1
        })?;
        let before = sleeps(&all);
        std::thread::sleep(WINDOW);
        let wakeups = f64::from(sleeps(&all) - before) / WINDOW.as_secs_f64();
        let private = supervises.iter().filter_map(|process| private(process)).collect();
        Ok(Idle { private: median(private), wakeups })
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // svscan first, or it starts anew what the scratch directory ends.
        self.running.borrow_mut().take();
    }
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
