//! `+` and `-`, simple ones beside Debian's and `F` beside the C library's fnmatch(3).

use crate::{Dice, fed, same};
use std::path::Path;
use tests::{Run, Scratch, program, record_skip, text};

#[test]
fn simple_patterns_are_debians() {
    let mut dice = Dice(7);
    let lines: Vec<Vec<u8>> = (0..60)
        .map(|_| {
            let mut line = dice.text(b"ab*[ ?", 7);
            line.push(b'\n');
            line
        })
        .collect();
    for _ in 0..80 {
        let pattern = text(&dice.text(b"aab***[ ?", 7));
        same(&["-*", &format!("+{pattern}"), "./d"], &lines);
    }
}

#[test]
fn a_thousand_characters_are_seen() {
    for length in [998, 999, 1000, 1001, 1022] {
        let line = [b"x".repeat(length), b"\n".to_vec()].concat();
        for pattern in ["*y", "*"] {
            same(&["-*", &format!("+{pattern}"), "./d"], std::slice::from_ref(&line));
        }
        for exactly in [999, 1000, 1001] {
            let pattern = format!("+{}", "x".repeat(exactly));
            same(&["-*", &pattern, "./d", "e", "=status"], std::slice::from_ref(&line));
        }
    }
}

/// Asks the C library, by way of Python: a line of `0` and `1` for each pattern.
fn fnmatch(patterns: &[String], texts: &[String]) -> Option<Vec<String>> {
    const SCRIPT: &str = "
import ctypes, sys
libc = ctypes.CDLL(None)
patterns, texts = [list.split('\\n') for list in sys.stdin.read().split('\\0')]
for p in patterns:
    print(''.join(str(int(libc.fnmatch(p.encode(), t.encode(), 0) == 0)) for t in texts))
";
    if !Path::new("/usr/bin/python3").exists() && Run::sh("python3 -c ''").output().code != 0 {
        return None;
    }
    let input = format!("{}\0{}", patterns.join("\n"), texts.join("\n"));
    let outcome = Run::new("python3").args(["-c", SCRIPT]).env("LC_ALL", "C").stdin(input).output();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    Some(outcome.out().lines().map(str::to_owned).collect())
}

#[test]
fn wildcards_are_the_c_librarys() {
    let mut dice = Dice(11);
    let mut texts: Vec<String> = vec![String::new()];
    texts.extend((0..60).map(|_| text(&dice.text(b"aabc]-[!^\\A1 ./", 5))));
    let mut patterns: Vec<String> = [
        "",
        "*",
        "?",
        "[ab]",
        "[!ab]",
        "[^ab]",
        "[a-c]*",
        "[c-a]",
        "[]]",
        "[!]]",
        "[]-a]",
        "[a-]",
        "[-a]",
        "[",
        "[a",
        "[!",
        "[]",
        "\\",
        "\\*",
        "\\a",
        "a\\",
        "[\\]]",
        "[\\a]",
        "[a\\-c]",
        "[[:alpha:]]*",
        "[[:digit:]a]",
        "[[:upper:][:space:]]",
        "[![:alnum:]]",
        "[[:none:]]",
        "[[:alpha]",
        "[[.a.]]",
        "[[=a=]]",
        "[a-[.c.]]",
        "*a*b",
        "*[ab]*c",
        "?*?",
        "**",
        "*.*",
        ".*",
        "*/*",
        "a**b",
    ]
    .map(str::to_owned)
    .to_vec();
    patterns.extend((0..250).map(|_| text(&dice.text(b"aab*?[[]]-!^\\c", 7))));
    let Some(expected) = fnmatch(&patterns, &texts) else {
        return record_skip("no python3 to ask the C library");
    };
    let scratch = Scratch::new("multilog-wildcards");
    // Told apart by their number, which is made part of pattern and text.
    let lines: Vec<u8> = texts.iter().flat_map(|text| format!("{text}\n").into_bytes()).collect();
    let mut wrong = Vec::new();
    for (pattern, expected) in patterns.iter().zip(&expected) {
        let args = ["-*", "F", &format!("+{pattern}"), "./yes"];
        let _ = std::fs::remove_dir_all(scratch.join("yes"));
        let outcome =
            fed(&program("multilog"), &args, std::slice::from_ref(&lines), scratch.path());
        assert_eq!(outcome.code, 0);
        let matched = text(&crate::logged(&scratch.join("yes")));
        let hits = texts.iter().zip(expected.bytes()).filter(|(_, hit)| *hit == b'1');
        let theirs: String = hits.map(|(text, _)| format!("{text}\n")).collect();
        if matched != theirs {
            wrong.push((pattern, matched, theirs));
        }
    }
    assert!(wrong.is_empty(), "pattern, ours, the C library's: {wrong:#?}");
}

#[test]
fn the_mode_holds_for_what_follows() {
    let scratch = Scratch::new("multilog-modes");
    let lines = [b"ab\n".to_vec(), b"[a]b\n".to_vec()];
    let args =
        ["-*", "+[a]b", "./simple", "-*", "F", "+[a]b", "./wild", "-*", "S", "+[a]b", "./again"];
    assert_eq!(fed(&program("multilog"), &args, &lines, scratch.path()).code, 0);
    for (dir, expected) in [("simple", "[a]b\n"), ("wild", "ab\n"), ("again", "[a]b\n")] {
        assert_eq!(text(&crate::logged(&scratch.join(dir))), expected, "{dir}");
    }
}
