//! A case: a script, what is found in its directories, and what comes in.

use std::fmt;

/// What both programs are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) script: Vec<Vec<u8>>,
    /// What is there at the start.
    pub(crate) found: Vec<Found>,
    pub(crate) feeding: Feeding,
    pub(crate) events: Vec<Event>,
}

/// A file that is there at the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) directory: &'static str,
    pub(crate) name: String,
    pub(crate) mode: u32,
    pub(crate) content: Vec<u8>,
    /// Its second name in the same directory.
    pub(crate) also: Option<String>,
}

/// What input looks like to who reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feeding {
    /// Each read gets a packet: a line, or part of one.
    Lines,
    /// Each read gets a packet: of any number of lines, or parts.
    Pieces,
    /// A read gets what there is: standard input is a file.
    Flood,
}

/// What happens, in order. Then the input ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// This comes in.
    Comes(Vec<u8>),
    /// SIGALRM, when all is read so far.
    Alarm,
    /// SIGTERM, when all is read so far. What comes later comes as a stream.
    Term,
}

/// What is searched for as a sign of a clock that is ahead: names of the years after 2100.
pub(crate) const FUTURE: &str = "@40000000f";

impl Case {
    /// Whether each line gets a stamp.
    pub(crate) fn is_stamped(&self) -> bool {
        self.script.first().is_some_and(|word| word.first() == Some(&b't'))
    }

    /// Whether TERM comes.
    pub(crate) fn is_terminated(&self) -> bool {
        self.events.contains(&Event::Term)
    }

    /// All that comes in.
    pub(crate) fn input(&self) -> Vec<u8> {
        let comes = self.events.iter().filter_map(|event| match event {
            Event::Comes(bytes) => Some(&bytes[..]),
            Event::Alarm | Event::Term => None,
        });
        comes.collect::<Vec<_>>().concat()
    }

    /// Whether files end at the same line with both.
    ///
    /// docs/DIFFERENCES.md, 53: ours end a file at the first newline that will do, the original when it has collected more: the
    /// same only where it can't have more, or where there is too little for any file to be full.
    pub(crate) fn files_end_alike(&self) -> bool {
        let input = self.input();
        let lines = input.iter().filter(|byte| **byte == b'\n').count() + 1;
        let stamps = if self.is_stamped() { 26 * lines } else { 0 };
        let found = self.found.iter().map(|found| found.content.len()).max().unwrap_or(0);
        self.feeding == Feeding::Lines || input.len() + 1 + stamps + found < 4096 - 2000
    }

    /// Whether a file of the future is found in this directory.
    pub(crate) fn is_of_the_future(&self, directory: &str) -> bool {
        self.found.iter().any(|found| {
            let names = [Some(&found.name), found.also.as_ref()];
            found.directory == directory && names.iter().flatten().any(|n| n.starts_with(FUTURE))
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "multilog")?;
        for word in &self.script {
            write!(f, " '{}'", shown(word))?;
        }
        writeln!(f)?;
        for Found { directory, name, mode, content, also } in &self.found {
            write!(f, "  found {directory}/{name} {mode:o} '{}'", shown(content))?;
            match also {
                Some(also) => writeln!(f, ", also {also}")?,
                None => writeln!(f)?,
            }
        }
        writeln!(f, "  {:?}:", self.feeding)?;
        for event in &self.events {
            match event {
                Event::Comes(bytes) => writeln!(f, "  '{}'", shown(bytes))?,
                Event::Alarm => writeln!(f, "  ALRM")?,
                Event::Term => writeln!(f, "  TERM")?,
            }
        }
        Ok(())
    }
}

/// Bytes as a person reads them; of a byte many times in a row, how many there are.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let mut text = String::new();
    for run in bytes.chunk_by(|a, b| a == b) {
        match run.len() {
            0..6 => text.push_str(&run.escape_ascii().to_string()),
            count => text.push_str(&format!("<{count} times {}>", run[..1].escape_ascii())),
        }
    }
    text
}
