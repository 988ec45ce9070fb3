//! Debian's own syslog daemon.

use std::fs;
use std::path::PathBuf;

use tests::{Run, Scratch, Signal, free_port, record_skip, wait_until};

use super::{SOON, forward, splogger};

/// Debian's own syslog daemon, on a socket of the test's.
#[test]
fn rsyslogd_takes_it() {
    let rsyslogd = PathBuf::from("/usr/sbin/rsyslogd");
    if !rsyslogd.exists() {
        return record_skip("no rsyslogd: apt-get install rsyslog");
    }
    let scratch = Scratch::new("splogger-rsyslogd");
    let at = |name: &str| scratch.join(name).display().to_string();
    let config = format!(
        "module(load=\"imuxsock\" SysSock.Name=\"{}\")\n\
         global(workDirectory=\"{}\")\n\
         template(name=\"all\" type=\"string\" string=\"%syslogfacility-text%.%syslogseverity-text%|%syslogtag%|%msg%\\n\")\n\
         *.* action(type=\"omfile\" file=\"{}\" template=\"all\")\n",
        at("log"),
        at("."),
        at("out")
    );
    let config = scratch.file("conf", config);
    let start = |pid: &str| {
        Run::new(&rsyslogd).arg("-n").arg("-f").arg(&config).arg("-i").arg(at(pid)).spawn()
    };
    let written = |count: usize| {
        let read = || fs::read_to_string(at("out")).unwrap_or_default();
        let of_ours = |text: &str| {
            let ours = text.lines().filter(|line| line.contains("|pop3d:|"));
            ours.map(|line| {
                let (head, message) = line.rsplit_once('|').expect("fields");
                let text = message.trim_start().split_once(' ').expect("a stamp").1;
                format!("{head}|{text}")
            })
            .collect::<Vec<_>>()
        };
        wait_until("rsyslogd writes", SOON, || of_ours(&read()).len() >= count);
        of_ours(&read())
    };
    let mut child = splogger(&scratch.join("log"), &["pop3d", "2"]).spawn();
    child.write(b"one\n");
    let first = start("pid1");
    assert_eq!(written(1), ["mail.info|pop3d:|one"]);
    first.signal(Signal::SIGTERM);
    first.wait(SOON);
    child.write(b"warning: two\nalert: three\n");
    let second = start("pid2");
    let expected = [
        "mail.info|pop3d:|one",
        "mail.warning|pop3d:|warning: two",
        "mail.alert|pop3d:|alert: three",
    ];
    assert_eq!(written(3), expected);
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    second.signal(Signal::SIGTERM);
    second.wait(SOON);
}

/// By RFC 5424, over UDP and TCP, with what rsyslogd understands of it: each field, a line of its own.
#[test]
fn rsyslogd_takes_it_from_other_hosts() {
    let rsyslogd = PathBuf::from("/usr/sbin/rsyslogd");
    if !rsyslogd.exists() {
        return record_skip("no rsyslogd: apt-get install rsyslog");
    }
    let scratch = Scratch::new("splogger-rsyslogd-net");
    let (udp, tcp) = (free_port(), free_port());
    let out = scratch.join("out");
    let config = format!(
        "module(load=\"imudp\")\nmodule(load=\"imtcp\")\n\
         input(type=\"imudp\" address=\"127.0.0.1\" port=\"{udp}\")\n\
         input(type=\"imtcp\" address=\"127.0.0.1\" port=\"{tcp}\")\n\
         global(workDirectory=\"{}\")\n\
         template(name=\"all\" type=\"string\" string=\"%syslogfacility-text%.%syslogseverity-text%|%protocol-version%|\
         %hostname%|%app-name%|%procid%|%msgid%|%structured-data%|%msg%\\n\")\n\
         *.* action(type=\"omfile\" file=\"{}\" template=\"all\")\n",
        scratch.path().display(),
        out.display(),
    );
    let config = scratch.file("conf", config);
    let start = |pid: &str| {
        let pid = scratch.join(pid);
        Run::new(&rsyslogd).arg("-n").arg("-f").arg(&config).arg("-i").arg(pid).spawn()
    };
    let lines = |tag: &str| {
        let text = fs::read_to_string(&out).unwrap_or_default();
        let ours = text.lines().filter(|line| line.contains(&format!("|{tag}|")));
        ours.map(str::to_owned).collect::<Vec<_>>()
    };
    let sd = "[x@32473 service=\"pop3\"]";
    let first = start("pid1");
    for (tag, to) in
        [("overudp", format!("udp:127.0.0.1:{udp}")), ("overtcp", format!("tcp:127.0.0.1:{tcp}"))]
    {
        let mut child = forward(&to, &["--sd", sd, tag, "2"]).spawn();
        child.write("one\nalert: tw\u{f6}\t!\n".as_bytes());
        wait_until("rsyslogd writes", SOON, || lines(tag).len() >= 2);
        child.close();
        assert_eq!(child.wait(SOON).code, 0);
        let expected = [
            format!("mail.info|1|here|{tag}|-|-|{sd}|one"),
            format!("mail.alert|1|here|{tag}|-|-|{sd}|alert: tw\u{f6}#011!"),
        ];
        let got: Vec<String> = lines(tag).iter().map(|line| line.replace('\u{feff}', "")).collect();
        assert_eq!(got, expected);
    }
    // Restarted, it gets what came meanwhile.
    let mut child = forward(&format!("tcp:127.0.0.1:{tcp}"), &["again", "2"]).spawn();
    child.write(b"one\n");
    wait_until("rsyslogd writes", SOON, || lines("again").len() == 1);
    first.signal(Signal::SIGTERM);
    first.wait(SOON);
    child.write(b"two\n");
    child.expect_stderr("unable to send to");
    let second = start("pid2");
    child.write(b"three\n");
    child.close();
    assert_eq!(child.wait(SOON).code, 0);
    wait_until("rsyslogd writes", SOON, || lines("again").len() >= 3);
    let texts: Vec<String> = lines("again")
        .iter()
        .map(|line| line.rsplit('|').next().unwrap_or("").to_owned())
        .collect();
    assert_eq!(texts, ["one", "two", "three"]);
    second.signal(Signal::SIGTERM);
    second.wait(SOON);
}
