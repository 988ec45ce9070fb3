//! multilog beside Debian's, over scripts, found files and inputs that are made up: the same files with the same bytes but for the
//! stamps, the same modes, the same words, the same end.
//!
//! | variable | what |
//! | --- | --- |
//! | `STORM` | how many cases |
//! | `STORM_SEED` | the seed of the first; the one after it has the next number. Without it, `STORM` takes new ones each time |
//!
//! A case that fails is made smaller, and printed with its seed: `STORM=1 STORM_SEED=...` repeats it.

mod case;
mod generate;
mod play;
mod seen;
mod smaller;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use case::Case;
use seen::Seen;
use tests::{Scratch, debian, program};

/// How many cases there are unless `STORM` says.
const SHORT: u64 = 2500;

/// Who isn't done by then hangs.
const SOON: Duration = Duration::from_secs(60);

/// The same while a case is made smaller, where it costs nothing to be wrong.
const BRIEFLY: Duration = Duration::from_secs(3);

/// The first seed, where nobody has asked for anything: always the same, so that what has passed will pass.
const FIRST: u64 = 20_261_123;

#[test]
fn the_same_is_done() {
    let Some(theirs) = debian("multilog") else { return };
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let now = || SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs() << 20);
    let (cases, first) = match (asked("STORM"), asked("STORM_SEED")) {
        (None, first) => (SHORT, first.unwrap_or(FIRST)),
        (Some(cases), first) => (cases, first.unwrap_or_else(now)),
    };
    println!("{cases} cases, STORM_SEED={first}");
    let begin = Instant::now();
    let trial = Trial {
        ours: program("multilog"),
        theirs,
        next: AtomicU64::new(first),
        end: first + cases,
        failed: Mutex::new(None),
        count: Count::default(),
    };
    let trial = &trial;
    let scratch = Scratch::in_memory("multilog-beside");
    // While one waits for a program, another runs.
    let threads = 2 * std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for number in 0..threads {
            let place = scratch.dir(&number.to_string());
            scope.spawn(move || trial.work(&place));
        }
    });
    println!("{cases} cases in {:.1?}: {:?}", begin.elapsed(), trial.count);
    if let Some(why) = trial.failed.lock().expect("no panic").take() {
        panic!("{why}");
    }
    if cases >= SHORT {
        trial.count.is_worth_it(usize::try_from(cases).expect("a usize"));
    }
}

struct Trial {
    ours: PathBuf,
    theirs: PathBuf,
    next: AtomicU64,
    end: u64,
    /// What to say of a case that failed.
    failed: Mutex<Option<String>>,
    count: Count,
}

/// How often something happened.
#[derive(Default, Debug)]
struct Count {
    finished_files: AtomicUsize,
    left_in_the_pipe: AtomicUsize,
    failed_to_start: AtomicUsize,
    said_something: AtomicUsize,
}

impl Trial {
    /// Takes one case after the other.
    fn work(&self, place: &Path) {
        while self.failed.lock().expect("no panic").is_none() {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.end {
                return;
            }
            let case = generate::case(seed);
            let (ours, why) = self.compare(&case, place, SOON);
            self.count.add(&ours);
            let Some(why) = why else { continue };
            // One that hangs is what it is: each smaller one would take as long.
            let hangs = why.contains(play::HANGS);
            let fails = |case: &Case| {
                let why = if hangs { None } else { self.compare(case, place, BRIEFLY).1 };
                why.is_some_and(|why| !why.contains(play::HANGS))
            };
            let small = smaller::smallest(&case, fails);
            let why = if small == case { why } else { self.why(&small, place).unwrap_or(why) };
            let text = format!("STORM=1 STORM_SEED={seed}, of which is left:\n{small}{why}");
            self.failed.lock().expect("no panic").get_or_insert(text);
        }
    }

    fn why(&self, case: &Case, place: &Path) -> Option<String> {
        self.compare(case, place, SOON).1
    }

    /// What ours does, and what is different.
    fn compare(&self, case: &Case, place: &Path, patience: Duration) -> (Seen, Option<String>) {
        // The same path for both, as it may be said.
        let directory = place.join("log");
        let ours = play::play(&self.ours, case, &directory, patience);
        let theirs = play::play(&self.theirs, case, &directory, patience);
        let why = seen::difference(case, &ours, &theirs);
        (ours, why)
    }
}

impl Count {
    fn add(&self, seen: &Seen) {
        self.finished_files.fetch_add(seen.finished(), Ordering::Relaxed);
        self.left_in_the_pipe.fetch_add(usize::from(!seen.rest.is_empty()), Ordering::Relaxed);
        self.failed_to_start
            .fetch_add(usize::from(seen.end != "exit status: 0"), Ordering::Relaxed);
        self.said_something.fetch_add(usize::from(!seen.said.is_empty()), Ordering::Relaxed);
    }

    /// A generator that makes nothing happen finds nothing.
    fn is_worth_it(&self, cases: usize) {
        for (what, count, least) in [
            ("files", &self.finished_files, cases / 2),
            ("rests", &self.left_in_the_pipe, cases / 50),
            ("failures", &self.failed_to_start, cases / 100),
            ("words", &self.said_something, cases / 10),
        ] {
            let count = count.load(Ordering::Relaxed);
            assert!(count >= least, "{what}: {count}, not {least}");
        }
    }
}
