//! What libpam's codes mean here.

use pam::Step;

/// `unable to ... USER`.
pub(crate) fn action(step: Step) -> &'static str {
    match step {
        Step::Password => "check the password of",
        Step::Account => "check the account of",
        Step::Credentials => "get the credentials of",
    }
}

/// What a code comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on.
    Yes,
    /// The login is not acceptable.
    No,
    /// It can't be said.
    Trouble,
}

// Linux-PAM's numbers, which its ABI has fixed (security/_pam_types.h).
const SUCCESS: i32 = 0;
const PERMISSION_DENIED: i32 = 6;
const AUTHENTICATION_FAILED: i32 = 7;
const USER_UNKNOWN: i32 = 10;
const TOO_MANY_TRIES: i32 = 11;
const NEW_PASSWORD_REQUIRED: i32 = 12;
const ACCOUNT_EXPIRED: i32 = 13;
const PASSWORD_EXPIRED: i32 = 27;

impl Verdict {
    /// The verdict that a code is: everything that isn't about this user is trouble, never "no".
    pub(crate) fn of(step: Step, code: i32) -> Self {
        match (step, code) {
            (_, SUCCESS) => Self::Yes,
            (
                Step::Password | Step::Account,
                PERMISSION_DENIED
                | AUTHENTICATION_FAILED
                | USER_UNKNOWN
                | TOO_MANY_TRIES
                | NEW_PASSWORD_REQUIRED
                | ACCOUNT_EXPIRED
                | PASSWORD_EXPIRED,
            ) => Self::No,
            _ => Self::Trouble,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let no = [6, 7, 10, 11, 12, 13, 27];
        for code in 0..40 {
            let about_the_user = match code {
                0 => Verdict::Yes,
                code if no.contains(&code) => Verdict::No,
                _ => Verdict::Trouble,
            };
            assert_eq!(Verdict::of(Step::Password, code), about_the_user);
            assert_eq!(Verdict::of(Step::Account, code), about_the_user);
            let credentials = if code == 0 { Verdict::Yes } else { Verdict::Trouble };
            assert_eq!(Verdict::of(Step::Credentials, code), credentials);
        }
    }
}
