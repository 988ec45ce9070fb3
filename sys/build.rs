//! Chooses the runtime's mode: freestanding on x86-64 Linux, hosted (a C library under it)
//! everywhere else, and there too where `DAEMONTOOLS_HOSTED=1` asks for it.
//!
//! Dependents read the choice as `DEP_DAEMONTOOLS_SYS_MODE` (see link.rs).

use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=DAEMONTOOLS_HOSTED");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-check-cfg=cfg(freestanding)");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let freestanding = is("CARGO_CFG_TARGET_OS", "linux")
        && is("CARGO_CFG_TARGET_ARCH", "x86_64")
        && is("CARGO_CFG_TARGET_POINTER_WIDTH", "64")
        && !is("DAEMONTOOLS_HOSTED", "1");
    if freestanding {
        println!("cargo:rustc-cfg=freestanding");
    }
    println!("cargo:mode={}", if freestanding { "freestanding" } else { "hosted" });
}
