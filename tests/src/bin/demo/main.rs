//! demo: the walk-through's two services in a scratch directory, as an ordinary user: `demo [--check]`.
//!
//! Every step is verified. With `--check` all is taken down at the end; without, the services run on until Ctrl-C. Exit: 0, or
//! 1 with what failed.

mod host;
mod show;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

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
    let ended = ctrl_c().map_err(|e| format!("unable to catch Ctrl-C: {e}"))?;
    let ended = || ended.load(Ordering::Relaxed);
    let mut host = host::Host::new()?;
    show::services(&mut host)?;
    let steps =
        [show::session_in_the_clear, show::session_over_tls, show::what_goes_wrong, show::log];
    for step in steps {
        if !ended() {
            step(&host)?;
        }
    }
    if !check && !ended() {
        show::what_to_try(&host);
        while tests::wait_for(Duration::from_secs(3600), || ended().then_some(())).is_none() {}
        println!();
    }
    show::removal(&mut host)?;
    if check {
        println!("\ndemo: all steps are as they should be");
    }
    Ok(())
}

/// Caught rather than blocked, so that the services start with no signal blocked. At any time, the demo then takes down what
/// it has started.
fn ctrl_c() -> std::io::Result<Arc<AtomicBool>> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&ended))?;
    }
    Ok(ended)
}
