//! For the tests of each crate that has fuzz bodies.

use std::fs;
use std::path::Path;

/// Runs the body of `target` on all its seeds, and on every input that it has ever failed on.
pub(super) fn replay(target: &str, body: fn(&[u8])) {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let mut count = 0;
    for directory in ["seeds", "regressions"] {
        let Ok(inputs) = fs::read_dir(fuzz.join(directory).join(target)) else { continue };
        for input in inputs {
            let path = input.expect("an entry").path();
            eprintln!("{}", path.display());
            body(&fs::read(&path).expect("an input"));
            count += 1;
        }
    }
    assert!(count > 0, "{target} has no seeds");
}
