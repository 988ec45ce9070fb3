//! demo: the walk-through's two services in a scratch directory, as an ordinary user: `demo [--check]`.
//!
//! Every step is verified. With `--check` all is taken down at the end; without, the services run on until Ctrl-C. Exit: 0, or
//! 1 with what failed.

mod host;
mod show;

use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal};

fn main() -> ExitCode {
    let check = std::env::args().any(|arg| arg == "--check");
    match demo(check) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("\ndemo: failed: {why}");
            ExitCode::FAILURE
        }
    }
}

fn demo(check: bool) -> Result<(), String> {
    // Blocked from the start, so that a Ctrl-C at any time takes the services down too. Children start with an empty mask.
    let ends = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    ends.thread_block().map_err(|e| format!("unable to block signals: {e}"))?;
    let mut host = host::Host::new()?;
    show::services(&mut host)?;
    show::session_in_the_clear(&host)?;
    show::session_over_tls(&host)?;
    show::what_goes_wrong(&host)?;
    show::log(&host)?;
    if !check {
        show::what_to_try(&host);
        ends.wait().map_err(|e| format!("unable to wait for Ctrl-C: {e}"))?;
        println!();
    }
    show::removal(&mut host)?;
    if check {
        println!("\ndemo: all steps are as they should be");
    }
    Ok(())
}
