//! A password against a stored hash, with the room that the hash needs.

use crate::hash::make::{Scheme, Unmade};
use crate::hash::{Hash, Stored};
use crate::memory::Room;
use crate::request::printable;
use common::{Exit, Failure, Name};
use zeroize::Zeroizing;

/// What stands in for the hash of a user who isn't there: Debian's default scheme and cost.
const DUMMY: &[u8] = b"$y$j9T$......................$...........................................";

/// Whether `password` is right for `user`, who has `hash`.
///
/// # Errors
/// Exit code 111: not enough memory even up to the hard limits, or a hash that can't be computed.
/// Never for a wrong password.
pub fn matches(name: Name, user: &[u8], hash: &Hash<'_>, password: &[u8]) -> Result<bool, Failure> {
    let limits =
        |errno| name.fatal_errno(Exit::TEMPORARY.0, &[b"unable to set memory limits"], errno);
    let room = Room::make().map_err(limits)?;
    room.try_out(hash.memory()).map_err(|reason| unable(name, user, &reason))?;
    let verdict = hash.verify(password);
    room.give_back().map_err(limits)?;
    verdict.map_err(|unusable| unable(name, user, &unusable.reason()))
}

/// Takes as long as [`matches`] and says nothing: for a user who isn't there or can't log in, so
/// that a client can't tell by the clock who exists. `like` is a hash of the host's usual kind.
///
/// # Errors
/// As [`matches`]: where a password can't be checked, nobody learns who exists either.
pub fn pretend(
    name: Name,
    user: &[u8],
    like: Option<&[u8]>,
    password: &[u8],
) -> Result<(), Failure> {
    for stored in [like.unwrap_or(DUMMY), DUMMY] {
        if let Ok(Stored::Hash(hash)) = Stored::parse(stored) {
            return matches(name, user, &hash, password).map(drop);
        }
    }
    Ok(())
}

/// A new hash of `password`, with the room that it needs.
///
/// # Errors
/// Exit code 111: not enough memory even up to the hard limits, or no random numbers.
pub fn make(
    name: Name,
    user: &[u8],
    scheme: Scheme,
    password: &[u8],
) -> Result<Zeroizing<String>, Failure> {
    let unable = |reason: &str| {
        let parts: [&[u8]; 4] =
            [b"unable to hash the password of ", &printable(user), b": ", reason.as_bytes()];
        name.fatal(Exit::TEMPORARY.0, &parts)
    };
    let room = Room::make().map_err(|errno| unable(common::reason(errno)))?;
    room.try_out(scheme.memory()).map_err(|reason| unable(&reason))?;
    let hash = scheme.hash(password).map_err(|unmade| match unmade {
        Unmade::Random(errno) => unable(common::reason(errno)),
        Unmade::Refused(unusable) => unable(&unusable.reason()),
    });
    room.give_back().map_err(|errno| unable(common::reason(errno)))?;
    hash
}

/// `unable to check the password of USER: REASON`, exit code 111.
#[must_use]
pub fn unable(name: Name, user: &[u8], reason: &str) -> Failure {
    let parts: [&[u8]; 4] =
        [b"unable to check the password of ", &printable(user), b": ", reason.as_bytes()];
    name.fatal(Exit::TEMPORARY.0, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dummy_costs_what_debians_default_costs() {
        let Ok(Stored::Hash(hash)) = Stored::parse(DUMMY) else { panic!("the dummy is a hash") };
        assert!(hash.memory() > 16 << 20 && hash.memory() < 17 << 20, "{}", hash.memory());
        assert_eq!(hash.verify(b""), Ok(false));
    }
}
