//! `svstat -v` and `--json`: of records as supervise writes them, and of real services.

use super::*;

/// The label of so many seconds ago, as at the front of a status.
fn label(age: i64) -> [u8; 12] {
    status(age, 0, 0, 0)[..12].try_into().expect("12 bytes")
}

/// A detail, laid out as `supervise::detail` documents it, with `fields` at these places.
pub(crate) fn detail(status: &[u8], phase: u8, failure: u8, fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0; 248];
    bytes[..4].copy_from_slice(b"dtd1");
    bytes[4..20].copy_from_slice(&status[..16]);
    bytes[20] = phase;
    bytes[21] = failure;
    for (at, field) in fields {
        bytes[*at..at + field.len()].copy_from_slice(field);
    }
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes.extend(sum.to_le_bytes());
    bytes
}

pub(crate) const NOTIFIES: usize = 22;
const HOW: usize = 23;
pub(crate) const READY: usize = 32;
const UNTIL: usize = 44;
const DIED: usize = 56;
const DEAD: usize = 68;

fn put(scratch: &Scratch, status: &[u8], detail: &[u8]) {
    scratch.file(STATUS, status);
    scratch.file(DETAIL, detail);
}

/// What follows a name in the long form.
pub(crate) fn field(text: &str, name: &str) -> Option<String> {
    let start = format!("  {name:<12}");
    text.lines().find_map(|line| line.strip_prefix(&start).map(str::to_owned))
}

/// What a field of a JSON object is, raw.
pub(crate) fn json(line: &str, name: &str) -> String {
    let (_, rest) =
        line.split_once(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}: {line}"));
    let quoted = rest.starts_with('"');
    let end = match quoted {
        true => rest[1..].find('"').map(|at| at + 2),
        false => rest.find([',', '}']),
    };
    rest[..end.expect("an end")].to_owned()
}

#[test]
fn a_back_off_is_explained() {
    let scratch = Scratch::new("svstat-back-off");
    let _ok = fifo(&scratch.join(OK));
    let status = status_in(1, 3, 0, b'u');
    let died = [&label(3)[..], &77_u32.to_le_bytes()].concat();
    let mut minute = 1_000_000_u64.to_le_bytes().to_vec();
    minute.extend([4, 0, 2, 0]);
    let fields = [(HOW, &[1, 111][..]), (UNTIL, &label(-50)), (DIED, &died), (72, &minute)];
    put(&scratch, &status, &detail(&status, 1, 0, &fields));
    let text = svstat(&scratch, &["-v", "s"]).out();
    assert!(text.starts_with("s: down "), "{text}");
    let first = text.lines().next().expect("a line");
    assert!(first.ends_with(" seconds, normally up, want up, starting"), "{text}");
    assert_eq!(field(&text, "wanted").as_deref(), Some("up, and started again whenever it ends"));
    let waits = field(&text, "waits").expect("waits");
    assert!(waits.starts_with("for its next start (due in "), "{text}");
    let end = field(&text, "last end").expect("last end");
    assert!(end.starts_with("exit code 111, ") && end.contains(" ago (pid 77, 20"), "{text}");
    assert!(field(&text, "since").is_some_and(|since| since.ends_with(" UTC")), "{text}");
    // The minute is later than boot was: the count stands.
    assert_eq!(field(&text, "restarts").as_deref(), Some("6 in the last hour"));
    let line = svstat(&scratch, &["--json", "s"]).out();
    for (name, value) in [
        ("directory", "\"s\""),
        ("supervised", "true"),
        ("up", "false"),
        ("state", "\"starting\""),
        ("phase", "\"waiting\""),
        ("pid", "null"),
        ("wanted", "\"up\""),
        ("normally", "\"up\""),
        ("waits_for", "\"next-start\""),
        ("exit_code", "111"),
        ("signal", "null"),
        ("restarts_last_hour", "6"),
        ("log", "null"),
    ] {
        assert_eq!(json(&line, name), value, "{line}");
    }
}

#[test]
fn readiness_failure_and_the_down_file_are_explained() {
    let scratch = Scratch::new("svstat-phases");
    let _ok = fifo(&scratch.join(OK));
    let text = |status: &[u8], detail: &[u8]| {
        put(&scratch, status, detail);
        (svstat(&scratch, &["-v", "s"]).out(), svstat(&scratch, &["--json", "s"]).out())
    };
    let up = status_in(3, 60, 5, b'u');
    let (long, line) = text(&up, &detail(&up, 4, 0, &[(NOTIFIES, &[1])]));
    assert!(field(&long, "ready").is_some_and(|ready| ready.starts_with("no: ")), "{long}");
    assert_eq!(json(&line, "ready"), "false");
    let (long, line) = text(&up, &detail(&up, 4, 0, &[(NOTIFIES, &[1]), (READY, &label(50))]));
    assert!(field(&long, "ready").is_some_and(|ready| ready.starts_with("yes, since ")), "{long}");
    assert_eq!(json(&line, "ready"), "true");
    let died = [(HOW, &[2, 11][..]), (DIED, &label(70)), (DEAD, &[9, 0, 0, 0])];
    let (long, line) = text(&up, &detail(&up, 4, 0, &died));
    assert_eq!((field(&long, "ready"), json(&line, "ready")), (None, "null".to_owned()));
    assert!(field(&long, "last end").is_some_and(|end| end.starts_with("signal SEGV, ")), "{long}");
    assert_eq!(
        (json(&line, "signal"), json(&line, "signal_number")),
        ("\"SEGV\"".into(), "11".into())
    );

    let failed = status_in(5, 60, 0, b'd');
    let (long, line) = text(&failed, &detail(&failed, 9, 3, &[]));
    let waits = field(&long, "waits").expect("waits");
    assert!(waits.contains("failed for good, it died more often than max-restarts"), "{long}");
    assert_eq!(json(&line, "failure"), "\"max-restarts\"");

    let stopped = status_in(0, 60, 0, b'd');
    scratch.file("s/down", "");
    let (long, line) = text(&stopped, &detail(&stopped, 0, 0, &[]));
    assert_eq!(field(&long, "waits").as_deref(), Some("for svc -u: there is a file down"));
    assert_eq!(
        (json(&line, "waits_because"), json(&line, "normally")),
        ("\"down-file\"".into(), "\"down\"".into())
    );
}

/// Torn, of another moment, of another process, or none: nothing of it is believed.
#[test]
fn a_detail_that_is_not_the_statuss_is_not_told() {
    let scratch = Scratch::new("svstat-torn");
    let _ok = fifo(&scratch.join(OK));
    let now = status_in(3, 60, 5, b'u');
    let good = detail(&now, 4, 0, &[(HOW, &[1, 1]), (DIED, &label(70))]);
    let (mut torn, older, other) = (
        good.clone(),
        detail(&status_in(3, 61, 5, b'u'), 4, 0, &[(HOW, &[1, 1])]),
        detail(&status_in(3, 60, 6, b'u'), 4, 0, &[(HOW, &[1, 1])]),
    );
    torn[100] ^= 1;
    put(&scratch, &now, &good);
    assert!(svstat(&scratch, &["-v", "s"]).out().contains("last end"));
    for bad in [&torn, &older, &other, &good[..255].to_vec(), &Vec::new()] {
        put(&scratch, &now, bad);
        let text = svstat(&scratch, &["-v", "s"]).out();
        assert!(text.starts_with("s: up (pid 5) ") && !text.contains("last end"), "{text}");
    }
}

#[test]
fn a_logger_stands_beside_its_service() {
    let scratch = Scratch::new("svstat-logger");
    let _ok = fifo(&scratch.join(OK));
    scratch.file(STATUS, status_in(3, -1_000, 5, b'u'));
    scratch.dir("s/log");
    let first = |args: &[&str]| {
        let text = svstat(&scratch, args).out();
        let lines = text.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned);
        lines.collect::<Vec<_>>()
    };
    let main = "s: up (pid 5) 0 seconds, running";
    let never = "s/log: unable to open supervise/ok: file does not exist";
    assert_eq!(first(&["-v", "s"]), [main, never]);
    let _log = fifo(&scratch.join("s/log/supervise/ok"));
    scratch.file("s/log/supervise/status", status_in(3, -1_000, 6, b'u'));
    assert_eq!(first(&["-v", "s"]), [main, "s/log: up (pid 6) 0 seconds, running"]);
    assert_eq!(first(&["-vl", "s"]), [main]);
    let line = svstat(&scratch, &["--json", "s"]).out();
    let (_, log) = line.split_once("\"log\":").expect("a logger");
    assert_eq!((json(log, "directory"), json(log, "pid")), ("\"s/log\"".into(), "6".into()));
    // A log that the same supervise runs is no directory.
    let both = [status_in(3, -1_000, 5, b'u'), status_in(3, -1_000, 7, b'u')].concat();
    scratch.file(STATUS, both);
    assert_eq!(first(&["-v", "s"]), [main, "s log: up (pid 7) 0 seconds, running"]);
}

#[test]
fn a_missing_supervise_is_explained() {
    let scratch = Scratch::new("svstat-missing");
    scratch.dir("never");
    let text = svstat(&scratch, &["-v", "never"]).out();
    assert!(
        text.starts_with("never: unable to open supervise/ok: file does not exist\n"),
        "{text}"
    );
    assert!(field(&text, "meaning").is_some_and(|m| m.contains("no supervise has ever run")));
    assert!(
        field(&text, "started by")
            .is_some_and(|s| s.contains("svscan") && s.contains("supervise DIRECTORY &"))
    );
    drop(fifo(&scratch.join(OK)));
    let line = svstat(&scratch, &["--json", "s"]).out();
    assert_eq!(json(&line, "supervised"), "false");
    assert_eq!(json(&line, "problem"), "\"supervise not running\"");
    assert!(json(&line, "explanation").contains("no supervise runs here now"), "{line}");
}

#[test]
fn a_name_that_is_not_utf_8_keeps_its_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let scratch = Scratch::new("svstat-bytes");
    let name = OsStr::from_bytes(b"a\"\xFF\n");
    fs::create_dir(scratch.join(name)).expect("make a directory");
    let outcome =
        Run::new(program("svstat")).args([OsStr::new("--json"), name]).cwd(scratch.path());
    let line = outcome.output().out();
    assert!(
        line.starts_with("{\"directory\":\"a\\\"\u{FFFD}\\n\",\"directory_bytes\":\"6122ff0a\","),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1);
}

#[test]
fn services_of_every_supervise_are_explained() {
    for (whose, path) in both("supervise") {
        let scratch = Scratch::new("svstat-real");
        scratch.script("s/run", SLEEP);
        let _supervise = supervise(&path, &scratch, "s");
        assert_eq!(svc(&scratch, &["-U", "s"]).code, 0, "{whose}");
        let pid = published(&scratch.join(STATUS)).0.to_string();
        let line = svstat(&scratch, &["--json", "s"]).out();
        for (name, value) in
            [("up", "true"), ("phase", "\"up\""), ("pid", &pid), ("wanted", "\"up\"")]
        {
            assert_eq!(json(&line, name), value, "{whose}: {line}");
        }
        let text = svstat(&scratch, &["-v", "s"]).out();
        assert!(text.starts_with(&format!("s: up (pid {pid}) ")), "{whose}: {text}");
        assert_eq!(svc(&scratch, &["-D", "s"]).code, 0, "{whose}");
        let text = svstat(&scratch, &["-v", "s"]).out();
        let waits = field(&text, "waits");
        assert_eq!(waits.as_deref(), Some("for svc -u: it was told to be down"), "{whose}: {text}");
    }
}
