//! wait-for: waits, at most half a minute, until something holds.
//!
//! `wait-for up|down|paused|unpaused|supervised|unsupervised DIRECTORY`, of a service; `wait-for wanted LETTER DIRECTORY`; `wait-for file|no-file PATH`;
//! `wait-for N lines|bytes PATH`; `wait-for TEXT in PATH`; `wait-for STATE process PID`, with a letter as ps has it;
//! `wait-for signalled PID`, until a process has got all signals that it was sent.
//! Exit: 0, or 1 if it has waited in vain, which it says on standard output.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(30) {
        if holds(&words) {
            return ExitCode::SUCCESS;
        }
        // Dozens of these wait side by side: their looks must not be what keeps the processors busy.
        std::thread::park_timeout(Duration::from_millis(15));
    }
    println!("waited in vain: {}", words.join(" "));
    ExitCode::FAILURE
}

fn holds(words: &[&str]) -> bool {
    match words {
        ["up", dir] => status(dir).is_some_and(|status| status[12..16] != [0; 4]),
        ["down", dir] => status(dir).is_some_and(|status| status[12..16] == [0; 4]),
        ["paused", dir] => status(dir).is_some_and(|status| status[16] != 0),
        ["unpaused", dir] => status(dir).is_some_and(|status| status[16] == 0),
        ["wanted", letter, dir] => {
            status(dir).is_some_and(|status| status[17..18] == *letter.as_bytes())
        }
        ["supervised", dir] => is_supervised(dir),
        ["unsupervised", dir] => !is_supervised(dir),
        ["file", path] => Path::new(path).exists(),
        ["no-file", path] => !Path::new(path).exists(),
        [count, "lines", path] => {
            count.parse() == Ok(read(path).iter().filter(|byte| **byte == b'\n').count())
        }
        [count, "bytes", path] => count.parse() == Ok(read(path).len()),
        [text, "in", path] => String::from_utf8_lossy(&read(path)).contains(text),
        [state, "process", pid] => {
            let stat = String::from_utf8_lossy(&read(&format!("/proc/{pid}/stat"))).into_owned();
            stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(state))
        }
        ["signalled", pid] => {
            let status = read(&format!("/proc/{pid}/status"));
            String::from_utf8_lossy(&status).contains("ShdPnd:\t0000000000000000\n")
        }
        _ => panic!("wait-for: no such condition: {words:?}"),
    }
}

fn read(path: &str) -> Vec<u8> {
    fs::read(path).unwrap_or_default()
}

fn status(directory: &str) -> Option<Vec<u8>> {
    Some(read(&format!("{directory}/supervise/status"))).filter(|status| status.len() >= 18)
}

/// A FIFO that nobody reads can't be opened for writing alone.
fn is_supervised(directory: &str) -> bool {
    let mut options = fs::OpenOptions::new();
    options.write(true).custom_flags(OFlag::O_NONBLOCK.bits());
    options.open(format!("{directory}/supervise/ok")).is_ok()
}
