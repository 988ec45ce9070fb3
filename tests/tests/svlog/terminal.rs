//! What a terminal gets to see, and what it doesn't.

use super::*;

/// What `svlog ARGS` writes to a terminal, with this environment, `ESC` as `^`.
fn seen_there(scratch: &Scratch, environment: &str, args: &str) -> String {
    let command = format!("env {environment} TZ=UTC0 {} {args}", program("svlog").display());
    let outcome =
        Run::new("script").args(["-qec", &command, "/dev/null"]).cwd(scratch.path()).output();
    outcome.out().replace("\r\n", "\n").replace('\x1b', "^")
}

#[test]
fn colours_and_nothing_that_controls_it() {
    let scratch = Scratch::new("svlog-terminal");
    let hostile =
        line(1, "GET \x1b]0;owned\x07\x1b[2J") + &line(2, "x: fatal: no") + "warning: ä\u{9b}\n";
    scratch.file("dns/current", &hostile);
    scratch.file("web/current", "");
    let time = |second| format!("1970-01-01 00:00:0{second}.000000");
    let plain = format!(
        "{} GET \\x1b]0;owned\\x07\\x1b[2J\n{} x: fatal: no\nwarning: ä\\xc2\\x9b\n",
        time(1),
        time(2)
    );
    let coloured = format!(
        "^[2m{}^[m GET \\x1b]0;owned\\x07\\x1b[2J\n^[2m{}^[m x: ^[31mfatal:^[m no\n^[33mwarning:^[m ä\\xc2\\x9b\n",
        time(1),
        time(2)
    );
    assert_eq!(seen_there(&scratch, "TERM=xterm NO_COLOR=", "./dns"), coloured);
    let named: String = coloured.lines().map(|line| format!("^[36mdns:^[m {line}\n")).collect();
    assert_eq!(seen_there(&scratch, "-u NO_COLOR TERM=xterm", "./dns ./web"), named);
    for environment in ["TERM=xterm NO_COLOR=1", "-u NO_COLOR TERM=dumb", "-u NO_COLOR -u TERM"] {
        assert_eq!(seen_there(&scratch, environment, "./dns"), plain, "{environment}");
    }
    // A file or a pipe gets the bytes as they are.
    assert_eq!(said(&scratch, &["-t", "./dns"]), hostile);
}

#[test]
fn whoever_has_seen_enough_may_leave() {
    let scratch = Scratch::new("svlog-head");
    keep(&scratch, &["t", "./dns"], &numbered(20_000, 60));
    for options in ["", "-f -n 20000"] {
        let command = format!(
            "{{ {} {options} ./dns; echo $? >&2; }} | head -n 1",
            program("svlog").display()
        );
        let outcome = Run::sh(&command).cwd(scratch.path()).output();
        assert_eq!(
            (outcome.out().lines().count(), outcome.err().as_str()),
            (1, "0\n"),
            "{options}"
        );
    }
    let full = format!("{} ./dns >/dev/full", program("svlog").display());
    let outcome = Run::sh(&full).cwd(scratch.path()).output();
    assert_eq!(outcome.err(), "svlog: fatal: unable to write output: out of disk space\n");
    assert_eq!(outcome.code, 111);
    let closed = format!("{} ./dns >&-", program("svlog").display());
    assert_eq!(Run::sh(&closed).cwd(scratch.path()).output().code, 111);
}
