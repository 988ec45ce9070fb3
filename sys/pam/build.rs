//! Finds out whether there is a libpam to link with. Where there is none, all but the calls themselves is built and tested
//! all the same, and `make` leaves the program out.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=/usr/include/security/pam_appl.h");
    println!("cargo:rustc-check-cfg=cfg(libpam)");
    // A static program can't load the modules.
    let features = env::var("CARGO_CFG_TARGET_FEATURE").unwrap_or_default();
    let is_static = features.split(',').any(|feature| feature == "crt-static");
    if !is_static && links() {
        println!("cargo:rustc-cfg=libpam");
    }
}

/// Whether the C compiler, which links for Rust, links a program with libpam.
fn links() -> bool {
    let Some(place) = env::var_os("OUT_DIR") else { return false };
    let source = Path::new(&place).join("links.c");
    let text = "int pam_start(void);\nint main(void) { return pam_start(); }\n";
    if fs::write(&source, text).is_err() {
        return false;
    }
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.arg("-o").arg(Path::new(&place).join("links")).arg(source).arg("-lpam");
    let quiet = compiler.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
