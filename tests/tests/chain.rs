//! softlimit, setuidgid, envuidgid and envdir, side by side with Debian's: what they say, how they end, and all that
//! the program that they run inherits.

use std::fs;
use std::os::unix::fs::symlink;
use tests::{Outcome, Run, Scratch, alone, debian, program};

const PROGRAMS: [&str; 4] = ["softlimit", "setuidgid", "envuidgid", "envdir"];

/// Where a script finds the programs: one path for ours and for Debian's, so that nothing else differs.
struct Bench {
    scratch: Scratch,
}

impl Bench {
    fn new(name: &str) -> Bench {
        Bench { scratch: Scratch::new(name) }
    }

    fn ours(&self, script: &str) -> Outcome {
        self.run(script, |name| Some(program(name))).expect("ours are there")
    }

    fn debians(&self, script: &str) -> Option<Outcome> {
        self.run(script, debian)
    }

    fn run(
        &self,
        script: &str,
        find: impl Fn(&str) -> Option<std::path::PathBuf>,
    ) -> Option<Outcome> {
        let (bin, work) = (self.scratch.join("bin"), self.scratch.join("work"));
        for dir in [&bin, &work] {
            let _ = fs::remove_dir_all(dir);
            fs::create_dir(dir).expect("make a directory");
        }
        for name in PROGRAMS {
            symlink(find(name)?, bin.join(name)).expect("link a program");
        }
        let path = format!("{}:/usr/bin:/bin", bin.display());
        Some(Run::sh(script).env_clear().env("PATH", path).cwd(work).output())
    }

    /// Each script does the same with ours and with Debian's.
    fn agree(&self, scripts: &[&str]) {
        for script in scripts {
            let ours = self.ours(script);
            let Some(debians) = self.debians(script) else { return };
            assert_eq!(
                (ours.out(), ours.err(), ours.code),
                (debians.out(), debians.err(), debians.code),
                "ours and Debian's: {script}"
            );
        }
    }

    /// Ours does this with the script, and Debian's that.
    fn differ(&self, script: &str, ours: (&str, &str, i32), debians: (&str, &str, i32)) {
        let told = |outcome: Outcome| (outcome.out(), outcome.err(), outcome.code);
        let text = |(out, err, code): (&str, &str, i32)| (out.to_owned(), err.to_owned(), code);
        assert_eq!(told(self.ours(script)), text(ours), "ours: {script}");
        if let Some(outcome) = self.debians(script) {
            assert_eq!(told(outcome), text(debians), "Debian's, from which ours differs: {script}");
        }
    }
}

#[test]
fn usage() {
    Bench::new("usage").agree(&[
        "softlimit",
        "softlimit -m",
        "softlimit -m 5000000",
        "softlimit -z true",
        "softlimit -o 99 -z true",
        "softlimit -o99z true",
        "softlimit -h",
        "softlimit --help",
        "softlimit -- true",
        "softlimit --m 3 true",
        "softlimit - true",
        "softlimit -",
        "/usr/bin/env softlimit -: true",
        "setuidgid",
        "setuidgid root",
        "setuidgid '' true",
        "setuidgid -x root true",
        "setuidgid -- root true",
        "setuidgid 0 true",
        "envuidgid",
        "envuidgid root",
        "envuidgid nosuchaccount true",
        "envuidgid root:x true",
        "envuidgid -s true",
        "envdir",
        "envdir .",
        "envdir -- . true",
        "envdir '' true",
        "envdir nosuch true",
        "envdir /etc/passwd true",
        "envdir /etc/passwd/x true",
        "ln -s l l; envdir l true",
    ]);
}

#[test]
fn limits() {
    Bench::new("limits").agree(&[
        "softlimit -a 50000000 cat /proc/self/limits",
        "softlimit -c 1234567 cat /proc/self/limits",
        "softlimit -d 123456789 cat /proc/self/limits",
        "softlimit -f 1234567 cat /proc/self/limits",
        "softlimit -l 12345 cat /proc/self/limits",
        "softlimit -m 50000000 cat /proc/self/limits",
        "softlimit -o 77 cat /proc/self/limits",
        "softlimit -p 12345 cat /proc/self/limits",
        "softlimit -r 1234567 cat /proc/self/limits",
        "softlimit -s 1234567 cat /proc/self/limits",
        "softlimit -t 1000 cat /proc/self/limits",
        "softlimit -o77 -t99 -c0 cat /proc/self/limits",
        "softlimit -m 50000000 -s 3000000 -l0 cat /proc/self/limits",
        "softlimit -s 3000000 -m 50000000 cat /proc/self/limits",
        "softlimit -o 50 -o 60 cat /proc/self/limits",
        "softlimit -o 60 -o 50 cat /proc/self/limits",
        "softlimit -o 50 softlimit -o= cat /proc/self/limits",
        "softlimit -o 50 softlimit -o 999999999 cat /proc/self/limits",
        "ulimit -Hn 60; softlimit -o 70 cat /proc/self/limits",
        "softlimit -m= cat /proc/self/limits",
        "softlimit -m = cat /proc/self/limits",
        "softlimit -a= -c= -d= -f= -l= -o= -p= -r= -s= -t= cat /proc/self/limits",
        "softlimit -m 18446744073709551615 cat /proc/self/limits",
        "softlimit -c 18446744073709551614 cat /proc/self/limits",
        "softlimit -o 007 sh -c 'ulimit -n'",
        "softlimit -c '' cat /proc/self/limits",
        "softlimit -o 5x true",
        "softlimit -o x true",
        "softlimit -o -1 true",
        "softlimit -o +5 true",
        "softlimit -o ' 5' true",
        "softlimit -o == true",
        "softlimit -o =5 true",
        "softlimit -o 0x10 true",
        "softlimit -m=100 true",
    ]);
}

#[test]
fn limits_that_leave_no_room() {
    Bench::new("no-room").agree(&[
        "exec softlimit -m 0 true",
        "exec softlimit -s 0 true",
        "exec softlimit -a 1 true",
        "exec softlimit -a 1 nosuch",
        "exec softlimit -m 0 nosuch",
        "exec softlimit -o 0 nosuch",
        "exec softlimit -d 0 /bin/true",
        "exec softlimit -f 0 sh -c 'echo x > file'",
        "softlimit -t 1 sh -c 'ulimit -t'",
        "softlimit -m 5000000 softlimit -m 4000000 true",
    ]);
}

#[test]
fn the_search_for_the_program() {
    const PLACES: &str = "mkdir ok noexec isdir isdir/prog loop bad
        printf '#!/bin/sh\\necho ran $0 $1\\n' > ok/prog; cp ok/prog noexec; chmod +x ok/prog
        ln -s prog loop/prog; echo garbage > bad/prog; chmod +x bad/prog; : > file; S=$(command -v softlimit); ";
    let bench = Bench::new("search");
    for path in [
        "ok",
        "none:ok",
        "noexec:ok",
        "noexec",
        "noexec:none",
        "noexec:file",
        "isdir:ok",
        "isdir",
        "file:ok",
        "loop:ok",
        "bad:ok",
        "",
        ":ok",
        "ok:",
        "none::none",
    ] {
        bench.agree(&[
            &format!("{PLACES} PATH={path} $S prog arg"),
            &format!("{PLACES} cd ok; PATH={path} $S prog arg"),
        ]);
    }
    for name in [
        "''",
        ".",
        "..",
        "/",
        "ok",
        "./ok",
        "ok/prog",
        "file/x",
        "/etc/passwd",
        "bad/prog",
        "./none",
        "loop/prog",
    ] {
        bench.agree(&[&format!("{PLACES} softlimit {name}")]);
    }
    bench.agree(&[
        &format!("{PLACES} unset PATH; $S prog"),
        &format!("{PLACES} unset PATH; $S true"),
        &format!("{PLACES} cd ok; unset PATH; $S prog"),
        "envuidgid root nosuch",
        "mkdir d; envdir d nosuch",
        "setuidgid root nosuch",
        "softlimit -c0 $(printf 'a\\377b')",
        "softlimit true; softlimit false",
        "softlimit sh -c 'exit 7'",
        "exec softlimit sh -c 'kill -9 $$'",
    ]);
}

#[test]
fn ids() {
    Bench::new("ids").agree(&[
        "setuidgid root id",
        "setuidgid daemon id",
        "setuidgid daemon grep -E '^(Uid|Gid|Groups)' /proc/self/status",
        "setuidgid daemon /nosuch",
        "setuidgid nosuchaccount id",
        "setuidgid mail setuidgid daemon id",
        "setuidgid mail /usr/bin/env X=1 sh -c 'echo $X $UID; id -un'",
        "setpriv --groups 4,24,27 setuidgid daemon id",
        "envuidgid daemon id",
        "envuidgid daemon env",
        "envuidgid root env",
        "X=1 envuidgid nobody env",
        "UID=7 GID=8 Z=9 envuidgid mail env | sort",
        "envuidgid mail envuidgid daemon env | sort",
    ]);
}

#[test]
fn variables_from_a_directory() {
    let bench = Bench::new("envdir");
    for files in [
        "echo 1 > A",
        "printf 1 > A",
        ": > A",
        "echo > A",
        "printf ' \\t \\n' > A",
        "printf ' \\t ' > A",
        "printf ' x \\t\\nsecond\\n' > A",
        "printf 'x\\r\\n' > A",
        "printf 'a\\0b \\n' > A",
        "printf 'a\\0\\0' > A",
        "printf 'a \\0 \\n' > A",
        "printf '\\0\\n' > A",
        "printf '\\n\\n' > A",
        "echo 2 > X",
        ": > X",
        "echo > X",
        "echo 2 > X; echo 3 > Y; : > Z",
        "echo 1 > A; echo 2 > B; echo 3 > C; echo 4 > D",
        "ln -s nosuch A",
        "ln -s nosuch X",
        "ln -s A A",
        "echo 1 > real; ln -s real A",
        "echo v > .hidden; mkdir .sub; ln -s .l .l",
        "mkdir sub",
        "mkfifo F",
        "echo 1 > a=b",
        "echo 1 > =b",
        ": > a=b",
        "echo 1 > X=inherited",
        ": > X=inherited",
        "echo 1 > 'with space'; echo 2 > \"new\nline\"; echo 3 > $(printf '\\377')",
        "head -c 100000 /dev/zero | tr '\\0' x > BIG",
        "head -c 200000 /dev/zero | tr '\\0' x > TOOBIG",
        "(head -c 1000 /dev/zero | tr '\\0' x; echo; head -c 1000000 /dev/zero) > A",
        "i=0; while [ $i -lt 300 ]; do echo $i > V$i; i=$((i+1)); done",
        "echo /nosuch > PATH",
        "echo 1 > BASH_FUNC_x%%",
    ] {
        let sorted = |last: &str| format!("mkdir d; (cd d; {files}); {last}");
        bench.agree(&[
            &sorted("X=inherited Y=y Z= envdir d env -0 | sort -z | tr '\\0' '|'"),
            &sorted("X=inherited envdir d true"),
            &sorted("envdir ./d true"),
        ]);
        // Where nothing inherited goes away, all is in the same order too.
        if !files.contains('X') && !files.contains("PATH") {
            bench.agree(&[&sorted("X=inherited envdir d env -0 | tr '\\0' '|'")]);
        }
    }
}

#[test]
fn the_directory_of_variables() {
    let bench = Bench::new("envdir-dir");
    bench.agree(&[
        "mkdir d; envdir d env",
        "mkdir d; envdir d/ env",
        "mkdir d; ln -s d l; echo 1 > d/A; envdir l env",
        "mkdir d; echo 1 > d/A; cd d; envdir . pwd",
        "mkdir d; echo 1 > d/A; envdir d pwd",
        // The search goes by the PATH that we were given, not by the new one.
        "mkdir d p; printf '#!/bin/sh\necho new\n' > p/prog; chmod +x p/prog; echo $PWD/p > d/PATH; envdir d prog",
        "mkdir d; : > d/PATH; envdir d env",
    ]);
    // Modes mean nothing to root.
    let ordinary = if tests::is_root() { "setuidgid nobody" } else { "" };
    for (mode, of, directory) in [
        ("0", "d/A", "d"),
        ("0", "d", "d"),
        ("644", "d", "d"),
        ("311", "d", "d"),
        ("0", "d", "d/e"),
    ] {
        bench.agree(&[&format!(
            "mkdir d; echo 1 > d/A; mkdir d/.e; ln -s .e d/.l; chmod {mode} {of}; \
             {ordinary} envdir {directory} true; code=$?; chmod 755 d; exit $code"
        )]);
    }
}

#[test]
fn all_that_is_inherited() {
    let bench = Bench::new("inherited");
    for chain in ["softlimit -c 0", "setuidgid root", "envuidgid root", "envdir d"] {
        let (name, arguments) = chain.split_once(' ').expect("a name and arguments");
        for child in [
            "ls /proc/self/fd",
            "ls /proc/self/fd 5</dev/null 7</dev/null",
            "ls /proc/self/fd 0<&-",
            "readlink /proc/self/fd/0 0</dev/zero",
            "readlink /proc/self/fd/9 9</etc/passwd",
            "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status",
            "sh -c 'umask; nice; ulimit -a'",
            "pwd -P",
            "cat /proc/self/comm",
            "sh -c 'echo $0 \"$@\"' zero one 'two three' ''",
        ] {
            bench.agree(&[&format!("mkdir d; umask 027; exec {chain} {child}")]);
        }
        bench.agree(&[
            &format!(
                "mkdir d; env --ignore-signal=PIPE --ignore-signal=INT --block-signal=USR1 --block-signal=CHLD \
                 {chain} grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"
            ),
            &format!(
                "mkdir d; us() {{ cut -d' ' -f5,6 /proc/self/stat; }}; a=$(us); \
                 b=$({chain} cut -d' ' -f5,6 /proc/self/stat); [ \"$a\" = \"$b\" ] && echo same group and session"
            ),
            &format!("mkdir d; A=1 B= C='x y' {chain} env | grep -v ID="),
            &format!("mkdir d; env -i A=1 B=2 \"$(command -v {name})\" {arguments} /usr/bin/env"),
            &format!("mkdir d; exec 2>&-; {chain} nosuch; echo $?"),
            &format!("mkdir d; nice -n 3 {chain} nice"),
        ]);
    }
}

#[test]
fn a_whole_chain() {
    Bench::new("whole").agree(&[
        "mkdir d; echo 1 > d/A; softlimit -m 50000000 setuidgid root envuidgid daemon envdir ./d env | sort",
        "mkdir d; softlimit -o 50 setuidgid root envdir d sh -c 'ulimit -n'",
        "softlimit -o 50 envuidgid nosuchaccount true",
    ]);
}

#[test]
fn deliberate_differences() {
    let bench = Bench::new("differ");
    // A number beyond 64 bits is large, not its low 64 bits.
    let large =
        "softlimit -r 18446744073709551617 grep -o 'resident set *[a-z0-9]*' /proc/self/limits";
    let told = |limit| format!("resident set          {limit}\n");
    bench.differ(large, (&told("unlimited"), "", 0), (&told("1"), "", 0));
    // From daemontools-encore.
    let usage = "setuidgid: fatal: unknown account -s\n";
    if tests::is_root() {
        bench.differ("setuidgid -s daemon id -G", ("1\n", "", 0), ("", usage, 111));
    }
    let prefix = "mkdir d; echo 1 > d/A; envdir -p P_ d sh -c 'echo $P_A'";
    let missing = "envdir: fatal: unable to switch to directory -p: file does not exist\n";
    bench.differ(prefix, ("1\n", "", 0), ("", missing, 111));
    let glued = prefix.replace("-p ", "-p");
    let missing = missing.replace("-p", "-pP_");
    bench.differ(&glued, ("1\n", "", 0), ("", &missing, 111));
    let unlimited = "softlimit -c - sh -c 'ulimit -c'";
    let usage = bench.debians("softlimit -c x true").map_or_else(String::new, |said| said.err());
    bench.differ(unlimited, ("unlimited\n", "", 0), ("", &usage, 100));
    bench.differ(
        &unlimited.replace(" - ", " unlimited "),
        ("unlimited\n", "", 0),
        ("", &usage, 100),
    );
    let variable = "SOFTLIMIT_OPENFILES=50 softlimit sh -c 'ulimit -n'";
    assert_eq!(bench.ours(variable).out(), "50\n");
    assert_eq!(bench.ours(&variable.replace("softlimit sh", "softlimit -o 40 sh")).out(), "40\n");
    let wrong = "SOFTLIMIT_OPENFILES=5k softlimit true";
    assert_eq!(
        bench.ours(wrong).err(),
        "softlimit: fatal: $SOFTLIMIT_OPENFILES is not a number: 5k\n"
    );
}

/// On a host whose accounts come from a directory server: a getent of the test's own plays its part.
#[test]
fn accounts_from_elsewhere() {
    alone!();
    let scratch = Scratch::new("elsewhere");
    let asked = scratch.file("asked", "");
    let getent = scratch.script(
        "getent",
        &"#!/bin/sh\necho \"$@\" >> ASKED\n\
         case \"$*\" in\n\
         'passwd ldapuser') echo 'ldapuser:*:5000:6000::/home/ldapuser:/bin/sh';;\n\
         'passwd hurt') exit 1;;\n\
         'initgroups ldapuser') echo 'ldapuser              7000 8000';;\n\
         *) exit 2;;\nesac\n"
            .replace("ASKED", &asked.display().to_string()),
    );
    let nsswitch = scratch.file("nsswitch.conf", "passwd: files ldap\ngroup: files ldap\n");
    let mount = Run::sh(&format!(
        "mount --bind {} /usr/bin/getent && mount --bind {} /etc/nsswitch.conf",
        getent.display(),
        nsswitch.display()
    ));
    let mounted = mount.output();
    assert_eq!(mounted.code, 0, "{}", mounted.err());
    let bench = Bench::new("elsewhere-bench");
    let told = |script: &str| {
        let outcome = bench.ours(script);
        (outcome.out(), outcome.err(), outcome.code)
    };
    let fine = |out: &str| (out.to_owned(), String::new(), 0);
    assert_eq!(told("envuidgid root sh -c 'echo $UID:$GID'"), fine("0:0\n"));
    assert_eq!(fs::read_to_string(&asked).expect("read"), "", "root is in the files");
    assert_eq!(told("envuidgid ldapuser sh -c 'echo $UID:$GID'"), fine("5000:6000\n"));
    assert_eq!(
        told("softlimit -m 5000000 envuidgid ldapuser sh -c 'echo $UID:$GID'"),
        fine("5000:6000\n")
    );
    assert_eq!(
        told("env --ignore-signal=CHLD envuidgid ldapuser sh -c 'echo $UID'"),
        fine("5000\n")
    );
    assert_eq!(
        told("envuidgid hurt true"),
        (String::new(), "envuidgid: fatal: unable to ask getent: input/output error\n".into(), 111)
    );
    let unknown =
        |name: &str| (String::new(), format!("envuidgid: fatal: unknown account {name}\n"), 111);
    assert_eq!(told("envuidgid nosuch true"), unknown("nosuch"));
    fs::write(&asked, "").expect("truncate");
    for name in ["-h", "5000", "+x"] {
        assert_eq!(told(&format!("envuidgid {name} true")), unknown(name));
    }
    assert_eq!(fs::read_to_string(&asked).expect("read"), "", "such names are never asked about");
}
