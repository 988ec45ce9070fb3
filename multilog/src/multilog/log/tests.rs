//! Logs on a disk in memory, of which every operation can fail, and after which the host can crash.

use super::*;
use crate::multilog::compression::Format;
use crate::multilog::disk::{Entry, NEWSTATE, PREVIOUS, PROCESSED, STATE};
use crate::multilog::steps::recovery;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::time::Duration;

const SETTINGS: Settings = Settings {
    directory: c"./d",
    size: 4096,
    number: 100,
    durable: Durable::Rotations,
    ..Settings::DEFAULT
};

/// Content and completeness behind a number, and names that point there, as on a disk.
#[derive(Default, Clone)]
struct Memory {
    names: BTreeMap<CString, usize>,
    files: Vec<(Vec<u8>, bool)>,
    current: usize,
    now: u64,
    operations: usize,
    /// The operation that fails, how often, and the reason.
    failing: Option<(usize, usize, Errno)>,
    /// At most so much is taken by one write.
    most: usize,
    troubles: Vec<Trouble>,
    /// The operation before which all ends.
    crash: Option<usize>,
}

/// What a panic carries when the host crashes.
struct Crash(Memory);

impl Memory {
    fn new() -> Self {
        let mut memory = Self { most: usize::MAX, ..Self::default() };
        memory.open_current().expect("memory");
        memory
    }

    /// An operation is to be made: it may fail, and it may be the last.
    fn operation(&mut self) -> Result<(), Errno> {
        if self.crash == Some(self.operations) {
            let there = Self { crash: None, ..self.clone() };
            std::panic::resume_unwind(Box::new(Crash(there)));
        }
        match &mut self.failing {
            Some((at, times, errno)) if *at == self.operations && *times > 0 => {
                *times -= 1;
                Err(*errno)
            }
            _ => {
                self.operations += 1;
                Ok(())
            }
        }
    }

    fn make(&mut self, name: &CStr) -> usize {
        if let Some(file) = self.names.get(name) {
            return *file;
        }
        self.files.push((Vec::new(), false));
        self.names.insert(name.into(), self.files.len() - 1);
        self.files.len() - 1
    }

    fn content(&self, name: &CStr) -> Option<&[u8]> {
        self.names.get(name).map(|file| &self.files[*file].0[..])
    }

    /// All that was logged and is still there, oldest first.
    fn logged(&self) -> Vec<u8> {
        let finished = self.names.keys().filter(|name| name.to_bytes().starts_with(b"@"));
        let order = finished.map(|name| &**name).chain([PREVIOUS, CURRENT]);
        let mut seen = Vec::new();
        let mut joined = Vec::new();
        for name in order {
            let Some(file) = self.names.get(name) else { continue };
            // `previous` may have its final name, too.
            if !seen.contains(file) {
                seen.push(*file);
                joined.extend_from_slice(&self.files[*file].0);
            }
        }
        joined
    }
}

impl Disk for Memory {
    fn unwritten<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        bytes
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        self.operation()?;
        let count = bytes.len().min(self.most);
        self.files[self.current].0.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.operation()
    }

    fn sync_content(&mut self) -> Result<(), Errno> {
        self.operation()
    }

    fn sync_directory(&mut self) -> Result<(), Errno> {
        self.operation()
    }

    fn open_current(&mut self) -> Result<(), Errno> {
        self.operation()?;
        self.current = self.make(CURRENT);
        self.files[self.current].1 = false;
        Ok(())
    }

    fn mark_complete(&mut self, name: &CStr) -> Result<(), Errno> {
        self.operation()?;
        let file = *self.names.get(name).ok_or(Errno::NOENT)?;
        self.files[file].1 = true;
        Ok(())
    }

    fn sync_file(&mut self, name: &CStr) -> Result<(), Errno> {
        self.operation()?;
        self.make(name);
        Ok(())
    }

    fn empty(&mut self, name: &CStr) -> Result<(), Errno> {
        self.operation()?;
        let file = self.make(name);
        self.files[file].0.clear();
        Ok(())
    }

    fn look(&self, name: &CStr) -> Result<Option<Entry>, Errno> {
        Ok(self.names.get(name).map(|file| Entry {
            is_complete: self.files[*file].1,
            links: self.names.values().filter(|other| *other == file).count() as u64,
            size: self.files[*file].0.len() as u64,
            number: *file as u64,
        }))
    }

    fn rename(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        self.operation()?;
        let file = self.names.remove(from).ok_or(Errno::NOENT)?;
        self.names.insert(to.into(), file);
        Ok(())
    }

    fn link(&mut self, from: &CStr, to: &CStr) -> Result<(), Errno> {
        self.operation()?;
        assert!(!self.names.contains_key(to), "a finished file is never replaced");
        let file = *self.names.get(from).ok_or(Errno::NOENT)?;
        self.names.insert(to.into(), file);
        Ok(())
    }

    fn remove(&mut self, name: &CStr) -> Result<(), Errno> {
        self.operation()?;
        self.names.remove(name).map(drop).ok_or(Errno::NOENT)
    }

    fn finished(&self) -> Result<Vec<CString>, Errno> {
        let names = self.names.keys();
        Ok(names.filter(|name| name.to_bytes().starts_with(b"@")).cloned().collect())
    }

    /// Counts its runs in `state`, and marks what it has seen.
    fn process(&mut self, _command: &CStr) -> Result<(), Trouble> {
        let failed = |_| Trouble::of_directory("processor failed in ", None);
        self.operation().map_err(failed)?;
        let input = self.content(PREVIOUS).expect("previous").to_vec();
        let state = self.content(STATE).unwrap_or_default().to_vec();
        for (name, content) in [(PROCESSED, input), (NEWSTATE, [state, b"x".to_vec()].concat())] {
            let file = self.make(name);
            self.files[file].0 = content;
        }
        Ok(())
    }

    fn compress(&mut self, _format: Format, _code: &'static [u8]) {}

    fn look_after_compressor(&mut self, _format: Format, _code: &'static [u8]) {}

    fn stop_compressor(&mut self) {}

    fn now(&self) -> Duration {
        Duration::from_secs(self.now)
    }

    fn pause(&mut self, trouble: &Trouble) {
        self.troubles.push(trouble.clone());
    }
}

fn log(disk: Memory, processor: bool) -> Log<Memory> {
    let processor = processor.then_some(c"p");
    Log::new(Settings { processor, ..SETTINGS }, disk, 0)
}

/// Twelve lines, which fill four files.
fn lines() -> Vec<u8> {
    (0..12).flat_map(|number| format!("{number:0700}\n").into_bytes()).collect()
}

fn names(disk: &Memory) -> Vec<String> {
    disk.names.keys().map(|name| name.to_str().expect("ASCII").to_owned()).collect()
}

#[test]
fn files_end_at_lines() {
    let mut log = log(Memory::new(), false);
    log.append(&lines());
    log.close();
    let sizes: Vec<usize> =
        log.disk.names.values().map(|file| log.disk.files[*file].0.len()).collect();
    assert_eq!(sizes, [2103, 2103, 2103, 2103, 0], "{:?}", names(&log.disk));
    assert!(log.disk.look(CURRENT).is_ok_and(|entry| entry.is_some_and(|entry| entry.is_complete)));
}

#[test]
fn what_a_file_takes() {
    let x = |count| b"x".repeat(count);
    for (bytes, written, expected) in [
        (x(10), 0, 10),
        (x(5000), 0, 4096),
        (x(5000), 4000, 96),
        ([x(2094), b"\n".to_vec(), x(9)].concat(), 0, 2104),
        ([x(2095), b"\n".to_vec(), x(9)].concat(), 0, 2096),
        ([b"\n".to_vec(), x(9)].concat(), 2094, 10),
        ([b"\n".to_vec(), x(9)].concat(), 2095, 1),
        (x(1), 4095, 1),
    ] {
        assert_eq!(portion(&bytes, written, 4096), expected, "{} {written}", bytes.len());
    }
}

#[test]
fn rotating_by_request_leaves_empty_files_alone() {
    let mut log = log(Memory::new(), false);
    log.rotate_now();
    assert_eq!(names(&log.disk), ["current"]);
    log.append(b"a\n");
    log.rotate_now();
    log.rotate_now();
    assert_eq!(names(&log.disk).len(), 2);
    assert_eq!(log.disk.logged(), b"a\n");
}

#[test]
fn the_processor_keeps_its_state() {
    let mut log = log(Memory::new(), true);
    log.append(&lines());
    log.close();
    assert_eq!(log.disk.content(STATE), Some(&b"xxxx"[..]));
    assert!(log.disk.logged() == lines());
    assert!(!log.disk.names.contains_key(PREVIOUS) && !log.disk.names.contains_key(PROCESSED));
}

/// How many operations a whole run makes.
fn operations(processor: bool) -> usize {
    let mut log = log(Memory::new(), processor);
    log.append(&lines());
    log.close();
    log.disk.operations
}

#[test]
fn each_operation_can_fail_and_nothing_is_lost_or_doubled() {
    for processor in [false, true] {
        for at in 1..operations(processor) {
            for errno in [Errno::NOSPC, Errno::IO, Errno::MFILE] {
                let mut disk = Memory::new();
                disk.failing = Some((at, 3, errno));
                let mut log = log(disk, processor);
                log.append(&lines());
                log.close();
                assert_eq!(log.disk.troubles.len(), 3, "operation {at}");
                assert!(log.disk.logged() == lines(), "operation {at}");
                let others = names(&log.disk).into_iter().filter(|name| !name.starts_with('@'));
                let left: Vec<String> = others.collect();
                let expected: &[&str] =
                    if processor { &["current", "state"] } else { &["current"] };
                assert_eq!(left, expected, "operation {at}");
            }
        }
    }
}

#[test]
fn a_crash_before_any_operation_loses_nothing_that_was_written() {
    for processor in [false, true] {
        for at in 1..operations(processor) {
            let mut disk = Memory::new();
            disk.crash = Some(at);
            disk.now = 1;
            let mut log = log(disk, processor);
            let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                log.append(&lines());
                log.close();
            }));
            let payload = outcome.expect_err("it crashes");
            let Ok(crash) = payload.downcast::<Crash>() else { panic!("operation {at}") };
            let mut disk = crash.0;
            let written = disk.files[0].0.len();
            let complete =
                disk.look(CURRENT).expect("memory").is_some_and(|entry| entry.is_complete);
            if !complete {
                let processed = disk.look(PROCESSED).expect("memory");
                carry_out(recovery(processed), &SETTINGS, &mut disk);
                assert!(disk.content(CURRENT).is_none(), "operation {at}");
            }
            let logged = disk.logged();
            assert!(lines().starts_with(&logged), "operation {at}: {:?}", names(&disk));
            assert!(logged.len() >= written, "operation {at}");
        }
    }
}

#[test]
fn a_current_that_somebody_removed_is_made_anew() {
    let mut log = log(Memory::new(), true);
    log.append(b"a\n");
    log.flush();
    log.disk.names.remove(CURRENT);
    log.rotate_now();
    log.append(b"b\n");
    log.close();
    assert_eq!(names(&log.disk), ["current"]);
    assert_eq!(log.disk.logged(), b"b\n");
}

/// A log with these limits, of which `lines` were written at `now`, in four files.
fn limited(age: Option<u64>, total: Option<u64>, now: u64) -> Log<Memory> {
    let age = age.map(Duration::from_secs);
    let mut log = Log::new(Settings { age, total, ..SETTINGS }, Memory::new(), 0);
    log.disk.now = now;
    log.append(&lines());
    log.flush();
    log
}

#[test]
fn too_old_is_removed_though_nothing_is_written() {
    let second = Duration::from_secs;
    let mut log = limited(Some(50), None, 100);
    assert_eq!(log.next_expiry(), Some(Duration::ZERO), "what is there wasn't looked at");
    log.expire(second(100));
    assert_eq!(names(&log.disk).len(), 5);
    assert_eq!(log.next_expiry(), Some(second(150)));
    let operations = log.disk.operations;
    log.expire(second(149));
    assert_eq!(log.disk.operations, operations, "too early for a look");
    for (now, left) in [(150, 4), (151, 1)] {
        log.disk.now = now;
        log.expire(second(now));
        assert_eq!(names(&log.disk).len(), left, "at {now}");
    }
    assert_eq!((names(&log.disk), log.next_expiry()), (vec!["current".to_owned()], None));
    log.append(b"a\n");
    log.rotate_now();
    assert_eq!(log.next_expiry(), Some(second(201)));
}

#[test]
fn too_old_is_removed_when_a_file_is_full() {
    let mut log = limited(Some(50), None, 100);
    log.disk.now = 1000;
    log.append(&lines()[..2103]);
    log.flush();
    assert_eq!(names(&log.disk).len(), 2);
    assert_eq!(log.disk.logged(), &lines()[..2103]);
}

#[test]
fn no_more_is_kept_than_the_total() {
    for (total, files) in [(0, 1), (4096 + 2103 * 2 - 1, 1), (4096 + 2103 * 2, 2), (100_000, 4)] {
        let log = limited(None, Some(total), 100);
        assert_eq!(names(&log.disk).len() - 1, files, "{total}");
        assert!(lines().ends_with(&log.disk.logged()));
    }
}

#[test]
fn a_file_goes_with_its_copy() {
    let mut log = limited(Some(50), None, 100);
    let oldest = names(&log.disk)[0].clone();
    for ending in [".gz", ".zst"] {
        log.disk.make(&CString::new(format!("{oldest}{ending}")).expect("no NUL"));
    }
    log.disk.now = 150;
    log.expire(Duration::from_secs(150));
    assert!(names(&log.disk).iter().all(|name| !name.starts_with(&oldest)));
}

proptest! {
    #[test]
    fn whatever_the_lines_and_the_writes_files_are_as_they_should(
        lengths in prop::collection::vec(0_usize..5000, 0..20),
        most in 1_usize..3000,
    ) {
        let input: Vec<u8> = lengths.iter().flat_map(|length| [&b"x".repeat(*length)[..], b"\n"].concat()).collect();
        let disk = Memory { most, ..Memory::new() };
        let mut log = Log::new(Settings { number: 1000, ..SETTINGS }, disk, 0);
        for chunk in input.chunks(977) {
            log.append(chunk);
            log.flush();
        }
        log.close();
        prop_assert_eq!(log.disk.logged(), input);
        for (name, file) in &log.disk.names {
            let content = &log.disk.files[*file].0;
            prop_assert!(content.len() <= 4096);
            if name.to_bytes().starts_with(b"@") {
                prop_assert!(content.len() == 4096 || content.ends_with(b"\n") && content.len() >= 2096);
                // No newline before it would have done.
                let early = content.iter().take(content.len() - 1).skip(2095).any(|byte| *byte == b'\n');
                prop_assert!(!early);
            }
        }
    }
}
