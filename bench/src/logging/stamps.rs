//! tai64n and tai64nlocal, from a file to nowhere.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::tai64n::Label;

use super::logger::ended;
use super::{ROUNDS, Sizes};
use crate::measure::{Goal, Row, Table, alternate};
use crate::place::{Scratch, debian_has, programs};

/// A service that has something to say: fifty lines a second.
const PACE: Duration = Duration::from_millis(20);

pub(super) fn measure(table: &mut Table, sizes: Sizes, text: &str) -> Result<(), String> {
    let scratch = Scratch::new("logging-stamps")?;
    let (plain, labelled) = (scratch.path().join("plain"), scratch.path().join("labelled"));
    write(&plain, sizes.bulk, text, |_| None)?;
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    write(&labelled, sizes.bulk, text, |number| {
        Some(Label::from_unix(start + PACE * u32::try_from(number).unwrap_or(u32::MAX)))
    })?;
    for (what, program, zone, file) in [
        ("tai64n", "tai64n", None, &plain),
        ("tai64nlocal", "tai64nlocal", None, &labelled),
        ("tai64nlocal, TZ=Europe/Berlin", "tai64nlocal", Some("Europe/Berlin"), &labelled),
    ] {
        let length = fs::metadata(file).map_or(0, |metadata| metadata.len());
        let one = |whose| {
            let input = File::open(file).map_err(|e| format!("unable to open: {e}"))?;
            let mut command = Command::new(programs(whose).join(program));
            command.stdin(input).stdout(Stdio::null());
            if let Some(zone) = zone {
                command.env("TZ", zone);
            }
            let start = Instant::now();
            let child = command.spawn();
            ended(&mut child.map_err(|e| format!("unable to run {program}: {e}"))?)?;
            Ok(length as f64 / 1e6 / start.elapsed().as_secs_f64())
        };
        let (ours, other) = alternate(ROUNDS, one, debian_has(&[program]))?;
        let what = format!("bulk {what}: Debian's");
        table.add(&Row { what, unit: "MB/s", ours, other, goal: Goal::RatioAtLeast(4.0) });
    }
    Ok(())
}

/// So many bytes of lines, each with its label.
fn write(
    file: &Path,
    bytes: usize,
    text: &str,
    label: impl Fn(usize) -> Option<Label>,
) -> Result<(), String> {
    let failed = |e: std::io::Error| format!("unable to write {}: {e}", file.display());
    let mut output = BufWriter::new(File::create(file).map_err(failed)?);
    let mut written = 0;
    for (number, line) in text.split_inclusive('\n').cycle().enumerate() {
        if written >= bytes {
            break;
        }
        if let Some(label) = label(number) {
            output.write_all(&label.to_hex()).map_err(failed)?;
            output.write_all(b" ").map_err(failed)?;
        }
        output.write_all(line.as_bytes()).map_err(failed)?;
        written += line.len();
    }
    output.flush().map_err(failed)
}
