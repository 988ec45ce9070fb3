//! The service of a storm: writes numbered lines and keeps a journal of them. It is what its service directory's `run` leads
//! to, and finds all it must know there:
//!
//! | file | what |
//! | --- | --- |
//! | `log/` | without it, no line is written |
//! | `pace` | "LINES MILLISECONDS BURST": so many lines, each time after so long; every 400th time BURST lines (3 50 1500) |
//! | `last-words` | TERM doesn't end it at once: it writes 100 more lines, and ends in order |

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::unistd::write;

use crate::storm::journal::{self, Journal, only_one};
use crate::storm::judge::line;

/// What a pipe takes whole or not at all.
const PIPE_BUF: usize = 4096;

/// How many times a pace is kept before a burst.
const BURST_EVERY: u64 = 400;

/// Runs until a signal ends it, or nobody reads any more.
///
/// # Errors
/// If it is not alone, or its journal can't be written.
pub fn run() -> Result<(), Box<dyn Error>> {
    let here = std::env::current_dir()?;
    let name = here.file_name().and_then(|name| name.to_str()).ok_or("no name")?;
    let journals = PathBuf::from(std::env::var_os(journal::VARIABLE).ok_or("no journal")?);
    let _place = only_one(&journals, name)?;
    if !Path::new("log").is_dir() {
        loop {
            std::thread::park();
        }
    }
    let told = Arc::new(AtomicBool::new(false));
    if Path::new("last-words").exists() {
        signal_hook::flag::register(Signal::SIGTERM as i32, Arc::clone(&told))?;
    }
    let (lines, every, burst) = pace();
    let mut writer = Writer { journal: Journal::begin(&journals, name)?, told };
    let mut next = Instant::now();
    for tick in 1_u64.. {
        writer.write(if tick.is_multiple_of(BURST_EVERY) { burst } else { lines })?;
        if writer.is_told() {
            writer.write(100)?;
            break;
        }
        // The pace itself: a service that was held up doesn't make up for it.
        next = (next + every).max(Instant::now());
        std::thread::park_timeout(next.saturating_duration_since(Instant::now()));
    }
    Ok(())
}

fn pace() -> (u64, Duration, u64) {
    let text = fs::read_to_string("pace").unwrap_or_default();
    let numbers: Vec<u64> = text.split_whitespace().filter_map(|n| n.parse().ok()).collect();
    match numbers[..] {
        [lines, every, burst] => (lines, Duration::from_millis(every), burst),
        _ => (3, Duration::from_millis(50), 1500),
    }
}

struct Writer {
    journal: Journal,
    told: Arc<AtomicBool>,
}

impl Writer {
    fn is_told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }

    /// Writes so many lines, as many with one write as the pipe takes whole.
    fn write(&mut self, lines: u64) -> io::Result<()> {
        let mut chunk = String::new();
        let mut number = self.journal.written();
        let last = number + lines;
        while number < last {
            number += 1;
            let text = line(self.journal.incarnation(), number);
            if chunk.len() + text.len() > PIPE_BUF {
                self.put(&chunk, number - 1)?;
                chunk.clear();
            }
            chunk.push_str(&text);
        }
        self.put(&chunk, last)
    }

    fn put(&mut self, chunk: &str, tried: u64) -> io::Result<()> {
        self.journal.trying(tried)?;
        loop {
            match write(io::stdout(), chunk.as_bytes()) {
                Ok(count) if count == chunk.len() => return self.journal.done(),
                Ok(_) => return Err(io::Error::other("a pipe took a part of a small write")),
                // Nothing was written; a service whose logger hangs still wants to end when it is told to.
                Err(Errno::EINTR) if self.is_told() => std::process::exit(0),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}
