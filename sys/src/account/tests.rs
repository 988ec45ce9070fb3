//! Look-ups on a made-up host: files in a directory of the test's own, and a made-up getent.

use super::*;
use alloc_crate::ffi::CString;
use std::cell::RefCell;
use std::path::PathBuf;

struct Host {
    directory: PathBuf,
    asked: RefCell<Vec<String>>,
}

impl Host {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let directory =
            std::env::temp_dir().join(format!("daemontools-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).expect("a directory");
        for (file, text) in files {
            std::fs::write(directory.join(file), text).expect("a file");
        }
        Self { directory, asked: RefCell::default() }
    }

    fn with<T>(&self, look_up: impl FnOnce(&Files<'_>) -> T) -> T {
        let path = |file: &str| {
            let path = self.directory.join(file).into_os_string();
            CString::new(path.into_encoded_bytes()).expect("no NUL")
        };
        let [nsswitch, passwd, group, shadow] =
            ["nsswitch.conf", "passwd", "group", "shadow"].map(path);
        look_up(&Files { nsswitch: &nsswitch, passwd: &passwd, group: &group, shadow: &shadow })
    }

    /// A getent that knows `ldap`, and nobody else.
    fn getent(&self, database: &CStr, name: &[u8]) -> Result<Option<Vec<u8>>, Trouble> {
        let name = String::from_utf8_lossy(name);
        let database = database.to_str().expect("ascii");
        self.asked.borrow_mut().push(format!("{database} {name}"));
        Ok(match (database, &*name) {
            ("passwd", "ldap") => Some(b"ldap:*:5000:6000:,:/srv/ldap:/bin/zsh\n".to_vec()),
            ("shadow", "ldap") => Some(b"ldap:$5$x:1:2:3:4:5:6:\n".to_vec()),
            ("initgroups", "ldap" | "alice") => Some(b"x      7000 27\n".to_vec()),
            _ => None,
        })
    }

    fn uid(&self, name: &str) -> Option<u32> {
        let ask = |database: &'static CStr, name: &[u8]| self.getent(database, name);
        let account = self.with(|files| account(files, name.as_bytes(), ask)).expect("an answer");
        account.map(|account| account.uid)
    }

    fn groups(&self, name: &str) -> Vec<u32> {
        let ask = |database: &'static CStr, name: &[u8]| self.getent(database, name);
        self.with(|files| memberships(files, name.as_bytes(), 1000, ask)).expect("an answer")
    }

    fn asked(&self) -> Vec<String> {
        self.asked.take()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\n\
    bad:x:not:a:number::\n\
    alice:x:1000:1000:Alice:/home/alice:/bin/sh\n\
    alice:x:1:1:second:/:/bin/sh\n\
    +nis:x:0:0:::\n\
    42:x:42:42::/:\n\
    last:x:9:9::/home/last:/bin/sh";
const GROUP: &str = "root:x:0:\nsudo:x:27:alice\nadm:x:4:bob,alice\nmine:x:1000:alice\n";

#[test]
fn an_account_in_the_files_costs_no_getent() {
    for (index, line) in ["files", "files systemd", "files sss"].iter().enumerate() {
        let host = Host::new(
            &format!("files{index}"),
            &[("nsswitch.conf", &format!("passwd: {line}\n")), ("passwd", PASSWD)],
        );
        assert_eq!(host.uid("alice"), Some(1000));
        assert_eq!(host.uid("last"), Some(9));
        assert_eq!(host.uid("42"), Some(42));
        assert!(host.asked().is_empty());
    }
}

#[test]
fn what_the_files_lack_is_asked_where_there_is_somebody_to_ask() {
    let files = [("nsswitch.conf", "passwd: files ldap\n"), ("passwd", PASSWD)];
    let host = Host::new("ldap", &files);
    assert_eq!(host.uid("ldap"), Some(5000));
    assert_eq!(host.uid("nosuch"), None);
    assert_eq!(host.asked(), ["passwd ldap", "passwd nosuch"]);

    let host = Host::new("only", &[("nsswitch.conf", "passwd: files\n"), ("passwd", PASSWD)]);
    assert_eq!(host.uid("ldap"), None);
    assert!(host.asked().is_empty());
}

#[test]
fn another_source_first_is_asked_first() {
    let files = [("nsswitch.conf", "passwd: ldap files\n"), ("passwd", PASSWD)];
    let host = Host::new("first", &files);
    assert_eq!(host.uid("alice"), None);
    assert_eq!(host.asked(), ["passwd alice"]);
}

#[test]
fn an_action_can_end_the_search() {
    let list = "passwd: files [NOTFOUND=return] ldap\n";
    let host = Host::new("ends", &[("nsswitch.conf", list), ("passwd", PASSWD)]);
    assert_eq!(host.uid("ldap"), None);
    assert!(host.asked().is_empty());
}

#[test]
fn dangerous_names_are_never_asked_about() {
    let host = Host::new("names", &[("nsswitch.conf", "passwd: files ldap\n"), ("passwd", PASSWD)]);
    for name in ["", "-h", "+nis", "a:b", "root:x", "a\nb", "7", "0"] {
        assert_eq!(host.uid(name), None, "{name:?}");
    }
    assert!(host.asked().is_empty());
}

#[test]
fn without_nsswitch_conf_the_files_count_and_without_them_nobody_exists() {
    let host = Host::new("bare", &[("passwd", PASSWD)]);
    assert_eq!(host.uid("alice"), Some(1000));
    assert_eq!(host.uid("ldap"), None);
    assert_eq!(Host::new("nothing", &[]).uid("root"), None);
}

#[test]
fn the_last_line_for_a_database_counts() {
    let list = "passwd: files\npasswd: ldap\n";
    let host = Host::new("twice", &[("nsswitch.conf", list), ("passwd", PASSWD)]);
    assert_eq!(host.uid("alice"), None);
    assert_eq!(host.asked(), ["passwd alice"]);
}

#[test]
fn an_unreadable_file_is_trouble() {
    let host = Host::new("trouble", &[]);
    std::fs::create_dir(host.directory.join("passwd")).expect("a directory in its place");
    let ask = |database: &'static CStr, name: &[u8]| host.getent(database, name);
    let trouble = Trouble { action: "read /etc/passwd", errno: Errno::ISDIR };
    assert_eq!(host.with(|files| account(files, b"root", ask)), Err(trouble));
}

#[test]
fn a_file_larger_than_the_buffer_is_read_whole() {
    let mut text = String::new();
    for number in 0..2000 {
        text += &format!("user{number}:x:{number}:1:{}:/:/bin/sh\n", "g".repeat(number % 300));
    }
    text += &format!("long:x:77:1:{}:/:/bin/sh\nafter:x:78:1::/:\n", "g".repeat(20_000));
    let host = Host::new("large", &[("passwd", &text)]);
    for (name, uid) in [("user0", 0), ("user1234", 1234), ("user1999", 1999)] {
        assert_eq!(host.uid(name), Some(uid));
    }
    assert_eq!(host.uid("long"), Some(77));
    assert_eq!(host.uid("after"), Some(78));
    assert_eq!(host.uid("user2000"), None);
}

#[test]
fn groups_are_the_primary_one_and_all_memberships() {
    let host = Host::new("groups", &[("nsswitch.conf", "group: files\n"), ("group", GROUP)]);
    assert_eq!(host.groups("alice"), [1000, 27, 4]);
    assert_eq!(host.groups("nobody"), [1000]);
    assert!(host.asked().is_empty());
}

#[test]
fn groups_of_all_sources_count_unless_initgroups_has_a_line() {
    let list = "group: files ldap\n";
    let host = Host::new("allgroups", &[("nsswitch.conf", list), ("group", GROUP)]);
    assert_eq!(host.groups("alice"), [1000, 27, 4, 7000]);
    assert_eq!(host.groups("ldap"), [1000, 7000, 27]);
    assert_eq!(host.asked(), ["initgroups alice", "initgroups ldap"]);

    let list = "initgroups: files ldap\ngroup: ldap\n";
    let host = Host::new("initgroups", &[("nsswitch.conf", list), ("group", GROUP)]);
    assert_eq!(host.groups("alice"), [1000, 27, 4]);
    assert!(host.asked().is_empty());
    assert_eq!(host.groups("ldap"), [1000, 7000, 27]);
}

#[test]
fn shadow_entries_come_from_their_file_or_from_getent() {
    let list = "shadow: files ldap\n";
    let shadow = "alice:$y$1:1:2:3:4:5:6:\nlocked:!:1::::::\nbroken:hash\n";
    let host = Host::new("shadow", &[("nsswitch.conf", list), ("shadow", shadow)]);
    let hash = |name: &[u8]| {
        let ask = |database: &'static CStr, name: &[u8]| host.getent(database, name);
        let entry = host.with(|files| shadow_entry(files, name, ask)).expect("an answer");
        entry.map(|entry| String::from_utf8(entry.hash).expect("ascii"))
    };
    assert_eq!(hash(b"alice").as_deref(), Some("$y$1"));
    assert_eq!(hash(b"locked").as_deref(), Some("!"));
    assert_eq!(hash(b"ldap").as_deref(), Some("$5$x"));
    assert_eq!(hash(b"broken"), None);
    assert_eq!(host.asked(), ["shadow ldap", "shadow broken"]);
}

#[test]
fn this_host_knows_root() {
    let root = by_name(b"root").expect("an answer").expect("root");
    assert_eq!((root.uid, root.gid), (0, 0));
    assert_eq!(by_name(b"nosuchaccount"), Ok(None));
    assert_eq!(groups(b"nosuchaccount", 5), Ok(Vec::from([5])));
}
