//! What is in the files of a log.

use std::fs;
use std::path::Path;

/// How long a stamp is, and the blank after it.
const STAMP: usize = 26;

/// All that a log holds, in the order in which it came.
pub(crate) fn logged(dir: &Path) -> Vec<u8> {
    let mut files: Vec<_> = fs::read_dir(dir).expect("a log").flatten().map(|e| e.path()).collect();
    files.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with('@') || name == "current"
    });
    files.sort();
    files.into_iter().flat_map(|path| fs::read(path).expect("a file")).collect()
}

/// The lines of a log without their stamps, which are all there, and in order.
pub(crate) fn without_stamps(log: &[u8]) -> Vec<u8> {
    let mut bare = Vec::new();
    let mut last: &[u8] = b"";
    for line in log.split_inclusive(|byte| *byte == b'\n') {
        let shown = || String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        let (stamp, text) = line.split_at_checked(STAMP).unwrap_or_else(|| panic!("{}", shown()));
        assert!(stamp.starts_with(b"@4") && stamp.ends_with(b" "), "{}", shown());
        assert!(last < stamp, "{} after {}", shown(), String::from_utf8_lossy(last));
        (last, _) = (stamp, bare.extend_from_slice(text));
    }
    bare
}

/// The same for people: where they begin to differ.
pub(crate) fn assert_same(found: &[u8], expected: &[u8], when: &str) {
    if found == expected {
        return;
    }
    let at = found.iter().zip(expected).take_while(|(one, other)| one == other).count();
    let shown = |text: &[u8]| {
        let near = &text[at.saturating_sub(30).min(text.len())..(at + 60).min(text.len())];
        String::from_utf8_lossy(near).into_owned()
    };
    panic!(
        "{when}: {} bytes for {}, and at {at} {:?} for {:?}",
        found.len(),
        expected.len(),
        shown(found),
        shown(expected)
    );
}
