//! storm-logger: see `tests::storm::logger`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tests::storm::logger::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("storm-logger: fatal: {error}");
            ExitCode::from(111)
        }
    }
}
