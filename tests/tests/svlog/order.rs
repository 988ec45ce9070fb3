//! Files and services in order.

use super::*;

#[test]
fn all_that_multilog_keeps_in_order_with_local_times() {
    let scratch = Scratch::new("svlog-all");
    let lines = numbered(300, 60);
    keep(&scratch, &["t", "s4096", "n100", "./dns"], &lines);
    assert!(finished(&scratch.join("dns")).len() > 4);
    let shown = said(&scratch, &["./dns"]);
    let texts: String = shown.lines().map(|line| format!("{}\n", &line[27..])).collect();
    assert_eq!(texts, lines);
    let times: Vec<&str> = shown.lines().map(|line| &line[..26]).collect();
    assert!(times.is_sorted() && times[0].starts_with("20"));
    // tai64nlocal says the same, to the nanosecond.
    let files = "cd dns && cat @* current";
    let local = Run::sh(&format!("{files} | {}", program("tai64nlocal").display()))
        .cwd(scratch.path())
        .env("TZ", "ABC-1")
        .output();
    let local: String =
        local.out().lines().map(|line| format!("{}{}\n", &line[..26], &line[29..])).collect();
    assert_eq!(shown, local);
    // And as they are, on request.
    let raw = Run::sh(files).cwd(scratch.path()).output();
    assert_eq!(said(&scratch, &["-t", "./dns"]), raw.out());
}

#[test]
fn stamps_of_every_kind() {
    let scratch = Scratch::new("svlog-stamps");
    let text = "@400000003b9aca0a0000162e tai\n1000000001.000005 epoch\n\
        2001-09-09T01:46:42.000005Z iso\n2001-09-09T03:46:43.000005+02:00 iso\n\
        2001-09-09 02:46:44.000005678 tai64nlocal\nnone\n10.000005 a number\n";
    scratch.file("dns/current", text);
    let local = "2001-09-09 02:46:40.000005 tai\n2001-09-09 02:46:41.000005 epoch\n\
        2001-09-09 02:46:42.000005 iso\n2001-09-09 02:46:43.000005 iso\n\
        2001-09-09 02:46:44.000005 tai64nlocal\nnone\n10.000005 a number\n";
    assert_eq!(said(&scratch, &["./dns"]), local);
    assert_eq!(said(&scratch, &["-U", "./dns"]), local.replace(" 02:", " 01:"));
    assert_eq!(said(&scratch, &["-t", "./dns"]), text);
}

#[test]
fn services_are_merged_by_their_stamps() {
    let scratch = Scratch::new("svlog-merged");
    scratch
        .file("service/dns/log/main/current", line(1, "a") + &line(4, "d") + "e\n" + &line(6, "g"));
    scratch.file(&format!("service/web/log/main/{}.s", label(3)), line(2, "b") + &line(3, "c"));
    scratch.file("service/web/log/main/current", line(5, "f") + &line(6, "h"));
    let all = [
        ("dns", seen(1, "a")),
        ("web", seen(2, "b")),
        ("web", seen(3, "c")),
        ("dns", seen(4, "d")),
        // Without a stamp, it stays behind the line before.
        ("dns", "e\n".into()),
        ("web", seen(5, "f")),
        ("dns", seen(6, "g")),
        ("web", seen(6, "h")),
    ];
    let named = |lines: &[(&str, String)]| -> String {
        lines.iter().map(|(name, line)| format!("{name}: {line}")).collect()
    };
    assert_eq!(said(&scratch, &["dns", "web"]), named(&all));
    for count in 0..10 {
        let last = &all[all.len() - count.min(all.len())..];
        assert_eq!(
            said(&scratch, &["-n", &count.to_string(), "dns", "web"]),
            named(last),
            "{count}"
        );
    }
    let bare: String = all.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(said(&scratch, &["-q", "dns", "web"]), bare);
}

#[test]
fn a_line_that_was_torn_is_one_again() {
    let scratch = Scratch::new("svlog-torn");
    let long = "y".repeat(20_000);
    let text = format!("a\n{long}\nb\n");
    keep(&scratch, &["s4096", "n100", "./dns"], &text);
    assert!(finished(&scratch.join("dns")).len() >= 4);
    assert_eq!(said(&scratch, &["./dns"]), text);
    assert_eq!(said(&scratch, &["-n2", "./dns"]), format!("{long}\nb\n"));
    assert_eq!(said(&scratch, &["-n1", "./dns"]), "b\n");
}

#[test]
fn a_line_that_a_crash_has_cut_off_ends_there() {
    let scratch = Scratch::new("svlog-cut-off");
    scratch.file(&format!("dns/{}.u", label(1)), "cut o");
    scratch.file(&format!("dns/{}.s", label(2)), "next\nto");
    scratch.file(&format!("dns/{}.s", label(3)), "rn\n1000000");
    // Not torn: it has a stamp of its own.
    scratch.file("dns/current", format!("{}no end", line(4, "other")));
    let shown = format!("cut o\nnext\ntorn\n1000000\n{}no end\n", seen(4, "other"));
    assert_eq!(said(&scratch, &["./dns"]), shown);
}

#[test]
fn lines_of_megabytes_pass_through_little_memory() {
    let scratch = Scratch::new("svlog-long");
    let long = "0123456789abcdef".repeat(500_000);
    let text = format!("{}{}{}", line(1, "a"), line(2, &long), line(3, "b"));
    scratch.file("dns/current", &text);
    scratch.file("web/current", line(2, "w"));
    let command = format!(
        "{} -m 5000000 {} -t ./dns ./web",
        program("softlimit").display(),
        program("svlog").display()
    );
    let outcome = Run::sh(&command).cwd(scratch.path()).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    let named: String = text.lines().map(|line| format!("dns: {line}\n")).collect();
    let (before, after) = named.split_at(named.len() - line(3, "b").len() - 5);
    assert!(outcome.out() == format!("{before}web: {}{after}", line(2, "w")));
}

#[test]
fn the_last_lines_are_the_end_of_all() {
    let scratch = Scratch::new("svlog-last");
    keep(&scratch, &["t", "s4096", "n100", "./dns"], &numbered(400, 30));
    let dir = scratch.join("dns");
    let names = finished(&dir);
    let gzip = format!("gzip {} && gzip <{} >x && mv x {}", names[1], names[3], names[3]);
    assert_eq!(Run::sh(&gzip).cwd(&dir).output().code, 0);
    let all = said(&scratch, &["./dns"]);
    let all: Vec<&str> = all.split_inclusive('\n').collect();
    assert_eq!(all.len(), 400);
    for count in [0, 1, 2, 30, 57, 58, 59, 60, 100, 250, 320, 399, 400, 401, 100_000] {
        let last = all[all.len() - count.min(all.len())..].concat();
        assert_eq!(said(&scratch, &["-n", &count.to_string(), "./dns"]), last, "{count}");
    }
}

#[test]
fn the_last_lines_of_a_large_log_are_read_from_its_end() {
    let scratch = Scratch::new("svlog-large");
    let large = scratch.file("dns/current", "x".repeat(99).as_bytes());
    // 10 GB of nothing, and three lines.
    let file = fs::OpenOptions::new().append(true).open(&large).expect("opened");
    file.set_len(10_000_000_000).expect("a hole");
    let mut file = file;
    std::io::Write::write_all(&mut file, b"\n1\n2\n3\n").expect("written");
    assert_eq!(said(&scratch, &["-n2", "./dns"]), "2\n3\n");
}

#[test]
fn an_empty_log() {
    let scratch = Scratch::new("svlog-empty");
    keep(&scratch, &["t", "./dns"], "");
    for args in [&["./dns"][..], &["-n5", "./dns"], &["-s", "1h", "./dns"]] {
        assert_eq!(said(&scratch, args), "");
    }
}
