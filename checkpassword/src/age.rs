//! Accounts and passwords that have had their day, as pam_unix's account management judges them.

use sys::account::Shadow;

/// Why an account whose password is right may not log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lapse {
    /// The day that was named for the account's end has come.
    AccountExpired,
    /// The password is older than it may be. Whether the days of grace (`inactive`) are over too
    /// makes no difference: within them a login must change it first, and here nobody can.
    PasswordExpired,
    /// The administrator wants the password to be changed at the next login (`chage -d 0`).
    MustChange,
}

impl Lapse {
    /// What the log says.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::AccountExpired => "account has expired",
            Self::PasswordExpired => "password has expired",
            Self::MustChange => "password must be changed first",
        }
    }
}

/// Today, in days since 1970-01-01 UTC.
#[must_use]
pub fn today() -> i64 {
    (sys::clock::realtime().as_secs() / 86_400).cast_signed()
}

/// Whether the account may log in on the day `today`.
///
/// Quirks of pam_unix (Debian 12's) that are kept: an account is gone on the day named as its last,
/// while a password's last day is still good; a password that was changed in the future doesn't
/// age; one of unknown age is as old as the calendar.
///
/// # Errors
/// Why it may not.
pub fn check(entry: &Shadow, today: i64) -> Result<(), Lapse> {
    if entry.expire.is_some_and(|last| today >= last) {
        return Err(Lapse::AccountExpired);
    }
    let changed = entry.last_change.unwrap_or(-1);
    if changed == 0 {
        return Err(Lapse::MustChange);
    }
    if entry.max.is_some_and(|max| today.saturating_sub(changed) > max) {
        return Err(Lapse::PasswordExpired);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: i64 = 20_000;

    fn entry(last_change: Option<i64>, max: Option<i64>, expire: Option<i64>) -> Shadow {
        let hash = b"$y$".to_vec();
        Shadow { hash, last_change, min: None, max, warn: None, inactive: None, expire }
    }

    #[test]
    fn the_table() {
        let cases = [
            (None, None, None, Ok(())),
            (Some(TODAY), Some(99_999), None, Ok(())),
            (Some(TODAY - 90), Some(90), None, Ok(())),
            (Some(TODAY - 91), Some(90), None, Err(Lapse::PasswordExpired)),
            (Some(TODAY - 91), None, None, Ok(())),
            (Some(TODAY + 5), Some(0), None, Ok(())),
            (Some(0), None, None, Err(Lapse::MustChange)),
            (Some(0), None, Some(1), Err(Lapse::AccountExpired)),
            (None, Some(1), None, Err(Lapse::PasswordExpired)),
            (None, Some(99_999), None, Ok(())),
            (Some(TODAY), None, Some(TODAY + 1), Ok(())),
            (Some(TODAY), None, Some(TODAY), Err(Lapse::AccountExpired)),
            (Some(TODAY), None, Some(0), Err(Lapse::AccountExpired)),
        ];
        for (changed, max, expire, expected) in cases {
            let found = check(&entry(changed, max, expire), TODAY);
            assert_eq!(found, expected, "{changed:?} {max:?} {expire:?}");
        }
    }
}
