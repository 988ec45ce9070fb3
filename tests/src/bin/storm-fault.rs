//! storm-fault: `storm-fault NTH VARIANT NOTE PROGRAM [ARGUMENT ...]`. See `tests::storm::tracer`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use tests::storm::tracer::{self, Fault};

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("storm-fault: fatal: {error}");
            ExitCode::from(111)
        }
    }
}

fn run() -> Result<u8, Box<dyn Error>> {
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let [nth, variant, note, command @ ..] = &args[..] else {
        return Err("usage: storm-fault NTH VARIANT NOTE PROGRAM [ARGUMENT ...]".into());
    };
    let number = |word: &std::ffi::OsString| word.to_str().and_then(|word| word.parse().ok());
    let nth = number(nth).ok_or("NTH is no number")?;
    let variant = number(variant).ok_or("VARIANT is no number")?;
    let variant = usize::try_from(variant)?;
    tracer::run(Fault { nth, variant }, Path::new(note), command)
}
