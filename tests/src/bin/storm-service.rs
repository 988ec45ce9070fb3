//! storm-service: see `tests::storm::service`.

use std::process::ExitCode;

fn main() -> ExitCode {
    match tests::storm::service::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("storm-service: fatal: {error}");
            ExitCode::from(111)
        }
    }
}
