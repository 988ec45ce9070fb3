//! What a run of a case shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::ops::Index;
use std::os::unix::fs::PermissionsExt;

use super::cast::Cast;
use super::files;
use super::table::Case;
use super::variable::{printable, without_what_varies};
use crate::run::Run;
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
        let outcome = Run::sh(&script).env_clear().env("PATH", path).cwd(&work).output();
        let place = scratch.path().display().to_string();
        let text = |bytes: &[u8]| without_what_varies(&printable(bytes), &place);
        let (child, stdout) = parted(&text(&outcome.stdout));
        let (more_child, stderr) = parted(&text(&outcome.stderr));
        let files = files::listing(&work).unwrap_or_else(|e| format!("unable to list: {e}\n"));
        // What a program made unreadable goes with the rest.
        let _ = fs::set_permissions(&work, fs::Permissions::from_mode(0o755));
        Seen(BTreeMap::from([
            (Aspect::Stdout, stdout),
            (Aspect::Stderr, stderr),
            (Aspect::Code, format!("{}\n", outcome.code)),
            (Aspect::Files, without_what_varies(&files, &place)),
            (Aspect::Child, child + &more_child),
        ]))
    }

    /// In what two runs differ.
    pub fn differs_from(&self, other: &Seen) -> BTreeSet<Aspect> {
        self.0.keys().filter(|aspect| self.0[aspect] != other.0[aspect]).copied().collect()
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
