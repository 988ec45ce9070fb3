//! Whole sessions over a Maildir on disk, without a network.

use super::*;
use crate::line::Lines;
use proptest::prelude::*;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::string::String;
use std::string::ToString;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};
use std::{env, format, fs, process, vec};

mod remembered;

/// Long after all messages came, and long before they are on disk.
const NOW: u64 = 2_000_000;

struct Sent(Vec<u8>);

impl Wire for Sent {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// A Maildir in the system's temporary directory.
struct Mailbox(PathBuf);

impl Mailbox {
    /// With these messages, the first the oldest; those of even number are new.
    fn new(messages: &[Vec<u8>]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mailbox = Self(env::temp_dir().join(format!("pop3-server.{}.{number}", process::id())));
        for place in ["tmp", "new", "cur"] {
            fs::create_dir_all(mailbox.0.join(place)).unwrap();
        }
        for (nth, message) in messages.iter().enumerate() {
            mailbox.deliver(&name(nth), message, 1_000_000 + nth as u64);
        }
        mailbox
    }

    fn deliver(&self, name: &str, message: &[u8], modified: u64) {
        let path = self.0.join(name);
        fs::write(&path, message).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
        fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
    }

    fn server(&self) -> Server<Sent> {
        self.server_at(NOW)
    }

    fn server_at(&self, now: u64) -> Server<Sent> {
        let path = CString::new(self.0.as_os_str().as_bytes()).unwrap();
        let maildir = Maildir::open(&path).unwrap();
        Server::new(maildir, now, Output::new(Sent(Vec::new())))
    }

    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        for place in ["new", "cur"] {
            for entry in fs::read_dir(self.0.join(place)).unwrap() {
                let path = entry.unwrap().path();
                let content = fs::read(&path).unwrap();
                files.push((relative(&path, &self.0), content));
            }
        }
        files.sort();
        files
    }
}

fn relative(path: &Path, to: &Path) -> String {
    path.strip_prefix(to).unwrap().to_str().unwrap().into()
}

fn name(nth: usize) -> String {
    if nth.is_multiple_of(2) { format!("new/{nth}.x") } else { format!("cur/{nth}.x:2,S") }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The replies to `lines`, and how it ended.
fn dialogue(server: &mut Server<Sent>, lines: &str) -> (Vec<u8>, Option<End>) {
    let mut end = None;
    for line in lines.lines() {
        if let Err(over) = server.answer(Line::Whole(line.as_bytes())) {
            end = Some(over);
            break;
        }
    }
    server.output().flush().unwrap();
    (core::mem::take(&mut server.output().wire().0), end)
}

fn said(server: &mut Server<Sent>, lines: &str) -> String {
    String::from_utf8(dialogue(server, lines).0).unwrap()
}

#[test]
fn a_golden_transcript() {
    let one = b"Subject: one\n\n.dot\nlast".to_vec();
    let two = b"Subject: two\r\n\r\nbody\r\n.\r\n".to_vec();
    let mailbox = Mailbox::new(&[one, two, Vec::new()]);
    let mut server = mailbox.server();
    assert_eq!(
        said(&mut server, "stat\nlist\nlist 2\nuidl\nuidl 2\nretr 1\ntop 2 0\ntop 2 1\nretr 3"),
        "+OK 3 53\r\n\
         +OK\r\n1 28\r\n2 25\r\n3 0\r\n.\r\n\
         +OK 2 25\r\n\
         +OK\r\n1 0.x\r\n2 1.x\r\n3 2.x\r\n.\r\n\
         +OK 2 1.x\r\n\
         +OK message follows\r\nSubject: one\r\n\r\n..dot\r\nlast\r\n.\r\n\
         +OK message follows\r\nSubject: two\r\n\r\n.\r\n\
         +OK message follows\r\nSubject: two\r\n\r\nbody\r\n.\r\n\
         +OK message follows\r\n.\r\n"
    );
    assert_eq!(
        said(&mut server, "dele 2\nstat\nlist\nuidl\nretr 2\nlast\nrset\nstat\ndele 1"),
        "+OK\r\n\
         +OK 2 28\r\n\
         +OK\r\n1 28\r\n3 0\r\n.\r\n\
         +OK\r\n1 0.x\r\n3 2.x\r\n.\r\n\
         -ERR that message is deleted\r\n\
         +OK 2\r\n\
         +OK\r\n\
         +OK 3 53\r\n\
         +OK\r\n"
    );
    assert_eq!(dialogue(&mut server, "quit\n"), (b"+OK\r\n".to_vec(), Some(End::Quit)));
    let names: Vec<_> = mailbox.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["cur/1.x:2,S", "cur/2.x:2,"]);
}

#[test]
fn a_message_that_vanishes_costs_an_error_for_itself() {
    let mailbox = Mailbox::new(&[b"a\n".to_vec(), b"b\n".to_vec(), b"c\n".to_vec()]);
    let mut server = mailbox.server();
    assert_eq!(said(&mut server, "last\nuidl 3"), "+OK 0\r\n+OK 3 2.x\r\n");
    fs::remove_file(mailbox.0.join(name(1))).unwrap();
    assert_eq!(
        said(&mut server, "retr 2\ntop 2 1\nretr 3\nlist\nuidl 2\ndele 2"),
        "-ERR unable to read that message: file does not exist\r\n\
         -ERR unable to read that message: file does not exist\r\n\
         +OK message follows\r\nc\r\n.\r\n\
         +OK\r\n1 3\r\n2 2\r\n3 3\r\n.\r\n\
         +OK 2 1.x\r\n\
         +OK\r\n"
    );
    // What is gone isn't left.
    assert_eq!(dialogue(&mut server, "quit").0, b"+OK\r\n");
}

#[test]
fn a_message_that_became_something_else() {
    let mailbox = Mailbox::new(&[b"a\n".to_vec(), b"b\n".to_vec(), b"c\n".to_vec()]);
    let mut server = mailbox.server();
    assert_eq!(said(&mut server, "uidl 3"), "+OK 3 2.x\r\n");
    for nth in 0..3 {
        fs::remove_file(mailbox.0.join(name(nth))).unwrap();
    }
    std::os::unix::fs::symlink("/etc/passwd", mailbox.0.join(name(0))).unwrap();
    fs::create_dir(mailbox.0.join(name(1))).unwrap();
    let fifo = CString::new(mailbox.0.join(name(2)).as_os_str().as_bytes()).unwrap();
    sys::fs::mkfifoat(sys::fs::CWD, &fifo, sys::fs::Mode::RUSR).unwrap();
    let refused = "-ERR unable to read that message: ";
    for reply in said(&mut server, "retr 1\nretr 2\nretr 3").lines() {
        assert!(reply.starts_with(refused), "{reply}");
    }
    assert_eq!(said(&mut server, "stat"), "+OK 3 6\r\n");
    drop(server);
    // In the next session, none of them is a message.
    assert_eq!(said(&mut mailbox.server(), "stat"), "+OK 0 0\r\n");
}

#[test]
fn a_file_that_shrinks_while_it_is_sent_is_no_complete_message() {
    let mailbox = Mailbox::new(&[vec![b'x'; 3 * message::PIECE]]);
    let path = mailbox.0.join(name(0));
    let mut opened = Message::open(
        mailbox.server().maildir.directory(Place::New),
        &CString::new("0.x").unwrap(),
    )
    .unwrap();
    let mut buffer = Vec::new();
    assert_eq!(opened.read(&mut buffer).map(<[u8]>::len), Ok(message::PIECE));
    let shrunk = message::PIECE as u64 + 9;
    fs::File::options().write(true).open(&path).unwrap().set_len(shrunk).unwrap();
    assert_eq!(opened.read(&mut buffer).map(<[u8]>::len), Err(Errno::IO));
}

#[test]
fn what_is_in_cur_is_never_replaced() {
    let mailbox = Mailbox::new(&[b"a\n".to_vec()]);
    mailbox.deliver("cur/0.x:2,", b"other\n", 5);
    let mut server = mailbox.server();
    assert_eq!(dialogue(&mut server, "quit").1, Some(End::Quit));
    let expected = [("cur/0.x:2,", &b"other\n"[..]), ("new/0.x", b"a\n")];
    assert_eq!(mailbox.files(), expected.map(|(name, text)| (name.into(), text.to_vec())));
}

#[test]
fn all_that_is_new_is_moved_however_much_it_is() {
    let messages = vec![b"x\n".to_vec(); 2 * (BEFORE_REPLY + 50)];
    let mailbox = Mailbox::new(&messages);
    let mut server = mailbox.server();
    assert_eq!(dialogue(&mut server, "dele 1\nquit").1, Some(End::Quit));
    let files = mailbox.files();
    assert_eq!(files.len(), messages.len() - 1);
    assert!(files.iter().all(|(name, _)| name.starts_with("cur/")));
}

#[test]
fn hidden_until_it_is_older_than_now() {
    let mailbox = Mailbox::new(&[]);
    mailbox.deliver("new/future", b"x\n", 2_000_001);
    mailbox.deliver("new/now", b"x\n", 2_000_000);
    mailbox.deliver("new/.dot", b"x\n", 1);
    mailbox.deliver("cur/past:2,", b"x\n", 1_999_999);
    assert_eq!(said(&mut mailbox.server(), "uidl"), "+OK\r\n1 past\r\n.\r\n");
}

/// The message in a reply, dots taken off, and what follows it.
fn message_in(mut reply: &[u8]) -> (Vec<u8>, &[u8]) {
    reply = reply.strip_prefix(b"+OK message follows\r\n").expect("+OK");
    let mut message = Vec::new();
    loop {
        let end = reply.windows(2).position(|two| two == b"\r\n").expect("a line end") + 2;
        let (line, rest) = reply.split_at(end);
        reply = rest;
        if line == b".\r\n" {
            return (message, reply);
        }
        message.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
    }
}

fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let byte = prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'.'), Just(b'x'), any::<u8>()];
    prop::collection::vec(prop::collection::vec(byte, 0..200), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sizes_are_what_is_sent_and_quit_removes_what_was_deleted(
        messages in messages(),
        deleted in prop::collection::btree_set(0_usize..8, 0..4),
        pieces in prop::collection::vec(1_usize..40, 1..4),
    ) {
        let mailbox = Mailbox::new(&messages);
        let mut server = mailbox.server();
        let mut total = 0;
        for number in 1..=messages.len() {
            let list = said(&mut server, &format!("list {number}"));
            let size: usize = list.trim_end().rsplit(' ').next().unwrap().parse().unwrap();
            let reply = dialogue(&mut server, &format!("retr {number}")).0;
            let (message, rest) = message_in(&reply);
            prop_assert_eq!(rest, b"");
            prop_assert_eq!(message.len(), size);
            let whole = dialogue(&mut server, &format!("top {number} {}", u64::MAX)).0;
            prop_assert_eq!(whole, reply);
            total += size;
        }
        prop_assert_eq!(said(&mut server, "stat"), format!("+OK {} {total}\r\n", messages.len()));

        // The rest of the dialogue comes in pieces.
        let mut input: String = deleted.iter().map(|m| format!("DELE {}\r\n", m + 1)).collect();
        input.push_str("QUIT\r\n");
        let (mut lines, mut rest, mut end) = (Lines::default(), input.as_bytes(), None);
        for piece in pieces.iter().cycle() {
            let (now, later) = rest.split_at((*piece).min(rest.len()));
            lines.space()[..now.len()].copy_from_slice(now);
            lines.filled(now.len());
            rest = later;
            while let Some(line) = lines.next() {
                end = server.answer(line).err();
            }
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(end, Some(End::Quit));
        let mut expected: Vec<_> = (0..messages.len())
            .filter(|message| !deleted.contains(message))
            .map(|message| (name(message), messages[message].clone()))
            .map(|(name, content)| match name.strip_prefix("new/") {
                Some(name) => (format!("cur/{name}:2,"), content),
                None => (name, content),
            })
            .collect();
        expected.sort();
        prop_assert_eq!(mailbox.files(), expected);
    }
}
