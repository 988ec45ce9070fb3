//! The whole chain with vchkpw in it: each way to log in that qmail-popup can offer.

use super::*;
use std::time::Duration;
use tests::{Child, wait_for};

const SOON: Duration = Duration::from_secs(30);

/// A session of qmail-popup, vchkpw and qmail-pop3d.
struct Session {
    child: Child,
    /// How many of its replies were looked at.
    seen: usize,
}

impl Session {
    fn new(users: &Path, home: &Path) -> Session {
        let chain = Run::new(program("qmail-popup")).arg("host").arg(vchkpw());
        let chain = chain.arg(program("qmail-pop3d")).arg("Maildir").cwd(home);
        let chain = chain.env("VPASSWD", users).env("POP3AUTH", "user plain login apop cram-md5");
        Session { child: chain.spawn(), seen: 0 }
    }

    /// The next line that it says.
    fn reply(&mut self) -> String {
        let seen = self.seen;
        self.seen += 1;
        let line = || {
            let said = self.child.stdout();
            let line =
                said.split_inclusive(|byte| *byte == b'\n').nth(seen)?.strip_suffix(b"\r\n")?;
            Some(String::from_utf8_lossy(line).into_owned())
        };
        wait_for(SOON, line).expect("a reply")
    }

    fn ask(&mut self, line: &str) -> String {
        self.child.write(format!("{line}\r\n").as_bytes());
        self.reply()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    Pass,
    Plain,
    Login,
    Apop,
    CramMd5,
}

const WAYS: [Way; 5] = [Way::Pass, Way::Plain, Way::Login, Way::Apop, Way::CramMd5];

/// What the chain says to a login, once it knows.
fn log_in(mut session: Session, way: Way, user: &str, secret: &str) -> String {
    let banner = session.reply();
    match way {
        Way::Pass => {
            session.ask(&format!("USER {user}"));
            session.ask(&format!("PASS {secret}"))
        }
        Way::Plain => {
            let message = base64(&format!("\0{user}\0{secret}"));
            session.ask(&format!("AUTH PLAIN {message}"))
        }
        Way::Login => {
            session.ask("AUTH LOGIN");
            session.ask(&base64(user));
            session.ask(&base64(secret))
        }
        Way::Apop => {
            let timestamp = &banner[banner.find('<').expect("a timestamp")..];
            session.ask(&format!("APOP {user} {}", apop(timestamp, secret)))
        }
        Way::CramMd5 => {
            let challenge = session.ask("AUTH CRAM-MD5");
            let challenge = challenge.strip_prefix("+ ").expect("a challenge");
            let challenge = Run::new("base64").arg("-d").stdin(challenge).output().out();
            session.ask(&base64(&format!("{user} {}", cram_md5(&challenge, secret))))
        }
    }
}

fn base64(text: &str) -> String {
    Run::new("base64").arg("-w0").stdin(text).output().out()
}

#[test]
fn each_way_to_log_in() {
    let scratch = Scratch::new("ways");
    let place = scratch.dir("home");
    let made = Run::new(program("maildirmake")).arg("Maildir").cwd(&place).output();
    assert_eq!(made.code, 0, "{made:?}");
    let users = scratch.join("users");
    // A digest needs the secret itself, which only ann has given away.
    for (user, keep) in [("ann", &["-c"][..]), ("bob", &[])] {
        let vpasswd = Run::new(program("vpasswd")).arg("-f").arg(&users).args(keep);
        let vpasswd = vpasswd.args(["-m", "sha512crypt", "-u", "4242", "-g", "4343", "add", user]);
        let outcome = vpasswd.arg(&place).stdin("secret").output();
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
    }
    if tests::is_root() {
        assert_eq!(Run::new("chown").args(["-R", "4242:4343"]).arg(&place).output().code, 0);
    }
    // All at once: a refusal takes three seconds.
    std::thread::scope(|scope| {
        for way in WAYS {
            let digest = matches!(way, Way::Apop | Way::CramMd5);
            for (user, secret, right) in
                [("ann", "secret", true), ("bob", "secret", !digest), ("ann", "wrong", false)]
            {
                let session = Session::new(&users, &place);
                scope.spawn(move || {
                    let expected = if right { "+OK" } else { "-ERR authorization failed" };
                    let said = log_in(session, way, user, secret);
                    assert_eq!(said.trim_end(), expected, "{way:?} {user} {secret}");
                });
            }
        }
    });
}
