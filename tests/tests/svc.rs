//! svc, svok and svstat, side by side with Debian's: what they send, what they say, how they end.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use tests::{Outcome, Run, Scratch, both, program};

const OK: &str = "s/supervise/ok";
const CONTROL: &str = "s/supervise/control";
const STATUS: &str = "s/supervise/status";

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

#[test]
fn svstat_says_of_every_status_what_debians_says() {
    let scratch = Scratch::new("svstat");
    let _ok = fifo(&scratch.join(OK));
    let mut seen = Vec::new();
    for down in [false, true] {
        if down {
            scratch.file("s/down", "");
        }
        for pid in [0, 1, 77_777, u32::MAX] {
            for paused in [0, 1, 9] {
                for want in [b'u', b'd', 0, b'x'] {
                    // Two programs in one second, or the seconds differ: the age is far off.
                    scratch.file(STATUS, status(-1_000_000, pid, paused, want));
                    seen.push(agreed(&scratch, "svstat", &["s"]).out());
                }
            }
        }
    }
    assert_eq!(seen[0], "s: down 0 seconds, normally up, want up\n");
    assert_eq!(
        seen.last().expect("96"),
        "s: up (pid 4294967295) 0 seconds, normally down, paused\n"
    );
}

#[test]
fn svstat_counts_the_seconds() {
    let scratch = Scratch::new("svstat-seconds");
    let _ok = fifo(&scratch.join(OK));
    for (age, expected) in [(-5, 0_u64), (0, 0), (86_400, 86_400), (1_000_000_000, 1_000_000_000)] {
        for (whose, path) in both("svstat") {
            scratch.file(STATUS, status(age, 0, 0, b'd'));
            let line = Run::new(path).arg("s").cwd(scratch.path()).output().out();
            let seconds = line.strip_prefix("s: down ").and_then(|rest| rest.split(' ').next());
            let seconds: u64 = seconds.and_then(|s| s.parse().ok()).expect(&line);
            assert!((expected..expected + 5).contains(&seconds), "{whose}: {line}");
        }
    }
}

#[test]
fn svstat_reads_what_encore_and_runit_wrote() {
    let scratch = Scratch::new("svstat-encore");
    let _ok = fifo(&scratch.join(OK));
    for more in [2, 22] {
        let mut bytes = status(-1_000, 5, 0, b'u');
        bytes.extend(vec![3; more]);
        scratch.file(STATUS, bytes);
        assert_eq!(agreed(&scratch, "svstat", &["s"]).out(), "s: up (pid 5) 0 seconds\n");
    }
}

#[test]
fn svstat_says_what_is_wrong_on_standard_output() {
    let scratch = Scratch::new("svstat-wrong");
    let nowhere = agreed(&scratch, "svstat", &["nowhere", "also/not"]);
    assert_eq!(
        nowhere.out(),
        "nowhere: unable to chdir: file does not exist\nalso/not: unable to chdir: file does not exist\n"
    );
    assert_eq!((nowhere.err().as_str(), nowhere.code), ("", 0));
    scratch.dir("s");
    let never = agreed(&scratch, "svstat", &["s", "."]);
    assert_eq!(
        never.out(),
        "s: unable to open supervise/ok: file does not exist\n.: unable to open supervise/ok: file does not exist\n"
    );
    drop(fifo(&scratch.join(OK)));
    assert_eq!(agreed(&scratch, "svstat", &["s"]).out(), "s: supervise not running\n");
    let _ok = fifo(&scratch.join(OK));
    assert_eq!(
        agreed(&scratch, "svstat", &["s"]).out(),
        "s: unable to open supervise/status: file does not exist\n"
    );
    for bytes in [&b""[..], b"x", &status(1, 2, 0, 0)[..17]] {
        scratch.file(STATUS, bytes);
        assert_eq!(
            agreed(&scratch, "svstat", &["s"]).out(),
            "s: unable to read supervise/status: bad format\n"
        );
    }
    assert_eq!(agreed(&scratch, "svstat", &[]).out(), "");
    // Debian's takes the error for 2^32-1 bytes, and shows what was in its memory.
    fs::remove_file(scratch.join(STATUS)).expect("remove status");
    scratch.dir(STATUS);
    let directory = Run::new(program("svstat")).arg("s").cwd(scratch.path()).output();
    assert_eq!(directory.out(), "s: unable to read supervise/status: is a directory\n");
    assert_eq!(directory.code, 0);
}

#[test]
fn svstat_does_not_lose_its_output_in_silence() {
    let svstat = program("svstat");
    let outcome = Run::sh(&format!("exec {} / >/dev/full", svstat.display())).output();
    assert_eq!(outcome.err(), "svstat: fatal: unable to write output: out of disk space\n");
    assert_eq!(outcome.code, 111);
}

/// What `svc ARGS` writes into the control FIFO.
fn letters(svc: &Path, args: &[&str]) -> (Outcome, Vec<u8>) {
    let scratch = Scratch::new("svc-letters");
    let mut control = fifo(&scratch.join(CONTROL));
    let outcome = Run::new(svc).args(args).cwd(scratch.path()).output();
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut control, &mut bytes);
    (outcome, bytes)
}

#[test]
fn svc_sends_its_letters_in_order_each_once() {
    let cases: [(&[&str], &[u8]); 9] = [
        (&["-u", "s"], b"u"),
        (&["-dx", "s"], b"dx"),
        (&["-ox", "s"], b"ox"),
        (&["-x", "-o", "s"], b"xo"),
        (&["-udopchaitkx", "s"], b"udopchaitkx"),
        (&["-xktiahcpodu", "-udu", "s"], b"xktiahcpodu"),
        (&["-uduu", "-d", "--", "s"], b"ud"),
        (&["s"], b""),
        (&["-u", "s", "s/../s", "./s"], b"uuu"),
    ];
    for (args, expected) in cases {
        for (whose, svc) in both("svc") {
            let (outcome, bytes) = letters(&svc, args);
            assert_eq!(bytes, expected, "{whose} {args:?}");
            assert_eq!((outcome.err().as_str(), outcome.code), ("", 0), "{whose} {args:?}");
        }
    }
}

#[test]
fn svc_warns_of_what_it_cannot_reach_and_goes_on() {
    let scratch = Scratch::new("svc-warns");
    let mut control = fifo(&scratch.join(CONTROL));
    scratch.dir("never");
    drop(fifo(&scratch.join("ended/supervise/control")));
    scratch.file("file", "");
    let outcome = agreed(&scratch, "svc", &["-d", "gone", "never", "ended", "file", "s"]);
    assert_eq!(
        outcome.err(),
        "svc: warning: unable to chdir to gone: file does not exist\n\
         svc: warning: unable to control never: file does not exist\n\
         svc: warning: unable to control ended: supervise not running\n\
         svc: warning: unable to chdir to file: not a directory\n"
    );
    assert_eq!((outcome.out().as_str(), outcome.code), ("", 0));
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut control, &mut bytes);
    assert_eq!(bytes, vec![b'd'; both("svc").len()]);
}

#[test]
fn svc_refuses_letters_that_it_does_not_know() {
    let scratch = Scratch::new("svc-refuses");
    for args in [&["-Z"][..], &["-uZ", "s"], &["-u-", "s"], &["-w", "s"]] {
        let outcome = agreed(&scratch, "svc", args);
        assert_eq!(outcome.code, 100);
        assert!(outcome.err().starts_with("svc: illegal option -- "), "{}", outcome.err());
        assert!(outcome.err().ends_with("\nsvc options: u up, d down, o once, x exit, p pause, c continue, h hup, a alarm, i interrupt, t term, k kill\n"));
    }
    for args in [&[][..], &["-u"], &["--"], &["--u"]] {
        let outcome = agreed(&scratch, "svc", args);
        assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
    }
}

#[test]
fn svc_never_hangs_on_a_control_fifo_that_is_full() {
    let scratch = Scratch::new("svc-full");
    let path = scratch.join(CONTROL);
    let _reader = fifo(&path);
    let flags = OFlag::O_NONBLOCK.bits();
    let mut writer =
        OpenOptions::new().write(true).custom_flags(flags).open(&path).expect("open for writing");
    while std::io::Write::write(&mut writer, &[0; 4096]).is_ok() {}
    while std::io::Write::write(&mut writer, &[0; 1]).is_ok() {}
    let run = Run::new(program("svc")).args(["-u", "s"]).cwd(scratch.path());
    let outcome = run.deadline(Duration::from_secs(10)).output();
    assert_eq!(outcome.err(), "svc: warning: unable to control s: temporary failure\n");
    assert_eq!(outcome.code, 0);
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
