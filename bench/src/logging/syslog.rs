//! splogger beside util-linux's logger: what a line costs on its way to a socket of datagrams.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::logger::ended;
use super::{ROUNDS, Sizes};
use crate::measure::{Goal, Row, Table, Whose, alternate};
use crate::place::{DEBIAN, Scratch, command_dir, debian_has};

/// So many lines are enough to count system calls.
const TRACED: usize = 2000;

/// Nothing came for so long: it is lost.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is read off a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Figure {
    Rate,
    Processor,
    Calls,
}

pub(super) fn measure(table: &mut Table, sizes: Sizes, text: &str) -> Result<(), String> {
    let scratch = Scratch::new("logging-syslog")?;
    let input = scratch.path().join("input");
    for (figure, unit, lines) in [
        (Figure::Rate, "lines/s", sizes.lines),
        (Figure::Processor, "us CPU", sizes.lines),
        (Figure::Calls, "system calls", TRACED.min(sizes.lines)),
    ] {
        let what = "syslog, a line: util-linux's logger".to_owned();
        if figure == Figure::Calls
            && let Err(why) = debian_has(&["strace"])
        {
            table.skip(&what, &why);
            continue;
        }
        let some: String = text.split_inclusive('\n').cycle().take(lines).collect();
        std::fs::write(&input, some).map_err(|e| format!("unable to write: {e}"))?;
        let one = |whose| run(whose, figure, scratch.path(), &input, lines);
        let (ours, other) = alternate(ROUNDS, one, debian_has(&["logger"]))?;
        table.add(&Row { what, unit, ours, other, goal: Goal::None });
    }
    Ok(())
}

fn run(
    whose: Whose,
    figure: Figure,
    scratch: &Path,
    input: &Path,
    lines: usize,
) -> Result<f64, String> {
    let path = scratch.join("socket");
    let _ = std::fs::remove_file(&path);
    let failed = |e: std::io::Error| format!("unable to make a socket: {e}");
    let socket = UnixDatagram::bind(&path).map_err(failed)?;
    socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
    let counts = scratch.join("counts");
    let words = words(whose, &path);
    let mut command = if figure == Figure::Calls {
        let mut strace = Command::new(Path::new(DEBIAN).join("strace"));
        strace.arg("-fco").arg(&counts).args(&words);
        strace
    } else {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    };
    let input = std::fs::File::open(input).map_err(|e| format!("unable to open: {e}"))?;
    let start = Instant::now();
    let command = command.env("SYSLOG_SOCKET", &path).stdin(input).stdout(Stdio::null());
    let mut child = command.spawn().map_err(|e| format!("unable to run {:?}: {e}", words[0]))?;
    let mut packet = [0; 4096];
    for number in 0..lines {
        if let Err(error) = socket.recv(&mut packet) {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("only {number} of {lines} lines came: {error}"));
        }
    }
    let took = start.elapsed().as_secs_f64();
    let processor = ended(&mut child)?;
    let each = lines as f64;
    match figure {
        Figure::Rate => Ok(each / took),
        Figure::Processor => Ok(processor * 1e6 / each),
        Figure::Calls => Ok(calls(&counts)? / each),
    }
}

fn words(whose: Whose, socket: &Path) -> Vec<PathBuf> {
    match whose {
        Whose::Ours => vec![command_dir().join("splogger"), "bench".into()],
        Whose::Others => {
            let logger = Path::new(DEBIAN).join("logger");
            vec![logger, "-t".into(), "bench".into(), "-d".into(), "-u".into(), socket.to_owned()]
        }
    }
}

/// The sum that strace has counted.
fn calls(counts: &Path) -> Result<f64, String> {
    let table = std::fs::read_to_string(counts).map_err(|e| format!("unable to read: {e}"))?;
    let total = table.lines().find(|line| line.trim_end().ends_with(" total"));
    let sum = total.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    sum.ok_or_else(|| "strace has counted nothing".to_owned())
}
