//! envini: runs a program with variables from an INI file. From daemontools-encore.

mod file;
mod line;

use crate::child::Child;
use alloc::vec::Vec;
use common::env::Environment;
use common::getopt::{Getopt, Opt};
use common::{Exit, Failure, Name};
use line::Line;
use sys::{Args, Env};

const NAME: Name = Name("envini");

const USAGE: &str = "[ -p prefix ] inifile child";

/// `envini [-p PREFIX] FILE PROGRAM ARGUMENTS`: sets a variable for each line `NAME=VALUE` of the file
/// and becomes the program. In section `[S]`, `S_` stands before each name; `-p` puts a prefix before
/// that.
///
/// # Errors
/// Wrong usage: 100. A file that can't be read, a program that can't be run: 111.
pub fn run(args: Args, env: Env) -> Result<Exit, Failure> {
    let mut prefix: &[u8] = b"";
    let mut options = Getopt::new(args, b"p:");
    for option in options.by_ref() {
        match option.map_err(|illegal| illegal.with_usage(NAME.usage(USAGE)))? {
            Opt::Value(_, value) => prefix = value.to_bytes(),
            Opt::Flag(_) => return Err(NAME.usage(USAGE)),
        }
    }
    let path = options.rest().get(0).ok_or_else(|| NAME.usage(USAGE))?;
    let child = Child::after(options.rest(), 1).ok_or_else(|| NAME.usage(USAGE))?;

    let text = file::read(path).map_err(|errno| {
        let parts: [&[u8]; 2] = [b"unable to read ", path.to_bytes()];
        NAME.fatal_errno(Exit::TEMPORARY.0, &parts, errno)
    })?;
    Err(child.exec(NAME, env, &environment(env, prefix, &text).vector()))
}

/// What the lines of `text` make of the environment.
pub(crate) fn environment(env: Env, prefix: &[u8], text: &[u8]) -> Environment {
    let mut changed = Environment::new(env);
    let mut name = Vec::from(prefix);
    let mut section_end = prefix.len();
    for line in text.split(|byte| *byte == b'\n') {
        match Line::parse(line) {
            Line::Section(section) => {
                name.truncate(prefix.len());
                name.extend_from_slice(section);
                if !section.is_empty() {
                    name.push(b'_');
                }
                section_end = name.len();
            }
            Line::Variable(variable, value) => {
                name.truncate(section_end);
                name.extend_from_slice(variable);
                changed.set(&name, &line::without_nul(value));
            }
            Line::Nothing => {}
        }
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(prefix: &str, text: &[u8]) -> Vec<String> {
        let env = Env::new(vec![c"A=0".into(), c"B=0".into()]);
        let changed = environment(env, prefix.as_bytes(), text);
        changed.iter().map(|entry| entry.to_str().expect("ASCII").to_owned()).collect()
    }

    #[test]
    fn sections_stand_before_names() {
        let text = b"A=1\n[s]\nA=2\n[t u]\nx = y\n[]\nC=3\nlast=line";
        let expected = ["B=0", "A=1", "s_A=2", "t u_x=y", "C=3", "last=line"];
        assert_eq!(after("", text), expected);
    }

    #[test]
    fn the_prefix_stands_before_sections() {
        assert_eq!(
            after("P_", b"A=1\n[s]\nA=2\n[]\nB="),
            ["A=0", "B=0", "P_A=1", "P_s_A=2", "P_B="]
        );
    }

    #[test]
    fn the_last_of_a_name_counts() {
        assert_eq!(after("", b"A=1\nA=2\nB=3\nA=4\n"), ["B=3", "A=4"]);
    }

    #[test]
    fn names_that_no_variable_can_have_are_left_out() {
        assert_eq!(after("", b"[a=b]\nc=d\n[e\0f]\ng=h\n[]\ni\0j=k\n"), ["A=0", "B=0"]);
    }

    #[test]
    fn a_nul_in_a_value_is_a_newline() {
        assert_eq!(after("", b"A=1\x002\nB=0\n"), ["A=1\n2", "B=0"]);
    }
}
