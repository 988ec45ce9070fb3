//! What is on disk before what: seen by the order of the system calls.

use std::io::Write;

use nix::libc;
use tests::{Scratch, program};

use crate::calls::fed;
use crate::logged::logged;
use crate::traced::{End, calls, killed_before};

/// What came before what.
#[derive(Debug, Default, PartialEq, Eq)]
struct Order {
    /// How often more was read while not all that was written was on disk.
    reads_too_early: usize,
    /// How often a file was written to while not all names were on disk.
    writes_too_early: usize,
    rotations: usize,
    /// Calls that only a journal, or `d`, needs.
    unusual: usize,
}

/// Runs multilog over lines that fill some files.
fn order(settings: &[&str]) -> Order {
    let scratch = Scratch::new("multilog-durable");
    let (reader, writing) = fed();
    let args = [settings, &["s4096", "./d"]].concat();
    let made = calls(&program("multilog"), &args, scratch.path(), &reader);
    writing.join().expect("written");
    let mut order = Order::default();
    let (mut content_is_new, mut names_are_new) = (false, false);
    // What came before the log is locked, a dynamic linker may have done.
    for call in made.into_iter().skip_while(|call| *call != libc::SYS_flock) {
        match call {
            libc::SYS_read | libc::SYS_splice => {
                order.reads_too_early += usize::from(content_is_new);
            }
            libc::SYS_write => {
                order.writes_too_early += usize::from(names_are_new);
                content_is_new = true;
            }
            libc::SYS_fdatasync => content_is_new = false,
            libc::SYS_fsync => (content_is_new, names_are_new) = (false, false),
            libc::SYS_rename | libc::SYS_renameat | libc::SYS_renameat2 => {
                order.rotations += 1;
                names_are_new = true;
            }
            libc::SYS_linkat | libc::SYS_link | libc::SYS_unlinkat | libc::SYS_unlink => {
                names_are_new = true;
            }
            _ => {}
        }
        let unusual =
            [libc::SYS_splice, libc::SYS_pread64, libc::SYS_pwrite64, libc::SYS_ftruncate];
        order.unusual += usize::from(unusual.contains(&call) || call == libc::SYS_fdatasync);
    }
    assert!(order.rotations >= 4, "{order:?}");
    order
}

#[test]
fn d_is_for_content_and_capital_d_for_names_as_well() {
    let plain = order(&[]);
    assert!(
        plain.reads_too_early > 0 && plain.writes_too_early > 0 && plain.unusual == 0,
        "{plain:?}"
    );
    let content = order(&["d"]);
    assert!(content.reads_too_early == 0 && content.writes_too_early > 0, "{content:?}");
    let names = order(&["D"]);
    assert!(names.reads_too_early == 0 && names.writes_too_early == 0, "{names:?}");
    let journal = order(&["j", "D"]);
    assert!(journal.reads_too_early == 0 && journal.writes_too_early == 0, "{journal:?}");
}

/// The predecessor was killed when it had written a batch, and before that was on disk.
#[test]
fn what_a_predecessor_has_written_is_on_disk_before_more_is_read() {
    let scratch = Scratch::new("multilog-durable-killed");
    let script = ["d", "./d"];
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(b"one\n").expect("written");
    drop(writer);
    let made = calls(&program("multilog"), &script, &scratch.dir("other"), &reader);
    let nth = made.iter().position(|call| *call == libc::SYS_fdatasync).expect("a batch") + 1;
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer.write_all(b"one\n").expect("written");
    drop(writer);
    let dir = scratch.dir("place");
    let first = killed_before(nth as u64, &program("multilog"), &script, &dir, &reader);
    assert_eq!((first, &*logged(&dir.join("d"))), (End::Killed, &b"one\n"[..]));
    let made = calls(&program("multilog"), &script, &dir, &reader);
    let place = |wanted: &[i64]| made.iter().position(|call| wanted.contains(call));
    let (synced, named) = (place(&[libc::SYS_fsync]), place(&[libc::SYS_link, libc::SYS_linkat]));
    assert!(synced.is_some() && named.is_some() && synced < named, "{synced:?} {named:?}");
}
