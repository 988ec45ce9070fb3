//! tcpserver-cert, from the outside.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tests::{Outcome, Run, Scratch, program, skip};

const PATIENCE: Duration = Duration::from_secs(20);

/// Makes what these arguments ask for, in the scratch directory.
fn make_certificate(scratch: &Scratch, arguments: &[&str]) -> Outcome {
    let made = Run::new(program("tcpserver-cert")).args(arguments).cwd(scratch.path()).output();
    assert_eq!((made.code, made.err()), (0, String::new()));
    made
}

#[test]
fn certificates_never_replace_a_file_unless_told_to() {
    let scratch = Scratch::new("cert-force");
    let made =
        make_certificate(&scratch, &["--host", "localhost", "--host", "127.0.0.1", "--days", "3"]);
    assert_eq!(
        made.out(),
        "cert.pem: private key and self-signed certificate for localhost, 127.0.0.1, good for 3 days\n"
    );
    let path = scratch.join("cert.pem");
    let before = fs::read(&path).unwrap();
    assert!(before.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o400);
    let again =
        Run::new(program("tcpserver-cert")).args(["--host", "x"]).cwd(scratch.path()).output();
    assert_eq!(again.code, 100);
    assert_eq!(
        again.err(),
        "tcpserver-cert: fatal: unable to create cert.pem: file already exists (--force replaces it)\n"
    );
    assert_eq!(fs::read(&path).unwrap(), before);
    make_certificate(&scratch, &["--host", "localhost", "--force"]);
    assert_ne!(fs::read(&path).unwrap(), before);
    // Nothing else is left behind.
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1);
}

#[test]
fn a_request_keeps_the_key() {
    let scratch = Scratch::new("cert-request");
    make_certificate(&scratch, &["--request", "--host", "mail.example.org", "--country", "de"]);
    let key = fs::read(scratch.join("cert.pem")).unwrap();
    assert!(key.starts_with(b"-----BEGIN PRIVATE KEY-----\n"));
    assert_eq!(key.windows(5).filter(|part| part == b"BEGIN").count(), 1);
    make_certificate(
        &scratch,
        &["--request", "--force", "--host", "mail.example.org", "--key", "cert.pem"],
    );
    assert_eq!(fs::read(scratch.join("cert.pem")).unwrap(), key);
    let openssl = "/usr/bin/openssl";
    if !Path::new(openssl).exists() {
        skip!("no openssl to look at the request with");
    }
    let seen = Run::new(openssl)
        .args(["req", "-in", "cert-req.pem", "-noout", "-verify", "-text"])
        .cwd(scratch.path())
        .output();
    assert_eq!(seen.code, 0, "{}", seen.err());
    assert!(seen.out().contains("DNS:mail.example.org"), "{}", seen.out());
}

#[test]
fn nobody_to_ask_is_an_error() {
    let scratch = Scratch::new("cert-nobody");
    let outcome = Run::new(program("tcpserver-cert")).cwd(scratch.path()).output();
    assert_eq!(outcome.code, 100);
    assert_eq!(
        outcome.err(),
        "tcpserver-cert: fatal: no --host given, and nobody to ask: standard input is no terminal\n"
    );
}

#[test]
fn at_a_terminal_the_usual_questions_are_asked() {
    let script = "/usr/bin/script";
    if !Path::new(script).exists() {
        skip!("no script(1) to make a terminal");
    }
    let scratch = Scratch::new("cert-terminal");
    let mut child = Run::new(script)
        .arg("-qec")
        .arg(program("tcpserver-cert"))
        .arg("/dev/null")
        .cwd(scratch.path())
        .spawn();
    for (question, answer) in [
        ("Country (two letters) [none]: ", "de"),
        ("State or province [none]: ", ""),
        ("City [none]: ", "Berlin"),
        ("Organization [none]: ", "Example"),
        ("Unit [none]: ", ""),
        ("Host name, as clients know it [", "mail.example.org"),
        ("Further names and addresses [none]: ", "192.0.2.1"),
        ("E-mail address [none]: ", ""),
        ("Good for so many days [365]: ", "10"),
    ] {
        child.expect(question);
        child.write(format!("{answer}\n").as_bytes());
    }
    let outcome = child.wait(PATIENCE);
    assert_eq!(outcome.code, 0, "{}", outcome.out());
    assert!(
        outcome
            .out()
            .contains("self-signed certificate for mail.example.org, 192.0.2.1, good for 10 days"),
        "{}",
        outcome.out()
    );
}
