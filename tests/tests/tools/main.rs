//! setlock, fghack, pgrphack, setuser, envini, tai64n and tai64nlocal: what they say, how they end, and what the program
//! that they run inherits; side by side with Debian's where there is one.

mod encore;
mod fghack;
mod pgrphack;
mod setlock;
mod tai64n;
mod tai64nlocal;
mod times;
mod zones;

use std::fs;
use std::os::unix::fs::symlink;
use tests::{Outcome, Run, Scratch, debian, program};

/// A place where a script finds one of the programs, ours or Debian's, at the same path, so that nothing else differs.
struct Bench {
    scratch: Scratch,
    tool: &'static str,
}

impl Bench {
    fn new(tool: &'static str) -> Bench {
        Bench { scratch: Scratch::new(tool), tool }
    }

    fn ours(&self, script: &str) -> Outcome {
        self.run(script, program(self.tool))
    }

    fn debians(&self, script: &str) -> Option<Outcome> {
        debian(self.tool).map(|path| self.run(script, path))
    }

    fn run(&self, script: &str, program: std::path::PathBuf) -> Outcome {
        let (bin, work) = (self.scratch.join("bin"), self.scratch.join("work"));
        for dir in [&bin, &work] {
            let _ = fs::remove_dir_all(dir);
            fs::create_dir(dir).expect("make a directory");
        }
        symlink(program, bin.join(self.tool)).expect("link the program");
        let path = format!("{}:/usr/bin:/bin", bin.display());
        Run::sh(script).env_clear().env("PATH", path).cwd(work).output()
    }

    /// Each script does the same with ours and with Debian's.
    fn agree(&self, scripts: &[&str]) {
        for script in scripts {
            let ours = self.ours(script);
            let Some(debians) = self.debians(script) else { return };
            assert_eq!(told(&ours), told(&debians), "ours and Debian's: {script}");
        }
    }

    /// Ours says this and ends so.
    fn says(&self, script: &str, out: &str, err: &str, code: i32) {
        assert_eq!(told(&self.ours(script)), (out.into(), err.into(), code), "{script}");
    }

    /// What the program that it runs inherits, apart from what it is there to change: the same as with Debian's.
    fn hands_on_everything_else(&self, chain: &str) {
        for child in [
            "ls /proc/self/fd 7</dev/null",
            "ls /proc/self/fd 0<&-",
            "readlink /proc/self/fd/9 9</etc/passwd",
            "sh -c 'umask; nice; ulimit -a; ulimit -Ha'",
            "pwd -P",
            "cat /proc/self/comm",
            "sh -c 'echo $0 \"$@\"' zero one 'two three' ''",
            "grep -E '^(Uid|Gid|Groups|Sig(Blk|Ign|Cgt))' /proc/self/status",
        ] {
            self.agree(&[&format!("umask 027; ulimit -n 100; exec {chain} {child}")]);
        }
        self.agree(&[
            &format!(
                "env --ignore-signal=PIPE --ignore-signal=INT --block-signal=USR1 --block-signal=CHLD \
                 {chain} grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status"
            ),
            &format!("A=1 B= C='x y' {chain} env -0 | tr '\\0' '|'"),
            &format!("exec 2>&-; {chain} nosuch; echo $?"),
            &format!("nice -n 3 {chain} nice"),
            &format!("{chain} nosuch"),
            &format!("{chain} /"),
            &format!("{chain} sh -c 'exit 7'"),
            &format!("mkdir d; : > d/prog; PATH=$PATH:$PWD/d {chain} prog"),
        ]);
    }
}

fn told(outcome: &Outcome) -> (String, String, i32) {
    (outcome.out(), outcome.err(), outcome.code)
}
