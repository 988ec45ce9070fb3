//! Debian's own syslog daemon.

use std::fs;
use std::path::PathBuf;

use tests::{Run, Scratch, Signal, record_skip, wait_until};

use super::{SOON, splogger};

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
