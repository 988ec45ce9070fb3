//! curl: messages by number, whole, byte for byte.

use crate::host::{Host, messages};
use crate::{Way, mailbox, with};
use tests::Outcome;

fn run(host: &Host, way: Way, arguments: &[&str]) -> Outcome {
    let scheme = if way == Way::Tls { "pop3s" } else { "pop3" };
    let home = host.dir("curl");
    let (url, what) = arguments.split_first().expect("a path");
    let mut run = host
        .client("curl", &home)
        .args(["-q", "-sS", "--max-time", "60", "-u", "joe:secret"])
        .arg("--cacert")
        .arg(host.certificate());
    if way == Way::Stls {
        run = run.arg("--ssl-reqd");
    }
    let url = format!("{scheme}://localhost:{}/{url}", host.port());
    let outcome = run.args(what).arg(url).output();
    assert_eq!((outcome.err().as_str(), outcome.code), ("", 0), "{way:?} {arguments:?}");
    outcome
}

fn fetches(way: Way) {
    let host = Host::new(way);
    let files = mailbox::awkward();
    let sent: Vec<_> = files.iter().map(|file| mailbox::with_crlf(file)).collect();
    let count = files.len();
    let numbers = format!("[1-{count}]");
    run(&host, way, &[&numbers, "-o", "message-#1"]);
    let got = messages(&host.dir("curl"));
    // curl takes the CRLF before the last dot for the message's own, also where there is none.
    let as_got = |sent: &Vec<u8>| if sent.is_empty() { b"\r\n".to_vec() } else { sent.clone() };
    mailbox::same(&got, &sent.iter().map(as_got).collect::<Vec<_>>(), "RETR");
    // All in one session, in the order of LIST, which has the octets as they come.
    let mut sizes = Vec::new();
    for line in run(&host, way, &[""]).out().lines() {
        let size = line.split_once(' ').expect("a number and a size").1;
        sizes.push(size.parse::<usize>().expect("a size"));
    }
    let mut expected: Vec<_> = sent.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sizes, expected, "{way:?}: LIST");
    let ids = run(&host, way, &["", "-X", "UIDL"]).out();
    let mut ids: Vec<_> = ids.lines().filter_map(|line| line.split_once(' ')).collect();
    ids.sort_by_key(|(number, _)| number.parse::<usize>().expect("a number"));
    let mut names = host.files();
    names.sort();
    let names: Vec<_> = names.iter().map(|name| name.split(':').next().unwrap()).collect();
    assert_eq!(ids.iter().map(|(_, id)| *id).collect::<Vec<_>>(), names, "{way:?}: UIDL");
    let log = host.log();
    assert!(!log.contains("qmail-") && !log.contains("fatal"), "{way:?}: {log}");
}

#[test]
fn curl_in_the_clear() {
    with!("curl");
    fetches(Way::Clear);
}

#[test]
fn curl_by_stls() {
    with!("curl");
    fetches(Way::Stls);
}

#[test]
fn curl_over_tls() {
    with!("curl");
    fetches(Way::Tls);
}
