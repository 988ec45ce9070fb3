//! What the programs are made of: the small ones of nothing but our own runtime, all of them static.

use std::path::PathBuf;
use std::process::Command;
use tests::{program, skip};

/// The programs that design decision 2 keeps free of any C library. What they share their packages
/// with (tcpserver, checkpassword and their like) is ordinary Rust.
const FREESTANDING: &[&str] = &[
    "svscan",
    "svscanboot",
    "readproctitle",
    "supervise",
    "svc",
    "svok",
    "svstat",
    "svup",
    "softlimit",
    "setuidgid",
    "envuidgid",
    "envdir",
    "envini",
    "setlock",
    "fghack",
    "pgrphack",
    "setuser",
    "tcpclient",
    "tcprules",
    "tcprulescheck",
    "argv0",
    "recordio",
    "rblsmtpd",
    "fixcrio",
    "addcr",
    "delcr",
    "mconnect",
    "mconnect-io",
    "ucspi-proxy",
    "tcpcat",
    "who@",
    "date@",
    "finger@",
    "http@",
    "https@",
    "multilog",
    "splogger",
    "svlog",
    "tai64n",
    "tai64nlocal",
    "qmail-popup",
    "qmail-pop3d",
    "maildirmake",
];

const ORDINARY: &[&str] =
    &["tcpserver", "tcpserver-cert", "tlsclient", "checkpassword", "vchkpw", "vpasswd"];

/// The names that a freestanding program may have besides Rust's own: its start, the functions
/// that compiled Rust calls by name, and what linkers add.
const OURS: &[&str] = &[
    "_start",
    "memcpy",
    "memmove",
    "memset",
    "memcmp",
    "bcmp",
    "strlen",
    "daemontools_relocate",
    "daemontools_sigreturn",
    "_DYNAMIC",
    "_GLOBAL_OFFSET_TABLE_",
    "__ehdr_start",
];

/// The program as the linker left it, with its symbols: `make` strips what it puts in `command/`.
fn with_symbols(name: &str) -> Option<PathBuf> {
    let name = name.strip_suffix('@').map_or(name.to_owned(), |name| format!("{name}-at"));
    Some(PathBuf::from(std::env::var_os("BUILT")?).join(name)).filter(|path| path.is_file())
}

#[test]
fn every_program_is_static() {
    for name in FREESTANDING.iter().chain(ORDINARY) {
        let text = readelf(&["-lW", "-dW"], &program(name));
        assert!(!text.contains("INTERP"), "{name} needs a dynamic linker");
        assert!(!text.contains("(NEEDED)"), "{name} needs a shared library");
        assert!(text.contains("DYN (") || text.contains("DYN"), "{name} is at a fixed address");
    }
}

#[test]
fn no_freestanding_program_holds_a_c_library_or_std() {
    let hosted = std::env::var("DAEMONTOOLS_HOSTED").is_ok_and(|value| value == "1")
        || !cfg!(target_arch = "x86_64");
    for name in FREESTANDING {
        let Some(path) = with_symbols(name) else {
            skip!("BUILT doesn't name the directory of the unstripped programs (make test does)");
        };
        let output = Command::new("nm").arg(&path).output().expect("nm, of the C compiler's tools");
        let symbols = String::from_utf8_lossy(&output.stdout);
        let names: Vec<&str> =
            symbols.lines().filter_map(|line| line.split_whitespace().last()).collect();
        assert!(names.contains(&"_start"), "{name}: no symbols to look at");
        let foreign: Vec<_> = names.iter().filter(|name| !is_ours(name)).collect();
        // The look itself is tried where there is something to see.
        assert_eq!(foreign.is_empty(), !hosted, "{name} holds {foreign:?}");
    }
}

/// Whether a symbol is of our own code, of `core` and `alloc`, or of a crate without std. A C
/// library's symbols aren't mangled at all; std's are mangled with its name.
fn is_ours(symbol: &str) -> bool {
    let mangled = symbol.starts_with("_ZN") || symbol.starts_with("_R");
    let of_std = symbol.contains("3std") && !symbol.contains("core3std");
    OURS.contains(&symbol)
        || mangled && !of_std
        // Constants and vtables that the compiler names itself.
        || symbol.starts_with("anon.")
        || symbol.starts_with(".L")
        || symbol.starts_with("switch.table")
        || symbol.starts_with("str.")
        || symbol.starts_with("vtable.")
        || symbol.starts_with("alloc_")
}

fn readelf(options: &[&str], path: &std::path::Path) -> String {
    let output = Command::new("readelf")
        .args(options)
        .arg(path)
        .output()
        .expect("readelf, of the C compiler's binutils");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
