//! From a time to a time.

use super::*;

/// Three files and `current`, with a line each ten minutes from 1:00 on, local time.
fn log(scratch: &Scratch, name: &str) -> Vec<(u64, String)> {
    let lines: Vec<(u64, String)> =
        (0..24).map(|number| (number * 600, format!("line {number}"))).collect();
    for (index, part) in lines.chunks(6).enumerate() {
        let text: String = part.iter().map(|(second, text)| line(*second, text)).collect();
        let last = part[part.len() - 1].0;
        let file = if index < 3 { format!("{}.s", label(last + 1)) } else { "current".into() };
        scratch.file(&format!("{name}/{file}"), text);
    }
    lines
}

#[test]
fn from_a_time_to_a_time() {
    let scratch = Scratch::new("svlog-times");
    let lines = log(&scratch, "dns");
    let between = |first: u64, last: u64| -> String {
        let within = lines.iter().filter(|(second, _)| (first..=last).contains(second));
        within.map(|(second, text)| seen(*second, text)).collect()
    };
    let end = u64::MAX;
    for (args, first, last) in [
        (&["-s", "1970-01-01 02:00"][..], 3600, end),
        (&["-s", "1970-01-01 02:00:01"], 3601, end),
        (&["-s", "1970-01-01T01:00:00Z"], 3600, end),
        (&["-U", "-s", "1970-01-01 01:00"], 3600, end),
        (&["-u", "1970-01-01 02:00"], 0, 3600),
        (&["-u", "1970-01-01 01:59:59.9"], 0, 3599),
        (&["-s", "1970-01-01 02:20", "-u", "1970-01-01 03:50"], 4800, 10_200),
        (&["-s", "1970-01-01 03:01", "-u", "1970-01-01 03:02"], 7260, 7320),
        (&["-s", "1970-01-01"], 0, end),
        (&["-s", "10m"], end, end),
        (&["-u", "10m"], 0, end),
        (&["-s", &label(5000)], 5000, end),
        (&["-u", &label(5000)], 0, 5000),
    ] {
        let shown = said(&scratch, &[args, &["./dns"]].concat());
        let expected = if args.contains(&"-U") {
            between(first, last).replace("-01 0", "-01 ").lines().map(earlier).collect()
        } else {
            between(first, last)
        };
        assert_eq!(shown, expected, "{args:?}");
        // The last of those that are asked for.
        let three = said(&scratch, &[args, &["-n3", "./dns"]].concat());
        let skipped = expected.lines().count().saturating_sub(3);
        let last: String = expected.split_inclusive('\n').skip(skipped).collect();
        assert_eq!(three, last, "{args:?}");
    }
}

/// By an hour.
fn earlier(line: &str) -> String {
    let hour: u32 = line[11..12].parse().expect("an hour");
    format!("{}0{}{}\n", &line[..11], hour - 1, &line[12..])
}

#[test]
fn files_outside_are_not_even_opened() {
    let scratch = Scratch::new("svlog-skipped");
    log(&scratch, "dns");
    // What is opened for nothing is said.
    scratch.file(&format!("dns/{}.s", label(50)), b"\xfd7zXZ\0");
    scratch.file(&format!("dns/{}.s", label(20_000)), line(15_000, "late"));
    scratch.file(&format!("dns/{}.s", label(30_000)), b"\xfd7zXZ\0");
    let shown = said(&scratch, &["-s", "1970-01-01 02:00", "-u", "1970-01-01 02:10", "./dns"]);
    assert_eq!(shown, seen(3600, "line 6") + &seen(4200, "line 7"));
    let outcome = svlog(&scratch, &["./dns"]).output();
    assert_eq!(outcome.code, 111);
    assert_eq!(outcome.err().matches("compressed by xz").count(), 2, "{}", outcome.err());
}

#[test]
fn since_when_for_several() {
    let scratch = Scratch::new("svlog-several");
    log(&scratch, "dns");
    scratch.file("web/current", line(13_000, "w") + "x\n" + &line(2, "set back") + "y\n");
    let shown = said(&scratch, &["-s", "1970-01-01 04:35", "./dns", "./web"]);
    let expected = [
        format!("web: {}", seen(13_000, "w")),
        "web: x\n".into(),
        format!("dns: {}", seen(13_200, "line 22")),
        format!("dns: {}", seen(13_800, "line 23")),
    ];
    assert_eq!(shown, expected.concat());
}

#[test]
fn logs_without_stamps_go_by_the_names_of_files() {
    let scratch = Scratch::new("svlog-unstamped");
    for (second, text) in [(1000, "a\n"), (2000, "b\n"), (3000, "c\n")] {
        scratch.file(&format!("dns/{}.s", label(second)), text);
    }
    scratch.file("dns/current", "d\n");
    assert_eq!(said(&scratch, &["-s", &label(1500), "./dns"]), "b\nc\nd\n");
    assert_eq!(said(&scratch, &["-u", &label(1500), "./dns"]), "a\nb\n");
    scratch.file("web/current", line(1500, "w"));
    let merged = said(&scratch, &["-t", "./dns", "./web"]);
    assert_eq!(merged, format!("dns: a\ndns: b\nweb: {}dns: c\ndns: d\n", line(1500, "w")));
}

#[test]
fn what_can_not_be_understood_is_said() {
    let scratch = Scratch::new("svlog-unclear");
    for (args, said) in [
        (&["-s", "soon", "x"][..], "svlog: fatal: unable to understand time soon\n"),
        (&["-u", "25:00", "x"], "svlog: fatal: unable to understand time 25:00\n"),
        (&["-n", "few", "x"], "svlog: fatal: unable to understand number few\n"),
    ] {
        let outcome = svlog(&scratch, args).output();
        assert_eq!((outcome.err().as_str(), outcome.code), (said, 100));
    }
    let outcome = svlog(&scratch, &[]).output();
    assert!(outcome.code == 100 && outcome.err().starts_with("svlog: usage: svlog ["));
}
