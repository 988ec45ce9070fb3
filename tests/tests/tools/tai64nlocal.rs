//! tai64nlocal without options, beside Debian's. Its time zones are in `zones`, its options in `times`.

use crate::Bench;
use std::time::Duration;
use tests::{Run, both, program};

#[test]
fn lines_with_and_without_labels() {
    let scripts: Vec<String> = [
        "@4000000037c219bf2ef02e94 mark\\n",
        "@4000000037c219bf2ef02e94\\n",
        "@4000000037c219bf2ef02e94\\n\\n@4000000037c219c02ef02e94 \\0 \\n",
        "@4000000037c219bf2ef02e94@4000000037c219bf2ef02e94\\n",
        "@4000000037c219bf2ef02e94G\\n",
        "@4000000037c219bfffffffff x\\n",
        "@4000000037c219bf00000000 x\\n",
        "@4000000037c219bf3b9aca00 x\\n",
        "@400000000000000a00000000 x\\n",
        "@400000000000000900000000 x\\n",
        "@400000000000000000000000 x\\n",
        "@3fffffffffffffff00000000 before 1970\\n",
        "@3ffffff18868a38000000000 the year 0\\n",
        "@400000010000000000000001 beyond 32 bits\\n",
        "@40000fffffffffff00000001 a far year\\n",
        "no label\\nnone @4000000037c219bf2ef02e94 either\\n @4000000037c219bf2ef02e94\\n",
        "",
        "\\n",
        "\\0\\377\\n",
        "no newline",
    ]
    .iter()
    .map(|text| format!("export TZ=EST5EDT; printf '%b' '{text}' | tai64nlocal | od -c"))
    .collect();
    let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
    Bench::new("tai64nlocal").agree(&scripts);
}

#[test]
fn trouble_is_silent() {
    Bench::new("tai64nlocal").agree(&[
        "tai64nlocal </",
        "tai64nlocal <&-",
        "tai64nlocal </dev/null >&-",
        "echo x | tai64nlocal >&-",
        "echo x | tai64nlocal >/dev/full",
        "seq 1 100000 | (tai64nlocal; echo $? >&2) | head -n 1 | cut -c1",
        "head -c 300000 /dev/zero | tr '\\0' x | tai64nlocal | cksum",
        "seq 1 100000 | tai64nlocal | cksum",
    ]);
}

/// Whatever begins like a label and is none goes through as it is; Debian's crashes.
#[test]
fn what_is_no_label_is_left_alone() {
    let bench = Bench::new("tai64nlocal");
    for line in [
        "@",
        "@ x",
        "@xyz",
        "@@4000000037c219bf2ef02e94",
        "@4000000037c219bf2ef02e9",
        "@4000000037c219bf 2ef02e94 x",
        "@4000000037C219BF2EF02E94 upper case",
        "@000000000000000000000000 long before",
        "@3fffff000000000000000000 before the year 0",
        "@7fffffffffffffffffffffff long after",
        "@ffffffffffffffffffffffff the same",
    ] {
        let script = format!("echo '{line}' | TZ=UTC tai64nlocal");
        bench.says(&script, &format!("{line}\n"), "", 0);
        if let Some(debians) = bench.debians(&script) {
            assert_ne!(
                debians.out(),
                format!("{line}\n"),
                "Debian's, from which ours differs: {line}"
            );
        }
    }
    let label = "@4000000037c219bf2ef02e94";
    let text = "1999-08-24 04:04:05.787492500";
    bench.says(&format!("echo {label}12 | TZ=UTC tai64nlocal"), &format!("{text}12\n"), "", 0);
    bench.says(
        &format!("printf @40 | TZ=UTC tai64nlocal; echo; printf {label}"),
        &format!("@40\n{label}"),
        "",
        0,
    );
}

/// What has come is passed on before more is read; only the beginning of a label waits for its end.
#[test]
fn nothing_is_delayed() {
    for (whose, tai64nlocal) in both("tai64nlocal") {
        let mut child = Run::new(tai64nlocal).env("TZ", "UTC").spawn();
        child.write(b"half a line");
        child.expect("half a line");
        child.write(b"\n@4000000037c219bf2ef0");
        child.expect("half a line\n");
        child.write(b"2e94 x");
        child.expect("\n1999-08-24 04:04:05.787492500 x");
        child.write(b"\n");
        child.close();
        assert_eq!(child.wait(Duration::from_secs(20)).code, 0, "{whose}");
    }
}

/// A log of 4 MB, with lines of every length, so that labels lie across all that is read at once.
#[test]
fn a_log_of_many_lines() {
    let mut log = String::new();
    let mut random: u64 = 20_261_123;
    let mut nanoseconds: u64 = 0;
    while log.len() < 4_000_000 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        nanoseconds += random % 3_000_000_000;
        let seconds = (1 << 62) + 10 + 1_000_000_000 + nanoseconds / 1_000_000_000;
        let line = "line ".repeat(usize::try_from(random >> 7 & 15).expect("small"));
        let line = if random >> 20 & 1023 == 0 { line.repeat(500) } else { line };
        let label = format!("@{seconds:016x}{:08x}", nanoseconds % 1_000_000_000);
        log +=
            &if random >> 11 & 7 == 0 { format!("{line}\n") } else { format!("{label} {line}\n") };
    }
    let converted = |program| {
        Run::new(program)
            .env("TZ", "EST5EDT")
            .stdin(&*log)
            .deadline(Duration::from_secs(60))
            .output()
    };
    let mut told: Vec<Vec<u8>> = Vec::new();
    for (whose, tai64nlocal) in both("tai64nlocal") {
        let outcome = converted(tai64nlocal);
        assert_eq!((outcome.code, outcome.err()), (0, String::new()), "{whose}");
        told.push(outcome.stdout);
    }
    assert!(told.iter().all(|other| *other == told[0]), "they differ");
}

#[test]
fn endless_lines_take_no_memory() {
    let script = "ulimit -v 4000; head -c 50000000 /dev/zero | \"$0\" | cksum; head -c 50000000 /dev/zero | cksum";
    let outcome = Run::sh(script).arg(program("tai64nlocal")).output();
    let out = outcome.out();
    let (ours, plain) = out.split_once('\n').expect("two lines");
    assert_eq!(ours, plain.trim_end(), "{}", outcome.err());
}
