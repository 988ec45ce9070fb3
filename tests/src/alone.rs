//! Tests in namespaces of their own: they may mount over /etc, listen on port 110, become PID 1, and the host sees none of it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use crate::run::Run;

/// Set in the namespaces.
const INSIDE: &str = "TESTS_IN_NAMESPACES";

/// Runs the rest of a test in namespaces of its own (mounts, network with a loopback that is up, pids, host name), by running
/// the test program again, there, for this one test. Root there is root; for an ordinary user it is a root with only one
/// account. Where the kernel doesn't allow it, the test is skipped.
///
/// ```text
/// #[test]
/// fn the_walkthrough() {
///     alone!();
///     // ... here /etc, /service and port 110 are the test's own
/// }
/// ```
#[macro_export]
macro_rules! alone {
    () => {{
        fn here() {}
        if !$crate::in_namespaces(std::any::type_name_of_val(&here)) {
            return;
        }
    }};
}

/// What [`alone!`] calls: true inside. Outside, runs the test again inside and returns false when it has passed there.
///
/// # Panics
/// If the test failed inside.
pub fn in_namespaces(inner_function: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    if !namespaces_work() {
        crate::record_skip("namespaces of one's own are not allowed here");
        return false;
    }
    // CRATE::MODULE::TEST::here -> MODULE::TEST
    let test = inner_function.strip_suffix("::here").unwrap_or(inner_function);
    let test = test.split_once("::").map_or(test, |(_, test)| test);
    let outcome = Run::new(std::env::current_exe().expect("the test program's path"))
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(INSIDE, "1")
        .alone()
        .deadline(Duration::from_secs(600))
        .output();
    print!("{}", outcome.out());
    eprint!("{}", outcome.err());
    assert!(outcome.code == 0, "{test} failed in its namespaces: {}", outcome.err());
    assert!(outcome.out().contains("1 passed"), "no test of the name {test} was run");
    false
}

/// Whether this user may make namespaces here.
pub fn namespaces_work() -> bool {
    static WORK: OnceLock<bool> = OnceLock::new();
    *WORK.get_or_init(|| {
        Command::new(alone_program()).arg("true").output().is_ok_and(|o| o.status.success())
    })
}

/// Cargo leaves the package's programs one directory above the test programs.
pub(crate) fn alone_program() -> PathBuf {
    let exe = std::env::current_exe().expect("the test program's path");
    let path = exe.ancestors().skip(1).map(|dir| dir.join("alone")).find(|path| path.exists());
    path.expect("cargo builds `alone` with the tests")
}
