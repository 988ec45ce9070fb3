//! Checkers beside checkpassword itself: virtual users in all their places, vpasswd, PAM, and Dovecot as a neighbour.

mod chain;
mod dovecot;
mod pam;
mod virtual_users;
mod vpasswd;
mod vpopmail;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use tests::{Outcome, Run, Scratch, program};

/// SHA-512 of `secret`, by mkpasswd.
const SHA512: &str = "$6$saltsaltsalt$PMWE8DTlam1JU37Piyk43bHcMxTJq6sgu5DKB0/tGPjanN35jcY68QkpDfPFUGPWX5uCxIQkSPzMmqEiVNgts.";

/// Runs a checker with its arguments on `login`, NULs and all, as descriptor 3.
fn checked(login: impl AsRef<[u8]>, command: &[&Path], run: impl Fn(Run) -> Run) -> Outcome {
    let scratch = Scratch::new("request");
    let file = scratch.file("request", login);
    let shell = format!("exec 3<{}; exec \"$0\" \"$@\"", file.display());
    run(Run::new("/bin/sh").args(["-c", &shell]).args(command)).output()
}

/// What the caller writes for a login.
fn login(name: &str, password: &str) -> String {
    format!("{name}\0{password}\0Y123\0")
}

/// The same, where the client has sent a digest.
fn digest_login(name: &str, digest: &str, timestamp: &str) -> String {
    format!("{name}\0{digest}\0{timestamp}\0")
}

/// The digest that APOP wants, computed elsewhere.
fn apop(timestamp: &str, secret: &str) -> String {
    let script = format!("printf %s '{timestamp}{secret}' | md5sum | cut -c1-32");
    Run::sh(&script).output().out().trim().to_owned()
}

/// The digest that CRAM-MD5 wants, computed elsewhere.
fn cram_md5(challenge: &str, secret: &str) -> String {
    let script =
        format!("printf %s '{challenge}' | openssl dgst -md5 -hmac '{secret}' | sed 's/.* //'");
    Run::sh(&script).output().out().trim().to_owned()
}

/// A file that only its owner can read.
fn private(path: &Path, text: impl AsRef<[u8]>) {
    fs::write(path, text).expect("write a private file");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("chmod");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

/// A user's home, which is theirs.
fn home(path: &Path, uid: u32, gid: u32) {
    fs::create_dir_all(path).expect("a home");
    chown(path, Some(uid), Some(gid)).expect("chown");
}

/// A message of this very second is not shown yet.
fn aged(message: &Path) {
    let file = fs::File::options().append(true).open(message).expect("a message");
    let hour = std::time::Duration::from_secs(3600);
    file.set_modified(std::time::SystemTime::now() - hour).expect("set its time");
}

fn vchkpw() -> PathBuf {
    program("vchkpw")
}
