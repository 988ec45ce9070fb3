//! Following, while multilog rotates underneath.

use super::*;
use std::io::Write;

/// What it has written so far.
fn shown(child: &Child) -> String {
    String::from_utf8_lossy(&child.stdout()).into_owned()
}

fn wait_for_text(child: &Child, expected: &str) {
    wait_until("all is shown", SOON, || shown(child).len() >= expected.len());
    assert_eq!(shown(child), expected);
}

fn append(scratch: &Scratch, name: &str, text: &str) {
    let mut file =
        fs::OpenOptions::new().create(true).append(true).open(scratch.join(name)).expect("opened");
    file.write_all(text.as_bytes()).expect("written");
}

#[test]
fn what_is_appended_follows_when_its_line_is_whole() {
    let scratch = Scratch::new("svlog-appended");
    scratch.file("dns/current", numbered(15, 0));
    let child = svlog(&scratch, &["-f", "./dns"]).spawn();
    let mut expected: String = numbered(15, 0).split_inclusive('\n').skip(5).collect();
    wait_for_text(&child, &expected);
    append(&scratch, "dns/current", "one\ntw");
    expected += "one\n";
    wait_for_text(&child, &expected);
    append(&scratch, "dns/current", "o\n");
    expected += "two\n";
    wait_for_text(&child, &expected);
    child.signal(tests::Signal::SIGINT);
    assert_eq!(child.wait(SOON).code, 130);
}

/// Keeps lines in a log, while that is followed; gives how many of the files that were finished are left.
fn through(name: &str, script: &[&str], count: usize, pause_after: usize) -> usize {
    let scratch = Scratch::new(name);
    let mut multilog = Run::new(program("multilog")).args(script).cwd(scratch.path()).spawn();
    wait_until("the log", SOON, || scratch.join("dns/current").exists());
    let child = svlog(&scratch, &["-ftn", "100000", "./dns"]).spawn();
    let lines = numbered(count, 90);
    let mut sent = 0;
    for part in lines.split_inclusive('\n').collect::<Vec<_>>().chunks(pause_after) {
        multilog.write(part.concat().as_bytes());
        sent += part.len();
        // So that nothing is removed before it could be seen.
        wait_until("what was sent", SOON, || shown(&child).lines().count() >= sent);
    }
    multilog.close();
    assert_eq!(multilog.wait(SOON).code, 0);
    let bare: String = shown(&child)
        .lines()
        .map(|line| format!("{}\n", &line[line.find("line").expect("a line")..]))
        .collect();
    let wrong = bare.lines().zip(lines.lines()).find(|(shown, sent)| shown != sent);
    assert!(bare == lines, "{name}: {} lines of {count}, {wrong:?}", bare.lines().count());
    drop(child);
    finished(&scratch.join("dns")).len()
}

#[test]
fn nothing_is_missed_or_seen_twice_through_rotations() {
    assert!(through("svlog-rotated", &["t", "s4096", "n1000", "./dns"], 1500, 500) > 50);
    assert_eq!(through("svlog-removed", &["t", "s4096", "n2", "./dns"], 200, 20), 1);
    assert!(through("svlog-unstamped", &["s4096", "n1000", "./dns"], 600, 300) > 20);
}

#[test]
fn nothing_is_missed_or_seen_twice_through_processors() {
    assert!(through("svlog-gzipped", &["t", "s4096", "n1000", "!gzip", "./dns"], 500, 250) > 20);
    assert_eq!(through("svlog-gzipped-few", &["t", "s4096", "n2", "!gzip", "./dns"], 120, 20), 1);
    assert!(through("svlog-zgz", &["t", "s4096", "n1000", "zgz", "./dns"], 500, 250) > 20);
    // Not before it has its successor; and the name that the code gives it.
    let slow = ["t", "s4096", "n50", "!sleep 0.1; gzip", "wgz", "./dns"];
    assert!(through("svlog-gzipped-slowly", &slow, 150, 75) > 5);
}

#[test]
fn a_file_that_is_compressed_after_it_was_finished_is_not_shown_again() {
    let scratch = Scratch::new("svlog-later");
    scratch.file("dns/current", line(1, "a"));
    let child = svlog(&scratch, &["-ft", "./dns"]).spawn();
    let mut expected = line(1, "a");
    wait_for_text(&child, &expected);
    for second in (10..60).step_by(10) {
        let (current, name) = (scratch.join("dns/current"), format!("{}.s", label(second)));
        append(&scratch, "dns/current", &line(second - 1, "last"));
        fs::rename(&current, scratch.join("dns").join(&name)).expect("renamed");
        // As multilog's zgz does it, and quicker than that.
        assert_eq!(Run::new("gzip").arg(scratch.join("dns").join(&name)).output().code, 0);
        append(&scratch, "dns/current", &line(second, "first"));
        expected += &(line(second - 1, "last") + &line(second, "first"));
        wait_for_text(&child, &expected);
    }
}

#[test]
fn files_that_came_and_went_meanwhile_are_read() {
    let scratch = Scratch::new("svlog-stopped");
    scratch.file(&format!("dns/{}.s", label(1)), line(1, "old"));
    scratch.file("dns/current", line(2, "a"));
    let child = svlog(&scratch, &["-ft", "./dns"]).spawn();
    let mut expected = line(1, "old") + &line(2, "a");
    wait_for_text(&child, &expected);
    child.signal(tests::Signal::SIGSTOP);
    append(&scratch, "dns/current", &line(3, "b"));
    // Its own file is compressed, another one came and was finished, and a third one is compressed.
    let dir = scratch.join("dns");
    fs::rename(dir.join("current"), dir.join(format!("{}.s", label(4)))).expect("renamed");
    scratch.file(&format!("dns/{}.s", label(6)), line(5, "c"));
    scratch.file(&format!("dns/{}.s", label(8)), line(7, "d"));
    let gzip = format!("gzip {}.s {}.s", label(4), label(8));
    assert_eq!(Run::sh(&gzip).cwd(&dir).output().code, 0);
    scratch.file("dns/current", line(9, "e"));
    child.signal(tests::Signal::SIGCONT);
    expected +=
        &[(3, "b"), (5, "c"), (7, "d"), (9, "e")].map(|(second, text)| line(second, text)).concat();
    wait_for_text(&child, &expected);
}

#[test]
fn a_log_that_is_made_anew_is_followed() {
    let scratch = Scratch::new("svlog-anew");
    scratch.file("dns/current", line(1, "a"));
    let child = svlog(&scratch, &["-ft", "./dns"]).spawn();
    wait_for_text(&child, &line(1, "a"));
    fs::remove_dir_all(scratch.join("dns")).expect("removed");
    scratch.file("dns/current", line(2, "b"));
    wait_for_text(&child, &(line(1, "a") + &line(2, "b")));
    append(&scratch, "dns/current", &line(3, "c"));
    wait_for_text(&child, &(line(1, "a") + &line(2, "b") + &line(3, "c")));
}

#[test]
fn several_are_followed_at_once() {
    let scratch = Scratch::new("svlog-several");
    scratch.file("service/dns/log/main/current", line(1, "a") + &line(3, "c"));
    scratch.file("service/web/log/main/current", line(2, "b"));
    let child = svlog(&scratch, &["-ft", "dns", "web"]).spawn();
    let mut expected = format!("dns: {}web: {}dns: {}", line(1, "a"), line(2, "b"), line(3, "c"));
    wait_for_text(&child, &expected);
    for number in 4..10 {
        let name = if number % 2 == 0 { "dns" } else { "web" };
        append(&scratch, &format!("service/{name}/log/main/current"), &line(number, "x"));
        expected += &format!("{name}: {}", line(number, "x"));
        wait_for_text(&child, &expected);
    }
    // A long line that doesn't end holds up nobody.
    append(&scratch, "service/dns/log/main/current", &line(10, &"y".repeat(100_000))[..70_000]);
    wait_until("its beginning", SOON, || shown(&child).len() > expected.len() + 60_000);
    append(&scratch, "service/web/log/main/current", &line(11, "x"));
    child.expect(&format!("\nweb: {}", line(11, "x")));
}

#[test]
fn who_waits_is_asleep() {
    let scratch = Scratch::new("svlog-asleep");
    scratch.file("dns/current", line(1, "a"));
    let child = svlog(&scratch, &["-ft", "./dns"]).spawn();
    wait_for_text(&child, &line(1, "a"));
    let switches = || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).expect("status");
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.expect("a count").trim().parse::<u64>().expect("a number")
    };
    // Nothing says that it has gone to sleep: it is asked when another process has slept a second.
    let before = switches();
    assert_eq!(Run::new("sleep").arg("1").output().code, 0);
    let woken = switches() - before;
    assert!(woken <= 10, "{woken} times");
}
