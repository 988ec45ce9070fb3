//! Who a server has to be, and what is said of one that isn't.

use std::fs;
use std::path::Path;

use tests::{Outcome, Run, program, skip};

use crate::authority::Authority;
use crate::{Server, tcpclient};

/// What comes of it with these options. The program says what the server does.
fn tried(authority: &Authority, server: &Server, options: &[&str]) -> Outcome {
    tcpclient(authority.path(), server.port, options, "cat <&6; touch started; exit 7").output()
}

/// That it is refused for this reason, and the program not run.
fn refused(authority: &Authority, server: &Server, options: &[&str], name: &str, reason: &str) {
    let outcome = tried(authority, server, options);
    let line = format!("tlsclient: fatal: unable to start TLS with {name}: {reason}\n");
    assert_eq!((outcome.code, outcome.err(), outcome.out()), (111, line, String::new()));
    assert!(!authority.scratch().join("started").exists());
}

const NOT_ACCEPTED: &str = "peer's certificate is not accepted:";

#[test]
fn the_name_that_was_asked_for() {
    let Some(authority) = Authority::new("tlsclient-names") else { return };
    let server = Server::start(&authority, &["-n", "host.pem"], "echo hello");
    for name in
        [None, Some("host.test"), Some("HOST.test"), Some("a.wild.test"), Some("host.test.")]
            .into_iter()
            .chain(["127.0.0.1", "::1", "[::1]"].map(Some))
    {
        let option = name.map(|name| format!("--tls-name={name}"));
        let options: Vec<&str> = option.iter().map(String::as_str).collect();
        let outcome = tried(&authority, &server, &options);
        assert_eq!((outcome.code, outcome.err()), (7, String::new()), "{name:?}");
        assert_eq!(outcome.out(), "hello\n");
    }
    fs::remove_file(authority.scratch().join("started")).unwrap();
    for name in ["other.test", "a.b.wild.test", "wild.test", "test", "127.0.0.2", "::2"] {
        let reason = format!(
            "{NOT_ACCEPTED} not valid for {name} (it is for host.test, *.wild.test, 127.0.0.1, ::1)"
        );
        refused(&authority, &server, &["--tls-name", name], name, &reason);
    }
}

#[test]
fn certificates_that_are_no_good() {
    let Some(authority) = Authority::new("tlsclient-bad") else { return };
    let name = "subjectAltName=IP:127.0.0.1";
    authority.issue("old", name, "-startdate 20200101000000Z -enddate 20200201000000Z");
    authority.issue("early", name, "-startdate 20900101000000Z -enddate 20910101000000Z");
    authority.self_signed("root", name);
    authority.issue("nobody", "subjectAltName=email:a@b.test", "");
    let other = Authority::new("tlsclient-bad-other").expect("as the first one");
    fs::copy(other.scratch().join("host.pem"), authority.scratch().join("other.pem")).unwrap();
    for (certificate, options, reason) in [
        ("old.pem", &[][..], "expired"),
        ("early.pem", &[], "not valid yet"),
        // Its authority has the name of ours, and another key.
        ("other.pem", &[], "bad signature"),
        ("host.pem", &["--tls-ca", "root.crt"], "unknown issuer"),
        ("root.pem", &["--tls-ca", "root.crt"], "an authority's (CA:TRUE), no server's"),
    ] {
        let server = Server::start(&authority, &["-n", certificate], "echo hello");
        refused(&authority, &server, options, "127.0.0.1", &format!("{NOT_ACCEPTED} {reason}"));
    }
    // No name that counts: the subject's doesn't.
    let server = Server::start(&authority, &["-n", "nobody.pem"], "echo hello");
    let outcome = tried(&authority, &server, &["--tls-name=nobody"]);
    assert!(outcome.err().contains("not valid for nobody (it is for "), "{}", outcome.err());
    assert_eq!(outcome.code, 111);
}

#[test]
fn a_certificate_that_vouches_for_itself() {
    let Some(authority) = Authority::new("tlsclient-self") else { return };
    let arguments = ["--host", "self.test", "self.pem"];
    let made = Run::new(program("tcpserver-cert")).args(arguments).cwd(authority.path()).output();
    assert_eq!((made.code, made.err()), (0, String::new()));
    let server = Server::start(&authority, &["-n", "self.pem"], "echo hello");
    let options = ["--tls-name=self.test", "--tls-ca=self.pem"];
    assert_eq!(tried(&authority, &server, &options).code, 7, "it was named");
    fs::remove_file(authority.scratch().join("started")).unwrap();
    let reason = format!("{NOT_ACCEPTED} unknown issuer");
    refused(&authority, &server, &options[..1], "self.test", &reason);
}

#[test]
fn a_certificate_that_was_revoked() {
    let Some(authority) = Authority::new("tlsclient-revoked") else { return };
    authority.issue("bad", "subjectAltName=IP:127.0.0.1", "");
    authority.openssl("ca -config ca.cnf -revoke bad.crt");
    authority.openssl("ca -config ca.cnf -gencrl -out crl.pem");
    let bad = Server::start(&authority, &["-n", "bad.pem"], "echo hello");
    refused(
        &authority,
        &bad,
        &["--tls-crl=crl.pem"],
        "127.0.0.1",
        &format!("{NOT_ACCEPTED} revoked"),
    );
    assert_eq!(tried(&authority, &bad, &[]).code, 7, "without the list, nobody knows");
    let good = Server::start(&authority, &["-n", "host.pem"], "echo hello");
    assert_eq!(tried(&authority, &good, &["--tls-crl=crl.pem"]).code, 7);
    let outcome = tried(&authority, &good, &["--tls-crl=ca.pem"]);
    let line = "tlsclient: fatal: unable to use ca.pem: no revocation list in it\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, line));
}

#[test]
fn the_authorities_of_the_host_and_those_of_the_environment() {
    let Some(authority) = Authority::new("tlsclient-host") else { return };
    let bundle = "/etc/ssl/certs/ca-certificates.crt";
    if !Path::new(bundle).exists() {
        skip!("no ca-certificates");
    }
    let server = Server::start(&authority, &["-n", "host.pem"], "echo hello");
    let run = || tcpclient(authority.path(), server.port, &[], "cat <&6");
    // All of Debian's, in 5,000,000 bytes; ours isn't among them.
    let outcome = run().env_remove("CAFILE").output();
    assert!(outcome.err().ends_with("unknown issuer\n"), "{}", outcome.err());
    assert_eq!(outcome.code, 111);
    // And now it is, behind all the others.
    let read = |file: &Path| fs::read_to_string(file).unwrap();
    let all = read(Path::new(bundle)) + &read(&authority.scratch().join("ca.pem"));
    authority.scratch().file("all.pem", all);
    for (name, value) in [("SSL_CERT_FILE", "all.pem"), ("CAFILE", "all.pem")] {
        let outcome = run().env_remove("CAFILE").env(name, value).output();
        assert_eq!((outcome.code, outcome.out(), outcome.err()), (0, "hello\n".into(), "".into()));
    }
    // The one that is named counts.
    let outcome = run().env("CAFILE", "nowhere").env("SSL_CERT_FILE", "all.pem").output();
    let line = "tlsclient: fatal: unable to use nowhere: file does not exist\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, line));
}

#[test]
fn what_both_ends_want() {
    let Some(authority) = Authority::new("tlsclient-wants") else { return };
    authority.issue("fred", "extendedKeyUsage=clientAuth", "");
    let options = ["-n", "host.pem", "-y", "--tls-ca=ca.pem", "--tls-alpn=h7,pop3"];
    let server = Server::start(&authority, &options, "echo $SSL_CLIENT_S_DN_CN $SSL_ALPN_PROTOCOL");
    let said = |options: &[&str]| tried(&authority, &server, options).out();
    assert_eq!(said(&[]), "\n");
    assert_eq!(said(&["-n", "fred.pem"]), "fred\n");
    assert_eq!(said(&["-n", "fred.pem", "--tls-alpn=x,pop3,h7"]), "fred h7\n");
    fs::remove_file(authority.scratch().join("started")).unwrap();
    let reason = "no application protocol in common (alert)";
    refused(&authority, &server, &["--tls-alpn=x"], "127.0.0.1", reason);
    // A key that others may read is refused here, too.
    fs::copy(authority.scratch().join("fred.key"), authority.scratch().join("open.pem")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(authority.scratch().join("open.pem"), mode).unwrap();
    let outcome = tried(&authority, &server, &["-n", "open.pem"]);
    let line = "tlsclient: fatal: unable to use open.pem: key file is readable by others\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (111, line));
}
