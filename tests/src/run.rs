//! Running a program to its end, with a deadline.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::alone::alone_program;
use crate::child::Child;
use crate::place::workspace;

/// What a program left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// All it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All it wrote to standard error.
    pub stderr: Vec<u8>,
    /// Its exit code, or 128 + the number of the signal that ended it.
    pub code: i32,
}

impl Outcome {
    /// Standard output, for people: bytes that are no UTF-8 are replaced.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error, for people.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }
}

/// A program about to run. It starts with the test's environment; standard input is empty unless given.
#[derive(Clone, Debug)]
pub struct Run {
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, Option<OsString>>,
    clear: bool,
    cwd: Option<PathBuf>,
    stdin: Vec<u8>,
    deadline: Duration,
    alone: bool,
    own_group: bool,
}

impl Run {
    /// A run of `program`: a path, or a name for the system's PATH.
    pub fn new(program: impl Into<PathBuf>) -> Run {
        Run {
            program: program.into(),
            args: Vec::new(),
            env: BTreeMap::new(),
            clear: false,
            cwd: None,
            stdin: Vec::new(),
            deadline: Duration::from_secs(60),
            alone: false,
            own_group: false,
        }
    }

    /// A run of a shell script: `/bin/sh -c SCRIPT`. The way to hand over descriptors, too: `prog 3<file`.
    pub fn sh(script: &str) -> Run {
        Run::new("/bin/sh").args(["-c", script])
    }

    /// Appends an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Run {
        self.args.push(arg.as_ref().into());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Run {
        self.args.extend(args.into_iter().map(|a| a.as_ref().into()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Run {
        self.env.insert(name.as_ref().into(), Some(value.as_ref().into()));
        self
    }

    /// Unsets a variable.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Run {
        self.env.insert(name.as_ref().into(), None);
        self
    }

    /// A `make` of the checkout as a person types it at a fresh prompt, also where the tests are themselves run by `make`.
    pub fn make(goals: &str) -> Run {
        Run::sh(&format!("exec make {goals}")).cwd(workspace()).no_outer_make()
    }

    /// Without what an outer `make` hands to an inner one.
    #[must_use]
    pub fn no_outer_make(self) -> Run {
        ["MAKELEVEL", "MAKEFLAGS", "MFLAGS"].into_iter().fold(self, Run::env_remove)
    }

    /// Starts from an empty environment instead of the test's.
    #[must_use]
    pub fn env_clear(mut self) -> Run {
        self.clear = true;
        self
    }

    /// The working directory.
    #[must_use]
    pub fn cwd(mut self, dir: impl AsRef<Path>) -> Run {
        self.cwd = Some(dir.as_ref().into());
        self
    }

    /// What [`Run::output`] feeds to standard input.
    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Run {
        self.stdin = bytes.into();
        self
    }

    /// How long it may take, 60 s unless told.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Run {
        self.deadline = deadline;
        self
    }

    /// In namespaces of its own: mounts, network (loopback only), pids, host name. See [`crate::in_namespaces`].
    #[must_use]
    pub fn alone(mut self) -> Run {
        self.alone = true;
        self
    }

    /// In a process group of its own, which a Ctrl-C at the terminal does not reach.
    #[must_use]
    pub fn own_group(mut self) -> Run {
        self.own_group = true;
        self
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// If it can't be started, or has not ended by the deadline (it is killed then).
    pub fn output(self) -> Outcome {
        let (stdin, deadline) = (self.stdin.clone(), self.deadline);
        let mut child = self.spawn();
        child.write(&stdin);
        child.close();
        child.wait(deadline)
    }

    /// Starts it, with standard input open for [`Child::write`].
    ///
    /// # Panics
    /// If it can't be started.
    pub fn spawn(self) -> Child {
        let mut command = if self.alone {
            let mut command = Command::new(alone_program());
            command.arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command.args(&self.args);
        if self.clear {
            command.env_clear();
        }
        if self.own_group {
            command.process_group(0);
        }
        for (name, value) in &self.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        if let Some(cwd) = &self.cwd {
            command.current_dir(cwd);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        match command.spawn() {
            Ok(child) => Child::new(child, self.program.display().to_string()),
            Err(e) => panic!("start {}: {e}", self.program.display()),
        }
    }
}
