//! What a program has done, and whether another did the same.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::case::{Case, shown};

/// So long is what a finished file's name begins with: `@` and 24 digits.
const STAMP: usize = 25;

/// What there is to compare.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// How it ended.
    pub(crate) end: String,
    /// Its standard error.
    pub(crate) said: Vec<u8>,
    /// What it left in the pipe.
    pub(crate) rest: Vec<u8>,
    /// By directory: in the order of their names.
    pub(crate) entries: BTreeMap<String, Vec<Entry>>,
}

impl Seen {
    /// How many files were finished, or found so.
    pub(crate) fn finished(&self) -> usize {
        self.entries.values().flatten().filter(|entry| entry.is_finished).count()
    }
}

/// What is in a directory.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    /// Without the stamp.
    name: String,
    /// Whether it has one.
    is_finished: bool,
    mode: u32,
    links: u64,
    content: Vec<u8>,
}

impl Entry {
    fn is_of_log(&self) -> bool {
        self.is_finished || self.name == "current"
    }
}

/// All that is below this directory.
pub(crate) fn entries(directory: &Path) -> BTreeMap<String, Vec<Entry>> {
    let mut all = BTreeMap::new();
    list(directory, ".", &mut all);
    all
}

fn list(directory: &Path, name: &str, all: &mut BTreeMap<String, Vec<Entry>>) {
    let mut paths: Vec<_> = fs::read_dir(directory)
        .expect("listed")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let mut entries = Vec::new();
    for path in paths {
        let metadata = fs::symlink_metadata(&path).expect("a file's metadata");
        let base = path.file_name().expect("a name").to_string_lossy().into_owned();
        let mut content = Vec::new();
        if metadata.is_dir() {
            list(&path, &base, all);
        } else {
            content = fs::read(&path).expect("a file's content");
        }
        // As the original counts them.
        let is_finished = base.starts_with('@') && base.len() >= STAMP;
        let name = if is_finished { format!("@{}", &base[STAMP..]) } else { base };
        let links = if metadata.is_dir() { 1 } else { metadata.nlink() };
        let mode = metadata.mode();
        entries.push(Entry { name, is_finished, mode, links, content });
    }
    all.insert(name.to_owned(), entries);
}

/// What is different, but for what docs/DIFFERENCES.md says.
pub(crate) fn difference(case: &Case, ours: &Seen, theirs: &Seen) -> Option<String> {
    let (ours, theirs) = (without_stamps(case, ours), without_stamps(case, theirs));
    let mut text = String::new();
    for (what, ours, theirs) in [
        ("end", ours.end.as_bytes(), theirs.end.as_bytes()),
        ("standard error", &ours.said, &theirs.said),
        ("what is left in the pipe", &ours.rest, &theirs.rest),
    ] {
        if ours != theirs {
            let _ = writeln!(text, "{what}: '{}', Debian's: '{}'", shown(ours), shown(theirs));
        }
    }
    let names: Vec<&String> = ours.entries.keys().chain(theirs.entries.keys()).collect();
    let nothing = Vec::new();
    let mut last = None;
    for name in names {
        let ours = ours.entries.get(name).unwrap_or(&nothing);
        let theirs = theirs.entries.get(name).unwrap_or(&nothing);
        if !alike(case, name, ours, theirs) && last != Some(name) {
            let _ = writeln!(text, "{name}:\n{}Debian's:\n{}", listed(ours), listed(theirs));
            last = Some(name);
        }
    }
    (!text.is_empty()).then_some(text)
}

fn listed(entries: &[Entry]) -> String {
    let mut text = String::new();
    for Entry { name, mode, links, content, .. } in entries {
        let (length, content) = (content.len(), shown(content));
        let _ = writeln!(text, "    {name} {mode:o} {links} {length} '{content}'");
    }
    text
}

/// Whether a directory looks the same.
fn alike(case: &Case, directory: &str, ours: &[Entry], theirs: &[Entry]) -> bool {
    if ours == theirs {
        return true;
    }
    let split = |all: &[Entry]| all.iter().cloned().partition::<Vec<_>, _>(Entry::is_of_log);
    let ((ours, our_others), (theirs, their_others)) = (split(ours), split(theirs));
    if our_others != their_others {
        return false;
    }
    // 53: files end at other lines. What they hold together is the same; where the oldest were removed, to where they were.
    if !case.files_end_alike() && !case.is_of_the_future(directory) {
        let (ours, theirs) = (joined(&ours), joined(&theirs));
        return ours.ends_with(&theirs) || theirs.ends_with(&ours);
    }
    // 54: ours come after a file of the future, the original's before it, and so others are removed. Their number is the same.
    if case.is_of_the_future(directory) && case.files_end_alike() {
        let current = |all: &[Entry]| all.iter().find(|entry| entry.name == "current").cloned();
        return ours.len() == theirs.len() && current(&ours) == current(&theirs);
    }
    // Both.
    case.is_of_the_future(directory)
}

fn joined(entries: &[Entry]) -> Vec<u8> {
    entries.iter().map(|entry| &entry.content[..]).collect::<Vec<_>>().concat()
}

/// 55: stamps are others in each run, let alone in each program.
fn without_stamps(case: &Case, seen: &Seen) -> Seen {
    let mut seen = seen.clone();
    if case.is_stamped() {
        blank(&mut seen.said);
        for entry in seen.entries.values_mut().flatten() {
            blank(&mut entry.content);
        }
    }
    seen
}

/// Overwrites the digits of each stamp. One may stand within a line: behind what a file that is continued lacks the end of.
fn blank(bytes: &mut [u8]) {
    for at in 0..bytes.len().saturating_sub(STAMP - 1) {
        let stamp = &mut bytes[at..at + STAMP];
        if stamp.starts_with(b"@4") && stamp[1..].iter().all(u8::is_ascii_hexdigit) {
            stamp[1..].fill(b'.');
        }
    }
}
