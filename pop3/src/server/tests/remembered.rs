//! What a session leaves for the next one: right whatever was done to the Maildir meanwhile, and to the
//! file itself.

use super::*;
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

const FILE: &str = "qmail-pop3d.sizes";
const ALL: &str = "stat\nlist\nuidl";

/// Later than all that happens in a test by more than a file system's clock may go wrong.
fn later() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs() + 3600
}

impl Mailbox {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What a session says at `now`, which leaves what it has found out.
    fn session_at(&self, now: u64, lines: &str) -> String {
        let mut server = self.server_at(now);
        let said = said(&mut server, lines);
        server.remember();
        drop(server);
        self.tick();
        said
    }

    fn session(&self, lines: &str) -> String {
        self.session_at(later(), lines)
    }

    /// What one says that knows nothing.
    fn session_without_memory(&self, lines: &str) -> String {
        let kept = self.path("kept");
        let there = fs::rename(self.path(FILE), &kept).is_ok();
        let said = said(&mut self.server_at(later()), lines);
        if there {
            fs::rename(&kept, self.path(FILE)).unwrap();
        }
        said
    }

    /// Waits until the file system's clock shows another time than that of all that was done.
    fn tick(&self) {
        let stamp = |path: &Path| {
            let metadata = fs::metadata(path).unwrap();
            (metadata.ctime(), metadata.ctime_nsec())
        };
        let before = ["new", "cur"].map(|part| stamp(&self.path(part))).into_iter().max();
        let probe = self.path("tmp/probe");
        loop {
            fs::write(&probe, "").unwrap();
            if Some(stamp(&probe)) > before {
                break;
            }
        }
        fs::remove_file(probe).unwrap();
    }

    /// Writes another text of the same length into a message, and covers it up.
    fn tamper(&self, name: &str, text: &[u8]) {
        let path = self.path(name);
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(metadata.len(), text.len() as u64);
        fs::write(&path, text).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(metadata.modified().unwrap()).unwrap();
    }
}

#[test]
fn a_second_session_reads_no_message() {
    for again in [ALL, "uidl\nstat\nlist"] {
        let mailbox = Mailbox::new(&[b"a\nb\n".to_vec(), b"c\n".to_vec()]);
        assert_eq!(mailbox.session(ALL).lines().next(), Some("+OK 2 9"));
        let metadata = fs::metadata(mailbox.path(FILE)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o7777, 0o600);
        // Nobody who looks at it, but doesn't read it, can see that this message has more lines.
        mailbox.tamper(&name(0), b"\n\n\n\n");
        let mut server = mailbox.server_at(later());
        assert!(said(&mut server, again).contains("+OK 2 9\r\n"));
        assert!(!server.listing.unwrap().read, "not even a directory");
        // Nor after it was moved, and flagged.
        fs::rename(mailbox.path(&name(0)), mailbox.path("cur/0.x:2,RS")).unwrap();
        assert!(mailbox.session(again).contains("+OK 2 9\r\n"));
        assert!(mailbox.session_without_memory(again).contains("+OK 2 11\r\n"));
        assert_eq!(fs::read_dir(mailbox.path("tmp")).unwrap().count(), 0);
    }
}

#[test]
fn what_has_not_changed_is_not_written() {
    let mailbox = Mailbox::new(&[b"a\n".to_vec()]);
    let inode = || fs::metadata(mailbox.path(FILE)).map(|metadata| metadata.ino()).ok();
    mailbox.session("uidl\nretr 1\nnoop");
    assert_eq!(inode(), None, "nothing was found out");
    mailbox.session("stat");
    let first = inode();
    assert!(first.is_some());
    mailbox.session("stat\nlist\nuidl\nretr 1");
    assert_eq!(inode(), first);
    mailbox.deliver("new/1.y", b"b\n", 1_000_001);
    mailbox.session("stat");
    assert_ne!(inode(), first);
    // The last one to go takes it along.
    mailbox.session("dele 1\ndele 2\nquit");
    assert_eq!(inode(), None);
}

#[test]
fn a_message_that_was_too_young_is_found_where_nothing_else_has_changed() {
    let mailbox = Mailbox::new(&[b"a\n".to_vec()]);
    let young = later() + 1000;
    mailbox.deliver("cur/young:2,", b"b\n", young);
    for _ in 0..2 {
        assert_eq!(mailbox.session(ALL).lines().next(), Some("+OK 1 3"));
    }
    assert_eq!(mailbox.session_at(young + 1, ALL).lines().next(), Some("+OK 2 6"));
}

#[test]
fn a_size_that_may_still_change_is_not_remembered() {
    let mailbox = Mailbox::new(&[]);
    mailbox.deliver("cur/x:2,", b"a\nb\n", NOW - 1);
    assert_eq!(mailbox.session_at(NOW, "stat"), "+OK 1 6\r\n");
    mailbox.tamper("cur/x:2,", b"\n\n\n\n");
    assert_eq!(mailbox.session_at(NOW, "stat"), "+OK 1 8\r\n");
}

#[test]
fn a_file_that_is_not_ours_to_believe() {
    let texts = [b"a\nb\n".to_vec(), b"c\n".to_vec()];
    type Deed = fn(&Mailbox, &Path);
    let deeds: [(&str, Deed); 9] = [
        ("empty", |_, file| fs::write(file, "").unwrap()),
        ("garbage", |_, file| fs::write(file, [0xFF; 100_000]).unwrap()),
        ("zeros", |_, file| fs::write(file, [0; 100_000]).unwrap()),
        ("cut", |_, file| {
            let half = fs::metadata(file).unwrap().len() / 2;
            fs::File::options().write(true).open(file).unwrap().set_len(half).unwrap();
        }),
        ("huge", |_, file| {
            fs::File::options().write(true).open(file).unwrap().set_len(1 << 40).unwrap();
        }),
        ("a link", |mailbox, file| {
            fs::rename(file, mailbox.path("elsewhere")).unwrap();
            symlink("elsewhere", file).unwrap();
        }),
        ("a directory", |_, file| {
            fs::remove_file(file).unwrap();
            fs::create_dir(file).unwrap();
        }),
        ("a FIFO", |_, file| {
            fs::remove_file(file).unwrap();
            let path = CString::new(file.as_os_str().as_bytes()).unwrap();
            sys::fs::mkfifoat(sys::fs::CWD, &path, sys::fs::Mode::RWXU).unwrap();
        }),
        ("everybody's", |_, file| {
            fs::set_permissions(file, fs::Permissions::from_mode(0o622)).unwrap();
        }),
    ];
    for (what, deed) in deeds {
        let mailbox = Mailbox::new(&texts);
        mailbox.session(ALL);
        deed(&mailbox, &mailbox.path(FILE));
        let elsewhere = fs::read(mailbox.path("elsewhere")).ok();
        mailbox.tamper(&name(0), b"\n\n\n\n");
        assert_eq!(mailbox.session(ALL).lines().next(), Some("+OK 2 11"), "{what}");
        // It is put right, where that can be; what a link points to is left alone.
        let is_right = fs::symlink_metadata(mailbox.path(FILE)).unwrap().is_file();
        assert_eq!(is_right, what != "a directory", "{what}");
        assert_eq!(fs::read(mailbox.path("elsewhere")).ok(), elsewhere);
        assert_eq!(fs::read_dir(mailbox.path("tmp")).unwrap().count(), 0, "{what}");
    }
}

#[test]
fn what_others_move_is_found_again() {
    let messages = ["a\n", "b\n", "c\n", "d\n"].map(|text| text.as_bytes().to_vec());
    let mailbox = Mailbox::new(&messages);
    let mut server = mailbox.server();
    assert_eq!(said(&mut server, "uidl 4\ndele 2\ndele 4"), "+OK 4 3.x\r\n+OK\r\n+OK\r\n");
    for (from, to) in [("new/0.x", "cur/0.x:2,S"), ("cur/1.x:2,S", "cur/1.x:2,RS")] {
        fs::rename(mailbox.path(from), mailbox.path(to)).unwrap();
    }
    fs::remove_file(mailbox.path("cur/3.x:2,S")).unwrap();
    assert_eq!(said(&mut server, "retr 1\nlist 1"), "+OK message follows\r\na\r\n.\r\n+OK 1 3\r\n");
    assert_eq!(dialogue(&mut server, "quit"), (b"+OK\r\n".to_vec(), Some(End::Quit)));
    let names: Vec<_> = mailbox.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["cur/0.x:2,S", "cur/2.x:2,"]);
}

#[test]
fn another_message_of_the_same_name_is_not_removed() {
    let mailbox = Mailbox::new(&[b"a\n".to_vec(), b"b\n".to_vec()]);
    let mut server = mailbox.server();
    assert_eq!(said(&mut server, "dele 1"), "+OK\r\n");
    fs::remove_file(mailbox.path(&name(0))).unwrap();
    mailbox.deliver("cur/0.x:2,", b"another\n", 1_000_000);
    assert_eq!(dialogue(&mut server, "quit").0, b"+OK\r\n");
    let names: Vec<_> = mailbox.files().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["cur/0.x:2,", "cur/1.x:2,S"]);
}

/// Something that happens to a Maildir between two sessions.
#[derive(Debug, Clone)]
enum Event {
    Deliver(Vec<u8>),
    /// Another text in the same file.
    Rewrite(usize, Vec<u8>),
    /// Another text in a file that takes its place, with the same time.
    Replace(usize, Vec<u8>),
    Flag(usize),
    Delete(usize),
    Copy(usize),
    /// A session that lists all, deletes a message or not, and says QUIT or not.
    Session(Option<usize>, bool),
    /// A byte of the file is another one.
    Damage(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let text = || prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'x')], 0..6);
    prop_oneof![
        text().prop_map(Event::Deliver),
        (any::<usize>(), text()).prop_map(|(nth, text)| Event::Rewrite(nth, text)),
        (any::<usize>(), text()).prop_map(|(nth, text)| Event::Replace(nth, text)),
        any::<usize>().prop_map(Event::Flag),
        any::<usize>().prop_map(Event::Delete),
        any::<usize>().prop_map(Event::Copy),
        (any::<usize>(), any::<bool>()).prop_map(|(nth, quit)| Event::Session(Some(nth), quit)),
        any::<bool>().prop_map(|quit| Event::Session(None, quit)),
        any::<usize>().prop_map(Event::Damage),
    ]
}

impl Mailbox {
    fn some_file(&self, nth: usize) -> Option<String> {
        let files = self.files();
        files.get(nth.checked_rem(files.len())?).map(|(name, _)| name.clone())
    }

    fn suffer(&self, number: usize, event: &Event) {
        match event {
            Event::Deliver(text) => {
                self.deliver(&format!("new/{number}.host"), text, 1_500_000 + number as u64 / 2);
            }
            Event::Rewrite(nth, text) => {
                if let Some(name) = self.some_file(*nth) {
                    fs::write(self.path(&name), text).unwrap();
                }
            }
            Event::Replace(nth, text) => {
                if let Some(name) = self.some_file(*nth) {
                    let time = fs::metadata(self.path(&name)).unwrap().modified().unwrap();
                    let other = self.path("tmp/other");
                    fs::write(&other, text).unwrap();
                    let file = fs::File::options().append(true).open(&other).unwrap();
                    file.set_modified(time).unwrap();
                    fs::rename(other, self.path(&name)).unwrap();
                }
            }
            Event::Flag(nth) => {
                if let Some(name) = self.some_file(*nth) {
                    let unique = name.split([':', '/']).nth(1).unwrap();
                    let flags = if name.ends_with('S') { "" } else { "S" };
                    fs::rename(self.path(&name), self.path(&format!("cur/{unique}:2,{flags}")))
                        .unwrap();
                }
            }
            Event::Delete(nth) => {
                if let Some(name) = self.some_file(*nth) {
                    fs::remove_file(self.path(&name)).unwrap();
                }
            }
            Event::Copy(nth) => {
                if let Some(name) = self.some_file(*nth) {
                    let unique = name.split([':', '/']).nth(1).unwrap();
                    let text = fs::read(self.path(&name)).unwrap();
                    self.deliver(&format!("cur/{unique}:2,R"), &text, 1_400_000 + number as u64);
                }
            }
            Event::Session(deleted, quit) => {
                let mut lines = ALL.to_string();
                if let Some(deleted) = deleted {
                    lines.push_str(&format!("\ndele {}", deleted % 5 + 1));
                }
                lines.push_str(if *quit { "\nquit" } else { "\nnoop" });
                self.session(&lines);
            }
            Event::Damage(at) => {
                if let Ok(mut bytes) = fs::read(self.path(FILE)) {
                    let at = at % bytes.len();
                    bytes[at] ^= 0x10;
                    fs::write(self.path(FILE), bytes).unwrap();
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn who_remembers_says_what_who_does_not_says(
        events in prop::collection::vec(event(), 1..25),
    ) {
        let mailbox = Mailbox::new(&[b"a\nb".to_vec(), b"c\r\n".to_vec(), b"\n\n".to_vec()]);
        mailbox.tick();
        for (number, event) in events.iter().enumerate() {
            mailbox.suffer(number, event);
            mailbox.tick();
            let expected = mailbox.session_without_memory(ALL);
            let files: BTreeMap<_, _> = mailbox.files().into_iter().collect();
            prop_assert_eq!(mailbox.session(ALL), expected, "after {:?}", event);
            let now: BTreeMap<_, _> = mailbox.files().into_iter().collect();
            prop_assert_eq!(now, files, "without QUIT nothing changes");
        }
    }
}
