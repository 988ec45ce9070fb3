//! What svc sends, and what it says when it can't.

use super::*;

/// What `svc ARGS` writes into the control FIFO.
fn letters(svc: &Path, args: &[&str]) -> (Outcome, Vec<u8>) {
    let scratch = Scratch::new("svc-letters");
    let mut control = fifo(&scratch.join(CONTROL));
    let outcome = Run::new(svc).args(args).cwd(scratch.path()).output();
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut control, &mut bytes);
    (outcome, bytes)
}

#[test]
fn svc_sends_its_letters_in_order_each_once() {
    let cases: [(&[&str], &[u8]); 9] = [
        (&["-u", "s"], b"u"),
        (&["-dx", "s"], b"dx"),
        (&["-ox", "s"], b"ox"),
        (&["-x", "-o", "s"], b"xo"),
        (&["-udopchaitkx", "s"], b"udopchaitkx"),
        (&["-xktiahcpodu", "-udu", "s"], b"xktiahcpodu"),
        (&["-uduu", "-d", "--", "s"], b"ud"),
        (&["s"], b""),
        (&["-u", "s", "s/../s", "./s"], b"uuu"),
    ];
    for (args, expected) in cases {
        for (whose, svc) in both("svc") {
            let (outcome, bytes) = letters(&svc, args);
            assert_eq!(bytes, expected, "{whose} {args:?}");
            assert_eq!((outcome.err().as_str(), outcome.code), ("", 0), "{whose} {args:?}");
        }
    }
}

#[test]
fn svc_warns_of_what_it_cannot_reach_and_goes_on() {
    let scratch = Scratch::new("svc-warns");
    let mut control = fifo(&scratch.join(CONTROL));
    scratch.dir("never");
    drop(fifo(&scratch.join("ended/supervise/control")));
    scratch.file("file", "");
    let outcome = agreed(&scratch, "svc", &["-d", "gone", "never", "ended", "file", "s"]);
    assert_eq!(
        outcome.err(),
        "svc: warning: unable to chdir to gone: file does not exist\n\
         svc: warning: unable to control never: file does not exist\n\
         svc: warning: unable to control ended: supervise not running\n\
         svc: warning: unable to chdir to file: not a directory\n"
    );
    assert_eq!((outcome.out().as_str(), outcome.code), ("", 0));
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut control, &mut bytes);
    assert_eq!(bytes, vec![b'd'; both("svc").len()]);
}

#[test]
fn svc_refuses_letters_that_it_does_not_know() {
    let scratch = Scratch::new("svc-refuses");
    for args in [&["-Z"][..], &["-uZ", "s"], &["-u-", "s"], &["-y", "s"]] {
        let ours = svc(&scratch, args);
        assert_eq!(ours.code, 100);
        assert!(ours.err().starts_with("svc: illegal option -- "), "{}", ours.err());
        // 0.76's lines come first, to the byte.
        if let Some(debian) = tests::debian("svc") {
            let theirs = Run::new(debian).args(args).cwd(scratch.path()).output();
            assert!(ours.err().starts_with(&theirs.err()), "{}", ours.err());
            assert_eq!(theirs.code, 100);
        }
        assert!(ours.err().contains("\nsvc options: q quit, 1 usr1, "), "{}", ours.err());
        assert!(ours.err().ends_with(", T timeout\n"), "{}", ours.err());
    }
    for args in [&[][..], &["-u"], &["--"]] {
        let outcome = agreed(&scratch, "svc", args);
        assert_eq!((outcome.err().as_str(), outcome.code), ("", 0));
    }
}

#[test]
fn svc_refuses_what_makes_no_sense() {
    let scratch = Scratch::new("svc-nonsense");
    let mut control = fifo(&scratch.join(CONTROL));
    let _ok = fifo(&scratch.join(OK));
    for (args, said) in [
        (&["--u", "s"][..], "svc: illegal option -- u\n"),
        (&["--down=1", "s"], "svc: option takes no argument -- down\n"),
        (&["-u", "--wait"], "svc: option requires an argument -- wait\n"),
        (&["-W", "there", "s"], "svc: fatal: unable to understand state there\n"),
        (&["-u", "-Tsoon", "s"], "svc: fatal: unable to understand time soon\n"),
        (&["-D", "-U", "s"], "svc: fatal: unable to wait for two states at once\n"),
    ] {
        let outcome = svc(&scratch, args);
        assert!(outcome.err().starts_with(said), "{}", outcome.err());
        assert_eq!(outcome.code, 100, "{args:?}");
    }
    let mut bytes = Vec::new();
    let _ = std::io::Read::read_to_end(&mut control, &mut bytes);
    assert_eq!(bytes, b"", "nothing is sent by an order that makes no sense");
}

#[test]
fn svc_sends_encores_letters_in_order() {
    for (args, expected) in [
        (&["-q12w", "s"][..], &b"q12w"[..]),
        (&["-+t=u", "s"], b"+t=u"),
        (&["-+k", "s"], b"+k="),
        (&["-dxLd", "s"], b"dxLdl"),
        (&["-Ldld", "s"], b"Ldld"),
        (&["-E", "s"], b"E"),
        (&["--upgrade", "s"], b"E"),
        (&["-u", "--", "s"], b"u"),
    ] {
        let (outcome, bytes) = letters(&program("svc"), args);
        assert_eq!(bytes, expected, "{args:?}");
        assert_eq!((outcome.err().as_str(), outcome.code), ("", 0), "{args:?}");
    }
}

#[test]
fn svc_explains_a_missing_supervise_to_people_only() {
    let scratch = Scratch::new("svc-explains");
    scratch.dir("never");
    let plain = agreed(&scratch, "svc", &["-u", "never"]);
    assert_eq!(plain.err(), "svc: warning: unable to control never: file does not exist\n");
    let command =
        format!("cd {} && {} -u never", scratch.path().display(), program("svc").display());
    let terminal = Run::new("script").args(["-qec", &command, "/dev/null"]).output();
    let lines: Vec<_> = terminal.out().lines().map(|line| line.trim_end().to_owned()).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0], "svc: warning: unable to control never: file does not exist");
    assert!(lines[1].contains("svscan starts one"), "{lines:?}");
    assert_eq!(terminal.code, 0);
}

#[test]
fn svc_never_hangs_on_a_control_fifo_that_is_full() {
    let scratch = Scratch::new("svc-full");
    let path = scratch.join(CONTROL);
    let _reader = fifo(&path);
    let flags = OFlag::O_NONBLOCK.bits();
    let mut writer =
        OpenOptions::new().write(true).custom_flags(flags).open(&path).expect("open for writing");
    while std::io::Write::write(&mut writer, &[0; 4096]).is_ok() {}
    while std::io::Write::write(&mut writer, &[0; 1]).is_ok() {}
    let run = Run::new(program("svc")).args(["-u", "s"]).cwd(scratch.path());
    let outcome = run.deadline(Duration::from_secs(10)).output();
    assert_eq!(outcome.err(), "svc: warning: unable to control s: temporary failure\n");
    assert_eq!(outcome.code, 0);
}
