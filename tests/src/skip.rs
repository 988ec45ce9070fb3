//! Tests that can't run here say so, and `make test` repeats it at its end.

use std::fs::OpenOptions;
use std::io::Write;

/// Ends the test as passed, naming what it could not try: `skip!("no user namespaces")`. Also takes format arguments.
#[macro_export]
macro_rules! skip {
    ($($why:tt)*) => {{
        $crate::record_skip(&format!($($why)*));
        return;
    }};
}

/// Prints `skipped: WHY`, and appends it to the file that `$SKIPS` names. For a part of a test; [`skip!`] for a whole one.
pub fn record_skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("main").to_owned();
    let line = format!("skipped: {why} ({test})\n");
    eprint!("{line}");
    if let Some(file) = std::env::var_os("SKIPS")
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(file)
    {
        let _ = file.write_all(line.as_bytes());
    }
}

/// Whether the tests run as root.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
