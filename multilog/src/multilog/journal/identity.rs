//! Which log is which.

use super::super::pattern::Pattern;
use super::super::script::{Action, Script};
use super::super::stamp::Form;
use super::record::checksum;
use alloc::vec::Vec;

/// Which log each is, for whoever finds the record: its directory, and what selects its lines. Under the same name the
/// same output comes of the same input.
pub(in super::super) fn identities(script: &Script) -> Vec<u64> {
    let mut before = Vec::new();
    before.push(match script.stamp {
        None => b' ',
        Some(Form::Label) => b't',
        Some(Form::Epoch) => b'T',
        Some(Form::Utc) => b'i',
        Some(Form::Local) => b'I',
    });
    let mut identities = Vec::new();
    for action in &script.actions {
        match action {
            Action::Choose { select, pattern } => {
                let (kind, text) = match pattern {
                    Pattern::Simple(text) => (b'S', text),
                    Pattern::Wildcard(text) => (b'F', text),
                };
                before.extend_from_slice(&[kind, if *select { b'+' } else { b'-' }]);
                before.extend_from_slice(text);
                before.push(0);
            }
            Action::Log(settings) => {
                let text = [&before[..], settings.directory.to_bytes()].concat();
                identities.push(checksum(&text));
            }
            Action::Alert | Action::Status(_) => {}
        }
    }
    identities
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::multilog::script;
    use std::ffi::CString;
    use sys::Args;

    fn identities(script: &[&str]) -> Vec<u64> {
        let all = ["multilog"].iter().chain(script);
        super::identities(&script::read(Args::new(
            all.map(|text| CString::new(*text).expect("no NUL")).collect(),
        )))
    }

    #[test]
    fn what_selects_lines_makes_another_log_and_nothing_else_does() {
        let one = identities(&["t", "-*", "+a", "./d"])[0];
        for same in [
            &["t", "j", "-*", "s5000", "+a", "=status", "./d"][..],
            &["t", "-*", "!cat", "+a", "e", "D", "n3", "./d", "-b"],
        ] {
            assert_eq!(identities(same), [one], "{same:?}");
        }
        for other in [
            &["-*", "+a", "./d"][..],
            &["T", "-*", "+a", "./d"],
            &["i", "-*", "+a", "./d"],
            &["I", "-*", "+a", "./d"],
            &["t", "+*", "+a", "./d"],
            &["t", "+a", "-*", "./d"],
            &["t", "-*", "F", "+a", "./d"],
            &["t", "-*", "+a", "-b", "./d"],
            &["t", "-*", "+a", "./e"],
            &["t", "-*+a", "./d"],
        ] {
            assert_ne!(identities(other), [one], "{other:?}");
        }
    }

    #[test]
    fn each_log_has_its_own() {
        let three = identities(&["./a", "./b", "-x", "./c"]);
        assert!(three.len() == 3 && three[0] != three[1] && three[1] != three[2]);
        assert_eq!(three[..2], identities(&["./a", "./b"])[..]);
    }
}
