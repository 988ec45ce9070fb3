//! svc, svok, svstat and svup: side by side with Debian's what both can, and with Debian's supervise
//! and ours what only ours can.

mod explaining;
mod following;
mod letters;
mod lines;
mod logger;
mod many;
mod ours;
mod place;
mod svup;
mod waiting;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use tests::{Child, Outcome, Run, Scratch, both, program, wait_until};

const SOON: Duration = Duration::from_secs(30);
const OK: &str = "s/supervise/ok";
const CONTROL: &str = "s/supervise/control";
const STATUS: &str = "s/supervise/status";
const DETAIL: &str = "s/supervise/detail";

/// Makes a FIFO and opens it as a supervise does: so that it has a reader.
fn fifo(path: &Path) -> File {
    fs::create_dir_all(path.parent().expect("a parent")).expect("make supervise/");
    let _ = fs::remove_file(path);
    nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR).expect("make a FIFO");
    reader(path)
}

fn reader(path: &Path) -> File {
    let flags = OFlag::O_NONBLOCK.bits();
    OpenOptions::new().read(true).custom_flags(flags).open(path).expect("open a FIFO")
}

/// Runs each of our and Debian's `name`, and gives what it left behind; they must agree.
fn agreed(scratch: &Scratch, name: &str, args: &[&str]) -> Outcome {
    let mut outcomes = both(name)
        .into_iter()
        .map(|(whose, path)| (whose, Run::new(path).args(args).cwd(scratch.path()).output()));
    let (_, ours) = outcomes.next().expect("ours");
    for (whose, other) in outcomes {
        assert_eq!(
            (ours.out(), ours.err(), ours.code),
            (other.out(), other.err(), other.code),
            "ours and {whose}'s {name} {args:?}"
        );
    }
    ours
}

/// A status of `age` seconds ago (negative: yet to come).
fn status(age: i64, pid: u32, paused: u8, want: u8) -> Vec<u8> {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let seconds = now.as_secs().cast_signed() - age;
    let label = (1_u64 << 62) + 10 + seconds.cast_unsigned();
    let mut bytes = label.to_be_bytes().to_vec();
    bytes.extend([0; 4]);
    bytes.extend(pid.to_le_bytes());
    bytes.extend([paused, want]);
    bytes
}

/// As encore's and our supervise write it: with a state.
fn status_in(state: u8, age: i64, pid: u32, want: u8) -> Vec<u8> {
    let mut bytes = status(age, pid, 0, want);
    bytes.extend([state, 0]);
    bytes
}

/// A service that does nothing, for long.
const SLEEP: &str = "#!/bin/sh\nexec sleep 10000\n";

/// A supervise of `directory` in the scratch directory, once it can be reached.
fn supervise(supervise: &Path, scratch: &Scratch, directory: &str) -> Child {
    let child = Run::new(supervise).arg(directory).cwd(scratch.path()).spawn();
    let svok = program("svok");
    let reached = || Run::new(&svok).arg(directory).cwd(scratch.path()).output().code == 0;
    wait_until("supervise", SOON, reached);
    child
}

/// Runs our svc in the scratch directory.
fn svc(scratch: &Scratch, args: &[&str]) -> Outcome {
    Run::new(program("svc")).args(args).cwd(scratch.path()).output()
}

/// Runs our svstat in the scratch directory.
fn svstat(scratch: &Scratch, args: &[&str]) -> Outcome {
    Run::new(program("svstat")).args(args).cwd(scratch.path()).output()
}

/// The process id in a status, and what is wanted.
fn published(path: &Path) -> (u32, u8) {
    let bytes = fs::read(path).expect("a status");
    (u32::from_le_bytes(bytes[12..16].try_into().expect("4 bytes")), bytes[17])
}

#[test]
fn svok_tells_by_its_exit_code() {
    let scratch = Scratch::new("svok");
    let code = |args: &[&str]| {
        let outcome = agreed(&scratch, "svok", args);
        (outcome.err(), outcome.code)
    };
    assert_eq!(code(&[]), ("svok: usage: svok dir\n".to_owned(), 100));
    let gone = "svok: fatal: unable to chdir to gone: file does not exist\n";
    assert_eq!(code(&["gone"]), (gone.to_owned(), 111));
    scratch.dir("s");
    assert_eq!(code(&["s"]), (String::new(), 100));
    let held = fifo(&scratch.join(OK));
    assert_eq!(code(&["s"]), (String::new(), 0));
    assert_eq!(code(&["s", "gone"]), (String::new(), 0));
    drop(held);
    assert_eq!(code(&["s"]), (String::new(), 100));
    fs::remove_file(scratch.join(OK)).expect("remove ok");
    scratch.dir(OK);
    let odd = "svok: fatal: unable to open s/supervise/ok: is a directory\n";
    assert_eq!(code(&["s"]), (odd.to_owned(), 111));
}

#[test]
fn no_argument_is_taken_for_another_directory() {
    let scratch = Scratch::new("svc-back");
    let _ok: PathBuf = scratch.dir("a/b");
    let outcome = agreed(&scratch, "svstat", &["a", "a/b", "b"]);
    assert!(
        outcome.out().ends_with("b: unable to chdir: file does not exist\n"),
        "{}",
        outcome.out()
    );
}
