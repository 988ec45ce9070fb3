//! Rounds: multilog is started, something befalls it or its disk, it is killed at a random moment; the service says on.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use nix::mount::{MsFlags, mount};
use tests::storm::random::Random;
use tests::{Scratch, alone, program, wait_for};

use crate::SOON;
use crate::logged::{assert_same, without_stamps};
use crate::service::{Service, line, number};

/// How many rounds there are unless `STORM` says.
const SHORT: usize = 16;

/// What one read takes at most.
const READ: usize = 64 * 1024;

/// What befalls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Nothing,
    /// The disk has this much room left, from the beginning on, or from later on.
    NoRoom {
        left: usize,
        later: bool,
    },
    /// The processor fails.
    Processor,
    /// A finished file is from the future: the clock was set back.
    Clock,
    /// It is told to rotate, again and again.
    Rotations,
}

#[test]
fn with_a_journal_nothing_is_lost_and_nothing_doubled() {
    alone!();
    let Told { logs: [all, odd], lines, .. } = Storm::new(true).told();
    let sent: Vec<u8> = (0..lines).flat_map(line).collect();
    assert_same(&without_stamps(&all), &sent, "all");
    let sent: Vec<u8> = (0..lines).filter(|number| number % 2 == 1).flat_map(line).collect();
    assert_same(&without_stamps(&odd), &sent, "odd");
}

#[test]
fn without_one_what_one_read_had_taken_is_lost() {
    alone!();
    let told = Storm::new(false).told();
    let few = READ + 2 * 5100;
    for (log, step) in told.logs.iter().zip([1, 2]) {
        let texts = log.split_inclusive(|byte| *byte == b'\n');
        let numbers: Vec<u64> = texts.filter_map(|text| number(text.get(26..)?)).collect();
        assert!(numbers.is_sorted_by(|one, other| one < other), "twice, or out of order");
        let seen: usize = numbers.iter().map(|number| line(*number).len()).sum();
        let sent: usize =
            (step - 1..told.lines).step_by(step as usize).map(|n| line(n).len()).sum();
        println!("storm: {} bytes of {sent} were lost by {} kills", sent - seen, told.kills);
        assert!(
            sent - seen <= told.kills * few,
            "{} bytes were lost by {} kills",
            sent - seen,
            told.kills
        );
    }
}

/// What came of it.
struct Told {
    /// All that is in both logs.
    logs: [Vec<u8>; 2],
    /// How many lines the service has written.
    lines: u64,
    kills: usize,
}

struct Storm {
    scratch: Scratch,
    random: Random,
    rounds: usize,
    has_journal: bool,
    service: Service,
    /// What was in finished files that are gone.
    collected: [Vec<u8>; 2],
}

impl Storm {
    fn new(has_journal: bool) -> Self {
        let given = std::env::var("STORM_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = given.unwrap_or_else(|| {
            SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| u64::from(elapsed.subsec_nanos()))
        });
        let asked = std::env::var("STORM").ok().and_then(|events| events.parse::<usize>().ok());
        let rounds = asked.map_or(SHORT, |events| events.div_ceil(50));
        println!("storm: {rounds} rounds, STORM_SEED={seed}");
        let scratch = Scratch::new("multilog-storm");
        let disk = scratch.dir("disk");
        mount(Some("none"), &disk, Some("tmpfs"), MsFlags::empty(), Some("size=4m"))
            .expect("a disk");
        let (service, collected) = (Service::start(), <[Vec<u8>; 2]>::default());
        Self { scratch, random: Random::new(seed), rounds, has_journal, service, collected }
    }

    fn told(mut self) -> Told {
        for round in 0..self.rounds {
            self.round(round);
        }
        let mut last = self.start();
        self.service.end();
        let code = wait_for(4 * SOON, || last.try_wait().expect("waited"))
            .and_then(|status| status.code());
        assert_eq!(code, Some(0), "what the last one says is above");
        self.collect(0);
        let Self { collected: logs, service, rounds: kills, .. } = self;
        Told { logs, lines: service.lines(), kills }
    }

    fn round(&mut self, round: usize) {
        let what = self.of_round(round);
        match what {
            What::NoRoom { left, later: false } => self.fill(left),
            What::Processor => drop(File::create(self.disk("broken")).expect("broken")),
            What::Clock => self.set_clock_back(),
            What::Nothing | What::NoRoom { .. } | What::Rotations => {}
        }
        let mut multilog = self.start();
        let much = 400_000 * (1 + self.random.below(4)) / 4;
        self.watch(self.random_moment(much));
        match what {
            What::NoRoom { left, later: true } => {
                self.fill(left);
                self.watch(self.random_moment(200_000));
            }
            What::Rotations => {
                let pid = nix::unistd::Pid::from_raw(multilog.id().cast_signed());
                for _ in 0..5 {
                    // Before it catches the signal, that ends it as well.
                    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGALRM)
                        .expect("signalled");
                    self.watch(self.random_moment(20_000));
                }
            }
            What::Nothing | What::NoRoom { .. } | What::Processor | What::Clock => {}
        }
        multilog.kill().expect("killed");
        multilog.wait().expect("waited");
        for file in ["filler", "broken"] {
            let _ = fs::remove_file(self.disk(file));
        }
        self.collect(1);
    }

    /// Each kind has its turn, so that a short storm has them all.
    fn of_round(&mut self, round: usize) -> What {
        match round % 8 {
            0 => What::Clock,
            1 | 5 => What::Rotations,
            2 => What::Processor,
            3 => What::NoRoom { left: self.random.below(40_000), later: false },
            6 => What::NoRoom { left: 0, later: true },
            7 => What::NoRoom { left: self.random.below(3) * 4096, later: true },
            _ => What::Nothing,
        }
    }

    fn start(&self) -> std::process::Child {
        let journal: &[&str] = if self.has_journal { &["j"] } else { &[] };
        let processor = "!test ! -e ../broken && cat";
        let script = ["t", "n1000", "s9000", "./d", "-*", "+* odd *", processor, "s20000", "./e"];
        Command::new(program("multilog"))
            .args(script)
            .args(journal)
            .current_dir(self.disk(""))
            .stdin(Stdio::from(self.service.pipe.try_clone().expect("a copy")))
            .stderr(Stdio::null())
            .spawn()
            .expect("started")
    }

    fn disk(&self, name: &str) -> PathBuf {
        self.scratch.join("disk").join(name)
    }

    /// So much more is sent then, and so many microseconds are over.
    fn random_moment(&self, much: usize) -> (u64, Duration) {
        let mut random = Random::new(self.service.sent() ^ much as u64);
        (random.below(much) as u64, Duration::from_micros(random.below(400) as u64))
    }

    /// Until the moment, or until nothing moves.
    fn watch(&self, (much, after): (u64, Duration)) {
        let mut sent = self.service.sent();
        let (enough, mut moved) = (sent + much, Instant::now());
        while sent < enough && moved.elapsed() < Duration::from_millis(60) {
            std::thread::yield_now();
            if self.service.sent() > sent {
                (sent, moved) = (self.service.sent(), Instant::now());
            }
        }
        let begin = Instant::now();
        while begin.elapsed() < after {
            std::hint::spin_loop();
        }
    }

    /// Leaves so much room.
    fn fill(&self, left: usize) {
        let mut filler = File::create(self.disk("filler")).expect("a filler");
        while filler.write(&[0; 4096]).is_ok_and(|count| count > 0) {}
        let length = filler.metadata().expect("stat").len();
        filler.set_len(length.saturating_sub(left as u64)).expect("some room");
    }

    /// The newest finished file of each log is from a time that is still to come.
    fn set_clock_back(&self) {
        for log in ["d", "e"] {
            let Some(newest) = finished(&self.disk(log)).pop() else { continue };
            let name = newest.file_name().expect("a name").to_string_lossy().into_owned();
            let second = u64::from_str_radix(&name[1..17], 16).expect("a label") + 1000;
            let name = format!("@{second:016x}{}", &name[17..]);
            fs::rename(&newest, newest.with_file_name(name)).expect("renamed");
        }
    }

    /// Takes finished files away, all but so many. The newest may have another name, and not be finished.
    fn collect(&mut self, kept: usize) {
        for (log, collected) in ["d", "e"].iter().zip(&mut self.collected) {
            let dir = self.scratch.join("disk").join(log);
            let mut files = finished(&dir);
            files.truncate(files.len().saturating_sub(kept));
            if kept == 0 {
                files.push(dir.join("current"));
            }
            for file in files {
                collected.extend(fs::read(&file).expect("a file"));
                fs::remove_file(&file).expect("removed");
            }
        }
    }
}

/// The finished files of a log, oldest first.
fn finished(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| {
        path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"@"))
    });
    files.sort();
    files
}
