//! Files left behind, as text.

use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use super::variable::printable;

/// What our supervise keeps besides the original's four files: cases that show them say so.
const BESIDES: [&str; 3] = ["supervise/process", "supervise/detail", "supervise/logpipe"];

/// Beyond that a file is told by its size and a digest.
const SHORT: usize = 4096;

/// All that is in a directory, sorted, one line each: mode, kind, name; then what a link points to and what a file holds.
///
/// # Errors
/// What can't be read, which doesn't happen to root.
pub(super) fn listing(top: &Path) -> io::Result<String> {
    let mut text = String::new();
    list(top, "", fs::metadata(top)?.uid(), &mut text)?;
    Ok(text)
}

fn list(directory: &Path, before: &str, owner: u32, text: &mut String) -> io::Result<()> {
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (path, found) = (entry.path(), fs::symlink_metadata(entry.path())?);
        let name = format!("{before}{}", printable(entry.file_name().as_encoded_bytes()));
        if BESIDES.iter().any(|ours| name.ends_with(ours)) {
            continue;
        }
        let kind = found.file_type();
        let _ = write!(text, "{:04o} ", found.mode() & 0o7777);
        if found.uid() != owner {
            let _ = write!(text, "of {}:{} ", found.uid(), found.gid());
        }
        if kind.is_dir() {
            let _ = writeln!(text, "directory {name}");
            list(&path, &format!("{name}/"), owner, text)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(&path)?;
            let _ = writeln!(
                text,
                "link {name} to {}",
                printable(target.as_os_str().as_encoded_bytes())
            );
        } else if kind.is_file() {
            let _ = writeln!(text, "file {name}");
            text.push_str(&content(&name, &path));
        } else {
            let what = if kind.is_fifo() { "FIFO" } else { "special file" };
            let _ = writeln!(text, "{what} {name}");
        }
    }
    Ok(())
}

fn content(name: &str, path: &Path) -> String {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return format!("      unable to read: {}\n", error.kind()),
    };
    let text = if name.ends_with("/status") && bytes.starts_with(b"@\0\0\0") {
        status(&bytes)
    } else if bytes.len() > SHORT {
        let mut digest = DefaultHasher::new();
        bytes.hash(&mut digest);
        format!("{} bytes of digest {:x}", bytes.len(), digest.finish())
    } else {
        printable(&bytes)
    };
    let unfinished = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let lines = text.split_inclusive('\n').map(|line| format!("      {line}"));
    lines.collect::<String>() + unfinished
}

/// A status without its time: the 18 bytes that 0.76 knows of it.
fn status(bytes: &[u8]) -> String {
    let Some(first) = bytes.first_chunk::<18>() else {
        return format!("{} bytes of a status", bytes.len());
    };
    let up = if first[12..16] == [0; 4] { "down" } else { "up" };
    format!("{up}, paused {}, wanted {}", first[16], printable(&first[17..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch::Scratch;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_listing_shows_names_modes_and_contents() {
        let scratch = Scratch::new("listing");
        scratch.script("d/run", "a\nb");
        scratch.file("d/supervise/status", b"@\0\0\0        \x01\0\0\0\0u..\n");
        scratch.file("d/supervise/process", "");
        symlink("x", scratch.join("l")).expect("a link");
        let expected = "0755 directory d\n0755 file d/run\n      a\n      b\n0755 directory d/supervise\n\
                        0644 file d/supervise/status\n      up, paused 0, wanted u\n0777 link l to x\n";
        assert_eq!(listing(scratch.path()).expect("a listing"), expected);
    }
}
