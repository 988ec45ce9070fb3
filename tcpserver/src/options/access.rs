//! The options that say who is let in, and what is found out about clients.

use common::Failure;
use common::getopt::Opt;
use std::ffi::CStr;

/// What is found out about a client, and what decides whether it is let in.
#[derive(Debug, Clone, Copy)]
pub struct Access {
    /// `-x`: the rules, compiled by tcprules.
    pub rules: Option<&'static CStr>,
    /// `-X`: without the file of `-x`, everybody is let in.
    pub rules_may_be_missing: bool,
    /// `-h`, `-H`: the name of the client's host is looked up.
    pub remote_name: bool,
    /// `-p`, `-P`: it counts only if it leads back to the client's address.
    pub paranoid: bool,
    /// `-r`, `-R`: the client's host is asked which user the client is.
    pub remote_info: bool,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            rules: None,
            rules_may_be_missing: false,
            remote_name: true,
            paranoid: false,
            remote_info: true,
        }
    }
}

impl Access {
    /// Takes an option, if it is one of these. False: it isn't.
    ///
    /// # Errors
    /// A value that can't be used: exit code 100.
    pub(super) fn take(&mut self, opt: Opt) -> Result<bool, Failure> {
        match opt {
            Opt::Flag(b'X') => self.rules_may_be_missing = true,
            Opt::Flag(b'h') => self.remote_name = true,
            Opt::Flag(b'H') => self.remote_name = false,
            Opt::Flag(b'p') => self.paranoid = true,
            Opt::Flag(b'P') => self.paranoid = false,
            Opt::Flag(b'r') => self.remote_info = true,
            Opt::Flag(b'R') => self.remote_info = false,
            Opt::Value(b'x', file) => self.rules = Some(file),
            Opt::Flag(_) | Opt::Value(..) => return Ok(false),
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(options: &[Opt]) -> Access {
        let mut access = Access::default();
        for option in options {
            assert_eq!(access.take(*option), Ok(true));
        }
        access
    }

    #[test]
    fn by_default_everything_is_looked_up_and_nobody_is_turned_away() {
        let access = Access::default();
        assert!(access.remote_name && access.remote_info && !access.paranoid);
        assert!(access.rules.is_none() && !access.rules_may_be_missing);
    }

    #[test]
    fn the_last_of_a_pair_counts() {
        let flags = |letters: &[u8]| {
            let access = taken(&letters.iter().map(|flag| Opt::Flag(*flag)).collect::<Vec<_>>());
            [access.remote_name, access.paranoid, access.remote_info]
        };
        assert_eq!(flags(b"HpR"), [false, true, false]);
        assert_eq!(flags(b"HhpPRr"), [true, false, true]);
        let access = taken(&[Opt::Value(b'x', c"a"), Opt::Flag(b'X'), Opt::Value(b'x', c"b")]);
        assert_eq!((access.rules, access.rules_may_be_missing), (Some(c"b"), true));
    }

    #[test]
    fn other_options_are_left_alone() {
        assert_eq!(Access::default().take(Opt::Flag(b'v')), Ok(false));
        assert_eq!(Access::default().take(Opt::Value(b'c', c"1")), Ok(false));
    }
}
