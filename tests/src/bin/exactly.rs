//! exactly: runs a program with exactly this environment, whatever its entries look like, duplicates and all:
//! `exactly [ENTRY ...] -- PROGRAM [ARGUMENT ...]`. env(1) would tidy it up.

use std::ffi::CString;

use nix::unistd::execve;

fn main() {
    let words = std::env::args().skip(1).map(|word| CString::new(word).expect("no NUL"));
    let words: Vec<CString> = words.collect();
    let parts: Vec<&[CString]> = words.splitn(2, |word| word.as_bytes() == b"--").collect();
    let [entries, command @ [program, ..]] = parts[..] else {
        panic!("usage: exactly [ENTRY ...] -- PROGRAM [ARGUMENT ...]");
    };
    let failed = execve(program, command, entries);
    panic!("unable to run {program:?}: {failed:?}");
}
