//! setuser and envini, which daemontools-encore added: nothing to compare with, so each case says what is to come.

use crate::Bench;
use std::fs;
use tests::{Run, Scratch, alone, is_root, skip};

#[test]
fn setuser_usage_and_trouble() {
    let bench = Bench::new("setuser");
    let usage = "setuser: usage: setuser account child\n";
    bench.says("setuser", "", usage, 100);
    bench.says("setuser root", "", usage, 100);
    bench.says(
        "setuser nosuchaccount true",
        "",
        "setuser: fatal: unknown account nosuchaccount\n",
        111,
    );
    bench.says("setuser 0 true", "", "setuser: fatal: unknown account 0\n", 111);
    if is_root() {
        let missing = "setuser: fatal: unable to run nosuch: file does not exist\n";
        bench.says("setuser root nosuch", "", missing, 111);
        let refused = "setuser: fatal: unable to setgid: permission denied\n";
        bench.says("setpriv --reuid 1 --clear-groups setuser daemon true", "", refused, 111);
    }
}

/// With accounts of the test's own.
#[test]
fn setuser_is_the_account_through_and_through() {
    if !is_root() {
        skip!("only root may take an account's ids");
    }
    alone!();
    let scratch = Scratch::new("setuser-accounts");
    let home = scratch.dir("home");
    let passwd = format!(
        "root:x:0:0::/root:/bin/sh\nalice:x:1000:100::{0}:/bin/ash\nbob:x:1001:100::{0}:\n\
         lost:x:1002:100::/nowhere:/bin/sh\nnone:x:1003:100:::/bin/sh\n",
        home.display()
    );
    let passwd = scratch.file("passwd", passwd);
    let group =
        scratch.file("group", "root:x:0:\nusers:x:100:\nlog:x:7:bob,alice\nsrc:x:40:alice\n");
    let nsswitch = scratch.file("nsswitch.conf", "passwd: files\ngroup: files\n");
    for (file, name) in [(&passwd, "passwd"), (&group, "group"), (&nsswitch, "nsswitch.conf")] {
        let mount = Run::new("mount").arg("--bind").arg(file).arg(format!("/etc/{name}")).output();
        assert_eq!(mount.code, 0, "{}", mount.err());
    }
    let bench = Bench::new("setuser");
    let home = home.display();
    bench.says(
        "USER=root A=1 setuser alice env -u PATH",
        &format!(
            "A=1\nPWD={}\nHOME={home}\nSHELL=/bin/ash\nUSER=alice\nGID=100\nUID=1000\n",
            bench.scratch.join("work").display()
        ),
        "",
        0,
    );
    bench.says("setuser bob sh -c 'echo $SHELL; pwd -P'", &format!("/bin/sh\n{home}\n"), "", 0);
    bench.says(
        "setpriv --groups 4,5 setuser alice grep -E '^(Uid|Gid|Groups)' /proc/self/status",
        "Uid:\t1000\t1000\t1000\t1000\nGid:\t100\t100\t100\t100\nGroups:\t7 40 100 \n",
        "",
        0,
    );
    let private = format!("setuser: fatal: unable to chdir to {home}: access denied\n");
    let ordinary = "setpriv --reuid 1 --clear-groups setuser alice true";
    bench.says(&format!("chmod 700 {home}; {ordinary}"), "", &private, 111);
    let lost = "setuser: fatal: unable to chdir to /nowhere: file does not exist\n";
    bench.says("setuser lost true", "", lost, 111);
    let none = "setuser: fatal: unable to chdir to : file does not exist\n";
    bench.says("setuser none true", "", none, 111);
}

#[test]
fn envini_usage_and_trouble() {
    let bench = Bench::new("envini");
    let usage = "envini: usage: envini [ -p prefix ] inifile child\n";
    bench.says("envini", "", usage, 100);
    bench.says("envini file", "", usage, 100);
    bench.says("envini -p P", "", usage, 100);
    bench.says("envini -p P file", "", usage, 100);
    bench.says("envini -z file true", "", &format!("envini: illegal option -- z\n{usage}"), 100);
    let unable = |what: &str| format!("envini: fatal: unable to {what}\n");
    bench.says("envini nosuch true", "", &unable("read nosuch: file does not exist"), 111);
    bench.says("mkdir d; envini d true", "", &unable("read d: is a directory"), 111);
    bench.says("envini /dev/zero true", "", &unable("read /dev/zero: file too big"), 111);
    bench.says(": > f; envini f nosuch", "", &unable("run nosuch: file does not exist"), 111);
    bench.says(
        "(echo x=; head -c 200000 /dev/zero | tr '\\0' x) | tr -d '\\n' > f; envini f true",
        "",
        &unable("run true: argument list too long"),
        111,
    );
    bench.says("mkfifo f; envini f echo ran", "ran\n", "", 0);
}

#[test]
fn envini_sets_what_the_file_says() {
    let bench = Bench::new("envini");
    let shown = |file: &str, options: &str| {
        bench.scratch.file("file.ini", file);
        let script = format!("X=old envini {options} ../file.ini env -0 | tr '\\0' '|'");
        let outcome = bench.ours(&script);
        assert_eq!((outcome.code, outcome.err()), (0, String::new()));
        let work = fs::canonicalize(bench.scratch.join("work")).expect("work");
        let shown = outcome.out().replace(&format!("PWD={}|", work.display()), "");
        shown.split_once("PATH=").map_or(shown.clone(), |(before, rest)| {
            format!("{before}{}", rest.split_once('|').map_or("", |(_, rest)| rest))
        })
    };
    for (file, options, expected) in [
        ("", "", "X=old|"),
        ("A=1\nB = 2 \n\tC\t=\t3\t\n", "", "X=old|A=1|B=2|C=3|"),
        ("[s]\nA=1\n[t]\nA=2\n[]\nA=3", "", "X=old|s_A=1|t_A=2|A=3|"),
        ("X=new\n", "", "X=new|"),
        ("X=\n", "", "X=|"),
        ("X\n", "", "X=old|"),
        ("; A=1\n# A=2\nA=3 ; x # y\n", "", "X=old|A=3 ; x # y|"),
        ("A=1\r\n[s]\r\nB=2\r\n", "", "X=old|A=1|s_B=2|"),
        ("A=1\n[s]\nB=2\n", "-p P_", "X=old|P_A=1|P_s_B=2|"),
        ("A=1\n", "-pP_", "X=old|P_A=1|"),
        ("A=1\n", "-pP -p Q --", "X=old|QA=1|"),
        ("X=new\n", "-p P", "X=old|PX=new|"),
        ("A=a\0b\n", "", "X=old|A=a\nb|"),
        ("=1\na b=1\n[a=b]\nc=1\n", "", "X=old|"),
        ("A='quoted \"value\"'", "", "X=old|A='quoted \"value\"'|"),
    ] {
        assert_eq!(shown(file, options), expected, "{file:?} {options}");
    }
}

#[test]
fn envini_finds_the_program_where_it_was_started() {
    let bench = Bench::new("envini");
    bench.says("echo PATH=/nosuch > f; envini f sh -c 'echo $PATH'", "/nosuch\n", "", 0);
    // A pipe is read to its end, even if its writer takes its time.
    let script = "mkfifo p; (echo A=1; read x < p; echo B=2) | envini /dev/stdin sh -c 'echo $A$B' & \
                  echo > p; wait";
    bench.says(script, "12\n", "", 0);
}
