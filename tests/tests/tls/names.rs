//! Several certificates, the certificates of clients, and what the program is told.

use super::{Host, PATIENCE, make_certificate};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use tests::{Outcome, Run, Scratch, Signal, skip, wait_until};

const OPENSSL: &str = "/usr/bin/openssl";

fn openssl(scratch: &Scratch, arguments: &str) -> Outcome {
    let made = Run::new(OPENSSL).args(arguments.split(' ')).cwd(scratch.path()).output();
    assert_eq!(made.code, 0, "openssl {arguments}: {}", made.err());
    made
}

/// `NAME.pem` for the host of this name.
fn certificate(scratch: &Scratch, name: &str) {
    make_certificate(scratch, &["--host", name, "--force"]);
    fs::rename(scratch.join("cert.pem"), scratch.join(format!("{name}.pem"))).unwrap();
}

/// What `s_client` says, whatever comes of it.
fn seen(host: &Host, scratch: &Scratch, arguments: &str) -> String {
    let outcome = Run::new(OPENSSL)
        .args(["s_client", "-ign_eof", "-connect", &format!("127.0.0.1:{}", host.port)])
        .args(arguments.split(' '))
        .cwd(scratch.path())
        .output();
    outcome.out() + &outcome.err()
}

const SHOW: &str = "env | grep ^SSL_ | sort; echo .";

#[test]
fn a_client_gets_the_certificate_of_the_name_that_it_asks_for() {
    if !Path::new(OPENSSL).exists() {
        skip!("no openssl");
    }
    let scratch = Scratch::new("tls-names");
    for name in ["first.example", "second.example", "third.example"] {
        certificate(&scratch, name);
    }
    scratch.dir("more");
    fs::rename(scratch.join("third.example.pem"), scratch.join("more/a.pem")).unwrap();
    let options = ["-n", "first.example.pem", "-n", "second.example.pem", "-n", "more"];
    let host = Host::start(&scratch, &options, SHOW);
    for (asked, given) in [
        ("second.example", "second.example"),
        ("third.example", "third.example"),
        ("elsewhere.example", "first.example"),
    ] {
        let seen = seen(&host, &scratch, &format!("-servername {asked}"));
        assert!(seen.contains(&format!("CN={given}")) || seen.contains(&format!("CN = {given}")));
        assert!(seen.contains(&format!("SSL_TLS_SNI_SERVERNAME={asked}\n")), "{seen}");
    }
    let seen = seen(&host, &scratch, "-noservername");
    assert!(seen.contains("first.example") && !seen.contains("SSL_TLS_SNI_SERVERNAME"), "{seen}");
}

#[test]
fn the_program_is_told_what_was_agreed_on() {
    if !Path::new(OPENSSL).exists() {
        skip!("no openssl");
    }
    let scratch = Scratch::new("tls-told");
    make_certificate(&scratch, &["--host", "localhost"]);
    let host = Host::start(&scratch, &["--tls-alpn", "h7,pop3"], SHOW);
    for (arguments, expected) in [
        ("-tls1_3 -alpn pop3", "SSL_ALPN_PROTOCOL=pop3\n"),
        (
            "-tls1_3 -ciphersuites TLS_CHACHA20_POLY1305_SHA256",
            "SSL_CIPHER=TLS_CHACHA20_POLY1305_SHA256\n",
        ),
        (
            "-tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256",
            "SSL_CIPHER=ECDHE-ECDSA-AES128-GCM-SHA256\n",
        ),
        ("-tls1_2", "SSL_PROTOCOL=TLSv1.2\n"),
        ("-tls1_3", "SSL_CLIENT_VERIFY=NONE\n"),
    ] {
        let seen = seen(&host, &scratch, arguments);
        assert!(seen.contains(expected), "{arguments}: {seen}");
    }
    let refused = seen(&host, &scratch, "-alpn nonsense");
    assert!(!refused.contains("SSL_PROTOCOL"), "{refused}");
    host.child.expect_stderr("no application protocol in common (ALPN)\n");
    drop(host);
    let host = Host::start(&scratch, &["--tls-min=1.3"], SHOW);
    assert!(seen(&host, &scratch, "-tls1_3").contains("SSL_PROTOCOL=TLSv1.3\n"));
    assert!(!seen(&host, &scratch, "-tls1_2").contains("SSL_PROTOCOL"));
}

#[test]
fn clients_show_certificates() {
    if !Path::new(OPENSSL).exists() {
        skip!("no openssl");
    }
    let scratch = Scratch::new("tls-clients");
    make_certificate(&scratch, &["--host", "localhost"]);
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    openssl(
        &scratch,
        &format!("req -x509 {key} -keyout ca.key -out ca.pem -subj /O=Ours/CN=ca -days 30"),
    );
    // Version 3, as everything that can be believed today.
    scratch.file("ext.cnf", "basicConstraints=CA:FALSE\nextendedKeyUsage=clientAuth\n");
    for name in ["fred", "mary"] {
        openssl(
            &scratch,
            &format!("req {key} -keyout {name}.key -out {name}.csr -subj /C=DE/CN={name}"),
        );
        openssl(
            &scratch,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile ext.cnf -out {name}.pem -days 30"
            ),
        );
    }
    openssl(
        &scratch,
        &format!("req -x509 {key} -keyout eve.key -out eve.pem -subj /CN=fred -days 30"),
    );
    scratch.file("index", "");
    scratch.file("number", "01\n");
    scratch.file(
        "ca.cnf",
        "[ca]\ndefault_ca=c\n[c]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=9\ncrlnumber=number\ncrl_extensions=x\n[x]\nauthorityKeyIdentifier=keyid\n",
    );
    for arguments in ["-revoke mary.pem", "-gencrl -out crl.pem"] {
        openssl(&scratch, &format!("ca -config ca.cnf -cert ca.pem -keyfile ca.key {arguments}"));
    }
    let as_client = |name: &str| format!("-cert {name}.pem -key {name}.key");
    for version in ["-tls1_2", "-tls1_3"] {
        let host = Host::start(&scratch, &["-Y", "--tls-ca=ca.pem", "--tls-crl=crl.pem"], SHOW);
        let fred = seen(&host, &scratch, &format!("{version} {}", as_client("fred")));
        for line in [
            "SSL_CLIENT_VERIFY=SUCCESS\n",
            "SSL_PEER_CERT_SUBJECT=/C=DE/CN=fred\n",
            "SSL_CLIENT_S_DN=CN=fred,C=DE\n",
            "SSL_CLIENT_S_DN_CN=fred\n",
            "SSL_CLIENT_I_DN=CN=ca,O=Ours\n",
            "SSL_PEER_CERT_HASH=SHA256:",
        ] {
            assert!(fred.contains(line), "{line}: {fred}");
        }
        let known = openssl(&scratch, "x509 -in fred.pem -noout -fingerprint -sha256").out();
        let known = known.trim().split_once('=').unwrap().1.replace(':', "").to_lowercase();
        assert!(fred.contains(&format!("SHA256:{known}\n")), "{known}: {fred}");
        for (arguments, reason) in [
            (version.to_owned(), "TLS handshake failed: peer shows no certificate\n"),
            (
                format!("{version} {}", as_client("mary")),
                "peer's certificate is not accepted: revoked\n",
            ),
            (format!("{version} {}", as_client("eve")), "peer's certificate is not accepted: "),
        ] {
            assert!(!seen(&host, &scratch, &arguments).contains("SSL_PROTOCOL"), "{arguments}");
            host.child.expect_stderr(reason);
        }
    }
    let host = Host::start(&scratch, &["-y", "--tls-ca=ca.pem"], SHOW);
    assert!(seen(&host, &scratch, "-tls1_3").contains("SSL_CLIENT_VERIFY=NONE\n"));
    assert!(seen(&host, &scratch, &as_client("mary")).contains("SSL_CLIENT_S_DN_CN=mary\n"));
    assert!(!seen(&host, &scratch, &as_client("eve")).contains("SSL_PROTOCOL"));
}

#[test]
fn certificates_as_certbot_renews_them() {
    if !Path::new(OPENSSL).exists() {
        skip!("no openssl");
    }
    let scratch = Scratch::new("tls-certbot");
    // archive/HOST/privkey1.pem and so on, live/HOST/privkey.pem -> ../../archive/HOST/privkey1.pem.
    scratch.dir("archive/localhost");
    scratch.dir("live/localhost");
    scratch.file("live/README", "not for us");
    let renew = |number: u32| {
        make_certificate(&scratch, &["--host", "localhost", "--force"]);
        let text = fs::read_to_string(scratch.join("cert.pem")).unwrap();
        let (key, chain) = text.split_at(text.find("-----BEGIN CERT").unwrap());
        for (name, contents, mode) in [("privkey", key, 0o600), ("fullchain", chain, 0o644)] {
            let path = scratch.file(&format!("archive/localhost/{name}{number}.pem"), contents);
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let link = scratch.join(format!("live/localhost/{name}.pem"));
            let _ = fs::remove_file(&link);
            symlink(format!("../../archive/localhost/{name}{number}.pem"), link).unwrap();
        }
    };
    renew(1);
    let host = Host::start(&scratch, &["-n", "live"], "read line; echo got $line");
    let hello = |line: &[u8]| {
        let mut tls = host.connect(&scratch);
        std::io::Write::write_all(&mut tls, line)?;
        let mut seen = String::new();
        std::io::Read::read_to_string(&mut tls, &mut seen)?;
        Ok::<_, std::io::Error>(seen)
    };
    assert_eq!(hello(b"1\n").unwrap(), "got 1\n");
    // One that is under way when the certificate changes.
    let mut old = host.connect(&scratch);
    old.conn.complete_io(&mut old.sock).unwrap();
    renew(2);
    assert!(hello(b"2\n").is_err(), "still the old one, which this client doesn't trust any more");
    host.child.signal(Signal::SIGHUP);
    wait_until("the new certificate", PATIENCE, || {
        hello(b"3\n").is_ok_and(|seen| seen == "got 3\n")
    });
    std::io::Write::write_all(&mut old, b"old\n").unwrap();
    let mut seen = String::new();
    std::io::Read::read_to_string(&mut old, &mut seen).unwrap();
    assert_eq!(seen, "got old\n");
    assert!(!host.log().contains("keeping the old one"), "{}", host.log());
}
