//! Dovecot as a neighbour, in both directions: our checkers as its passdb and userdb, and a checker made for it under our
//! qmail-popup. Dovecot is Debian's, with a directory and ports of its own, on a root directory of the test's own.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;
use tests::{Child, alone, fresh_root, is_root, skip, wait_for};

const PORT: u16 = 2110;

/// A host with an account and Dovecot's own; joe, who is in the group extra too, has a message.
fn host() {
    fresh_root().expect("a root directory of the test's own");
    let day =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("now").as_secs()
            / 86_400;
    let line = |name: &str, uid: u32| format!("{name}:x:{uid}:{uid}:Test:/home/{name}:/bin/sh\n");
    fs::write(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\n".to_owned()
            + &line("joe", 4001)
            + &line("dovecot", 4100)
            + &line("dovenull", 4101),
    )
    .expect("passwd");
    fs::write(
        "/etc/shadow",
        format!(
            "root:*:{day}::::::\njoe:{SHA512}:{day}::::::\ndovecot:!:1::::::\ndovenull:!:1::::::\n"
        ),
    )
    .expect("shadow");
    fs::write(
        "/etc/group",
        "root:x:0:\njoe:x:4001:\ndovecot:x:4100:\ndovenull:x:4101:\nextra:x:4444:joe\n",
    )
    .expect("group");
    fs::write("/etc/nsswitch.conf", "passwd: files\nshadow: files\ngroup: files\n")
        .expect("nsswitch");
    mailbox(Path::new("/home/joe"), 4001);
}

/// A home with a Maildir and a message in it.
fn mailbox(place: &Path, id: u32) {
    for part in ["new", "cur", "tmp"] {
        fs::create_dir_all(place.join("Maildir").join(part)).expect("a Maildir");
    }
    fs::write(place.join("Maildir/new/1.a"), "Subject: x\n\nhallo\n").expect("a message");
    aged(&place.join("Maildir/new/1.a"));
    let owned = Run::new("chown").args(["-R", &format!("{id}:{id}")]).arg(place).output();
    assert_eq!(owned.code, 0);
}

/// Dovecot with this checker, command and all, for passdb and userdb.
struct Dovecot {
    child: Child,
}

impl Dovecot {
    fn start(checker: &str) -> Dovecot {
        for place in ["/dovecot/run", "/dovecot/state"] {
            fs::create_dir_all(place).expect("a directory");
        }
        let text = format!(
            "base_dir = /dovecot/run\nstate_dir = /dovecot/state\nprotocols = pop3\nlisten = 127.0.0.1\n\
             log_path = /dovecot/log\nssl = no\ndisable_plaintext_auth = no\nauth_mechanisms = plain login apop cram-md5\n\
             auth_verbose = yes\nauth_debug = yes\nauth_failure_delay = 0\nfirst_valid_uid = 1\nmail_location = maildir:~/Maildir\n\
             service pop3-login {{\n  inet_listener pop3 {{\n    port = {PORT}\n  }}\n  inet_listener pop3s {{\n    port = 0\n  }}\n}}\n\
             service auth {{\n  user = root\n}}\n\
             service anvil {{\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
             passdb {{\n  driver = checkpassword\n  args = {checker}\n}}\n\
             userdb {{\n  driver = prefetch\n}}\nuserdb {{\n  driver = checkpassword\n  args = {checker}\n}}\n"
        );
        fs::write("/dovecot/conf", text).expect("its configuration");
        let child = Run::new("/usr/sbin/dovecot").args(["-F", "-c", "/dovecot/conf"]).spawn();
        let dovecot = Dovecot { child };
        let up = wait_for(Duration::from_secs(30), || TcpStream::connect(("127.0.0.1", PORT)).ok());
        assert!(up.is_some(), "{}", dovecot.log());
        dovecot
    }

    fn log(&self) -> String {
        fs::read_to_string("/dovecot/log").unwrap_or_default()
            + &String::from_utf8_lossy(&self.child.stderr())
    }

    /// What it says of a user when mail is to be delivered: AUTHORIZED=1, and no password.
    fn user(&self, name: &str) -> Outcome {
        Run::new("doveadm").args(["-c", "/dovecot/conf", "user", name]).output()
    }
}

/// A connection, and the banner's timestamp.
struct Client {
    stream: BufReader<TcpStream>,
    timestamp: String,
}

impl Client {
    fn connect() -> Client {
        let stream = TcpStream::connect(("127.0.0.1", PORT)).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
        let mut client = Client { stream: BufReader::new(stream), timestamp: String::new() };
        let banner = client.line();
        let start = banner.find('<').unwrap_or(banner.len());
        client.timestamp = banner[start..].to_owned();
        client
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn said(&mut self, command: &str) -> String {
        self.stream.get_mut().write_all(format!("{command}\r\n").as_bytes()).expect("write");
        self.line()
    }

    fn plain(name: &str, password: &str) -> (Client, String) {
        let mut client = Client::connect();
        client.said(&format!("USER {name}"));
        let said = client.said(&format!("PASS {password}"));
        (client, said)
    }
}

macro_rules! as_root_with_dovecot {
    () => {
        if !Path::new("/usr/lib/dovecot/pop3").exists()
            || !Path::new("/usr/lib/dovecot/checkpassword-reply").exists()
        {
            skip!("no Dovecot 2.3 (Debian: dovecot-pop3d)");
        }
        if !is_root() {
            skip!("only root can become other accounts");
        }
        alone!();
    };
}

#[test]
fn our_checkpassword_under_dovecot() {
    as_root_with_dovecot!();
    host();
    let dovecot = Dovecot::start(program("checkpassword").to_str().expect("a path"));
    let (mut client, said) = Client::plain("joe", "secret");
    assert_eq!(said, "+OK Logged in.", "{}", dovecot.log());
    assert_eq!(client.said("STAT"), "+OK 1 21");
    client.said("QUIT");
    for (user, password) in [("joe", "wrong"), ("nobody-here", "secret"), ("dovecot", "secret")] {
        let (_, said) = Client::plain(user, password);
        assert!(said.starts_with("-ERR [AUTH]"), "{user}: {said}");
    }
    let found = dovecot.user("joe");
    let fields: Vec<_> = found.out().split_whitespace().map(str::to_owned).collect();
    for pair in
        [["uid", "4001"], ["gid", "4001"], ["home", "/home/joe"], ["system_groups_user", "joe"]]
    {
        assert!(fields.windows(2).any(|words| words == pair), "{pair:?} in {found:?}");
    }
    let unknown = dovecot.user("nobody-here");
    assert!(unknown.code != 0 && unknown.out().contains("doesn't exist"), "{unknown:?}");
}

#[test]
fn our_vchkpw_under_dovecot_with_apop_and_cram_md5() {
    as_root_with_dovecot!();
    host();
    mailbox(Path::new("/home/virtual"), 4242);
    let vpasswd = |secret: &[&str], user: &str| {
        let run =
            Run::new(program("vpasswd")).args(["-f", "/users", "-m", "sha512crypt"]).args(secret);
        let outcome = run.args(["add", user, "/home/virtual"]).stdin("secret").output();
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    };
    vpasswd(&["-c"], "ann@example.org");
    vpasswd(&[], "bob@example.org");
    let dovecot = Dovecot::start(&format!("/usr/bin/env VPASSWD=/users {}", vchkpw().display()));
    for user in ["ann@example.org", "bob@example.org"] {
        let (mut client, said) = Client::plain(user, "secret");
        assert_eq!(said, "+OK Logged in.", "{}", dovecot.log());
        assert_eq!(client.said("STAT"), "+OK 1 21");
        assert!(Client::plain(user, "wrong").1.starts_with("-ERR [AUTH]"));
    }
    for (user, secret, right) in [
        ("ann", "secret", true),
        ("ann", "wrong", false),
        ("bob", "secret", false),
        ("eve", "secret", false),
    ] {
        let mut client = Client::connect();
        let digest = apop(&client.timestamp, secret);
        let said = client.said(&format!("APOP {user}@example.org {digest}"));
        assert_eq!(said.starts_with("+OK"), right, "APOP {user}: {said}\n{}", dovecot.log());
        let mut client = Client::connect();
        let challenge = client.said("AUTH CRAM-MD5");
        let challenge = challenge.strip_prefix("+ ").expect("a challenge").to_owned();
        let script = format!("printf %s '{challenge}' | base64 -d");
        let digest = cram_md5(&Run::sh(&script).output().out(), secret);
        let answer = Run::sh(&format!("printf %s '{user}@example.org {digest}' | base64 -w0"))
            .output()
            .out();
        let said = client.said(&answer);
        assert_eq!(said.starts_with("+OK"), right, "CRAM-MD5 {user}: {said}\n{}", dovecot.log());
    }
    let found = dovecot.user("bob@example.org").out();
    assert!(found.contains("4242") && found.contains("/home/virtual"), "{found}");
    assert_ne!(dovecot.user("eve@example.org").code, 0);
}

/// AUTHORIZED is Dovecot's word to its own program; before any other it opens nothing.
#[test]
fn no_variable_lets_anybody_in() {
    let scratch = Scratch::new("authorized");
    let users = scratch.join("users");
    private(&users, format!("joe:{SHA512}:4242:4343:{}\n", scratch.path().display()));
    let reply = scratch.script(
        "checkpassword-reply",
        "#!/bin/sh\necho $USER $AUTHORIZED $EXTRA $userdb_uid $userdb_gid\n",
    );
    let tried = |program: &Path, password: &str, authorized: &str| {
        let outcome = checked(login("joe", password), &[&vchkpw(), program], |run| {
            run.env("VPASSWD", &users).env("AUTHORIZED", authorized).env_remove("EXTRA")
        });
        assert_eq!(outcome.err(), "");
        (outcome.code, outcome.out())
    };
    for authorized in ["1", "2"] {
        assert_eq!(tried(Path::new("env"), "wrong", authorized).0, 1);
    }
    let told = |authorized: &str| format!("joe {authorized} userdb_uid userdb_gid 4242 4343\n");
    assert_eq!(tried(&reply, "", "1"), (0, told("2")));
    assert_eq!(tried(&reply, "wrong", "2"), (1, String::new()));
    assert_eq!(tried(&reply, "secret", "2"), (0, told("2")));
    assert_eq!(tried(&reply, "secret", ""), (0, told("").replace("joe  ", "joe ")));
}

/// A checker as Dovecot's documentation asks for: it tells the ids instead of taking them on. What stands behind it takes
/// them on, before the mailbox is opened; where that is left out, qmail-pop3d serves root nothing.
#[test]
fn a_checker_made_for_dovecot_under_our_popup() {
    if !is_root() {
        skip!("only root can become other accounts");
    }
    alone!();
    host();
    let checker = "#!/bin/sh\n\
        words=$(tr '\\0' '\\n' <&3)\nuser=$(echo \"$words\" | sed -n 1p)\npassword=$(echo \"$words\" | sed -n 2p)\n\
        test \"$user\" = joe && test \"$password\" = secret || exit 1\n\
        export USER=joe HOME=/home/joe userdb_uid=4001 userdb_gid=4001 EXTRA='userdb_uid userdb_gid'\n\
        exec \"$@\"\n";
    fs::write("/checker", checker).expect("the checker");
    fs::set_permissions("/checker", Permissions::from_mode(0o755)).expect("chmod");
    let (popup, pop3d) = (program("qmail-popup"), program("qmail-pop3d"));
    let becomes = r#"cd "$HOME" && exec setpriv --reuid "$userdb_uid" --regid "$userdb_gid" --clear-groups "$@""#;
    let session = |password: &str, between: &[&str]| {
        let run =
            Run::new(&popup).args(["host", "/checker"]).args(between).arg(&pop3d).arg("Maildir");
        run.stdin(format!("USER joe\r\nPASS {password}\r\nSTAT\r\nQUIT\r\n")).output().out()
    };
    let between = ["sh", "-c", becomes, "sh"];
    let said = session("secret", &between);
    assert!(said.ends_with("+OK 1 21\r\n+OK\r\n"), "{said}");
    assert!(session("wrong", &between).contains("authorization failed"));
    assert!(!session("secret", &[]).contains("+OK 1 21"));
}
