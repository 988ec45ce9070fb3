//! tai64n, beside Debian's: all but the stamps, and these against the clock.

use crate::Bench;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tests::{Run, both, program};

/// The output with `<>` for each stamp.
const HIDE: &str = "LC_ALL=C sed 's/^@4[0-9a-f]\\{23\\} /<>/'";

#[test]
fn everything_but_the_stamps() {
    let scripts: Vec<String> = [
        "printf ''",
        "printf 'a\\n'",
        "printf 'no newline'",
        "printf '\\n\\n\\n'",
        "printf 'a\\0b\\0\\n\\0'",
        "printf '\\377\\n'",
        "printf '@400000000000000000000000 x\\n'",
        "head -c 200000 /dev/zero | tr '\\0' x",
        "head -c 100000 /dev/zero | tr '\\0' '\\n'",
        "seq 1 50000",
    ]
    .iter()
    .flat_map(|input| {
        [
            format!("{input} | tai64n | {HIDE} | od -c"),
            format!("{input} | tai64n with arguments | {HIDE} | cksum"),
        ]
    })
    .collect();
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    Bench::new("tai64n").agree(&scripts);
}

#[test]
fn trouble_is_silent() {
    Bench::new("tai64n").agree(&[
        "tai64n </",
        "tai64n <&-",
        "tai64n </dev/null >&-",
        "echo x | tai64n >&-",
        "echo x | tai64n >/dev/full",
        "seq 1 100000 | (tai64n; echo $? >&2) | head -n 1 | cut -c1",
        "env --ignore-signal=PIPE sh -c 'seq 1 1000000 | (tai64n; echo $? >&2) | head -c 1; echo'",
    ]);
}

#[test]
fn endless_lines_take_no_memory() {
    let script = "ulimit -v 4000; head -c 50000000 /dev/zero | \"$0\" | wc -c";
    let outcome = Run::sh(script).arg(program("tai64n")).output();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("50000026\n", ""));
}

/// The stamp is the time of a line's first byte, and what has come is passed on at once, whole line or not.
#[test]
fn a_line_is_stamped_when_it_begins() {
    for (whose, tai64n) in both("tai64n") {
        let mut child = Run::new(tai64n).spawn();
        let before = now();
        child.write(b"first half");
        child.expect("first half");
        let between = now();
        child.write(b", second half\n");
        child.expect("second half\n");
        child.write(b"next\n\n");
        child.expect("next\n");
        child.close();
        let outcome = child.wait(Duration::from_secs(20));
        let text = outcome.out();
        let stamps: Vec<Duration> = text.lines().map(stamp).collect();
        assert_eq!((stamps.len(), outcome.code), (3, 0), "{whose}");
        // Debian's counts microseconds, and puts their middle.
        let slack = Duration::from_micros(1);
        assert!(before <= stamps[0] + slack && stamps[0] <= between + slack, "{whose}");
        assert!(between <= stamps[1] + slack, "{whose}");
        assert!(stamps.is_sorted(), "{whose}: {stamps:?}");
    }
}

/// Lines that were read at once have stamps that differ, and are in order.
#[test]
fn no_two_lines_have_the_same_stamp() {
    let script = "seq 200000 | tai64n | cut -d ' ' -f 1 | LC_ALL=C sort -cu && echo in order";
    Bench::new("tai64n").says(script, "in order\n", "", 0);
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set")
}

/// The time since 1970 of a line's stamp.
fn stamp(line: &str) -> Duration {
    let digits = line.strip_prefix('@').expect("a stamp");
    let number = |digits| u64::from_str_radix(digits, 16).expect("hexadecimal digits");
    assert_eq!(&digits[24..25], " ");
    let seconds = number(&digits[..16]) - (1 << 62) - 10;
    Duration::new(seconds, u32::try_from(number(&digits[16..24])).expect("32 bits"))
}
