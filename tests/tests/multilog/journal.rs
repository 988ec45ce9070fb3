//! `j`: what a predecessor left in the journal, and what became of the journal meanwhile. (Killed at every moment:
//! the test multilog_storm.)

use crate::{SOON, left, logged};
use nix::mount::{MsFlags, mount};
use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use tests::{Child, Run, Scratch, Signal, alone, program, text, wait_until};

/// A pipe with both ends, as svscan has it, and a place for logs.
struct Place {
    scratch: Scratch,
    reader: PipeReader,
    writer: Option<PipeWriter>,
}

impl Place {
    fn new() -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        Self { scratch: Scratch::new("multilog-journal"), reader, writer: Some(writer) }
    }

    fn write(&mut self, text: &[u8]) {
        self.writer.as_mut().expect("open").write_all(text).expect("written");
    }

    fn log(&self) -> String {
        text(&logged(&self.scratch.join("d")))
    }

    fn start(&self, args: &[&str]) -> std::process::Child {
        Command::new(program("multilog"))
            .args(args)
            .current_dir(self.scratch.path())
            .stdin(self.reader.try_clone().expect("a copy"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("started")
    }

    /// Writes to one, and kills it when this is in the journal.
    fn killed_with(&mut self, args: &[&str], text: &[u8]) {
        let mut child = self.start(args);
        self.write(text);
        let journal = self.scratch.join("d/journal");
        wait_until("it is taken", SOON, || fs::read(&journal).is_ok_and(|taken| taken == text));
        // And looked at: a record tells where it ends.
        let last = text.split_inclusive(|byte| *byte == b'\n').rfind(|line| line.ends_with(b"\n"));
        wait_until("it is logged", SOON, || {
            self.log().ends_with(&*tests::text(last.unwrap_or_default()))
        });
        child.kill().expect("killed");
        child.wait().expect("waited");
    }

    /// What one says that reads to the end of the input.
    fn ended(&mut self, args: &[&str]) -> String {
        self.writer = None;
        let mut child = self.start(args);
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("UTF-8");
        assert_eq!(child.wait().expect("waited").code(), Some(0), "{said}");
        assert!(!has_journal(&self.scratch.join("d")), "it isn't needed any more");
        said
    }
}

fn has_journal(dir: &Path) -> bool {
    left(dir).iter().any(|(name, ..)| name.starts_with("journal"))
}

#[test]
fn what_was_taken_is_logged_by_a_successor_that_has_no_journal_of_its_own() {
    for (args, said) in [(&["./d"][..], ""), (&["j", "./d"], ""), (&["./d", "j"], "")] {
        let mut place = Place::new();
        place.killed_with(&["j", "./d"], b"one\nt");
        place.write(b"wo\nthree\n");
        assert_eq!(place.ended(args), said);
        assert_eq!(place.log(), "one\ntwo\nthree\n");
    }
}

#[test]
fn the_line_in_hand_keeps_its_stamp() {
    let mut place = Place::new();
    place.killed_with(&["t", "j", "./d"], b"\nx");
    let first = place.log();
    place.write(b"y\n");
    place.ended(&["t", "j", "./d"]);
    let log = place.log();
    let stamps: Vec<&str> = log.lines().map(|line| &line[..26]).collect();
    assert!(log.starts_with(&first) && log.ends_with(" xy\n") && log.lines().count() == 2, "{log}");
    // A nanosecond later: they were read at once, or very nearly.
    assert!(stamps[0] < stamps[1], "{log}");
}

#[test]
fn a_record_that_is_damaged_loses_nothing() {
    let damage: [fn(&Path); 5] = [
        |records| fs::write(records, "nothing of ours").expect("written"),
        |records| fs::write(records, "").expect("written"),
        |records| {
            let mut bytes = fs::read(records).expect("records");
            bytes.iter_mut().skip(30).for_each(|byte| *byte ^= 1);
            fs::write(records, bytes).expect("written");
        },
        // That of a longer journal.
        |records| {
            File::options()
                .write(true)
                .open(records.with_file_name("journal"))
                .and_then(|file| file.set_len(4))
                .expect("cut");
        },
        |records| fs::remove_file(records).expect("removed"),
    ];
    for (number, damage) in damage.iter().enumerate() {
        let mut place = Place::new();
        place.killed_with(&["j", "./d"], b"one\ntwo\n");
        damage(&place.scratch.join("d/journal.at"));
        place.write(b"three\n");
        let said = place.ended(&["j", "./d"]);
        let expected =
            "multilog: warning: unable to rely on ./d/journal.at: some lines may be logged twice\n";
        assert_eq!(said, expected, "{number}");
        let again = if number == 3 { "" } else { "one\ntwo\n" };
        assert_eq!(place.log(), format!("one\ntwo\n{again}three\n"), "{number}");
    }
}

#[test]
fn whose_log_it_was_is_known() {
    // Other patterns: what was logged by the old ones may be there twice, and nothing is lost.
    let mut place = Place::new();
    place.killed_with(&["j", "./d"], b"one\ntwo\n");
    assert_eq!(place.ended(&["j", "-x*", "./d"]), "");
    assert_eq!(place.log(), "one\ntwo\none\ntwo\n");
    // Another log beside it gets all.
    let mut place = Place::new();
    place.killed_with(&["j", "./d"], b"one\ntwo\n");
    assert_eq!(place.ended(&["./d", "j", "./e"]), "");
    assert_eq!(place.log(), "one\ntwo\n");
    assert_eq!(text(&logged(&place.scratch.join("e"))), "one\ntwo\n");
}

#[test]
fn a_current_that_is_gone_is_logged_again() {
    let mut place = Place::new();
    place.killed_with(&["j", "./d"], b"one\ntwo\n");
    fs::remove_file(place.scratch.join("d/current")).expect("removed");
    assert_eq!(place.ended(&["j", "./d"]), "");
    assert_eq!(place.log(), "one\ntwo\n");
}

#[test]
fn what_cannot_be_opened_keeps_the_journal_as_it_is() {
    let mut place = Place::new();
    place.killed_with(&["j", "./d", "./e"], b"one\ntwo\n");
    let before = left(&place.scratch.join("d"));
    let outcome = Run::new(program("multilog"))
        .args(["j", "./d", "/nowhere/e"])
        .cwd(place.scratch.path())
        .output();
    let said = "multilog: fatal: unable to open directory /nowhere/e: file does not exist\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, said));
    assert!(left(&place.scratch.join("d")) == before);
    assert_eq!(place.ended(&["./d", "./e"]), "");
    assert_eq!(place.log(), "one\ntwo\n");
    // A journal that is no file.
    fs::create_dir(place.scratch.join("d/journal")).expect("a directory");
    let outcome =
        Run::new(program("multilog")).args(["j", "./d"]).cwd(place.scratch.path()).output();
    let said = "multilog: fatal: unable to open ./d/journal: is a directory\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, said));
}

#[test]
fn term_leaves_the_rest_to_a_successor() {
    let mut place = Place::new();
    place.write(b"one\npart");
    let mut child = place.start(&["j", "./d"]);
    wait_until("it is taken", SOON, || place.log() == "one\n");
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    wait_until("it is read", SOON, || {
        fs::metadata(place.scratch.join("d/journal")).is_ok_and(|file| file.len() == 8)
    });
    nix::sys::signal::kill(pid, Signal::SIGTERM).expect("signalled");
    wait_until("it was taken note of", SOON, || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let pending = |line: &&str| line.starts_with("ShdPnd:") || line.starts_with("SigPnd:");
        status.lines().filter(pending).all(|line| line.ends_with("0000000000000000"))
    });
    place.write(b"ial\nrest\nof it");
    assert_eq!(child.wait().expect("waited").code(), Some(0));
    place.writer = None;
    let mut rest = String::new();
    place.reader.read_to_string(&mut rest).expect("ASCII");
    assert_eq!((place.log().as_str(), rest.as_str()), ("one\npartial\n", "rest\nof it"));
    let files = left(&place.scratch.join("d"));
    assert_eq!((files[0].0.as_str(), files[0].1, files.len()), ("current", 0o744, 3));
}

#[test]
fn other_input_than_pipes_passes_through_it() {
    let scratch = Scratch::new("multilog-journal-file");
    scratch.file("input", "one\ntwo\nend");
    let script = format!("exec {} j ./d < input", program("multilog").display());
    let outcome = Run::sh(&script).cwd(scratch.path()).output();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    assert_eq!(text(&logged(&scratch.join("d"))), "one\ntwo\nend\n");
    for closed in ["0<&-", "< /"] {
        let script = format!("{} j ./d {closed} 2>/dev/null", program("multilog").display());
        Run::sh(&script).cwd(scratch.path()).output();
        assert_eq!(text(&logged(&scratch.join("d"))), "one\ntwo\nend\n");
        assert!(!has_journal(&scratch.join("d")));
    }
}

#[test]
fn it_stays_small_and_what_it_holds_goes_where_it_goes_without() {
    let scratch = Scratch::new("multilog-journal-large");
    let mut child = Run::new(program("multilog"))
        .args(["j", "s1000000", "n100", "./d"])
        .cwd(scratch.path())
        .spawn();
    let line = format!("{}\n", "0123456789".repeat(12));
    let lines = line.repeat(40_000);
    child.write(lines.as_bytes());
    child.close();
    let (mut largest, journal) = (0, scratch.join("d/journal"));
    wait_until("all is logged", SOON, || {
        largest = fs::metadata(&journal).map_or(0, |file| file.len()).max(largest);
        !child.is_running()
    });
    assert!(largest > 0 && largest <= 1024 * 1024 + 64 * 1024, "{largest}");
    assert_eq!(
        fs::metadata(scratch.join("d/current")).expect("current").permissions().mode() & 0o777,
        0o744
    );
    assert!(logged(&scratch.join("d")) == lines.as_bytes());
}

#[test]
fn a_journal_that_cannot_grow_takes_nothing_from_the_pipe() {
    alone!();
    let scratch = Scratch::new("multilog-journal-full");
    let disk = scratch.dir("disk");
    mount(Some("tmpfs"), &disk, Some("tmpfs"), MsFlags::empty(), Some("size=64k")).expect("a disk");
    let mut child: Child = Run::new(program("multilog")).args(["j", "./d"]).cwd(&disk).spawn();
    wait_until("it is ready", SOON, || disk.join("d/current").exists());
    let filler = disk.join("filler");
    let mut file = File::create(&filler).expect("a filler");
    while file.write(&[0; 4096]).is_ok_and(|count| count > 0) {}
    drop(file);
    child.write(b"one\n");
    child.expect_stderr(
        "multilog: warning: unable to write to ./d/journal, pausing: out of disk space\n",
    );
    fs::remove_file(&filler).expect("removed");
    child.close();
    assert_eq!(child.wait(2 * SOON).code, 0);
    assert_eq!(text(&logged(&disk.join("d"))), "one\n");
}

#[test]
fn a_directory_that_was_removed_is_made_anew_with_its_journal() {
    let mut place = Place::new();
    let mut child = place.start(&["j", "s4096", "./d"]);
    wait_until("it is ready", SOON, || place.scratch.join("d/current").exists());
    fs::remove_dir_all(place.scratch.join("d")).expect("removed");
    place.write(&b"x".repeat(4095));
    place.write(b"\n");
    wait_until("it is made anew", SOON, || place.scratch.join("d/journal").exists());
    place.write(b"one\n");
    wait_until("it is logged", SOON, || place.log() == "one\n");
    child.kill().expect("killed");
    child.wait().expect("waited");
    place.write(b"two\n");
    assert_eq!(place.ended(&["j", "s4096", "./d"]), "");
    assert_eq!(place.log(), "one\ntwo\n");
}
