//! Command lines, and what they ask for or why they are refused.

use super::*;
use std::ffi::CString;

fn strings(list: &[&str]) -> Vec<CString> {
    list.iter().map(|text| CString::new(*text).expect("no NUL")).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("ASCII")
}

fn request(arguments: &[&str], env: &[&str]) -> Result<Request, String> {
    let all = [&["splogger"], arguments].concat();
    read(Args::new(strings(&all)), Env::new(strings(env))).map_err(|failure| {
        assert_eq!(failure.code, 100);
        text(&failure.text)
    })
}

fn asked(arguments: &[&str], env: &[&str]) -> Result<(String, u8, String), String> {
    let request = request(arguments, env)?;
    let (facility, tag) = match &request.form {
        Form::Traditional { facility, tag } => (*facility, *tag),
        Form::Structured { header, .. } => (header.facility, header.app_name),
        Form::Journal(fields) => (fields.facility, fields.identifier),
    };
    Ok((text(tag), facility, text(request.name)))
}

#[test]
fn the_defaults() {
    assert_eq!(asked(&[], &[]), Ok(("splogger".into(), 2, "/dev/log".into())));
    assert_eq!(asked(&["pop3d"], &[]), Ok(("pop3d".into(), 2, "/dev/log".into())));
    let env = ["SYSLOG_SOCKET=/x"];
    assert_eq!(asked(&["pop3d", "23"], &env), Ok(("pop3d".into(), 23, "/x".into())));
    // A tag may begin with a dash, as ever; with two, after `--`.
    assert_eq!(asked(&["-d", "3"], &[]), Ok(("-d".into(), 3, "/dev/log".into())));
    assert_eq!(asked(&["--", "--to", "3"], &[]), Ok(("--to".into(), 3, "/dev/log".into())));
    assert_eq!(asked(&["--to=/y", "x"], &env), Ok(("x".into(), 2, "/y".into())));
}

#[test]
fn which_form() {
    let form = |arguments: &[&str]| {
        request(arguments, &[]).map(|request| match request.form {
            Form::Traditional { .. } => "3164",
            Form::Structured { .. } => "5424",
            Form::Journal(_) => "journal",
        })
    };
    for (arguments, expected) in [
        (&[][..], "3164"),
        (&["--to", "/x"], "3164"),
        (&["--format", "rfc5424"], "5424"),
        (&["--sd", "[x@1]"], "5424"),
        (&["--hostname=h"], "5424"),
        (&["--to", "udp:h:514"], "5424"),
        (&["--to", "tcp:h:514", "--format=rfc3164"], "3164"),
        (&["--to", "tls:h:6514", "--tls-ca", "ca.pem"], "5424"),
        (&["--to", "journal", "--service", "s"], "journal"),
    ] {
        assert_eq!(form(arguments), Ok(expected), "{arguments:?}");
    }
}

#[test]
fn tcpclient_gets_its_own() {
    let arguments = ["--to=tls:h:1", "--tls-cert", "c.pem", "--tls-ca=a", "--tls-name=n"];
    let expected = [c"-n", c"c.pem", c"--tls-ca", c"a", c"--tls-name", c"n"];
    assert_eq!(request(&arguments, &[]).map(|request| request.tls), Ok(expected.to_vec()));
}

#[test]
fn what_is_wrong_is_said() {
    let usage = asked(&["a", "2", "c"], &[]).expect_err("too many");
    assert!(usage.starts_with("splogger: usage: splogger [ --to where ]"), "{usage}");
    for facility in ["24", "mail", "", "-1", "2x"] {
        let message = format!("splogger: fatal: unable to use facility: {facility}\n");
        assert_eq!(asked(&["a", facility], &[]), Err(message));
    }
    let long = "x".repeat(256);
    for tag in ["", "a b", &long] {
        assert_eq!(asked(&[tag], &[]), Err(format!("splogger: fatal: unable to use tag: {tag}\n")));
    }
    let path = format!("SYSLOG_SOCKET=/{}", "x".repeat(200));
    assert!(asked(&[], &[&path]).is_err_and(|text| text.ends_with(": file name too long\n")));
    let long = "x".repeat(49);
    let structured = format!("[x@1 a=\"{}\"]", "x".repeat(2000));
    for (arguments, said) in [
        (&["--up"][..], "splogger: illegal option -- up\n"),
        (&["--to", "x"], "unable to use x: "),
        (&["--format", "5424"], "unable to use format: 5424\n"),
        (&["--sd", "[x]"], "unable to use structured data: [x]\n"),
        (&["--sd", "-", "--format", "rfc3164"], "RFC 5424 with --format rfc3164\n"),
        (&["--sd", &structured], "unable to use size: 2048\n"),
        (&["--hostname", "a b"], "unable to use host name: a b\n"),
        (&["--size", "70000"], "unable to use size: 70000\n"),
        (&["--size", "100"], "unable to use size: 100\n"),
        (&["--to", "journal", "--format", "rfc5424"], "RFC 5424 with the journal\n"),
        (&["--format", "rfc5424", &long], "unable to use tag: xxx"),
        (&["--spool-bytes", "9000000"], "options about a spool without --spool\n"),
        (&["--drop-oldest"], "options about a spool without --spool\n"),
        (&["--spool", "x", "--spool-bytes", "1000"], "unable to use spool bytes: 1000\n"),
        (&["--to", "tcp:h:1", "--tls-ca", "x"], "options about TLS with tcp:h:1\n"),
        (&["--service="], "unable to use service: \n"),
    ] {
        let text = request(arguments, &[]).err().expect("refused");
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
}
