//! What a storm over a tree of services needs to be judged exactly: a service that keeps a journal of what it wrote, a logger
//! that can be killed at any moment without losing or doubling a byte, a judge who compares the two, and a tracer that lets
//! a single system call of a program fail.

pub mod journal;
pub mod judge;
pub mod logger;
pub mod processes;
pub mod random;
pub mod service;
pub mod tracer;

use std::path::PathBuf;

/// One of this package's own programs, which Cargo leaves one directory above the test programs.
///
/// # Panics
/// If it isn't there.
pub fn own_program(name: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("the test program's path");
    let path = exe.ancestors().skip(1).map(|dir| dir.join(name)).find(|path| path.is_file());
    path.unwrap_or_else(|| panic!("cargo builds `{name}` with the tests"))
}
