//! tai64nlocal's options and files, which the original hasn't.

use crate::Bench;
use std::fs;
use std::time::Duration;
use tests::{Run, program};

const LABEL: &str = "@4000000037c219bf2ef02e94";

/// Types the options behind `tai64nlocal`, gives it the text, and expects this.
fn converts(cases: &[(&str, &str, &str)]) {
    let bench = Bench::new("tai64nlocal");
    for (options, text, expected) in cases {
        bench.scratch.file("text", text);
        let script = format!("TZ=CET-1CEST,M3.5.0,M10.5.0/3 tai64nlocal {options} <../text");
        bench.says(&script, expected, "", 0);
    }
}

#[test]
fn labels_in_other_places() {
    // `L` is a label, and `T` its time.
    let line = |text: &str| text.replace('L', LABEL).replace('T', "1999-08-24 06:04:05.787492500");
    let text = line("x L [L]L\nL\taL L0 L.s\n");
    converts(&[
        ("", &text, &line("x L [L]L\nT\taL L0 L.s\n")),
        ("-a", &text, &line("x T [T]T\nT\taL L0 T.s\n")),
        ("-c 1", &text, &line("x L [L]L\nT\taL L0 L.s\n")),
        ("-c2", &text, &line("x T [L]L\nL\taL L0 L.s\n")),
        ("-c3", &text, &line("x L [T]T\nL\taL L0 L.s\n")),
        ("-c4", &text, &line("x L [L]L\nL\taL L0 T.s\n")),
        ("-c 99", &text, &text),
    ]);
}

#[test]
fn other_zones_and_forms() {
    let text = format!("{LABEL} x\n@4000000037c219bf3b9aca00\n@400000010000000000000001\n");
    let spaced = "1999-08-24 06:04:05.787492500 x\n1999-08-24 06:04:05.1000000000\n\
                  2106-02-07 07:28:06.000000001\n";
    converts(&[
        ("", &text, spaced),
        ("-u", &text, &spaced.replace(" 06:", " 04:").replace(" 07:", " 06:")),
        (
            "-i",
            &text,
            "1999-08-24T06:04:05.787492500+02:00 x\n@4000000037c219bf3b9aca00\n\
             2106-02-07T07:28:06.000000001+01:00\n",
        ),
        (
            "-ui",
            &text,
            "1999-08-24T04:04:05.787492500Z x\n@4000000037c219bf3b9aca00\n\
             2106-02-07T06:28:06.000000001Z\n",
        ),
    ]);
}

#[test]
fn times_become_labels() {
    let there = "@4000000037c219bf00000000";
    converts(&[
        (
            "-r",
            "1999-08-24 06:04:05.787492500 x\nx 1999-08-24 06:04:05\n",
            &format!("{LABEL} x\nx 1999-08-24 06:04:05\n"),
        ),
        ("-ru", "1999-08-24 04:04:05.7874925", LABEL),
        (
            "-r",
            "1999-08-24T04:04:05.787492500Z 1999-08-24T04:04:05Z\n",
            &format!("{LABEL} 1999-08-24T04:04:05Z\n"),
        ),
        (
            "-ra",
            "[1999-08-24T04:04:05Z]x1999-08-23T21:04:05-07:00, 1999-08-24 06:04:05 and 11999-08-24 06:04:05\n",
            &format!("[{there}]x{there}, {there} and @40000049b12ad73f00000000\n"),
        ),
        (
            "-rc2",
            "1999-08-24 06:04:05\n a 1999-08-24 06:04:05\n",
            &format!("1999-08-24 06:04:05\n a {there}\n"),
        ),
        (
            "-r",
            "1999-02-29 00:00:00\n1999-08-24 06:04\n2026-03-29 02:30:00\n",
            "1999-02-29 00:00:00\n1999-08-24 06:04\n2026-03-29 02:30:00\n",
        ),
    ]);
}

/// 2026-10-25: clocks are put back from 3 to 2.
#[test]
fn the_hour_that_there_is_twice() {
    let summer = "@400000006add468a00000000\n";
    let winter = "@400000006add549a00000000\n";
    let (spaced, iso) = ("2026-10-25 02:00:00\n", "2026-10-25T02:00:00.000000000");
    converts(&[
        ("-r", spaced, summer),
        (
            "-r",
            &format!("2026-10-25 02:30:00\n{spaced}"),
            &format!("@400000006add4d9200000000\n{winter}"),
        ),
        ("-i", &format!("{summer}{winter}"), &format!("{iso}+02:00\n{iso}+01:00\n")),
        (
            "-r",
            &format!("{iso}+02:00\n{iso}+01:00\n{iso}+02:00\n"),
            &format!("{summer}{winter}{summer}"),
        ),
    ]);
}

#[test]
fn wrong_options_are_said() {
    let bench = Bench::new("tai64nlocal");
    let usage = "tai64nlocal: usage: tai64nlocal [ -aiur ] [ -c field ] [ file ... ]\n";
    for options in ["-c 0", "-c x", "-c1x"] {
        bench.says(&format!("tai64nlocal {options}"), "", usage, 100);
    }
    bench.says("tai64nlocal -z", "", &format!("tai64nlocal: illegal option -- z\n{usage}"), 100);
    let missing = format!("tai64nlocal: option requires an argument -- c\n{usage}");
    bench.says("tai64nlocal -ac", "", &missing, 100);
}

#[test]
fn files_one_after_the_other() {
    let bench = Bench::new("tai64nlocal");
    let make = format!(
        "export TZ=UTC; echo '{LABEL} a' >@1.s; printf '{LABEL} b' >current; printf '{LABEL}' >@2.s; : >empty"
    );
    let time = "1999-08-24 04:04:05.787492500";
    bench.says(
        &format!("{make}; tai64nlocal @*.s current"),
        &format!("{time} a\n{time}\n{time} b"),
        "",
        0,
    );
    bench.says(
        &format!("{make}; echo '{LABEL} c' | tai64nlocal current empty - -- empty @1.s; echo $?"),
        &format!("{time} b\n{time} c\n{time} a\n111\n"),
        "tai64nlocal: warning: unable to read --: file does not exist\n",
        0,
    );
    bench.says(
        &format!("{make}; mkdir d; tai64nlocal d nosuch @1.s; echo $?; tai64nlocal - @1.s <&-"),
        &format!("{time} a\n111\n{time} a\n"),
        "tai64nlocal: warning: unable to read d: is a directory\n\
         tai64nlocal: warning: unable to read nosuch: file does not exist\n\
         tai64nlocal: warning: unable to read standard input: file descriptor not open\n",
        111,
    );
    bench.says(&format!("{make}; tai64nlocal @1.s @1.s >/dev/full"), "", "", 111);
    bench.says(&format!("{make}; mv -- @1.s -i; tai64nlocal -- -i"), &format!("{time} a\n"), "", 0);
}

/// With options, too, what has come is passed on before more is read; only what may be a label waits.
#[test]
fn nothing_is_delayed() {
    let mut child = Run::new(program("tai64nlocal")).args(["-ua"]).spawn();
    child.write(format!("half a line [{LABEL}").as_bytes());
    child.expect("half a line [");
    child.write(b"]");
    child.expect("[1999-08-24 04:04:05.787492500]");
    child.close();
    assert_eq!(child.wait(Duration::from_secs(20)).code, 0);

    let mut child = Run::new(program("tai64nlocal")).args(["-ru"]).spawn();
    child.write(b"1999-08-24 04:04:05.787492500");
    child.write(b" a\n1999-08-24 0");
    child.expect(&format!("{LABEL} a\n"));
    child.write(b"x");
    child.expect("1999-08-24 0x");
    child.close();
    assert_eq!(child.wait(Duration::from_secs(20)).code, 0);
}

/// Nor does anything that goes on for ever take memory, or more time than its bytes.
#[test]
fn endless_lines_take_no_memory() {
    let bench = Bench::new("tai64nlocal");
    for (options, byte) in [
        ("-a", "@"),
        ("-a", "0"),
        ("-ra", "1"),
        ("-r", "1"),
        ("-c2", "x"),
        ("-c2", " "),
        ("-rc1", "-"),
    ] {
        let script = format!(
            "head -c 5000000 /dev/zero | tr '\\0' '{byte}' >in; (ulimit -v 4000; tai64nlocal {options} <in) | cmp - in"
        );
        bench.says(&script, "", "", 0);
    }
}

/// A log, its times in both forms, and back.
#[test]
fn a_log_and_back() {
    let bench = Bench::new("tai64nlocal");
    let log: String = (0..20_000_u64)
        .map(|line| {
            format!(
                "@{:016x}{:08x} {line}\n",
                (1 << 62) + 1_700_000_000 + line * line,
                line * 49_999
            )
        })
        .collect();
    let path = bench.scratch.file("log", &log);
    for script in [
        "tai64nlocal ../log | tai64nlocal -r",
        "TZ=AEST-10AEDT,M10.1.0,M4.1.0/3 tai64nlocal -i ../log | tai64nlocal -r",
        "tai64nlocal -ui ../log | TZ=AAA3 tai64nlocal -r",
        "tai64nlocal -u ../log | TZ=AAA3 tai64nlocal -ru",
        "sed 's/^/x /' ../log | tai64nlocal -c2 | tai64nlocal -rc2 | sed 's/^x //'",
        "sed 's/^/<x>/' ../log | tai64nlocal -ai | tai64nlocal -ra | sed 's/^<x>//'",
    ] {
        let script = format!("export TZ=XXX3:30; {script} >back; cmp back ../log");
        bench.says(&script, "", "", 0);
    }
    assert_eq!(fs::read_to_string(path).expect("the log"), log);
}
