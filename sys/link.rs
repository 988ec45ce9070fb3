//! Build script of every package that has freestanding programs: a bin whose source begins with
//! `#![no_std]` is linked without a C library, as a static position-independent executable.
//!
//! In hosted mode the C library provides the start (see build.rs). It is named here, because the crate `libc` doesn't name it
//! when some other package in the same invocation of Cargo has turned on that crate's `std`.

use std::{env, fs, path::Path};

const FREESTANDING: [&str; 4] =
    ["-nostartfiles", "-nodefaultlibs", "-static-pie", "-Wl,--no-dynamic-linker,-z,noexecstack"];

const HOSTED: [&str; 1] = ["-lc"];

fn main() {
    println!("cargo:rerun-if-changed=src/bin");
    println!("cargo:rerun-if-env-changed=DAEMONTOOLS_HOSTED");
    let arguments: &[&str] = match env::var("DEP_DAEMONTOOLS_SYS_MODE").as_deref() {
        Ok("freestanding") => &FREESTANDING,
        _ => &HOSTED,
    };
    let Ok(bins) = fs::read_dir("src/bin") else { return };
    for bin in bins.map(|entry| entry.expect("src/bin is readable").path()) {
        if is_freestanding(&bin) {
            let name = bin.file_stem().and_then(|stem| stem.to_str()).expect("a bin has a name");
            for argument in arguments {
                println!("cargo:rustc-link-arg-bin={name}={argument}");
            }
        }
    }
}

fn is_freestanding(source: &Path) -> bool {
    fs::read_to_string(source).is_ok_and(|text| text.lines().any(|line| line == "#![no_std]"))
}
