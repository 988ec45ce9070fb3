//! Finished files that were compressed, by whatever.

use super::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// A log of several files, and what it holds.
fn log(scratch: &Scratch) -> (Vec<String>, String) {
    keep(scratch, &["t", "s4096", "n100", "./dns"], &numbered(400, 30));
    let names = finished(&scratch.join("dns"));
    assert!(names.len() > 5);
    (names, said(scratch, &["./dns"]))
}

fn sh(scratch: &Scratch, script: &str) {
    let outcome = Run::sh(script).cwd(scratch.join("dns")).output();
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0), "{script}");
}

/// Compresses it to that name, and removes it if that is another.
fn zstd(scratch: &Scratch, name: &str, to: &str) {
    let text = fs::read(scratch.join("dns").join(name)).expect("a finished file");
    let compressed = compress_to_vec(&text[..], CompressionLevel::Fastest);
    fs::remove_file(scratch.join("dns").join(name)).expect("removed");
    scratch.file(&format!("dns/{to}"), compressed);
}

#[test]
fn by_name_and_by_what_they_begin_with() {
    let scratch = Scratch::new("svlog-compressed");
    let (names, all) = log(&scratch);
    sh(&scratch, &format!("gzip {}", names[0]));
    sh(&scratch, &format!("gzip <{0} >x && mv x {0}", names[1]));
    zstd(&scratch, &names[2], &format!("{}.zst", names[2]));
    zstd(&scratch, &names[3], &names[3]);
    // With all that gzip can put into a header, and in two pieces.
    sh(
        &scratch,
        &format!("(head -n 3 {0} | gzip -N; tail -n +4 {0} | gzip -9) >x && mv x {0}", names[4]),
    );
    assert_eq!(said(&scratch, &["./dns"]), all);
    // While it is being compressed, a file is there twice.
    sh(&scratch, &format!("gzip -k {0} && truncate -s 20 {0}.gz", names[5]));
    assert_eq!(said(&scratch, &["./dns"]), all);
}

#[test]
fn finished_by_a_processor() {
    let scratch = Scratch::new("svlog-processor");
    let lines = numbered(400, 30);
    keep(&scratch, &["t", "s4096", "n100", "!gzip", "./dns"], &lines);
    let shown = said(&scratch, &["./dns"]);
    let texts: String = shown.lines().map(|line| format!("{}\n", &line[27..])).collect();
    assert_eq!(texts, lines);
}

#[test]
fn what_is_damaged_is_said_and_the_rest_is_shown() {
    let scratch = Scratch::new("svlog-damaged");
    let (names, all) = log(&scratch);
    sh(&scratch, &format!("gzip {0} && truncate -s -9 {0}.gz", names[1]));
    zstd(&scratch, &names[3], &names[3]);
    sh(&scratch, &format!("truncate -s -9 {}", names[3]));
    sh(&scratch, &format!("printf '\\3757zXZ\\0' >{}", names[4]));
    let outcome = svlog(&scratch, &["./dns"]).output();
    let unable = |name: &str, why| format!("svlog: warning: unable to read ./dns/{name}: {why}\n");
    let expected = [
        unable(&format!("{}.gz", names[1]), "damaged"),
        unable(&names[3], "damaged"),
        unable(&names[4], "compressed by xz"),
    ];
    assert_eq!((outcome.err(), outcome.code), (expected.concat(), 111));
    let shown = outcome.out();
    assert_eq!(shown.lines().last(), all.lines().last());
    // What comes before the damage is shown as far as it goes: a line may have lost its end.
    let strange = shown.lines().filter(|shown| !all.lines().any(|line| line == *shown)).count();
    assert!(strange <= 2 && shown.lines().count() > 200, "{strange}");
    // The last lines are beyond all that.
    assert_eq!(svlog(&scratch, &["-n1", "./dns"]).output().code, 0);
}

#[test]
fn within_five_megabytes() {
    let scratch = Scratch::new("svlog-five");
    let text: String = (0..120_000_u32)
        .map(|number| line(u64::from(number), &format!("{:x}", number.wrapping_mul(2_654_435_761))))
        .collect();
    for (directory, second) in [("dns", 200_000), ("web", 300_000)] {
        scratch.file(&format!("{directory}/{}.s", label(second)), &text);
    }
    sh(&scratch, "for f in @*; do gzip <$f >x && mv x $f; done");
    // What zstd asks for when it doesn't know the size, as a processor doesn't: a window of 2 MiB.
    let frame = compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
    let window = |exponent: u8| {
        let mut frame = frame.clone();
        assert_eq!(frame[4] & 0x20, 0, "a header with a window");
        frame[5] = (exponent - 10) << 3;
        frame
    };
    let name = format!("web/{}.s", label(300_000));
    scratch.file(&name, window(21));
    let limited = |args: &str| {
        let (softlimit, svlog) = (program("softlimit"), program("svlog"));
        let command = format!("{} -m 5000000 {} -tq {args}", softlimit.display(), svlog.display());
        Run::sh(&command).cwd(scratch.path()).output()
    };
    for log in ["./dns", "./web"] {
        let outcome = limited(log);
        assert_eq!((outcome.err(), outcome.code), (String::new(), 0), "{log}");
        assert!(outcome.out() == text, "{log}");
    }
    // 8 MiB, of `zstd -19`: said, and all else is shown.
    scratch.file(&name, window(23));
    scratch.file("web/current", line(400_000, "after"));
    let outcome = limited("./web");
    let expected = format!(
        "svlog: warning: unable to read ./{name}: its window needs more memory than there is\n"
    );
    assert_eq!(
        (outcome.out(), outcome.err(), outcome.code),
        (line(400_000, "after"), expected, 111)
    );
    let outcome = svlog(&scratch, &["-t", "./web"]).output();
    assert!(outcome.code == 0 && outcome.out() == text + &line(400_000, "after"));
}
