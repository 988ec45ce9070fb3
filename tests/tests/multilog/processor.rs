//! Processors: what they are given, what becomes of what they make, and how they fail.

use crate::{SOON, fed, left, logged, same};
use std::fs;
use tests::{Run, Scratch, both, program, text, wait_until};

/// Lines of which each two fill a file.
fn lines(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|number| format!("{number:01000}\n").into_bytes()).collect()
}

#[test]
fn what_it_makes_is_kept_and_its_state_handed_on() {
    for processor in [
        "!cat",
        "!wc -c; cat >&2 <&4; echo run >&5",
        "!tr 0 x; cat <&4 >&5; echo more >&5",
        "!",
        "!exec >&-",
        "!rm -f state; echo x",
    ] {
        let files = same(&["s4096", processor, "./d"], &lines(10));
        assert!(files.iter().any(|(name, ..)| name == "@.s"), "{processor}");
        assert!(files.iter().all(|(name, ..)| name != "previous" && name != "newstate"));
    }
}

/// What the processor tells of its surroundings: compared by `same` through its output.
#[test]
fn what_it_is_given() {
    let report = "!cat >/dev/null; ls /proc/self/fd | tr '\\n' ' '; for fd in 0 1 4 5; do \
        readlink /proc/$$/fd/$fd | sed 's|.*/||'; done; pwd | sed 's|.*/||'; umask; echo $0 $#; \
        grep -E 'Sig(Blk|Ign|Cgt)' /proc/self/status; env -u PWD -u OLDPWD -u _ | sort | grep -v TMP";
    same(&["s4096", report, "./d"], &lines(3));
}

#[test]
fn it_inherits_mask_and_dispositions() {
    for (whose, multilog) in both("multilog") {
        let scratch = Scratch::new("multilog-inherit");
        let script = format!(
            "trap '' INT HUP; exec {} s4096 '!cat >/dev/null; grep SigIgn /proc/self/status' ./d",
            multilog.display()
        );
        let outcome = Run::sh(&script).cwd(scratch.path()).stdin(lines(3).concat()).output();
        assert_eq!(outcome.code, 0);
        let finished = left(&scratch.join("d"))[0].clone();
        let mask = text(&finished.2);
        let mask = u64::from_str_radix(mask.trim_start_matches("SigIgn:").trim(), 16);
        assert_eq!(mask.map(|mask| mask & 3), Ok(3), "{whose}");
    }
}

#[test]
fn one_that_fails_is_run_again() {
    for (processor, said) in [
        ("!test -e ../go || exit 1; cat", "multilog: warning: processor failed in ./d, pausing\n"),
        (
            "!test -e ../go || kill -9 $$; cat",
            "multilog: warning: processor crashed in ./d, pausing\n",
        ),
    ] {
        let scratch = Scratch::new("multilog-fails");
        let mut child = Run::new(program("multilog"))
            .args(["s4096", processor, "./d"])
            .cwd(scratch.path())
            .spawn();
        child.write(&lines(4).concat());
        child.close();
        child.expect_stderr(said);
        assert_eq!(left(&scratch.join("d")).iter().filter(|(name, ..)| name == "@.s").count(), 0);
        scratch.file("go", "");
        let outcome = child.wait(SOON);
        assert_eq!((outcome.err().as_str(), outcome.code), (said, 0));
        assert!(logged(&scratch.join("d")) == lines(4).concat());
    }
}

#[test]
fn no_shell_no_processor_and_nothing_lost() {
    tests::alone!();
    let scratch = Scratch::new("multilog-no-shell");
    scratch.copy("multilog", &program("multilog"));
    let nothing = fs::canonicalize("/bin/sh").expect("a shell");
    // The shell can't be run any more, until something else is there in its place.
    let dev_null = Some(std::path::Path::new("/dev/null"));
    let bind = nix::mount::MsFlags::MS_BIND;
    nix::mount::mount(dev_null, &nothing, None::<&str>, bind, None::<&str>).expect("hidden");
    let mut child = Run::new(scratch.join("multilog"))
        .args(["s4096", "!cat", "./d"])
        .cwd(scratch.path())
        .spawn();
    child.write(&lines(4).concat());
    child.close();
    child
        .expect_stderr("multilog: warning: unable to run /bin/sh in ./d, pausing: access denied\n");
    nix::mount::umount(&nothing).expect("shown");
    assert_eq!(child.wait(SOON).code, 0);
    assert!(logged(&scratch.join("d")) == lines(4).concat());
}

#[test]
fn without_a_processor_no_shell_is_needed() {
    let scratch = Scratch::new("multilog-plain");
    let outcome = fed(&program("multilog"), &["s4096", "./d"], &lines(8), scratch.path());
    assert_eq!((outcome.err(), outcome.code), (String::new(), 0));
    wait_until("all files", SOON, || left(&scratch.join("d")).len() >= 3);
}
