use super::*;

const NAME: Name = Name("prog");

fn args(list: &[&str]) -> Args {
    Args::new(list.iter().map(|text| CString::new(*text).expect("no NUL")).collect())
}

fn env() -> Env {
    Env::new(vec![c"PATH=/usr/bin:/bin".into()])
}

/// A pipe whose ends are close-on-exec, as all of ours are.
fn pipe() -> (OwnedFd, OwnedFd) {
    sys::pipe::pipe_with(sys::pipe::PipeFlags::CLOEXEC).expect("a pipe")
}

fn is_kept(fd: &OwnedFd) -> bool {
    sys::io::fcntl_getfd(fd).expect("fcntl").contains(FdFlags::CLOEXEC)
}

fn refused(list: &[&str]) -> Why {
    let (origin, received) = begin(NAME, 1, args(list), env()).expect("an ordinary start");
    assert!(received.is_none());
    let (reader, _writer) = pipe();
    let mut state = Writer::default();
    state.descriptor(1, reader.as_fd());
    let refused = origin.hand_over(&state);
    assert!(is_kept(&reader), "as before");
    refused.why
}

#[test]
fn a_successor_that_cannot_take_over_is_told_from_one_that_can() {
    assert_eq!(refused(&["/nowhere/prog", "x"]), Why::Run(Errno::NOENT));
    assert_eq!(refused(&["no-such-program"]), Why::Run(Errno::NOENT));
    assert_eq!(refused(&["/etc/passwd"]), Why::Run(Errno::ACCESS));
    assert_eq!(refused(&["false"]), Why::Exited(1));
}

#[test]
fn what_a_program_is_asked() {
    for (argument, expected) in [
        (c"--take-over=check:7", Some((Kind::Check, 7))),
        (c"--take-over=7", Some((Kind::Take, 7))),
        (c"--take-over=", Some((Kind::Take, -1))),
        (c"--take-over=check:x", Some((Kind::Check, -1))),
        (c"--take-over", None),
        (c"take-over=7", None),
    ] {
        assert_eq!(asked(argument), expected, "{argument:?}");
    }
    assert_eq!(option(CHECK, 12).as_c_str(), c"--take-over=check:12");
    assert_eq!(option(b"", 3).as_c_str(), c"--take-over=3");
}

#[test]
fn a_relative_place_is_made_absolute() {
    let cwd = std::env::current_dir().expect("a directory");
    assert_eq!(place(c"prog").as_c_str(), c"prog");
    assert_eq!(place(c"/a/prog").as_c_str(), c"/a/prog");
    assert_eq!(place(c"./prog").to_str(), Ok(format!("{}/./prog", cwd.display()).as_str()));
}

/// A memfd that an exec would hand over, with this content.
fn inherited(content: &[u8]) -> i32 {
    use sys::fd::IntoRawFd;
    let memory = sys::fs::memfd_create(c"state", MemfdFlags::empty()).expect("a memfd");
    sys::write_all(&memory, content).expect("write");
    memory.into_raw_fd()
}

fn header(program: &str, version: u64, state: &[u8]) -> Vec<u8> {
    let mut header = Writer::default();
    header.bytes(PROGRAM, program.as_bytes());
    header.number(VERSION, version);
    header.bytes(PLACE, b"/bin/prog");
    header.number(MASK, 6);
    header.bytes(STATE, state);
    [MAGIC, header.as_bytes()].concat()
}

fn received(content: &[u8]) -> Result<(Origin, Option<Received>), String> {
    let option = format!("--take-over={}", inherited(content));
    begin(NAME, 3, args(&["./prog", &option, "-a", "b"]), env())
        .map_err(|failure| String::from_utf8(failure.text).expect("UTF-8"))
}

#[test]
fn the_successor_begins_as_its_predecessor_did() {
    let mut state = Writer::default();
    state.number(1, 42);
    let content = header("prog", 2, state.as_bytes());
    let (origin, received) = received(&content).expect("a state");
    let received = received.expect("received");
    assert_eq!((received.kind, received.version), (Kind::Take, 2));
    assert_eq!(received.state().and_then(|state| state.number(1)), Ok(Some(42)));
    assert_eq!(origin.args().iter().collect::<Vec<_>>(), [c"./prog", c"-a", c"b"]);
    assert_eq!(origin.mask().bits(), 6);
    assert_eq!(origin.place.as_c_str(), c"/bin/prog", "found again from any directory");
}

#[test]
fn what_cannot_be_taken_over_is_refused() {
    for (content, why) in [
        (vec![], "malformed state"),
        (b"TAKEOVER\x01\0\xFF".to_vec(), "malformed state"),
        (header("other", 1, b""), "another program's state"),
        (header("prog", 4, b""), "a later version's state"),
        (header("prog", u64::MAX, b""), "a later version's state"),
    ] {
        let expected = format!("prog: fatal: unable to take over: {why}\n");
        assert_eq!(received(&content).map(drop), Err(expected));
    }
    let nothing = begin(NAME, 1, args(&["prog", "--take-over=check:9999"]), env());
    let failure = nothing.map(drop).expect_err("no such descriptor");
    assert_eq!((failure.code, failure.text.ends_with(b"no state was handed over\n")), (111, true));
}

/// However long the list of children that ended meanwhile: only the one that was asked is reaped.
#[test]
fn other_children_are_left_to_be_reaped() {
    let mut other = std::process::Command::new("true").spawn().expect("a child");
    assert_eq!(refused(&["false"]), Why::Exited(1));
    assert!(other.wait().expect("still to be reaped").success());
}
