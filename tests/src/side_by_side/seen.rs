//! What a run of a case shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, File};
use std::ops::Index;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::cast::Cast;
use super::files;
use super::table::Case;
use super::variable::{printable, without_what_varies};
use crate::scratch::Scratch;

/// What a run is compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The exit code.
    Code,
    /// Files left behind: names, kinds, modes, owners, contents.
    Files,
    /// What the program `inherits`, run as a child, inherited.
    Child,
}

/// What one run of a case shows, without what varies from run to run.
pub struct Seen(BTreeMap<Aspect, String>);

/// How long a case may take, in seconds.
const DEADLINE: &str = "60";

/// How `inherits` begins each of its lines.
const CHILD: &str = "| ";

impl Seen {
    /// Runs a case in an empty directory of its own.
    ///
    /// # Panics
    /// If it has not ended within a minute.
    pub fn of(case: &Case, prelude: &str, cast: Cast) -> Seen {
        let scratch = Scratch::new("side");
        let (bin, work) = (scratch.dir("bin"), scratch.dir("work"));
        cast.link(&bin);
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let script = format!("{prelude}\n{}", case.command);
        let [out, err] = ["out", "err"].map(|name| scratch.join(name));
        let file = |path: &Path| File::create(path).expect("make a file");
        let begin = Instant::now();
        // Files and a wait without polls: dozens of cases wait side by side.
        let status = Command::new("timeout")
            .args(["--foreground", "--signal=KILL", DEADLINE, "/bin/sh", "-c", &script])
            .env_clear()
            .env("PATH", path)
            .current_dir(&work)
            .stdin(Stdio::null())
            .stdout(file(&out))
            .stderr(file(&err))
            .status()
            .expect("start a shell");
        let deadline = Duration::from_secs(DEADLINE.parse().expect("a number"));
        assert!(begin.elapsed() < deadline, "has not ended within {DEADLINE} s");
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let place = scratch.path().display().to_string();
        let text = |bytes: &[u8]| without_what_varies(&printable(bytes), &place);
        let (child, stdout) = parted(&text(&fs::read(out).expect("its output")));
        let (more_child, stderr) = parted(&text(&fs::read(err).expect("its errors")));
        let files = files::listing(&work).unwrap_or_else(|e| format!("unable to list: {e}\n"));
        // What a program made unreadable goes with the rest.
        let _ = fs::set_permissions(&work, fs::Permissions::from_mode(0o755));
        Seen::new([
            (Aspect::Stdout, stdout),
            (Aspect::Stderr, stderr),
            (Aspect::Code, format!("{code}\n")),
            (Aspect::Files, without_what_varies(&files, &place)),
            (Aspect::Child, child + &more_child),
        ])
    }

    pub(super) fn new(texts: impl IntoIterator<Item = (Aspect, String)>) -> Seen {
        Seen(texts.into_iter().collect())
    }

    /// In what two runs differ.
    pub fn differs_from(&self, other: &Seen) -> BTreeSet<Aspect> {
        self.0.keys().filter(|aspect| self.0[aspect] != other.0[aspect]).copied().collect()
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (aspect, text) in &self.0 {
            let lines: String = text.lines().map(|line| format!("      {line}\n")).collect();
            write!(f, "  {aspect}\n{lines}")?;
        }
        Ok(())
    }
}

impl Index<Aspect> for Seen {
    type Output = str;

    fn index(&self, aspect: Aspect) -> &str {
        &self.0[&aspect]
    }
}

/// The lines that `inherits` wrote, and all others.
fn parted(text: &str) -> (String, String) {
    text.split_inclusive('\n').partition(|line| line.starts_with(CHILD))
}

impl Aspect {
    /// By its name in a table.
    pub(super) fn parse(name: &str) -> Option<Aspect> {
        let all = [Aspect::Stdout, Aspect::Stderr, Aspect::Code, Aspect::Files, Aspect::Child];
        all.into_iter().find(|aspect| aspect.to_string() == name)
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Aspect::Stdout => "stdout",
            Aspect::Stderr => "stderr",
            Aspect::Code => "code",
            Aspect::Files => "files",
            Aspect::Child => "child",
        })
    }
}
